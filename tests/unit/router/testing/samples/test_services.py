"""Samples of single services, read back with the data classes of aws-lambda-powertools."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities import data_classes
from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerEventV2,
    APIGatewayAuthorizerRequestEvent,
)
from aws_lambda_powertools.utilities.data_classes.appsync_authorizer_event import AppSyncAuthorizerEvent
from aws_lambda_powertools.utilities.data_classes.cognito_user_pool_event import PreSignUpTriggerEvent
from aws_lambda_powertools.utilities.data_classes.s3_object_event import S3ObjectLambdaEvent

from router.testing import samples


def test_s3_keys_are_url_encoded() -> None:
    assert data_classes.S3Event(samples.s3("orders", "new/a b+c=é.json")).object_key == "new/a b+c=é.json"
    raw = samples.s3("orders", "new/a b+c=é.json", event="s3:ObjectCreated:Put")["Records"][0]
    assert (raw["eventName"], raw["s3"]["object"]["key"]) == ("ObjectCreated:Put", "new/a+b%2Bc%3D%C3%A9.json")
    removed = samples.s3("orders", "a", event="ObjectRemoved:Delete", version_id="v1")["Records"][0]["s3"]["object"]
    assert removed.keys() == {"key", "versionId", "sequencer"}
    task = data_classes.S3BatchOperationEvent(samples.s3_batch("orders", "a b", arguments={"k": "v"})).task
    assert (unquote_plus(task.s3_key), task.s3_bucket) == ("a b", "orders")
    assert samples.s3_batch("orders", "a", version="1.0")["tasks"][0]["s3BucketArn"] == "arn:aws:s3:::orders"
    lambda_event = S3ObjectLambdaEvent(samples.s3_object("a/b.json", headers={"Range": "bytes=0-9"}))
    assert lambda_event.request_route == "io-use1-001"
    assert lambda_event.user_request.headers["Range"] == "bytes=0-9"


def test_events_schedules_logs_and_alarms_read_back() -> None:
    event = data_classes.EventBridgeEvent(samples.eventbridge("Placed", {"id": 1}, source="shop", event_id="e-1"))
    assert (event.detail_type, event.detail, event.source, event.get_id) == ("Placed", {"id": 1}, "shop", "e-1")
    assert samples.schedule("nightly", scheduler=True)["detail"] == "{}"
    assert samples.schedule("nightly")["resources"] == ["arn:aws:events:us-east-1:123456789012:rule/nightly"]
    logs = data_classes.CloudWatchLogsEvent(samples.logs("/app", ["a", {"level": "ERROR"}])).parse_logs_data()
    assert (logs.log_group, [line.message for line in logs.log_events]) == ("/app", ["a", '{"level":"ERROR"}'])
    alarm = data_classes.CloudWatchAlarmEvent(samples.alarm("failing", state="OK", previous="ALARM"))
    assert (alarm.alarm_data.alarm_name, alarm.alarm_data.state.value) == ("failing", "OK")
    assert (alarm.alarm_data.state.reason_data_decoded or {})["threshold"] == 10.0
    widget = data_classes.CloudWatchDashboardCustomWidgetEvent(samples.dashboard({"id": 1}, forms={"a": "b"}))
    assert widget.widget_context is not None
    assert (widget.widget_context.params, widget.widget_context.forms) == ({"id": 1}, {"a": "b"})
    assert samples.dashboard(describe=True)["describe"] is True


def test_identity_events_read_back() -> None:
    sign_up = PreSignUpTriggerEvent(samples.cognito(user="bob", attributes={"email": "b@x.org"}))
    assert (sign_up.user_name, sign_up.request.user_attributes) == ("bob", {"email": "b@x.org"})
    sign_up.response.auto_confirm_user = True
    assert sign_up.raw_event["response"]["autoConfirmUser"] is True
    changed = samples.cognito("CustomMessage_SignUp", request={"codeParameter": "{1}"})["request"]
    assert (changed["codeParameter"], changed["usernameParameter"]) == ("{1}", None)
    sync = samples.cognito_sync("prefs", {"theme": ("light", None)})
    assert sync["datasetRecords"]["theme"]["op"] == "remove"
    rest = APIGatewayAuthorizerRequestEvent(samples.authorizer(path="/a", query={"x": "1"}, api_id="api"))
    assert rest.method_arn == "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/a"
    assert rest.query_string_parameters == {"x": "1"}
    second = APIGatewayAuthorizerEventV2(
        samples.authorizer(version="2.0", path="/a", headers={"authorization": "Bearer t"}, cookies={"a": "b"})
    )
    assert (second.identity_source, second.raw_path, second.cookies) == (["Bearer t"], "/prod/a", ["a=b"])
    assert samples.authorizer(version="2.0")["identitySource"] is None
    assert samples.authorizer(version="1.0", headers={"Authorization": "a"})["authorizationToken"] == "a"
    appsync = AppSyncAuthorizerEvent(samples.appsync_authorizer("t", variables={"id": "9"}))
    assert (appsync.authorization_token, appsync.request_context.variables) == ("t", {"id": "9"})


def test_appsync_events_read_back() -> None:
    event = data_classes.AppSyncResolverEvent(
        samples.appsync("lines", parent="Order", arguments={"n": 1}, source={"id": 1}, selection=("id", "sku"))
    )
    assert (event.field_name, event.type_name, event.arguments, event.source) == ("lines", "Order", {"n": 1}, {"id": 1})
    assert event.info.selection_set_list == ["id", "sku"]
    batch = samples.appsync_batch("lines", [{"id": 1}, {"id": 2}])
    assert [each["source"] for each in batch] == [{"id": 1}, {"id": 2}]


def test_development_events_read_back() -> None:
    commit = samples.codecommit("shop", ["refs/heads/a", "refs/tags/b"], created=True, custom_data="x")["Records"][0]
    assert [each["ref"] for each in commit["codecommit"]["references"]] == ["refs/heads/a", "refs/tags/b"]
    assert (commit["codecommit"]["references"][0]["created"], commit["customData"]) == (True, "x")
    job = data_classes.CodePipelineJobEvent(
        samples.codepipeline("f", {"a": 1}, continuation_token="next", encryption_key="arn:aws:kms:key")
    )
    assert (job.decoded_user_parameters, job.data.continuation_token) == ({"a": 1}, "next")
    assert job.data.encryption_key is not None
    assert data_classes.CodeDeployLifecycleHookEvent(samples.codedeploy("d-1")).deployment_id == "d-1"
    changed = data_classes.AWSConfigRuleEvent(samples.config("r", item={"resourceId": "b"}, parameters={"p": "1"}))
    assert (changed.config_rule_name, changed.rule_parameters) == ("r", {"p": "1"})
    assert changed.raw_event["accountId"] == changed.accountid
    kinds = [
        json.loads(samples.config("r", message_type=kind)["invokingEvent"]).keys()
        for kind in ("OversizedConfigurationItemChangeNotification", "ScheduledNotification")
    ]
    assert "configurationItemSummary" in kinds[0]
    assert "awsAccountId" in kinds[1]
    update = data_classes.CloudFormationCustomResourceEvent(
        samples.cloudformation("Update", properties={"n": "2"}, old_properties={"n": "1"}, physical_id="p-1")
    )
    assert (update.resource_properties["n"], update.old_resource_properties["n"]) == ("2", "1")
    assert update.physical_resource_id == "p-1"
    assert "ResponseURL" not in samples.cloudformation(provider_framework=True)
    assert data_classes.SecretsManagerEvent(samples.secretsmanager("testSecret", secret="db")).step == "testSecret"


def test_conversations_read_back() -> None:
    agent = data_classes.BedrockAgentEvent(
        samples.bedrock_agent("/a", method="POST", parameters={"n": 1, "on": True}, body={"x": [1], "y": 1.5, "z": {}})
    )
    assert agent.parameters is not None
    assert [(each.name, each.type, each.value) for each in agent.parameters] == [
        ("n", "integer", "1"),
        ("on", "boolean", "true"),
    ]
    assert agent.request_body is not None
    typed = [(each.name, each.type, each.value) for each in agent.request_body.content["application/json"].properties]
    assert typed == [("x", "array", "[1]"), ("y", "number", "1.5"), ("z", "object", "{}")]
    function = data_classes.BedrockAgentFunctionEvent(samples.bedrock_agent(function="find", parameters={"id": "7"}))
    assert (function.function, function.parameters[0].type) == ("find", "string")
    assert "apiPath" not in function.raw_event
    contact = data_classes.ConnectContactFlowEvent(samples.connect({"a": "b"}, queue=None, customer=None))
    assert (contact.parameters, contact.contact_data.queue, contact.contact_data.customer_endpoint) == (
        {"a": "b"},
        None,
        None,
    )
    lex = samples.lex("Order", slots={"type": "rose", "day": None}, source="DialogCodeHook", attributes={"a": "b"})
    intent = lex["sessionState"]["intent"]
    assert intent["slots"]["type"]["value"]["interpretedValue"] == "rose"
    assert (intent["slots"]["day"], intent["state"]) == (None, "InProgress")
    assert intent is not lex["interpretations"][0]["intent"]
    assert samples.lex("Order", slots={"type": "rose"}, version="1")["currentIntent"]["slots"] == {"type": "rose"}
    assert samples.alexa("Find", slots={"n": "1"})["request"]["intent"]["slots"]["n"]["value"] == "1"
    assert "intent" not in samples.alexa(None, request_type="LaunchRequest")["request"]
    directive = samples.alexa_home("TurnOff", endpoint="lamp-2")["directive"]
    assert (directive["header"]["name"], directive["endpoint"]["endpointId"]) == ("TurnOff", "lamp-2")
    discover = samples.alexa_home("Discover", namespace="Alexa.Discovery", endpoint=None)["directive"]
    assert (discover.keys(), discover["payload"]["scope"]["type"]) == ({"header", "payload"}, "BearerToken")
    old = samples.alexa_home("TurnOnRequest", namespace="Alexa.ConnectedHome.Control", version="2")
    assert old["payload"]["appliance"]["applianceId"] == "lamp-1"


def test_other_events_read_back() -> None:
    mail = data_classes.SESEvent(
        samples.ses(["a@x.org"], sender="Bob <b@x.org>", subject="Hi", verdict="FAIL")
    ).record.ses
    assert (mail.mail.source, mail.mail.common_headers.subject, mail.mail.destination) == ("b@x.org", "Hi", ["a@x.org"])
    assert mail.receipt.spam_verdict.status == "FAIL"
    assert parsedate_to_datetime(mail.mail.common_headers.date) == datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert samples.workmail(direction="OUTBOUND")["flowDirection"] == "OUTBOUND"
    request = samples.cloudfront("origin-request", path="/a?b=1", headers={"X-A": ["1", "2"]}, body="x")["Records"][0][
        "cf"
    ]
    assert (request["request"]["uri"], request["request"]["querystring"]) == ("/a", "b=1")
    assert request["request"]["headers"]["x-a"] == [{"key": "X-A", "value": "1"}, {"key": "X-A", "value": "2"}]
    assert request["request"]["headers"].keys() == {"accept", "host", "user-agent", "x-a"}
    assert base64.b64decode(request["request"]["body"]["data"]) == b"x"
    assert "custom" in request["request"]["origin"]
    response = samples.cloudfront("viewer-response", status=404, response_headers={"A": "b"})["Records"][0]["cf"][
        "response"
    ]
    assert (response["status"], response["statusDescription"]) == ("404", "Not Found")
    assert samples.sagemaker(data={"source": "text"})["dataObject"] == {"source": "text"}
    assert samples.sagemaker("post-annotation")["payload"].keys() == {"s3Uri"}
    assert samples.iot("LONG", device="d")["placementInfo"]["devices"] == {"button": "d"}
    assert samples.vpn("bob", public_ip="198.51.100.1")["public-ip"] == "198.51.100.1"
    analytics = samples.kinesis_analytics([{"id": 1}], output=True)
    assert analytics["records"][0]["lambdaDeliveryRecordMetadata"] == {"retryHint": 0}


def test_direct_calls() -> None:
    assert samples.invoke("a", {"id": 1}) == {"action": "a", "data": {"id": 1}}
    environ = samples.task("nightly", environment={"DEPTH": "3"}, region="eu-west-1")
    assert (environ["TASK_NAME"], environ["DEPTH"], environ["AWS_REGION"]) == ("nightly", "3", "eu-west-1")
    assert all(isinstance(value, str) for value in environ.values())
    assert samples.pipes(samples.sqs("orders", ["a"]))[0]["body"] == "a"
    piped = samples.pipes(samples.kinesis("orders", [{"id": 1}]))[0]
    assert "kinesis" not in piped
    assert base64.b64decode(piped["data"]) == b'{"id":1}'
    failed = samples.lambda_destination({"id": 1}, condition="RetriesExhausted", error={"errorMessage": "no"})
    assert failed["requestContext"]["approximateInvokeCount"] == 3
    assert (failed["responseContext"]["functionError"], failed["responsePayload"]) == (
        "Unhandled",
        {"errorMessage": "no"},
    )
    assert "responsePayload" not in samples.lambda_destination({"id": 1}, condition="EventAgeExceeded")
    assert samples.lambda_destination(1, {"ok": True})["responsePayload"] == {"ok": True}
