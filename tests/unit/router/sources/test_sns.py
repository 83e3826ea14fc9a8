"""SNS: notifications as events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import SNSEvent
from hypothesis import given
from hypothesis import strategies as st

from router.errors import InvalidEvent, SessionError
from router.event import Source
from router.session import Session
from router.sources._registry import ROWS
from router.testing import samples
from tests.unit.router.sources.payload_cases import FUZZ, mutations, real
from tests.unit.router.sources.record_cases import agree_with_labels, one, read, stays_within_our_errors

PAYLOADS = [
    samples.sns("orders", [{"id": 1}, "plain"], subject="s", attributes={"n": 1, "b": b"x"}, session={"tenant": "t"}),
    *(raw for _, raw, _ in real(Source.SNS)),
]


def notice(**changes: Any) -> Any:
    raw = samples.sns("orders", ["hello"], subject="greeting", timestamp=datetime(2024, 5, 4, 12, tzinfo=UTC))
    raw["Records"][0]["Sns"].update(changes)
    return raw


def test_every_real_payload_is_read_as_its_label_says() -> None:
    agree_with_labels(Source.SNS)


def test_a_notification_has_the_fields_of_a_message() -> None:
    raw = samples.sns(
        "orders",
        [{"id": 7}],
        subject="new",
        attributes={"count": 3, "kind": "book", "raw": b"\x00\xff", "tags": ["a", "b"]},
        timestamp=datetime(2024, 5, 4, 12, tzinfo=UTC),
    )
    event = one(Source.SNS, raw)
    theirs = next(SNSEvent(raw).records).sns
    assert (event.name, event.topic, event.id) == ("orders", "orders", theirs.message_id)
    assert (event.text, event.subject) == (theirs.message, "new")
    assert event.body == theirs.message.encode()
    assert event.json() == {"id": 7}
    assert event.attributes == {"count": 3, "kind": "book", "raw": b"\x00\xff", "tags": ["a", "b"]}
    assert event.timestamp == datetime(2024, 5, 4, 12, tzinfo=UTC)
    assert event.records == raw["Records"]


def test_each_notification_has_its_own_session() -> None:
    first = samples.sns("orders", ["a"], session={"tenant": "t1", "user": "u1"})
    second = samples.sns("orders", ["b"])
    events = read(Source.SNS, {"Records": first["Records"] + second["Records"]})
    assert [event.session for event in events] == [Session("t1", "u1"), Session()]


def test_a_broken_attribute_beside_it_does_not_keep_the_session_from_being_read() -> None:
    raw = samples.sns("orders", ["a"], session={"tenant": "t1"})
    raw["Records"][0]["Sns"]["MessageAttributes"]["broken"] = {"Type": "Number", "Value": "many"}
    event = one(Source.SNS, raw)
    assert event.session.tenant == "t1"
    with pytest.raises(InvalidEvent, match="broken"):
        _ = event.attributes


def test_a_session_that_is_no_session_is_refused() -> None:
    raw = samples.sns("orders", ["a"], session="[]")
    with pytest.raises(SessionError):
        _ = one(Source.SNS, raw).session


def test_binary_attributes_are_read_with_and_without_padding() -> None:
    attributes = {
        "padded": {"Type": "Binary", "Value": "aGk="},
        "bare": {"Type": "Binary", "Value": "aGk"},
        "text": {"Type": "String", "Value": "aGk"},
    }
    event = one(Source.SNS, notice(MessageAttributes=attributes))
    assert event.attributes == {"padded": b"hi", "bare": b"hi", "text": "aGk"}
    assert attributes["bare"]["Value"] == "aGk"


def test_a_notification_without_a_subject_has_none() -> None:
    assert one(Source.SNS, notice(Subject=None)).subject is None


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"TopicArn": 7}, "name", r"^sns Records\[0\]\.Sns\.TopicArn: must be text, not a whole number$"),
        ({"MessageId": None}, "id", r"^sns Records\[0\]\.Sns\.MessageId: must be text, not null or missing$"),
        ({"Message": {"a": 1}}, "text", r"^sns Records\[0\]\.Sns\.Message: must be text, not an object$"),
        ({"Message": "\ud800"}, "body", r"Sns\.Message: not valid text \(character 0\)"),
        ({"MessageAttributes": ["x"]}, "attributes", "must be an object, not list"),
        ({"MessageAttributes": {"x": 1}}, "attributes", "'x'"),
        ({"MessageAttributes": {"x": {"Type": "Binary", "Value": "!"}}}, "attributes", "'x'"),
    ],
)
def test_a_malformed_field_is_named(changes: dict[str, Any], field: str, message: str) -> None:
    event = one(Source.SNS, notice(**changes))
    with pytest.raises(InvalidEvent, match=message):
        getattr(event, field)


@pytest.mark.parametrize("time", [None, 5, "yesterday", "2024-13-01T00:00:00Z"])
def test_an_unreadable_time_is_unknown(time: Any) -> None:
    assert one(Source.SNS, notice(Timestamp=time)).timestamp is None


def test_a_time_without_a_zone_is_utc() -> None:
    event = one(Source.SNS, notice(Timestamp="2024-05-04T12:00:00"))
    assert event.timestamp == datetime(2024, 5, 4, 12, tzinfo=UTC)


def test_a_record_that_is_no_record_fails_the_call() -> None:
    with pytest.raises(InvalidEvent, match=r"^sns Records\[1\]: must be an object, not a list$"):
        read(Source.SNS, {"Records": [*notice()["Records"], []]})


def test_the_call_succeeds_or_fails_as_a_whole() -> None:
    assert ROWS[Source.SNS].kind == "notify"


@FUZZ
@given(mutations(PAYLOADS), st.data())
def test_mutations_raise_our_errors_alone(raw: Any, data: st.DataObject) -> None:
    stays_within_our_errors(Source.SNS, raw, data)
