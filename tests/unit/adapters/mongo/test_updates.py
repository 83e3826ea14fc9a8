"""Updates: what each keyword argument does, and that no value and no name from outside does more than that."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from adapters.mongo import InvalidFilter, InvalidRequest, Mongo, Repository, Stamps
from router import Session, reset_session, set_session

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ID = "0123456789abcdef01234567"
MONGO = Mongo("mongodb://localhost")
PLAIN = Repository(MONGO, "orders", database="shop")
MARKED = Repository(MONGO, "orders", database="shop", stamps=True, soft_delete=True, version=True, clock=lambda: NOW)

VERBS = ("set", "inc", "mul", "min", "max", "push", "pull", "add_to_set")


@dataclass
class Order:
    id: str | None = None
    status: str = ""
    lines: list[Any] = field(default_factory=list)


class Invoice(BaseModel):
    id: str | None = None
    total: int = 0
    customer: dict[str, str] = {}


ORDERS = Repository(MONGO, "orders", Order, database="shop")
INVOICES = Repository(MONGO, "invoices", Invoice, database="shop")


def made(orders: Any = PLAIN, **changes: Any) -> dict[str, Any]:
    """The update that goes to the server."""
    return orders._operations.update_document_of(changes)


def test_each_change_is_an_operator() -> None:
    update = made(
        set={"a": 1, "b.c": None},
        unset=["d", "e.f"],
        inc={"g": 1},
        mul={"h": 2},
        min={"i": 3},
        max={"j": 4},
        push={"k": 5, "l": [6]},
        pull={"m": 7, "n": [8]},
        add_to_set={"o": 9},
    )
    assert update == {
        "$set": {"a": 1, "b.c": None},
        "$unset": {"d": "", "e.f": ""},
        "$inc": {"g": 1},
        "$mul": {"h": 2},
        "$min": {"i": 3},
        "$max": {"j": 4},
        "$push": {"k": 5, "l": [6]},
        "$pull": {"m": 7, "n": [8]},
        "$addToSet": {"o": 9},
    }


def test_several_are_appended() -> None:
    assert made(extend={"a": (1, 2), "b": []}) == {"$push": {"a": {"$each": [1, 2]}, "b": {"$each": []}}}
    for value in ("text", b"text", {"a": 1}, 5, None):
        with pytest.raises(InvalidRequest, match="extend: a: give a list"):
            made(extend={"a": value})


def test_what_push_and_extend_do_to_one_list_is_not_lost() -> None:
    """Both are $push: the second would silently take the place of the first."""
    for changes in ({"push": {"a": 1}, "extend": {"a": [2]}}, {"extend": {"a": [2]}, "push": {"a": 1}}):
        with pytest.raises(InvalidRequest, match="a is changed twice"):
            made(**changes)
    assert made(push={"a": 1}, extend={"b": [2]}) == {"$push": {"a": 1, "b": {"$each": [2]}}}


# ---- values from outside -------------------------------------------------------------------------------------------

INJECTIONS = [
    {"$each": [1, 2], "$position": 0},
    {"$slice": 0, "$each": []},
    {"$gt": ""},
    {"$in": [1]},
    {"$exists": True},
    {"$elemMatch": {"a": 1}},
    {"a": {"$ne": None}},
    {"a": 1},
    {},
]


@pytest.mark.parametrize("value", INJECTIONS, ids=str)
def test_a_value_is_appended_as_it_is(value: dict[str, Any]) -> None:
    for verb, operator in (("push", "$push"), ("add_to_set", "$addToSet")):
        sent = made(**{verb: {"a": value}})[operator]["a"]
        assert sent == ({"$each": [value]} if any(key.startswith("$") for key in value) else value)
    assert made(extend={"a": [value]}) == {"$push": {"a": {"$each": [value]}}}


@pytest.mark.parametrize("value", INJECTIONS, ids=str)
def test_a_value_that_is_taken_out_is_no_condition(value: dict[str, Any]) -> None:
    assert made(pull={"a": value}) == {"$pull": {"a": {"$in": [value]}}}
    assert made(pull={"a": [value]}) == {"$pull": {"a": [value]}}


@pytest.mark.parametrize("value", INJECTIONS, ids=str)
def test_a_new_value_is_a_value(value: dict[str, Any]) -> None:
    assert made(set={"a": value}) == {"$set": {"a": value}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a", "$each", "$in", "$gt"]), inner),
    max_leaves=8,
)


@given(st.sampled_from(VERBS), JSON)
def test_no_json_value_becomes_an_operator_of_the_update(verb: str, value: Any) -> None:
    before = deepcopy(value)
    (fields,) = made(**{verb: {"field": value}}).values()
    sent = fields["field"]
    assert list(fields) == ["field"]
    if isinstance(value, dict) and verb in ("push", "pull", "add_to_set"):
        wrapped = {"$in": [value]} if verb == "pull" else {"$each": [value]}
        assert sent == wrapped or (verb != "pull" and sent == value and not any(k.startswith("$") for k in value))
    else:
        assert sent == value
    assert value == before


# ---- names from outside --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["$set", "$where", "a.$where", "a.$", "a.$[x]", "$", "", ".", "a.", ".a", "a..b", "a\0", "\ud800", 5, None, ("a",)],
    ids=repr,
)
@pytest.mark.parametrize("verb", [*VERBS, "extend", "unset"])
def test_a_name_that_is_an_operator_or_none_is_refused(verb: str, name: Any) -> None:
    with pytest.raises(InvalidRequest):
        made(**{verb: [name] if verb == "unset" else {name: [1]}})


@pytest.mark.parametrize("name", ["_id", "_id.x", "created_at", "created_by", "updated_at", "updated_by.x", "version"])
@pytest.mark.parametrize("verb", [*VERBS, "extend", "unset"])
def test_what_a_repository_writes_itself_is_not_changed(verb: str, name: str) -> None:
    with pytest.raises(InvalidRequest, match="is not changed by an update"):
        made(MARKED, **{verb: [name] if verb == "unset" else {name: [1]}})


@pytest.mark.parametrize("name", ["deleted_at", "deleted_by"])
def test_nor_is_a_deletion_made_or_taken_back_by_an_update(name: str) -> None:
    for changes in ({"set": {name: None}}, {"unset": [name]}, {"set": {name: NOW}}):
        with pytest.raises(InvalidRequest, match="is not changed by an update"):
            made(MARKED, **changes)


def test_names_of_the_repository_s_own_stamps_are_reserved_too() -> None:
    stamps = Stamps(created_at="made", created_by="maker", updated_at="changed", updated_by="changer")
    orders = Repository(MONGO, "orders", database="shop", stamps=stamps, version="revision")
    for name in (*stamps.fields, "revision"):
        with pytest.raises(InvalidRequest):
            made(orders, set={name: 1})
    assert set(made(orders, set={"created_at": 1})["$set"]) == {"created_at", "changed", "changer"}


def test_a_model_has_the_last_word_on_names() -> None:
    for name in ("id", "_id", "stauts", "total.x"):
        with pytest.raises(InvalidRequest):
            made(ORDERS, set={name: "x"})
    assert made(ORDERS, set={"status": "paid", "lines.0.count": 2, "lines.$[].done": True}) == {
        "$set": {"status": "paid", "lines.0.count": 2, "lines.$[].done": True}
    }


def test_a_pydantic_model_has_the_last_word_on_values() -> None:
    assert made(INVOICES, set={"total": "5", "customer.city": "Bonn"}) == {
        "$set": {"total": 5, "customer.city": "Bonn"}
    }
    with pytest.raises(InvalidRequest, match="total"):
        made(INVOICES, set={"total": "hunter2"})


# ---- requests that make no sense -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"set": {}},
        {"unset": []},
        {"set": {}, "inc": {}},
        {"set": None},
        {"set": ["a"]},
        {"set": "a"},
        {"unset": "a"},
        {"unset": None},
        {"unset": 5},
        {"rename": {"a": "b"}},
        {"$set": {"a": 1}},
        # Named by hand: an address in memory is no name, and each worker of a run has to find the same names.
        pytest.param({"set": {"a": object()}}, id="an object that is no value"),
        {"set": {"a": 2**63}},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        made(**changes)
    assert type(caught.value).__module__ == "adapters.mongo.document_errors"


@pytest.mark.parametrize("version", [{"$gte": 0}, {"$ne": None}, "1", 1.0, True, [1], 2**63 - 1, -(2**63)])
def test_a_version_from_outside_is_a_number_or_refused(version: Any) -> None:
    """As an operator it would fit any version, and what somebody else changed would be lost."""
    for verb in (lambda: MARKED.update(ID, version=version, set={"a": 1}), lambda: MARKED.delete(ID, version=version)):
        with pytest.raises(InvalidFilter, match="a version is a whole number"):
            verb()


def test_a_version_needs_a_repository_that_counts() -> None:
    with pytest.raises(InvalidRequest, match="version=True"):
        PLAIN.update(ID, version=1, set={"a": 1})


# ---- marks of a change ---------------------------------------------------------------------------------------------


def test_a_change_is_stamped_and_counted() -> None:
    token = set_session(Session("acme", "ann"))
    try:
        update = made(MARKED, inc={"total": 1})
    finally:
        reset_session(token)
    assert update == {
        "$set": {"updated_at": NOW, "updated_by": "ann"},
        "$inc": {"total": 1, "version": 1},
    }


def test_what_was_given_stays_as_it_was() -> None:
    changes = {"set": {"a": {"b": [1]}}, "inc": {"n": 1}, "push": {"c": {"$each": [1]}}, "unset": ["x"]}
    before = deepcopy(changes)
    update = made(MARKED, **changes)
    update["$set"]["a"]["b"].append(2)
    assert changes == before
