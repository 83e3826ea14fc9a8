"""Envelopes in the body of a message: whose session and whose pointer count, and what is said when they do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from router import (
    ConfigurationError,
    Event,
    FromRequest,
    Resolver,
    Session,
    SessionIncomplete,
    SessionPolicy,
    Signing,
    read,
)
from router.sources import _envelopes
from router.testing import samples

WHO: dict[str, Any] = {"tenant": "acme", "user": "u-1"}
SECRET = "at least thirty-two bytes of secret text"
POLICY = SessionPolicy(signing=Signing(SECRET))
SEALED = POLICY.issue(Session(**WHO))
NOBODY = Session()


@pytest.fixture(autouse=True)
def _fresh() -> None:
    _envelopes._told.clear()


def from_topic(session: Any = WHO, topic: str = "order-events") -> dict[str, Any]:
    return samples.sns_in_sqs(topic, [{"id": 1}], queue="orders", session=session)


def from_bus(session: Any = WHO, source: str = "shop.orders") -> dict[str, Any]:
    event = samples.eventbridge("OrderPlaced", {"id": 1}, source=source, session=session)
    return samples.sqs("orders", [event])


def sessions(raw: Any, policy: SessionPolicy | None = None, **options: Any) -> list[Session]:
    """The sessions that the handler of a route with these options gets."""
    seen: list[Session] = []

    def handle(event: Event) -> None:
        seen.append(event.session)

    def handle_all(events: list[Event]) -> None:
        seen.extend(event.session for event in events)

    resolver = Resolver(session=policy)
    resolver.on_queue("orders", **options)(handle_all if options.get("batch") else handle)
    resolver.resolve(raw)
    return seen


OPEN = [{}, {"batch": True}, {"concurrency": 2}]


@pytest.mark.parametrize("options", OPEN)
@pytest.mark.parametrize("raw", [from_topic(), from_bus()], ids=["topic", "bus"])
def test_whoever_writes_a_body_is_not_whoever_it_says(
    raw: Any, options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert sessions(raw, **options) == [NOBODY]
    assert "the session in its body was ignored: whoever can write to sqs orders" in caplog.text
    caplog.clear()
    assert sessions(raw, **options) == [NOBODY]
    assert caplog.text == ""  # told once, not for each message


@pytest.mark.parametrize("options", OPEN)
@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (from_topic(), {"topics": ["other", "order-events"]}),
        (from_topic(), {"topics": "order-*"}),
        (from_bus(), {"bus_sources": ["shop.orders"]}),
        (from_bus(), {"bus_sources": "shop.*"}),
    ],
)
def test_a_route_names_whose_envelopes_it_takes(raw: Any, named: dict[str, Any], options: dict[str, Any]) -> None:
    assert sessions(raw, **named, **options) == [Session(**WHO)]


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (from_topic(topic="evil"), {"topics": ["order-events"]}),
        (from_topic(), {"bus_sources": ["*"]}),
        (from_bus(source="evil"), {"bus_sources": ["shop.orders"]}),
        (from_bus(), {"topics": ["*"]}),
    ],
)
def test_an_envelope_of_another_origin_proves_nothing(raw: Any, named: dict[str, Any]) -> None:
    assert sessions(raw, **named) == [NOBODY]


@pytest.mark.parametrize("options", OPEN)
@pytest.mark.parametrize("raw", [from_topic(SEALED), from_bus(SEALED)], ids=["topic", "bus"])
def test_a_signed_session_is_believed_wherever_it_stands(raw: Any, options: dict[str, Any]) -> None:
    assert sessions(raw, POLICY, **options) == [Session(**WHO)]


@pytest.mark.parametrize("raw", [from_topic(), from_bus()], ids=["topic", "bus"])
def test_naming_an_origin_does_not_replace_a_signature(raw: Any) -> None:
    assert sessions(raw, POLICY, topics=["*"], bus_sources=["*"]) == []


def test_the_attribute_of_the_message_itself_is_the_sender_of_the_message() -> None:
    raw = from_topic(topic="evil", session={"tenant": "evil"})
    raw["Records"][0]["messageAttributes"] = {"session": {"dataType": "String", "stringValue": json.dumps(WHO)}}
    assert sessions(raw) == [Session(**WHO)]


@pytest.mark.parametrize("raw", [from_topic(), from_bus()], ids=["topic", "bus"])
def test_the_error_of_a_required_field_says_that_a_session_was_ignored(raw: Any) -> None:
    errors: list[Exception] = []
    resolver = Resolver(session=SessionPolicy(require="tenant", request=FromRequest()))
    resolver.on_error(errors.append)
    resolver.on_queue("orders")(lambda event: None)
    assert resolver.resolve(raw)["batchItemFailures"]
    assert "session.tenant is required and missing: the session in its body was ignored" in str(errors[0])


def test_the_error_of_a_handler_that_needs_a_tenant_says_so_too() -> None:
    errors: list[Exception] = []
    resolver = Resolver()
    resolver.on_error(errors.append)
    resolver.on_queue("orders")(lambda event: event.session.require_tenant())
    resolver.resolve(from_topic())
    assert isinstance(errors[0], SessionIncomplete)
    assert "the session has no tenant: the session in its body was ignored" in str(errors[0])


@pytest.mark.parametrize("name", ["\n2026 ERROR forged", "x" * 5000])
def test_the_log_quotes_what_a_client_wrote(name: str, caplog: pytest.LogCaptureFixture) -> None:
    raw = from_bus(source=name)
    sessions(raw)
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    assert len(record.getMessage()) < 600


@pytest.mark.parametrize("part", ["Type", "Message", "TopicArn"])
def test_a_body_that_lacks_a_part_of_an_envelope_is_a_body(part: str) -> None:
    raw = from_topic()
    body = json.loads(raw["Records"][0]["body"])
    for broken in ({**body, part: 5}, {name: value for name, value in body.items() if name != part}):
        raw["Records"][0]["body"] = json.dumps(broken)
        (event,) = read(raw)
        assert (event.json(), event.topic) == (broken, None)


def test_the_message_of_an_envelope_is_opened_as_ever() -> None:
    (event,) = read(from_topic())
    assert (event.json(), event.topic) == ({"id": 1}, "order-events")


@pytest.mark.parametrize(
    "body",
    [
        {"detail-type": "a", "source": "b", "detail": {"metadata": 5}},
        {"detail-type": "a", "source": "b", "detail": {"metadata": {}}},
        {"detail-type": "a", "source": "b", "detail": 5},
        {"detail-type": "a", "source": 5, "detail": {"metadata": {"session": WHO}}},
        ["detail-type"],
        '{"detail-type": ',
    ],
)
def test_what_only_looks_like_a_bus_event_carries_no_session(body: Any) -> None:
    assert sessions(samples.sqs("orders", [body]), bus_sources=["*"]) == [NOBODY]


def test_origins_are_named_where_envelopes_can_come() -> None:
    resolver = Resolver()
    with pytest.raises(ConfigurationError, match="are for queues, topics and Kinesis streams"):
        resolver.on_object("b", topics=["t"])(print)
    with pytest.raises(ConfigurationError, match="take names"):
        resolver.on_queue("b", topics=[5])(print)  # type: ignore[list-item]


# ---- pointers ------------------------------------------------------------------------------------------------------


class Bodies:
    """What fetches bodies that wait elsewhere, as `adapters.offload` does."""

    def pointer(self, event: Event) -> Any:
        if "offload" not in event.attributes:
            return None
        event._check_pointer("offload")
        return event.text

    def fetch(self, pointer: Any) -> bytes:
        return b"fetched"

    async def fetch_async(self, pointer: Any) -> bytes:
        return b"fetched"


def pointing(session: Any = None) -> dict[str, Any]:
    return samples.sns_in_sqs("order-events", ["p"], queue="orders", attributes={"offload": 1}, session=session)


def fetched(raw: Any, policy: SessionPolicy | None = None, **options: Any) -> list[bytes]:
    seen: list[bytes] = []
    resolver = Resolver(session=policy, offload=Bodies())
    resolver.on_queue("orders", **options)(lambda event: seen.append(event.body))
    resolver.resolve(raw)
    return seen


def test_a_pointer_in_an_envelope_is_followed_when_signed_or_of_a_named_topic() -> None:
    assert fetched(pointing()) == []
    assert fetched(pointing(), topics=["other"]) == []
    assert fetched(pointing(), topics=["order-events"]) == [b"fetched"]
    assert fetched(pointing(SEALED), POLICY) == [b"fetched"]
    assert fetched(pointing(), POLICY) == []
    assert fetched(pointing(WHO), POLICY) == []


def test_a_pointer_of_the_message_itself_is_followed() -> None:
    assert fetched(samples.sqs("orders", ["p"], attributes={"offload": 1})) == [b"fetched"]
