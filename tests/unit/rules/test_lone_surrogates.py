"""A lone surrogate in what is sent on, a session, a message or the log: refused, or escaped where people read it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from botocore.parsers import ResponseParserError

from adapters.aws.botocore_errors import translate
from adapters.errors import AdapterError, InvalidMessage
from adapters.sns import Message, Sns
from adapters.sqs import Sqs
from router import ConfigurationError, Event, RecordsFailed, Resolver, RouterError, Session, SessionPolicy, Signing
from router.testing import TestClient
from tests.unit.adapters.fakes import FakeClient, fake_aws

LONE = "a\ud800b"
POLICY = SessionPolicy(signing=Signing("the key of this application, 32 bytes at least"))
SESSIONS = [
    Session(LONE),
    Session(user=LONE),
    Session(correlation_id=LONE),
    Session(claims={"a": [LONE]}),
    Session(claims={LONE: 1}),
    Session(attributes={"a": LONE}),
]


@pytest.mark.parametrize("session", SESSIONS, ids=range(len(SESSIONS)))
@pytest.mark.parametrize(
    "send",
    [
        lambda session: session.to_wire(),
        POLICY.issue,
        lambda session: POLICY.nobody.replace(**session.to_dict()).to_wire("header"),
    ],
)
def test_a_session_that_cannot_be_encoded_is_refused(session: Session, send: Callable[[Session], Any]) -> None:
    with pytest.raises(RouterError) as refused:
        send(session)
    str(refused.value).encode()


def test_what_is_sealed_can_be_encoded() -> None:
    with pytest.raises(RouterError, match="lone surrogate at character 1"):
        POLICY.seal(LONE)


@pytest.mark.parametrize("content", [LONE, {"a": LONE}, {LONE: 1}])
@pytest.mark.parametrize("attributes", [None, {"a": LONE}, {LONE: "a"}, {"a": [LONE]}])
def test_a_message_that_cannot_be_encoded_is_refused_before_anything_is_sent(content: Any, attributes: Any) -> None:
    client = FakeClient(publish={"MessageId": "m"}, send_message={"MessageId": "m"})
    aws = fake_aws({"sns": client, "sqs": client})
    message = Message(content if attributes is None else "x", attributes=attributes)
    for send in (
        lambda: Sns(aws).publish("arn:aws:sns:eu-west-1:123456789012:orders", message),
        lambda: Sqs(aws).send("https://sqs.eu-west-1.amazonaws.com/123456789012/orders", message),
    ):
        with pytest.raises(InvalidMessage) as refused:
            send()
        assert not any("\ud800" <= character <= "\udfff" for character in str(refused.value))
    assert client.calls == []


def test_the_log_can_be_written(caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()

    @resolver.on_topic("orders")
    def order(event: Event) -> None:
        raise ValueError(LONE)

    with caplog.at_level(logging.DEBUG, "router"), pytest.raises(RecordsFailed) as failed:
        TestClient(resolver).topic("orders", ["x"], message_ids=[LONE])
    str(failed.value).encode()
    assert caplog.records
    for record in caplog.records:
        record.getMessage().encode()
        (record.exc_text or "").encode()


@pytest.mark.parametrize(
    "options", [{"attribute": 7}, {"attribute": ""}, {"body_field": 5}, {"body_field": ""}, {"lambda_tenant": "no"}]
)
def test_places_of_a_session_that_make_no_sense_are_refused_at_start(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        SessionPolicy(**options)


def test_an_answer_of_something_in_between_is_an_error_of_the_library() -> None:
    typed = translate(ResponseParserError("<html>secret</html>"), "sns", "publish", "orders")
    assert type(typed) is AdapterError
    assert typed.retryable
    assert "html" not in str(typed)
