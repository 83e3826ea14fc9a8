"""Clients over a real server: one for each cluster, process and event loop, through warm starts, forks and the end."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.monitoring import ConnectionPoolListener

from adapters.errors import AccessDenied, EventLoopBlocked
from adapters.mongo import Cluster, ClusterUnavailable, Mongo, MongoSettings, Repository
from adapters.mongo.mongo_settings import DRIVERS
from router import ConfigurationError, Resolver, Session
from router.dispatch.loop import close_loop
from router.testing import TestClient
from tests.integration.adapters.mongo.wire import Wire
from tests.servers.ferretdb import FerretDB

ROOT = Path(__file__).resolve().parents[4]
PREFIX = "clientstest_"
DATABASE = f"{PREFIX}shop"
CREDENTIALS = ("bob", "s3cret")


class Connections(ConnectionPoolListener):
    """Counts the connections that are made and closed."""

    def __init__(self) -> None:
        self.made = self.closed = 0

    def connection_created(self, event: Any) -> None:
        self.made += 1

    def connection_closed(self, event: Any) -> None:
        self.closed += 1

    def _not_counted(self, event: Any) -> None:
        pass

    pool_created = pool_ready = pool_cleared = pool_closed = connection_ready = _not_counted
    connection_check_out_started = connection_check_out_failed = _not_counted
    connection_checked_out = connection_checked_in = _not_counted


@pytest.fixture
def connections() -> Connections:
    return Connections()


@pytest.fixture(params=DRIVERS)
def mongo(ferretdb: FerretDB, connections: Connections, request: pytest.FixtureRequest) -> Iterator[Mongo]:
    """By each async driver, with a document to find."""
    with ferretdb.client() as client:
        client[DATABASE]["orders"].replace_one({"_id": "1"}, {"total": 5}, upsert=True)
    cluster = Cluster(ferretdb.uri, options={"event_listeners": [connections]})
    made = Mongo(MongoSettings({"main": cluster, "archive": cluster}, driver=request.param))
    yield made
    close_loop()
    made.close()
    ferretdb.drop_databases(PREFIX)


def orders_of(mongo: Mongo) -> Repository[dict[str, Any]]:
    return Repository(mongo, "orders", database=DATABASE, ids="str")


def interpreter(code: str, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A new one in which each warning is an error: what it says of clients that nobody closed is on stderr."""
    return subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PREFIX": PREFIX, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# ---- one client ----------------------------------------------------------------------------------------------------


def test_a_client_is_made_once_for_each_cluster_and_loop(mongo: Mongo) -> None:
    async def clients() -> list[Any]:
        first = mongo.client, mongo.cluster("archive").client
        await asyncio.sleep(0)
        assert (mongo.client, mongo.cluster("main").client, mongo.cluster("archive").client) == (first[0], *first)
        return list(first)

    sync = [mongo.sync.client, mongo.sync.cluster("archive").client, mongo.cluster("archive").sync.client]
    assert sync[1] is sync[2]
    made = [*sync[:2], *asyncio.run(clients()), *asyncio.run(clients())]
    assert len({id(client) for client in made}) == 6
    assert mongo.sync.client is sync[0]


def test_threads_share_the_client_of_sync_code(mongo: Mongo, connections: Connections) -> None:
    orders, seen, together = orders_of(mongo), [], threading.Barrier(12)

    def handle() -> None:
        together.wait(10)
        assert orders.get("1") == {"_id": "1", "total": 5}
        seen.append(mongo.sync.client)

    threads = [threading.Thread(target=handle) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 12
    assert len({id(client) for client in seen}) == 1
    assert connections.made <= 12


def test_threads_have_loops_and_clients_of_their_own(mongo: Mongo, connections: Connections) -> None:
    orders, found = orders_of(mongo), []

    async def main() -> None:
        found.append((await orders.get_async("1"), id(mongo.client)))

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [document for document, _ in found] == [{"_id": "1", "total": 5}] * 4
    assert connections.made == connections.closed == 4


def test_sync_names_in_async_code_and_the_other_way_round_are_told_apart(
    mongo: Mongo,
) -> None:
    with pytest.raises(ConfigurationError, match=r"mongo\.sync\.db"):
        mongo.db.shop.orders  # noqa: B018 - asking is what is refused
    with pytest.raises(ConfigurationError, match="no event loop"):
        mongo.client  # noqa: B018

    async def wrong() -> Any:
        return orders_of(mongo).get("1")

    with pytest.raises(EventLoopBlocked, match=r"use await Repository\.get_async"):
        asyncio.run(wrong())


# ---- warm starts ---------------------------------------------------------------------------------------------------


def test_warm_invocations_of_an_async_handler_use_the_same_connection(
    mongo: Mongo, connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    orders, clients = orders_of(mongo), set()
    resolver = Resolver()

    @resolver.get("/orders/{id}")
    async def show(id: str) -> Any:
        clients.add(mongo.client)
        return await orders.get_async(id)

    client = TestClient(resolver)
    with caplog.at_level(logging.WARNING):
        for _ in range(20):
            assert client.get("/orders/1").json() == {"_id": "1", "total": 5}
    assert (len(clients), connections.made) == (1, 1)
    # The monitors of AsyncMongoClient are tasks that live as long as it does: nothing that was left behind.
    assert caplog.text == ""
    close_loop()
    assert connections.closed == 1
    assert client.get("/orders/1").status == 200


def test_warm_invocations_of_a_sync_handler_use_the_same_connection(mongo: Mongo, connections: Connections) -> None:
    orders = orders_of(mongo)
    resolver = Resolver()

    @resolver.get("/orders/{id}")
    def show(id: str) -> Any:
        return orders.get(id)

    client = TestClient(resolver)
    assert [client.get("/orders/1").status for _ in range(20)] == [200] * 20
    assert connections.made == 1


# ---- the end -------------------------------------------------------------------------------------------------------


def test_a_loop_that_ends_closes_its_clients(mongo: Mongo, connections: Connections) -> None:
    orders = orders_of(mongo)
    for number in range(1, 4):
        assert asyncio.run(orders.get_async("1")) == {"_id": "1", "total": 5}
        assert (connections.made, connections.closed) == (number, number)


def test_a_closed_mongo_can_be_used_again(mongo: Mongo, connections: Connections) -> None:
    orders = orders_of(mongo)

    async def main() -> None:
        for _ in range(2):
            assert await orders.exists_async("1")
            await mongo.close_async()
            await mongo.close_async()

    for _ in range(2):
        assert orders.exists("1")
        mongo.close()
        mongo.close()
    asyncio.run(main())
    assert orders.exists("1")
    assert (connections.made, connections.closed) == (5, 4)


def test_close_ends_the_clients_of_a_loop_that_does_not_run(mongo: Mongo, connections: Connections) -> None:
    orders = orders_of(mongo)
    resolver = Resolver()

    @resolver.get("/orders/{id}")
    async def show(id: str) -> Any:
        return await orders.get_async(id)

    client = TestClient(resolver)
    for number in (1, 2):
        assert client.get("/orders/1").status == 200
        mongo.close()
        assert (connections.made, connections.closed) == (number, number)


ENDS = """
import asyncio, os, sys
from adapters.mongo import Mongo, MongoSettings, Repository
from router import Resolver
mongo = Mongo(MongoSettings({"main": os.environ["URI"]}, driver=os.environ["DRIVER"]))
orders = Repository(mongo, "orders", database=os.environ["PREFIX"] + "shop", ids="str")
"""


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    "code",
    [
        "asyncio.run(orders.count_async()); asyncio.run(orders.count_async()); orders.count()",
        "orders.count()",
        # The loop of the router lives until the process ends.
        "resolver = Resolver(); resolver.on_invoke('a')(orders_count); resolver.resolve({'action': 'a'})",
        # A loop that was never run to its end.
        "loop = asyncio.new_event_loop(); loop.run_until_complete(orders.count_async()); mongo.close(); loop.close()",
        "resolver = Resolver(); resolver.on_invoke('a')(orders_count); resolver.resolve({'action': 'a'}); sys.exit(0)",
    ],
    ids=["asyncio.run", "sync", "router", "loop", "sys.exit"],
)
def test_a_process_ends_in_silence(ferretdb: FerretDB, driver: str, code: str) -> None:
    handler = "async def orders_count(): return await orders.count_async()\n"
    done = interpreter(f"{ENDS}\n{handler}{code}", URI=ferretdb.uri, DRIVER=driver)
    assert (done.returncode, done.stderr) == (0, "")


# ---- forks ---------------------------------------------------------------------------------------------------------

FORKS = (
    ENDS
    + """
async def handle():
    return {"found": await orders.get_async("1"), "client": id(mongo.client)}
resolver = Resolver()
resolver.on_invoke("show")(handle)
def both():
    answer = resolver.resolve({"action": "show"})
    assert answer["found"] == orders.get("1") == {"_id": "1", "total": 5}, answer
    return answer["client"], id(mongo.sync.client)
before = both()
child = os.fork()
if child == 0:
    mine = both()
    assert both() == mine
    assert not set(mine) & set(before), "the child uses a client of its parent"
    os._exit(7)  # as the children of multiprocessing end
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert both() == before, "the parent lost its clients"
"""
)


@pytest.mark.parametrize("driver", DRIVERS)
def test_parent_and_child_of_a_fork_have_clients_of_their_own(ferretdb: FerretDB, driver: str) -> None:
    with ferretdb.client() as client:
        client[DATABASE]["orders"].replace_one({"_id": "1"}, {"total": 5}, upsert=True)
    # From Python 3.12 on a process with threads is warned of forking. The driver drops its parent's connections.
    options = [option for kind in ("Deprecation", "Resource") for option in ("-W", f"ignore::{kind}Warning")]
    done = interpreter(FORKS, *options, URI=ferretdb.uri, DRIVER=driver)
    assert (done.returncode, done.stderr) == (0, "")


# ---- credentials ---------------------------------------------------------------------------------------------------


def with_credentials(uri: str) -> str:
    """A connection string whose credentials no server here takes."""
    return uri.replace("mongodb://", f"mongodb://{':'.join(CREDENTIALS)}@", 1)


def both_ways(orders: Repository[dict[str, Any]]) -> list[Callable[[], Any]]:
    resolver = Resolver()

    async def asynchronous() -> Any:
        return await orders.get_async("1")

    resolver.on_invoke("get")(asynchronous)
    return [lambda: orders.get("1"), lambda: resolver.resolve({"action": "get"})]


@pytest.mark.parametrize("way", [0, 1], ids=["sync", "async"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_after_refused_credentials_the_function_that_gives_them_is_asked_again(
    ferretdb: FerretDB, driver: str, way: int
) -> None:
    given = [with_credentials(ferretdb.uri), ferretdb.uri]
    asked: list[str] = []

    def secret() -> str:
        asked.append(given[min(len(asked), 1)])
        return asked[-1]

    mongo = Mongo(MongoSettings({"main": Cluster(secret)}, driver=driver))
    get = both_ways(orders_of(mongo))[way]
    with pytest.raises(AccessDenied, match="AuthenticationFailed") as caught:
        get()
    assert not any(secret in str(caught.value) for secret in CREDENTIALS)
    with ferretdb.client() as client:
        client[DATABASE]["orders"].replace_one({"_id": "1"}, {"total": 5}, upsert=True)
    assert get() == get() == {"_id": "1", "total": 5}
    assert asked == given
    close_loop()
    mongo.close()


def test_calls_that_one_wrong_password_lets_fail_ask_for_it_once(ferretdb: FerretDB) -> None:
    asked: list[int] = []

    def secret() -> str:
        asked.append(1)
        return with_credentials(ferretdb.uri)

    mongo = Mongo({"main": Cluster(secret)})
    orders, together, refused = orders_of(mongo), threading.Barrier(8), []

    def handle() -> None:
        together.wait(10)
        # The driver pauses its pool after the first refusal: to those that wait for a connection it is not there.
        with pytest.raises((AccessDenied, ClusterUnavailable)) as caught:
            orders.get("1")
        refused.append(caught.type)

    threads = [threading.Thread(target=handle) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 8
    assert AccessDenied in refused
    # A call that begins after the refusal asks again: on a busy machine one of the eight may be so late.
    assert len(asked) <= 2
    mongo.close()


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_goes_on_with_the_old_credentials_is_not_cut_off(
    ferretdb: FerretDB, driver: str, connections: Connections
) -> None:
    """Connections that were made before a password was changed stay good."""
    with ferretdb.client() as client:
        client[DATABASE]["many"].drop()
        client[DATABASE]["many"].insert_many([{"_id": str(number)} for number in range(300)])
    cluster = Cluster(lambda: ferretdb.uri, options={"event_listeners": [connections]})
    mongo = Mongo(MongoSettings({"main": cluster}, driver=driver))
    many = Repository(mongo, "many", database=DATABASE, ids="str")

    async def main() -> int:
        read = 0
        async for _ in many.find(batch=50):
            read += 1
            if read == 10:
                mongo.clients.renew("main")
                assert await many.count_async() == 300
        await mongo.close_async()
        return read

    read = 0
    for _ in many.find(batch=50):
        read += 1
        if read == 10:
            mongo.clients.renew("main")
            assert many.count() == 300
    mongo.close()
    mongo.clients._state.renewed.clear()
    assert (read, asyncio.run(main())) == (300, 300)
    assert connections.made == connections.closed == 4


def test_a_connection_string_without_a_function_stays_as_it_is(ferretdb: FerretDB) -> None:
    mongo = Mongo(with_credentials(ferretdb.uri))
    orders = orders_of(mongo)
    for _ in range(2):
        with pytest.raises(AccessDenied) as caught:
            orders.get("1")
        assert not any(secret in str(caught.value) for secret in CREDENTIALS)
    mongo.close()


# ---- a cluster that is down ----------------------------------------------------------------------------------------


def let_go(mongo: Mongo) -> None:
    """Close the clients. AsyncMongoClient 4.20 forgets a socket whose connecting is cancelled by that."""
    close_loop()
    mongo.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address where nobody listens: it is bound, and takes no connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize("way", [0, 1], ids=["sync", "async"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_cluster_that_is_down_is_given_up_in_time_and_named(nowhere: str, driver: str, way: int) -> None:
    uri = f"mongodb://{':'.join(CREDENTIALS)}@{nowhere}/?appName=hunter2"
    mongo = Mongo(MongoSettings({"main": "mongodb://x", "archive": Cluster(uri, timeout=0.4)}, driver=driver))
    orders = Repository(mongo, "orders", database=DATABASE, cluster="archive", ids="str")
    started = time.monotonic()
    with pytest.raises(ClusterUnavailable) as caught:
        both_ways(orders)[way]()
    assert time.monotonic() - started < 2
    message = f"mongodb.get {DATABASE}.orders on archive ({nowhere}): no answer (ServerSelectionTimeoutError)"
    assert str(caught.value) == message
    assert caught.value.retryable
    assert caught.value.__context__ is None
    let_go(mongo)


@pytest.mark.parametrize("driver", DRIVERS)
def test_over_http_it_is_a_503_that_tells_nothing(nowhere: str, driver: str, caplog: pytest.LogCaptureFixture) -> None:
    uri = f"mongodb://{':'.join(CREDENTIALS)}@{nowhere}"
    mongo = Mongo(MongoSettings({"main": Cluster(uri, timeout=0.3)}, driver=driver))
    orders = orders_of(mongo)
    resolver = Resolver()

    @resolver.get("/sync")
    def sync() -> Any:
        return orders.find().all()

    @resolver.get("/async")
    async def asynchronous() -> Any:
        return [order async for order in orders.find()]

    for path in ("/sync", "/async"):
        answer = TestClient(resolver).get(path)
        assert answer.json() == {
            "title": "Service Unavailable",
            "status": 503,
            "detail": "the database cannot be reached",
        }
    assert not any(secret in caplog.text for secret in CREDENTIALS)
    let_go(mongo)


@pytest.mark.parametrize("way", [0, 1], ids=["sync", "async"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_that_does_not_answer_is_given_up_in_time(ferretdb: FerretDB, driver: str, way: int) -> None:
    with Wire(ferretdb.uri, hold=(b"find", b"orders")) as wire:
        cluster = Cluster(wire.uri, timeout=1, operation_timeout=0.3)
        mongo = Mongo(MongoSettings({"main": cluster}, driver=driver))
        started = time.monotonic()
        with pytest.raises(ClusterUnavailable, match=r"main \(127\.0\.0\.1:\d+\)"):
            both_ways(orders_of(mongo))[way]()
        assert wire.held.is_set()
        assert time.monotonic() - started < 3
        let_go(mongo)


@pytest.mark.parametrize("way", [0, 1], ids=["sync", "async"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_cluster_that_goes_down_later_is_told_like_one_that_was(ferretdb: FerretDB, driver: str, way: int) -> None:
    with ferretdb.client() as client:
        client[DATABASE]["orders"].replace_one({"_id": "1"}, {"total": 5}, upsert=True)
    with Wire(ferretdb.uri) as wire:
        mongo = Mongo(MongoSettings({"main": Cluster(wire.uri, timeout=0.4)}, driver=driver))
        get = both_ways(orders_of(mongo))[way]
        assert get() == {"_id": "1", "total": 5}
        wire.cut()
        with pytest.raises(ClusterUnavailable, match="main"):
            get()
        let_go(mongo)


def test_a_connection_string_that_is_not_one_is_told_when_it_is_used() -> None:
    for given in ("hunter2", "mongodb://bob:hunter2/x@db"):
        mongo = Mongo({"main": Cluster(lambda given=given: given)})  # type: ignore[misc]
        with pytest.raises(ConfigurationError, match="cluster main") as caught:
            orders_of(mongo).get("1")
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_function_that_gives_the_connection_string_does_not_keep_the_loop_waiting(
    ferretdb: FerretDB, driver: str
) -> None:
    """It may read a secret from another service."""
    callers: list[int] = []

    def uri() -> str:
        callers.append(threading.get_ident())
        return ferretdb.uri

    mongo = Mongo(MongoSettings({"main": Cluster(uri)}, driver=driver))
    asked = Repository(mongo, "asked", database=DATABASE)

    async def main() -> None:
        assert await asked.count_async() == 0
        assert (await mongo.tenant(Session(tenant="acme"))).name == "tenant_acme"
        await mongo.close_async()
        assert (await mongo.tenant(Session(tenant="acme"))).name == "tenant_acme"
        await mongo.close_async()

    asyncio.run(main())
    assert len(callers) == 2  # once for each client
    assert threading.get_ident() not in callers
    assert asked.count() == 0
    assert callers[-1] == threading.get_ident()
    mongo.close()
