"""AppSync Events: what is published is answered by its id, and a subscription is allowed or refused."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given

from router import (
    Allow,
    BatchItemFailures,
    ChannelEvent,
    ConfigurationError,
    Deny,
    Discard,
    Event,
    Forbidden,
    FromRequest,
    InvalidEvent,
    Middleware,
    QueueEvent,
    Resolver,
    Session,
    SessionPolicy,
    Source,
    read,
)
from router.dispatch.chain import Around
from router.sources import Outcome, appsync_events
from router.testing import Context, TestClient, samples
from tests.unit.router.sources.payload_cases import FUZZ, JSON, mutations, survives

# The sample of the developer guide (direct Lambda integrations).
DOCUMENTED: dict[str, Any] = {
    "identity": None,
    "result": None,
    "request": {"headers": {}, "domainName": "example.com"},
    "info": {
        "channel": {"path": "/default/foo", "segments": ["default", "foo"]},
        "channelNamespace": {"name": "default"},
        "operation": "PUBLISH",
    },
    "error": None,
    "prev": None,
    "stash": {},
    "outErrors": [],
    "events": [{"id": "12345", "payload": {"key": "value"}}],
}
MEMBER = {"claims": {"sub": "ann", "tenant": "acme"}, "sourceIp": ["198.51.100.1", "203.0.113.9"]}
POLICY = SessionPolicy(request=FromRequest(tenant_claim="tenant", user_claim="sub"), require="tenant")


@dataclass
class Said:
    text: str


def publishing(handler: Any, channel: str = "/default/*", **options: Any) -> TestClient:
    resolver = Resolver()
    resolver.on_channel(channel, **options)(handler)
    return TestClient(resolver)


def subscribing(handler: Any, **options: Any) -> Any:
    """What AppSync gets for a subscription that a handler decides about."""
    resolver = Resolver(**options)
    resolver.on_channel("/default/*", operation="subscribe")(handler)
    return TestClient(resolver).subscribe("/default/a")


# ---- reading -------------------------------------------------------------------------------------------------------


def test_the_documented_payload() -> None:
    (event,) = read(DOCUMENTED)
    assert isinstance(event, ChannelEvent)
    assert (event.source, event.name, event.change, event.id) == ("appsync-events", "/default/foo", "PUBLISH", "12345")
    assert (event.channel, event.segments, event.namespace) == ("/default/foo", ["default", "foo"], "default")
    assert event.json() == {"key": "value"}
    assert event.text == '{"key":"value"}'
    assert event.records == DOCUMENTED["events"]
    assert event.typed.info.channel_path == "/default/foo"


def test_a_subscription_has_no_body() -> None:
    (event,) = read(samples.appsync_subscribe("/default/*"), Context(request_id="r-1"))
    assert (event.name, event.change, event.id) == ("/default/*", "SUBSCRIBE", "r-1")
    assert (event.json(), event.body, event.text) == (None, b"", "")
    assert event.typed.info.operation == "SUBSCRIBE"


def test_who_it_is_comes_from_the_identity_and_never_from_a_payload() -> None:
    raw = samples.appsync_publish(
        payloads=[{"session": {"tenant": "globex"}, "tenant": "globex"}], identity=MEMBER, headers={"X-A": "b"}
    )
    raw["session"] = raw["stash"] = {"session": {"tenant": "globex"}, "tenant": "globex"}
    (event,) = read(raw)
    event._policy = SessionPolicy(
        request=FromRequest(tenant_claim="tenant", user_claim="sub"), body_field="session", attribute="session"
    )
    assert (event.session.tenant, event.session.user) == ("acme", "ann")
    assert (event.headers["x-a"], event.source_ip) == ("b", "203.0.113.9")
    nobody = read(samples.appsync_publish(payloads=[{"session": {"tenant": "globex"}}]))[0]
    nobody._policy = SessionPolicy(body_field="session")
    assert nobody.session.tenant is None


def test_claims_of_the_event_apis_own_authorizer() -> None:
    (event,) = read(samples.appsync_subscribe(identity={"handlerContext": {"tenant": "acme"}}))
    assert event.claims == {"tenant": "acme"}


def test_what_the_policy_requires_holds_for_both_operations() -> None:
    resolver = Resolver(session=POLICY)

    @resolver.on(Source.APPSYNC_EVENTS)
    def all(event: ChannelEvent, session: Session) -> Any:
        return None if event.change == "SUBSCRIBE" else session.tenant

    client = TestClient(resolver)
    assert client.publish("/a/b", [1], identity=MEMBER)["events"][0]["payload"] == "acme"
    assert client.subscribe("/a/b", identity=MEMBER) is None
    assert client.publish("/a/b", [1], ids=["x"]) == {"events": [{"id": "x", "error": "the tenant is missing"}]}
    assert client.subscribe("/a/b") == {"error": "the tenant is missing"}


# ---- publish -------------------------------------------------------------------------------------------------------


def test_each_event_is_answered_by_its_id() -> None:
    def handler(event: ChannelEvent) -> Any:
        match event.json():
            case "forbidden":
                raise Forbidden("not here")
            case "broken":
                raise ValueError("password=hunter2")
            case "dropped":
                raise Discard("seen before")
            case "same":
                return None
            case text:
                return {"said": text, "by": 2**70}

    payloads = ["hi", "forbidden", "broken", "dropped", "same"]
    answer = publishing(handler).publish("/default/a", payloads, ids=["1", "2", "3", "4", "5"])
    assert answer == {
        "events": [
            {"id": "1", "payload": {"said": "hi", "by": 2**70}},
            {"id": "2", "error": "not here"},
            {"id": "3", "error": "an internal error; the log has its cause"},
            {"id": "5", "payload": "same"},
        ]
    }


def test_async_handlers_run_at_the_same_time_and_answer_in_order() -> None:
    async def handler(event: ChannelEvent) -> str:
        await together.wait()
        return event.text

    together = asyncio.Barrier(3)

    answer = publishing(handler, concurrency=3).publish("/default/a", [1, 2, 3], ids=["a", "b", "c"])
    assert [event["id"] for event in answer["events"]] == ["a", "b", "c"]
    assert [event["payload"] for event in answer["events"]] == ["1", "2", "3"]


def test_false_and_nothing_are_payloads_too() -> None:
    results = iter([False, 0, "", []])
    answer = publishing(lambda event: next(results)).publish("/default/a", [1, 2, 3, 4])
    assert [event["payload"] for event in answer["events"]] == [False, 0, "", []]


def test_a_batch_gives_a_result_for_each() -> None:
    seen: list[int] = []

    def handler(events: list[ChannelEvent]) -> Any:
        seen.append(len(events))
        return [event.json() * 2 for event in events]

    answer = publishing(handler, batch=True).publish("/default/a", [1, 2], ids=["a", "b"])
    assert answer == {"events": [{"id": "a", "payload": 2}, {"id": "b", "payload": 4}]}
    assert seen == [2]


def test_a_batch_that_fails_fails_each_and_one_that_names_some_those() -> None:
    def some(events: list[ChannelEvent]) -> Any:
        raise BatchItemFailures({events[1]: Forbidden("not you")})

    def all(events: list[ChannelEvent]) -> Any:
        raise Forbidden("nobody")

    def too_few(events: list[ChannelEvent]) -> Any:
        return [1]

    def publish(handler: Any) -> Any:
        return publishing(handler, batch=True).publish("/default/a", [1, 2], ids=["a", "b"])["events"]

    assert publish(some) == [{"id": "a", "payload": 1}, {"id": "b", "error": "not you"}]
    assert publish(all) == [{"id": "a", "error": "nobody"}, {"id": "b", "error": "nobody"}]
    assert all_errors(publish(too_few))
    assert publish(lambda events: None) == [{"id": "a", "payload": 1}, {"id": "b", "payload": 2}]


def all_errors(events: list[dict[str, Any]]) -> bool:
    return bool(events) and all("error" in event and "payload" not in event for event in events)


def test_a_model_of_the_payload() -> None:
    def handler(said: Said) -> str:
        return said.text.upper()

    answer = publishing(handler).publish("/default/a", [{"text": "hi"}, {"txt": "hi"}])["events"]
    assert answer[0]["payload"] == "HI"
    assert "error" in answer[1]


def test_middleware_around_each_event_can_refuse_it() -> None:
    class Polite(Middleware):
        def __call__(self, event: Event) -> Around:
            if event.json() == "rude":
                raise Forbidden("be polite")
            yield

    for batch in (False, True):
        seen: list[Any] = []
        client = publishing(lambda event, seen=seen: seen.append(event), middleware=[Polite()], batch=batch)
        answer = client.publish("/default/a", ["rude", "nice"], ids=["1", "2"])
        assert answer == {"events": [{"id": "1", "error": "be polite"}, {"id": "2", "payload": "nice"}]}
        assert len(seen) == 1


def test_a_permission_is_asked_for_both_operations() -> None:
    def is_ann(session: Session, event: Event) -> bool:
        return session.user == "ann"

    resolver = Resolver(session=POLICY)
    resolver.on(Source.APPSYNC_EVENTS, "/*", permission=is_ann)(lambda event: None)
    client = TestClient(resolver)
    bob = {"claims": {"sub": "bob", "tenant": "acme"}}
    assert client.subscribe("/a", identity=MEMBER) is None
    assert client.subscribe("/a", identity=bob) == {"error": "Forbidden"}
    assert all_errors(client.publish("/a", [1], identity=bob)["events"])


def test_what_no_route_takes_is_not_broadcast() -> None:
    client = publishing(lambda event: None, "/chat/*")
    refused = client.publish("/news/a", [1], ids=["1"])
    assert refused == {"events": [{"id": "1", "error": "nothing is registered for this"}]}
    by_pattern = publishing(lambda event: None, pattern={"body": {"kind": ["x"]}})
    assert all_errors(by_pattern.publish("/default/a", [{"kind": "y"}])["events"])


def test_with_unrouted_ignored_events_pass_and_subscriptions_do_not() -> None:
    client = TestClient(Resolver(unrouted="ignore"))
    assert client.publish("/a/b", [1], ids=["1"]) == {"events": [{"id": "1", "payload": 1}]}
    assert client.subscribe("/a/b") == {"error": "nothing is registered for this"}


def test_near_the_deadline_nothing_passes() -> None:
    def handler(event: ChannelEvent) -> None: ...

    resolver = Resolver()
    resolver.on(Source.APPSYNC_EVENTS)(handler)
    client = TestClient(resolver, context=Context(remaining=0.01))
    assert all_errors(client.publish("/a", [1, 2])["events"])
    assert "error" in (client.subscribe("/a") or {})


@pytest.mark.parametrize("batch", [False, True])
def test_what_is_refused_on_purpose_is_no_error_of_ours(batch: bool, caplog: pytest.LogCaptureFixture) -> None:
    told: list[Exception] = []
    resolver = Resolver(session=POLICY)
    resolver.on_error(told.append)

    @resolver.on_channel("/a/*", batch=batch)
    def publish(event):
        raise Forbidden("not you")

    @resolver.on_channel("/a/*", operation="subscribe")
    def subscribe(event: ChannelEvent) -> None:
        raise ValueError("broken") if event.channel == "/a/broken" else Forbidden("not you")

    client = TestClient(resolver)
    with caplog.at_level(logging.WARNING, "router"):
        assert all_errors(client.publish("/a/b", [1, 2], identity=MEMBER)["events"])
        assert client.subscribe("/a/b", identity=MEMBER) == {"error": "not you"}
        assert client.subscribe("/a/b") == {"error": "the tenant is missing"}
    assert (told, caplog.text) == ([], "")
    client.subscribe("/a/broken", identity=MEMBER)
    assert [type(error) for error in told] == [ValueError]


def test_a_catcher_may_replace_the_error_and_not_the_refusal() -> None:
    resolver = Resolver()

    @resolver.catch(KeyError)
    def unknown(error: KeyError) -> None:
        raise Forbidden("no such room")

    @resolver.catch(ValueError)
    def swallowed(error: ValueError) -> str:
        return "fine"

    @resolver.on(Source.APPSYNC_EVENTS)
    def fails(event: ChannelEvent) -> None:
        raise KeyError if event.channel == "/a/key" else ValueError

    client = TestClient(resolver)
    assert client.subscribe("/a/key") == {"error": "no such room"}
    assert "error" in (client.subscribe("/a/value") or {})
    assert all_errors(client.publish("/a/value", [1])["events"])


# ---- results that cannot be sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [object(), "\ud800", {"a": {1, object()}}, "x" * (240 * 1024 + 1)])
def test_a_result_that_cannot_be_sent_fails_alone(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    results = iter([1, result, 2])
    answer = publishing(lambda event: next(results)).publish("/default/a", [0, 0, 0])["events"]
    assert ["error" in event for event in answer] == [False, True, False]
    json.dumps(answer).encode()
    assert "appsync-events" in caplog.text


@pytest.mark.parametrize("text", ["no \ud800", "no\r\n"])
def test_an_error_whose_text_cannot_be_sent_is_told_all_the_same(text: str) -> None:
    def handler(event: ChannelEvent) -> None:
        raise Forbidden(text)

    (event,) = publishing(handler).publish("/default/a", [1])["events"]
    assert event["error"].encode().startswith(b"no")
    assert subscribing(handler)["error"].encode().startswith(b"no")


def test_a_payload_with_a_lone_surrogate_passes_nowhere() -> None:
    raw = samples.appsync_publish(payloads=[1, 2])
    raw["events"][0]["payload"] = "\ud800"
    answer = publishing(lambda event: None).event(raw)["events"]
    assert ["error" in event for event in answer] == [True, False]


def test_results_that_are_too_much_together_fail_alone() -> None:
    answer = publishing(lambda event: "x" * 239_000).publish("/default/a", list(range(40)))["events"]
    assert len(json.dumps(answer)) < 6 * 1024 * 1024
    assert len(answer) == 40
    assert any("error" in event for event in answer)


def test_text_beyond_ascii_counts_as_the_runtime_writes_it() -> None:
    answer = publishing(lambda event: "ä" * 120_000).publish("/default/a", list(range(10)))
    assert len(json.dumps(answer)) < 6 * 1024 * 1024 + 2000
    assert [("payload" in event) for event in answer["events"]].count(True) == 8


# ---- subscribe -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [None, True, Allow(), Allow("ann")])
def test_a_subscription_is_allowed(result: Any) -> None:
    async def later(event: ChannelEvent) -> Any:
        return result

    assert subscribing(lambda event: result) is None
    assert subscribing(later) is None


@pytest.mark.parametrize("result", [False, Deny(), {"error": "members only"}])
def test_a_subscription_is_refused(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    expected = "members only" if isinstance(result, dict) else "not allowed"
    assert subscribing(lambda event: result) == {"error": expected}
    assert caplog.text == ""


@pytest.mark.parametrize("result", [0, 1, "yes", "", [], {}, {"error": None}, {"error": ""}, {"ok": True}, object()])
def test_what_is_no_decision_refuses(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "router"):
        assert subscribing(lambda event: result) == {"error": "not allowed"}
    assert "no decision" in caplog.text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Forbidden("members only"), "members only"),
        (ValueError("password=hunter2"), "an internal error; the log has its cause"),
        (Discard("no"), "no"),
    ],
)
def test_an_error_refuses(error: Exception, text: str) -> None:
    def handler(event: ChannelEvent) -> None:
        raise error

    assert subscribing(handler) == {"error": text}


def test_nobody_listens_where_no_route_is_for_subscriptions() -> None:
    assert "error" in (publishing(lambda event: None).subscribe("/default/a") or {})


# ---- payloads that no AppSync sends ------------------------------------------------------------------------------


def with_events(events: Any) -> dict[str, Any]:
    return {**DOCUMENTED, "events": events}


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (None, r"appsync-events events: must be a list, not null"),
        ({}, r"events: must be a list"),
        ([5], r"events\[0\]: must be an object"),
        ([{"payload": 1}], r"events\[0\]\.id: must be text, not null"),
        ([{"id": 5, "payload": 1}], r"events\[0\]\.id: must be text"),
        ([{"id": "", "payload": 1}], r"events\[0\]\.id: is empty"),
        ([{"id": "\ud800", "payload": 1}], r"events\[0\]\.id: is not valid text"),
        ([{"id": "a", "payload": 1}, {"id": "a", "payload": 2}], r"events\[1\]\.id: is that of another event"),
    ],
)
def test_events_that_no_answer_could_tell_apart_fail_the_call(events: Any, said: str) -> None:
    called: list[Event] = []

    def handler(event: Event) -> None:
        called.append(event)

    with pytest.raises(InvalidEvent, match=said):
        publishing(handler).event(with_events(events))
    assert called == []


@pytest.mark.parametrize("operation", ["DELETE", "publish", ""])
def test_an_unknown_operation_fails_the_call(operation: str) -> None:
    raw = {**DOCUMENTED, "info": {**DOCUMENTED["info"], "operation": operation}}
    with pytest.raises(InvalidEvent, match="PUBLISH or SUBSCRIBE"):
        publishing(lambda event: None).event(raw)


def test_an_event_without_a_payload_fails_alone() -> None:
    raw = with_events([{"id": "a"}, {"id": "b", "payload": None}])
    answer = publishing(lambda event: None).event(raw)
    assert ["error" in event for event in answer["events"]] == [True, False]


@pytest.mark.parametrize("info", [{}, {"channel": None}, {"channel": {"path": 5}}, {"channel": "/default/foo"}])
def test_a_channel_of_the_wrong_type_reaches_no_route(info: Any) -> None:
    held = {"channelNamespace": {"name": "default"}, **info}
    published = {**DOCUMENTED, "info": {**held, "operation": "PUBLISH"}}
    subscribed = {**DOCUMENTED, "info": {**held, "operation": "SUBSCRIBE"}, "events": None}
    resolver, called = Resolver(), []

    @resolver.on(Source.APPSYNC_EVENTS)
    def handler(event: Event) -> None:
        called.append(event)

    assert all_errors(TestClient(resolver).event(published)["events"])
    assert "error" in TestClient(resolver).event(subscribed)
    assert called == []


@pytest.mark.parametrize("batch", [False, True])
def test_a_whole_number_of_hundreds_of_digits_comes_back_as_it_was(batch: bool) -> None:
    long = 10**400

    def one(event: ChannelEvent) -> int:
        return long

    def all_of_them(events: list[ChannelEvent]) -> list[int]:
        return [long for _ in events]

    client = publishing(all_of_them if batch else one, batch=batch)
    assert [event["payload"] for event in client.publish("/default/a", [1, 2])["events"]] == [long, long]
    payload = samples.appsync_publish("/default/a", [{}])
    payload["events"][0]["payload"] = {"n": long}
    assert publishing(lambda event: None).event(payload)["events"][0]["payload"] == {"n": long}


def test_ten_thousand_events_are_each_answered() -> None:
    answer = publishing(lambda event: None).publish("/default/a", list(range(10_000)))
    assert [event["payload"] for event in answer["events"]] == list(range(10_000))


def test_an_event_class_of_another_source_is_refused() -> None:
    def handler(event: QueueEvent) -> None: ...

    with pytest.raises(ConfigurationError, match="write ChannelEvent or Event"):
        Resolver().on_channel("/a")(handler)


@FUZZ
@given(mutations([DOCUMENTED, samples.appsync_publish(payloads=[1, 2]), samples.appsync_subscribe("/a/*")]), JSON)
def test_whatever_it_holds(payload: Any, result: Any) -> None:
    survives(payload, {Source.APPSYNC_EVENTS}, [])
    try:
        events = appsync_events.read(Source.APPSYNC_EVENTS, payload, None)
    except InvalidEvent:
        return
    for event in events:
        event.name, event.route = "/a", object()  # there is a route for a channel alone
    for outcome in (Outcome(result, started=True), Outcome(None, started=True), Outcome(error=ValueError())):
        json.dumps(appsync_events.answer(payload, events, [outcome] * len(events))).encode()
