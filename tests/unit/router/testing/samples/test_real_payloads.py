"""The samples have the structure of real payloads, where those are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from router.testing import samples

REAL = Path(__file__).parents[6] / "shared" / "events"
COGNITO_IDENTITY = {
    "claims": {"sub": "1"},
    "defaultAuthStrategy": "ALLOW",
    "groups": None,
    "issuer": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_aB1cD2eF3",
    "sourceIp": ["203.0.113.7"],
    "sub": "1",
    "username": "alice",
}
# Real payloads, the form of ours that is nearest, and keys that the real one need not share with it.
NEAREST: dict[str, tuple[Any, set[str]]] = {
    "apiGatewayProxyEvent": (
        lambda: samples.rest(
            "GET", "/my/path", query={"a": ["1", "2"]}, authorizer={"claims": {}, "scopes": []}, body="x"
        ),
        {"version", "clientCert"},
    ),
    "apiGatewayProxyV2Event": (
        lambda: samples.http(
            "POST",
            "/my/path",
            query={"a": "1"},
            cookies={"a": "1"},
            body="x",
            path_parameters={"id": "1"},
            stage_variables={"a": "1"},
            authorizer={"jwt": {"claims": {}, "scopes": []}},
        ),
        {"authentication"},
    ),
    "apiGatewayProxyV2LambdaAuthorizerEvent": (
        lambda: samples.http(query={"a": "1"}, cookies={"a": "1"}, body="x", authorizer={"key": "value"}),
        {"authentication", "pathParameters", "stageVariables", "jwt"},
    ),
    "lambdaFunctionUrlEvent": (samples.url, set()),
    "albEvent": (lambda: samples.alb(query={"a": "1"}, body="x"), set()),
    "albMultiValueQueryStringEvent": (lambda: samples.alb(query={"a": "1"}, multi_value=True), set()),
    "vpcLatticeEvent": (lambda: samples.lattice(query={"a": "1"}, version="1.0"), set()),
    "vpcLatticeV2EventWithHeaders": (
        lambda: samples.lattice(query={"a": "1"}, body="x"),
        {"principal", "sessionName", "type", "x509SanDns"},
    ),
    "sqsEvent": (samples.SAMPLES["sqs"], set()),
    "snsSqsFifoEvent": (lambda: samples.sns_in_sqs("Test.fifo", ["a"]), set()),
    "sqsDlqTriggerEvent": (lambda: samples.sqs("dlq", ["a"], dead_letter_of="orders"), set()),
    "snsEvent": (samples.SAMPLES["sns"], set()),
    "dynamoStreamEvent": (samples.SAMPLES["dynamodb"], set()),
    "kinesisStreamEvent": (samples.SAMPLES["kinesis"], set()),
    "kafkaEventMsk": (lambda: samples.kafka("mytopic", ["a"], keys="1", headers={"headerKey": "a"}), set()),
    "kafkaEventSelfManaged": (lambda: samples.kafka("mytopic", ["a"], keys="1", self_managed=True), set()),
    "activeMQEvent": (samples.SAMPLES["activemq"], set()),
    "rabbitMQEvent": (lambda: samples.rabbitmq("pizzaQueue", ["a"]), set()),
    "kinesisFirehosePutEvent": (samples.SAMPLES["firehose"], set()),
    "kinesisFirehoseKinesisEvent": (lambda: samples.firehose(["a"], source_stream="a"), set()),
    "s3Event": (samples.SAMPLES["s3"], set()),
    "s3EventDeleteObject": (lambda: samples.s3("a", "b", event="s3:ObjectRemoved:Delete"), set()),
    "s3EventGlacier": (lambda: samples.s3("a", "b", event="ObjectRestore:Completed"), set()),
    "s3BatchOperationEventSchemaV1": (lambda: samples.s3_batch("a", "b", version="1.0"), set()),
    "s3BatchOperationEventSchemaV2": (samples.SAMPLES["s3-batch"], set()),
    "s3ObjectEventIAMUser": (samples.s3_object, {"X-Amz-Content-SHA256"}),
    "eventBridgeEvent": (lambda: samples.eventbridge("a", {"b": 1}, replay_name="again"), set()),
    "cloudWatchLogEvent": (samples.SAMPLES["logs"], set()),
    "cloudWatchAlarmEventSingleMetric": (samples.SAMPLES["alarm"], {"expression", "label"}),
    "cloudWatchDashboardEvent": (samples.SAMPLES["dashboard"], set()),
    "cognitoPreSignUpEvent": (samples.cognito, set()),
    "cognitoPreTokenGenerationEvent": (lambda: samples.cognito("TokenGeneration_Authentication"), set()),
    "cognitoPreTokenV2GenerationEvent": (
        lambda: samples.cognito("TokenGeneration_Authentication", version="2"),
        set(),
    ),
    "cognitoDefineAuthChallengeEvent": (lambda: samples.cognito("DefineAuthChallenge_Authentication"), set()),
    "cognitoCreateAuthChallengeEvent": (lambda: samples.cognito("CreateAuthChallenge_Authentication"), set()),
    "cognitoUserMigrationEvent": (lambda: samples.cognito("UserMigration_Authentication"), set()),
    "cognitoCustomMessageEvent": (lambda: samples.cognito("CustomMessage_SignUp"), {"awsSdk"}),
    "cognitoCustomEmailSenderEvent": (lambda: samples.cognito("CustomEmailSender_SignUp"), {"awsSdk"}),
    "apiGatewayAuthorizerTokenEvent": (samples.SAMPLES["authorizer"], set()),
    "apiGatewayAuthorizerRequestEvent": (
        lambda: samples.authorizer(version="1.0", headers={"Authorization": "a"}),
        {"apiKey", "clientCert", "cognitoAmr"},
    ),
    "apiGatewayAuthorizerV2Event": (
        lambda: samples.authorizer(version="2.0", headers={"Authorization": "a"}, cookies={"a": "b"}),
        {"authentication"},
    ),
    "appSyncDirectResolver": (lambda: samples.appsync(identity=COGNITO_IDENTITY), set()),
    "appSyncAuthorizerEvent": (samples.appsync_authorizer, set()),
    "sesEvent": (samples.ses, set()),
    "codePipelineEventData": (samples.SAMPLES["codepipeline"], set()),
    "codeDeployLifecycleHookEvent": (samples.codedeploy, set()),
    "awsConfigRuleConfigurationChanged": (samples.SAMPLES["config"], set()),
    "connectContactFlowEventAll": (lambda: samples.connect(attributes={"a": "b"}), set()),
    "cloudformationCustomResourceCreate": (samples.SAMPLES["cloudformation"], set()),
    "cloudformationCustomResourceUpdate": (lambda: samples.cloudformation("Update"), set()),
    "cloudformationCustomResourceDelete": (lambda: samples.cloudformation("Delete"), set()),
    "secretsManagerEvent": (samples.secretsmanager, set()),
    "bedrockAgentPostEvent": (lambda: samples.bedrock_agent(method="POST", body={"id": 1}), set()),
}
# Maps whose keys are data, not structure.
FREE = {
    *(
        "arguments",
        "Attributes",
        "claims",
        "detail",
        "Keys",
        "lambda",
        "NewImage",
        "OldImage",
        "original",
        "Parameters",
    ),
    *("headers", "multiValueHeaders", "queryStringParameters", "query_string_parameters", "pathParameters"),
    *("multiValueQueryStringParameters", "stageVariables", "MessageAttributes", "messageAttributes", "properties"),
    *("params", "ResourceProperties", "OldResourceProperties", "userArguments", "userAttributes", "variables"),
}


def test_payloads_have_the_keys_and_types_of_the_nearest_real_one() -> None:
    differences = []
    for name, (build, spared) in NEAREST.items():
        real = REAL / f"{name}.json"
        if real.exists():
            differences += _differences(build(), json.loads(real.read_text()), name, spared)
    assert differences == []


def _differences(ours: Any, real: Any, where: str, spared: set[str]) -> list[str]:
    """Keys of the real payload that ours lacks, and values of another type; null goes with every type."""
    if ours is None or real is None:
        return []
    if isinstance(real, dict) and isinstance(ours, dict):
        if where.rpartition(".")[2] in FREE:
            return []
        missing = [f"{where} lacks {key}" for key in real.keys() - ours.keys() - spared - FREE]
        common = real.keys() & ours.keys()
        return missing + [
            each for key in common for each in _differences(ours[key], real[key], f"{where}.{key}", spared)
        ]
    if isinstance(real, list) and isinstance(ours, list):
        return _differences(ours[0], real[0], f"{where}[0]", spared) if ours and real else []
    number = (int, float)
    same = type(ours) is type(real) or (type(ours) in number and type(real) in number)
    return [] if same else [f"{where} is {type(ours).__name__}, not {type(real).__name__}"]
