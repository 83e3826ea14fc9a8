"""What a `Dialect` decides: the rest of the codec is tested by the databases that use it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, RootModel

from adapters._codec.codec import Codec, Dialect
from adapters._codec.fields import Unstorable, is_textual
from adapters._codec.scalar_readers import duration, from_number, from_text
from adapters.errors import AdapterError
from router.errors import ConfigurationError


class CannotStore(AdapterError):
    pass


class CannotRead(AdapterError, ValueError):
    pass


class Refused(AdapterError):
    pass


def stored(value: Any) -> Any:
    """A store of JSON's values in which dates are text, sets are lists, and bytes have no form."""
    if isinstance(value, Enum):
        return stored(value.value)
    if isinstance(value, list | set | frozenset):
        return [stored(held) for held in value]
    if isinstance(value, bytes):
        raise Unstorable("has no form here")
    return value.isoformat() if isinstance(value, date) else value


def encode(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    made = {}
    for name, held in pairs:
        try:
            made[name] = stored(held)
        except Unstorable as error:
            error.way.append(name)
            raise
    return made


def dialect(**options: Any) -> Dialect:
    return Dialect(
        **{
            "encode": encode,
            "again": stored,
            "readers": {date: from_text(date.fromisoformat, "the text of a date")},
            "unstorable": CannotStore,
            "unreadable": CannotRead,
            "refused": Refused,
            **options,
        }
    )


class Colour(Enum):
    RED = "red"


@dataclass
class Note:
    text: str
    day: date | None = None
    tags: set[str] = field(default_factory=lambda: {"new"})
    colour: Colour = Colour.RED


def test_instances_come_back_through_the_readers_of_the_dialect() -> None:
    codec = Codec(Note, dialect())
    note = Note("a", date(2025, 1, 2), {"x"})
    assert codec.write(note) == {"text": "a", "day": "2025-01-02", "tags": ["x"], "colour": "red"}
    assert codec.read(codec.write(note)) == note


class TestErrors:
    def test_of_writing_name_the_class_and_the_field(self) -> None:
        with pytest.raises(CannotStore, match=r"^Note\.text: has no form here$"):
            Codec(Note, dialect()).write(Note(b"SECRET"))  # type: ignore[arg-type]

    def test_of_writing_what_holds_itself_do_not_end_the_process(self) -> None:
        tags: Any = []
        tags.append(tags)
        with pytest.raises(CannotStore, match=r"^Note: is nested too deeply$"):
            Codec(Note, dialect()).write(Note("a", tags=tags))

    def test_of_reading_name_the_class_and_the_field(self) -> None:
        codec = Codec(Note, dialect())
        with pytest.raises(CannotRead, match=r"^Note\.text: is missing$"):
            codec.read({})
        with pytest.raises(CannotRead, match=r"^Note\.day: does not fit \(ValueError\)$"):
            codec.read({"text": "a", "day": "SECRET"})
        with pytest.raises(CannotRead, match=r"^Note\.day: the text of a date is expected, not int$"):
            codec.read({"text": "a", "day": 5})

    def test_of_nested_classes_keep_the_inner_place(self) -> None:
        @dataclass
        class Book:
            notes: list[Note]

        with pytest.raises(CannotRead, match=r"^Book\.notes: Note\.text: is missing$"):
            Codec(Book, dialect()).read({"notes": [{}]})

    def test_of_a_model_that_refuses_a_value_are_the_dialect_s(self) -> None:
        class Model(BaseModel):
            count: int

        with pytest.raises(Refused, match=r"^Model\.count: Input should be a valid integer") as caught:
            Codec(Model, dialect()).checked("count", "SECRET")
        assert "SECRET" not in str(caught.value)

    @pytest.mark.parametrize("kind", [Decimal, "Note", 5])
    def test_of_what_is_no_class_with_fields_give_the_dialect_s_advice(self, kind: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"must be a dataclass or a pydantic model \(say so\)$"):
            Codec(kind, dialect(advice=" (say so)"))


class TestEmptySets:
    @dataclass
    class Tagged:
        tags: set[str]
        more: frozenset[str] = frozenset({"default"})

    def test_are_stored_as_they_are_by_default(self) -> None:
        codec = Codec(self.Tagged, dialect())
        assert codec.write(self.Tagged(set(), frozenset())).keys() == {"tags", "more"}
        assert codec.read({"tags": []}) == self.Tagged(set())
        assert not codec.may_be_absent("tags")
        with pytest.raises(CannotRead, match=r"Tagged\.tags: is missing"):
            codec.read({})

    def test_are_no_field_where_the_database_has_none(self) -> None:
        codec = Codec(self.Tagged, dialect(drops_empty_sets=True))
        assert codec.write(self.Tagged(set(), frozenset())) == {}
        assert codec.read({}) == self.Tagged(set(), frozenset())
        assert codec.may_be_absent("tags")


def number_of_text(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdigit() else value


def uuid_of_text(value: Any) -> Any:
    return UUID(value) if isinstance(value, str) and len(value) == 32 else value


class TestFormsOfOtherPrograms:
    usual = dialect(usual={int: number_of_text, UUID: uuid_of_text, date: number_of_text})

    def test_are_brought_to_the_usual_one_before_reading(self) -> None:
        @dataclass
        class Holder:
            count: int
            by_id: dict[UUID, int] = field(default_factory=dict)
            maybe: int | None = None

        read = Codec(Holder, self.usual).read({"count": "5", "by_id": {"0" * 32: "7"}, "maybe": "8"})
        assert read == Holder(5, {UUID(int=0): 7}, 8)

    def test_that_are_not_known_stay_as_they_are(self) -> None:
        @dataclass
        class Holder:
            count: int

        assert Codec(Holder, self.usual).read({"count": "many"}).count == "many"

    def test_go_through_the_reader_of_the_type(self) -> None:
        with pytest.raises(CannotRead, match=r"Note\.day: the text of a date is expected, not int"):
            Codec(Note, self.usual).read({"text": "a", "day": "20250101"})

    @pytest.mark.parametrize(
        ("value", "read"),
        [("5", "5"), (5, 5), ("0" * 32, "0" * 32), (UUID(int=0), UUID(int=0)), ("2025-01-01", date(2025, 1, 1))],
    )
    def test_do_not_win_over_another_member_of_a_union(self, value: Any, read: Any) -> None:
        @dataclass
        class Holder:
            value: int | UUID | date | str

        assert Codec(Holder, self.usual).read({"value": value}).value == read

    def test_are_read_in_a_union_where_nothing_else_fits(self) -> None:
        @dataclass
        class Holder:
            value: UUID | int | bool

        codec = Codec(Holder, self.usual)
        assert codec.read({"value": "5"}).value == 5
        assert codec.read({"value": "0" * 32}).value == UUID(int=0)
        with pytest.raises(CannotRead, match=r"Holder\.value: one of UUID, int, bool is expected, not str"):
            codec.read({"value": "other"})


def test_a_root_model_in_a_model_is_read_as_its_root() -> None:
    class Tags(RootModel[list[str]]):
        pass

    class Model(BaseModel):
        tags: Tags

    codec = Codec(Model, dialect())
    assert codec.read({"tags": {"root": ["a"]}}) == Model(tags=Tags(["a"]))


@pytest.mark.parametrize(
    ("seconds", "read"),
    [
        (5, timedelta(seconds=5)),
        (Decimal("-0.000001"), timedelta(microseconds=-1)),
        (Decimal("86399999999999.999999"), timedelta.max),
    ],
)
def test_durations_are_exact(seconds: Any, read: timedelta) -> None:
    assert duration(seconds) == read


def test_a_bool_is_no_number() -> None:
    with pytest.raises(TypeError, match="a number is expected, not bool"):
        from_number(float, "a number")(True)


class Folder(PurePosixPath):
    """A path of the application's own."""


@dataclass
class Places:
    folder: Folder
    path: Path
    network: IPv6Network


def test_paths_and_addresses_are_told_by_what_they_are() -> None:
    read = Codec(Places, dialect()).read({"folder": "a/b", "path": "c", "network": "200::/8"})

    assert read == Places(Folder("a/b"), Path("c"), IPv6Network("200::/8"))
    assert [type(value) for value in (read.folder, read.path)] == [Folder, type(Path())]


def test_types_are_textual_unless_they_hide_something() -> None:
    from pydantic import AnyUrl, SecretStr

    assert [is_textual(kind) for kind in (IPv4Address, PurePosixPath, AnyUrl, SecretStr, datetime)] == [
        True,
        True,
        True,
        False,
        False,
    ]
