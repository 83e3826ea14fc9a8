"""What the query proxy refuses, each with the reason why somebody would try it. Nothing here reaches a server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, ExecutionTimeout, OperationFailure

from adapters.mongo import ClusterUnavailable, Exposed, Mongo, QueryProxy, QueryRefused, Repository
from adapters.mongo.driver_errors import translate
from adapters.mongo.proxy import Limits
from router import BadRequest, ConfigurationError

MONGO = Mongo("mongodb://127.0.0.1:1/")
ORDERS = Repository(MONGO, "orders", soft_delete=True)
CUSTOMERS = Repository(MONGO, "customers")
SECRETS = Repository(MONGO, "secrets")
FIELDS = ("sku", "status", "total", "placed", "customer.city", "lines.sku", "tags")

PROXY = QueryProxy(
    {
        "orders": Exposed(ORDERS, FIELDS, lookups=("customers",), most=200),
        "customers": Exposed(CUSTOMERS, ("_id", "name")),
        "secrets": Exposed(SECRETS, ("text",)),
    },
    limits=Limits(stages=6, items=50, depth=12, parts=400, text=300),
)


def refused(call, request) -> QueryRefused:
    with pytest.raises(QueryRefused) as caught:
        call(request)
    assert caught.value.status == 400
    return caught.value


def find(**parts):
    return {"collection": "orders", **parts}


def aggregate(*stages, **parts):
    return {"collection": "orders", "pipeline": list(stages), **parts}


REQUESTS = [
    # (the reason to try it, the request, the place that the answer names)
    ("another tenant's database", find(database="tenant_b"), "database"),
    ("another tenant's database", find(db="tenant_b"), "db"),
    ("the wire protocol's word for the database", find(**{"$db": "tenant_b"}), "$db"),
    ("another tenant", find(tenant="b"), "tenant"),
    ("options of the driver", find(options={"allowDiskUse": True}), "options"),
    ("variables", find(let={"x": 1}), "let"),
    ("deleted documents", find(deleted=True), "deleted"),
    ("the server's time", find(max_ms=10**9), "max_ms"),
    ("a slow index", find(hint={"$natural": 1}), "hint"),
    ("other rules of comparison", find(collation={"locale": "en"}), "collation"),
    ("documents of an exclusive range by key", find(min={"secret": 1}), "min"),
    ("a pipeline as a list", find(pipeline=[]), "pipeline"),
    ("a collection that is not open", {"collection": "users"}, "collection"),
    ("a collection of the server", {"collection": "system.users"}, "collection"),
    ("a database in the collection's name", {"collection": "tenant_b.orders"}, "collection"),
    ("no collection", {}, "collection"),
    ("an object for the collection", {"collection": {"$ne": None}}, "collection"),
    ("a list for the collection", {"collection": ["orders"]}, "collection"),
    ("no object", [], "the request"),
    ("no object", None, "the request"),
    ("more than is answered at a time", find(limit=201), "limit"),
    ("all there are, as MongoDB understands 0", find(limit=0), "limit"),
    ("all there are, as MongoDB understands negative limits", find(limit=-500), "limit"),
    ("true is 1 in Python", find(limit=True), "limit"),
    ("half a document", find(limit=1.5), "limit"),
    ("a page of a list whose token would show the hidden _id", find(token="abc"), "token"),
]


@pytest.mark.parametrize(("why", "request_", "at"), REQUESTS)
def test_requests(why, request_, at):
    assert refused(PROXY.find, request_).at == at, why


FILTERS = [
    ("code", {"$where": "sleep(10000)"}, "filter.$where"),
    ("code", {"status": {"$where": "1"}}, "filter.status.$where"),
    ("expressions, which may hold code", {"$expr": {"$function": {}}}, "filter.$expr"),
    ("expressions on hidden fields", {"$expr": {"$eq": ["$secret", "x"]}}, "filter.$expr"),
    ("a schema on hidden fields", {"$jsonSchema": {"required": ["secret"]}}, "filter.$jsonSchema"),
    ("a search in hidden fields", {"$text": {"$search": "x"}}, "filter.$text"),
    ("text in the server's log", {"$comment": "x"}, "filter.$comment"),
    ("an operator that is not known", {"$future": 1}, "filter.$future"),
    ("an operator that is not known", {"status": {"$future": 1}}, "filter.status.$future"),
    ("the type of a field", {"status": {"$type": "string"}}, "filter.status.$type"),
    ("bits", {"total": {"$bitsAllSet": 1}}, "filter.total.$bitsAllSet"),
    ("places", {"sku": {"$near": [0, 0]}}, "filter.sku.$near"),
    ("a test on a hidden field", {"secret": "a"}, "filter.secret"),
    ("a test on a hidden field", {"secret": {"$gt": ""}}, "filter.secret"),
    ("a test on a hidden field", {"secret": {"$exists": True}}, "filter.secret"),
    ("a test on a hidden field", {"secret": {"$regex": "^a"}}, "filter.secret"),
    ("a test on a hidden field, in $or", {"$or": [{"sku": "a"}, {"secret": "a"}]}, "filter.$or[1].secret"),
    ("a test on a hidden field, in $nor", {"$nor": [{"$and": [{"secret": "a"}]}]}, "filter.$nor[0].$and[0].secret"),
    ("a test on a hidden field, in $not", {"secret": {"$not": {"$eq": 1}}}, "filter.secret"),
    ("deleted documents", {"deleted_at": {"$ne": None}}, "filter.deleted_at"),
    ("the _id where it is not open", {"_id": {"$gt": ""}}, "filter._id"),
    ("a neighbour of an open field", {"customer.email": "a"}, 'filter["customer.email"]'),
    ("what is above an open field, with its neighbours", {"customer": {"city": "a", "email": "b"}}, "filter.customer"),
    ("what is above an open field", {"customer": {"$gt": {"city": "a"}}}, "filter.customer"),
    ("what is above an open field", {"customer": {"$exists": True}}, "filter.customer"),
    ("a name that begins like an open field", {"customer.city_hidden": 1}, 'filter["customer.city_hidden"]'),
    ("a name that begins like an open field", {"skus": 1}, "filter.skus"),
    ("a field that is called 0 in place of an index", {"lines.0.sku": 1}, 'filter["lines.0.sku"]'),
    (
        "a neighbour, by $elemMatch",
        {"lines": {"$elemMatch": {"cost": 1}}},
        "filter.lines.$elemMatch.cost",
    ),
    (
        "a neighbour, by $elemMatch and $or",
        {"lines": {"$elemMatch": {"$or": [{"sku": 1}, {"cost": 1}]}}},
        "filter.lines.$elemMatch.$or[1].cost",
    ),
    (
        "whole elements, by $elemMatch",
        {"lines": {"$elemMatch": {"$gt": {"sku": ""}}}},
        "filter.lines.$elemMatch",
    ),
    (
        "whether there is an element at all",
        {"secrets": {"$elemMatch": {"$and": [{}]}}},
        "filter.secrets",
    ),
    (
        "whether there is an element at all",
        {"lines": {"$elemMatch": {"$or": [{}]}}},
        "filter.lines.$elemMatch.$or[0]",
    ),
    ("the length of a hidden list", {"lines": {"$size": 2}}, "filter.lines"),
    ("the length of a hidden list", {"lines": {"$elemMatch": {"sku": 1}, "$size": 2}}, "filter.lines"),
    ("the length of a hidden list, in $not", {"lines": {"$not": {"$size": 1}}}, "filter.lines.$not"),
    ("a part of the path with $", {"customer.$city": 1}, 'filter["customer.$city"]'),
    ("the positional operator", {"lines.$": 1}, 'filter["lines.$"]'),
    ("an empty part", {"customer..city": 1}, 'filter["customer..city"]'),
    ("an empty path", {"": 1}, 'filter[""]'),
    ("a dot at the end", {"sku.": 1}, 'filter["sku."]'),
    ("an operator among values", {"status": {"$in": [{"$where": "1"}]}}, "filter.status.$in[0].$where"),
    ("an operator within a value", {"tags": {"a": {"$ne": 1}}}, "filter.tags.a.$ne"),
    ("an operator beside a value", {"status": {"$gt": "", "plain": 1}}, "filter.status.plain"),
    ("an operator beside a value", {"status": {"plain": 1, "$gt": ""}}, "filter.status.plain"),
    ("$elemMatch in $all", {"tags": {"$all": [{"$elemMatch": {"x": 1}}]}}, "filter.tags.$all[0].$elemMatch"),
    ("a pattern in $in", {"sku": {"$in": [{"$regularExpression": {"pattern": "a", "options": ""}}]}}, None),
    ("a pattern as Extended JSON", {"sku": {"$regularExpression": {"pattern": "(a+)+", "options": ""}}}, None),
    ("code as Extended JSON", {"sku": {"$code": "1"}}, "filter.sku.$code"),
    ("a pointer as Extended JSON", {"sku": {"$ref": "users", "$id": 1}}, "filter.sku.$ref"),
    ("more beside Extended JSON", {"sku": {"$oid": "0" * 24, "$ne": 1}}, "filter.sku.$oid"),
    ("no ObjectId", {"sku": {"$oid": "zz"}}, "filter.sku.$oid"),
    ("no ObjectId", {"sku": {"$oid": {"$ne": 1}}}, "filter.sku.$oid"),
    ("no date", {"placed": {"$gt": {"$date": "yesterday"}}}, "filter.placed.$gt.$date"),
    ("a date without its offset", {"placed": {"$date": "2025-01-01T00:00:00"}}, "filter.placed.$date"),
    ("a date out of range", {"placed": {"$date": 10**18}}, "filter.placed.$date"),
    ("a date out of range", {"placed": {"$date": "0001-01-01T00:00:00+14:00"}}, "filter.placed.$date"),
    ("more than 64 bits", {"total": {"$numberLong": "9223372036854775808"}}, "filter.total.$numberLong"),
    ("digits of another script", {"total": {"$numberLong": "\u0663"}}, "filter.total.$numberLong"),
    ("a decimal with too many digits", {"total": {"$numberDecimal": "1." + "1" * 34}}, "filter.total.$numberDecimal"),
    ("a decimal out of range", {"total": {"$numberDecimal": "1e9999"}}, "filter.total.$numberDecimal"),
    ("no decimal", {"total": {"$numberDecimal": "NaN"}}, "filter.total.$numberDecimal"),
    ("no UUID", {"sku": {"$uuid": "urn:uuid:x"}}, "filter.sku.$uuid"),
    ("a logical operator after a field", {"sku": {"$or": [{"$eq": 1}]}}, "filter.sku.$or"),
    ("a logical operator of nothing", {"$or": []}, "filter.$or"),
    ("a logical operator of no list", {"$or": {"sku": 1}}, "filter.$or"),
    ("an empty filter in $nor", {"$nor": [{}]}, "filter.$nor[0]"),
    ("$elemMatch of a text", {"tags": {"$elemMatch": "a"}}, "filter.tags.$elemMatch"),
    ("$elemMatch of nothing", {"tags": {"$elemMatch": {}}}, "filter.tags.$elemMatch"),
    ("$not of a text", {"sku": {"$not": "a"}}, "filter.sku.$not"),
    ("$not of a value", {"sku": {"$not": {"$oid": "0" * 24}}}, "filter.sku.$not.$oid"),
    ("$exists of what is no truth", {"sku": {"$exists": "false"}}, "filter.sku.$exists"),
    ("$in of no list", {"sku": {"$in": {"$ne": 1}}}, "filter.sku.$in"),
    ("$size of no number", {"tags": {"$size": {"$gt": 1}}}, "filter.tags.$size"),
    ("$size of a truth", {"tags": {"$size": True}}, "filter.tags.$size"),
    ("$options alone", {"sku": {"$options": "i"}}, "filter.sku.$options"),
    ("a filter that is none", ["sku"], "filter"),
    ("a filter that is none", "this.secret", "filter"),
    ("a filter that is none", None, "filter"),
]


@pytest.mark.parametrize(("why", "filter_", "at"), FILTERS)
def test_filters(why, filter_, at):
    error = refused(PROXY.find, find(filter=filter_))
    assert at is None or error.at == at, why


@pytest.mark.parametrize(("why", "filter_", "at"), [row for row in FILTERS if row[1] not in (None, {})])
def test_filters_of_pipelines_are_as_strict(why, filter_, at):
    error = refused(PROXY.aggregate, aggregate({"$match": filter_}))
    assert at is None or error.at == at.replace("filter", "pipeline[0].$match", 1), why


PATTERNS = [
    ("repeats of repeats", "^(a+)+$"),
    ("repeats of alternatives", "^(a|a)*$"),
    ("optional ones in a row", "^a?a?a?a?a?aaaaa$"),
    ("repeats in a row", "^.*.*.*=$"),
    ("repeats of the same text", "^[ab]*[bc]*x"),
    ("a repeat that begins everywhere", ".*x"),
    ("a repeat that begins everywhere", "a{1,999}x"),
    ("a repeat that begins everywhere", "[ab]+c"),
    ("groups", "(a)"),
    ("alternatives, each of which may be long", "a|b"),
    ("references", r"^a\1"),
    ("references by name", r"^\k<a>"),
    ("looking ahead", "^(?=.*a)"),
    ("options within", "(?s)a"),
    ("recursion", "(?R)"),
    ("verbs", "(*LIMIT_MATCH=999999999)a"),
    ("any byte, any property", r"\C"),
    ("any byte, any property", r"\p{L}"),
    ("quoting", r"\Qa"),
    ("lazy repeats", "^a*?b"),
    ("possessive repeats", "^a*+b"),
    ("two anchors", "^a^b"),
    ("the end in the middle", "a$b"),
    ("a class that is open", "[a"),
    ("a class that is empty", "[]"),
    ("classes in classes", "[[:alpha:]]"),
    ("half an escape", "a\\"),
    ("NUL", "a\0b"),
    ("nothing", ""),
    ("a long one", "a" * 101),
]


@pytest.mark.parametrize(("why", "pattern"), PATTERNS)
def test_patterns(why, pattern):
    error = refused(PROXY.find, find(filter={"sku": {"$regex": pattern}}))
    assert error.at == "filter.sku.$regex", why


@pytest.mark.parametrize("given", [1, None, ["a"], {"$regex": "a"}])
def test_patterns_are_text(given):
    assert refused(PROXY.find, find(filter={"sku": {"$regex": given}})).at == "filter.sku.$regex"


@pytest.mark.parametrize("options", ["x", "s", "m", "ii", 1, ["i"], None])
def test_options_of_patterns(options):
    refused(PROXY.find, find(filter={"sku": {"$regex": "a", "$options": options}}))


PROJECTIONS = [
    ("an alias of a hidden field", {"sku": "$secret"}, "projection.sku"),
    ("an alias of a hidden field", {"mine": "$secret"}, "projection.mine"),
    ("an expression", {"sku": {"$concat": ["$secret"]}}, "projection.sku"),
    ("a part of a list", {"lines": {"$slice": 1}}, "projection.lines"),
    ("data of a search", {"score": {"$meta": "textScore"}}, "projection.score"),
    ("elements of a list", {"lines": {"$elemMatch": {"cost": 1}}}, "projection.lines"),
    ("all but one", {"sku": 0}, "projection.sku"),
    ("all but one", {"sku": False}, "projection.sku"),
    ("all but the _id", {"_id": 0}, "projection._id"),
    ("a hidden field", ["secret"], "projection[0]"),
    ("a hidden field", {"secret": 1}, "projection.secret"),
    ("what is above an open field", ["customer"], "projection[0]"),
    ("the _id where it is not open", ["sku", "_id"], "projection[1]"),
    ("the positional operator", ["lines.$"], "projection[0]"),
    ("the whole document", ["$$ROOT"], "projection[0]"),
    ("all there is, as MongoDB understands no fields", [], "projection"),
    ("all there is, as MongoDB understands no fields", {}, "projection"),
    ("no text", [1], "projection[0]"),
    ("no list", "sku", "projection"),
]


@pytest.mark.parametrize(("why", "projection", "at"), PROJECTIONS)
def test_projections(why, projection, at):
    assert refused(PROXY.find, find(projection=projection)).at == at, why


SORTS = [
    ("an order by a hidden field tells how its values compare", ["secret"], "sort[0]"),
    ("an order by a hidden field tells how its values compare", "-secret", "sort[0]"),
    ("an order by a hidden field tells how its values compare", {"secret": -1}, "sort.secret"),
    ("data of a search", {"sku": {"$meta": "textScore"}}, "sort.sku"),
    ("what is above an open field", ["customer"], "sort[0]"),
    ("the order on disk", {"$natural": 1}, "sort.$natural"),
    ("a direction that is none", {"sku": 2}, "sort.sku"),
    ("a direction that is none", {"sku": True}, "sort.sku"),
    ("one field twice", ["sku", "-sku"], "sort[1]"),
    ("no list", 1, "sort"),
    ("no texts", [["sku", 1]], "sort"),
]


@pytest.mark.parametrize(("why", "sort", "at"), SORTS)
def test_sorts(why, sort, at):
    assert refused(PROXY.find, find(sort=sort)).at == at, why


STAGES = [
    ("writing", {"$out": "orders"}, "$out"),
    ("writing into another database", {"$out": {"db": "tenant_b", "coll": "orders"}}, "$out"),
    ("writing", {"$merge": {"into": "orders"}}, "$merge"),
    ("another collection", {"$unionWith": "secrets"}, "$unionWith"),
    ("another collection", {"$graphLookup": {"from": "secrets"}}, "$graphLookup"),
    ("several pipelines, where they are not open", {"$facet": {"a": []}}, "$facet"),
    ("what others do", {"$currentOp": {"allUsers": True}}, "$currentOp"),
    ("how large collections are", {"$collStats": {}}, "$collStats"),
    ("indexes", {"$indexStats": {}}, "$indexStats"),
    ("sessions", {"$listSessions": {}}, "$listSessions"),
    ("sessions", {"$listLocalSessions": {"allUsers": True}}, "$listLocalSessions"),
    ("plans of others", {"$planCacheStats": {}}, "$planCacheStats"),
    ("changes of others", {"$changeStream": {}}, "$changeStream"),
    ("a search over hidden fields", {"$search": {}}, "$search"),
    ("a search over hidden fields", {"$vectorSearch": {}}, "$vectorSearch"),
    ("places", {"$geoNear": {}}, "$geoNear"),
    ("documents from nowhere", {"$documents": []}, "$documents"),
    ("another root", {"$replaceRoot": {"newRoot": "$$ROOT"}}, "$replaceRoot"),
    ("another root", {"$replaceWith": "$$ROOT"}, "$replaceWith"),
    ("rules of access", {"$redact": "$$KEEP"}, "$redact"),
    ("documents out of nothing", {"$densify": {}}, "$densify"),
    ("the driver's own stage", {"$_internalInhibitOptimization": {}}, "$_internalInhibitOptimization"),
    ("a name without $", {"match": {}}, "match"),
]


@pytest.mark.parametrize(("why", "stage", "name"), STAGES)
def test_stages(why, stage, name):
    assert refused(PROXY.aggregate, aggregate(stage)).at == f"pipeline[0].{name}", why
    assert refused(PROXY.aggregate, aggregate({"$limit": 1}, stage)).at == f"pipeline[1].{name}", why


LOOKUP = {"from": "customers", "localField": "customer.city", "foreignField": "name", "as": "found"}
LOOKUPS = [
    ("a collection that is not joined here", {**LOOKUP, "from": "secrets"}, ".from"),
    ("a collection that is not open at all", {**LOOKUP, "from": "users"}, ".from"),
    ("another database", {**LOOKUP, "from": {"db": "tenant_b", "coll": "customers"}}, ".from"),
    ("a pipeline of its own", {**LOOKUP, "pipeline": [{"$out": "x"}]}, ".pipeline"),
    ("variables", {**LOOKUP, "let": {"x": "$secret"}}, ".let"),
    ("joining by a hidden field of here", {**LOOKUP, "localField": "secret"}, ".localField"),
    ("joining by a hidden field of there", {**LOOKUP, "foreignField": "email"}, ".foreignField"),
    ("the joined in place of a field", {**LOOKUP, "as": "sku"}, ".as"),
    ("the joined within a field", {**LOOKUP, "as": "customer.city"}, ".as"),
    ("the joined above a field", {**LOOKUP, "as": "customer"}, ".as"),
    ("the joined under an operator", {**LOOKUP, "as": "$found"}, ".as"),
    ("no name", {**LOOKUP, "as": None}, ".as"),
    ("nothing to join by", {"from": "customers", "as": "found"}, ""),
    ("no object", "customers", ""),
]


@pytest.mark.parametrize(("why", "lookup", "at"), LOOKUPS)
def test_lookups(why, lookup, at):
    assert refused(PROXY.aggregate, aggregate({"$lookup": lookup})).at == f"pipeline[0].$lookup{at}", why


def test_hidden_fields_of_joined_documents():
    later = [{"$match": {"found.email": 1}}, {"$sort": {"found.email": 1}}, {"$group": {"_id": "$found.email"}}]
    for stage in later:
        refused(PROXY.aggregate, aggregate({"$lookup": LOOKUP}, stage))
        refused(PROXY.aggregate, aggregate({"$lookup": LOOKUP}, {"$unwind": "$found"}, stage))


def test_lookup_is_closed_where_nothing_may_be_joined():
    lookup = {**LOOKUP, "localField": "name", "foreignField": "_id"}
    request = {"collection": "customers", "pipeline": [{"$lookup": lookup}]}
    assert refused(PROXY.aggregate, request).at == "pipeline[0].$lookup"


def test_a_product_of_many_collections():
    joins = [{"$lookup": {**LOOKUP, "as": f"found{number}"}} for number in range(3)]
    assert refused(PROXY.aggregate, aggregate(*joins)).at == "pipeline[2].$lookup"


EXPRESSIONS = [
    ("code", {"$function": {"body": "f", "args": [], "lang": "js"}}, ".$function"),
    ("code, further in", {"$add": [1, {"$function": {}}]}, ".$add[1].$function"),
    ("code, in an object", {"$mergeObjects": [{"a": {"$function": {}}}]}, ".$mergeObjects[0].a.$function"),
    ("code", {"$accumulator": {}}, ".$accumulator"),
    ("a hidden field by a name that is computed", {"$getField": {"$literal": "secret"}}, ".$getField"),
    ("a hidden field by name", {"$getField": "secret"}, ".$getField"),
    ("fields by names that are computed", {"$setField": {}}, ".$setField"),
    ("fields by names that are computed", {"$arrayToObject": "$tags"}, ".$arrayToObject"),
    ("variables", {"$let": {"vars": {"CURRENT": "$$ROOT"}, "in": "$secret"}}, ".$let"),
    ("loops", {"$map": {"input": "$tags", "in": "$tags"}}, ".$map"),
    ("loops", {"$reduce": {"input": "$tags", "initialValue": [], "in": []}}, ".$reduce"),
    ("a list out of nothing", {"$range": [0, 10**9]}, ".$range"),
    ("a list of twice the length", {"$concatArrays": ["$tags", "$tags"]}, ".$concatArrays"),
    ("slow patterns", {"$regexMatch": {"input": "$sku", "regex": "(a+)+"}}, ".$regexMatch"),
    ("data of a search", {"$meta": "searchScore"}, ".$meta"),
    ("an operator that is not known", {"$future": 1}, ".$future"),
    ("an operator with something beside it", {"$add": [1], "b": 1}, ""),
    ("two operators", {"$add": [1], "$function": {}}, ""),
    ("a hidden field", "$secret", ""),
    ("a hidden field", {"$ifNull": ["$secret", 1]}, ".$ifNull[0]"),
    ("a neighbour of an open field", "$customer.email", ""),
    ("deleted documents' mark", "$deleted_at", ""),
    ("the _id where it is not open", "$_id", ""),
    ("a hidden field of the root", "$$ROOT.secret", ""),
    ("a hidden field of the root", "$$CURRENT.customer.email", ""),
    ("the roles of the database's user", "$$USER_ROLES", ""),
    ("the cluster's time", "$$CLUSTER_TIME", ""),
    ("data of a search", "$$SEARCH_META", ""),
    ("scopes of code", "$$JS_SCOPE", ""),
    ("rules of access", "$$KEEP", ""),
    ("a variable that nobody made", "$$this", ""),
    ("fields of what has none", "$$NOW.x", ""),
    ("no path", "$", ""),
    ("no variable", "$$", ""),
    ("three of them", "$$$ROOT", ""),
    ("an empty part", "$customer..city", ""),
    ("a dot at the end", "$$ROOT.", ""),
    ("NUL", "$sku\0", ""),
    ("a long path", "$tags" + ".a" * 99, ""),
    ("an operator in a path", "$customer.$city", ""),
    ("an operator in a literal", {"$literal": {"$function": {}}}, ".$literal.$function"),
    ("no date", {"$date": "x"}, ".$date"),
]


@pytest.mark.parametrize(("why", "expression", "at"), EXPRESSIONS)
def test_expressions(why, expression, at):
    stages = [
        ({"$project": {"x": expression}}, "$project.x"),
        ({"$addFields": {"x": expression}}, "$addFields.x"),
        ({"$set": {"x": expression}}, "$set.x"),
        ({"$group": {"_id": expression}}, "$group._id"),
        ({"$group": {"_id": {"deep": expression}}}, "$group._id.deep"),
        ({"$group": {"_id": None, "x": {"$push": expression}}}, "$group.x.$push"),
        ({"$sortByCount": expression}, "$sortByCount"),
        ({"$bucket": {"groupBy": expression, "boundaries": [0, 1]}}, "$bucket.groupBy"),
        (
            {"$bucket": {"groupBy": 1, "boundaries": [0, 1], "output": {"x": {"$sum": expression}}}},
            "$bucket.output.x.$sum",
        ),
    ]
    for stage, place in stages:
        error = refused(PROXY.aggregate, aggregate(stage))
        beside = place.split(".")[0] in ("$project", "$addFields", "$set") and at == ""
        assert error.at == f"pipeline[0].{place}{at}" or beside, why


SHAPES = [
    ("no list", {"$match": {}}, "pipeline"),
    ("no object", ["$match"], "pipeline[0]"),
    ("an empty stage", [{}], "pipeline[0]"),
    ("two stages in one", [{"$match": {}, "$out": "x"}], "pipeline[0]"),
    ("nothing kept", [{"$project": {"_id": 0}}], "pipeline[0].$project"),
    ("an empty projection", [{"$project": {}}], "pipeline[0].$project"),
    ("all but one", [{"$project": {"sku": 0}}], "pipeline[0].$project.sku"),
    ("a number for a field", [{"$project": {"sku": 2}}], "pipeline[0].$project.sku"),
    ("a hidden field", [{"$project": {"secret": 1}}], "pipeline[0].$project.secret"),
    ("a hidden field of an object", [{"$project": {"customer": {"email": 1}}}], "pipeline[0].$project.customer"),
    ("a field of each element", [{"$addFields": {"lines.x": "$lines"}}], 'pipeline[0].$addFields["lines.x"]'),
    ("a field of each element", [{"$addFields": {"lines": {"x": "$lines"}}}], "pipeline[0].$addFields.lines"),
    ("an operator for a field", [{"$addFields": {"$x": 1}}], "pipeline[0].$addFields.$x"),
    ("no paths", [{"$unset": [1]}], "pipeline[0].$unset[0]"),
    ("no paths", [{"$unset": {"sku": 1}}], "pipeline[0].$unset"),
    ("a hidden list", [{"$unwind": "$secrets"}], "pipeline[0].$unwind"),
    ("a variable", [{"$unwind": "$$ROOT"}], "pipeline[0].$unwind"),
    ("no path", [{"$unwind": {"path": "tags"}}], "pipeline[0].$unwind"),
    ("an option", [{"$unwind": {"path": "$tags", "x": 1}}], "pipeline[0].$unwind.x"),
    ("no truth", [{"$unwind": {"path": "$tags", "preserveNullAndEmptyArrays": 1}}], "pipeline[0].$unwind"),
    ("a path for the index", [{"$unwind": {"path": "$tags", "includeArrayIndex": "a.b"}}], None),
    ("no key", [{"$group": {"n": {"$sum": 1}}}], "pipeline[0].$group"),
    ("no accumulator", [{"$group": {"_id": 1, "n": "$sku"}}], "pipeline[0].$group.n"),
    ("code", [{"$group": {"_id": 1, "n": {"$accumulator": {}}}}], "pipeline[0].$group.n.$accumulator"),
    ("two accumulators", [{"$group": {"_id": 1, "n": {"$sum": 1, "$accumulator": {}}}}], "pipeline[0].$group.n"),
    ("a path for a result", [{"$group": {"_id": 1, "a.b": {"$sum": 1}}}], None),
    ("an operand of $count", [{"$group": {"_id": 1, "n": {"$count": "$x"}}}], "pipeline[0].$group.n.$count"),
    ("an order by a hidden field", [{"$sort": {"secret": 1}}], "pipeline[0].$sort.secret"),
    ("data of a search", [{"$sort": {"sku": {"$meta": "textScore"}}}], "pipeline[0].$sort.sku"),
    ("no order", [{"$sort": {}}], "pipeline[0].$sort"),
    ("nothing", [{"$limit": 0}], "pipeline[0].$limit"),
    ("a number as text", [{"$limit": "1"}], "pipeline[0].$limit"),
    ("a negative number", [{"$skip": -1}], "pipeline[0].$skip"),
    ("an operator", [{"$count": "$x"}], "pipeline[0].$count"),
    ("a path", [{"$count": "a.b"}], "pipeline[0].$count"),
    ("a value for a field", [{"$sortByCount": 1}], "pipeline[0].$sortByCount"),
    ("too few bounds", [{"$bucket": {"groupBy": "$total", "boundaries": [1]}}], "pipeline[0].$bucket.boundaries"),
    ("no bounds", [{"$bucket": {"groupBy": "$total"}}], "pipeline[0].$bucket"),
    (
        "no output",
        [{"$bucket": {"groupBy": "$total", "boundaries": [1, 2], "output": {}}}],
        "pipeline[0].$bucket.output",
    ),
    ("a field that a group has left behind", [{"$group": {"_id": "$sku"}}, {"$match": {"status": 1}}], None),
    ("a field that a projection has left behind", [{"$project": {"sku": 1}}, {"$sort": {"status": 1}}], None),
    ("a field that counting has left behind", [{"$count": "n"}, {"$match": {"secret": 1}}], None),
    ("more stages than seven", [{"$limit": 1}] * 7, "pipeline[6].$limit"),
]


@pytest.mark.parametrize(("why", "pipeline", "at"), SHAPES)
def test_shapes(why, pipeline, at):
    error = refused(PROXY.aggregate, {"collection": "orders", "pipeline": pipeline})
    assert at is None or error.at == at, why


def test_a_request_without_a_pipeline():
    assert refused(PROXY.aggregate, {"collection": "orders"}).at == "pipeline"
    assert refused(PROXY.aggregate, {"collection": "orders", "filter": {}}).at == "filter"


def test_renaming_opens_nothing():
    for stage in (
        {"$project": {"mine": "$customer"}},
        {"$addFields": {"mine": "$customer"}},
        {"$group": {"_id": 1, "mine": {"$first": "$customer"}}},
    ):
        refused(PROXY.aggregate, aggregate(stage, {"$match": {"mine.email": "x"}}))
    refused(PROXY.aggregate, aggregate({"$project": {"customer": 1}}, {"$match": {"customer.email": "x"}}))
    refused(PROXY.aggregate, aggregate({"$addFields": {"sku": "$customer"}}, {"$match": {"sku.email": "x"}}))


def test_a_billion_laughs():
    doubling = [{"$addFields": {"tags": ["$tags"] * 10}}, {"$addFields": {"tags": ["$tags"] * 11}}]
    assert "more than 100 fields" in str(refused(PROXY.aggregate, aggregate(*doubling)))
    again = [{"$addFields": {f"a{number}": ["$$ROOT"] * 4}} for number in range(5)]
    refused(PROXY.aggregate, aggregate(*again))


# ---- size ------------------------------------------------------------------------------------------------------------


def nested(levels):
    value: dict = {"sku": 1}
    for _ in range(levels):
        value = {"$and": [value]}
    return value


def test_depth():
    refused(PROXY.find, find(filter=nested(100_000)))
    refused(PROXY.aggregate, aggregate({"$match": nested(20)}))


def test_cycles():
    cycle: dict = {}
    cycle["sku"] = cycle
    refused(PROXY.find, find(filter=cycle))


@pytest.mark.parametrize(
    "filter_",
    [
        {"sku": {"$in": ["a"] * 51}},
        {"$or": [{"sku": {"$in": ["a"] * 50}} for _ in range(10)]},
        {f"sku.{number}": 1 for number in range(500)},
        {"sku": "a" * 301},
        {"k" * 201: 1},
        {"sku": 2**63},
        {"sku": float("nan")},
        {"sku": float("inf")},
        {"sku": b"bytes"},
        {"sku": {1, 2}},
        {"sku": (1, 2)},
        {1: 2},
        {"sku": {"tags": "\ud800"}},
        {"sku\0": 1},
        {"tags": {"a\0": 1}},
    ],
)
def test_what_is_too_large_or_no_json(filter_):
    refused(PROXY.find, find(filter=filter_))


def test_all_text_together():
    proxy = QueryProxy({"orders": Exposed(ORDERS, FIELDS)}, limits=Limits(characters=1000))
    refused(proxy.find, find(filter={"sku": {"$in": ["a" * 101] * 10}}))


def test_subclasses_do_not_slip_through():
    class Sly(dict):
        def items(self):
            return [("$where", "1")]

    refused(PROXY.find, Sly(collection="orders"))
    refused(PROXY.find, find(filter=Sly(sku=1)))


# ---- what an answer tells --------------------------------------------------------------------------------------------

SECRET = "s3cr3t-value"


@pytest.mark.parametrize(
    "request_",
    [
        find(filter={"sku": {"$where": SECRET}}),
        find(filter={"secret": SECRET}),
        find(filter={"sku": {"$regex": f"({SECRET})"}}),
        find(filter={"sku": {"$oid": SECRET}}),
        find(projection=[SECRET]),
        find(sort=[SECRET]),
        find(limit=SECRET),
        {"collection": SECRET},
        aggregate({"$lookup": {**LOOKUP, "from": SECRET}}),
        aggregate({"$project": {"x": f"${SECRET}"}}),
    ],
)
def test_errors_do_not_repeat_values(request_):
    error = refused(PROXY.aggregate if "pipeline" in request_ else PROXY.find, request_)
    assert SECRET not in str(error)
    assert SECRET not in json.dumps([error.detail, error.members, error.at])


def test_errors_show_keys_short_and_harmless():
    error = refused(PROXY.find, find(filter={"<script>\r\n" + "x" * 150: 1}))
    assert "<" not in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 200


def test_what_exists_beyond_is_not_told():
    known, unknown = refused(PROXY.find, {"collection": "system.users"}), refused(PROXY.find, {"collection": "nothing"})
    assert str(known) == str(unknown)
    joined = [
        refused(PROXY.aggregate, aggregate({"$lookup": {**LOOKUP, "from": name}})) for name in ("secrets", "none")
    ]
    assert str(joined[0]) == str(joined[1])


def test_the_error_is_a_bad_request_that_names_the_place():
    error = refused(PROXY.find, find(filter={"status": {"$where": "1"}}))
    assert isinstance(error, BadRequest)
    assert error.members == {"at": "filter.status.$where"}
    assert error.detail == "filter.status.$where: is not an operator that is allowed here"


def failing(error):
    """A database that answers every query with an error of the driver."""

    def fail(*_):
        raise translate(error, "find", "main")

    return fail


@pytest.mark.parametrize("method", ["all", "page"])
def test_what_the_server_says_is_not_repeated(monkeypatch, method):
    too_long = ExecutionTimeout(f"over time at {SECRET}", 50, {"codeName": "MaxTimeMSExpired"})
    no_number = OperationFailure(f"cannot add {SECRET}", 14, {"codeName": "TypeMismatch"})
    calls: list[tuple[Any, Any]] = [(PROXY.find, {"collection": "customers" if method == "page" else "orders"})]
    if method == "all":
        calls.append((PROXY.aggregate, aggregate()))
    for call, request in calls:
        for given, told in ((too_long, "takes too long"), (no_number, "refuses it (TypeMismatch)")):
            monkeypatch.setattr(f"adapters.mongo.selection.Selection.{method}", failing(given))
            monkeypatch.setattr("adapters.mongo.selection.Aggregation.all", failing(given))
            error = refused(call, request)
            assert told in str(error)
            assert SECRET not in str(error)


def test_a_cluster_that_is_away_is_not_the_client_s_fault(monkeypatch):
    monkeypatch.setattr("adapters.mongo.selection.Selection.all", failing(AutoReconnect(SECRET)))
    with pytest.raises(ClusterUnavailable) as caught:
        PROXY.find(find())
    assert caught.value.status == 503


# ---- configuration ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: Exposed(Repository(MONGO, "orders", database="shop"), FIELDS),
        lambda: Exposed("orders", FIELDS),  # type: ignore[arg-type]
        lambda: Exposed(ORDERS, ()),
        lambda: Exposed(ORDERS, "sku"),
        lambda: Exposed(ORDERS, ("$sku",)),
        lambda: Exposed(ORDERS, ("a..b",)),
        lambda: Exposed(ORDERS, (1,)),  # type: ignore[arg-type]
        lambda: Exposed(ORDERS, FIELDS, operators=("$where",)),
        lambda: Exposed(ORDERS, FIELDS, stages=("$out",)),
        lambda: Exposed(ORDERS, FIELDS, stages=("$lookup",)),
        lambda: Exposed(ORDERS, FIELDS, expressions=("$function",)),
        lambda: Exposed(ORDERS, FIELDS, lookups="customers"),
        lambda: Exposed(ORDERS, FIELDS, most=0),
        lambda: Exposed(ORDERS, FIELDS, most=True),
        lambda: Exposed(ORDERS, FIELDS, max_time=0),
        lambda: Exposed(ORDERS, FIELDS, max_time="1"),  # type: ignore[arg-type]
        lambda: QueryProxy({}),
        lambda: QueryProxy({"orders": ORDERS}),  # type: ignore[dict-item]
        lambda: QueryProxy({"orders": Exposed(ORDERS, FIELDS, lookups=("customers",))}),
        lambda: QueryProxy(
            {
                "orders": Exposed(ORDERS, FIELDS, lookups=("customers",)),
                "customers": Exposed(Repository(MONGO, "customers", cluster="archive"), ("_id",)),
            }
        ),
        lambda: Limits(depth=0),
        lambda: Limits(depth=100),
        lambda: Limits(stages=True),
    ],
)
def test_what_is_put_together_wrongly_is_told_at_start(make):
    with pytest.raises(ConfigurationError):
        make()
