"""The figure of tenants: 200 concurrent handlers for 20 tenants, and every document in its tenant's database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from adapters.mongo import Cluster, Mongo, MongoSettings, Repository, TenantList, Tenants, gt
from router import Event, FromRequest, Resolver, Session, SessionPolicy
from router.testing import TestClient, samples
from tests.servers.ferretdb import FerretDB

PREFIX = "apart_"
TENANTS = [f"t{number:02}" for number in range(20)]
HANDLERS = 200


@pytest.fixture
def mongo(ferretdb: FerretDB) -> Iterator[Mongo]:
    ferretdb.drop_databases(PREFIX)
    tenants = Tenants(PREFIX + "{tenant}", known=TenantList("tenants", database=f"{PREFIX}-platform"), cache=0.2)
    settings = MongoSettings({"main": Cluster(ferretdb.uri, connections=30)}, tenants=tenants)
    mongo = Mongo(settings)
    mongo.sync.db[f"{PREFIX}-platform"].tenants.insert_many([{"_id": tenant} for tenant in TENANTS])
    yield mongo
    mongo.close()
    ferretdb.drop_databases(PREFIX)


def application(mongo: Mongo) -> Resolver:
    """Each request does ten operations of its tenant: five writes, five reads."""
    orders = Repository(mongo, "orders", ids="str", stamps=True)
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant", user_header="x-user")))

    def check(found: list[Any], session: Session) -> None:
        for order in found:
            if order is None or (order["owner"], order["created_by"]) != (session.tenant, session.user):
                raise ValueError(f"{session.tenant} got {order}")

    @resolver.post("/async/{id}")
    async def handle(id: str, session: Session) -> Any:
        made = await orders.insert_async({"_id": id, "owner": session.tenant, "n": 0})
        await orders.update_async(id, inc={"n": 1})
        await orders.insert_many_async([{"_id": f"{id}-{more}", "owner": session.tenant, "n": 9} for more in "ab"])
        await orders.update_many_async({"_id": f"{id}-a"}, inc={"n": 1})
        await orders.delete_async(f"{id}-b")
        check([made, await orders.get_async(id), await orders.find_one_async({"_id": id})], session)
        check(await orders.find({"n": gt(0)}, limit=3).all_async(), session)
        check((await orders.find(sort="_id").page_async(2)).items, session)
        if await orders.count_async({"_id": id, "owner": session.tenant}) != 1:
            raise ValueError(f"{session.tenant} does not find {id}")
        return {"tenant": session.tenant}

    @resolver.post("/sync/{id}")
    def handle_sync(id: str, session: Session) -> Any:
        made = orders.insert({"_id": id, "owner": session.tenant, "n": 0})
        check([made, orders.get(id), *orders.find({"n": gt(-1)}, limit=3)], session)
        orders.update(id, inc={"n": 1})
        return {"tenant": session.tenant}

    @resolver.on_queue("orders", concurrency=20)
    async def record(event: Event, session: Session) -> None:
        await orders.insert_async({"_id": event.text, "owner": session.tenant, "n": 0})

    return resolver


def request(number: int, path: str) -> tuple[str, dict[str, Any]]:
    """The tenant and the payload of a request; neighbours are of different tenants."""
    tenant = TENANTS[number % len(TENANTS)]
    headers = {"x-tenant": tenant, "x-user": f"user-of-{tenant}"}
    return tenant, samples.http("POST", f"/{path}/{tenant}-{number}", headers=headers)


def misplaced(ferretdb: FerretDB) -> tuple[Counter[str], list[Any]]:
    """How many documents each tenant has in its database, and those that are in another's, by the driver alone."""
    found: Counter[str] = Counter()
    wrong: list[Any] = []
    with ferretdb.client() as client:
        for database in client.list_database_names():
            for order in client[database]["orders"].find() if database.startswith(PREFIX) else ():
                tenant = database.removeprefix(PREFIX)
                found[tenant] += 1
                if (order["owner"], order["created_by"]) != (tenant, f"user-of-{tenant}"):
                    wrong.append((database, order))
                if not order["_id"].startswith(f"{tenant}-"):
                    wrong.append((database, order))
    return found, wrong


@pytest.mark.timeout(300)  # a minute of work for two cores
def test_20_000_operations_of_200_concurrent_handlers_stay_with_their_tenants(mongo: Mongo, ferretdb: FerretDB) -> None:
    resolver = application(mongo)
    requests = 2000  # of ten operations each

    async def main() -> list[Any]:
        waiting = iter(range(requests))
        answers: list[Any] = []

        async def keep_on() -> None:
            for number in waiting:
                tenant, payload = request(number, "async")
                answers.append((tenant, await resolver.resolve_async(payload)))

        await asyncio.gather(*(keep_on() for _ in range(HANDLERS)))
        return answers

    answers = asyncio.run(main())
    assert len(answers) == requests
    assert all(answer["statusCode"] == 200 and tenant in answer["body"] for tenant, answer in answers)
    found, wrong = misplaced(ferretdb)
    assert wrong == []
    assert found == dict.fromkeys(TENANTS, 2 * requests // len(TENANTS))


def test_sync_handlers_in_threads_stay_with_their_tenants(mongo: Mongo, ferretdb: FerretDB) -> None:
    resolver = application(mongo)
    requests = 400

    def call(number: int) -> Any:
        tenant, payload = request(number, "sync")
        return tenant, resolver.resolve(payload)

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(call, range(requests)))
    assert all(answer["statusCode"] == 200 and tenant in answer["body"] for tenant, answer in answers)
    found, wrong = misplaced(ferretdb)
    assert wrong == []
    assert found == dict.fromkeys(TENANTS, requests // len(TENANTS))


def test_records_of_a_batch_that_run_at_once_stay_with_their_tenants(mongo: Mongo, ferretdb: FerretDB) -> None:
    resolver = application(mongo)

    async def main() -> Any:
        records = []
        for number in range(400):
            tenant = TENANTS[number % len(TENANTS)]
            session: Any = {"tenant": tenant, "user": f"user-of-{tenant}"}
            records.append(samples.sqs_record("orders", f"{tenant}-{number}", session=session, position=number))
        return await resolver.resolve_async({"Records": records})

    assert asyncio.run(main()) == {"batchItemFailures": []}
    found, wrong = misplaced(ferretdb)
    assert wrong == []
    assert found == dict.fromkeys(TENANTS, 400 // len(TENANTS))


def test_a_tenant_that_is_not_known_writes_nowhere(mongo: Mongo, ferretdb: FerretDB) -> None:
    client = TestClient(application(mongo))
    for tenant in ("t20", "admin", "-platform", "../t00", ""):
        answer = client.post("/sync/x", headers={"x-tenant": tenant, "x-user": "eve"})
        assert answer.status in (400, 403)
    assert misplaced(ferretdb) == (Counter(), [])
