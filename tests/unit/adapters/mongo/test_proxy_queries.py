"""What the query proxy makes of requests that are allowed: the filter, the order, the pipeline for the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from bson import Decimal128, Int64, ObjectId
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mongo import Exposed, Mongo, QueryProxy, QueryRefused, Repository
from adapters.mongo.proxy import Limits
from adapters.mongo.proxy.queries import ExposedCollection, joined
from adapters.mongo.proxy.request_limits import measure
from adapters.mongo.proxy.stages import STAGES
from adapters.mongo.proxy.visible_fields import VisibleFields

MONGO = Mongo("mongodb://127.0.0.1:1/")
ORDERS = Exposed(
    Repository(MONGO, "orders", soft_delete=True),
    ("sku", "status", "total", "placed", "customer.city", "lines.sku", "tags"),
    lookups=("customers",),
    stages=STAGES - {"$lookup"},
    most=200,
    max_time=2.5,
)
CUSTOMERS = Exposed(Repository(MONGO, "stored_customers", soft_delete=True), ("_id", "name"), most=20)
SOURCE = ExposedCollection(ORDERS, {"customers": joined(CUSTOMERS)}, Limits())
PEOPLE = ExposedCollection(CUSTOMERS, {}, Limits())

ALIVE = {"$match": {"deleted_at": None}}
OPEN = {
    "$project": {
        "_id": 0,
        "sku": 1,
        "status": 1,
        "total": 1,
        "placed": 1,
        "customer.city": 1,
        "lines.sku": 1,
        "tags": 1,
    }
}


def where(filter_):
    return SOURCE.find({"collection": "orders", "filter": filter_}).parameters.where


def pipeline(*stages, **parts):
    return SOURCE.pipeline({"collection": "orders", "pipeline": list(stages), **parts})


def inner(*stages):
    """What is between the stages of the proxy's own."""
    made = pipeline(*stages)
    assert made[:2] == [ALIVE, OPEN]
    assert made[-1] == {"$limit": 100}
    return made[2:-1]


# ---- lists -----------------------------------------------------------------------------------------------------------


def test_a_list_without_wishes_shows_open_fields_of_what_is_not_deleted():
    query = SOURCE.find({"collection": "orders"})
    assert query.parameters.where == {"deleted_at": None}
    assert query.parameters.only == ORDERS.fields
    assert (query.parameters.limit, query.parameters.milliseconds) == (100, 2500)
    assert not query.paged


def test_the_filter_cannot_take_the_place_of_ours():
    exposed = Exposed(Repository(MONGO, "orders", soft_delete=True), ("deleted_at", "sku"))
    made = ExposedCollection(exposed, {}, Limits()).find({"filter": {"deleted_at": {"$ne": None}}}).parameters.where
    assert made == {"$and": [{"deleted_at": {"$ne": None}}], "deleted_at": None}


NOON = datetime(2025, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_", "made"),
    [
        ({"status": "open"}, {"status": {"$eq": "open"}}),
        ({"status": None}, {"status": {"$eq": None}}),
        ({"tags": ["a", "b"]}, {"tags": {"$eq": ["a", "b"]}}),
        ({"tags": {"a": {"b": 1}}}, {"tags": {"$eq": {"a": {"b": 1}}}}),
        ({"tags.0": "a"}, {"tags.0": {"$eq": "a"}}),
        ({"tags.deep.er": 1}, {"tags.deep.er": {"$eq": 1}}),
        ({"customer.city": {"$ne": "Bern"}}, {"customer.city": {"$ne": "Bern"}}),
        ({"total": {"$gte": 1, "$lt": 5.5}}, {"total": {"$gte": 1, "$lt": 5.5}}),
        ({"sku": {"$in": ["a", None]}}, {"sku": {"$in": ["a", None]}}),
        ({"sku": {"$not": {"$in": ["a"]}}}, {"sku": {"$not": {"$in": ["a"]}}}),
        ({"sku": {"$exists": False}}, {"sku": {"$exists": False}}),
        ({"tags": {"$all": ["a"], "$size": 2}}, {"tags": {"$all": ["a"], "$size": 2}}),
        ({"tags": {"$elemMatch": {"$gt": "a", "$lt": "c"}}}, {"tags": {"$elemMatch": {"$gt": "a", "$lt": "c"}}}),
        ({"tags": {"$elemMatch": {"x": 1}}}, {"tags": {"$elemMatch": {"x": {"$eq": 1}}}}),
        ({"lines": {"$elemMatch": {"sku": "a"}}}, {"lines": {"$elemMatch": {"sku": {"$eq": "a"}}}}),
        (
            {"lines": {"$not": {"$elemMatch": {"$or": [{"sku": "a"}, {"sku": "b"}]}}}},
            {"lines": {"$not": {"$elemMatch": {"$or": [{"sku": {"$eq": "a"}}, {"sku": {"$eq": "b"}}]}}}},
        ),
        (
            {"$or": [{"sku": "a"}, {"$nor": [{"total": 1}]}]},
            {"$or": [{"sku": {"$eq": "a"}}, {"$nor": [{"total": {"$eq": 1}}]}]},
        ),
        ({"sku": {"$regex": "^A-[0-9]+$"}}, {"sku": {"$regex": "^A-[0-9]+$"}}),
        ({"sku": {"$regex": "ab", "$options": "i"}}, {"sku": {"$regex": "ab", "$options": "i"}}),
        ({"sku": "$total"}, {"sku": {"$eq": "$total"}}),
        ({"placed": {"$gt": {"$date": "2025-01-31T12:00:00Z"}}}, {"placed": {"$gt": NOON}}),
        ({"placed": {"$date": "2025-01-31T13:00+01:00"}}, {"placed": {"$eq": NOON}}),
        ({"placed": {"$date": 1738324800000}}, {"placed": {"$eq": NOON}}),
        ({"placed": {"$date": {"$numberLong": "1738324800000"}}}, {"placed": {"$eq": NOON}}),
        ({"sku": {"$oid": "0123456789abcdef01234567"}}, {"sku": {"$eq": ObjectId("0123456789abcdef01234567")}}),
        ({"total": {"$lt": {"$numberDecimal": "1.50"}}}, {"total": {"$lt": Decimal128("1.50")}}),
        ({"total": {"$numberLong": "5"}}, {"total": {"$eq": Int64(5)}}),
        (
            {"sku": {"$in": [{"$uuid": "01234567-89ab-cdef-0123-456789abcdef"}]}},
            {"sku": {"$in": [UUID("01234567-89ab-cdef-0123-456789abcdef")]}},
        ),
    ],
)
def test_filters(given_, made):
    assert where(given_) == {"$and": [made], "deleted_at": None}
    assert inner({"$match": given_}) == [{"$match": made}]


@pytest.mark.parametrize(
    "pattern",
    [
        "abc",
        "^abc",
        "abc$",
        "^$",
        "a.c",
        "^a.*c",
        r"^\d+$",
        r"a\.b\*",
        "[^a-z_]",
        r"[\]\\-]",
        "colou?r",
        "^x{2,3}",
        "ß é",
    ],
)
def test_patterns_that_take_no_time(pattern):
    assert where({"sku": {"$regex": pattern}})["$and"] == [{"sku": {"$regex": pattern}}]


def test_projections():
    def only(projection):
        return SOURCE.find({"projection": projection}).parameters.only

    assert only(["sku", "total"]) == ("sku", "total")
    assert only({"sku": 1, "customer.city": True}) == ("sku", "customer.city")
    assert only(["tags.a", "tags", "sku", "sku"]) == ("tags", "sku")  # MongoDB refuses a field with a part of it


def test_orders():
    def order(sort):
        return SOURCE.find({"sort": sort}).parameters.order

    assert order(["-placed", "sku"]) == [("placed", -1), ("sku", 1)]
    assert order("-placed") == [("placed", -1)]
    assert order({"placed": -1, "customer.city": 1}) == [("placed", -1), ("customer.city", 1)]
    assert order(None) == []


def test_lists_with_ids_have_pages():
    query = PEOPLE.find({"limit": 5, "token": "abc"})
    assert (query.paged, query.token, query.limit) == (True, "abc", 5)
    assert PEOPLE.find({}).limit == 20


def test_an_answer_holds_nothing_but_open_fields():
    fields = VisibleFields(("sku", "customer.city", "lines.sku", "lines.deep.a"))
    documents: list[dict[str, Any]] = [
        {"_id": 1, "sku": "a", "cost": 2, "customer": {"city": "Bern", "email": "x"}, "deleted_at": None},
        {"lines": [{"sku": "a", "cost": 1}, {"deep": {"a": 1, "b": 2}}, 5, [{"sku": "b", "cost": 1}], {"cost": 1}]},
        {"customer": "Bern", "lines": 5},
    ]
    assert fields.pick(documents) == [
        {"sku": "a", "customer": {"city": "Bern"}},
        {"lines": [{"sku": "a"}, {"deep": {"a": 1}}, [{"sku": "b"}], {}]},
        {},
    ]


# ---- pipelines -------------------------------------------------------------------------------------------------------


def test_a_pipeline_begins_with_ours_and_ends_with_a_limit():
    assert pipeline() == [ALIVE, OPEN, {"$limit": 100}]
    assert pipeline({"$limit": 10**6}, limit=200)[-2:] == [{"$limit": 10**6}, {"$limit": 200}]
    assert PEOPLE.pipeline({"pipeline": []}) == [ALIVE, {"$project": {"_id": 1, "name": 1}}, {"$limit": 20}]
    kept = Exposed(Repository(MONGO, "orders"), ("sku",))
    assert ExposedCollection(kept, {}, Limits()).pipeline({"pipeline": []})[0] == {"$project": {"_id": 0, "sku": 1}}


@pytest.mark.parametrize(
    "stages",
    [
        [{"$match": {}}],
        [{"$project": {"sku": 1, "city": "$customer.city", "_id": 0}}, {"$sort": {"city": -1}}],
        [{"$project": {"customer": 1}}, {"$match": {"customer.city": {"$eq": "Bern"}}}],
        [{"$project": {"mine": "$customer"}}, {"$match": {"mine.city": {"$eq": "Bern"}}}],
        [{"$project": {"n": {"$sum": ["$total", 1]}, "all": ["$sku", "$total"], "fixed": "text"}}],
        [{"$addFields": {"net": {"$multiply": ["$total", 0.81]}, "n": 1, "none": None}}, {"$sort": {"net": 1}}],
        [{"$set": {"month": {"$dateToString": {"date": "$placed", "format": "%Y-%m", "timezone": "Europe/Zurich"}}}}],
        [{"$set": {"kind": {"$cond": [{"$gt": ["$total", 5]}, "large", "small"]}}}],
        [{"$set": {"kind": {"$cond": {"if": "$sku", "then": 1, "else": "$$REMOVE"}}}}],
        [{"$set": {"kind": {"$switch": {"branches": [{"case": True, "then": "$sku"}], "default": "$$NOW"}}}}],
        [{"$set": {"price": {"$literal": "$5"}}}],
        [{"$set": {"city": "$$ROOT.customer.city", "same": "$$CURRENT.sku", "all": "$$ROOT"}}],
        [{"$set": {"n": {"$size": "$lines"}}}],
        [{"$unset": ["sku", "customer.city"]}],
        [{"$unset": ["sku"]}, {"$count": "n"}],
        [{"$group": {"_id": "$status", "n": {"$sum": 1}}}, {"$match": {"n": {"$gt": 1}}}, {"$sort": {"n": -1}}],
        [{"$group": {"_id": {"city": "$customer.city", "y": {"$year": "$placed"}}, "all": {"$push": "$$ROOT"}}}],
        [{"$group": {"_id": None, "n": {"$count": {}}, "one": {"$first": {"sku": "$sku"}}}}],
        [{"$group": {"_id": "$sku"}}, {"$match": {"_id": {"$eq": "a"}}}, {"$project": {"_id": 1}}],
        [{"$skip": 0}, {"$limit": 5}],
        [{"$count": "n"}, {"$project": {"n": 1}}],
        [{"$sortByCount": "$status"}, {"$match": {"count": {"$gt": 1}}}],
        [{"$sortByCount": {"$toLower": "$status"}}],
    ],
)
def test_stages(stages):
    assert inner(*stages) == stages


def test_dates_in_expressions():
    given_ = {"$set": {"late": {"$gt": ["$placed", {"$date": "2025-01-31T12:00:00Z"}]}}}
    assert inner(given_) == [{"$set": {"late": {"$gt": ["$placed", NOON]}}}]


def test_unwind():
    assert inner({"$unwind": "$lines"}) == inner({"$unwind": {"path": "$lines"}}) == [{"$unwind": "$lines"}]
    full = {"path": "$tags", "includeArrayIndex": "place", "preserveNullAndEmptyArrays": True}
    stages = [{"$unwind": full}, {"$sort": {"place": 1}}]
    assert inner(*stages) == stages


def test_bucket():
    bucket = {"groupBy": "$total", "boundaries": [0, 10], "default": "more"}
    made = {"groupBy": "$total", "boundaries": [{"$literal": 0}, {"$literal": 10}], "default": {"$literal": "more"}}
    assert inner({"$bucket": bucket}, {"$sort": {"count": 1}})[0] == {"$bucket": made}
    output = {"skus": {"$addToSet": "$sku"}}
    assert inner({"$bucket": {**bucket, "output": output}}, {"$unwind": "$skus"})[0] == {
        "$bucket": {**made, "output": output}
    }


def test_bounds_are_never_paths():
    made = inner({"$bucket": {"groupBy": "$sku", "boundaries": ["$secret", "$total"]}})
    assert made[0]["$bucket"]["boundaries"] == [{"$literal": "$secret"}, {"$literal": "$total"}]


LOOKUP = {"from": "customers", "localField": "sku", "foreignField": "_id", "as": "found"}


def test_lookup_shows_what_is_open_of_the_other_collection():
    later = [{"$unwind": "$found"}, {"$match": {"found.name": {"$eq": "Ann"}}}, {"$group": {"_id": "$found"}}]
    made = inner({"$lookup": LOOKUP}, *later)
    assert made[0] == {
        "$lookup": {
            "from": "stored_customers",
            "localField": "sku",
            "foreignField": "_id",
            "pipeline": [ALIVE, {"$project": {"_id": 1, "name": 1}}, {"$limit": 20}],
            "as": "found",
        }
    }
    assert made[1:] == later


def test_facets_are_limited_one_by_one():
    made = inner(
        {"$facet": {"by": [{"$sortByCount": "$sku"}], "all": [{"$sort": {"sku": 1}}]}},
        {"$project": {"by": 1, "n": "$all"}},
    )
    assert made[0] == {
        "$facet": {"by": [{"$sortByCount": "$sku"}, {"$limit": 200}], "all": [{"$sort": {"sku": 1}}, {"$limit": 200}]}
    }


@pytest.mark.parametrize(
    "facet",
    [
        {},
        {"a": [{"$facet": {}}]},
        {"a.b": []},
        {"$a": []},
        {"a": {}},
        {"a": [{"$out": "x"}]},
        {"a": [{"$match": {"x": 1}}]},
    ],
)
def test_facets_are_checked_like_pipelines(facet):
    with pytest.raises(QueryRefused):
        pipeline({"$facet": facet})


def test_facets_share_the_limits():
    with pytest.raises(QueryRefused):
        pipeline({"$facet": {str(number): [{"$limit": 1}] * 10 for number in range(3)}})


def test_a_pipeline_may_be_closed_in_part():
    exposed = Exposed(
        Repository(MONGO, "orders"), ("sku",), stages=("$match", "$set"), operators=("$eq",), expressions=("$toLower",)
    )
    source = ExposedCollection(exposed, {}, Limits())
    source.pipeline({"pipeline": [{"$match": {"sku": {"$eq": 1}}}, {"$set": {"a": {"$toLower": "$sku"}}}]})
    for stage in ({"$group": {"_id": 1}}, {"$match": {"sku": {"$ne": 1}}}, {"$set": {"a": {"$add": [1, 1]}}}):
        with pytest.raises(QueryRefused):
            source.pipeline({"pipeline": [stage]})


def test_an_open_name_may_be_asked_for_by_any_client():
    proxy = QueryProxy({"orders": Exposed(Repository(MONGO, "orders"), ("sku", "tags"), most=5)})
    described = proxy.describe()["orders"]
    assert described["fields"] == ["sku", "tags"]
    assert described["most"] == 5
    assert "$match" in described["stages"]
    assert "$lookup" not in described["stages"]
    assert "$where" not in described["operators"]


# ---- anything at all -------------------------------------------------------------------------------------------------

OPEN_PATHS = (
    "sku",
    "status",
    "total",
    "placed",
    "customer",
    "customer.city",
    "lines",
    "lines.sku",
    "tags",
    "tags.0",
    "found",
)
HIDDEN_PATHS = (
    "secret",
    "_id",
    "customer.email",
    "lines.cost",
    "deleted_at",
    "found.email",
    "lines.0.sku",
    "a.$b",
    "",
    "a..b",
)
FORBIDDEN = {
    "$where",
    "$function",
    "$accumulator",
    "$expr",
    "$jsonSchema",
    "$text",
    "$out",
    "$merge",
    "$unionWith",
    "$db",
    "$graphLookup",
    "$currentOp",
    "$collStats",
    "$documents",
    "$replaceRoot",
    "$getField",
    "$setField",
    "$let",
    "$map",
    "$reduce",
    "$range",
    "$meta",
}
KNOWN = frozenset(
    (*ORDERS.operators, *ORDERS.stages, *ORDERS.expressions, "$lookup", "$push", "$oid", "$date", "$options")
)
names = st.one_of(
    st.sampled_from(OPEN_PATHS + HIDDEN_PATHS),
    st.sampled_from(sorted(FORBIDDEN)),
    st.sampled_from(sorted(KNOWN)),
    st.text(),
)
texts = st.one_of(
    names,
    st.sampled_from(OPEN_PATHS + HIDDEN_PATHS).map("${}".format),
    st.sampled_from(
        ("$$ROOT", "$$ROOT.secret", "$$USER_ROLES", "$$NOW", "customers", "orders", "secrets", "^a+", "(a+)+")
    ),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
values = st.recursive(
    scalars, lambda held: st.one_of(st.lists(held, max_size=3), st.dictionaries(names, held, max_size=3)), max_leaves=12
)
stages_ = st.one_of(
    st.dictionaries(st.sampled_from(sorted({*ORDERS.stages, "$lookup", "$out"})), values, min_size=1, max_size=1),
    st.fixed_dictionaries({"$match": st.dictionaries(names, values, max_size=3)}),
    st.fixed_dictionaries(
        {"$group": st.fixed_dictionaries({"_id": values, "n": st.dictionaries(names, values, max_size=1)})}
    ),
    st.fixed_dictionaries({"$set": st.dictionaries(st.sampled_from(("x", "sku", "found")), values, min_size=1)}),
    st.fixed_dictionaries({"$lookup": st.fixed_dictionaries(dict.fromkeys(LOOKUP, texts), optional={"let": values})}),
)


def assert_ours(made):
    """A pipeline that begins and ends with our stages, and holds no forbidden operator and no hidden field."""
    assert made[:2] == [ALIVE, OPEN]
    assert set(made[-1]) == {"$limit"}
    assert made[-1]["$limit"] <= 200
    for stage in made[2:]:
        assert_harmless(stage)


def assert_harmless(part):
    if isinstance(part, list):
        for held in part:
            assert_harmless(held)
    elif isinstance(part, dict):
        for key, held in part.items():
            assert key not in FORBIDDEN
            assert not key.startswith("$") or key in KNOWN
            if key == "$match":
                assert_filter_harmless(held, "")
            elif key == "$lookup":
                assert held["from"] == "stored_customers"
                assert held["pipeline"][:2] == [ALIVE, {"$project": {"_id": 1, "name": 1}}]
                assert set(held) == {*LOOKUP, "pipeline"}
            elif key != "$literal":
                assert_harmless(held)
    elif isinstance(part, str) and part.startswith("$"):
        assert part not in ("$secret", "$customer.email", "$lines.cost", "$deleted_at", "$$ROOT.secret", "$$USER_ROLES")


def assert_filter_harmless(filter_, above):
    for key, held in filter_.items():
        if key in ("$and", "$or", "$nor"):
            for one in held:
                assert_filter_harmless(one, above)
        else:
            assert not key.startswith("$")
            assert above + key not in ("secret", "customer.email", "lines.cost", "deleted_at", "found.email")
            for operator, operand in held.items():
                assert operator in KNOWN
                if operator == "$elemMatch" and not all(name.startswith("$") for name in operand):
                    assert_filter_harmless(operand, f"{above}{key}.")


@settings(max_examples=600, deadline=None)
@given(st.lists(stages_, max_size=3), values)
def test_any_pipeline_is_refused_or_ours(stages, limit):
    request = {"collection": "orders", "pipeline": stages, "limit": limit if isinstance(limit, dict) else None}
    try:
        measure(request, Limits())
        made = SOURCE.pipeline(request)
    except QueryRefused:
        return
    assert_ours(made)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(names, values, max_size=3), values, values)
def test_any_list_is_refused_or_ours(filter_, projection, sort):
    request = {"collection": "orders", "filter": filter_, "projection": projection, "sort": sort}
    try:
        measure(request, Limits())
        wanted = SOURCE.find(request).parameters
    except QueryRefused:
        return
    assert wanted.where["deleted_at"] is None
    for one in wanted.where.get("$and", []):
        assert_filter_harmless(one, "")
    assert all(
        path.split(".")[0] in ("sku", "status", "total", "placed", "customer", "lines", "tags")
        for path in wanted.only or ()
    )


@settings(max_examples=300, deadline=None)
@given(values)
def test_any_request_is_refused_before_a_session_is_asked_for(request):
    proxy = QueryProxy({"orders": ORDERS, "customers": CUSTOMERS})
    for call in (proxy.find, proxy.aggregate):
        with pytest.raises(QueryRefused):
            call(request)
