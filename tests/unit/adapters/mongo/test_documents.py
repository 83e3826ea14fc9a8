"""Instances as BSON documents and back, through the real encoder and decoder of bson."""

from __future__ import annotations

import copy
import ipaddress
import pathlib
import re
import subprocess
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Optional, TypedDict
from uuid import UUID

import bson
import pytest
from bson import SON, Binary, Code, DBRef, Decimal128, Int64, MaxKey, ObjectId, Regex, Timestamp
from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from adapters.mongo.document_errors import InvalidDocument, InvalidId, InvalidRequest, UnreadableDocument
from adapters.mongo.documents import Documents, document_of, plain
from router.errors import BadRequest, ConfigurationError

OID = ObjectId("507f1f77bcf86cd799439011")
HEX = str(OID)
AT = datetime(2025, 1, 31, 12, 30, 15, 123000, UTC)


class Decimals(TypeDecoder):
    bson_type = Decimal128

    def transform_bson(self, value: Any) -> Decimal:
        return value.to_decimal()


OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, uuid_representation=bson.binary.UuidRepresentation.STANDARD, type_registry=TypeRegistry([Decimals()])
)


def through_bson(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the client reads after it wrote a document."""
    return bson.decode(bson.encode(document, codec_options=OPTIONS), OPTIONS)


def again(instance: Any, ids: str = "objectid") -> Any:
    documents = Documents(type(instance), ids)
    return documents.read(through_bson(documents.write(instance)))


class Status(StrEnum):
    OPEN = "open"
    PAID = "paid"


class Level(IntEnum):
    LOW = 1
    HIGH = 10**12


class Price(Enum):
    SMALL = Decimal("0.10")
    RANGE = (1, Decimal("2.5"))


class Point(NamedTuple):
    x: int
    at: date


class Extra(TypedDict):
    day: date


@dataclass
class Line:
    sku: str
    price: Decimal
    marks: set[str] = field(default_factory=set)


@dataclass
class Refund:
    reason: str
    at: datetime


@dataclass
class Everything:
    text: str
    raw: bytes
    flag: bool
    count: int
    large: int
    amount: Decimal
    ratio: float
    at: datetime
    day: date
    clock: time
    took: timedelta
    key: UUID
    status: Status
    level: Level
    price: Price
    span: Price
    maybe: datetime | None
    old_style: Optional[UUID]  # noqa: UP045 (as older code writes it)
    line: Line
    lines: list[Line]
    by_day: dict[date, Decimal]
    by_key: dict[UUID, Status]
    keys: set[UUID]
    statuses: frozenset[Status]
    pair: tuple[int, date]
    row: tuple[UUID, ...]
    point: Point
    extra: Extra
    either: datetime | str
    day_or_moment: date | datetime
    number: float | int
    model: Line | Refund
    choice: Literal["a", Status.OPEN]
    address: ipaddress.IPv4Address
    path: pathlib.PurePosixPath
    anything: Any
    reference: ObjectId
    buffer: bytearray
    nothing: set[str]
    id: ObjectId | None = None


EVERYTHING = Everything(
    text="é\0",
    raw=b"\0\xff",
    flag=True,
    count=5,
    large=2**63 - 1,
    amount=Decimal("1.50"),
    ratio=0.1,
    at=AT,
    day=date(2025, 1, 31),
    clock=time(12, 30, 15, 5),
    took=timedelta(days=2, microseconds=3),
    key=UUID(int=7),
    status=Status.OPEN,
    level=Level.HIGH,
    price=Price.SMALL,
    span=Price.RANGE,
    maybe=None,
    old_style=UUID(int=1),
    line=Line("s", Decimal("0.1")),
    lines=[Line("t", Decimal(2), {"m"})],
    by_day={date(2025, 1, 1): Decimal("1.1")},
    by_key={UUID(int=2): Status.PAID},
    keys={UUID(int=1), UUID(int=2)},
    statuses=frozenset(Status),
    pair=(1, date(2025, 1, 2)),
    row=(UUID(int=3),),
    point=Point(1, date(2025, 1, 3)),
    extra={"day": date(2025, 1, 4)},
    either="2025-01-01T00:00:00",
    day_or_moment=datetime(2025, 1, 1, tzinfo=UTC),
    number=3,
    model=Refund("late", AT),
    choice=Status.OPEN,
    address=ipaddress.IPv4Address("10.0.0.1"),
    path=pathlib.PurePosixPath("a/b"),
    anything={"n": [1, Decimal("1.5"), None]},
    reference=OID,
    buffer=bytearray(b"ab"),
    nothing=set(),
    id=OID,
)


class Model(BaseModel):
    model_config = ConfigDict(strict=True)

    id: str
    at: datetime
    day: date
    key: UUID
    status: Status
    ratio: float
    amount: Decimal
    tags: set[str]
    line: Line
    took: timedelta = timedelta(0)
    count: int = Field(default=0, ge=0)
    note: str | None


class Open(BaseModel):
    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)

    id: ObjectId | None = None
    site: HttpUrl = HttpUrl("https://example.com")


@dataclass
class Order:
    id: str | None = None
    total: Decimal = Decimal(0)
    tags: list[str] = field(default_factory=list)
    note: str | None = None


class TestRoundTrip:
    def test_of_a_dataclass_keeps_values_and_types(self) -> None:
        before = copy.deepcopy(EVERYTHING)
        read = again(EVERYTHING)
        assert read == EVERYTHING == before
        assert {name: type(held) for name, held in vars(read).items()} == {
            name: type(held) for name, held in vars(EVERYTHING).items()
        }

    def test_of_a_pydantic_model_works_in_strict_mode_too(self) -> None:
        model = Model(
            id=HEX, at=AT, day=AT.date(), key=UUID(int=1), status=Status.OPEN, ratio=1.0, amount=Decimal("1.10"),
            tags={"a"}, line=Line("s", Decimal(1)), took=timedelta(seconds=1.5), note=None,
        )  # fmt: skip
        assert again(model) == model

    def test_of_a_model_that_takes_further_fields(self) -> None:
        model = Open.model_validate({"id": OID, "more": {"a": [1]}})
        assert again(model) == model
        assert "_id" not in Documents(Open).write(Open.model_validate({"_id": "x"}))

    def test_keeps_milliseconds_in_utc(self) -> None:
        at = datetime(2025, 1, 31, 13, 30, 15, 123999, timezone(timedelta(hours=1)))
        read = again(Refund("late", at)).at
        assert read == AT
        assert read.tzinfo is not None
        assert read.utcoffset() == timedelta(0)

    def test_is_foretold_without_a_server(self) -> None:
        documents = Documents(dict)
        given = {"at": AT.replace(microsecond=123999), "lines": [{"price": Decimal("1.50")}]}
        written = documents.write(given)
        assert (
            documents.read_back(written) == through_bson(written) == {"at": AT, "lines": [{"price": Decimal("1.50")}]}
        )

    def test_of_a_generic_mapping_as_the_model(self) -> None:
        assert Documents(dict[str, Any]).read({"_id": OID}) == {"_id": OID}
        assert Documents(Extra).names is None


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.uuids()
    | st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**30), max_value=10**30)
    | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001
        lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
    ),
    lambda held: (
        st.lists(held, max_size=4) | st.dictionaries(st.text().filter(lambda key: "\0" not in key), held, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_any_value_of_bson_s_types_is_read_as_it_was_written(value: Any) -> None:
    written = Documents(dict).write({"value": value})
    assert through_bson(written)["value"] == value
    assert Documents(dict).read_back(written)["value"] == value


@given(
    st.builds(
        Everything,
        **{name: st.just(held) for name, held in vars(EVERYTHING).items()}
        | {
            "text": st.text(),
            "count": st.integers(-(2**63), 2**63 - 1),
            "ratio": st.floats(allow_nan=False),
            "day": st.dates(),
            "clock": st.times(),
            "took": st.timedeltas(timedelta(days=-1000), timedelta(days=1000)),
            "keys": st.sets(st.uuids()),
            "by_day": st.dictionaries(st.dates(), st.decimals(allow_nan=False, allow_infinity=False, places=3)),
            "either": st.text() | st.just(AT),
            "number": st.integers(-(2**31), 2**31) | st.floats(allow_nan=False),
            "model": st.just(Line("a", Decimal(1))) | st.just(Refund("b", AT)),
        },
    )
)
def test_any_instance_is_read_as_it_was_written(instance: Everything) -> None:
    try:
        read = again(instance)
    except InvalidDocument as error:
        assert "34 digits" in str(error)  # noqa: PT017
    else:
        assert read == instance
        assert type(read.number) is type(instance.number)


class TestPlain:
    @pytest.mark.parametrize(
        ("value", "held"),
        [
            (None, None),
            (2**63 - 1, 2**63 - 1),
            (-(2**63), -(2**63)),
            (Status.OPEN, "open"),
            (Level.LOW, 1),
            (Decimal("1.10"), Decimal128("1.10")),
            (Decimal("-Infinity"), Decimal128("-Infinity")),
            (Price.SMALL, Decimal128("0.10")),
            (date(2025, 1, 2), "2025-01-02"),
            (time(12, 30), "12:30:00"),
            (timedelta(minutes=1, milliseconds=500), 60.5),
            ({3, 1, 2}, [1, 2, 3]),
            (frozenset(Status), ["open", "paid"]),
            ((1, {2}), [1, [2]]),
            (bytearray(b"a"), b"a"),
            (memoryview(b"a"), b"a"),
            (ipaddress.IPv6Address("::1"), "::1"),
            (pathlib.PurePosixPath("a/b"), "a/b"),
            (HttpUrl("https://example.com"), "https://example.com/"),
            (Line("s", Decimal(1), {"b", "a"}), {"sku": "s", "price": Decimal128("1"), "marks": ["a", "b"]}),
            (Open(id=OID), {"id": OID, "site": "https://example.com/"}),
            (OrderedDict(a={1}), {"a": [1]}),
            (MappingProxyType({"a": {1}}), {"a": [1]}),
            (defaultdict(list, a=[(1,)]), {"a": [[1]]}),
            (SON([("a", {1})]), {"a": [1]}),
            (Point(1, date(2025, 1, 2)), [1, "2025-01-02"]),
            ({Status.OPEN: 1, UUID(int=0): 2, date(2025, 1, 2): 3}, {"open": 1, str(UUID(int=0)): 2, "2025-01-02": 3}),
            ({"$in": {"a"}}, {"$in": ["a"]}),
        ],
    )
    def test_gives_what_bson_can_hold(self, value: Any, held: Any) -> None:
        assert plain(value) == held
        assert type(plain(value)) is type(held)
        bson.encode({"value": plain(value)}, codec_options=OPTIONS)

    @pytest.mark.parametrize(
        "value",
        [
            AT,
            UUID(int=1),
            b"\0",
            1.5,
            OID,
            Int64(5),
            Binary(b"a", 128),
            Code("f()"),
            DBRef("a", OID),
            Decimal128("1.5"),
            MaxKey(),
            Regex("a"),
            re.compile("a"),
            Timestamp(1, 2),
            RawBSONDocument(bson.encode({"a": 1})),
        ],
    )
    def test_leaves_what_bson_holds_by_itself(self, value: Any) -> None:
        assert plain(value) is value
        bson.encode({"value": value}, codec_options=OPTIONS)

    def test_leaves_subclasses_of_bson_s_types(self) -> None:
        class OwnId(ObjectId):
            pass

        own = OwnId()
        assert plain(own) is own
        assert Documents(dict).id_of(own) is own

    def test_keeps_all_members_of_a_set_without_an_order(self) -> None:
        assert sorted(plain({"a", 1, None}), key=str) == [1, None, "a"]

    @pytest.mark.parametrize(
        ("value", "told"),
        [
            (2**63, "integer of more than 64 bits"),
            (AT.replace(tzinfo=None), "datetime without a time zone"),
            (datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), "datetime that has no form in UTC"),
            (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "datetime that has no form in UTC"),
            ({"$ref": "SECRET", "$id": 1}, "keys .ref and .id, which MongoDB keeps for references"),
            (Decimal("1." + "1" * 34), "keeps 34 digits"),
            (Decimal("1E+6145"), "exponents from -6176 to 6144"),
            (Decimal("NaN12"), "would be rounded"),
            (timedelta.max, "a duration of more digits"),
            (timedelta(days=10**8, microseconds=1), "a duration of more digits"),
            ("half\ud800", "surrogate"),
            (SecretStr("SECRET"), "is a SecretStr"),
            (object(), "is a object"),
            (deque([1]), "is a deque"),
            (1j, "is a complex"),
            (Line, "is a type"),
            ({1: "SECRET"}, "has a key of type int; the keys of a document are text"),
            ({AT: 1}, "has a key of type datetime"),
            ({"SECRET\0": 1}, "a key with a NUL"),
            ({"SECRET\ud800": 1}, "surrogate"),
            ({date(2025, 1, 1): 1, "2025-01-01": 2}, "two keys that are the same as text"),
        ],
    )
    def test_refuses_what_bson_cannot_hold_naming_the_place(self, value: Any, told: str) -> None:
        with pytest.raises(InvalidDocument, match=rf"^lines\[1\]\.held: .*{told}") as caught:
            plain({"lines": [0, {"held": value}]})
        assert "SECRET" not in str(caught.value)
        with pytest.raises(InvalidDocument, match=rf"^the value .*{told}"):
            plain(value)
        with pytest.raises(InvalidDocument, match=rf"^order\.total: .*{told}"):
            plain(value, "order.total")
        with pytest.raises(InvalidDocument, match=rf"^total\.a\[0\]: .*{told}"):
            plain({"a": (value,)}, "total")

    def test_refuses_what_is_nested_too_deeply(self) -> None:
        def nested(levels: int) -> Any:
            return [] if levels == 1 else [nested(levels - 1)] if levels % 2 else {"a": nested(levels - 1)}

        assert plain(nested(100)) == nested(100)
        for deep in (nested(101), nested(300)):
            with pytest.raises(InvalidDocument, match="nested in more than 100 levels"):
                plain(deep)
        again: dict[str, Any] = {}
        again["again"] = again
        with pytest.raises(InvalidDocument, match="nested"):
            plain(again)

    def test_refuses_what_is_nested_too_deeply_even_if_little_is_left_of_the_stack(self) -> None:
        deep: Any = [[[[[[[[[[[[]]]]]]]]]]]]

        def further_down() -> Any:
            plain(deep)
            return further_down()

        with pytest.raises(InvalidDocument, match="is nested too deeply"):
            further_down()


def test_what_is_given_is_not_changed() -> None:
    given = {"_id": HEX, "tags": {1, 2}, "lines": [(1, 2)], "inner": {"at": date(2025, 1, 1)}}
    before = copy.deepcopy(given)
    written = Documents(dict).write(given)
    written["inner"]["more"] = 1
    written["lines"].append(1)
    assert given == before


class TestDocumentOf:
    def test_takes_mappings_dataclasses_and_models(self) -> None:
        assert document_of(MappingProxyType({"a": {1}})) == {"a": [1]}
        assert document_of(Line("s", Decimal(1))) == {"sku": "s", "price": Decimal128("1"), "marks": []}
        assert document_of(Open(id=OID))["id"] == OID
        assert type(document_of(RawBSONDocument(bson.encode({"a": 1})))) is dict

    @pytest.mark.parametrize("given", [[1], "text", None, 5, Line, Status.OPEN, DBRef("a", OID)])
    def test_refuses_other_things(self, given: Any) -> None:
        with pytest.raises(InvalidDocument, match="a document is a mapping, a dataclass or a pydantic model"):
            document_of(given)

    def test_names_the_field_of_a_model(self) -> None:
        with pytest.raises(InvalidDocument, match=r"^Line\.price: is a complex"):
            Documents(Line).write(Line("SECRET", 1j))  # type: ignore[arg-type]


class TestIds:
    def test_of_a_model_are_its_field_id(self) -> None:
        documents = Documents(Order)
        assert documents.id_field == "id"
        written = documents.write(Order(HEX, Decimal("1.5")))
        assert written == {"_id": OID, "total": Decimal128("1.5"), "tags": [], "note": None}
        assert next(iter(written)) == "_id"
        assert documents.read(through_bson(written)) == Order(HEX, Decimal("1.5"))

    def test_that_are_none_are_left_to_who_inserts(self) -> None:
        assert "_id" not in Documents(Order).write(Order())
        assert "_id" not in Documents(dict).write({"_id": None, "a": 1})

    def test_may_be_a_field_with_an_alias(self) -> None:
        class Plain(BaseModel):
            key: str = Field(alias="_id")
            id: int = 0

        class Chosen(BaseModel):
            key: str = Field(validation_alias=AliasChoices("_id", "key"), serialization_alias="k")

        class Written(BaseModel):
            model_config = ConfigDict(populate_by_name=True)

            key: str = Field(alias="_id")

        for kind in (Plain, Chosen, Written):
            instance = kind.model_validate({"_id": HEX})
            documents = Documents(kind)
            assert documents.id_field == "key"
            assert documents.write(instance)["_id"] == OID
            assert again(instance) == instance
        assert Documents(Plain).write(Plain(_id=HEX, id=5)) == {"_id": OID, "id": 5}

    def test_may_be_a_field_called_so(self) -> None:
        @dataclass
        class Raw:
            _id: ObjectId
            id: int

        assert Documents(Raw).write(Raw(OID, 5)) == {"_id": OID, "id": 5}
        assert again(Raw(OID, 5)) == Raw(OID, 5)

    def test_need_no_field(self) -> None:
        documents = Documents(Line)
        assert documents.id_field is None
        assert documents.read({"_id": OID, "sku": "s", "price": Decimal(1)}) == Line("s", Decimal(1))
        assert "_id" not in documents.write(Line("s", Decimal(1)))

    @pytest.mark.parametrize(
        ("hint", "ids", "held", "read"),
        [
            (ObjectId, "objectid", OID, OID),
            (Any, "objectid", OID, OID),
            (str, "objectid", OID, HEX),
            (str | None, "objectid", OID, HEX),
            (ObjectId | str, "objectid", OID, OID),
            (str | int, "objectid", OID, HEX),
            (str, "str", "o-1", "o-1"),
            (UUID, "str", str(UUID(int=1)), UUID(int=1)),
        ],
    )
    def test_are_read_as_the_field_says(self, hint: Any, ids: str, held: Any, read: Any) -> None:
        made: Any = dataclass(type("Made", (), {"__annotations__": {"id": hint}}))
        documents = Documents(made, ids)
        assert documents.read({"_id": held}).id == read
        assert documents.write(made(read)) == {"_id": held}

    @pytest.mark.parametrize("given", [OID, HEX, HEX.upper()])
    def test_given_for_a_query_are_converted(self, given: Any) -> None:
        assert Documents(dict).id_of(given) == OID
        assert Documents(dict).write({"_id": given, "a": 1}) == {"_id": OID, "a": 1}

    @pytest.mark.parametrize(
        "given",
        [
            "",
            "SECRET",
            HEX[:-1],
            HEX[:-1] + " ",
            HEX[:-2] + "_1",
            "\u0660" * 24,
            b"123456789012",
            5,
            None,
            {"$ne": None},
            [HEX],
        ],
    )
    def test_that_are_no_object_id_are_a_400_without_the_value(self, given: Any) -> None:
        with pytest.raises(InvalidId, match="an id of 24 hexadecimal digits is expected") as caught:
            Documents(dict).id_of(given)
        assert isinstance(caught.value, BadRequest)
        assert caught.value.status == 400
        assert "SECRET" not in str(caught.value)
        if given is not None:
            with pytest.raises(InvalidId):
                Documents(Order).write(Order(given))

    def test_that_are_text_are_taken_as_they_are(self) -> None:
        ids = Documents(dict, "str")
        assert ids.id_of("o-1") == "o-1"
        assert type(ids.id_of(Status.OPEN)) is str
        assert ids.id_of(UUID(int=1)) == str(UUID(int=1))

    @pytest.mark.parametrize("given", ["", 5, None, b"a", OID, {"$ne": None}, ["a"], "half\ud800"])
    def test_that_are_no_text_are_a_400(self, given: Any) -> None:
        with pytest.raises(InvalidId, match="an id that"):
            Documents(dict, "str").id_of(given)

    def test_that_are_new_are_never_the_same(self) -> None:
        for ids, kind in (("objectid", ObjectId), ("str", str)):
            documents = Documents(dict, ids)
            first, second = documents.new_id(), documents.new_id()
            assert type(first) is kind
            assert first != second
            assert documents.id_of(first) == first

    def test_are_of_two_kinds(self) -> None:
        with pytest.raises(ConfigurationError, match="ids='int': the ids of documents are 'objectid' or 'str'"):
            Documents(dict, "int")


class TestReading:
    def test_leaves_out_what_the_class_does_not_have(self) -> None:
        assert Documents(Order).read({"_id": OID, "total": Decimal(1), "gone": 1}) == Order(HEX, Decimal(1))

    def test_gives_defaults_where_fields_are_missing(self) -> None:
        assert Documents(Order).read({"_id": OID}) == Order(HEX)

    def test_names_the_class_and_the_field_that_is_missing(self) -> None:
        with pytest.raises(UnreadableDocument, match=r"^Line\.price: is missing$"):
            Documents(Line).read({"sku": "s"})
        with pytest.raises(UnreadableDocument, match=r"^Model\.id: is missing$"):
            Documents(Model).read({"at": AT})

    def test_gives_none_for_a_missing_field_that_may_be_none(self) -> None:
        @dataclass
        class Noted:
            note: str | None

        assert Documents(Noted).read({}) == Noted(None)

    @pytest.mark.parametrize(
        ("document", "told"),
        [
            ({"day": "SECRET"}, r"day: does not fit \(ValueError\)"),
            ({"day": AT}, "day: the text of a date is expected, not datetime"),
            ({"took": "SECRET"}, "took: a number of seconds is expected, not str"),
            ({"line": {"sku": "SECRET"}}, r"line: Line\.price: is missing"),
            ({"status": "SECRET"}, "status: does not fit"),
            ({"lines": "SECRET"}, "lines: a list or set is expected, not str"),
            ({"model": "SECRET"}, "model: one of Line, Refund is expected, not str"),
        ],
    )
    def test_tells_what_does_not_fit_without_the_value(self, document: dict[str, Any], told: str) -> None:
        documents = Documents(Everything)
        with pytest.raises(UnreadableDocument, match=rf"^Everything\.{told}") as caught:
            documents.read({**through_bson(documents.write(EVERYTHING)), **document})
        assert "SECRET" not in str(caught.value)

    def test_tells_what_a_model_refuses_without_the_value(self) -> None:
        with pytest.raises(UnreadableDocument, match=r"^Open: site: .*URL") as caught:
            Documents(Open).read({"_id": OID, "site": "SECRET"})
        assert "SECRET" not in str(caught.value)

    def test_does_not_change_the_document(self) -> None:
        document = {"_id": OID, "total": Decimal(1), "id": "another"}
        assert Documents(Order).read(document).id == HEX
        assert document == {"_id": OID, "total": Decimal(1), "id": "another"}

    @pytest.mark.parametrize(
        ("field_name", "held", "read"),
        [
            ("count", 5.0, 5),
            ("count", 5.5, 5.5),
            ("count", Int64(5), 5),
            ("ratio", 1, 1.0),
            ("ratio", Decimal("0.5"), 0.5),
            ("amount", 1, Decimal(1)),
            ("amount", 0.1, Decimal("0.1")),
            ("amount", Decimal128("1.50"), Decimal("1.50")),
            ("day", datetime(2025, 1, 2, tzinfo=UTC), date(2025, 1, 2)),
            ("key", str(UUID(int=1)), UUID(int=1)),
            ("key", "no UUID", "no UUID"),
            ("text", OID, HEX),
            ("text", 5, 5),
            ("flag", 1, 1),
            ("took", 60, timedelta(minutes=1)),
            ("keys", [str(UUID(int=1))], {UUID(int=1)}),
        ],
    )
    def test_takes_what_other_programs_store(self, field_name: str, held: Any, read: Any) -> None:
        documents = Documents(Everything)
        found = documents.read({**through_bson(documents.write(EVERYTHING)), field_name: held})
        assert getattr(found, field_name) == read
        assert type(getattr(found, field_name)) is type(read)

    def test_of_some_fields_gives_their_types(self) -> None:
        documents = Documents(Everything)
        document = {"_id": OID, "day": "2025-01-02", "line": {"sku": "s"}, "gone": 1}
        assert documents.read_some(document, frozenset({"id", "day"})) == {
            "id": OID,
            "day": date(2025, 1, 2),
            "line": {"sku": "s"},
        }
        assert Documents(dict).read_some({"_id": OID}, frozenset()) == {"_id": OID}


class TestUpdates:
    def test_know_the_fields(self) -> None:
        assert Documents(Order).names == ("id", "total", "tags", "note")
        assert Documents(dict).names is None

    def test_check_values_where_pydantic_knows(self) -> None:
        documents = Documents(Model)
        assert documents.checked("count", 3) == 3
        with pytest.raises(InvalidRequest, match=r"^Model\.count: Input should be greater than or equal to 0"):
            documents.checked("count", -1)
        assert documents.checked("line.sku", 5) == 5
        assert Documents(Order).checked("total", "any") == "any"
        assert Documents(dict).checked("total", "any") == "any"

    def test_name_the_class_and_the_field_of_a_value_that_cannot_be_stored(self) -> None:
        with pytest.raises(InvalidDocument, match=r"^Order\.total: is an integer"):
            Documents(Order).plain(2**63, "total")
        with pytest.raises(InvalidDocument, match=r"^lines\.0\.price\.a: is an integer"):
            Documents(dict).plain({"a": 2**63}, "lines.0.price")
        assert Documents(Order).plain({1}, "tags") == [1]


class TestClasses:
    @pytest.mark.parametrize("kind", [Decimal, "Order", None])
    def test_that_are_neither_dict_nor_dataclass_nor_model_are_refused(self, kind: Any) -> None:
        with pytest.raises(ConfigurationError, match="must be a dataclass or a pydantic model"):
            Documents(kind)

    def test_have_instances_of_their_own(self) -> None:
        with pytest.raises(InvalidDocument, match=r"^Order: an instance is expected, not dict$"):
            Documents(Order).write({"total": 1})


def test_bson_is_imported_for_decimals_and_object_ids_alone() -> None:
    code = (
        "import sys; from adapters.mongo.documents import Documents, plain; from datetime import date;"
        "Documents(dict, 'str').write({'_id': 'a', 'day': date(2025, 1, 1), 'n': [1, 2.5]});"
        "print('bson' in sys.modules, 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
