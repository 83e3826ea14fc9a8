"""Names that the environment tells: of any named source, as name, URL or ARN, read at the first event."""

from __future__ import annotations

from typing import Any

import pytest

from router import ConfigurationError, Env, Event, Resolver, RouteConflict, Session
from router.testing import TestClient, samples

seen: list[str] = []


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    seen.clear()
    monkeypatch.delenv("NAME", raising=False)


def note(event: Event) -> None:
    seen.append(event.name)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("orders", "orders"),
        (" orders ", "orders"),
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/orders.fifo", "orders.fifo"),
        ("http://localhost:4566/000000000000/orders", "orders"),
        ("arn:aws:sqs:eu-west-1:111122223333:orders", "orders"),
        ("arn:aws-cn:sns:cn-north-1:111122223333:topic", "topic"),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/orders", "orders"),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2024-01-01T00:00:00.000", "orders"),
        ("arn:aws:kinesis:eu-west-1:111122223333:stream/clicks", "clicks"),
        ("arn:aws:firehose:eu-west-1:111122223333:deliverystream/logs", "logs"),
        ("arn:aws:s3:::uploads", "uploads"),
        ("arn:aws:s3:::uploads/*", "uploads"),
        ("arn:aws:events:eu-west-1:111122223333:rule/nightly", "nightly"),
        ("arn:aws:events:eu-west-1:111122223333:rule/bus/nightly", "nightly"),
        ("arn:aws:scheduler:eu-west-1:111122223333:schedule/default/nightly", "nightly"),
        ("arn:aws:kafka:eu-west-1:111122223333:topic/cluster/uuid/orders", "orders"),
        ("arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/f:*", "/aws/lambda/f"),
    ],
)
def test_what_the_variable_may_hold(value: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", value)
    assert Env("NAME").resolve() == name


@pytest.mark.parametrize("value", [None, "", "  ", "arn:aws:sqs", "https://"])
def test_a_variable_without_a_name_is_refused(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("NAME", value)
    with pytest.raises(ConfigurationError, match="the environment variable NAME must hold"):
        Env("NAME").resolve()


NAMED: dict[str, tuple[Any, Any]] = {
    "queue": (lambda on, name: on.on_queue(name), lambda client: client.queue("n-1", ["a"])),
    "topic": (lambda on, name: on.on_topic(name), lambda client: client.topic("n-1", ["a"])),
    "table": (lambda on, name: on.on_stream(name), lambda client: client.stream("n-1", [("INSERT", None, {"id": 1})])),
    "stream": (lambda on, name: on.on_stream(name), lambda client: client.kinesis("n-1", ["a"])),
    "bucket": (lambda on, name: on.on_object(name), lambda client: client.object("n-1", "k")),
    "schedule": (lambda on, name: on.on_schedule(name), lambda client: client.schedule("n-1")),
    "kafka": (lambda on, name: on.on_kafka(name), lambda client: client.event(samples.kafka("n-1", ["a"]))),
}


@pytest.mark.parametrize("kind", NAMED)
def test_every_named_source_takes_it_and_reads_it_at_the_first_event(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register, send = NAMED[kind]
    resolver = Resolver()
    register(resolver, Env("NAME"))(note)
    monkeypatch.setenv("NAME", "n-1")  # after the route was registered
    client = TestClient(resolver)
    send(client)
    send(client)
    assert seen == ["n-1", "n-1"]


def test_without_the_variable_a_record_fails_and_takes_no_other_route() -> None:
    resolver = Resolver()
    resolver.on_queue(Env("NAME"))(note)
    resolver.on_queue("*")(note)
    client = TestClient(resolver)
    assert client.queue("orders", ["a"])["batchItemFailures"]
    assert client.queue("orders", ["a"])["batchItemFailures"]
    assert seen == []


def test_a_default_and_a_wildcard(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver()
    resolver.on_queue(Env("NAME", default="orders-*"))(note)
    assert TestClient(resolver).queue("orders-eu", ["a"]) == {"batchItemFailures": []}


def test_routes_that_turn_out_to_be_the_same_fail_their_events(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[Exception] = []
    resolver = Resolver()
    resolver.on_error(errors.append)
    resolver.on_queue("orders")(note)
    resolver.on_queue(Env("NAME"))(lambda event: seen.append("other"))
    monkeypatch.setenv("NAME", "orders")
    client = TestClient(resolver)
    for _ in range(2):
        assert client.queue("orders", ["a"])["batchItemFailures"]
    assert {type(error) for error in errors} == {RouteConflict}
    assert seen == []


def test_the_same_variable_twice_is_refused_at_once() -> None:
    resolver = Resolver()
    resolver.on_queue(Env("NAME"))(note)
    with pytest.raises(RouteConflict, match=r"sqs \$\{NAME\}"):
        resolver.on_queue(Env("NAME"))(lambda event: None)


def test_it_names_topics_and_unpacked_queues_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "arn:aws:sns:eu-west-1:111122223333:order-events")
    sessions: list[Session] = []
    resolver = Resolver()
    resolver.on_queue("orders", topics=[Env("NAME")])(lambda event: sessions.append(event.session))
    resolver.resolve(samples.sns_in_sqs("order-events", ["a"], queue="orders", session={"tenant": "acme"}))
    assert sessions == [Session("acme")]
    other = Resolver()
    other.unpack(Env("QUEUE", default="uploads"))
    other.on_object("b")(note)
    assert TestClient(other).queue("uploads", [samples.s3("b", ["k"])]) == {"batchItemFailures": []}


@pytest.mark.parametrize("variable", ["", None, 5])
def test_a_variable_has_a_name(variable: Any) -> None:
    with pytest.raises(ConfigurationError, match="give the name of an environment variable"):
        Env(variable)


def test_a_path_is_no_name() -> None:
    with pytest.raises(ConfigurationError):
        Resolver().get(Env("NAME"))(lambda: None)
