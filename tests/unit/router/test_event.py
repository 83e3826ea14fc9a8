"""`Event`: fields are computed when they are read, once; what a payload lacks has a value that says so."""

from __future__ import annotations

import asyncio
import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from router import read
from router.errors import BadRequest, ConfigurationError, InvalidEvent
from router.event import Event, Source
from router.session import Session
from router.testing import Context, samples


def one(raw: Any, context: Any = None) -> Any:
    (event,) = read(raw, context)
    return event


def test_every_source_of_the_contract_has_its_value() -> None:
    assert list(Source) == [
        *["rest", "http", "url", "alb", "lattice", "websocket", "sqs", "sns", "dynamodb", "kinesis", "kafka"],
        *["activemq", "rabbitmq", "documentdb", "firehose", "s3", "s3-batch", "s3-object", "eventbridge", "schedule"],
        *["logs", "alarm", "dashboard", "cognito", "cognito-sync", "authorizer", "appsync", "appsync-authorizer"],
        *["appsync-events", "appsync-events-authorizer"],
        *["ses", "codecommit", "codepipeline", "codedeploy", "config", "connect", "lex", "alexa", "alexa-home", "iot"],
        *["iot-authorizer", "iot-provisioning", "transfer"],
        *["cloudformation", "cloudfront", "secretsmanager", "bedrock-agent", "tool", "kinesis-analytics"],
        *["sagemaker", "workmail", "vpn", "invoke", "task"],
    ]
    assert f"{Source.S3_BATCH}" == "s3-batch"


def test_a_field_is_computed_once_and_kept() -> None:
    event = one(samples.rest("POST", "/a", body={"a": 1}, headers={"x-a": "1"}))
    for field in ("headers", "query", "cookies", "body", "text", "attributes", "state", "session", "id"):
        assert getattr(event, field) is getattr(event, field), field
    assert event.json() is event.json()


def test_json_that_is_null_is_parsed_once_too(monkeypatch: pytest.MonkeyPatch) -> None:
    event = one(samples.sqs("orders", ["null"]))
    calls: list[Any] = []
    parse = type(event)._parsed

    def counted(self: Any) -> Any:
        calls.append(self)
        return parse(self)

    monkeypatch.setattr(type(event), "_parsed", counted)
    assert event.json() is None
    assert event.json() is None
    assert len(calls) == 1


def test_nothing_is_parsed_before_it_is_asked_for() -> None:
    raw = samples.sqs("orders", ["{", "{}"], attributes={"n": 1})
    raw["Records"][0]["messageAttributes"] = raw["Records"][0]["attributes"] = 5
    first, second = read(raw)
    assert (first.name, second.json()) == ("orders", {})
    with pytest.raises(InvalidEvent):
        first.json()
    with pytest.raises(InvalidEvent):
        _ = first.attributes


def test_the_payload_and_the_record_stay_as_they_came() -> None:
    raw = samples.sqs("orders", [{"id": 1}, {"id": 2}], attributes={"a": "1"}, session={"tenant": "acme"})
    before = copy.deepcopy(raw)
    for event in read(raw):
        for field in event._lazy - {"typed"}:
            getattr(event, field)
        event.attributes["mine"] = event.state["mine"] = 1
        event.records.clear()
        assert event.raw is raw
    assert raw == before
    assert read(raw)[1].record is raw["Records"][1]


@pytest.mark.parametrize(
    "payload", [samples.sqs("orders", ["a"]), samples.rest("GET", "/"), samples.schedule("nightly")]
)
def test_an_event_is_told_from_its_payload(payload: Any) -> None:
    event: Any = one(payload)
    with pytest.raises(
        TypeError, match=r"Event is not the payload: read its fields .body, json.., .... or \.raw\['body'\]"
    ):
        event["body"]
    with pytest.raises(TypeError):
        list(event)
    with pytest.raises(TypeError):
        "body" in event  # noqa: B015


@pytest.mark.parametrize("wrong", [{"tenant": "acme"}, "acme", None])
def test_only_a_session_is_taken_for_one(wrong: Any) -> None:
    event = one(samples.schedule("nightly"))
    with pytest.raises(TypeError, match=f"event.session takes a Session, not {type(wrong).__name__}"):
        event.session = wrong


def test_a_field_that_does_not_exist_is_an_attribute_error() -> None:
    event = one(samples.sqs("orders", ["a"]))
    for name in ("headrs", "_headers_", "__fspath__"):
        assert not hasattr(event, name)
    with pytest.raises(AttributeError, match="QueueEvent has no field 'headrs'"):
        _ = event.headrs
    with pytest.raises(AttributeError):
        event.headrs = 1


def test_fields_can_be_set_by_middleware() -> None:
    event = one(samples.sqs("orders", ["a"]))
    event.session = Session("acme")
    event.text = "other"
    assert (event.session.tenant, event.body) == ("acme", b"other")


def test_what_a_source_does_not_have_is_empty() -> None:
    event = one(samples.invoke("rebuild", {"id": 1}))
    assert (event.method, event.path, event.change, event.bus_source) == ("", "", "", "")
    assert (event.keys, event.old, event.new, event.timestamp) == (None, None, None, None)
    assert (event.source_ip, event.topic, event.tenant_id, event.route) == (None, None, None, None)
    assert (event.params, event.cookies, event.attributes, dict(event.claims)) == ({}, {}, {}, {})
    assert (dict(event.headers), dict(event.query), event.attempt, event._tasks) == ({}, {}, 1, None)
    assert event.session == Session()
    assert (event.record, event.records) == (event.raw, [event.raw])


def test_state_belongs_to_one_event() -> None:
    first, second = read(samples.sqs("orders", ["a", "b"]))
    first.state["seen"] = True
    assert second.state == {}


def test_it_says_what_it_is() -> None:
    event = one(samples.sqs("orders", ["secret"], message_ids=["m-1"]))
    assert repr(event) == "<Event sqs name='orders' id='m-1'>"


# ---- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "position"),
    [
        ('{"a": 1 "b"}', "line 1, column"),
        ('{\n  "a": tru\n}', "line 2, column 8"),
        ("", "line 1, column 1"),
        ("[" * 100_000, "line 1"),
        ('{"a": NaN}', "line 1, column 7"),
    ],
)
def test_bad_json_is_an_error_with_its_position(body: str, position: str) -> None:
    with pytest.raises(InvalidEvent, match=position):
        one(samples.sqs("orders", [body])).json()
    with pytest.raises(BadRequest, match=position):
        one(samples.rest("POST", "/", body=body)).json()


def test_the_message_of_bad_json_says_the_position_once() -> None:
    with pytest.raises(InvalidEvent) as caught:
        one(samples.sqs("orders", ["{'a': 1}"])).json()
    assert str(caught.value).count("column") == 1


def test_a_body_that_is_not_text_says_where() -> None:
    event = one(samples.rest("POST", "/", body=b"ab\xff"))
    assert event.body == b"ab\xff"
    with pytest.raises(BadRequest, match=r"not UTF-8 \(byte 2\)"):
        _ = event.text
    with pytest.raises(BadRequest):
        event.json()


def test_the_body_of_a_source_without_one_is_its_record() -> None:
    raw = samples.eventbridge("OrderPlaced", {"id": 1})
    event = Event(Source.EVENTBRIDGE, raw, None, raw)
    assert json.loads(event.body) == raw
    assert event.json() == raw


# ---- the invocation ------------------------------------------------------------------------------------------------


def test_the_id_is_the_requests_where_the_payload_has_none() -> None:
    assert one(samples.invoke("a"), Context(request_id="r-7")).id == "r-7"
    made_up = one(samples.invoke("a"))
    assert len(made_up.id) == 36
    assert made_up.id == made_up.id != one(samples.invoke("a")).id


def test_the_correlation_is_the_sessions_or_the_id() -> None:
    message = samples.sqs("orders", ["a"], message_ids=["m-1"])
    assert one(message).correlation_id == "m-1"
    message = samples.sqs("orders", ["a"], session={"correlation_id": "c-1"})
    assert one(message).correlation_id == "c-1"


def test_the_trace_is_that_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5;Sampled=1")
    assert one(samples.invoke("a")).trace_id == "Root=1-5;Sampled=1"
    monkeypatch.delenv("_X_AMZN_TRACE_ID")
    assert one(samples.invoke("a")).trace_id is None


def test_the_tenant_of_lambdas_isolation_mode() -> None:
    assert one(samples.invoke("a"), Context(tenant_id="acme")).tenant_id == "acme"


def test_the_time_that_is_left() -> None:
    assert one(samples.invoke("a"), Context(remaining=1.5)).remaining() == 1.5
    assert one(samples.invoke("a")).remaining() == float("inf")
    assert one(samples.invoke("a"), object()).remaining() == float("inf")


def test_a_time_is_aware() -> None:
    at = datetime(2024, 5, 4, 12, tzinfo=UTC)
    for raw in (samples.sqs("q", ["a"], timestamp=at), samples.rest(timestamp=at), samples.http(timestamp=at)):
        assert one(raw).timestamp == at


def test_background_work_is_kept_with_the_event() -> None:
    event = one(samples.invoke("a"))
    event._tasks = ()  # as where something waits for it
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    async def main() -> None:
        tasks = [event.background(work(1)), event.background(work(2))]
        assert list(event._tasks) == tasks
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert done == [1, 2]


def test_background_work_needs_a_loop() -> None:
    async def work() -> None: ...

    with pytest.raises(ConfigurationError, match="needs an async handler"):
        one(samples.invoke("a")).background(work())


def test_typed_gives_the_data_class_of_powertools() -> None:
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

    request = one(samples.rest("POST", "/a", body={"a": 1})).typed
    assert isinstance(request, APIGatewayProxyEvent)
    assert (request.path, request.json_body) == ("/a", {"a": 1})
    _, second = read(samples.sqs("orders", ["a", "b"]))
    assert isinstance(second.typed, SQSRecord)
    assert second.typed.body == "b"
