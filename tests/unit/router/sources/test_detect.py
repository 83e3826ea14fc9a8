"""Which source a payload is from: the look-alikes, wrong types at every key, and what nothing recognises."""

from __future__ import annotations

import copy
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.event import Source
from router.sources._registry import ROWS, detect
from router.testing import samples
from tests.unit.router.sources.payload_cases import FUZZ, JSON, mutations

URL_DOMAIN = "abc.lambda-url.eu-west-1.on.aws"


def http_shape(domain: Any = None, **more: Any) -> dict[str, Any]:
    context = {"http": {"method": "GET", "path": "/"}, "domainName": domain}
    return {"version": "2.0", "rawPath": "/", "requestContext": context, **more}


def rest_shape(context: Any = None, **more: Any) -> dict[str, Any]:
    return {"httpMethod": "GET", "path": "/", "resource": "/", "requestContext": context or {}, **more}


def socket_shape(**more: Any) -> dict[str, Any]:
    context = {"connectionId": "c", "eventType": "CONNECT", "routeKey": "$connect"}
    return {"requestContext": context, **more}


def records(source: str, key: str = "eventSource") -> dict[str, Any]:
    return {"Records": [{key: source}]}


BRIDGE = {"detail-type": "X", "source": "shop", "detail": {}}
CONTEXT_1 = {"requestContext": {}, "httpMethod": "GET", "path": "/", "resource": "/", "version": "1.0"}

# Parts of payloads that are not enough to be one.
LESS: list[dict[str, Any]] = [
    {"bot": {}, "messageVersion": "1.0"},
    {"sessionState": {}, "messageVersion": "1.0"},
    {"SecretId": "s", "Step": "createSecret"},
    {"SecretId": "s", "ClientRequestToken": "t"},
    {"Step": "createSecret", "ClientRequestToken": "t"},
    {"RequestType": "Create"},
    {"ResourceType": "Custom::A"},
    {"labelingJobArn": "arn"},
    {"dataObject": {}, "payload": {}},
    {"eventType": "SyncTrigger"},
    {"eventType": "Other", "identityPoolId": "p"},
    {"serialNumber": "1", "clickType": "SINGLE"},
    {"clickType": "SINGLE", "batteryVoltage": "1 mV"},
    {"deviceInfo": {}},
    {"summaryVersion": "2019"},
    {"connection-id": "c"},
    {"endpoint-id": "e"},
    {"authorizationToken": "t", "requestContext": {"operation": "EVENT_CONNECT", "channel": None}, "routeArn": "arn"},
    {"authorizationToken": "t", "requestContext": {"operation": "EVENT_CONNECT", "channel": None}, "httpMethod": "GET"},
    {"templateArn": "arn", "certificateId": "c", "parameters": "x"},
    {"Records": [], "window": {}, "eventSourceARN": "arn:aws:unheard-of:eu-west-1:1:a"},
    {"DeploymentId": "d"},
    {"CodePipeline.job": "j"},
    {"LifecycleEventHookExecutionId": "e"},
    {"invokingEvent": "{}"},
    {"triggerSource": "X", "request": {}},
    {"triggerSource": "X", "userPoolId": "p"},
    {"request": {"type": "X"}},
    {"request": {}, "session": {}},
    {"request": {"type": "X"}, "context": {}},
    {"header": {"namespace": "Alexa.X"}},
    {"header": {"namespace": "Other"}, "payload": {}},
    {"directive": {}},
    {"actionGroup": "a"},
    {"agent": {}},
    {"info": {"fieldName": "f"}},
    {"typeName": "Query", "arguments": {}},
    {"fieldName": "f", "arguments": {}},
    {"detail-type": "X", "source": "s"},
    {"detail-type": "X", "detail": {}},
    {"source": "s", "detail": {}},
    {"alarmData": {}, "detail": {}},
    {"awslogs": {}},
    {"records": []},
    {"records": {}, "deliveryStreamArn": "arn"},
    {"tasks": []},
    {"type": "TOKEN"},
    {"methodArn": "arn"},
    {"authorizationToken": "t"},
    {"authorizationToken": "t", "requestContext": {}},
    {"httpMethod": "GET", "path": "/"},
    {"httpMethod": "GET", "requestContext": {}},
    {"path": "/", "requestContext": {}},
    {"path": "/", "method": "GET", "requestContext": {}},
    {"method": "GET", "requestContext": {"serviceNetworkArn": "arn"}},
    {"raw_path": "/"},
    {"requestContext": {"connectionId": "c", "eventType": "CONNECT"}},
    {"requestContext": {"connectionId": "c", "routeKey": "$connect"}},
    {"requestContext": {"eventType": "CONNECT", "routeKey": "$connect"}},
    {"requestContext": {"elb": {}}},
    {"Details": {}},
    {"widgetContext": True},
    {"getObjectContext": True},
    {"CodePipeline.job": True},
    {"Event": "s3:TestEvent"},
]
LOOK_ALIKES: dict[str, tuple[Source, Any]] = {
    # one shape, told apart by the domain
    "function URL": (Source.URL, http_shape(URL_DOMAIN)),
    "function URL in capitals": (Source.URL, http_shape(URL_DOMAIN.upper())),
    "function URL in China": (Source.URL, http_shape("abc.lambda-url.cn-north-1.on.amazonwebservices.com.cn")),
    "HTTP API, its own domain": (Source.HTTP, http_shape("abc.execute-api.eu-west-1.amazonaws.com")),
    "HTTP API, custom domain like a function URL": (Source.HTTP, http_shape("abc.lambda-url.example.com")),
    "HTTP API, a function URL in front": (Source.HTTP, http_shape(f"{URL_DOMAIN}.example.com")),
    "HTTP API, a function URL behind": (Source.HTTP, http_shape(f"www.{URL_DOMAIN}")),
    "HTTP API, short domain": (Source.HTTP, http_shape("abc.lambda-url.on.aws")),
    "HTTP API without a domain": (Source.HTTP, http_shape()),
    "HTTP API, domain is no text": (Source.HTTP, http_shape(5)),
    "HTTP API with a version 1.0": (Source.HTTP, http_shape(version="1.0")),
    # httpMethod stands in many
    "REST without a version": (Source.REST, rest_shape()),
    "REST with a type of its own": (Source.REST, rest_shape(type="REQUEST")),
    "REST with rawPath": (Source.REST, rest_shape(rawPath="/base/a")),
    "REST with version 1.0": (Source.REST, CONTEXT_1),
    "ALB": (Source.ALB, rest_shape({"elb": {"targetGroupArn": "arn"}})),
    "request authorizer": (Source.AUTHORIZER, rest_shape(type="REQUEST", methodArn="arn")),
    "request authorizer of a WebSocket API": (Source.AUTHORIZER, socket_shape(type="REQUEST", methodArn="arn")),
    "authorizer 2.0": (Source.AUTHORIZER, http_shape(type="REQUEST", routeArn="arn")),
    "token authorizer": (Source.AUTHORIZER, {"type": "TOKEN", "methodArn": "arn", "authorizationToken": "t"}),
    "AppSync's authorizer": (
        Source.APPSYNC_AUTHORIZER,
        {"authorizationToken": "t", "requestContext": {"queryString": "query {}"}},
    ),
    "Bedrock agent": (Source.BEDROCK_AGENT, rest_shape(agent={}, actionGroup="a", apiPath="/", messageVersion="1.0")),
    "WebSocket connect with a method": (Source.WEBSOCKET, {**rest_shape(), **socket_shape(httpMethod="GET", path="/")}),
    "WebSocket message": (Source.WEBSOCKET, socket_shape(body="hi")),
    # VPC Lattice
    "Lattice 1.0": (Source.LATTICE, {"raw_path": "/", "method": "GET", "headers": {}}),
    "Lattice 2.0": (
        Source.LATTICE,
        {"version": "2.0", "path": "/", "method": "GET", "requestContext": {"serviceNetworkArn": "arn"}},
    ),
    "Lattice 2.0 by target group": (
        Source.LATTICE,
        {"path": "/", "method": "GET", "requestContext": {"targetGroupArn": "arn"}},
    ),
    # records
    "SNS in Pascal case": (Source.SNS, records("aws:sns", "EventSource")),
    "S3 in SQS": (Source.SQS, {"Records": [{"eventSource": "aws:sqs", "body": '{"Records": [{"s3": {}}]}'}]}),
    "CloudFront": (Source.CLOUDFRONT, {"Records": [{"cf": {}}]}),
    "Kafka": (Source.KAFKA, {"eventSource": "aws:kafka", "records": {"t-0": []}}),
    "self-managed Kafka": (Source.KAFKA, {"eventSource": "SelfManagedKafka", "records": {}}),
    "Firehose": (Source.FIREHOSE, {"invocationId": "i", "records": [], "deliveryStreamArn": "arn"}),
    "Kinesis Analytics": (Source.KINESIS_ANALYTICS, {"invocationId": "i", "records": [], "applicationArn": "arn"}),
    "S3 Batch": (Source.S3_BATCH, {"invocationId": "i", "invocationSchemaVersion": "1.0", "tasks": []}),
    "WorkMail": (Source.WORKMAIL, {"summaryVersion": "2019", "envelope": {}, "invocationId": "i"}),
    "DynamoDB's window closes": (
        Source.DYNAMODB,
        {"Records": [], "window": {}, "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/t/stream/s"},
    ),
    "Kinesis' window closes": (
        Source.KINESIS,
        {"Records": [], "window": {}, "eventSourceARN": "arn:aws:kinesis:eu-west-1:1:stream/s"},
    ),
    "S3's test": (Source.S3, {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}),
    # EventBridge and what looks like it
    "EventBridge": (Source.EVENTBRIDGE, BRIDGE),
    "EventBridge, detail is text": (Source.EVENTBRIDGE, {**BRIDGE, "detail": "{}"}),
    "EventBridge tells of an alarm": (
        Source.EVENTBRIDGE,
        {**BRIDGE, "detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch"},
    ),
    "an alarm by itself": (Source.ALARM, {"source": "aws.cloudwatch", "alarmArn": "arn", "alarmData": {}}),
    "a rule's schedule": (Source.SCHEDULE, {**BRIDGE, "detail-type": "Scheduled Event", "source": "aws.events"}),
    "the Scheduler's": (Source.SCHEDULE, {**BRIDGE, "detail-type": "Scheduled Event", "source": "aws.scheduler"}),
    "a schedule of somebody else": (Source.EVENTBRIDGE, {**BRIDGE, "detail-type": "Scheduled Event"}),
    # AppSync
    "AppSync, direct": (Source.APPSYNC, {"info": {"fieldName": "f"}, "arguments": {}, "source": None}),
    "AppSync, Amplify": (Source.APPSYNC, {"typeName": "Query", "fieldName": "f", "arguments": {}}),
    "AppSync, batch": (Source.APPSYNC, [{"info": {"fieldName": "f"}, "arguments": {}}] * 2),
    "AppSync Events, publish": (
        Source.APPSYNC_EVENTS,
        {"info": {"channel": {}, "channelNamespace": {}, "operation": "PUBLISH"}, "events": [], "request": {}},
    ),
    "AppSync Events, subscribe": (
        Source.APPSYNC_EVENTS,
        {"info": {"channelNamespace": {}, "operation": "SUBSCRIBE"}, "events": None, "request": {"type": 5}},
    ),
    "a GraphQL field with a channel": (
        Source.APPSYNC,
        {"info": {"fieldName": "f", "channelNamespace": {}, "operation": "PUBLISH"}, "arguments": {}},
    ),
    "the Event API's authorizer": (
        Source.APPSYNC_EVENTS_AUTHORIZER,
        {"authorizationToken": "t", "requestContext": {"operation": "EVENT_CONNECT", "channel": None}},
    ),
    "a GraphQL request with a channel": (
        Source.APPSYNC_AUTHORIZER,
        {"authorizationToken": "t", "requestContext": {"queryString": "", "operation": "o", "channel": "/a"}},
    ),
    # devices and logins
    "IoT asks who it is": (
        Source.IOT_AUTHORIZER,
        {"signatureVerified": False, "protocols": ["tls"], "protocolData": {}, "connectionMetadata": {"id": "c"}},
    ),
    "IoT asks whether to provision": (
        Source.IOT_PROVISIONING,
        {"templateArn": "arn", "certificateId": "c", "parameters": {}, "clientId": "d"},
    ),
    "Transfer Family, by key": (Source.TRANSFER, {"username": "a", "protocol": "SFTP", "serverId": "s-1"}),
    "a call that has a server": (Source.INVOKE, {"username": "a", "protocol": "HTTP", "serverId": "s-1"}),
    "a call that has a template": (Source.INVOKE, {"templateArn": "arn", "parameters": {}}),
    # the rest
    "Lex 1": (Source.LEX, {"messageVersion": "1.0", "bot": {}, "currentIntent": {}}),
    "Lex 2": (Source.LEX, {"messageVersion": "1.0", "bot": {}, "sessionState": {}}),
    "Alexa without a session": (Source.ALEXA, {"request": {"type": "X"}, "context": {"System": {}}, "version": "1.0"}),
    "Cognito": (Source.COGNITO, {"triggerSource": "PreSignUp_SignUp", "userPoolId": "p", "request": {}}),
    "Alexa Home 2": (Source.ALEXA_HOME, {"header": {"namespace": "Alexa.ConnectedHome.Control"}, "payload": {}}),
    "an IoT device that is no button": (Source.IOT, {"deviceInfo": {}, "deviceEvent": {}}),
    "Config": (Source.CONFIG, {"invokingEvent": "{}", "configRuleName": "r", "version": "1.0"}),
    "CDK's provider framework": (Source.CLOUDFORMATION, {"RequestType": "Create", "ResourceType": "Custom::A"}),
    "a dashboard asks for help": (Source.DASHBOARD, {"describe": True}),
    "a task by its name": (Source.TASK, {"TASK_NAME": "nightly"}),
    "a task by its metadata": (Source.TASK, MappingProxyType({"ECS_CONTAINER_METADATA_URI_V4": "http://x"})),
    "Ground Truth before annotation": (Source.SAGEMAKER, {"labelingJobArn": "arn", "dataObject": {}}),
    "Ground Truth after annotation": (Source.SAGEMAKER, {"labelingJobArn": "arn", "payload": {}}),
    "an IoT button": (Source.IOT, {"serialNumber": "1", "clickType": "SINGLE", "batteryVoltage": "1 mV"}),
    "Cognito sync": (Source.COGNITO_SYNC, {"eventType": "SyncTrigger", "identityPoolId": "p"}),
    # and what only looks like something
    **{f"less than {', '.join(raw)}": (Source.INVOKE, raw) for raw in LESS},
    "nothing": (Source.INVOKE, {}),
    "no records": (Source.INVOKE, {"Records": []}),
    "EventBridge Pipes": (Source.INVOKE, [{"eventSource": "aws:sqs", "messageId": "1", "body": "a"}]),
    "an empty list": (Source.INVOKE, []),
    "a list of AppSync and more": (Source.INVOKE, [{"info": {"fieldName": "f"}, "arguments": {}}, 5]),
    "a Lambda destination": (
        Source.INVOKE,
        {"version": "1.0", "requestContext": {"requestId": "r", "condition": "Success"}, "responsePayload": {}},
    ),
    "SQS as an object": (Source.INVOKE, {"eventSource": "aws:sqs"}),
    "Kafka as a record": (Source.INVOKE, records("aws:kafka")),
    "an unknown service": (Source.INVOKE, records("aws:new")),
    "records that are no list": (Source.INVOKE, {"Records": {"eventSource": "aws:sqs"}}),
    "a record that is no object": (Source.INVOKE, {"Records": ["aws:sqs"]}),
    "a window of nothing": (Source.INVOKE, {"Records": [], "window": {}, "eventSourceARN": "arn"}),
    "a window of something else": (Source.INVOKE, {"Records": [], "window": {}, "eventSourceARN": "arn:aws:sqs:x:1:q"}),
    "a request to describe something": (Source.INVOKE, {"describe": True, "what": "orders"}),
    "another request type": (Source.INVOKE, {"RequestType": "Read", "ResourceType": "Custom::A"}),
    "an environment of nobody": (Source.INVOKE, MappingProxyType({"HOME": "/"})),
    "some test event": (Source.INVOKE, {"Event": "test", "Bucket": "b"}),
    "text": (Source.INVOKE, "TASK_NAME"),
    "null": (Source.INVOKE, None),
    "a mapping that is no payload": (Source.INVOKE, OrderedDict(records("aws:sqs"))),
}


@pytest.mark.parametrize("case", LOOK_ALIKES)
def test_is_recognised_as(case: str) -> None:
    source, raw = LOOK_ALIKES[case]
    before = repr(raw)
    assert detect(raw) is source
    assert repr(raw) == before


@pytest.mark.parametrize("case", LOOK_ALIKES)
def test_at_most_one_rule_holds(case: str) -> None:
    source, raw = LOOK_ALIKES[case]
    if type(raw) is dict:
        holding = [known for known, row in ROWS.items() if row.rule(raw)]
        assert holding in ([source], [])


@pytest.mark.parametrize(("source", "name"), [(row.source, name) for row in ROWS.values() for name in row.named])
def test_every_name_that_a_service_gives_itself(source: Source, name: str) -> None:
    in_records = detect(records(name)), detect(records(name, "EventSource"))
    assert {*in_records, detect({"eventSource": name})} - {Source.INVOKE} == {source}


def test_the_environment_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TASK_NAME", raising=False)
    monkeypatch.delenv("ECS_CONTAINER_METADATA_URI_V4", raising=False)
    assert detect(os.environ) is Source.INVOKE
    monkeypatch.setenv("TASK_NAME", "nightly")
    assert detect(os.environ) is detect(dict(os.environ)) is Source.TASK


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_every_rule_is_opened_by_a_key_of_its_samples(name: str) -> None:
    raw = samples.SAMPLES[name]()
    for row in ROWS.values():
        if type(raw) is dict and row.rule(raw):
            assert any(key in raw for key in row.opened)


# ---- anything at any key -------------------------------------------------------------------------------------------


def _typed_wrongly(payload: Any) -> Any:
    """The payload once for each of its keys and each kind of value there."""
    for key in list(payload):
        for value in (None, True, 5, 1.5, "text", [], [5], {}, {"a": 1}):
            changed = copy.copy(payload)
            changed[key] = value
            yield changed
        yield {name: held for name, held in payload.items() if name != key}


def test_a_wrong_type_at_any_key_is_never_an_error() -> None:
    for _, raw in LOOK_ALIKES.values():
        if type(raw) is dict:
            for changed in _typed_wrongly(raw):
                assert isinstance(detect(changed), Source)
            for key, inner in raw.items():
                if type(inner) is dict:
                    for changed in _typed_wrongly(inner):
                        assert isinstance(detect({**raw, key: changed}), Source)


@FUZZ
@given(mutations([build() for build in samples.SAMPLES.values()]) | JSON)
def test_any_json_has_a_source_and_no_two_rules_agree(raw: Any) -> None:
    before = repr(raw)
    source = detect(raw)
    assert detect(raw) is source
    assert repr(raw) == before
    if type(raw) is dict and source is not Source.INVOKE and "Records" not in raw and "eventSource" not in raw:
        assert [known for known, row in ROWS.items() if row.rule(raw)] == [source]


def test_it_takes_no_longer_for_more_of_a_payload() -> None:
    def time_of(action: Callable[[], object]) -> float:
        return min(_timed(action) for _ in range(7))

    small, large = records("aws:sqs"), {"Records": [{"eventSource": "aws:sqs", "body": "x" * 1000}] * 100_000}
    assert time_of(lambda: detect(large)) < 5 * time_of(lambda: detect(small)) + 1e-3
    unknown = {f"key-{number}": number for number in range(100_000)}
    assert time_of(lambda: detect(unknown)) < 5 * time_of(lambda: detect({"key": 1})) + 1e-3


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(20):
        action()
    return time.perf_counter() - started


@given(st.text())
def test_any_domain_has_an_answer(domain: str) -> None:
    assert detect(http_shape(domain)) in (Source.HTTP, Source.URL)


def test_a_field_with_arguments_is_no_channel() -> None:
    info = {"channelNamespace": {"name": "chat"}, "operation": "PUBLISH", "channel": {"path": "/chat/a"}}
    assert detect({"info": info, "events": []}) is Source.APPSYNC_EVENTS
    assert detect({"info": info, "events": [], "arguments": {}}) is not Source.APPSYNC_EVENTS
