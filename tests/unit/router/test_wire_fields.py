"""Fields that are called differently in JSON: written, and read by the converters of handlers."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from router.convert.reading import reader
from router.errors import UnprocessableContent
from router.wire_fields import wire, written


@dataclass(frozen=True, kw_only=True, slots=True)
class Hop:
    from_: str = field(metadata=wire("from"))
    fee: Decimal | None = field(default=None, metadata=wire("x-fee", left_out=True))
    note: str | None = None
    next: list[Hop] = field(default_factory=list)


HOPS = Hop(from_="a", next=[Hop(from_="b", fee=Decimal("0.10"), note="n")])
JSON = {"from": "a", "note": None, "next": [{"from": "b", "x-fee": Decimal("0.10"), "note": "n", "next": []}]}


def test_fields_are_written_by_their_names_in_json_and_those_without_a_value_left_out() -> None:
    assert written({"hops": (HOPS,), "n": 1}) == {"hops": [JSON], "n": 1}


def test_fields_are_read_by_their_names_in_json() -> None:
    sent: dict[str, Any] = {"from": "a", "next": [{"from": "b", "x-fee": "0.10", "note": "n"}]}
    assert reader(Hop)(sent) == HOPS
    assert reader(list[Hop] | None)(None) is None


def test_errors_name_the_field_as_json_has_it() -> None:
    with pytest.raises(UnprocessableContent, match=r"answer\[0\]\.from: is missing"):
        reader(list[Hop])([{"from_": "a"}])


def test_a_class_with_other_names_is_told_from_one_without() -> None:
    @dataclass
    class Step:
        from_: str

    assert reader(Hop | Step)({"from_": "a"}) == Step("a")
    assert reader(Hop | Step)({"from": "a"}) == Hop(from_="a")
