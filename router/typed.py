"""`event.typed`: the data class of aws-lambda-powertools for an event, for those who know its names."""

from __future__ import annotations

from router.errors import ConfigurationError
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.event import Event

    # Module and class in aws_lambda_powertools.utilities.data_classes.
    Place = tuple[str, str]

# Made of the whole payload.
_OF_PAYLOAD: dict[Source, Place] = {
    Source.REST: ("api_gateway_proxy_event", "APIGatewayProxyEvent"),
    Source.HTTP: ("api_gateway_proxy_event", "APIGatewayProxyEventV2"),
    Source.URL: ("lambda_function_url_event", "LambdaFunctionUrlEvent"),
    Source.ALB: ("alb_event", "ALBEvent"),
    Source.WEBSOCKET: ("api_gateway_websocket_event", "APIGatewayWebSocketEvent"),
    Source.APPSYNC_AUTHORIZER: ("appsync_authorizer_event", "AppSyncAuthorizerEvent"),
    Source.SCHEDULE: ("event_bridge_event", "EventBridgeEvent"),
    Source.LOGS: ("cloud_watch_logs_event", "CloudWatchLogsEvent"),
    Source.ALARM: ("cloud_watch_alarm_event", "CloudWatchAlarmEvent"),
    Source.DASHBOARD: ("cloud_watch_custom_widget_event", "CloudWatchDashboardCustomWidgetEvent"),
    Source.CONFIG: ("aws_config_rule_event", "AWSConfigRuleEvent"),
    Source.CODEPIPELINE: ("code_pipeline_job_event", "CodePipelineJobEvent"),
    Source.CODEDEPLOY: ("code_deploy_lifecycle_hook_event", "CodeDeployLifecycleHookEvent"),
    Source.CONNECT: ("connect_contact_flow_event", "ConnectContactFlowEvent"),
    Source.CLOUDFORMATION: ("cloudformation_custom_resource_event", "CloudFormationCustomResourceEvent"),
    Source.SECRETSMANAGER: ("secrets_manager_event", "SecretsManagerEvent"),
    Source.S3_OBJECT: ("s3_object_event", "S3ObjectLambdaEvent"),
}
# Made of the record that the event is about.
_OF_RECORD: dict[Source, Place] = {
    Source.SQS: ("sqs_event", "SQSRecord"),
    Source.SNS: ("sns_event", "SNSEventRecord"),
    Source.DYNAMODB: ("dynamo_db_stream_event", "DynamoDBRecord"),
    Source.KINESIS: ("kinesis_stream_event", "KinesisStreamRecord"),
    Source.KAFKA: ("kafka_event", "KafkaEventRecord"),
    Source.ACTIVEMQ: ("active_mq_event", "ActiveMQMessage"),
    Source.RABBITMQ: ("rabbit_mq_event", "RabbitMessage"),
    Source.FIREHOSE: ("kinesis_firehose_event", "KinesisFirehoseRecord"),
    Source.S3: ("s3_event", "S3EventRecord"),
    Source.S3_BATCH: ("s3_batch_operation_event", "S3BatchOperationTask"),
    Source.SES: ("ses_event", "SESEventRecord"),
    Source.APPSYNC: ("appsync_resolver_event", "AppSyncResolverEvent"),
}
_TRIGGERS = {
    "PreSignUp": "PreSignUpTriggerEvent",
    "PostConfirmation": "PostConfirmationTriggerEvent",
    "UserMigration": "UserMigrationTriggerEvent",
    "CustomMessage": "CustomMessageTriggerEvent",
    "PreAuthentication": "PreAuthenticationTriggerEvent",
    "PostAuthentication": "PostAuthenticationTriggerEvent",
    "DefineAuthChallenge": "DefineAuthChallengeTriggerEvent",
    "CreateAuthChallenge": "CreateAuthChallengeTriggerEvent",
    "VerifyAuthChallengeResponse": "VerifyAuthChallengeResponseTriggerEvent",
    "CustomEmailSender": "CustomEmailSenderTriggerEvent",
    "CustomSMSSender": "CustomSMSSenderTriggerEvent",
}


def _lattice(event: Event) -> Place:
    return "vpc_lattice", "VPCLatticeEventV2" if "requestContext" in event.raw else "VPCLatticeEvent"


def _authorizer(event: Event) -> Place:
    if event.raw.get("type") != "REQUEST":
        return "api_gateway_authorizer_event", "APIGatewayAuthorizerTokenEvent"
    first = "methodArn" in event.raw
    return (
        "api_gateway_authorizer_event",
        "APIGatewayAuthorizerRequestEvent" if first else "APIGatewayAuthorizerEventV2",
    )


def _bridge(event: Event) -> Place:
    if event.bus_source == "aws.s3":
        return "s3_event", "S3EventBridgeNotificationEvent"
    return "event_bridge_event", "EventBridgeEvent"


def _agent(event: Event) -> Place:
    if isinstance(event.raw.get("function"), str):
        return "bedrock_agent_function_event", "BedrockAgentFunctionEvent"
    return "bedrock_agent_event", "BedrockAgentEvent"


def _trigger(event: Event) -> Place | None:
    family = event.name.partition("_")[0]
    if family == "TokenGeneration":
        first = event.raw.get("version") in (None, "1")
        return (
            "cognito_user_pool_event",
            "PreTokenGenerationTriggerEvent" if first else "PreTokenGenerationV2TriggerEvent",
        )
    name = _TRIGGERS.get(family)
    return None if name is None else ("cognito_user_pool_event", name)


# Where the payload decides.
_CHOSEN: dict[Source, Callable[[Event], Place | None]] = {
    Source.LATTICE: _lattice,
    Source.AUTHORIZER: _authorizer,
    Source.EVENTBRIDGE: _bridge,
    Source.BEDROCK_AGENT: _agent,
    Source.COGNITO: _trigger,
}


def data_class(event: Event) -> Any:
    """The data class of an event: of its record, where it is one of several, else of the payload.

    Raises ConfigurationError where there is none, and where aws-lambda-powertools is not installed.
    """
    source = event.source
    choose = _CHOSEN.get(source)
    place = choose(event) if choose is not None else _OF_PAYLOAD.get(source) or _OF_RECORD.get(source)
    if place is None:
        what = f"{source} {event.name}".rstrip()
        raise ConfigurationError(f"event.typed: aws-lambda-powertools has no data class for {what}")
    return _load(*place)(event.record if source in _OF_RECORD else event.raw)


def _load(module: str, name: str) -> Any:
    from importlib import import_module

    try:
        return getattr(import_module(f"aws_lambda_powertools.utilities.data_classes.{module}"), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"event.typed needs {name} of aws-lambda-powertools: pip install lambda-junction[powertools]"
        ) from error
