"""A verb for sync code on a running event loop is refused, and names what to await; every verb of every adapter."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import io
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest

import adapters
from adapters.alerts import Alerts
from adapters.aws import Settings
from adapters.bedrock import Bedrock
from adapters.circuits import CircuitTable
from adapters.cognito import AppClient, Challenge, UserPool
from adapters.dynamodb import Put, Table
from adapters.ecs import Ecs
from adapters.environment import UseTable
from adapters.errors import EventLoopBlocked
from adapters.eventbridge import Bus
from adapters.http import Services
from adapters.idempotency import IdempotencyTable
from adapters.lambda_invoke import Invoker
from adapters.messaging import Queue, Topic
from adapters.mongo import Exposed, Mongo, MongoSettings, QueryProxy, Repository, sync_indexes
from adapters.offload import Offload
from adapters.parameters import Parameters
from adapters.rate_limits import RateLimitTable
from adapters.redis import Redis, RedisBuckets, RedisStore
from adapters.s3 import S3
from adapters.sns import Sns
from adapters.sqs import Sqs
from adapters.stepfunctions import StepFunctions
from adapters.tokens import DynamoDBTokenStore, ExistingTokens, MongoTokenStore, Tokens
from adapters.usage import UsageTable
from adapters.websocket import Connections, TrackConnections
from router import ALL_TENANTS, ConfigurationError, QueueEvent, Resolver, Session
from router.idempotency import Claim
from router.testing import TestClient
from tests.unit.adapters.dynamodb.samples import Order, User
from tests.unit.adapters.fakes import SETTINGS, FakeClient, fake_aws


def made(mode: str = "error") -> list[Any]:
    """An adapter of each class; those of AWS share a client that has no answers, so that whatever calls it fails."""
    aws = fake_aws({}, settings=SETTINGS.replace(blocking=mode))
    mongo = Mongo(MongoSettings({"main": "mongodb://127.0.0.1:1"}, blocking=mode))
    orders = Repository(mongo, "orders", dict)
    redis = Redis("redis://127.0.0.1:1", blocking=mode)
    table = Table("users", [User, Order], aws=aws)
    return [
        aws,
        AppClient(aws, client_id="c"),
        Bedrock(aws, model="m"),
        Bus(aws, source="shop"),
        CircuitTable(aws),
        Ecs(aws, task_definition="app", container="main", subnets=["s"]),
        IdempotencyTable(aws),
        Invoker(aws),
        Offload("bodies", aws=aws),
        Parameters(aws),
        RateLimitTable(aws),
        UsageTable(aws),
        Queue("orders", sqs=Sqs(aws)),
        RedisBuckets(redis),
        RedisStore(redis),
        S3(aws, bucket="b"),
        Sns(aws),
        Sqs(aws),
        StepFunctions(aws),
        Topic("events", sns=Sns(aws)),
        Connections(aws),
        TrackConnections(Connections(aws)),
        UseTable(aws),
        UserPool(aws, pool="eu-west-1_a"),
        table,
        table.query(Order, "u1"),
        Services({"billing": "https://billing.internal"}, blocking=mode),
        orders,
        orders.find({}),
        Tokens(MongoTokenStore(mongo)),
        MongoTokenStore(mongo),
        ExistingTokens(mongo, tenants=ALL_TENANTS),
        DynamoDBTokenStore(aws),
        QueryProxy({"orders": Exposed(orders, fields=["total"])}),
    ]


# These ask themselves whether a loop runs, or take the steps of a verb that was asked already.
ASK_THEMSELVES = {("Sqs", "delay"), ("Mongo", "close"), ("Clients", "close"), ("Access", "run"), ("Aws", "run")}
ASK_THEMSELVES |= {("Redis", "close"), ("Redis", "run")}
# asyncio itself refuses to run a worker on a running loop.
ASK_THEMSELVES |= {("Worker", "run")}


def verbs_of(adapter: Any) -> list[str]:
    names = [name for name in dir(adapter) if not name.startswith("_") and hasattr(type(adapter), f"{name}_async")]
    return [name for name in names if (type(adapter).__name__, name) not in ASK_THEMSELVES]


KINDS = [type(adapter).__name__ for adapter in made()]
OFFLOAD, TABLE, REPOSITORY = (KINDS.index(name) for name in ("Offload", "Table", "Repository"))
SELECTION, RESULTS = (position for position, name in enumerate(KINDS) if name == "Selection")
VERBS = [(position, verb) for position, adapter in enumerate(made()) for verb in verbs_of(adapter)]


# A verb is refused before it does anything, but after its arguments were looked at.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "AppClient.respond": (Challenge("SMS_MFA", {}, "ann", "s"), {"SMS_MFA_CODE": "1"}),
    "Aws.call": ("sqs", "list_queues"),
    "Bus.publish": ("Made", {}),
    "Bus.publish_many": ([],),
    "Ecs.run_tasks": ("nightly", 2),
    "Offload.fetch": ({},),
    "RedisBuckets.take": ("k", 1.0, 0.0, 0.0),
    "RedisStore.begin": ("k", Claim("o", "", 0.0, 1.0, 2.0)),
    "RedisStore.finish": ("k", "o", b"{}"),
    "S3.set_tags": ("k", {}),
    "S3.delete_many": (["k"],),
    "S3.presign_put": ("k",),
    "S3.upload": ("k", [b"x"]),
    "Sqs.change_visibility": ("orders", ["handle"], 5),
    "Table.batch_get": ([(User, "u1")],),
    "Table.get": (User, "u1"),
    "Table.put": (User("u1"),),
    "Table.create": (User("u1"),),
    "Table.update": (User, "u1"),
    "Table.delete": (User, "u1"),
    "Table.transact_write": (Put(User("u1")),),
    "QueryProxy.find": ({"collection": "orders"},),
    "QueryProxy.aggregate": ({"collection": "orders"},),
    "Tokens.issue": ("ann",),
    "UserPool.update": ("ann", {"name": "Ann"}),
    "Repository.bulk": ([],),
    "Repository.update": ("o1",),
    "Repository.update_many": ({"total": 1},),
}
NAMED: dict[str, dict[str, Any]] = {
    "Connections.find": {"everyone": True},
    "Connections.broadcast": {"everyone": True},
    "Bedrock.apply_guardrail": {"guardrail": "g"},
    "Bedrock.invoke_agent": {"conversation": "c"},
    "Tokens.issue": {"expires_in": 60},
    "Tokens.revoke_all": {"user": "ann"},
    "Repository.update": {"set": {"total": 1}},
    "Repository.update_many": {"set": {"total": 1}},
    "S3.presign_put": {"content_type": "text/plain", "size": 1},
    "Table.update": {"set": {"name": "Ann"}},
}


def call(adapter: Any, verb: str) -> Any:
    function, name = getattr(adapter, verb), f"{type(adapter).__name__}.{verb}"
    needed = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD
    ]
    return function(*ARGUMENTS.get(name, ("x",) * len(needed)), **NAMED.get(name, {}))


async def on_a_loop(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def test_each_class_with_a_twin_is_looked_at() -> None:
    """So that a new adapter, or a new verb of one, cannot be forgotten here."""
    looked_at = {one for adapter in made() for one in type(adapter).__mro__} | {Mongo}
    missed = []
    for module in pkgutil.walk_packages(adapters.__path__, "adapters."):
        for name, kind in vars(importlib.import_module(module.name)).items():
            if not inspect.isclass(kind) or kind.__module__ != module.name or kind in looked_at:
                continue
            twins = [one for one in vars(kind) if not one.startswith("_") and hasattr(kind, f"{one}_async")]
            missed += [f"{name}.{one}" for one in twins if (name, one) not in ASK_THEMSELVES]
    assert missed == []


@pytest.mark.parametrize(("position", "verb"), VERBS, ids=[f"{type(made()[at]).__name__}.{verb}" for at, verb in VERBS])
def test_a_verb_on_a_loop_is_refused_and_its_twin_named(position: int, verb: str) -> None:
    adapter = made()[position]
    name = f"{type(adapter).__name__}.{verb}"
    with pytest.raises(EventLoopBlocked) as raised:
        asyncio.run(on_a_loop(call, adapter, verb))
    assert f"{name} blocks the event loop; use " in str(raised.value)
    assert f"{name}_async(...)" in str(raised.value)


@pytest.mark.parametrize(
    ("function", "instead"),
    [
        (lambda: list(made()[SELECTION]), "`async for`"),
        (lambda: list(made()[RESULTS]), "`async for`"),
        (made()[TABLE].create_table, "asyncio.to_thread"),
        (lambda: made()[OFFLOAD].store("x"), "asyncio.to_thread"),
        (made()[REPOSITORY].mongo.sync.tenants, r"await mongo\.tenants\(\)"),
        (lambda: made()[REPOSITORY].mongo.sync.tenant(Session(tenant="acme")), r"await mongo\.tenant\(\)"),
        (lambda: sync_indexes([made()[REPOSITORY]]), "asyncio.to_thread"),
    ],
)
def test_what_has_no_twin_of_its_name(function: Callable[[], Any], instead: str) -> None:
    with pytest.raises(EventLoopBlocked, match=rf"blocks the event loop; use .*{instead}"):
        asyncio.run(on_a_loop(function))


def test_a_setting_makes_it_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    client = FakeClient(send_message={"MessageId": "m"})
    sqs = Sqs(fake_aws({"sqs": client}, settings=SETTINGS.replace(blocking="warn")))
    assert asyncio.run(on_a_loop(sqs.send, "orders", "x")) == "m"
    assert caplog.messages == ["Sqs.send blocks the event loop; use await Sqs.send_async(...)"]


@pytest.mark.parametrize("position", range(len(made())), ids=[type(adapter).__name__ for adapter in made()])
def test_each_adapter_has_the_setting(position: int) -> None:
    adapters = made()[position], made("warn")[position]
    assert [getattr(one, "redis", one)._blocking for one in adapters] == ["error", "warn"]


def test_the_setting_comes_from_the_environment() -> None:
    environ = {"JUNCTION_BLOCKING": "warn", "MONGODB_URI": "mongodb://127.0.0.1"}
    assert Settings.from_env(environ).blocking == MongoSettings.from_env(environ).blocking == "warn"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Settings(blocking="ignore"),
        lambda: MongoSettings({"main": "mongodb://127.0.0.1"}, blocking="ignore"),
        lambda: Services({"a": "https://a.internal"}, blocking="ignore"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError, match=r'\(blocking=\'ignore\'\): use "error" or "warn"'):
        make()


class TestInHandlers:
    """A `def` handler may run on a loop, as its neighbours are async: it cannot await, so it is only told."""

    def application(self, sqs: Sqs) -> Resolver:
        resolver = Resolver()

        @resolver.on_queue("plain")
        def plain(event: QueueEvent) -> None:
            sqs.send("orders", event.text)

        @resolver.on_queue("async")
        async def asynchronous(event: QueueEvent) -> None:
            sqs.send("orders", event.text)

        return resolver

    def test_the_handler_of_an_async_route_is_refused(self, caplog: pytest.LogCaptureFixture) -> None:
        client = FakeClient(send_message={"MessageId": "m"})
        answer = TestClient(self.application(Sqs(fake_aws({"sqs": client})))).queue("async", ["x"])
        assert len(answer["batchItemFailures"]) == 1
        assert client.calls == []
        assert "await Sqs.send_async" in caplog.text

    def test_a_plain_handler_beside_it_goes_on(self, caplog: pytest.LogCaptureFixture) -> None:
        client = FakeClient(send_message={"MessageId": "m"})
        answer = TestClient(self.application(Sqs(fake_aws({"sqs": client})))).queue("plain", ["x"])
        assert answer == {"batchItemFailures": []}
        assert len(client.calls) == 1
        assert caplog.messages == ["Sqs.send blocks the event loop; use await Sqs.send_async(...)"]

    @pytest.mark.parametrize("name", ["plain", "async"])
    def test_an_alert_is_sent_from_both(self, name: str) -> None:
        client = FakeClient(publish={"MessageId": "m"})
        resolver = Resolver()

        @resolver.on_queue("plain")
        def plain(event: QueueEvent) -> None:
            raise ValueError("broken")

        @resolver.on_queue("async")
        async def asynchronous(event: QueueEvent) -> None:
            raise ValueError("broken")

        resolver.on_error(Alerts(topic="alerts", aws=fake_aws({"sns": client})))
        TestClient(resolver).queue(name, ["x"])
        assert len(client.calls) == 1

    def test_a_body_in_s3_is_fetched_before_a_plain_handler_on_a_loop(self, caplog: pytest.LogCaptureFixture) -> None:
        store: dict[str, bytes] = {}

        def get_object(asked: dict[str, Any]) -> dict[str, Any]:
            body = store[asked["Key"]]
            return {"ContentLength": len(body), "Body": io.BytesIO(body)}

        client = FakeClient(
            put_object=lambda asked: store.update({asked["Key"]: asked["Body"]}) or {},
            get_object=get_object,
            send_message={"MessageId": "m"},
        )
        aws = fake_aws({"s3": client, "sqs": client})
        offload = Offload("bodies", threshold=1, aws=aws)
        Sqs(aws, offload=offload).send("plain", "a large body")
        [sent] = client.parameters("send_message")
        resolver, seen = Resolver(offload=offload), []

        @resolver.on_queue("plain")
        def plain(event: QueueEvent) -> None:
            seen.append(event.text)

        @resolver.on_queue("async")
        async def asynchronous(event: QueueEvent) -> None: ...

        TestClient(resolver).queue("plain", [sent["MessageBody"]], attributes={"junction-offload": 12})
        assert seen == ["a large body"]
        assert caplog.messages == []
