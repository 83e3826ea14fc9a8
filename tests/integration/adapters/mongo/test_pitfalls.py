"""What goes wrong elsewhere, each by its number, where it is about data: the same situation over a real server.

What needs no server of each row, and the other rows, are in tests/unit/test_pitfalls.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from adapters.mongo import (
    Cluster,
    Exposed,
    Index,
    Insert,
    Mongo,
    MongoSettings,
    QueryProxy,
    Repository,
    Tenants,
    Update,
    sync_indexes,
)
from adapters.mongo.mongo_settings import DRIVERS
from adapters.tokens import MongoTokenStore, Tokens
from router import (
    Authenticate,
    Body,
    ConfigurationError,
    FromRequest,
    Resolver,
    Session,
    SessionPolicy,
    Signing,
    get_session,
)
from router.dispatch.loop import close_loop
from router.testing import TestClient, samples
from tests.servers.ferretdb import FerretDB

PREFIX = "pitfalls_"
SECRET = "0123456789abcdef0123456789abcdef"
ANN, BOB = {"tenant": "acme", "user": "ann"}, {"tenant": "acme", "user": "bob"}
EVE = {"tenant": "other", "user": "eve"}


@pytest.fixture(params=DRIVERS)
def mongo(ferretdb: FerretDB, request: pytest.FixtureRequest) -> Iterator[Mongo]:
    ferretdb.drop_databases(PREFIX)
    tenants = Tenants(PREFIX + "{tenant}")
    mongo = Mongo(MongoSettings({"main": ferretdb.uri}, driver=request.param, tenants=tenants))
    yield mongo
    close_loop()
    mongo.close()
    ferretdb.drop_databases(PREFIX)


@pytest.fixture
def orders(mongo: Mongo) -> Repository[dict[str, Any]]:
    return Repository(mongo, "orders", ids="str", stamps=True)


def stored(ferretdb: FerretDB) -> dict[str, dict[str, Any]]:
    """By tenant, who made which order; read by the driver alone."""
    with ferretdb.client() as client:
        return {
            name.removeprefix(PREFIX): {order["_id"]: order["created_by"] for order in client[name]["orders"].find()}
            for name in client.list_database_names()
            if name.startswith(PREFIX)
        }


def messages(*sessions: Any) -> dict[str, Any]:
    """SQS messages, one with each session; their texts are their numbers."""
    return {
        "Records": [
            samples.sqs_record("orders", str(number), session=session, message_id=str(number), position=number)
            for number, session in enumerate(sessions)
        ]
    }


def failed(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_1_a_record_without_a_session_never_touches_the_database_of_the_record_before(
    orders: Repository[dict[str, Any]], ferretdb: FerretDB, asynchronous: bool
) -> None:
    resolver = Resolver()
    if asynchronous:

        @resolver.on_queue("orders")
        async def handle(event) -> None:
            await orders.insert_async({"_id": event.text})
    else:

        @resolver.on_queue("orders")
        def handle_sync(event) -> None:
            orders.insert({"_id": event.text})

    assert failed(resolver.resolve(messages(ANN, None, EVE, None))) == ["1", "3"]
    assert failed(resolver.resolve(messages(None))) == ["0"]
    assert stored(ferretdb) == {"acme": {"0": "ann"}, "other": {"2": "eve"}}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_2_what_a_group_of_records_writes_is_stamped_with_the_user_of_each(
    orders: Repository[dict[str, Any]], ferretdb: FerretDB, asynchronous: bool
) -> None:
    resolver = Resolver()
    if asynchronous:

        @resolver.on_queue("orders", batch=True)
        async def handle(events) -> None:
            await orders.insert_many_async([{"_id": event.text} for event in events])
    else:

        @resolver.on_queue("orders", batch=True)
        def handle_sync(events) -> None:
            orders.bulk([Insert({"_id": event.text}) for event in events])

    assert failed(resolver.resolve(messages(ANN, BOB, ANN, EVE))) == []
    assert stored(ferretdb) == {"acme": {"0": "ann", "1": "bob", "2": "ann"}, "other": {"3": "eve"}}


def test_3_neither_documents_nor_sessions_that_are_passed_in_are_changed(
    orders: Repository[dict[str, Any]], ferretdb: FerretDB
) -> None:
    shared = {"lines": [{"article": "tea"}], "created_by": "x"}
    changes: Any = {"set": {"lines": [{"article": "salt"}]}, "inc": {"n": 1}}
    payload = messages(ANN, BOB)
    before = deepcopy((shared, changes, payload))
    resolver = Resolver()

    @resolver.on_queue("orders")
    def handle(event) -> None:
        made = orders.insert(shared)
        made["lines"][0]["article"] = "sugar"
        orders.insert_many([shared, shared])
        orders.bulk([Insert(shared), Update(made["_id"], **changes)])
        orders.update(made["_id"], **changes)
        orders.replace({**shared, "_id": made["_id"]})

    assert failed(resolver.resolve(payload)) == []
    assert (shared, changes, payload) == before
    assert sorted(stored(ferretdb)["acme"].values()) == ["ann"] * 4 + ["bob"] * 4


def test_4_a_session_that_was_read_at_import_is_nobody_s(
    mongo: Mongo, orders: Repository[dict[str, Any]], ferretdb: FerretDB
) -> None:
    at_import, selection_at_import = get_session(), orders.find()
    resolver = Resolver()

    @resolver.on_invoke("insert")
    async def insert(event) -> None:
        await orders.insert_async({"_id": event.json()["id"]})

    @resolver.on_invoke("old")
    async def old() -> Any:
        return [order async for order in selection_at_import]

    client = TestClient(resolver)
    client.invoke("insert", {"id": "1"}, session=ANN)
    client.invoke("insert", {"id": "2"}, session=EVE)
    for call in (lambda: client.invoke("insert", {"id": "3"}), lambda: client.invoke("old", session=ANN)):
        with pytest.raises(Exception, match="the session has none"):
            call()
    with pytest.raises(Exception, match="the session has none"):
        mongo.sync.tenant(at_import)
    assert stored(ferretdb) == {"acme": {"1": "ann"}, "other": {"2": "eve"}}


# ---- authentication ------------------------------------------------------------------------------------------------


def guarded(mongo: Mongo, orders: Repository[dict[str, Any]], **options: Any) -> tuple[TestClient, Tokens]:
    """Orders behind tokens that are in a collection."""
    tokens = Tokens(MongoTokenStore(mongo, database=f"{PREFIX}-auth"), cache=0)
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant", user_header="x-user")))
    resolver.use(Authenticate(tokens, **options))

    @resolver.post("/orders/{id}")
    def insert(id: str) -> Any:
        return orders.insert({"_id": id})

    return TestClient(resolver), tokens


def test_5_authentication_fails_closed_and_a_typo_in_its_mode_is_refused_at_start(
    mongo: Mongo, orders: Repository[dict[str, Any]], ferretdb: FerretDB
) -> None:
    for mode in ("ful", "FULL", "", "none", None, True):
        with pytest.raises(ConfigurationError):
            guarded(mongo, orders, mode=mode)
    client, tokens = guarded(mongo, orders)
    issued = tokens.issue("ann", ["acme"], expires_in=60)
    forged = {"x-tenant": "acme", "x-user": "ann"}
    assert client.post("/orders/1", headers=forged).status == 401
    own = {"authorization": f"Bearer {issued.token}"}
    assert client.post("/orders/2", headers=own).status == 200
    assert client.post("/orders/3", headers={**own, "x-tenant": "other", "x-user": "eve"}).status in (401, 403)
    assert stored(ferretdb)["acme"] == {"2": "ann"}
    tokens.revoke(issued.id)
    assert client.post("/orders/4", headers=own).status == 401

    down = Mongo({"main": Cluster("mongodb://127.0.0.1:1", timeout=0.2)})
    client, _ = guarded(down, orders)
    assert client.post("/orders/5", headers=own).status == 503
    down.close()
    assert {tenant for tenant, found in stored(ferretdb).items() if found} <= {"acme", "-auth"}
    assert stored(ferretdb)["acme"] == {"2": "ann"}


def test_6_a_token_is_stored_as_a_hash_and_compared_in_constant_time(
    mongo: Mongo, orders: Repository[dict[str, Any]], ferretdb: FerretDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, tokens = guarded(mongo, orders)
    issued = tokens.issue("ann", ["acme"], expires_in=timedelta(minutes=1))
    secret = issued.token.rpartition(".")[2]
    with ferretdb.client() as direct:
        document = direct[f"{PREFIX}-auth"]["tokens"].find_one()
    assert secret not in str(document)

    import hmac

    compared: list[Any] = []
    compare = hmac.compare_digest

    def counted(ours: Any, theirs: Any) -> bool:
        compared.append(ours)
        return compare(ours, theirs)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    for token, status in (
        (issued.token, 200),
        (f"{issued.token[:-1]}{'A' if issued.token[-1] != 'A' else 'B'}", 401),
        (f"jn_{issued.id}.{'A' * len(secret)}", 401),
        (f"jn_{'0' * len(issued.id)}.{secret}", 401),
        (json.dumps({"$ne": None}), 401),
    ):
        before = len(compared)
        assert client.post(f"/orders/{status}", headers={"authorization": f"Bearer {token}"}).status == status
        assert len(compared) > before or token.startswith("{")


# ---- the query proxy -----------------------------------------------------------------------------------------------


def test_7_a_query_from_outside_never_leaves_the_tenant_s_database(
    mongo: Mongo, orders: Repository[dict[str, Any]], ferretdb: FerretDB
) -> None:
    with ferretdb.client() as client:
        for tenant in ("acme", "other"):
            client[PREFIX + tenant]["orders"].insert_one({"_id": f"of-{tenant}", "n": 1, "card": f"secret-{tenant}"})
        client[PREFIX + "other"]["vault"].insert_one({"_id": 1, "card": "secret-vault"})
    proxy = QueryProxy({"orders": Exposed(orders, ("_id", "n"))})
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))

    @resolver.post("/find")
    def find(query: Body[dict[str, Any]]) -> Any:
        return proxy.find(query).items

    @resolver.post("/aggregate")
    async def aggregate(query: Body[dict[str, Any]]) -> Any:
        return await proxy.aggregate_async(query)

    outside = TestClient(resolver)
    headers = {"x-tenant": "acme"}
    assert outside.post("/find", json={"collection": "orders"}, headers=headers).json() == [{"_id": "of-acme", "n": 1}]
    count = {"collection": "orders", "pipeline": [{"$count": "n"}]}
    assert outside.post("/aggregate", json=count, headers=headers).json() == [{"n": 1}]
    pipelines: list[dict[str, Any]] = [
        {"$out": "stolen"},
        {"$merge": {"into": {"db": f"{PREFIX}other", "coll": "stolen"}}},
        {"$lookup": {"from": "vault", "pipeline": [], "as": "n"}},
        {"$unionWith": "vault"},
        {"$project": {"n": "$card"}},
        {"$addFields": {"n": "$$ROOT.card"}},
        {"$group": {"_id": "$card"}},
        {"$match": {"$where": "true"}},
        {"$match": {"card": {"$regex": "^s"}}},
    ]
    refused: list[tuple[str, dict[str, Any]]] = [
        ("/aggregate", {"collection": "orders", "pipeline": [stage]}) for stage in pipelines
    ]
    refused += [
        ("/find", {"collection": "orders", "database": f"{PREFIX}other"}),
        ("/find", {"collection": "orders", "tenant": "other"}),
        ("/find", {"collection": "vault"}),
        ("/find", {"collection": f"{PREFIX}other.orders"}),
        ("/find", {"collection": "orders", "filter": {"$where": "true"}}),
        ("/find", {"collection": "orders", "filter": {"card": {"$gt": "secret"}}}),
        ("/find", {"collection": "orders", "projection": {"card": 1}}),
        ("/find", {"collection": "orders", "projection": {"n": "$card"}}),
        ("/find", {"collection": "orders", "sort": ["card"]}),
    ]
    for path, query in refused:
        answer = outside.post(path, json=query, headers=headers)
        assert (answer.status, "secret-" in answer.text) == (400, False), query
    assert outside.post("/find", json={"collection": "orders"}).status == 400
    with ferretdb.client() as direct:
        assert set(direct[PREFIX + "other"].list_collection_names()) == {"orders", "vault"}
        assert direct[PREFIX + "acme"].list_collection_names() == ["orders"]


# ---- credentials and sessions --------------------------------------------------------------------------------------


def test_8_clients_with_other_credentials_or_options_are_never_shared(ferretdb: FerretDB) -> None:
    wrong = ferretdb.uri.replace("mongodb://", "mongodb://eve:guess@", 1)
    quick = Cluster(ferretdb.uri, options={"appname": "quick"})
    one = Mongo({"main": ferretdb.uri, "quick": quick, "same": ferretdb.uri, "wrong": wrong})
    other = Mongo({"main": ferretdb.uri})
    try:
        clients = [one.sync.client, other.sync.client]
        clients += [one.sync.cluster(name).client for name in ("quick", "same", "wrong")]
        assert len({id(client) for client in clients}) == len(clients)
        # What the first has opened already does not open for the one whose credentials are refused.
        for mongo, cluster, opens in (
            (one, "main", True),
            (one, "wrong", False),
            (one, "main", True),
            (other, "main", True),
        ):
            orders = Repository(mongo, "orders", database=f"{PREFIX}shop", cluster=cluster)
            if opens:
                assert orders.count() == 0
            else:
                with pytest.raises(Exception, match="AuthenticationFailed"):
                    orders.count()
    finally:
        one.close()
        other.close()


def test_9_a_session_that_is_not_signed_never_reaches_a_tenant_s_database(
    orders: Repository[dict[str, Any]], ferretdb: FerretDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = SessionPolicy(signing=Signing(SECRET, max_age=60))
    resolver = Resolver(session=policy)

    @resolver.on_queue("orders")
    async def handle(event) -> None:
        await orders.insert_async({"_id": event.text})

    signed = policy.seal(json.dumps(ANN))
    forged = SessionPolicy(signing=Signing("another" * 8)).seal(json.dumps(EVE))
    sent = messages(signed, json.dumps(EVE), signed.replace("acme", "other"), forged, EVE, None)
    assert failed(resolver.resolve(sent)) == ["1", "2", "3", "4", "5"]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert failed(resolver.resolve(messages(signed))) == ["0"]
    assert stored(ferretdb) == {"acme": {"0": "ann"}}
    assert get_session() == Session()


# ---- indexes -------------------------------------------------------------------------------------------------------


def test_15_a_create_that_fails_in_one_tenant_drops_nothing_in_any_and_fails(mongo: Mongo, ferretdb: FerretDB) -> None:
    with ferretdb.client() as client:
        for tenant in ("acme", "other"):
            client[PREFIX + tenant]["invoices"].create_index("old_number", name="old_number")
        client[PREFIX + "other"]["invoices"].insert_many([{"number": 1}, {"number": 1}])
        invoices = Repository(mongo, "invoices", indexes=[Index("number", unique=True, name="number_once")])

        def names(tenant: str) -> set[str]:
            return set(client[PREFIX + tenant]["invoices"].index_information())

        report = sync_indexes([invoices], prune=True)
        assert (report.ok, report.exit_code) == (False, 1)
        assert "old_number" in names("acme") & names("other")
        client[PREFIX + "other"]["invoices"].delete_one({"number": 1})
        report = sync_indexes([invoices], prune=True)
        assert (report.ok, report.exit_code) == (True, 0)
        assert names("acme") == names("other") == {"_id_", "number_once"}
