"""Databases by name over a real server, in sync and async code: those of clusters, and that of the session's tenant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bson.codec_options import CodecOptions

from adapters.mongo import (
    InvalidRequest,
    InvalidTenant,
    Mongo,
    MongoSettings,
    Repository,
    TenantList,
    TenantMissing,
    Tenants,
    UnknownTenant,
)
from adapters.mongo.mongo_settings import DRIVERS
from router import ConfigurationError, FromRequest, Resolver, Session, SessionPolicy, reset_session, set_session
from router.dispatch.loop import close_loop
from router.testing import TestClient
from tests.servers.ferretdb import FerretDB

PREFIX = "accesstest_"
SHOP = f"{PREFIX}shop"
NAMES = TenantList("tenants", database=f"{PREFIX}platform", field="name")


@pytest.fixture(params=DRIVERS)
def make(ferretdb: FerretDB, request: pytest.FixtureRequest) -> Iterator[Callable[..., Mongo]]:
    """Makes a Mongo with two clusters, and tenants with these options."""
    made: list[Mongo] = []

    def make(**options: Any) -> Mongo:
        clusters = dict.fromkeys(("main", "archive"), ferretdb.uri)
        tenants = Tenants(PREFIX + "t_{tenant}", **options)
        made.append(Mongo(MongoSettings(clusters, driver=request.param, tenants=tenants)))
        return made[-1]

    ferretdb.drop_databases(PREFIX)
    yield make
    close_loop()
    for mongo in made:
        mongo.close()
    ferretdb.drop_databases(PREFIX)


@pytest.fixture(autouse=True)
def _acme() -> Iterator[None]:
    token = set_session(Session("acme"))
    yield
    reset_session(token)


def databases(ferretdb: FerretDB) -> set[str]:
    with ferretdb.client() as client:
        return {name for name in client.list_database_names() if name.startswith(PREFIX)}


def test_collections_are_the_driver_s_own(make: Callable[..., Mongo]) -> None:
    mongo = make()

    async def main() -> Any:
        orders = mongo.db[SHOP].orders
        await orders.insert_one({"_id": 1})
        await mongo.cluster("archive").db[SHOP]["old-orders"].insert_one({"_id": 2})
        return await orders.find({}).to_list(None), await mongo.db[SHOP]["old-orders"].find_one()

    assert asyncio.run(main()) == ([{"_id": 1}], {"_id": 2})
    assert mongo.sync.db[SHOP].orders.find_one() == {"_id": 1}
    assert mongo.sync.cluster("archive").db[SHOP]["old-orders"].find_one() == {"_id": 2}
    assert mongo.cluster("archive").sync.db[SHOP]["old-orders"].count_documents({}) == 1
    assert set(mongo.sync.client[SHOP].list_collection_names()) == {"old-orders", "orders"}


def test_the_driver_s_collections_give_aware_times_and_uuids(make: Callable[..., Mongo]) -> None:
    options: CodecOptions[Any] = make().sync.db[SHOP].codec_options
    assert (options.tz_aware, options.uuid_representation) == (True, 4)


def test_the_tenant_s_database_is_that_of_the_session(make: Callable[..., Mongo], ferretdb: FerretDB) -> None:
    mongo = make()

    async def main() -> list[str]:
        names = [(await mongo.tenant()).name, (await mongo.cluster("archive").tenant()).name]
        names.append((await mongo.tenant(Session("other"))).name)
        await (await mongo.tenant()).orders.insert_one({"_id": 1})
        return names

    assert asyncio.run(main()) == [f"{PREFIX}t_acme", f"{PREFIX}t_acme", f"{PREFIX}t_other"]
    sync = [mongo.sync.tenant(), mongo.sync.cluster("archive").tenant(), mongo.sync.tenant(Session("other"))]
    assert [database.name for database in sync] == [f"{PREFIX}t_acme", f"{PREFIX}t_acme", f"{PREFIX}t_other"]
    assert sync[0].orders.find_one() == {"_id": 1}
    assert databases(ferretdb) == {f"{PREFIX}t_acme"}


@pytest.mark.parametrize(
    ("session", "error"),
    [
        (Session(), TenantMissing),
        (Session(""), TenantMissing),
        (Session(user="ann"), TenantMissing),
        (Session("../admin"), InvalidTenant),
        (Session("$cmd"), InvalidTenant),
        (Session("a.b"), InvalidTenant),
        (Session("Acme"), InvalidTenant),
        (Session("a" * 65), InvalidTenant),
        (Session("acme\0"), InvalidTenant),
    ],
)
def test_without_a_valid_tenant_there_is_no_database(
    make: Callable[..., Mongo], ferretdb: FerretDB, session: Session, error: type[Exception]
) -> None:
    mongo = make()
    orders = Repository(mongo, "orders")
    set_session(session)

    async def main() -> None:
        for call in (mongo.tenant, mongo.cluster("archive").tenant, lambda: orders.insert_async({"a": 1})):
            with pytest.raises(error):
                await call()
        with pytest.raises(error):
            async for _ in orders.find():
                pass

    asyncio.run(main())
    calls: list[Callable[[], Any]] = [
        mongo.sync.tenant,
        mongo.sync.cluster("archive").tenant,
        lambda: orders.insert({"a": 1}),
        lambda: orders.get("5" * 24),
        lambda: orders.find().all(),
        lambda: orders.find().page(),
        lambda: orders.find().count(),
        lambda: orders.aggregate([]).all(),
        lambda: orders.insert_many([{"a": 1}]),
        lambda: next(iter(orders.find())),
    ]
    for call in calls:
        with pytest.raises(error):
            call()
    assert databases(ferretdb) == set()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_over_http_the_client_is_told_what_it_lacks(make: Callable[..., Mongo], asynchronous: bool) -> None:
    orders = Repository(make(known=["acme"]), "orders")
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
    if asynchronous:

        @resolver.get("/orders/{id}")
        async def show(id: str) -> Any:
            return await orders.get_async(id) or {}
    else:

        @resolver.get("/orders/{id}")
        def show_sync(id: str) -> Any:
            return orders.get(id) or {}

    client = TestClient(resolver)
    answers = [
        client.get(f"/orders/{id}", headers={} if tenant is None else {"x-tenant": tenant})
        for id, tenant in (
            ("5" * 24, "acme"),
            ("5" * 24, None),
            ("5" * 24, "../admin"),
            ("5" * 24, "evil"),
            ("x", "acme"),
        )
    ]
    assert [(answer.status, answer.json().get("detail")) for answer in answers] == [
        (200, None),
        (400, "the tenant is missing"),
        (400, "the tenant's name is not valid"),
        (403, "the tenant is not known"),
        (400, "an id of 24 hexadecimal digits is expected"),
    ]


# ---- known tenants -------------------------------------------------------------------------------------------------


def test_tenants_of_a_collection_are_known(make: Callable[..., Mongo]) -> None:
    mongo = make(known=NAMES, cache=3600, least_wait=0)
    listed = mongo.sync.db[NAMES.database][NAMES.collection]
    listed.insert_many([{"name": "acme"}, {"name": 5}, {"other": "evil"}])
    orders = Repository(mongo, "orders")
    assert orders.count() == 0
    set_session(Session("new"))
    with pytest.raises(UnknownTenant):
        orders.count()
    listed.insert_one({"name": "new"})

    async def main() -> Any:
        return await orders.count_async(), (await mongo.tenant()).name

    assert asyncio.run(main()) == (0, f"{PREFIX}t_new")
    listed.delete_many({})
    assert mongo.sync.tenant().name == f"{PREFIX}t_new"  # the list is believed for its time


def test_tenants_of_a_function_are_asked_for_off_the_event_loop(make: Callable[..., Mongo]) -> None:
    def known() -> list[str]:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return ["acme"]

    mongo = make(known=known)

    async def main() -> str:
        name: str = (await mongo.tenant()).name
        return name

    assert asyncio.run(main()) == f"{PREFIX}t_acme"


def test_the_list_of_tenants_may_be_in_another_cluster(make: Callable[..., Mongo]) -> None:
    mongo = make(known=TenantList("tenants", database=NAMES.database, cluster="archive"))
    mongo.sync.cluster("archive").db[NAMES.database].tenants.insert_one({"_id": "acme"})
    assert Repository(mongo, "orders").count() == 0


@pytest.mark.parametrize("known", [None, ["acme", "new", "../x", "admin."], NAMES])
def test_all_tenants_are_those_that_are_known_or_have_a_database(make: Callable[..., Mongo], known: Any) -> None:
    mongo = make(known=known)
    for name in ("acme", "other"):
        mongo.sync.client[f"{PREFIX}t_{name}"].orders.insert_one({})
    mongo.sync.db[NAMES.database][NAMES.collection].insert_many([{"name": "listed"}, {"name": 5}, {"name": "$x"}])
    expected = ["acme", "other"] if known is None else ["listed"] if known is NAMES else ["acme", "new"]
    assert mongo.sync.tenants() == asyncio.run(mongo.tenants()) == expected


@pytest.mark.parametrize("session", [None, "acme", {"tenant": "acme"}])
def test_what_is_no_session_has_no_database(make: Callable[..., Mongo], session: Any) -> None:
    mongo = make()
    with pytest.raises(InvalidRequest, match="takes a Session"):
        mongo.sync.tenant(session)
    with pytest.raises(InvalidRequest, match="takes a Session"):
        asyncio.run(mongo.tenant(session))


def test_a_cluster_that_is_not_there_is_told(make: Callable[..., Mongo]) -> None:
    mongo = make()
    calls: list[Callable[[], Any]] = [lambda: Repository(mongo, "orders", cluster="archvie")]
    calls += [lambda: mongo.cluster("archvie"), lambda: mongo.sync.cluster("archvie")]
    for call in calls:
        with pytest.raises(ConfigurationError, match="main, archive"):
            call()
