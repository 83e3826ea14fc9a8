"""Get and insert through `adapters.mongo` beside the plain driver, in one run: `python -m tests.benchmarks.mongo`.

By MongoClient, motor and AsyncMongoClient, with dicts and with a dataclass. First with a server, whose own time is in
the figures of all candidates; then with collections whose answers are ready, which leaves the time of this code alone.

The repository finds the database of the session's tenant in each call; the hand-written functions have their
collection at hand. Both give a document back as it is stored, and the functions' values are written for these fields.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId

from adapters.mongo import Mongo, MongoSettings, Repository
from router.session import Session, reset_session, set_session
from tests.benchmarks.report import show_budgets, show_section
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved
from tests.servers.ferretdb import FerretDB

TENANT = "benchmark"
PREFIX = "junction_benchmark_"
DATABASE = f"{PREFIX}{TENANT}"
LIMIT = 1.15
# Calls of an async driver in one run of the loop, so that starting and stopping it is no part of a figure.
CALLS = 8

OURS = "junction"
SYNC, MOTOR, PYMONGO = "MongoClient", "motor", "AsyncMongoClient"
KINDS = ("dict", "dataclass")
VERBS = ("get", "insert")

Case = tuple[str, str, str]
"""Candidate, kind of documents, verb."""
Calls = dict[Case, Callable[[], object]]


@dataclass
class Order:
    """What is stored: the size and the types of an everyday document."""

    user: str
    number: str
    cents: int
    placed: datetime
    status: str
    quantity: int
    weight: float
    paid: bool
    note: str | None
    tags: list[str]
    lines: list[dict[str, Any]] = field(default_factory=list)
    id: str | None = None


ID = ObjectId("65b0f1a2c3d4e5f607182930")
DOCUMENT: dict[str, Any] = {
    "user": "u-1",
    "number": "2025-000001",
    "cents": 14_995,
    "placed": datetime(2025, 1, 31, 12, tzinfo=UTC),
    "status": "open",
    "quantity": 3,
    "weight": 1.25,
    "paid": False,
    "note": None,
    "tags": ["gift", "express"],
    "lines": [{"sku": f"sku-{number}", "quantity": number, "cents": 999} for number in range(1, 4)],
}
ORDER = Order(**DOCUMENT)
STORED = {"_id": ID, **DOCUMENT}
STORED_ORDER = Order(**DOCUMENT, id=str(ID))


# ---- the hand-written functions -------------------------------------------------------------------------------------


def document_of(order: Order) -> dict[str, Any]:
    """A new order as a document."""
    return {
        "user": order.user,
        "number": order.number,
        "cents": order.cents,
        "placed": order.placed,
        "status": order.status,
        "quantity": order.quantity,
        "weight": order.weight,
        "paid": order.paid,
        "note": order.note,
        "tags": order.tags,
        "lines": order.lines,
    }


def order_of(document: dict[str, Any]) -> Order:
    """The order of a document."""
    return Order(
        user=document["user"],
        number=document["number"],
        cents=document["cents"],
        placed=document["placed"],
        status=document["status"],
        quantity=document["quantity"],
        weight=document["weight"],
        paid=document["paid"],
        note=document["note"],
        tags=document["tags"],
        lines=document["lines"],
        id=str(document["_id"]),
    )


def plain_sync(orders: Any) -> dict[tuple[str, str], Callable[[], Any]]:
    """The calls of a MongoClient's collection, by kind and verb."""

    def insert_dict() -> dict[str, Any]:
        document = dict(DOCUMENT)
        orders.insert_one(document)
        return document

    def insert_order() -> Order:
        document = document_of(ORDER)
        orders.insert_one(document)
        return order_of(document)

    return {
        ("dict", "get"): lambda: orders.find_one({"_id": ID}),
        ("dict", "insert"): insert_dict,
        ("dataclass", "get"): lambda: order_of(orders.find_one({"_id": ID})),
        ("dataclass", "insert"): insert_order,
    }


def plain_async(orders: Any) -> dict[tuple[str, str], Callable[[], Awaitable[Any]]]:
    """The same with a collection of an async driver."""

    async def get_dict() -> Any:
        return await orders.find_one({"_id": ID})

    async def insert_dict() -> dict[str, Any]:
        document = dict(DOCUMENT)
        await orders.insert_one(document)
        return document

    async def get_order() -> Order:
        return order_of(await orders.find_one({"_id": ID}))

    async def insert_order() -> Order:
        document = document_of(ORDER)
        await orders.insert_one(document)
        return order_of(document)

    return {
        ("dict", "get"): get_dict,
        ("dict", "insert"): insert_dict,
        ("dataclass", "get"): get_order,
        ("dataclass", "insert"): insert_order,
    }


class Ready:
    """A collection whose answer is there at once."""

    def find_one(self, where: dict[str, Any]) -> dict[str, Any]:
        """The stored document."""
        return STORED

    def insert_one(self, document: dict[str, Any]) -> None:
        """Gives an id, as the driver does."""
        document.setdefault("_id", ID)


class ReadyAsync:
    """The same for async code."""

    async def find_one(self, where: dict[str, Any]) -> dict[str, Any]:
        """The stored document."""
        return STORED

    async def insert_one(self, document: dict[str, Any]) -> None:
        """Gives an id, as the driver does."""
        document.setdefault("_id", ID)


# ---- what is measured -----------------------------------------------------------------------------------------------


def sync_calls(mongo: Mongo, name: str, orders: Any) -> Calls:
    """The calls of both candidates, shown to give the same. name: of the collection. orders: the plain driver's."""
    dicts, classes = Repository(mongo, name), Repository(mongo, name, Order)
    ours: dict[tuple[str, str], Callable[[], Any]] = {
        ("dict", "get"): lambda: dicts.get(ID),
        ("dict", "insert"): lambda: dicts.insert(DOCUMENT),
        ("dataclass", "get"): lambda: classes.get(ID),
        ("dataclass", "insert"): lambda: classes.insert(ORDER),
    }
    found: Calls = {}
    for candidate, calls in ((OURS, ours), (SYNC, plain_sync(orders))):
        for (kind, verb), call in calls.items():
            _check(call(), kind, f"{candidate}: {kind} {verb}")
            found[candidate, kind, verb] = call
    return found


def async_calls(loop: asyncio.AbstractEventLoop, mongo: Mongo, driver: str, name: str, orders: Any) -> Calls:
    """The same with an async driver, `CALLS` at a time."""
    dicts, classes = Repository(mongo, name), Repository(mongo, name, Order)
    ours: dict[tuple[str, str], Callable[[], Awaitable[Any]]] = {
        ("dict", "get"): lambda: dicts.get_async(ID),
        ("dict", "insert"): lambda: dicts.insert_async(DOCUMENT),
        ("dataclass", "get"): lambda: classes.get_async(ID),
        ("dataclass", "insert"): lambda: classes.insert_async(ORDER),
    }

    async def several(call: Callable[[], Awaitable[Any]]) -> Any:
        for _ in range(CALLS):
            result = await call()
        return result

    def run(call: Callable[[], Awaitable[Any]]) -> Callable[[], Any]:
        return lambda: loop.run_until_complete(several(call))

    found: Calls = {}
    for candidate, calls in ((OURS, ours), (driver, plain_async(orders))):
        for (kind, verb), call in calls.items():
            _check(run(call)(), kind, f"{candidate}: {kind} {verb}")
            found[candidate, kind, verb] = run(call)
    return found


def _check(given: Any, kind: str, what: str) -> None:
    """Every call gives a document with its id and with nothing missing."""
    if kind == "dict":
        right = isinstance(given.get("_id"), ObjectId) and given == {**DOCUMENT, "_id": given["_id"]}
    else:
        right = len(given.id or "") == 24 and given == Order(**DOCUMENT, id=given.id)
    if not right:
        raise RuntimeError(f"{what} gives {given}")


def measured(calls: Calls, rounds: int, per_call: int, repeat: int = 1) -> dict[Case, list[float]]:
    """Seconds of one operation, a figure for each round. Turns are short: a server has slow moments of its own."""
    samples = interleaved(calls, rounds=rounds, seconds=0.004, repeat=repeat)
    return {case: [taken / per_call for taken in every] for case, every in samples.items()}


def section(driver: str, where: str, samples: dict[Case, list[float]], *, held: bool) -> Section:
    """The figures of one driver, with a budget for each ratio where it is to be held."""
    figures = [Figure(name, f"{kind} {verb}", Spread.of(taken), "s") for (name, kind, verb), taken in samples.items()]
    budgets: list[Budget] = []
    notes: list[str] = []
    for kind in KINDS:
        for verb in VERBS:
            mine, theirs = (OURS, kind, verb), (driver, kind, verb)
            if held:
                ratio = Spread.of(ratios(samples, mine, theirs))
                budgets.append(Budget(f"{where}: {kind} {verb} / {driver}", ratio, LIMIT))
            else:
                more = Spread.of([a - b for a, b in zip(samples[mine], samples[theirs], strict=True)])
                notes.append(f"{kind} {verb}: {more.median * 1e6:.1f} us more than by hand (not a budget)")
    return Section(f"mongo-{driver}", f"{where}, {driver}, one document of 12 fields", figures, budgets, notes)


def with_server(server: FerretDB, rounds: int) -> Iterator[Section]:
    """Each driver against the server."""
    from motor.motor_asyncio import AsyncIOMotorClient
    from pymongo import AsyncMongoClient, MongoClient

    uri, where = server.uri, "MongoDB" if server.is_mongodb else "FerretDB"
    client: MongoClient[dict[str, Any]] = MongoClient(uri, tz_aware=True, tzinfo=UTC)
    with client, _mongo(uri) as mongo:
        client[DATABASE].sync.insert_one(dict(STORED))
        samples = measured(sync_calls(mongo, "sync", client[DATABASE].sync), rounds, 1)
        yield section(SYNC, where, samples, held=True)
    kinds: list[tuple[str, str, Any]] = [(MOTOR, "motor", AsyncIOMotorClient), (PYMONGO, "pymongo", AsyncMongoClient)]
    for driver, setting, kind in kinds:
        with asyncio.Runner() as runner, _mongo(uri, setting) as mongo:
            loop = runner.get_loop()
            other = kind(uri, tz_aware=True, tzinfo=UTC)
            orders = other[DATABASE][setting]
            loop.run_until_complete(_stored(orders))
            samples = measured(async_calls(loop, mongo, driver, setting, orders), rounds, CALLS)
            loop.run_until_complete(_closed(other))
            yield section(driver, where, samples, held=True)


def without_server(rounds: int) -> Iterator[Section]:
    """The time of this code alone: the driver's collections have answers ready."""
    with _mongo("mongodb://127.0.0.1:1/?connect=false") as mongo:
        mongo.access(None, asynchronous=False).client.collections[DATABASE, "ready"] = Ready()
        samples = measured(sync_calls(mongo, "ready", Ready()), rounds, 1, repeat=3)
        yield section(SYNC, "no server", samples, held=False)
    with asyncio.Runner() as runner, _mongo("mongodb://127.0.0.1:1/", "pymongo") as mongo:
        loop = runner.get_loop()
        loop.run_until_complete(_made_ready(mongo))
        samples = measured(async_calls(loop, mongo, PYMONGO, "ready", ReadyAsync()), rounds, CALLS, repeat=3)
        yield section(PYMONGO, "no server", samples, held=False)


@contextmanager
def _mongo(uri: str, driver: str = "motor") -> Iterator[Mongo]:
    """A `Mongo` whose tenants are this benchmark's."""
    from adapters.mongo import Tenants

    mongo = Mongo(MongoSettings({"main": uri}, driver=driver, tenants=Tenants(f"{PREFIX}{{tenant}}")))
    try:
        yield mongo
    finally:
        mongo.close()


async def _made_ready(mongo: Mongo) -> None:
    mongo.access(None, asynchronous=True).client.collections[DATABASE, "ready"] = ReadyAsync()


async def _stored(orders: Any) -> None:
    await orders.insert_one(dict(STORED))


async def _closed(client: Any) -> None:
    closing = client.close()
    if closing is not None:  # AsyncMongoClient's is a coroutine, motor's is not
        await closing


def main(rounds: int = 400) -> None:
    """Prints figures and budgets."""
    sections: list[Section] = []
    token = set_session(Session(tenant=TENANT, user="u-1"))
    with FerretDB() as server:
        server.drop_databases(PREFIX)
        for one in (*with_server(server, rounds), *without_server(rounds // 8)):
            show_section(one)
            sections.append(one)
        server.drop_databases(PREFIX)
    reset_session(token)
    show_budgets([budget for one in sections for budget in one.budgets])


if __name__ == "__main__":
    main()
