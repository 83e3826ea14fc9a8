"""Direct invocation and ECS tasks."""

import copy
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from router.errors import AnswerTooLarge, EncodeError, InvalidEvent, SessionError
from router.event import Source
from router.session import Session
from router.session_policy import SessionPolicy
from router.sources._registry import detect
from router.sources.invoke import answer, read
from tests.unit.router.sources.payload_cases import FUZZ, JSON, Context, read_all, read_one, survives

ENVELOPE = {"action": "rebuild", "data": {"index": "orders"}, "session": {"tenant": "acme", "correlation_id": "c-1"}}
DESTINATION = {
    "version": "1.0",
    "timestamp": "2024-01-01T00:00:00.000Z",
    "requestContext": {"requestId": "r-0", "functionArn": "arn", "condition": "RetriesExhausted"},
    "requestPayload": {"a": 1},
    "responseContext": {"statusCode": 200},
    "responsePayload": {},
}


def test_the_envelope():
    event = read_one(ENVELOPE, Context())
    assert (event.source, event.name, event.id) == (Source.INVOKE, "rebuild", "request-1")
    assert event.json() == json.loads(event.body) == json.loads(event.text) == {"index": "orders"}
    assert event.session == Session("acme", correlation_id="c-1")
    assert event.correlation_id == "c-1"
    assert event.raw is ENVELOPE


def test_without_a_context_an_event_still_has_an_id():
    event = read_one(ENVELOPE)
    assert event.id
    assert event.id == event.id


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        ({"action": "rebuild", "data": [1]}, [1]),
        ({"session": {"user": "u"}, "data": {"a": 1}}, {"a": 1}),
        ({"action": "rebuild", "data": 1, "other": 2}, 1),
        ({"action": "rebuild"}, None),
        ({"action": "rebuild", "session": {}}, None),
        ({"action": "opened", "issue": 5}, {"action": "opened", "issue": 5}),
        ({"data": {"a": 1}}, {"data": {"a": 1}}),
        ({"a": 1}, {"a": 1}),
        ({}, {}),
        ([], []),
        ([{"messageId": "1"}], [{"messageId": "1"}]),
        ("text", "text"),
        (5, 5),
        (None, None),
        (False, False),
        (DESTINATION, DESTINATION),
    ],
)
def test_the_body_is_the_data_of_an_envelope_or_the_whole_payload(payload, body):
    event = read_one(payload)
    assert event.source is Source.INVOKE
    assert event.json() == body
    assert json.loads(event.body) == body


@pytest.mark.parametrize("payload", [{"action": 5}, {"action": None}, {}, [], "action", None, DESTINATION])
def test_what_names_no_action_has_no_name(payload):
    assert read_one(payload).name == ""


def test_the_key_of_the_session_is_the_policys():
    event = read_one({"who": '{"user": "u-1"}', "data": 1})
    event._policy = SessionPolicy(attribute="who")
    assert (event.session, event.json()) == (Session(user="u-1"), 1)


@pytest.mark.parametrize("session", ["no json", 5, [], {"tenant": 5}])
def test_a_session_that_is_none_is_refused(session):
    with pytest.raises(SessionError):
        _ = read_one({"action": "a", "session": session}).session


@pytest.mark.parametrize("payload", [[1], "text", 5, None, {"a": 1}])
def test_other_payloads_have_no_session(payload):
    assert read_one(payload).session == Session()


def test_an_answer_is_what_the_runtime_client_can_write():
    event = read_one(ENVELOPE)
    assert answer(event, {"at": datetime(2024, 1, 1, tzinfo=UTC)}) == {"at": "2024-01-01T00:00:00+00:00"}
    assert answer(event, None) is None
    assert answer(event, "text") == "text"
    with pytest.raises(EncodeError):
        answer(event, object())


def test_an_answer_over_6_mb_is_refused():
    assert len(answer(read_one(ENVELOPE), "x" * (6 * 1024 * 1024 - 2))) == 6 * 1024 * 1024 - 2
    with pytest.raises(AnswerTooLarge, match="6,291,456"):
        answer(read_one(ENVELOPE), "x" * (6 * 1024 * 1024 - 1))


def test_a_payload_that_is_no_text_at_all_is_refused_when_it_is_read():
    with pytest.raises(InvalidEvent, match="payload"):
        _ = read_one("\ud800").body


ENVIRONMENT = {
    "TASK_NAME": "nightly",
    "SESSION": '{"tenant": "acme"}',
    "TASK_DATA": '{"day": 1}',
    "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/cd189a933e5849daa93386466019ab50-2495160603",
    "DB_PASSWORD": "hunter2",
}


class Environment(Mapping):
    """A mapping that is no dict, as os.environ is; whoever goes through all of it could be copying it."""

    def __init__(self, held: dict[str, Any]) -> None:
        self.held = held

    def __getitem__(self, name: str) -> Any:
        return self.held[name]

    def __len__(self) -> int:
        return len(self.held)

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("the environment was copied")

    def __repr__(self) -> str:
        raise AssertionError("the environment was shown")


def task(**changes):
    raw = Environment({name: value for name, value in {**ENVIRONMENT, **changes}.items() if value is not None})
    assert detect(raw) is Source.TASK
    (event,) = read(Source.TASK, raw, None)
    return event


def test_a_task_is_its_environment():
    event = task()
    assert (event.name, event.id) == ("nightly", "cd189a933e5849daa93386466019ab50")
    assert event.json() == {"day": 1}
    assert (event.text, event.body) == ('{"day": 1}', b'{"day": 1}')
    assert event.session == Session("acme")
    assert event.attributes == {}
    assert answer(event, None) is None


def test_the_real_environment_is_read_in_place(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    (event,) = read(detect(os.environ), os.environ, None)
    assert event.raw is os.environ
    assert (event.name, event.session.tenant) == ("nightly", "acme")


def test_the_environment_is_neither_copied_nor_shown():
    event = task()
    read_all(event)
    shown = f"{event!r} {event} {event.record!r} {event.records!r} {event.attributes!r} {event.state!r}"
    assert "nightly" in shown
    assert "hunter2" not in shown
    assert "hunter2" not in event.text


def test_a_task_may_say_little():
    event = task(SESSION=None, TASK_DATA=None, ECS_CONTAINER_METADATA_URI_V4=None)
    assert (event.json(), event.session) == ({}, Session())
    assert event.id
    unnamed = task(TASK_NAME=None, SESSION="")
    assert (unnamed.name, unnamed.session) == ("", Session())


def test_data_that_is_none_is_refused_without_being_shown():
    with pytest.raises(InvalidEvent, match=r"TASK_DATA: not valid JSON \(line 1, column 1\)") as caught:
        task(TASK_DATA="hunter2").json()
    assert "hunter2" not in str(caught.value)
    with pytest.raises(InvalidEvent, match="TASK_DATA"):
        task(TASK_DATA="\ud800").json()
    with pytest.raises(InvalidEvent, match="TASK_DATA: must be text"):
        task(TASK_DATA=5).json()


@FUZZ
@given(JSON, JSON, JSON, JSON)
def test_whatever_it_holds(payload, action, data, session):
    before = copy.deepcopy(payload)
    survives(payload, {Source.INVOKE}, [None, data])
    assert repr(payload) == repr(before)
    survives({"action": action, "data": data, "session": session}, {Source.INVOKE}, [None, data])
    (event,) = read(Source.TASK, Environment({"TASK_NAME": "a", "SESSION": session, "TASK_DATA": data}), None)
    read_all(event)
