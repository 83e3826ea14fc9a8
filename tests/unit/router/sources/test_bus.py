"""EventBridge events and schedules."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given

from router.errors import InvalidEvent, SessionError
from router.event import Source
from router.session import Session
from router.session_policy import SessionPolicy
from router.sources._registry import ROWS
from router.testing import samples
from tests.unit.router.sources.payload_cases import FUZZ, Context, mutations, read_one, real, survives

EVENT = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "OrderPlaced",
    "source": "shop.orders",
    "account": "111122223333",
    "time": "2024-05-06T07:08:09Z",
    "region": "eu-west-1",
    "resources": [],
    "detail": {"order": 7, "metadata": {"session": {"tenant": "acme", "correlation_id": "c-1"}}},
    "trace-header": "Root=1-65000000-000000000000000000000000",
}
SCHEDULE = {
    **EVENT,
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "resources": ["arn:aws:events:eu-west-1:111122223333:rule/nightly"],
    "detail": {},
}


def test_real_payloads_have_their_names():
    for file, payload, label in real(Source.EVENTBRIDGE, Source.SCHEDULE):
        event = read_one(payload)
        assert event.name == label["name"], file
        assert event.json() == payload["detail"], file
        assert event.id == payload["id"], file


def test_the_fields_of_an_event():
    event = read_one(EVENT)
    assert (event.source, event.name, event.bus_source) == (Source.EVENTBRIDGE, "OrderPlaced", "shop.orders")
    assert event.id == EVENT["id"]
    assert event.timestamp == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert event.trace_id == EVENT["trace-header"]
    assert json.loads(event.body) == json.loads(event.text) == event.json() == EVENT["detail"]
    assert event.record is event.raw is EVENT


def test_without_an_id_the_request_id_of_the_call_stands_in():
    event = read_one({**EVENT, "id": None}, Context())
    assert event.id == "request-1"


def test_the_session_comes_with_the_metadata_of_the_detail():
    event = read_one(EVENT)
    assert event.session == Session("acme", correlation_id="c-1")
    assert event.correlation_id == "c-1"
    assert read_one({**EVENT, "detail": {"metadata": 5}}).session == Session()


def test_the_metadata_key_of_the_session_is_the_policys():
    event = read_one({**EVENT, "detail": {"metadata": {"who": '{"user": "u-1"}', "session": {"user": "other"}}}})
    event._policy = SessionPolicy(attribute="who")
    assert event.session == Session(user="u-1")


def test_a_session_that_is_none_is_refused():
    with pytest.raises(SessionError):
        _ = read_one({**EVENT, "detail": {"metadata": {"session": 5}}}).session


def test_a_detail_that_is_text_is_read_as_json_where_it_is_json():
    event = read_one({**EVENT, "detail": json.dumps(EVENT["detail"])})
    assert event.json() == EVENT["detail"]
    assert event.text == json.dumps(EVENT["detail"])
    assert event.session.tenant == "acme"


def test_a_detail_that_is_other_text_stays_text():
    event = read_one({**EVENT, "detail": "run now"})
    assert (event.json(), event.text, event.body) == ("run now", "run now", b"run now")
    assert event.session == Session()


def test_a_detail_that_is_no_text_at_all_is_refused_when_it_is_read():
    for detail in ("\ud800", {"a": "\ud800"}):
        event = read_one({**EVENT, "detail": detail})
        with pytest.raises(InvalidEvent, match="detail"):
            _ = event.body


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("arn:aws:events:eu-west-1:111122223333:rule/nightly", "nightly"),
        ("arn:aws:events:eu-west-1:111122223333:rule/orders-bus/nightly", "nightly"),
        ("arn:aws:scheduler:eu-west-1:111122223333:schedule/default/reports", "reports"),
        ("arn:aws:events:eu-west-1:111122223333:rule/", "Scheduled Event"),
        ("arn:aws:events:eu-west-1:111122223333:rule", "Scheduled Event"),
        ("arn:aws:ec2:eu-west-1:111122223333:instance/i-1", "Scheduled Event"),
        ("nightly", "Scheduled Event"),
        (7, "Scheduled Event"),
    ],
)
def test_a_schedule_goes_by_the_name_of_its_rule(resource, name):
    event = read_one({**SCHEDULE, "resources": [resource]})
    assert (event.source, event.name) == (Source.SCHEDULE, name)


@pytest.mark.parametrize("resources", [None, [], {}, "rule/nightly"])
def test_a_schedule_without_resources_goes_by_its_detail_type(resources):
    assert read_one({**SCHEDULE, "resources": resources}).name == "Scheduled Event"


@pytest.mark.parametrize("time", ["soon", None, 5, {}])
def test_a_time_that_is_none_is_none(time):
    assert read_one({**EVENT, "time": time}).timestamp is None


def test_it_succeeds_or_fails_as_a_whole():
    assert ROWS[Source.EVENTBRIDGE].kind == "notify"


@FUZZ
@given(mutations([EVENT, SCHEDULE, *[payload for _, payload, _ in real(Source.EVENTBRIDGE)]]))
def test_whatever_it_holds(payload):
    survives(payload, {Source.EVENTBRIDGE, Source.SCHEDULE}, [])


def test_the_detail_is_the_body():
    event = read_one(samples.eventbridge("OrderPlaced", {"id": 1}))
    assert event.detail == event.json() == {"id": 1}
