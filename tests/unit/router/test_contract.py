"""One contract for every event source: what is promised of all of them is tested on each of them."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

import router
from router import (
    Allow,
    Discard,
    Event,
    NoRoute,
    RecordsFailed,
    Resolver,
    RouterError,
    Source,
    TransferUser,
    detect,
    read,
)
from router.sources import cloudformation, load
from router.sources._registry import HTTP_SOURCES, RECORD_SOURCES, ROWS
from router.testing import Context, samples
from tests.unit.router.sources.payload_cases import real

KINDS = {"reply", "items", "ordered", "transform", "notify"}
# (name, payload, label): a sample of each source, and the real payloads where they are at hand.
PAYLOADS: list[tuple[str, Any, dict[str, Any]]] = [
    *((f"sample of {name}", build(), {"source": name}) for name, build in samples.SAMPLES.items()),
    *real(*Source),
]
SAMPLES = PAYLOADS[: len(samples.SAMPLES)]


def context_of(label: dict[str, Any]) -> Context:
    """The context in which a payload comes: that of a tool says what the payload does not."""
    called = samples.tool_client_context("find_order") if label["source"] == "tool" else None
    return Context(client_context=called)


# Their body is a token, which is no JSON.
TOKENS = (*(Source.AUTHORIZER, Source.APPSYNC_AUTHORIZER, Source.APPSYNC_EVENTS_AUTHORIZER, Source.IOT_AUTHORIZER),)
each_payload = pytest.mark.parametrize(("name", "raw", "label"), PAYLOADS, ids=[name for name, _, _ in PAYLOADS])
each_sample = pytest.mark.parametrize(("name", "raw", "label"), SAMPLES, ids=[name for name, _, _ in SAMPLES])


@pytest.fixture(autouse=True)
def deliveries(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is sent to CloudFormation, which is sent nowhere here."""
    sent: list[Any] = []

    def put(url: str, body: bytes) -> tuple[None, bool]:
        sent.append(json.loads(body))
        return None, False

    monkeypatch.setattr(cloudformation, "_put", put)
    return sent


def application(handler: Callable[..., Any], **options: Any) -> Resolver:
    """One route for each source, which takes all of it."""
    resolver = Resolver(**options)
    for source in Source:
        if source not in HTTP_SOURCES:
            resolver.on(source, "*")(handler)
    for path in ("/", "/{rest+}"):
        resolver.route(path)(handler)
    return resolver


def result_for(event: Event) -> Any:
    """What a handler of this source may return."""
    if event.source is Source.IOT_AUTHORIZER:
        return Allow(policies=[{"Statement": []}])
    if event.source is Source.TRANSFER:
        return TransferUser(
            "arn:aws:iam::123456789012:role/files", public_keys=() if event.json().get("password") else "ssh-rsa A"
        )
    if event.source in TOKENS or event.source is Source.IOT_PROVISIONING:
        return True
    return {"ok": True} if event._speaks_http or event.source is Source.INVOKE else None


# ---- the modules ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", Source)
def test_every_source_has_a_module_that_answers_the_same_questions(source: Source) -> None:
    module = load(source)
    assert ROWS[source].kind in KINDS
    assert callable(module.read)
    if ROWS[source].kind in ("items", "ordered", "transform"):
        assert callable(module.answer)
    if ROWS[source].kind == "ordered":
        assert callable(module.ordering_key)
        assert callable(module.partition_key)


def test_every_event_is_of_the_class_that_its_row_names() -> None:
    for name, build in samples.SAMPLES.items():
        kind = getattr(load(Source(name)), ROWS[Source(name)].event)
        for event in read(build(), context_of({"source": name})):
            assert isinstance(event, kind), name


def test_classes_for_annotations_are_those_of_rows() -> None:
    named = {row.event for row in ROWS.values()}
    assert {name for name in router.__all__ if name.endswith("Event")} == {
        *named,
        *("Event", "InvalidEvent", "ServerSentEvent"),
    } - {"DirectEvent"}


def test_record_options_are_for_the_sources_that_deliver_records() -> None:
    delivered = {source for source in Source if ROWS[source].kind != "reply"}
    assert delivered - {Source.EVENTBRIDGE, Source.SCHEDULE, Source.LOGS} == RECORD_SOURCES


# ---- reading -------------------------------------------------------------------------------------------------------


@each_payload
def test_it_is_recognised_and_exactly_one_rule_says_so(name: str, raw: Any, label: dict[str, Any]) -> None:
    source = detect(raw, context_of(label))
    assert source == label["source"]
    holding = [known for known, row in ROWS.items() if type(raw) is dict and row.rule(raw)]
    # What names itself needs no rule; what nothing recognises has none.
    names_itself = type(raw) is dict and ("Records" in raw or "eventSource" in raw)
    assert holding == ([] if names_itself or source in (Source.INVOKE, Source.TOOL) or type(raw) is list else [source])


@each_payload
def test_it_is_read_as_its_label_says_and_left_as_it_was(name: str, raw: Any, label: dict[str, Any]) -> None:
    before = copy.deepcopy(raw)
    context = context_of(label)
    events = read(raw, context)
    if label.get("records") is not None:
        assert len(events) == label["records"]
    for event in events:
        assert event.source == label["source"]
        assert (event.raw, event.context) == (raw, context)
        for field in ("name", "method", "path"):
            if label.get(field) is not None:
                assert getattr(event, field) == label[field]
    assert raw == before


@each_payload
def test_every_field_can_be_read_and_has_its_type(name: str, raw: Any, label: dict[str, Any]) -> None:
    before = copy.deepcopy(raw)
    for event in read(raw, context_of(label)):
        for field in event._lazy - {"typed", "body", "text"}:
            getattr(event, field)
        for field in ("name", "id", "method", "path", "change", "bus_source", "correlation_id"):
            assert type(getattr(event, field)) is str, field
        assert event.id
        assert event.correlation_id
        assert type(event.attempt) is int
        assert event.attempt >= 1
        for field in ("params", "cookies", "attributes", "state"):
            assert type(getattr(event, field)) is dict, field
        for field in ("trace_id", "tenant_id", "source_ip", "topic"):
            assert type(getattr(event, field)) in (str, type(None)), field
        assert event.timestamp is None or event.timestamp.tzinfo is not None
        for field in ("keys", "old", "new"):
            assert type(getattr(event, field)) in (dict, type(None)), field
        assert any(record is event.record for record in event.records) or event.source is Source.TASK
        assert event.remaining() > 0
        repr(event)
    assert raw == before


@each_sample
def test_the_bodies_of_samples_are_bytes_text_and_json(name: str, raw: Any, label: dict[str, Any]) -> None:
    for event in read(raw, context_of(label)):
        assert event.text == event.body.decode()
        if event.body and event.source not in (*TOKENS, Source.CLOUDFRONT):
            json.dumps(event.json(), default=str)


@each_sample
def test_the_id_is_the_same_when_it_comes_again(name: str, raw: Any, label: dict[str, Any]) -> None:
    if label["source"] in ("alb", "lattice"):
        return  # these give none
    first, again = read(raw, Context(request_id="r-1")), read(copy.deepcopy(raw), Context(request_id="r-1"))
    assert [event.id for event in first] == [event.id for event in again]
    assert len({event.id for event in first}) == len(first)


# ---- resolving -----------------------------------------------------------------------------------------------------


@each_payload
def test_it_is_dispatched_and_answered_in_json(name: str, raw: Any, label: dict[str, Any]) -> None:
    before, seen = copy.deepcopy(raw), []

    def handler(event: Event):
        seen.append(event)
        return result_for(event)

    answer = application(handler).resolve(raw, context_of(label))
    json.dumps(answer)
    assert len(seen) == len(read(raw))
    assert all(event.route.handler is handler for event in seen)
    assert raw == before


@each_sample
def test_an_async_application_answers_the_same(name: str, raw: Any, label: dict[str, Any]) -> None:
    def handler(event: Event):
        return result_for(event)

    async def later(event: Event):
        await asyncio.sleep(0)
        return result_for(event)

    context = context_of(label)
    answer = application(handler).resolve(raw, context)
    assert application(later).resolve(raw, context) == answer
    assert asyncio.run(application(later).resolve_async(raw, context)) == answer
    assert asyncio.run(application(handler).resolve_async(raw, context)) == answer


def fails(action: Callable[[], Any]) -> Any:
    """What tells the source that it failed: an answer of a kind that says so, or the error itself."""
    try:
        return action()
    except Exception as error:
        return error


def says_failure(source: Source, answer: Any) -> bool:
    """Whether an answer tells its source that all of the payload failed."""
    kind = ROWS[source].kind
    if isinstance(answer, Exception):
        # Of Kafka only a route that says `partial=True` answers.
        return isinstance(answer, RecordsFailed) if kind == "notify" or source is Source.KAFKA else kind == "reply"
    if answer is None:  # all that the sources of notices are ever told
        return False
    if kind in ("items", "ordered"):
        return bool(answer["batchItemFailures"])
    if source is Source.S3_BATCH:
        return all(result["resultCode"] == "PermanentFailure" for result in answer["results"])
    if source is Source.APPSYNC_EVENTS:
        return bool(answer["events"]) and all("error" in event for event in answer["events"])
    if kind == "transform":
        return all(record["result"] in ("ProcessingFailed", "DeliveryFailed") for record in answer["records"])
    if source is Source.BEDROCK_AGENT:
        return answer["response"]["httpStatusCode"] == 500
    if source is Source.CLOUDFORMATION:
        return answer["Status"] == "FAILED"
    return answer.get("statusCode", answer.get("status")) in (500, "500")


@each_sample
def test_an_error_is_never_taken_for_success(name: str, raw: Any, label: dict[str, Any]) -> None:
    def handler(event: Event):
        raise ValueError("connection string of the database")

    answer = fails(lambda: application(handler).resolve(raw, context_of(label)))
    assert says_failure(Source(label["source"]), answer)
    if not isinstance(answer, Exception):
        assert "connection string" not in json.dumps(answer)


@each_sample
def test_without_a_route_it_is_not_taken_for_success_either(name: str, raw: Any, label: dict[str, Any]) -> None:
    source = Source(label["source"])
    answer = fails(lambda: Resolver().resolve(raw, context_of(label)))
    if isinstance(answer, Exception):
        assert isinstance(answer, NoRoute | RecordsFailed | RouterError)
    elif source is Source.TOOL:
        assert answer["isError"] is True
    elif "statusCode" in answer or source in (Source.BEDROCK_AGENT, Source.CLOUDFRONT):
        assert "404" in json.dumps(answer)
    else:
        assert says_failure(source, answer)


@each_sample
def test_a_record_without_a_route_may_be_ignored_on_purpose(name: str, raw: Any, label: dict[str, Any]) -> None:
    source = Source(label["source"])
    if ROWS[source].kind != "reply":
        assert not says_failure(source, Resolver(unrouted="ignore").resolve(raw, context_of(label)))


@each_sample
def test_what_is_discarded_does_not_come_again(name: str, raw: Any, label: dict[str, Any]) -> None:
    source = Source(label["source"])

    def handler(event: Event):
        raise Discard("seen before")

    if ROWS[source].kind != "reply":
        answer = application(handler).resolve(raw, context_of(label))
        json.dumps(answer)
        assert not says_failure(source, answer)


@each_sample
def test_near_the_deadline_records_are_not_started_and_come_again(name: str, raw: Any, label: dict[str, Any]) -> None:
    source = Source(label["source"])
    seen: list[Event] = []

    def handler(event: Event):
        seen.append(event)

    answer = fails(lambda: application(handler).resolve(raw, Context(remaining=0.01)))
    if ROWS[source].kind != "reply":
        assert seen == []
        if source is Source.S3_BATCH:
            assert [result["resultCode"] for result in answer["results"]] == ["TemporaryFailure"]
        else:
            assert says_failure(source, answer)


def test_cloudformation_is_told_what_became_of_its_resource(deliveries: list[Any]) -> None:
    application(lambda event: None).resolve(samples.cloudformation("Create"), Context())
    assert [document["Status"] for document in deliveries] == ["SUCCESS"]
