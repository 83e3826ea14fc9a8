"""Paging by key: what comes after a document, against a model of how MongoDB sorts and compares; and page tokens."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any
from uuid import UUID

import bson
import pytest
from bson import Decimal128, ObjectId
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from hypothesis import given
from hypothesis import strategies as st

from adapters._core.page_tokens import seal
from adapters.mongo import InvalidPageToken, InvalidRequest
from adapters.mongo.paging import DocumentPages, after, order_of, with_id
from adapters.mongo.selection import _picked, _projection

if TYPE_CHECKING:
    from adapters.mongo.paging import Order

SECRET = b"k" * 32
DAY = datetime(2026, 1, 1, tzinfo=UTC)
STANDARD: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, uuid_representation=UuidRepresentation.STANDARD)


# ---- a model of MongoDB, for fields that hold values of one type, None, or nothing at all --------------------------


def rank(value: Any) -> tuple[Any, ...]:
    """The place of a value in MongoDB's order: None and what is missing first, NaN before all numbers."""
    if value is None:
        return (0,)
    if isinstance(value, float) and math.isnan(value):
        return (1, -math.inf, 0)
    return (1, value, 1)


def compare(one: Mapping[str, Any], other: Mapping[str, Any], order: Order) -> int:
    for field, direction in order:
        mine, theirs = rank(one.get(field)), rank(other.get(field))
        if mine != theirs:
            return direction if mine > theirs else -direction
    return 0


def is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def holds(operator: str, value: Any, wanted: Any) -> bool:
    """One condition: only values of the wanted one's type are compared, and NaN is equal to itself alone."""
    if operator == "$ne":
        return not holds("$eq", value, wanted)
    if operator == "$not":
        return not all(holds(inner, value, other) for inner, other in wanted.items())
    if operator == "$type":
        return wanted == "number" and isinstance(value, int | float)
    if value is None or wanted is None:
        return operator == "$eq" and value is wanted
    if is_nan(value) or is_nan(wanted):
        return operator in ("$eq", "$gte") and is_nan(value) and is_nan(wanted)
    if isinstance(value, int | float) != isinstance(wanted, int | float):
        return False
    tests = {"$eq": value == wanted, "$gt": value > wanted, "$gte": value >= wanted, "$lt": value < wanted}
    return tests[operator]


def matches(document: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    for name, held in where.items():
        if name in ("$or", "$and"):
            found = [matches(document, one) for one in held]
            if not (any(found) if name == "$or" else all(found)):
                return False
        elif not all(holds(operator, document.get(name), wanted) for operator, wanted in held.items()):
            return False
    return True


KINDS = [
    st.integers(-3, 3),
    st.integers(-2, 2) | st.sampled_from([0.5, -0.5, math.nan, math.inf, -math.inf]),
    st.sampled_from(["", "a", "b", "ab", "ä"]),
    st.integers(-3, 3).map(lambda days: DAY + timedelta(days=days)),
]


@st.composite
def collections(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Order]:
    fields = {name: draw(st.sampled_from(KINDS)) for name in ("a", "b", "c")}
    document = st.fixed_dictionaries({}, optional={name: st.none() | kind for name, kind in fields.items()})
    documents = [{**held, "_id": number} for number, held in enumerate(draw(st.lists(document, max_size=12)))]
    names = draw(st.lists(st.sampled_from(["a", "b", "c", "_id"]), unique=True, max_size=4))
    order: Order = [(name, draw(st.sampled_from([1, -1]))) for name in names]
    return documents, with_id(order)


@given(collections())
def test_the_filter_leaves_exactly_what_comes_after(collection: tuple[list[dict[str, Any]], Order]) -> None:
    documents, order = collection
    documents.sort(key=cmp_to_key(lambda one, other: compare(one, other, order)))
    for position, document in enumerate(documents):
        where = after(order, [document.get(field) for field, _ in order])
        assert [one for one in documents if matches(one, where)] == documents[position + 1 :]


@given(collections(), st.integers(1, 5), st.sampled_from([b"", SECRET]))
def test_pages_by_their_tokens_are_the_whole_list(
    collection: tuple[list[dict[str, Any]], Order], size: int, secret: bytes
) -> None:
    documents, order = collection
    documents.sort(key=cmp_to_key(lambda one, other: compare(one, other, order)))
    read: list[dict[str, Any]] = []
    where: dict[str, Any] = {}
    while True:
        found = [one for one in documents if matches(one, where)]
        read += found[:size]
        if len(found) <= size:
            break
        pages = DocumentPages("orders", {"where": {}}, order, secret)
        where = pages.filter(pages.token(found[size - 1]))
    assert read == documents


# ---- the order -----------------------------------------------------------------------------------------------------


def test_an_order_ends_with_the_id() -> None:
    assert with_id(order_of(["-placed", "total"], str)) == [("placed", -1), ("total", 1), ("_id", 1)]
    assert with_id(order_of("-_id", str)) == [("_id", -1)]
    assert with_id(order_of(None, str)) == with_id(order_of([], str)) == [("_id", 1)]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**63),
        2**40,
        0.1,
        math.inf,
        "ä\n\u0000",
        b"\0",
        DAY,
        UUID(int=5),
        ObjectId("5" * 24),
        Decimal128("0.10"),
        {"b": 1, "a": [None, "x"]},
        {"$gt": ""},
    ],
    ids=repr,
)
def test_a_token_keeps_a_value_as_it_is(value: Any) -> None:
    pages = DocumentPages("orders", {}, [("a.b", 1), ("_id", 1)], SECRET)
    where = pages.filter(pages.token({"a": {"b": value}, "_id": "x"}))
    assert where["$or"][-1] == {"$and": [{"a.b": {"$eq": value}}, {"_id": {"$gt": "x"}}]}
    assert bson.decode(bson.encode(where, codec_options=STANDARD), STANDARD) == where


@pytest.mark.parametrize("document", [{"a": [1]}, {"a": {"b": []}}, {"a": [{"b": 1}]}])
def test_an_order_by_a_list_cannot_be_paged(document: dict[str, Any]) -> None:
    pages = DocumentPages("orders", {}, [("a.b" if "b" in str(document) else "a", 1), ("_id", 1)], b"")
    with pytest.raises(InvalidRequest, match="which holds a list"):
        pages.token({**document, "_id": 1})


@pytest.mark.parametrize("document", [{}, {"a": None}, {"a": 5}, {"a": {"c": 1}}])
def test_a_path_to_nowhere_is_none(document: dict[str, Any]) -> None:
    pages = DocumentPages("orders", {}, [("a.b", 1), ("_id", 1)], b"")
    assert pages.filter(pages.token({**document, "_id": 1}))["$or"][0] == {"a.b": {"$ne": None}}


# ---- tokens of others ----------------------------------------------------------------------------------------------

ORDER: Order = [("placed", -1), ("_id", 1)]
SCOPE = {"cluster": "main", "database": "tenant_acme", "where": {"status": "open"}}
LAST = {"placed": DAY, "_id": ObjectId("5" * 24), "secret": "x"}


@pytest.mark.parametrize("secret", [b"", SECRET])
@pytest.mark.parametrize(
    "other",
    [
        {"collection": "invoices"},
        {"scope": {**SCOPE, "cluster": "archive"}},
        {"scope": {**SCOPE, "database": "tenant_other"}},
        {"scope": {**SCOPE, "where": {}}},
        {"scope": {**SCOPE, "where": {"status": {"$ne": "open"}}}},
        {"scope": {**SCOPE, "where": {"status": "open", "deleted_at": None}}},
        {"order": [("placed", 1), ("_id", 1)]},
        {"order": [("total", -1), ("_id", 1)]},
        {"order": [("placed", -1), ("total", 1), ("_id", 1)]},
        {"secret": b"another"},
    ],
)
def test_a_token_of_another_list_is_refused(other: dict[str, Any], secret: bytes) -> None:
    own: dict[str, Any] = {"collection": "orders", "scope": SCOPE, "order": ORDER, "secret": secret}
    token = DocumentPages(**own).token(LAST)
    assert DocumentPages(**own).filter(token)
    with pytest.raises(InvalidPageToken) as caught:
        DocumentPages(**{**own, **other}).filter(token)
    assert (caught.value.status, caught.value.resource) == (400, other.get("collection", "orders"))


@given(st.data())
def test_an_altered_token_is_refused(data: st.DataObject) -> None:
    pages = DocumentPages("orders", SCOPE, ORDER, b"")
    token = pages.token(LAST)
    position = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("AZaz09-_=!é\n").filter(lambda one: one != token[position]))
    with pytest.raises(InvalidPageToken):
        pages.filter(token[:position] + letter + token[position + 1 :])


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(InvalidPageToken):
        DocumentPages("orders", SCOPE, ORDER, b"").filter(token)


@pytest.mark.parametrize("token", [5, None, b"YQ", ["a"], {"$gt": ""}])
def test_what_is_no_text_is_refused(token: Any) -> None:
    with pytest.raises(InvalidPageToken):
        DocumentPages("orders", SCOPE, ORDER, b"").filter(token)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\0",
        b"not bson",
        bson.encode({}),
        bson.encode({"v": None}),
        bson.encode({"v": {"0": 1, "1": 2}}),
        bson.encode({"v": [1]}),
        bson.encode({"v": [1, 2, 3]}),
        bson.encode({"v": [1, 2]})[:-1],
        bson.encode({"v": [1, 2]}) + b"\0",
    ],
    ids=repr,
)
def test_a_forged_token_that_is_no_place_in_the_list_is_refused(payload: bytes) -> None:
    """By somebody who knows how tokens are made, where there is no secret."""
    pages = DocumentPages("orders", SCOPE, ORDER, b"")
    with pytest.raises(InvalidPageToken):
        pages.filter(seal(payload, b"", pages._scope))


def test_a_forged_token_brings_no_operator() -> None:
    pages = DocumentPages("orders", SCOPE, ORDER, b"")
    forged = seal(bson.encode({"v": [{"$ne": None}, {"$gt": ""}]}), b"", pages._scope)
    assert pages.filter(forged) == {
        "$or": [
            {"placed": {"$lt": {"$ne": None}}},
            {"placed": {"$eq": None}},
            {"$and": [{"placed": {"$eq": {"$ne": None}}}, {"_id": {"$gt": {"$gt": ""}}}]},
        ]
    }


def test_a_token_shows_nothing_of_the_document_but_its_place() -> None:
    token = DocumentPages("orders", SCOPE, ORDER, SECRET).token(LAST)
    payload = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert b"secret" not in payload
    assert b"tenant_acme" not in payload


# ---- some fields of the documents ----------------------------------------------------------------------------------


def test_a_path_and_what_holds_it_are_never_projected_together() -> None:
    assert _projection(("customer.city", "customer", "total", "customer.name")) == {
        "customer": True,
        "total": True,
        "_id": False,
    }
    assert _projection(("_id", "a.b", "ab")) == {"_id": True, "a.b": True, "ab": True}
    assert _projection(None) is None


NESTED = st.recursive(
    st.integers(0, 3) | st.none(),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(st.sampled_from("abc"), NESTED),
    st.lists(st.sampled_from(["a", "b", "a.b", "a.c", "b.a", "b.a.c", "c.b"]), min_size=1, unique=True),
)
def test_picking_paths_gives_what_was_asked_for_and_nothing_else(document: dict[str, Any], paths: list[str]) -> None:
    wanted = tuple(path for path in paths if not any(path.startswith(f"{other}.") for other in paths))
    picked = _picked(document, wanted)
    assert picked.keys() <= {path.partition(".")[0] for path in wanted}
    for path in wanted:
        if "." not in path and path in document:
            assert picked[path] == document[path]
    assert _picked(picked, wanted) == picked
