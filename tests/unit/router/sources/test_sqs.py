"""SQS: messages, the envelope of SNS, attributes, the places of a session, failures by message id."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import Discard, Event, Resolver, Retry, Session, SessionPolicy, get_session, read
from router.errors import InvalidEvent, SessionError
from router.event import Source
from router.sources import sqs
from router.testing import Context, TestClient, samples
from tests.unit.router.sources.payload_cases import FUZZ, mutations
from tests.unit.router.sources.record_cases import agree_with_labels, answer, outcome, stays_within_our_errors


def one(raw: Any) -> Any:
    (event,) = read(raw)
    return event


def message(**changes: Any) -> Any:
    """One message with some keys changed; None takes a key out."""
    raw = samples.sqs("orders", ["a"], message_ids=["m-1"])
    for key, value in changes.items():
        raw["Records"][0][key] = value
        if value is None:
            del raw["Records"][0][key]
    return raw


# ---- messages ------------------------------------------------------------------------------------------------------


def test_every_real_payload_is_read_as_its_label_says() -> None:
    agree_with_labels(Source.SQS)


def test_a_message() -> None:
    at = datetime(2024, 5, 4, 12, tzinfo=UTC)
    raw = samples.sqs("orders", [{"id": 1}, "text"], message_ids=["m-1", "m-2"], receive_count=3, timestamp=at)
    first, second = read(raw)
    assert (first.name, first.id, first.attempt, first.timestamp) == ("orders", "m-1", 3, at)
    assert (first.json(), first.body, first.text) == ({"id": 1}, b'{"id":1}', '{"id":1}')
    assert (second.id, second.text, second.record) == ("m-2", "text", raw["Records"][1])
    assert (first.topic, first.records) == (None, raw["Records"])


def test_the_trace_comes_with_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-call")
    assert one(message(attributes={"AWSTraceHeader": "Root=1-2"})).trace_id == "Root=1-2"
    assert one(message(attributes={"AWSTraceHeader": 5})).trace_id == "Root=1-call"


@pytest.mark.parametrize("count", [None, 5, "", "x", "-1", "\u0661", "9" * 5000, [], "0"])
def test_a_count_that_is_none_is_the_first_delivery(count: Any) -> None:
    event = one(message(attributes={"ApproximateReceiveCount": count, "SentTimestamp": count}))
    assert event.attempt == 1
    assert event.timestamp in (None, datetime(1970, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("attributes", [None, 5, [], {}])
def test_without_the_attributes_of_sqs_it_is_still_a_message(attributes: Any) -> None:
    event = one(message(attributes=attributes))
    assert (event.attempt, event.timestamp, event.group, event.text) == (1, None, None, "a")


@pytest.mark.parametrize("record", [5, "x", None, [], {}, {"messageId": ""}, {"messageId": 5}, {"messageId": None}])
def test_a_record_that_no_failure_could_be_reported_for_fails_the_call(record: Any) -> None:
    raw = samples.sqs("orders", ["a", "b"])
    raw["Records"][1] = record
    with pytest.raises(InvalidEvent, match=r"sqs Records\[1\]: it has no messageId"):
        read(raw)


@pytest.mark.parametrize("arn", [None, 5, {}])
def test_a_message_of_no_queue_fails_alone(arn: Any) -> None:
    raw = message(eventSourceARN=arn)
    with pytest.raises(InvalidEvent, match="sqs record: eventSourceARN must be text"):
        _ = one(raw).name
    resolver = Resolver()
    resolver.on_queue("*")(lambda event: None)
    assert resolver.resolve(raw) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}


def test_messages_of_several_queues_have_their_own_names() -> None:
    raw = {"Records": [samples.sqs_record(queue, "a") for queue in ("orders", "bills", "orders")]}
    assert [event.name for event in read(raw)] == ["orders", "bills", "orders"]


@pytest.mark.parametrize("body", [None, 5, {"a": 1}])
def test_a_body_that_is_no_text_is_an_error_of_this_record(body: Any) -> None:
    event = one(message(body=body))
    for read_it in (lambda: event.text, lambda: event.body, event.json):
        with pytest.raises(InvalidEvent, match="body must be text"):
            read_it()


def test_a_body_with_half_a_character_is_an_error_of_this_record() -> None:
    event = one(message(body="a\ud800"))
    assert event.text == "a\ud800"
    with pytest.raises(InvalidEvent, match=r"not valid text \(character 1\)"):
        _ = event.body
    with pytest.raises(InvalidEvent, match="not valid JSON"):
        event.json()


def test_a_body_that_waits_elsewhere_is_fetched_when_it_is_read() -> None:
    fetched: list[str] = []

    def fetch() -> bytes:
        fetched.append("now")
        return b'{"id": 1}'

    event = one(message(body="where it is"))
    event._offloaded = fetch
    assert (event.name, fetched) == ("orders", [])
    assert (event.json(), event.text, event.body, fetched) == ({"id": 1}, '{"id": 1}', b'{"id": 1}', ["now"])
    event = one(message())
    event._offloaded = lambda: b"\xff"
    with pytest.raises(InvalidEvent, match="not UTF-8"):
        event.json()


# ---- the envelope of SNS -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [False, True])
def test_a_message_that_came_through_a_topic_is_what_was_published(raw: bool) -> None:
    payload = samples.sns_in_sqs("news", [{"id": 1}], queue="orders", raw=raw, attributes={"kind": "new", "n": 5})
    event = one(payload)
    assert (event.name, event.topic) == ("orders", None if raw else "news")
    assert (event.json(), event.text, event.body) == ({"id": 1}, '{"id":1}', b'{"id":1}')
    assert event.attributes == {"kind": "new", "n": 5}
    assert one(json.loads(json.dumps(payload))).json() == {"id": 1}


def test_attributes_of_the_message_itself_count_more_than_those_of_the_envelope() -> None:
    raw = samples.sns_in_sqs("news", ["a"], attributes={"kind": "published", "other": "1"})
    raw["Records"][0]["messageAttributes"] = {"kind": {"dataType": "String", "stringValue": "sent"}}
    assert one(raw).attributes == {"kind": "sent", "other": "1"}


NOTIFICATION = {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:news", "Message": "hello"}


@pytest.mark.parametrize(
    "body",
    [
        {**NOTIFICATION, "Type": "SubscriptionConfirmation", "Also": "Notification"},
        {**NOTIFICATION, "Message": 5},
        {**NOTIFICATION, "TopicArn": 5},
        [NOTIFICATION],
        '"TopicArn" "Notification"',
    ],
)
def test_what_only_looks_like_an_envelope_is_left_closed(body: Any) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    event = one(message(body=text))
    assert (event.text, event.topic, event.attributes) == (text, None, {})


def test_an_envelope_whose_message_is_an_envelope_is_opened_once() -> None:
    inner = json.dumps(NOTIFICATION)
    event = one(message(body=json.dumps({**NOTIFICATION, "Message": inner})))
    assert event.json() == NOTIFICATION


# ---- attributes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ({"dataType": "String", "stringValue": "a"}, "a"),
        ({"dataType": "String.custom", "stringValue": "a"}, "a"),
        ({"dataType": "Number", "stringValue": "-5"}, -5),
        ({"dataType": "Number", "stringValue": "9" * 38}, 10**38 - 1),
        ({"dataType": "Number.float", "stringValue": "0.1"}, Decimal("0.1")),
        ({"dataType": "Number", "stringValue": "1e3"}, Decimal("1E+3")),
        ({"dataType": "Binary", "binaryValue": "AP8="}, b"\x00\xff"),
        ({"dataType": "Binary.png", "binaryValue": "AP8="}, b"\x00\xff"),
        ({"Type": "String", "Value": "a"}, "a"),
        ({"Type": "Number", "Value": "5"}, 5),
        ({"Type": "Binary", "Value": "AP8="}, b"\x00\xff"),
        ({"Type": "String.Array", "Value": '["a", 1, null]'}, ["a", 1, None]),
        ({"stringValue": "a"}, "a"),
        ({"dataType": 5, "stringValue": "a"}, "a"),
    ],
)
def test_an_attribute_is_a_plain_value(attribute: Any, value: Any) -> None:
    found = one(message(messageAttributes={"x": attribute})).attributes["x"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        (5, "message attributes must be an object, not int"),
        ([], "message attributes must be an object, not list"),
        ({"x": "a"}, "the attribute 'x' must be an object"),
        ({"x": None}, "the attribute 'x' must be an object"),
        ({"x": {"dataType": "String"}}, "the attribute 'x' has no string value"),
        ({"x": {"dataType": "String", "stringValue": 5}}, "the attribute 'x' has no string value"),
        ({"x": {"dataType": "Binary", "stringValue": "YQ=="}}, "the attribute 'x' has no binary value"),
        ({"x": {"dataType": "Binary", "binaryValue": "%"}}, "the attribute 'x' is no Binary"),
        ({"x": {"dataType": "Binary", "binaryValue": "é"}}, "the attribute 'x' is no Binary"),
        ({"x": {"dataType": "Number", "stringValue": "five"}}, "'five' is no number"),
        ({"x": {"dataType": "Number", "stringValue": "NaN"}}, "'NaN' is no finite number"),
        ({"x": {"dataType": "Number", "stringValue": "-"}}, "'-' is no number"),
        ({"x": {"dataType": "Number", "stringValue": "x" * 500}}, "is no number"),
        ({"x": {"Type": "String.Array", "Value": "["}}, "the attribute 'x' is no String.Array"),
    ],
)
def test_a_malformed_attribute_fails_when_it_is_read(attributes: Any, said: str) -> None:
    event = one(message(messageAttributes=attributes))
    assert event.text == "a"
    with pytest.raises(InvalidEvent, match=said) as caught:
        _ = event.attributes
    assert len(str(caught.value)) < 200


@given(st.integers(-(10**38), 10**38) | st.decimals(allow_nan=False, allow_infinity=False))
def test_every_number_is_exact(value: Any) -> None:
    assert sqs.number(str(value)) == value


# ---- the places of a session ----------------------------------------------------------------------------------

WHO = {"tenant": "acme", "user": "u-1"}


@pytest.mark.parametrize(
    "raw",
    [
        samples.sqs("orders", [{"id": 1}], session=WHO),
        samples.sns_in_sqs("news", [{"id": 1}], raw=True, session=WHO),
        samples.sqs("orders", [{"id": 1, "who": WHO}]),
        samples.sns_in_sqs("news", [{"id": 1, "who": json.dumps(WHO)}]),
    ],
    ids=["SQS attribute", "raw delivery", "body field", "body field in an envelope"],
)
def test_where_a_message_carries_its_session(raw: Any) -> None:
    (event,) = read(raw)
    event._policy = SessionPolicy(body_field="who", require=["tenant", "user"])
    assert event.session == Session("acme", "u-1")


@pytest.mark.parametrize("body", ["no json", "5", "[]", '{"other": 1}', "null"])
def test_a_body_without_the_field_has_no_session(body: str) -> None:
    event = one(samples.sqs("orders", [body]))
    event._policy = SessionPolicy(body_field="who")
    assert event.session == Session()


def test_a_session_in_bytes_is_a_session() -> None:
    raw = samples.sqs("orders", ["a"], attributes={"session": json.dumps(WHO).encode()})
    assert one(raw).session == Session("acme", "u-1")


def test_a_session_that_is_no_attribute_is_refused() -> None:
    raw = samples.sqs("orders", ["a"])
    raw["Records"][0]["messageAttributes"] = {"session": json.dumps(WHO)}
    with pytest.raises(InvalidEvent, match="the attribute 'session'"):
        _ = one(raw).session


@pytest.mark.parametrize("wire", ["{", "5", '{"tenant": 5}', "null"])
def test_a_malformed_session_fails_its_record_alone(wire: str) -> None:
    raw = samples.sqs("orders", ["a", "b"], message_ids=["m-1", "m-2"])
    raw["Records"][0]["messageAttributes"] = {"session": {"dataType": "String", "stringValue": wire}}
    seen: list[str] = []
    resolver = Resolver()
    resolver.on_queue("orders")(lambda event, session: seen.append(event.text))
    assert resolver.resolve(raw) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert seen == ["b"]
    with pytest.raises(SessionError):
        _ = read(raw)[0].session


def test_records_of_one_call_run_under_their_own_sessions() -> None:
    sessions: list[Session] = []
    resolver = Resolver()
    resolver.on_queue("orders")(lambda event: sessions.append(get_session()))
    records = [samples.sqs_record("orders", "a", session=who, position=at) for at, who in enumerate((WHO, None, WHO))]
    resolver.resolve({"Records": records})
    assert sessions == [Session("acme", "u-1"), Session(), Session("acme", "u-1")]


def test_with_batch_there_is_one_call_a_session() -> None:
    calls: list[tuple[Session, list[str]]] = []
    resolver = Resolver()

    @resolver.on_queue("orders", batch=True)
    def handle(events, session: Session):
        calls.append((session, [event.text for event in events]))

    who = [WHO, {**WHO, "user": "u-2"}, WHO, None, {**WHO, "correlation_id": "c"}]
    records = [samples.sqs_record("orders", str(at), session=each, position=at) for at, each in enumerate(who)]
    resolver.resolve({"Records": records})
    assert [texts for _, texts in calls] == [["0", "2", "4"], ["1"], ["3"]]
    assert [session.user for session, _ in calls] == ["u-1", "u-2", None]


# ---- answers -------------------------------------------------------------------------------------------------------


def test_what_failed_is_named_and_what_was_discarded_is_not() -> None:
    raw = samples.sqs("orders", ["a", "b", "c", "d"], message_ids=["1", "2", "3", "4"])
    outcomes = [outcome(), outcome(error=ValueError()), outcome(error=Discard("x")), outcome(started=False)]
    assert answer(Source.SQS, raw, *outcomes) == {
        "batchItemFailures": [{"itemIdentifier": "2"}, {"itemIdentifier": "4"}]
    }
    assert answer(Source.SQS, raw, *[outcome(error=Retry())] * 4)["batchItemFailures"][3] == {"itemIdentifier": "4"}
    assert answer(Source.SQS, raw, *[outcome(result="x")] * 4) == {"batchItemFailures": []}


def test_after_a_failure_the_rest_of_its_message_group_waits_and_other_groups_go_on() -> None:
    seen: list[str] = []
    resolver = Resolver()

    @resolver.on_queue("orders.fifo")
    def handle(event):
        seen.append(event.text)
        if event.text == "a1":
            raise ValueError

    ids = ["a1", "b1", "a2", "b2"]
    raw = samples.sqs("orders.fifo", ids, group=["a", "b", "a", "b"], message_ids=ids)
    assert resolver.resolve(raw) == {"batchItemFailures": [{"itemIdentifier": "a1"}, {"itemIdentifier": "a2"}]}
    assert seen == ["a1", "b1", "b2"]


@pytest.mark.parametrize("reason", ["session", "pattern"])
def test_a_message_that_no_handler_is_called_for_holds_up_its_group_too(reason: str) -> None:
    seen: list[str] = []
    resolver = Resolver()
    pattern = {"body": [{"anything-but": "a1"}]} if reason == "pattern" else {"body": [{"exists": True}]}
    resolver.on_queue("orders.fifo", pattern=pattern)(lambda event, session: seen.append(event.text))
    ids = ["a1", "b1", "a2", "b2"]
    raw = samples.sqs("orders.fifo", ids, group=["a", "b", "a", "b"], message_ids=ids)
    if reason == "session":
        raw["Records"][0]["messageAttributes"] = {"session": "no attribute"}
    assert resolver.resolve(raw) == {"batchItemFailures": [{"itemIdentifier": "a1"}, {"itemIdentifier": "a2"}]}
    assert seen == ["b1", "b2"]


def _empty(raw: dict[str, Any]) -> None:
    raw["Records"].clear()


def _reverse(raw: dict[str, Any]) -> None:
    raw["Records"].reverse()


def _replace(raw: dict[str, Any]) -> None:
    raw["Records"] = raw["Records"][::-1]


@pytest.mark.parametrize("change", [_empty, _reverse, _replace])
@pytest.mark.parametrize("queue", ["orders", "orders.fifo"])
def test_what_a_handler_does_to_the_payload_changes_no_outcome(change: Any, queue: str) -> None:
    seen: list[str] = []
    resolver = Resolver()

    @resolver.on_queue(queue)
    def work(event: Event) -> None:
        seen.append(event.text)
        if len(seen) == 1:
            change(event.raw)
        if event.text == "b":
            raise ValueError

    texts = ["a", "b", "c", "d"]
    fifo = queue.endswith(".fifo")
    raw = samples.sqs(queue, texts, message_ids=texts, group=["g"] * 4 if fifo else None)
    failed = ["b", "c", "d"] if fifo else ["b"]
    assert resolver.resolve(raw) == {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}
    assert seen == (["a", "b"] if fifo else texts)


def test_the_group_of_a_message() -> None:
    grouped = one(samples.sqs("orders.fifo", ["a"], group="g"))
    assert (grouped.group, sqs.ordering_key(grouped)) == ("g", "g")
    standard = one(samples.sqs("orders", ["a"]))
    assert (standard.group, sqs.ordering_key(standard)) == (None, None)
    fair = one(message(attributes={"MessageGroupId": "tenant-1"}))  # fair queues have groups and no order
    assert (fair.group, sqs.ordering_key(fair)) == ("tenant-1", None)


def test_near_the_deadline_no_further_record_is_started() -> None:
    context = Context(remaining=5)
    seen: list[str] = []
    resolver = Resolver(deadline_margin=1)

    @resolver.on_queue("orders")
    def handle(event):
        seen.append(event.text)
        context.remaining -= 2.5

    ids = ["1", "2", "3", "4"]
    failed = TestClient(resolver, context=context).queue("orders", ids, message_ids=ids)["batchItemFailures"]
    assert (seen, failed) == (["1", "2"], [{"itemIdentifier": "3"}, {"itemIdentifier": "4"}])


PAYLOADS = [
    samples.sqs("orders", [{"id": 1}, "b"], attributes={"n": 5, "b": b"x"}, session=WHO),
    samples.sqs("orders.fifo", ["a", "b"], group=["g", "h"]),
    samples.sns_in_sqs("news", [{"id": 1}], attributes={"kind": ["a", "b"]}, session=WHO),
]


@FUZZ
@given(mutations(PAYLOADS), st.data())
def test_whatever_is_in_a_payload(raw: Any, data: st.DataObject) -> None:
    records = raw.get("Records")
    if isinstance(records, list):
        stays_within_our_errors(Source.SQS, copy.deepcopy(raw), data)


def test_the_subject_of_a_notification_in_a_queue() -> None:
    event: Any = read(samples.sns_in_sqs("news", ["hi"], subject="Today"))[0]
    assert (event.subject, event.topic) == ("Today", "news")
    for raw in (samples.sns_in_sqs("news", ["hi"]), samples.sqs("orders", ["a"])):
        event = read(raw)[0]
        assert event.subject is None
