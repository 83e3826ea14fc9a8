"""`require` holds where a session can arrive, on every source; a route's own holds everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from router import FromRequest, Resolver, SessionPolicy
from router.errors import ConfigurationError, RecordsFailed, SessionIncomplete
from router.event import Source
from router.sources._registry import ROWS
from router.testing import TestClient, samples
from router.testing.context import Context
from tests.unit.router.sources.payload_cases import real

# Where a session is carried, or made from a request.
ARRIVES = {
    *("rest", "http", "url", "alb", "lattice", "cloudfront", "appsync", "websocket"),
    *("sqs", "sns", "eventbridge", "kafka", "activemq", "rabbitmq", "invoke", "bedrock-agent"),
}


def ran(source: Source, raw: Any, policy: SessionPolicy, **options: Any) -> bool:
    """Whether a handler runs for a payload that carries no session."""
    calls: list[int] = []
    resolver = Resolver(session=policy)

    def handle() -> None:
        calls.append(1)

    if ROWS[source].by_path:
        resolver.route("/", **options)(handle)
        resolver.route("/{rest+}", **options)(handle)
    else:
        resolver.on(source, "*", **options)(handle)
        if source is Source.WEBSOCKET:
            resolver.on_connect(**options)(handle)
            resolver.on_disconnect(**options)(handle)
    try:
        resolver.resolve(raw, Context())
    except Exception:
        return bool(calls)
    return bool(calls)


@pytest.mark.parametrize("source", [source for source in Source if source is not Source.TASK])
def test_what_the_policy_requires_holds_where_a_session_can_arrive(source: Source) -> None:
    policy = SessionPolicy(require=("tenant",))
    for file, raw, _ in real(source):
        if not ran(source, raw, SessionPolicy()):
            continue  # a test event or the like, which no handler gets
        is_open = source is Source.WEBSOCKET and raw["requestContext"]["eventType"] != "CONNECT"
        expected = source not in ARRIVES or is_open
        assert ran(source, raw, policy) is expected, file
        assert ran(source, raw, policy, require=()), file
        assert not ran(source, raw, policy, require="tenant"), file
        assert not ran(source, raw, SessionPolicy(), require=["user"]), file


def test_the_recommended_policy_survives_what_runs_for_nobody() -> None:
    resolver = Resolver(session=SessionPolicy(require=("tenant",)))
    seen: list[str] = []
    resolver.on_schedule("nightly")(lambda event: seen.append("schedule"))
    resolver.on_object("uploads")(lambda event: seen.append("object"))
    resolver.on_stream("orders")(lambda event: seen.append("stream"))
    resolver.on_disconnect()(lambda event: seen.append("disconnect"))
    client = TestClient(resolver)
    client.schedule("nightly")
    client.object("uploads", "a.txt")
    client.stream("orders", [("INSERT", None, {"id": 1})])
    client.disconnect()
    assert seen == ["schedule", "object", "stream", "disconnect"]


def test_a_connection_that_opens_has_a_place_for_one() -> None:
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant"), require="tenant"))
    resolver.on_connect()(lambda: None)
    client = TestClient(resolver)
    assert client.connect()["statusCode"] == 400
    assert client.connect(headers={"x-tenant": "acme"})["statusCode"] == 200


def test_a_message_has_a_place_where_an_authorizer_says_it_again() -> None:
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_claim="tenant"), require="tenant"))
    resolver.on_message()(lambda: "x")
    resolver.on_disconnect()(lambda: None)
    client = TestClient(resolver)
    assert client.message("hello")["statusCode"] == 400
    assert client.message("hello", authorizer={"tenant": "acme"})["statusCode"] == 200
    assert client.disconnect() == {"statusCode": 200}


def test_a_field_of_the_body_makes_a_place_for_one() -> None:
    resolver = Resolver(session=SessionPolicy(require="tenant", body_field="session"))
    resolver.on_stream("orders")(lambda: None)
    client = TestClient(resolver)
    assert client.stream("orders", [("INSERT", None, {"id": 1})])["batchItemFailures"]
    assert not client.stream("orders", [("INSERT", None, {"id": 1, "session": {"tenant": "acme"}})])[
        "batchItemFailures"
    ]


def test_a_field_of_the_body_makes_no_place_where_aws_alone_writes_the_body() -> None:
    policy = SessionPolicy(require="tenant", body_field="session")
    assert ran(Source.S3, samples.s3("uploads", ["a"]), policy)
    assert ran(Source.ALARM, samples.alarm("too-slow"), policy)


def test_a_task_has_a_place_for_one() -> None:
    resolver = Resolver(session=SessionPolicy(require="tenant"))
    resolver.on_task("nightly")(lambda: None)
    resolver.on_task("open", require=())(lambda: None)
    client = TestClient(resolver)
    assert client.task("nightly") == 1
    assert client.task("nightly", session={"tenant": "acme"}) == 0
    assert client.task("open") == 0


def test_a_route_requires_without_a_policy_and_in_batches() -> None:
    resolver = Resolver()
    resolver.get("/", require="tenant")(lambda: "x")
    resolver.on_queue("orders", require="user", batch=True)(lambda events: None)
    resolver.on_schedule("nightly", require="tenant")(lambda: None)
    resolver.on_invoke("now", require="tenant")(lambda: None)
    client = TestClient(resolver)
    assert client.get("/").status == 400
    assert client.queue("orders", ["a"])["batchItemFailures"]
    assert not client.queue("orders", ["a"], session={"user": "ann"})["batchItemFailures"]
    with pytest.raises(RecordsFailed):
        client.schedule("nightly")
    with pytest.raises(SessionIncomplete, match=r"session\.tenant is required and missing"):
        resolver.resolve(samples.invoke("now"))


def test_a_misspelled_field_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="require= takes 'tenant', 'user' or both"):
        Resolver().get("/", require=["tennant"])(lambda: None)
