"""Every verb of a repository and its async twin over a real server, with dicts, dataclasses and pydantic models."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field

from adapters.errors import AdapterError
from adapters.mongo import (
    BulkFailed,
    Delete,
    DocumentNotFound,
    DocumentTooLarge,
    DuplicateKey,
    Insert,
    InvalidId,
    InvalidPageSize,
    InvalidPageToken,
    InvalidRequest,
    Mongo,
    MongoSettings,
    Repository,
    Tenants,
    UnreadableDocument,
    Update,
    VersionConflict,
    begins_with,
    between,
    either,
    exists,
    gt,
    lte,
    ne,
    none_of,
    one_of,
    raw,
)
from router import Session, reset_session, set_session
from tests.servers.ferretdb import FerretDB

PREFIX = "repotest_"
NOW = datetime(2026, 1, 1, 12, 0, 0, 123000, tzinfo=UTC)
MARKS = ("created_at", "created_by", "updated_at", "updated_by")
MEBIBYTE = 1024 * 1024


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Line:
    article: str
    count: int = 1


@dataclass
class Order:
    customer: str
    total: int = 0
    id: str | None = None
    lines: list[Line] = field(default_factory=list)
    placed: datetime | None = None
    tags: list[str] = field(default_factory=list)
    version: int | None = None
    created_by: str | None = None


class Invoice(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    id: str | None = Field(default=None, alias="_id")
    customer: str
    total: int = 0
    lines: list[Line] = []
    placed: datetime | None = None
    tags: list[str] = []
    version: int | None = None
    created_by: str | None = None


class Way:
    """Calls verbs as they are, or their async twins by one of the drivers."""

    def __init__(self, mongo: Mongo, loop: asyncio.AbstractEventLoop | None) -> None:
        self.mongo = mongo
        self.clock = Clock()
        self.loop = loop

    def repository(self, model: Any = None, **options: Any) -> Repository[Any]:
        options = {"name": "orders", "clock": self.clock, **options}
        return Repository(self.mongo, options.pop("name"), model, **options)

    def call(self, verb: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call a verb, and see that what it was given is afterwards as it was before."""
        before = deepcopy((arguments, options))
        try:
            if self.loop is None:
                return verb(*arguments, **options)
            twin = getattr(verb.__self__, f"{verb.__name__}_async")  # type: ignore[attr-defined]
            return self.loop.run_until_complete(twin(*arguments, **options))
        finally:
            assert repr((arguments, options)) == repr(before)

    def each(self, results: Any, most: int | None = None) -> list[Any]:
        """Read one by one; the rest is left when there are so many."""
        if self.loop is None:
            found = []
            for one in results:
                found.append(one)
                if len(found) == most:
                    break
            return found

        async def main() -> list[Any]:
            found = []
            async for one in results:
                found.append(one)
                if len(found) == most:
                    break
            return found

        return self.loop.run_until_complete(main())


@pytest.fixture(params=["sync", "motor", "pymongo"])
def way(ferretdb: FerretDB, request: pytest.FixtureRequest) -> Iterator[Way]:
    ferretdb.drop_databases(PREFIX)
    token = set_session(Session("acme", "ann"))
    driver = "motor" if request.param == "sync" else request.param
    tenants = Tenants(PREFIX + "{tenant}")
    mongo = Mongo(MongoSettings({"main": ferretdb.uri}, driver=driver, tenants=tenants))
    loop = None if request.param == "sync" else asyncio.new_event_loop()
    yield Way(mongo, loop)
    if loop is not None:
        loop.run_until_complete(mongo.close_async())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    mongo.close()
    reset_session(token)
    ferretdb.drop_databases(PREFIX)


def stored(way: Way, name: str = "orders") -> list[dict[str, Any]]:
    """What is in the collection, read by the driver."""
    found: list[dict[str, Any]] = way.mongo.sync.tenant()[name].find().sort("_id").to_list(None)
    return found


def test_every_verb_has_a_twin_with_the_same_arguments() -> None:
    from adapters.mongo.selection import Aggregation, Selection

    for kind, alone in ((Repository, {"find", "aggregate", "stores"}), (Selection, set()), (Aggregation, set())):
        verbs = {name for name, held in vars(kind).items() if inspect.isfunction(held) and not name.startswith("_")}
        for name in verbs - alone:
            verb, twin = name.removesuffix("_async"), f"{name.removesuffix('_async')}_async"
            assert {verb, twin} <= verbs
            assert inspect.signature(getattr(kind, verb)) == inspect.signature(getattr(kind, twin))


# ---- documents of each kind ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ids", ["objectid", "str"])
@pytest.mark.parametrize("model", [Order, Invoice])
def test_a_model_through_all_verbs(way: Way, model: Any, ids: str) -> None:
    orders = way.repository(model, ids=ids, version=True, stamps=True)
    placed = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    first = way.call(orders.insert, model(customer="c1", total=5, lines=[Line("tea", 2)], placed=placed, tags=["a"]))
    assert isinstance(first, model)
    assert (first.version, first.created_by, first.placed) == (1, "ann", placed)
    assert ObjectId.is_valid(first.id) or ids == "str"
    assert way.call(orders.get, first.id) == first
    assert way.call(orders.find_one, {"customer": "c1", "id": first.id}) == first
    assert way.call(orders.find({"lines.article": "tea"}).all) == [first]
    assert way.call(orders.find({"_id": first.id}).first) == first

    more = way.call(orders.insert_many, [model(customer="c2", total=number) for number in range(3)])
    assert [one.total for one in more] == [0, 1, 2]
    assert len({one.id for one in (*more, first)}) == 4
    assert way.call(orders.count) == 4
    assert way.call(orders.count, {"customer": "c2"}) == 3
    assert way.call(orders.exists, first.id) is way.call(orders.exists, {"total": gt(4)}) is True
    assert way.call(orders.exists, {"total": gt(5)}) is False

    changed = way.call(orders.update, first.id, set={"customer": "c3"}, inc={"total": 2}, push={"tags": "b"})
    assert (changed.customer, changed.total, changed.tags, changed.version) == ("c3", 7, ["a", "b"], 2)
    assert way.call(orders.update, first.id, version=2, unset=["placed"]).placed is None
    copied = replace(changed, customer="c4") if model is Order else changed.model_copy(update={"customer": "c4"})
    with pytest.raises(VersionConflict):
        way.call(orders.replace, copied)
    fresh = way.call(orders.get, first.id)
    fresh.customer = "c5"
    replaced = way.call(orders.replace, fresh)
    assert (replaced.customer, replaced.version, replaced.created_by) == ("c5", 4, "ann")
    assert way.call(orders.get, first.id) == replaced

    assert way.call(orders.update_many, {"customer": "c2"}, mul={"total": 10}) == 3
    assert [one.total for one in way.call(orders.find({"customer": "c2"}, sort="-total").all)] == [20, 10, 0]
    assert way.call(orders.delete, first.id) is True
    assert way.call(orders.delete, first.id) is False
    assert way.call(orders.get, first.id) is None
    assert way.call(orders.delete_many, {"total": lte(10)}) == 2
    assert way.call(orders.purge, more[2].id) is True
    assert stored(way) == []


def test_dicts_through_all_verbs(way: Way) -> None:
    orders = way.repository()
    first = way.call(orders.insert, {"total": 5, "nested": {"list": [1, {"a": None}]}})
    assert first == {"_id": first["_id"], "total": 5, "nested": {"list": [1, {"a": None}]}}
    assert isinstance(first["_id"], ObjectId)
    assert way.call(orders.get, first["_id"]) == way.call(orders.get, str(first["_id"])) == first
    own = way.call(orders.insert, {"_id": "5" * 24, "total": 1})
    assert own == {"_id": ObjectId("5" * 24), "total": 1}
    assert way.call(orders.update, "5" * 24, set={"nested.list": []}, max={"total": 3}, min={"other": 9}) == {
        "_id": ObjectId("5" * 24),
        "total": 3,
        "nested": {"list": []},
        "other": 9,
    }
    assert way.call(orders.replace, {"_id": "5" * 24, "a": 1}) == {"_id": ObjectId("5" * 24), "a": 1}
    assert way.call(orders.replace, {"_id": "6" * 24, "b": 1}, upsert=True)["b"] == 1
    assert way.call(orders.update, "7" * 24, upsert=True, inc={"n": 1}) == {"_id": ObjectId("7" * 24), "n": 1}
    assert way.call(orders.update, "7" * 24, upsert=True, inc={"n": 1}) == {"_id": ObjectId("7" * 24), "n": 2}
    assert len(stored(way)) == 4


def test_an_empty_list_of_documents_is_nothing_to_do(way: Way) -> None:
    orders = way.repository()
    assert way.call(orders.insert_many, []) == []
    assert way.call(orders.bulk, []).inserted == {}
    assert way.call(orders.find().all) == way.each(orders.find()) == []
    assert way.call(orders.find().first) is way.call(orders.find_one) is None
    assert way.call(orders.find().page).items == []


def test_filters_find_what_they_say(way: Way) -> None:
    orders = way.repository(ids="str")
    way.call(
        orders.insert_many,
        [
            {"_id": "a", "n": 1, "name": "ann", "tags": ["x", "y"], "at": {"city": "Bonn"}},
            {"_id": "b", "n": 2, "name": "a.n", "tags": []},
            {"_id": "c", "n": 3, "name": None},
            {"_id": "d", "at": {"city": "Bonn", "zip": 5}},
        ],
    )

    def found(where: Any) -> str:
        return "".join(order["_id"] for order in way.call(orders.find(where, sort="_id").all))

    filters: list[tuple[Any, str]] = [
        (None, "abcd"),
        ({"n": 2}, "b"),
        ({"n": between(2, 3)}, "bc"),
        ({"n": ne(2)}, "acd"),
        ({"n": one_of([1, 3, None])}, "acd"),
        ({"n": none_of([1])}, "bcd"),
        ({"name": None}, "cd"),
        ({"name": exists()}, "abc"),
        ({"name": exists(False)}, "d"),
        ({"name": begins_with("a.")}, "b"),
        ({"tags": "x"}, "a"),
        ({"tags": ["x", "y"]}, "a"),
        ({"at": {"city": "Bonn"}}, "a"),
        ({"at.city": "Bonn"}, "ad"),
        ({"_id": one_of(["a", "z"])}, "a"),
        (either({"n": 1}, {"name": begins_with("a."), "n": 2}), "ab"),
        (raw({"$or": [{"n": 1}, {"at.zip": 5}]}), "ad"),
        ({"n": raw({"$gte": 1, "$lt": 3}), "tags": raw({"$size": 0})}, "b"),
    ]
    assert [found(where) for where, _ in filters] == [expected for _, expected in filters]


def test_sorting_limiting_and_some_fields(way: Way) -> None:
    orders = way.repository(Order, ids="str")
    way.call(
        orders.insert_many,
        [Order(f"c{n % 2}", n, f"o{n}", [Line("tea", n)], placed=NOW + timedelta(n)) for n in range(6)],
    )
    selection = orders.find(sort=["customer", "-total"], limit=4)
    assert [order.id for order in way.call(selection.all)] == ["o4", "o2", "o0", "o5"]
    assert [order.id for order in way.each(selection)] == ["o4", "o2", "o0", "o5"]
    assert way.call(selection.first).id == "o4"
    assert way.call(selection.count) == 6
    some = orders.find({"total": gt(3)}, only=["id", "placed", "lines.count"], sort="id")
    assert way.call(some.all) == [
        {"id": f"o{n}", "placed": NOW + timedelta(n), "lines": [{"count": n}]} for n in (4, 5)
    ]
    assert way.call(orders.find({"id": "o1"}, only=["total"]).all) == [{"total": 1}]


# ---- stamps, versions, soft deletion -------------------------------------------------------------------------------

FORGED = {
    "created_at": NOW - timedelta(days=9),
    "created_by": "evil",
    "updated_at": "never",
    "updated_by": {"$ne": 1},
    "deleted_at": NOW,
    "deleted_by": "evil",
    "version": 99,
}


def test_stamps_are_of_the_session_and_never_of_the_caller(way: Way) -> None:
    orders = way.repository(ids="str", stamps=True, soft_delete=True, version=True)
    made = way.call(orders.insert, {"_id": "a", **FORGED})
    assert made == {"_id": "a", **dict(zip(MARKS, (NOW, "ann", NOW, "ann"), strict=True)), "version": 1}
    way.call(orders.insert_many, [{"_id": "b", **FORGED}])
    way.call(orders.bulk, [Insert({"_id": "c", **FORGED}), Update("b", set={"x": 1})])
    assert [(one["created_by"], one["version"], "deleted_at" in one) for one in stored(way)] == [
        ("ann", 1, False),
        ("ann", 2, False),
        ("ann", 1, False),
    ]

    set_session(Session("acme", "bob"))
    way.clock.now = later = NOW + timedelta(hours=1)
    updated = way.call(orders.update, "a", set={"x": 1})
    assert [updated[name] for name in (*MARKS, "version")] == [NOW, "ann", later, "bob", 2]
    replaced = way.call(orders.replace, {"_id": "a", "y": 1, **FORGED, "version": 2})
    assert replaced == {"_id": "a", "y": 1, **{name: updated[name] for name in MARKS}, "version": 3}
    assert way.call(orders.get, "a") == replaced
    assert way.call(orders.update_many, {"_id": "b"}, set={"x": 2}) == 1
    assert way.call(orders.get, "b")["updated_by"] == "bob"
    with pytest.raises(InvalidRequest):
        way.call(orders.update, "a", set={"created_by": "evil"})

    set_session(Session("acme"))
    assert way.call(orders.insert, {"_id": "d"})["created_by"] is None
    set_session(Session("acme", "bob"))
    new = way.call(orders.update, "e", upsert=True, set={"x": 1})
    assert [new[name] for name in (*MARKS, "version")] == [later, "bob", later, "bob", 1]


def test_a_replacement_that_makes_the_document_is_stamped_as_new(way: Way) -> None:
    orders = way.repository(ids="str", stamps=True)
    made = way.call(orders.replace, {"_id": "a", **FORGED}, upsert=True)
    assert [made[name] for name in MARKS] == [NOW, "ann", NOW, "ann"]
    set_session(Session("acme", "bob"))
    again = way.call(orders.replace, {"_id": "a"}, upsert=True)
    assert [again[name] for name in MARKS] == [NOW, "ann", NOW, "bob"]


def test_what_is_deleted_softly_is_out_of_sight_until_it_is_restored(way: Way) -> None:
    orders = way.repository(ids="str", soft_delete=True)
    way.call(orders.insert_many, [{"_id": name, "n": 1} for name in "abc"])
    assert way.call(orders.delete, "a") is True
    assert way.call(orders.delete, "a") is False
    assert way.call(orders.get, "a") is way.call(orders.find_one, {"_id": "a"}) is None
    assert way.call(orders.count) == way.call(orders.find().count) == 2
    assert way.call(orders.exists, "a") is way.call(orders.exists, {"_id": "a"}) is False
    assert [one["_id"] for one in way.call(orders.find({"n": 1}, sort="_id").all)] == ["b", "c"]
    assert len(way.call(orders.aggregate([{"$match": {"n": 1}}]).all)) == 2
    assert len(way.call(orders.find().page).items) == 2
    assert way.call(orders.update_many, {"n": 1}, set={"m": 1}) == 2
    for verb in (orders.update, orders.replace):
        with pytest.raises(DocumentNotFound):
            way.call(verb, "a", set={"n": 2}) if verb == orders.update else way.call(verb, {"_id": "a"})
    with pytest.raises(DuplicateKey):
        way.call(orders.insert, {"_id": "a"})

    kept = way.call(orders.get, "a", deleted=True)
    assert (kept["deleted_at"], kept["deleted_by"], "m" in kept) == (NOW, "ann", False)
    assert way.call(orders.count, deleted=True) == len(way.call(orders.find(deleted=True).all)) == 3
    assert way.call(orders.restore, "a") == {"_id": "a", "n": 1}
    assert way.call(orders.get, "a") == {"_id": "a", "n": 1}
    assert way.call(orders.delete_many, {"n": 1}) == 3
    assert way.call(orders.delete_many, {"n": 1}) == 0
    assert (way.call(orders.count), len(stored(way))) == (0, 3)
    assert way.call(orders.purge, "a") is True
    assert [one["_id"] for one in stored(way)] == ["b", "c"]
    with pytest.raises(DocumentNotFound):
        way.call(orders.restore, "a")


def test_what_was_not_deleted_is_restored_as_it_is(way: Way) -> None:
    orders = way.repository(ids="str", soft_delete=True, version=True, stamps=True)
    made = way.call(orders.insert, {"_id": "a"})
    set_session(Session("acme", "bob"))
    assert way.call(orders.restore, "a") == made
    way.call(orders.delete, "a")
    restored = way.call(orders.restore, "a")
    assert way.call(orders.restore, "a") == restored
    assert (restored["version"], restored["updated_by"]) == (3, "bob")


def test_only_one_of_two_who_read_the_same_version_writes(way: Way) -> None:
    orders = way.repository(Order, ids="str", version=True, soft_delete=True)
    mine = way.call(orders.insert, Order("c1", id="a"))
    theirs = way.call(orders.get, "a")
    mine.total = 5
    mine = way.call(orders.replace, mine)
    assert mine.version == 2
    with pytest.raises(VersionConflict) as caught:
        way.call(orders.replace, theirs)
    assert (caught.value.status, caught.value.resource) == (409, "orders")
    for verb, options in ((orders.update, {"set": {"total": 9}}), (orders.delete, {})):
        with pytest.raises(VersionConflict):
            way.call(verb, "a", version=1, **options)
    assert way.call(orders.get, "a") == mine
    assert way.call(orders.update, "a", version=2, inc={"total": 1}).version == 3
    assert way.call(orders.delete, "a", version=3) is True
    assert way.call(orders.delete, "a", version=3) is False
    with pytest.raises(DocumentNotFound):
        way.call(orders.replace, mine)
    with pytest.raises(InvalidRequest, match="version"):
        way.call(orders.replace, Order("c1", id="a"))


def test_of_many_who_write_the_same_version_at_once_one_does(way: Way, ferretdb: FerretDB) -> None:
    orders = way.repository(ids="str", version=True)
    way.call(orders.insert, {"_id": "a", "n": 0})

    async def attempt() -> bool:
        try:
            await orders.update_async("a", version=1, inc={"n": 1})
        except VersionConflict:
            return False
        return True

    async def main() -> list[bool]:
        return await asyncio.gather(*(attempt() for _ in range(10)))

    if way.loop is None:
        written = asyncio.run(main())
    else:
        written = way.loop.run_until_complete(main())
    assert way.call(orders.get, "a") == {"_id": "a", "n": 1, "version": 2}
    # FerretDB reads and writes in two steps, so that it may tell several that they were the one.
    assert any(written)
    assert sum(written) == 1 or not ferretdb.is_mongodb


# ---- several at a time ---------------------------------------------------------------------------------------------


def test_a_bulk_write_does_all_there_is_to_do(way: Way) -> None:
    orders = way.repository(ids="str")
    way.call(orders.insert_many, [{"_id": name, "n": 1} for name in "abc"])
    operations = [
        Insert({"_id": "d", "n": 1}),
        Insert({"n": 2}),
        Update("a", set={"m": 1}, inc={"n": 1}),
        Update("z", set={"m": 1}),
        Delete("b"),
        Delete("y"),
    ]
    result = way.call(orders.bulk, operations, ordered=True)
    made = result.inserted[1]
    assert (dict(result.inserted), result.matched) == ({0: "d", 1: made}, 2)
    assert {one["_id"]: one["n"] for one in stored(way)} == {"a": 2, "c": 1, "d": 1, made: 2}
    mistakes: list[list[Any]] = [[("insert", {})], [Delete(None)], [Insert(5)], [Update("a")]]
    for wrong in mistakes:
        with pytest.raises(AdapterError):
            way.call(orders.bulk, [Insert({"_id": "never"}), *wrong])
    assert way.call(orders.exists, "never") is False


def test_a_bulk_write_marks_like_the_single_verbs(way: Way) -> None:
    orders = way.repository(ids="str", stamps=True, version=True, soft_delete=True)
    way.call(orders.bulk, [Insert({"_id": name}) for name in "ab"])
    set_session(Session("acme", "bob"))
    assert way.call(orders.bulk, [Update("a", set={"n": 1}), Delete("b"), Delete("b")]).matched == 2
    one, other = stored(way)
    assert (one["updated_by"], one["version"], one["created_by"]) == ("bob", 2, "ann")
    assert (other["deleted_by"], other["version"]) == ("bob", 2)


@pytest.mark.parametrize("ordered", [False, True])
def test_each_document_that_is_not_stored_is_named(way: Way, ordered: bool) -> None:
    orders = way.repository(ids="str")
    way.call(orders.insert, {"_id": "b", "email": "ann@example.com"})
    documents = [{"_id": name, "email": "ann@example.com"} for name in "abcbd"]
    operations = [Insert(document) for document in documents]
    for position, write in enumerate(
        (
            lambda: way.call(orders.insert_many, documents, ordered=ordered),
            lambda: way.call(orders.bulk, operations, ordered=ordered),
        )
    ):
        with pytest.raises(BulkFailed) as caught:
            write()
        error = caught.value
        expected = {1: "DuplicateKey", 3: "DuplicateKey"}
        sent = {0: "a", 2: "c", 4: "d"}
        if position == 1:  # they are all there since the first time
            expected, sent = dict.fromkeys(range(5), "DuplicateKey"), {}
        if ordered:
            first = min(expected)
            expected = {first: "DuplicateKey", **dict.fromkeys(range(first + 1, 5), "NotTried")}
            sent = {0: "a"} if position == 0 else {}
        assert {entry.index: entry.code for entry in error.failed} == expected
        assert error.sent == sent
        assert "ann@example.com" not in str(error)
        assert error.__context__ is None


def test_duplicates_are_told_without_their_values(way: Way, ferretdb: FerretDB) -> None:
    way.mongo.sync.tenant().orders.create_index("email", unique=True)
    orders = way.repository(ids="str")
    way.call(orders.insert_many, [{"_id": "a", "email": "ann@example.com"}, {"_id": "b", "email": "bob@example.com"}])
    attempts: list[Callable[[], Any]] = [
        lambda: way.call(orders.insert, {"_id": "a"}),
        lambda: way.call(orders.insert, {"email": "ann@example.com"}),
        lambda: way.call(orders.replace, {"_id": "c", "email": "ann@example.com"}, upsert=True),
    ]
    if ferretdb.is_mongodb:  # FerretDB tells of an internal error where a change would make the duplicate
        attempts += [
            lambda: way.call(orders.update, "b", set={"email": "ann@example.com"}),
            lambda: way.call(orders.replace, {"_id": "b", "email": "ann@example.com"}),
            lambda: way.call(orders.update_many, {"_id": "b"}, set={"email": "ann@example.com"}),
        ]
    for attempt in attempts:
        with pytest.raises(DuplicateKey) as caught:
            attempt()
        assert (caught.value.status, caught.value.detail) == (409, "it exists already")
        assert "ann" not in str(caught.value)
        assert caught.value.__context__ is None
    assert len(stored(way)) == 2


# ---- what goes wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "id", ["", "x", "5" * 23, "5" * 25, f" {'5' * 23}", None, 5, {"$ne": 1}, b"5" * 12, ["5" * 24]]
)
def test_an_id_that_is_none_is_a_bad_request(way: Way, id: Any) -> None:
    orders = way.repository()
    for verb in (orders.get, orders.delete, orders.purge):
        with pytest.raises(InvalidId) as caught:
            way.call(verb, id)
        assert caught.value.status == 400
    with pytest.raises(InvalidId):
        way.call(orders.update, id, set={"a": 1})
    if id is not None:
        with pytest.raises(InvalidId):
            way.call(orders.insert, {"_id": id})


def test_what_is_not_there_is_told(way: Way) -> None:
    orders = way.repository(ids="str", soft_delete=True)
    for attempt in (
        lambda: way.call(orders.update, "a", set={"n": 1}),
        lambda: way.call(orders.replace, {"_id": "a"}),
        lambda: way.call(orders.restore, "a"),
    ):
        with pytest.raises(DocumentNotFound) as caught:
            attempt()
        assert caught.value.status == 404
    with pytest.raises(InvalidRequest, match="needs a document with an id"):
        way.call(orders.replace, {"n": 1})
    assert stored(way) == []


def test_a_document_of_16_mebibytes_is_stored_and_a_larger_one_refused(way: Way) -> None:
    orders = way.repository(ids="str")
    large = "x" * (16 * MEBIBYTE - 100)
    assert len(way.call(orders.insert, {"_id": "a", "text": large})["text"]) == len(large)
    assert way.call(orders.get, "a")["text"] == large
    for attempt in (
        lambda: way.call(orders.insert, {"_id": "b", "text": "x" * (17 * MEBIBYTE)}),
        lambda: way.call(orders.update, "a", set={"text": "x" * (17 * MEBIBYTE)}),
        lambda: way.call(orders.replace, {"_id": "a", "text": "x" * (17 * MEBIBYTE)}),
    ):
        with pytest.raises(DocumentTooLarge) as caught:
            attempt()
        assert (caught.value.status, len(str(caught.value)) < 200) == (413, True)
    assert [len(one["text"]) for one in stored(way)] == [len(large)]


def test_a_stored_document_that_does_not_fit_its_class_is_told_by_its_fields(way: Way) -> None:
    way.mongo.sync.tenant().orders.insert_one({"_id": "a", "customer": "c1", "total": "secret"})
    orders = way.repository(Invoice, ids="str")
    for read in (
        lambda: way.call(orders.get, "a"),
        lambda: way.call(orders.find().all),
        lambda: way.each(orders.find()),
        lambda: way.call(orders.find().page),
    ):
        with pytest.raises(UnreadableDocument, match="total") as caught:
            read()
        assert "secret" not in str(caught.value)


def test_what_the_server_refuses_is_told_by_its_code(way: Way) -> None:
    orders = way.repository()
    way.call(orders.insert, {"a": "secret"})
    for attempt in (
        lambda: way.call(orders.find(raw({"a": {"$nope": "secret"}})).all),
        lambda: way.each(orders.find(raw({"a": {"$nope": "secret"}}))),
        lambda: way.call(orders.aggregate([{"$nope": "secret"}]).all),
        lambda: way.each(orders.aggregate([{"$nope": "secret"}])),
        lambda: way.call(orders.count, raw({"a": {"$nope": "secret"}})),
        lambda: way.call(orders.update_many, raw({}), inc={"a": 1}),
    ):
        with pytest.raises(InvalidRequest, match="refused with code") as caught:
            attempt()
        assert "secret" not in str(caught.value)
        assert caught.value.__context__ is None


# ---- reading much --------------------------------------------------------------------------------------------------


def test_a_stream_is_read_as_it_is_asked_for(way: Way) -> None:
    orders = way.repository(ids="str")
    way.call(orders.insert_many, [{"_id": f"{number:04}"} for number in range(500)])
    selection = orders.find(sort="_id", batch=20)
    assert [one["_id"] for one in way.each(selection, most=30)] == [f"{number:04}" for number in range(30)]
    assert len(way.each(selection)) == 500
    assert len(way.each(orders.find(sort="_id", limit=120, batch=50))) == 120
    assert len(way.each(orders.aggregate([{"$match": {"_id": {"$gte": "0100"}}}], batchSize=50))) == 400


def test_a_selection_is_of_the_tenant_for_whom_it_was_made(way: Way) -> None:
    orders = way.repository(ids="str")
    way.call(orders.insert, {"_id": "acme"})
    selection, aggregation = orders.find(), orders.aggregate([])
    page = orders.find(sort="_id")
    set_session(Session("other", "eve"))
    way.call(orders.insert, {"_id": "other"})
    for read in (way.each, lambda results: way.call(results.all)):
        assert read(selection) == read(aggregation) == [{"_id": "acme"}]
    assert way.call(selection.count) == 1
    assert way.call(page.page).items == [{"_id": "acme"}]
    assert way.call(orders.find().all) == [{"_id": "other"}]


def test_a_pipeline_begins_after_the_filter(way: Way) -> None:
    orders = way.repository(ids="str")
    way.call(orders.insert_many, [{"_id": f"{n}", "status": "ab"[n % 2], "n": n} for n in range(6)])
    groups: list[dict[str, Any]] = [{"$group": {"_id": "$status", "sum": {"$sum": "$n"}}}, {"$sort": {"_id": 1}}]
    assert way.call(orders.aggregate(groups).all) == [{"_id": "a", "sum": 6}, {"_id": "b", "sum": 9}]
    assert way.call(orders.aggregate(groups, where={"status": "b", "n": gt(1)}).all) == [{"_id": "b", "sum": 8}]
    assert way.each(orders.aggregate(groups, where={"n": gt(9)})) == []
    assert way.call(orders.aggregate(groups).first) == {"_id": "a", "sum": 6}
    assert way.call(orders.aggregate([], where={"n": 9}).first) is None


# ---- paging --------------------------------------------------------------------------------------------------------


def pages(
    way: Way, selection: Callable[[], Any], size: int, meanwhile: Callable[[list[Any]], Any] = lambda read: None
) -> list[Any]:
    """All pages of a selection that is made anew for each, as requests do."""
    read: list[Any] = []
    token = None
    while True:
        page = way.call(selection().page, size, token)
        assert len(page.items) == size or page.next is None
        read += page.items
        if page.next is None:
            return read
        token = page.next
        meanwhile(read)


VALUES = [3, None, 1, "missing", 2, 3, None, 1.5, "missing", -1, 2, 0]


@pytest.mark.parametrize("sort", ["n", "-n", ["n", "-m"], ["-n", "m"], ["m", "-n"], "-_id", None, ["-m", "_id"]])
@pytest.mark.parametrize("size", [1, 5, 12])
def test_pages_are_the_whole_list_in_its_order(way: Way, sort: Any, size: int) -> None:
    orders = way.repository(ids="str")
    documents = [{"_id": f"{number:02}", "n": value, "m": number % 3 or None} for number, value in enumerate(VALUES)]
    for document in documents:
        if document["n"] == "missing":
            del document["n"]
    way.call(orders.insert_many, documents)
    order = [sort] if isinstance(sort, str) else sort or []
    expected = way.call(orders.find(sort=[*order, *([] if "_id" in str(sort) else ["_id"])]).all)
    assert pages(way, lambda: orders.find(sort=sort), size) == expected
    assert len(expected) == len(VALUES)


def test_pages_are_stable_while_documents_come_and_go(way: Way) -> None:
    orders = way.repository()
    made = way.call(orders.insert_many, [{"n": number // 3} for number in range(30)])

    def meanwhile(read: list[Any]) -> None:
        way.call(orders.insert_many, [{"n": -1}, {"n": 9}, {"n": 4}])
        way.call(orders.delete, read[len(read) // 2]["_id"])
        way.call(orders.delete, read[-1]["_id"])  # whose place the token names

    read = pages(way, lambda: orders.find({"n": gt(-9)}, sort="n"), 4, meanwhile)
    ids = [one["_id"] for one in read]
    assert len(set(ids)) == len(ids)
    assert set(ids) >= {one["_id"] for one in made}
    assert [one["n"] for one in read] == sorted(one["n"] for one in read)


def test_pages_of_models_and_of_some_fields(way: Way) -> None:
    orders = way.repository(Order, ids="str")
    way.call(orders.insert_many, [Order("c1", n, f"o{n}", [Line("tea", n)]) for n in range(5)])
    assert [order.id for order in pages(way, lambda: orders.find(sort="-total"), 2)] == ["o4", "o3", "o2", "o1", "o0"]
    for only in (["customer"], ["lines.count", "total"], ["lines"], ["id"]):
        selection = lambda only=only: orders.find(only=only, sort="-total")  # noqa: E731
        assert pages(way, selection, 2) == way.call(selection().all)


def test_a_token_of_another_tenant_or_list_is_refused(way: Way) -> None:
    orders, others = way.repository(ids="str"), way.repository(ids="str", name="invoices")
    for repository in (orders, others):
        way.call(repository.insert_many, [{"_id": name, "n": 1} for name in "abc"])
    token = way.call(orders.find({"n": 1}).page, 2).next
    refused = [others.find({"n": 1}), orders.find({"n": 2}), orders.find(), orders.find({"n": 1}, sort="n")]
    set_session(Session("other"))
    refused.append(orders.find({"n": 1}))
    for selection in refused:
        with pytest.raises(InvalidPageToken):
            way.call(selection.page, 2, token)
    set_session(Session("acme"))
    assert way.call(orders.find({"n": 1}).page, 2, token).items == [{"_id": "c", "n": 1}]


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "2", None])
def test_a_page_has_a_size(way: Way, size: Any) -> None:
    with pytest.raises(InvalidPageSize, match="whole number"):
        way.call(way.repository().find().page, size)


def test_a_page_by_a_list_is_refused_rather_than_wrong(way: Way) -> None:
    orders = way.repository(ids="str")
    way.call(orders.insert_many, [{"_id": name, "tags": ["x", name]} for name in "abc"])
    with pytest.raises(InvalidRequest, match="holds a list"):
        way.call(orders.find(sort="tags").page, 2)


# ---- fixed databases -----------------------------------------------------------------------------------------------


def test_a_fixed_database_needs_no_tenant_and_is_none_s(way: Way) -> None:
    users = way.repository(ids="str", database=f"{PREFIX}platform", name="users", stamps=True)
    set_session(Session())
    assert way.call(users.insert, {"_id": "a"})["created_by"] is None
    set_session(Session("acme"))
    assert way.call(users.exists, "a") is True
    set_session(Session("platform"))
    with pytest.raises(Exception, match="belongs to no tenant"):
        way.call(way.repository(name="users").count)
    assert way.mongo.sync.db[f"{PREFIX}platform"].users.count_documents({}) == 1
