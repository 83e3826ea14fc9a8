"""The sources whose answer goes back as it is."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from router.errors import InvalidEvent
from router.event import Source
from router.session import Session
from router.sources._registry import ROWS
from router.sources.direct import NAMES, answer
from router.testing import samples
from tests.unit.router.sources.payload_cases import FUZZ, JSON, Context, mutations, read_one, real, survives

ALARM = {
    "source": "aws.cloudwatch",
    "alarmArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:slow",
    "time": "2024-02-17T11:53:08.431+0000",
    "alarmData": {"alarmName": "slow", "state": {"value": "ALARM"}},
}
CONFIG = {
    "invokingEvent": '{"messageType":"ScheduledNotification","notificationCreationTime":"2023-04-27T13:26:17.741Z"}',
    "configRuleName": "tagged",
    "resultToken": "t",
}
PAYLOADS: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "alarm": (ALARM, "slow", None),
    "dashboard": ({"widgetContext": {"dashboardName": "orders"}, "a": 1}, "orders", None),
    "dashboard docs": ({"describe": True}, "describe", None),
    "config": (CONFIG, "tagged", None),
    "codepipeline": (
        {
            "CodePipeline.job": {
                "id": "j-1",
                "data": {"actionConfiguration": {"configuration": {"FunctionName": "deploy"}}},
            }
        },
        "deploy",
        "j-1",
    ),
    "codedeploy": ({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "h-1"}, "d-1", "h-1"),
    "connect": ({"Name": "ContactFlowEvent", "Details": {"ContactData": {}}}, "ContactFlowEvent", None),
    "lex 2": ({"bot": {"name": "b"}, "sessionState": {"intent": {"name": "Order"}}}, "Order", None),
    "lex 1": ({"bot": {"name": "b"}, "currentIntent": {"name": "Order"}}, "Order", None),
    "alexa intent": (
        {"session": {}, "request": {"type": "IntentRequest", "requestId": "a-1", "intent": {"name": "Order"}}},
        "Order",
        "a-1",
    ),
    "alexa launch": (
        {"context": {"System": {}}, "request": {"type": "LaunchRequest", "requestId": "a-2"}},
        "LaunchRequest",
        "a-2",
    ),
    "alexa home": (
        {"directive": {"header": {"namespace": "Alexa.PowerController", "name": "TurnOn", "messageId": "m-1"}}},
        "Alexa.PowerController.TurnOn",
        "m-1",
    ),
    "iot 1-click": (
        {"deviceInfo": {"type": "button"}, "deviceEvent": {"buttonClicked": {"clickType": "SINGLE"}}},
        "SINGLE",
        None,
    ),
    "iot device": ({"deviceInfo": {"type": "motion"}, "deviceEvent": {}}, "motion", None),
    "iot button": ({"serialNumber": "G0", "clickType": "LONG", "batteryVoltage": "1500mV"}, "LONG", None),
    "secretsmanager": (
        {"SecretId": "arn:s", "ClientRequestToken": "t-1", "Step": "createSecret"},
        "createSecret",
        "t-1:createSecret",
    ),
    "s3-object": (
        {
            "xAmzRequestId": "x-1",
            "getObjectContext": {"outputRoute": "r"},
            "configuration": {"accessPointArn": "arn:aws:s3-object-lambda:eu-west-1:1:accesspoint/resize"},
        },
        "resize",
        "x-1",
    ),
    "sagemaker": (
        {"labelingJobArn": "arn:aws:sagemaker:eu-west-1:1:labeling-job/cats", "dataObject": {}},
        "cats",
        None,
    ),
    "workmail": (
        {"summaryVersion": "2018-10-10", "envelope": {}, "flowDirection": "INBOUND", "messageId": "w-1"},
        "INBOUND",
        "w-1",
    ),
    "vpn": ({"connection-id": "c-1", "endpoint-id": "e-1", "public-ip": "203.0.113.9"}, "e-1", "c-1"),
}
SOURCES = set(NAMES)


@pytest.mark.parametrize(("payload", "name", "id"), PAYLOADS.values(), ids=PAYLOADS)
def test_each_has_its_name_and_its_id(payload, name, id):
    event = read_one(payload, Context())
    assert event.source in SOURCES
    assert event.name == name
    assert event.id == (id or "request-1")


def test_every_source_of_this_module_has_a_payload_here():
    assert {read_one(payload).source for payload, _, _ in PAYLOADS.values()} == SOURCES
    assert {source for source in Source if ROWS[source].module == "direct"} == SOURCES


def test_real_payloads_have_their_names():
    for file, payload, label in real(*SOURCES):
        event = read_one(payload)
        assert event.name, file
        if label["name"] is not None:
            assert event.name == label["name"], file


@pytest.mark.parametrize("payload", [payload for payload, _, _ in PAYLOADS.values() if payload is not CONFIG])
def test_the_body_is_the_payload(payload):
    event = read_one(payload)
    assert event.json() == json.loads(event.body) == payload
    assert event.session == Session()


def test_an_alarm_says_its_state_and_time():
    event = read_one(ALARM)
    assert (event.change, event.timestamp) == ("ALARM", datetime(2024, 2, 17, 11, 53, 8, 431000, tzinfo=UTC))


def test_a_config_rule_is_given_what_invoked_it():
    event = read_one(CONFIG)
    assert event.json() == json.loads(CONFIG["invokingEvent"])
    assert event.change == "ScheduledNotification"
    assert event.timestamp == datetime(2023, 4, 27, 13, 26, 17, 741000, tzinfo=UTC)


def test_a_config_rule_with_a_broken_invoking_event():
    event = read_one({**CONFIG, "invokingEvent": '{"a"'})
    assert event.name == "tagged"
    with pytest.raises(InvalidEvent, match=r"invokingEvent: not valid JSON \(line 1, column 5\)"):
        event.json()


def test_the_keys_of_a_rotation():
    payload, _, _ = PAYLOADS["secretsmanager"]
    assert read_one(payload).keys == {"SecretId": "arn:s", "ClientRequestToken": "t-1"}
    assert read_one(ALARM).keys is None


def test_the_steps_of_a_rotation_are_events_of_their_own():
    payload, _, _ = PAYLOADS["secretsmanager"]
    assert read_one(payload).id != read_one({**payload, "Step": "setSecret"}).id
    assert read_one({**payload, "ClientRequestToken": None}, Context()).id == "request-1"


def test_the_address_of_a_vpn_client():
    payload, _, _ = PAYLOADS["vpn"]
    assert read_one(payload).source_ip == "203.0.113.9"
    assert read_one(ALARM).source_ip is None


@pytest.mark.parametrize(
    "payload",
    [
        {"alarmData": {}},
        {"getObjectContext": {}, "configuration": {"accessPointArn": 5}},
        {"directive": {"header": {}}},
    ],
)
def test_what_has_no_name_is_left_to_the_default_route(payload):
    assert read_one(payload).name == ""


def test_text_that_is_none_is_refused_when_it_is_read():
    with pytest.raises(InvalidEvent, match="alarm event"):
        _ = read_one({**ALARM, "alarmArn": "\ud800"}).body


def test_the_answer_goes_back_as_it_is():
    event = read_one(ALARM)
    assert answer(event, {"a": [1, None], "at": datetime(2024, 1, 1, tzinfo=UTC)}) == {
        "a": [1, None],
        "at": "2024-01-01T00:00:00+00:00",
    }
    assert answer(event, "<b>html</b>") == "<b>html</b>"
    assert answer(event, None) is None


@FUZZ
@given(mutations([*[payload for payload, _, _ in PAYLOADS.values()], *[raw for _, raw, _ in real(*SOURCES)]]), JSON)
def test_whatever_it_holds(payload, result):
    survives(payload, SOURCES, [None, result])


def test_the_time_of_an_alexa_request_is_that_of_the_request() -> None:
    raw = samples.alexa()
    raw["request"]["timestamp"] = "2026-03-04T05:06:07Z"
    assert read_one(raw).timestamp == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
