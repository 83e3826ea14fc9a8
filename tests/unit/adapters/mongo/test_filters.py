"""Filters: whatever comes from outside is a value to compare with, and never an operator."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from adapters.mongo import (
    InvalidFilter,
    InvalidId,
    InvalidRequest,
    Mongo,
    Repository,
    begins_with,
    between,
    either,
    exists,
    gt,
    gte,
    lt,
    lte,
    ne,
    none_of,
    one_of,
    raw,
)
from router import BadRequest


@dataclass
class Order:
    id: str | None = None
    status: str = ""
    total: int = 0


MONGO = Mongo("mongodb://localhost")
DICTS = Repository(MONGO, "orders", database="shop")
TEXT_IDS = Repository(MONGO, "orders", database="shop", ids="str")
ORDERS = Repository(MONGO, "orders", Order, database="shop")
KEPT = Repository(MONGO, "orders", database="shop", soft_delete=True)
ID = "0123456789abcdef01234567"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.from_regex(r"\$[a-z]{2,6}", fullmatch=True), inner),
    max_leaves=12,
)


def made(where: Any, orders: Repository[Any] = DICTS, **options: Any) -> dict[str, Any]:
    """The filter that goes to the server."""
    return orders.find(where, **options)._parameters.where


def operators(value: Any, *, literal: bool = False) -> set[str]:
    """The keys with $ that MongoDB would act on; what is in $eq and $in is compared as it is."""
    if isinstance(value, dict):
        found = set() if literal else {key for key in value if key.startswith("$")}
        for key, held in value.items():
            found |= operators(held, literal=literal or key in ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in"))
        return found
    if isinstance(value, list):
        return set().union(*(operators(held, literal=literal) for held in value)) if value else set()
    return set()


# ---- injection -----------------------------------------------------------------------------------------------------

INJECTIONS = [
    {"$ne": None},
    {"$gt": ""},
    {"$in": ["open", "paid"]},
    {"$regex": ".*"},
    {"$where": "sleep(1000)"},
    {"$exists": True},
    {"$not": {"$eq": "x"}},
    {"$elemMatch": {"$ne": 1}},
    {"$eq": "open"},
    {"$expr": {"$eq": [1, 1]}},
    {"a": {"$ne": None}},
    {"a": [{"b": {"$gt": ""}}]},
    [{"$ne": None}],
    [[{"$ne": None}]],
    [1, {"$regex": "^a"}],
    {"$": 1},
]


@pytest.mark.parametrize("value", INJECTIONS, ids=str)
def test_a_json_value_with_an_operator_is_refused(value: Any) -> None:
    with pytest.raises(InvalidFilter) as caught:
        made({"status": value})
    assert isinstance(caught.value, BadRequest)
    assert "sleep" not in str(caught.value)
    compares: list[Callable[[Any], Any]] = [gt, gte, lt, lte, ne]
    compares += [lambda held: between(held, 1), lambda held: one_of([held]), lambda held: none_of([held])]
    for compare in compares:
        with pytest.raises(InvalidFilter):
            made({"status": compare(value)})


@pytest.mark.parametrize(
    "where",
    [
        {"$where": "1"},
        {"$or": [{}]},
        {"$expr": True},
        {"$comment": "x"},
        {"a.$where": 1},
        {"$": 1},
        {"a.$": 1},
        {"": 1},
        {"a..b": 1},
        {".a": 1},
        {"a\0": 1},
        {"\ud800": 1},
        {5: 1},
        {None: 1},
        {("a",): 1},
    ],
    ids=repr,
)
def test_a_field_that_is_an_operator_or_none_is_refused(where: Any) -> None:
    for orders in (DICTS, ORDERS, KEPT):
        with pytest.raises(InvalidFilter):
            made(where, orders)
        with pytest.raises(InvalidFilter):
            made(either({"status": "open"}, where), orders)
        for name in where:
            with pytest.raises(InvalidFilter):
                orders.find(sort=[name])
            with pytest.raises(InvalidFilter):
                orders.find(only=[name])


@pytest.mark.parametrize("sort", [5, True, {"total": -1}, [("total", -1)], "total asc.", "-", ["a", "-a"], [["a"]]])
def test_an_order_is_fields_by_their_names(sort: Any) -> None:
    with pytest.raises(InvalidFilter):
        DICTS.find(sort=sort)


@pytest.mark.parametrize("only", ["total", [], (), {"total": 0}, {"total": {"$slice": 1}}, 5])
def test_a_selection_of_fields_is_a_list_that_names_some(only: Any) -> None:
    """MongoDB would take an empty one for all fields, and a mapping for what to leave out."""
    with pytest.raises(InvalidRequest, match="takes a list"):
        DICTS.find(only=only)


@pytest.mark.parametrize("where", ["status", b"x", 5, [], [("status", 1)], {"a"}, True])
def test_what_is_no_mapping_is_no_filter(where: Any) -> None:
    with pytest.raises(InvalidFilter):
        made(where)
    with pytest.raises(InvalidFilter):
        made(raw(where))


def test_a_condition_without_its_field_is_no_filter() -> None:
    with pytest.raises(InvalidFilter, match="names the field"):
        made(gt(5))


@given(JSON)
def test_no_json_value_ever_brings_an_operator(value: Any) -> None:
    for orders in (DICTS, KEPT):
        try:
            where = made({"status": value, "lines.article": value}, orders)
        except InvalidFilter:
            continue
        assert operators(where) <= {"$eq"}
    for compare, allowed in ((gt, "$gt"), (lte, "$lte"), (ne, "$ne"), (lambda held: one_of([held]), "$in")):
        try:
            where = made({"status": compare(value)})
        except InvalidFilter:
            continue
        assert operators(where) == {allowed}


@given(st.dictionaries(st.text(max_size=5) | st.sampled_from(["$or", "_id", "a.b", "$where"]), JSON, max_size=4))
def test_no_json_object_ever_brings_an_operator(where: dict[str, Any]) -> None:
    for orders in (DICTS, TEXT_IDS, ORDERS, KEPT):
        try:
            found = made(where, orders)
        except (InvalidFilter, InvalidId):
            continue
        assert operators(found) <= {"$eq"}


@pytest.mark.parametrize("id", [{"$ne": None}, {"$gt": ""}, {"a": 1}, 5, "", "x", f"{ID}\n", None, b"x", ["x"]])
def test_an_id_from_outside_is_an_id_or_refused(id: Any) -> None:
    if id is not None:
        with pytest.raises((InvalidId, InvalidFilter)) as caught:
            made({"_id": id})
        assert caught.value.status == 400
    for verb in (DICTS.get, DICTS.delete, lambda id: DICTS.update(id, set={"a": 1})):
        with pytest.raises(InvalidId):
            verb(id)


def test_a_deeply_nested_value_is_refused_and_not_followed() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InvalidFilter, match="too deeply"):
        made({"status": value})
    while isinstance(value, list):
        value = value.pop()  # as deep a list could not be collected at once


# ---- what is meant -------------------------------------------------------------------------------------------------


def test_a_filter_compares_fields_with_values() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert made(None) == made({}) == {}
    assert made({"status": "open", "customer.city": None, "placed": moment}) == {
        "status": "open",
        "customer.city": None,
        "placed": moment,
    }


def test_a_mapping_and_a_list_are_compared_as_a_whole() -> None:
    assert made({"address": {"city": "Bonn"}, "tags": ["a", 1]}) == {
        "address": {"$eq": {"city": "Bonn"}},
        "tags": ["a", 1],
    }


def test_operators_without_raw() -> None:
    where = {
        "a": gt(1),
        "b": gte(1),
        "c": lt(1),
        "d": lte(1),
        "e": between(1, 2),
        "f": ne(1),
        "g": one_of((1, 2)),
        "h": none_of([1]),
        "i": exists(),
        "j": exists(False),
        "k": begins_with("a.b*"),
    }
    assert made(where) == {
        "a": {"$gt": 1},
        "b": {"$gte": 1},
        "c": {"$lt": 1},
        "d": {"$lte": 1},
        "e": {"$gte": 1, "$lte": 2},
        "f": {"$ne": 1},
        "g": {"$in": [1, 2]},
        "h": {"$nin": [1]},
        "i": {"$exists": True},
        "j": {"$exists": False},
        "k": {"$regex": r"^a\.b\*"},
    }


@pytest.mark.parametrize("text", ["a.*", "(", "^$", "[a-z]+", "a|b", "\\", "ä\n"])
def test_what_text_begins_with_is_no_pattern(text: str) -> None:
    pattern = made({"name": begins_with(text)})["name"]["$regex"]
    assert re.match(pattern, f"{text}!")
    assert not re.match(pattern, f"x{text}")
    with pytest.raises(InvalidFilter):
        begins_with(re.compile(text[:0]))  # type: ignore[arg-type]


def test_a_nul_is_looked_for_as_well_though_no_expression_may_hold_one() -> None:
    pattern = made({"name": begins_with("a\0b")})["name"]["$regex"]
    assert "\0" not in pattern
    assert re.match(pattern, "a\0b!")


@pytest.mark.parametrize("values", ["open", b"open", {"a": 1}])
def test_one_of_wants_a_list(values: Any) -> None:
    with pytest.raises(InvalidFilter, match="give a list"):
        one_of(values)


def test_one_of_a_set_is_the_same_filter_in_every_process() -> None:
    """Page tokens are about the filter, and sets of text have another order in each process."""
    names = {f"name-{number}" for number in range(50)}
    assert made({"name": one_of(names)})["name"]["$in"] == sorted(names)


def test_raw_is_taken_as_it_is() -> None:
    where = {"$or": [{"a": {"$gt": 1}}, {"b": {"$exists": False}}]}
    assert made(raw(where)) == where
    assert made({"a": raw({"$type": "string"}), "_id": raw({"$type": "objectId"})}) == {
        "a": {"$type": "string"},
        "_id": {"$type": "objectId"},
    }


@pytest.mark.parametrize("value", [[raw(1)], {"b": raw({"$ne": 1})}, [[{"b": gt(1)}]]])
def test_raw_within_a_value_is_refused(value: Any) -> None:
    for where in (lambda: {"a": value}, lambda: {"a": gt(value)}, lambda: {"a": one_of([value])}):
        with pytest.raises(InvalidFilter, match="whole value"):
            made(where())


def test_either_is_one_of_several_filters() -> None:
    where = either({"status": "open"}, {"total": gt(100)}, either({"a": 1}, raw({"b": {"$gt": 1}})))
    assert made(where) == {"$or": [{"status": "open"}, {"total": {"$gt": 100}}, {"$or": [{"a": 1}, {"b": {"$gt": 1}}]}]}
    with pytest.raises(InvalidFilter):
        either()


def test_the_id_has_the_model_s_name_and_the_database_s_type() -> None:
    assert made({"id": ID}, ORDERS) == {"_id": ObjectId(ID)}
    assert made({"_id": one_of([ID, ObjectId(ID)])}) == {"_id": {"$in": [ObjectId(ID), ObjectId(ID)]}}
    assert made({"_id": gt(ID)}, ORDERS) == {"_id": {"$gt": ObjectId(ID)}}
    assert made({"_id": exists()}) == {"_id": {"$exists": True}}
    assert made({"_id": "a"}, TEXT_IDS) == {"_id": "a"}


def test_a_field_that_the_model_does_not_have_is_refused() -> None:
    for where in ({"stauts": "open"}, {"stauts.inner": 1}):
        with pytest.raises(InvalidFilter, match="Order has no field 'stauts'"):
            made(where, ORDERS)
    assert made({"status.inner": 1}, ORDERS) == {"status.inner": 1}


def test_what_cannot_be_stored_cannot_be_looked_for() -> None:
    for value in (2**63, "\ud800", datetime(2026, 1, 1), object()):  # noqa: DTZ001 - it has no zone on purpose
        with pytest.raises(InvalidFilter, match="total"):
            made({"total": value})


@pytest.mark.parametrize(
    "where",
    [
        {"deleted_at": ne(None)},
        {"deleted_at": None},
        {"deleted_at": raw({"$exists": True})},
        either({"deleted_at": ne(None)}, {"a": 1}),
        raw({"deleted_at": {"$ne": None}}),
        raw({"$or": [{"deleted_at": {"$ne": None}}]}),
        {"a": 1},
        None,
    ],
)
def test_no_filter_brings_back_what_was_deleted_softly(where: Any) -> None:
    found = made(where, KEPT)
    assert found.get("deleted_at", 0) is None or {"deleted_at": None} in found["$and"]


def test_what_was_deleted_softly_is_found_on_request() -> None:
    assert made({"a": 1}, KEPT, deleted=True) == {"a": 1}


@pytest.mark.parametrize("where", [None, {}, either({}), either({"a": 1}, {}), either({"a": 1}, either({}))])
def test_a_filter_that_leaves_nothing_out_changes_nothing_by_accident(where: Any) -> None:
    for verb in (DICTS.delete_many, lambda where: DICTS.update_many(where, set={"a": 1})):
        with pytest.raises(InvalidRequest, match="every document"):
            verb(where)


def test_what_was_given_stays_as_it_was() -> None:
    where = {"a": {"b": [1, {"c": 2}]}, "_id": [ID]}
    made(where, KEPT)["a"]["$eq"]["b"].append(3)
    assert where == {"a": {"b": [1, {"c": 2}]}, "_id": [ID]}
