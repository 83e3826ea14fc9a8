"""The data classes of aws-lambda-powertools, for each source that has one."""

import sys
from typing import Any

import pytest

from router.errors import ConfigurationError
from router.event import Event, Source
from router.sources import load
from router.sources._registry import detect
from tests.unit.router.sources.payload_cases import real

RECORDS = {
    Source.SQS: "SQSRecord",
    Source.SNS: "SNSEventRecord",
    Source.DYNAMODB: "DynamoDBRecord",
    Source.KINESIS: "KinesisStreamRecord",
    Source.KAFKA: "KafkaEventRecord",
    Source.ACTIVEMQ: "ActiveMQMessage",
    Source.RABBITMQ: "RabbitMessage",
    Source.FIREHOSE: "KinesisFirehoseRecord",
    Source.S3: "S3EventRecord",
    Source.S3_BATCH: "S3BatchOperationTask",
    Source.SES: "SESEventRecord",
    Source.APPSYNC: "AppSyncResolverEvent",
}
PAYLOADS = {
    Source.REST: "APIGatewayProxyEvent",
    Source.HTTP: "APIGatewayProxyEventV2",
    Source.URL: "LambdaFunctionUrlEvent",
    Source.ALB: "ALBEvent",
    Source.WEBSOCKET: "APIGatewayWebSocketEvent",
    Source.APPSYNC_AUTHORIZER: "AppSyncAuthorizerEvent",
    Source.SCHEDULE: "EventBridgeEvent",
    Source.LOGS: "CloudWatchLogsEvent",
    Source.ALARM: "CloudWatchAlarmEvent",
    Source.DASHBOARD: "CloudWatchDashboardCustomWidgetEvent",
    Source.CONFIG: "AWSConfigRuleEvent",
    Source.CODEPIPELINE: "CodePipelineJobEvent",
    Source.CODEDEPLOY: "CodeDeployLifecycleHookEvent",
    Source.CONNECT: "ConnectContactFlowEvent",
    Source.CLOUDFORMATION: "CloudFormationCustomResourceEvent",
    Source.SECRETSMANAGER: "SecretsManagerEvent",
    Source.S3_OBJECT: "S3ObjectLambdaEvent",
    Source.APPSYNC_EVENTS: "AppSyncResolverEventsEvent",
    Source.TRANSFER: "TransferFamilyAuthorizer",
}
NONE = set(Source) - {
    *RECORDS,
    *PAYLOADS,
    Source.LATTICE,
    Source.AUTHORIZER,
    Source.EVENTBRIDGE,
    Source.BEDROCK_AGENT,
    Source.COGNITO,
}
TRIGGERS = {
    "PreSignUp_SignUp": "PreSignUpTriggerEvent",
    "PostConfirmation_ConfirmSignUp": "PostConfirmationTriggerEvent",
    "UserMigration_Authentication": "UserMigrationTriggerEvent",
    "CustomMessage_AdminCreateUser": "CustomMessageTriggerEvent",
    "PreAuthentication_Authentication": "PreAuthenticationTriggerEvent",
    "PostAuthentication_Authentication": "PostAuthenticationTriggerEvent",
    "DefineAuthChallenge_Authentication": "DefineAuthChallengeTriggerEvent",
    "CreateAuthChallenge_Authentication": "CreateAuthChallengeTriggerEvent",
    "VerifyAuthChallengeResponse_Authentication": "VerifyAuthChallengeResponseTriggerEvent",
    "CustomEmailSender_SignUp": "CustomEmailSenderTriggerEvent",
    "CustomSMSSender_SignUp": "CustomSMSSenderTriggerEvent",
    "TokenGeneration_Authentication": "PreTokenGenerationTriggerEvent",
}


def made(source, raw, record=None, **fields):
    """An Event as its source's module makes it, with the fields that the choice looks at."""
    event = Event(source, raw, None, raw if record is None else record)
    for name, value in fields.items():
        setattr(event, name, value)
    return event


@pytest.mark.parametrize(("source", "name"), RECORDS.items(), ids=RECORDS)
def test_a_record_is_given_as_the_class_of_its_record(source, name):
    record = {"a": 1}
    typed = made(source, {"Records": [record]}, record).typed
    assert type(typed).__name__ == name
    assert typed.raw_event is record


@pytest.mark.parametrize(("source", "name"), PAYLOADS.items(), ids=PAYLOADS)
def test_a_payload_is_given_as_the_class_of_its_source(source, name):
    raw: dict[str, Any] = {"CodePipeline.job": {}}
    typed = made(source, raw).typed
    assert type(typed).__name__ == name
    assert typed.raw_event is raw


@pytest.mark.parametrize(
    ("source", "raw", "name"),
    [
        (Source.LATTICE, {"raw_path": "/"}, "VPCLatticeEvent"),
        (Source.LATTICE, {"requestContext": {}}, "VPCLatticeEventV2"),
        (Source.AUTHORIZER, {"type": "TOKEN", "methodArn": "a"}, "APIGatewayAuthorizerTokenEvent"),
        (Source.AUTHORIZER, {"type": "REQUEST", "methodArn": "a"}, "APIGatewayAuthorizerRequestEvent"),
        (Source.AUTHORIZER, {"type": "REQUEST", "routeArn": "a"}, "APIGatewayAuthorizerEventV2"),
        (Source.BEDROCK_AGENT, {"apiPath": "/"}, "BedrockAgentEvent"),
        (Source.BEDROCK_AGENT, {"function": "f"}, "BedrockAgentFunctionEvent"),
    ],
)
def test_the_payload_decides_where_a_source_has_several(source, raw, name):
    assert type(made(source, raw).typed).__name__ == name


def test_an_event_of_s3_on_a_bus_has_a_class_of_its_own():
    assert type(made(Source.EVENTBRIDGE, {}, bus_source="aws.s3").typed).__name__ == "S3EventBridgeNotificationEvent"
    assert type(made(Source.EVENTBRIDGE, {}, bus_source="shop").typed).__name__ == "EventBridgeEvent"


@pytest.mark.parametrize(("trigger", "name"), TRIGGERS.items())
def test_each_trigger_of_cognito_has_its_class(trigger, name):
    assert type(made(Source.COGNITO, {"version": "1"}, name=trigger).typed).__name__ == name


def test_tokens_of_a_later_version_have_their_class():
    for version in ("2", "3"):
        event = made(Source.COGNITO, {"version": version}, name="TokenGeneration_HostedAuth")
        assert type(event.typed).__name__ == "PreTokenGenerationV2TriggerEvent"


@pytest.mark.parametrize("source", sorted(NONE))
def test_a_source_without_a_class_is_named(source):
    with pytest.raises(ConfigurationError, match=f"no data class for {source} thing"):
        _ = made(source, {}, name="thing").typed


def test_an_unknown_trigger_is_named():
    with pytest.raises(ConfigurationError, match="cognito NewTrigger_X"):
        _ = made(Source.COGNITO, {}, name="NewTrigger_X").typed


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "aws_lambda_powertools.utilities.data_classes.alb_event", None)
    with pytest.raises(ConfigurationError, match=r'pip install "lambda-junction\[powertools\]"'):
        _ = made(Source.ALB, {}).typed


def test_real_payloads_read_the_same_through_their_class():
    for file, payload, label in real(*set(Source) - NONE):
        source = detect(payload)
        for event in load(source).read(source, payload, None):
            assert event.typed is event.typed, file
            assert event.typed.raw_event is (event.record if source in RECORDS else payload), file
        assert source == label["source"]
