"""A fleet of which half has moved: aws-python-helper and this library send to each other, session and all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.aws import Aws
from adapters.ecs import Ecs
from adapters.http import ServiceFailed, Services
from adapters.lambda_invoke import FunctionFailed, Invoker
from adapters.sns import Sns
from adapters.sqs import Sqs
from router import (
    Auth,
    Event,
    FromRequest,
    LegacySessions,
    Resolver,
    Session,
    SessionPolicy,
    Signing,
    SuccessAnswers,
)
from router.guards import Bypass
from router.testing import samples
from tests.integration.adapters.old_services import VERSIONS, OldService
from tests.integration.adapters.places import aws_of, make_queue, make_topic
from tests.integration.adapters.serving import running
from tests.servers.ferretdb import FerretDB
from tests.servers.moto import MotoServer

ANN = {"_id": "ann", "email": "ann@example.com", "role": "admin"}
SESSIONS: dict[str, tuple[dict[str, Any], Session]] = {
    "nobody": ({}, Session()),
    "a state": ({"state": "acme"}, Session("acme")),
    "a state and a user": (
        {"state": "acme", "user": ANN},
        Session("acme", "ann", {"email": "ann@example.com", "role": "admin"}),
    ),
}
MESSAGES = {"0.33.0": "json", "1.15.3": "base64"}


def policy_of(version: str, **options: Any) -> SessionPolicy:
    """The setting of services that have moved, while consumers of this version are left."""
    write = {"message": MESSAGES[version], "task": "json", "invoke": "json"}
    return SessionPolicy(legacy=LegacySessions(body_fields="constitution_state", write=write), **options)


def same(session: Session, other: Session) -> bool:
    return (session.tenant, session.user, session.claims) == (other.tenant, other.user, other.claims)


@pytest.fixture
def aws(moto: MotoServer) -> Iterator[Aws]:
    aws = aws_of(moto)
    yield aws
    aws.close()


@pytest.fixture(params=VERSIONS)
def old(request: pytest.FixtureRequest, tmp_path: Path, moto: MotoServer) -> OldService:
    return OldService(request.param, tmp_path, AWS_ENDPOINT_URL=moto.url)


def records_of(aws: Aws, queue: str) -> list[Any]:
    """The records that Lambda would hand over, in the order in which they were sent."""
    received = []
    while records := Sqs(aws).receive(queue, wait=0):
        Sqs(aws).delete_many(queue, records)
        received += records
    return sorted(received, key=lambda record: int(record["attributes"]["SentTimestamp"]))


# ---- messages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("whose", SESSIONS)
def test_what_an_old_service_publishes_is_handled_for_its_owner(
    aws: Aws, old: OldService, whose: str, raw: bool
) -> None:
    _, queue = make_queue(aws, "orders")
    topic = make_topic(aws, "order-events", queue, raw=raw)
    given, expected = SESSIONS[whose]
    old("publish", topic=topic, session=given, content={"id": 7})
    resolver, seen = Resolver(session=policy_of(old.version)), []

    @resolver.on_queue("orders", topics=["order-events"])
    def order(event: Event, session: Session) -> None:
        seen.append((event.json(), session))

    assert resolver.resolve({"Records": records_of(aws, "orders")}) == {"batchItemFailures": []}
    ((body, session),) = seen
    assert body == {"id": 7}
    assert same(session, expected)


def test_a_legacy_body_names_its_tenant_to_both(aws: Aws, old: OldService) -> None:
    make_queue(aws, "orders")
    Sqs(aws).send("orders", {"constitution_state": "acme"}, session=None)
    records, seen = records_of(aws, "orders"), []
    resolver = Resolver(session=policy_of(old.version))
    resolver.on_queue("orders")(lambda event: seen.append(event.session.tenant))
    assert resolver.resolve({"Records": records}) == {"batchItemFailures": []}
    assert seen == ["acme"]
    _, theirs = old("consume", event={"Records": records})
    assert [one["state"] for one in theirs] == ["acme" if old.version == "0.33.0" else None]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("whose", SESSIONS)
def test_what_a_moved_service_publishes_is_handled_for_its_owner_by_both(
    aws: Aws, old: OldService, whose: str, signed: bool
) -> None:
    _, queue = make_queue(aws, "orders")
    make_topic(aws, "order-events", queue)
    policy = policy_of(old.version, signing=Signing("s" * 32) if signed else None)
    given, session = SESSIONS[whose]
    sns = Sns(aws, policy=policy)
    sns.publish("order-events", {"id": 1}, session=Session("globex", "bob"))  # whose the next one must not be
    sns.publish("order-events", {"id": 2}, session=session)
    records = records_of(aws, "orders")
    result, theirs = old("consume", event={"Records": records})
    assert result["failed"] == 0
    by_id = {one["content"]["id"]: one for one in theirs}
    assert by_id[1]["state"] == "globex"
    assert (by_id[2]["state"], by_id[2]["user"]) == (given.get("state"), given.get("user"))
    resolver, ours = Resolver(session=policy), {}

    @resolver.on_queue("orders", topics=["order-events"])
    def order(event: Event, session: Session) -> None:
        ours[event.json()["id"]] = session

    assert resolver.resolve({"Records": records}) == {"batchItemFailures": []}
    assert same(ours[2], session)


def test_each_publisher_writes_what_its_consumers_read(aws: Aws, tmp_path: Path, moto: MotoServer) -> None:
    policy = policy_of("1.15.3")
    for version, publisher in (
        ("1.15.3", Sns(aws, policy=policy)),
        ("0.33.0", Sns(aws, policy=policy.with_legacy(LegacySessions(write={"message": "json"})))),
    ):
        old = OldService(version, tmp_path, AWS_ENDPOINT_URL=moto.url)
        queue_name = f"orders-{version.partition('.')[0]}"
        _, queue = make_queue(aws, queue_name)
        make_topic(aws, f"events-{queue_name}", queue)
        publisher.publish(f"events-{queue_name}", {"id": 1}, session=SESSIONS["a state and a user"][1])
        _, (seen,) = old("consume", event={"Records": records_of(aws, queue_name)})
        assert (seen["state"], seen["user"]) == ("acme", ANN)


# ---- tasks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", SESSIONS)
def test_a_task_that_an_old_service_starts_runs_for_its_owner(old: OldService, whose: str) -> None:
    given, expected = SESSIONS[whose]
    environment, _ = old("start", session=given)
    resolver, seen = Resolver(session=policy_of(old.version)), []
    resolver.on_task("nightly")(lambda event: seen.append((event.session, event.raw["CITY"])))
    assert resolver.run_task(environment) == 0
    ((session, city),) = seen
    assert city == "Berlin"
    assert same(session, expected)


@pytest.mark.parametrize("whose", SESSIONS)
def test_a_task_that_a_moved_service_starts_runs_for_its_owner(
    aws: Aws, old: OldService, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, session = SESSIONS[whose]
    policy = policy_of(old.version)
    ecs = Ecs(aws, subnets=["subnet"], policy=policy)
    request = ecs._request("nightly", {"CITY": "Berlin"}, None, None, session, traced=True)
    code, seen = old("run", environment=request["environment"])
    if whose == "nobody":
        assert (code, seen) == (1, [])  # it wants a session, and says so
        return
    assert code == 0
    assert seen == [{"state": given["state"], "user": given.get("user"), "content": "Berlin"}]
    resolver, ours = Resolver(session=policy), []
    resolver.on_task("nightly")(lambda event: ours.append(event.session))
    assert resolver.run_task(request["environment"]) == 0
    assert same(ours[0], session)


# ---- direct invokes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", SESSIONS)
def test_an_old_caller_gets_the_answer_that_it_knows(whose: str) -> None:
    given, expected = SESSIONS[whose]
    resolver, seen = Resolver(session=policy_of("1.15.3")), []
    resolver.use(SuccessAnswers())

    @resolver.on_invoke("*")
    def billing(event: Event, session: Session) -> dict[str, Any]:
        seen.append((event.json(), session))
        return {"charged": event.json()["id"]}

    payload = {"session": given, "data": {"id": 7}}
    assert resolver.resolve(payload) == {"success": True, "data": {"charged": 7}}
    assert same(seen[0][1], expected)
    assert resolver.resolve({"data": {"id": 8}}) == {"success": True, "data": {"charged": 8}}
    failed = resolver.resolve({"session": given, "data": {}})
    assert (failed["success"], failed["error_type"]) == (False, "KeyError")


def test_an_old_function_runs_for_its_owner_and_its_failure_is_one(
    aws: Aws, old: OldService, ferretdb: FerretDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.environment["MONGO_DB_URI"] = ferretdb.uri
    with ferretdb.client() as mongo:
        mongo["core"]["states"].update_one({"name": "acme"}, {"$set": {"is_active": True}}, upsert=True)
    invoker = Invoker(aws, policy=policy_of(old.version), success_field="success")
    seen = []

    def invoke(**request: Any) -> Any:
        answer, theirs = old("call", payload=json.loads(request["Payload"]))
        seen.extend(theirs)
        return {"Payload": Payload(answer)}

    monkeypatch.setattr(aws, "client", lambda *names, **options: Client(invoke))
    session = SESSIONS["a state and a user"][1]
    assert invoker.invoke("billing", data={"id": 7}, session=session) == {"charged": 7}
    assert [(one["state"], one["user"], one["content"]) for one in seen] == [("acme", ANN, {"id": 7})]
    with pytest.raises(FunctionFailed, match="id is required"):
        invoker.invoke("billing", data={"no": 7}, session=session)
    with pytest.raises(FunctionFailed, match="'session' with 'state' is required"):
        invoker.invoke("billing", data={"id": 7}, session=Session())


class Client:
    """A client of Lambda that has the old function at hand."""

    def __init__(self, invoke: Any) -> None:
        self.invoke = invoke


class Payload:
    def __init__(self, answer: Any) -> None:
        self.read = lambda: json.dumps(answer).encode()


# ---- requests ------------------------------------------------------------------------------------------------------

SERVICE_TOKEN = "between-services-0123456789abcdef0123456789"


def test_an_old_client_is_let_in_by_its_token_and_its_header(tmp_path: Path) -> None:
    old = OldService("1.15.3", tmp_path, AUTH_BYPASS_TOKEN=SERVICE_TOKEN)
    request = FromRequest(tenant_header="constitution-state")
    resolver = Resolver(session=policy_of("1.15.3", request=request), auth=Auth(Bypass(SERVICE_TOKEN), mode="tenant"))

    @resolver.get("/orders")
    def orders(session: Session) -> dict[str, Any]:
        return {"tenant": session.tenant}

    with running(resolver) as url:
        answer, _ = old("client", url=url, path="orders", headers={"constitution-state": "acme"})
    assert answer == {"tenant": "acme"}


def test_an_old_api_lets_a_moved_service_in(tmp_path: Path, ferretdb: FerretDB) -> None:
    with ferretdb.client() as mongo:
        mongo["core"]["states"].update_one({"name": "acme"}, {"$set": {"is_active": True}}, upsert=True)
    environment = {"AUTH_BYPASS_TOKEN": SERVICE_TOKEN, "AUTHORIZATION": "full", "MONGO_DB_URI": ferretdb.uri}
    old, sent = OldService("1.15.3", tmp_path, **environment), []

    def deliver(request: httpx.Request) -> httpx.Response:
        event = samples.rest(request.method, request.url.path, headers=dict(request.headers))
        answer, seen = old("request", event=event)
        sent.extend(seen)
        return httpx.Response(answer["statusCode"], content=answer["body"])

    services = Services(
        {"old": "https://old.internal"},
        token=lambda: SERVICE_TOKEN,
        tenant_header="constitution-state",
        transport=httpx.MockTransport(deliver),
    )
    assert services.get("old", "orders", session=Session("acme", "bob")).json() == {"orders": []}
    assert [one["state"] for one in sent] == ["acme"]
    with pytest.raises(ServiceFailed) as failed:
        services.get("old", "orders", session=None)
    assert failed.value.status == 400
