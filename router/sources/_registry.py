"""The registry of sources: one row for each, and `detect`, which says whose payload it is.

The decision is by keys: no I/O (but for importing `_rare.py` once), no parsing, no change, and it never raises. First
the source that a record (or the payload) names itself: one lookup. Then the rules that a top-level key opens, the
busiest first. Of any payload that a service sends, at most one rule is true. Every cold start loads this module.
"""

from __future__ import annotations

from collections.abc import Mapping

from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Rule = Callable[[Any], bool]


class Row:
    """The entry of one source.

    source: its value of the enum.
    module: the file in router/sources that reads its payload and writes its answer; imported with its first event.
    event: the class of its events in that file. `router` exports it, as an annotation for handlers.
    kind: how its events are delivered: reply, items, ordered, transform or notify (docs/delivery.md).
    sample: the file in router/testing/samples whose `SAMPLES` has a payload of it.
    data_class: `module.Class` in aws_lambda_powertools.utilities.data_classes. None where there is none, or where the
        payload decides: then the file in router/sources has a function `data_class(event)`.
    named: what it calls itself in `eventSource` or `EventSource`.
    opened: the top-level keys that make a payload worth asking its rule about.
    rule: whether an object that names no source is of this one.
    records: the top-level key of its records; None where a payload is one event.
    in_record: the key of an object that its records have, where they name no source.
    by_path: whether its events are requests, which routes match by method and path.
    kind_of_list: how a list is delivered whose items the rule takes; None where a list is nothing it sends.
    in_context: the key of the client context's `custom` that tells it, where the payload tells nothing.
    """

    __slots__ = (
        *("source", "module", "event", "kind", "sample", "data_class", "named", "opened", "rule", "records"),
        *("in_record", "by_path", "kind_of_list", "in_context"),
    )

    def __init__(
        self,
        source: Source,
        module: str,
        event: str,
        kind: str,
        sample: str,
        *,
        data_class: str | None = None,
        named: tuple[str, ...] = (),
        opened: tuple[str, ...] = (),
        rule: Rule = lambda raw: False,
        records: str | None = None,
        in_record: str | None = None,
        by_path: bool = False,
        kind_of_list: str | None = None,
        in_context: str | None = None,
    ) -> None:
        self.source, self.module, self.event, self.kind, self.sample = source, module, event, kind, sample
        self.data_class, self.named, self.opened, self.rule, self.in_record = data_class, named, opened, rule, in_record
        self.records, self.by_path, self.kind_of_list, self.in_context = records, by_path, kind_of_list, in_context


# ---- rules ---------------------------------------------------------------------------------------------------------


def _context(raw: dict[str, Any]) -> dict[str, Any]:
    return context if type(context := raw.get("requestContext")) is dict else {}


def _authorizes(raw: dict[str, Any]) -> bool:
    """Tell an authorizer's event from the request it decides about: by `type` with an ARN."""
    return type(raw.get("type")) is str and (type(raw.get("methodArn")) is str or type(raw.get("routeArn")) is str)


def _is_rest(raw: dict[str, Any]) -> bool:
    # `version` tells nothing: it is in some REST events only, and in many others. `requestContext.http` does.
    context = raw.get("requestContext")
    return (
        type(context) is dict
        and type(raw.get("httpMethod")) is str
        and type(raw.get("path")) is str
        and "elb" not in context
        and "http" not in context
        and "connectionId" not in context
        and not ("type" in raw and _authorizes(raw))
        and "agent" not in raw
    )


def _is_payload_2(raw: dict[str, Any]) -> bool:
    return type(_context(raw).get("http")) is dict and not _authorizes(raw)


_URL_SUFFIXES = (["on", "aws"], ["on", "amazonwebservices", "com", "cn"])  # the second in the China partition


def _is_url_domain(raw: dict[str, Any]) -> bool:
    """Look for `ID.lambda-url.REGION.on.aws`, anchored: an HTTP API's custom domain may contain ".lambda-url."."""
    domain = _context(raw).get("domainName")
    labels = domain.lower().split(".") if type(domain) is str else []
    return len(labels) >= 5 and labels[1] == "lambda-url" and labels[3:] in _URL_SUFFIXES


def _is_websocket(raw: dict[str, Any]) -> bool:
    context = _context(raw)
    return (
        type(context.get("connectionId")) is str
        and type(context.get("eventType")) is str
        and type(context.get("routeKey")) is str
        and not _authorizes(raw)
    )


def _is_lattice(raw: dict[str, Any]) -> bool:
    if "requestContext" not in raw:  # version 1.0
        return type(raw.get("raw_path")) is str and type(raw.get("method")) is str
    context = _context(raw)
    return (
        type(raw.get("path")) is str
        and type(raw.get("method")) is str
        and (type(context.get("serviceNetworkArn")) is str or type(context.get("targetGroupArn")) is str)
    )


def _is_appsync(raw: dict[str, Any]) -> bool:
    info = raw.get("info")
    if type(info) is dict and type(info.get("fieldName")) is str and "arguments" in raw:
        return True
    return type(raw.get("typeName")) is str and type(raw.get("fieldName")) is str and "arguments" in raw


def _is_bridge(raw: dict[str, Any]) -> bool:
    named = type(raw.get("detail-type")) is str and type(raw.get("source")) is str
    return named and "detail" in raw and "alarmData" not in raw


def _is_scheduled(raw: dict[str, Any]) -> bool:
    # EventBridge rules send source aws.events, EventBridge Scheduler aws.scheduler.
    return raw["detail-type"] == "Scheduled Event" and raw["source"] in ("aws.events", "aws.scheduler")


def _is_firehose(raw: dict[str, Any]) -> bool:
    # The samples of `sam local generate-event` name no stream; Kinesis Analytics has an invocationId as well.
    named = type(raw.get("deliveryStreamArn")) is str
    return type(raw.get("records")) is list and (named or ("region" in raw and "applicationArn" not in raw))


def _rare(name: str) -> Rule:
    """Return a rule of `_rare.py`, which is imported when a payload has a key that opens it."""

    def rule(raw: Any) -> bool:
        from router.sources import _rare

        found: bool = getattr(_rare, name)(raw)
        return found

    return rule


_calls_a_tool = _rare("calls_a_tool")
S3_CONTEXTS = ("getObjectContext", "headObjectContext", "listObjectsContext", "listObjectsV2Context")
# ---- rows, the busiest first ---------------------------------------------------------------------------------------

# fmt: off
_ROWS = (
    Row(Source.REST, "http", "HttpEvent", "reply", "web", data_class="api_gateway_proxy_event.APIGatewayProxyEvent",
        opened=("requestContext",), rule=_is_rest, by_path=True),
    Row(Source.HTTP, "http", "HttpEvent", "reply", "web", data_class="api_gateway_proxy_event.APIGatewayProxyEventV2",
        opened=("requestContext",), rule=lambda raw: _is_payload_2(raw) and not _is_url_domain(raw), by_path=True),
    Row(Source.URL, "http", "HttpEvent", "reply", "web", data_class="lambda_function_url_event.LambdaFunctionUrlEvent",
        opened=("requestContext",), rule=lambda raw: _is_payload_2(raw) and _is_url_domain(raw), by_path=True),
    Row(Source.WEBSOCKET, "websocket", "SocketEvent", "reply", "sockets",
        data_class="api_gateway_websocket_event.APIGatewayWebSocketEvent",
        opened=("requestContext",), rule=_is_websocket),
    Row(Source.ALB, "balancers", "HttpEvent", "reply", "web", data_class="alb_event.ALBEvent",
        opened=("requestContext",), by_path=True,
        rule=lambda raw: type(_context(raw).get("elb")) is dict and type(raw.get("httpMethod")) is str),
    Row(Source.LATTICE, "balancers", "HttpEvent", "reply", "web",
        opened=("requestContext", "raw_path"), rule=_is_lattice, by_path=True),
    Row(Source.EVENTBRIDGE, "bus", "BusEvent", "notify", "bus",
        opened=("detail-type",), rule=lambda raw: _is_bridge(raw) and not _is_scheduled(raw)),
    Row(Source.SCHEDULE, "bus", "ScheduleEvent", "notify", "bus", data_class="event_bridge_event.EventBridgeEvent",
        opened=("detail-type",), rule=lambda raw: _is_bridge(raw) and _is_scheduled(raw)),
    Row(Source.SQS, "sqs", "QueueEvent", "items", "messaging", data_class="sqs_event.SQSRecord",
        named=("aws:sqs",), records="Records"),
    Row(Source.SNS, "sns", "TopicEvent", "notify", "messaging", data_class="sns_event.SNSEventRecord",
        named=("aws:sns",), records="Records"),
    Row(Source.DYNAMODB, "streams", "StreamEvent", "ordered", "streams",
        data_class="dynamo_db_stream_event.DynamoDBRecord", named=("aws:dynamodb",), records="Records"),
    Row(Source.KINESIS, "streams", "StreamEvent", "ordered", "streams",
        data_class="kinesis_stream_event.KinesisStreamRecord", named=("aws:kinesis",), records="Records"),
    Row(Source.KAFKA, "kafka", "KafkaEvent", "ordered", "brokers", data_class="kafka_event.KafkaEventRecord",
        named=("aws:kafka", "aws:SelfManagedKafka", "SelfManagedKafka"), records="records"),
    Row(Source.ACTIVEMQ, "brokers", "BrokerEvent", "notify", "brokers", data_class="active_mq_event.ActiveMQMessage",
        named=("aws:amq", "aws:mq"), records="messages"),
    Row(Source.RABBITMQ, "brokers", "BrokerEvent", "notify", "brokers", data_class="rabbit_mq_event.RabbitMessage",
        named=("aws:rmq",), records="rmqMessagesByQueue"),
    Row(Source.DOCUMENTDB, "brokers", "DocumentDbEvent", "notify", "streams", named=("aws:docdb",), records="events"),
    Row(Source.S3, "s3", "ObjectEvent", "notify", "storage", data_class="s3_event.S3EventRecord",
        named=("aws:s3",), records="Records",
        opened=("Event",), rule=lambda raw: raw.get("Event") == "s3:TestEvent" and type(raw.get("Bucket")) is str),
    Row(Source.SES, "notices", "SesEvent", "notify", "others", data_class="ses_event.SESEventRecord",
        named=("aws:ses",), records="Records"),
    Row(Source.CODECOMMIT, "notices", "CodeCommitEvent", "notify", "delivery",
        named=("aws:codecommit",), records="Records"),
    Row(Source.CLOUDFRONT, "cloudfront", "CloudFrontEvent", "reply", "others", in_record="cf"),
    Row(Source.AUTHORIZER, "authorizer", "AuthorizerEvent", "reply", "identity", opened=("type",), rule=_authorizes),
    Row(Source.APPSYNC, "appsync", "AppSyncEvent", "reply", "graphql", kind_of_list="transform",
        data_class="appsync_resolver_event.AppSyncResolverEvent", opened=("arguments",), rule=_is_appsync),
    Row(Source.APPSYNC_AUTHORIZER, "authorizer", "AuthorizerEvent", "reply", "graphql",
        data_class="appsync_authorizer_event.AppSyncAuthorizerEvent",
        opened=("authorizationToken",), rule=_rare("is_appsync_authorizer")),
    Row(Source.APPSYNC_EVENTS, "appsync_events", "ChannelEvent", "transform", "graphql", records="events",
        data_class="appsync_resolver_events_event.AppSyncResolverEventsEvent",
        opened=("info",), rule=_rare("is_channel")),
    Row(Source.APPSYNC_EVENTS_AUTHORIZER, "authorizer", "ChannelAuthorizerEvent", "reply", "graphql",
        opened=("authorizationToken",), rule=_rare("is_event_api_authorizer")),
    Row(Source.LOGS, "logs", "LogsEvent", "notify", "bus", data_class="cloud_watch_logs_event.CloudWatchLogsEvent",
        opened=("awslogs",), rule=lambda raw: type(raw.get("awslogs")) is dict and "data" in raw["awslogs"]),
    Row(Source.FIREHOSE, "firehose", "TransformEvent", "transform", "streams", records="records",
        data_class="kinesis_firehose_event.KinesisFirehoseRecord", opened=("deliveryStreamArn", "invocationId"),
        rule=_is_firehose),
    Row(Source.KINESIS_ANALYTICS, "firehose", "TransformEvent", "transform", "streams", records="records",
        opened=("applicationArn",),
        rule=lambda raw: type(raw.get("applicationArn")) is str and type(raw.get("records")) is list),
    Row(Source.S3_BATCH, "s3_batch", "ObjectEvent", "transform", "storage", records="tasks",
        data_class="s3_batch_operation_event.S3BatchOperationTask", opened=("tasks",),
        rule=lambda raw: type(raw.get("tasks")) is list and type(raw.get("invocationSchemaVersion")) is str),
    Row(Source.COGNITO, "cognito", "CognitoEvent", "reply", "identity", opened=("triggerSource",),
        rule=lambda raw: type(raw.get("triggerSource")) is str and type(raw.get("request")) is dict
        and "userPoolId" in raw),
    Row(Source.ALARM, "direct", "DirectEvent", "reply", "bus",
        data_class="cloud_watch_alarm_event.CloudWatchAlarmEvent",
        opened=("alarmData",), rule=lambda raw: type(raw.get("alarmData")) is dict and "detail" not in raw),
    Row(Source.S3_OBJECT, "direct", "DirectEvent", "reply", "storage", data_class="s3_object_event.S3ObjectLambdaEvent",
        opened=S3_CONTEXTS, rule=lambda raw: any(type(raw.get(key)) is dict for key in S3_CONTEXTS)),
    Row(Source.CLOUDFORMATION, "cloudformation", "CloudFormationEvent", "reply", "delivery",
        data_class="cloudformation_custom_resource_event.CloudFormationCustomResourceEvent", opened=("RequestType",),
        rule=lambda raw: type(raw.get("ResourceType")) is str and type(raw.get("RequestType")) is str
        and raw["RequestType"] in ("Create", "Update", "Delete")),
    Row(Source.CONNECT, "direct", "DirectEvent", "reply", "assistants",
        data_class="connect_contact_flow_event.ConnectContactFlowEvent", opened=("Details",),
        rule=lambda raw: type(raw.get("Details")) is dict and type(raw["Details"].get("ContactData")) is dict),
    Row(Source.LEX, "direct", "DirectEvent", "reply", "assistants", opened=("bot",),  # versions 2 and 1
        rule=lambda raw: type(raw.get("bot")) is dict
        and (type(raw.get("sessionState")) is dict or type(raw.get("currentIntent")) is dict)),
    Row(Source.BEDROCK_AGENT, "bedrock", "BedrockEvent", "reply", "assistants",
        opened=("actionGroup",), rule=lambda raw: "actionGroup" in raw and type(raw.get("agent")) is dict),
    Row(Source.TOOL, "tool", "ToolEvent", "reply", "assistants", in_context="bedrockAgentCoreToolName"),
    Row(Source.ALEXA, "direct", "DirectEvent", "reply", "assistants", opened=("request",), rule=_rare("is_alexa")),
    Row(Source.ALEXA_HOME, "direct", "DirectEvent", "reply", "assistants",
        opened=("directive", "header"), rule=_rare("is_alexa_home")),
    Row(Source.CONFIG, "direct", "DirectEvent", "reply", "delivery",
        data_class="aws_config_rule_event.AWSConfigRuleEvent", opened=("invokingEvent",),
        rule=lambda raw: type(raw.get("invokingEvent")) is str and "configRuleName" in raw),
    Row(Source.CODEPIPELINE, "direct", "DirectEvent", "reply", "delivery",
        data_class="code_pipeline_job_event.CodePipelineJobEvent",
        opened=("CodePipeline.job",), rule=lambda raw: type(raw.get("CodePipeline.job")) is dict),
    Row(Source.CODEDEPLOY, "direct", "DirectEvent", "reply", "delivery",
        data_class="code_deploy_lifecycle_hook_event.CodeDeployLifecycleHookEvent", opened=("DeploymentId",),
        rule=lambda raw: type(raw.get("DeploymentId")) is str and "LifecycleEventHookExecutionId" in raw),
    Row(Source.SECRETSMANAGER, "direct", "DirectEvent", "reply", "delivery",
        data_class="secrets_manager_event.SecretsManagerEvent", opened=("SecretId",),
        rule=lambda raw: type(raw.get("SecretId")) is str and type(raw.get("Step")) is str
        and "ClientRequestToken" in raw),
    Row(Source.DASHBOARD, "direct", "DirectEvent", "reply", "bus",
        data_class="cloud_watch_custom_widget_event.CloudWatchDashboardCustomWidgetEvent",
        opened=("widgetContext", "describe"),
        rule=lambda raw: type(raw.get("widgetContext")) is dict or (raw.get("describe") is True and len(raw) == 1)),
    Row(Source.COGNITO_SYNC, "cognito", "CognitoEvent", "reply", "identity", opened=("eventType",),
        rule=lambda raw: raw.get("eventType") == "SyncTrigger" and "identityPoolId" in raw),
    Row(Source.SAGEMAKER, "direct", "DirectEvent", "reply", "others", opened=("labelingJobArn",),
        rule=lambda raw: type(raw.get("labelingJobArn")) is str
        and ("dataObject" in raw or "payload" in raw)),  # before and after annotation
    Row(Source.WORKMAIL, "direct", "DirectEvent", "reply", "others", opened=("summaryVersion",),
        rule=lambda raw: type(raw.get("summaryVersion")) is str and type(raw.get("envelope")) is dict),
    Row(Source.IOT, "direct", "DirectEvent", "reply", "others", opened=("deviceInfo", "clickType"),
        rule=_rare("is_iot_button")),
    Row(Source.IOT_AUTHORIZER, "iot", "IotAuthorizerEvent", "reply", "identity",
        opened=("protocolData",), rule=_rare("is_iot_authorizer")),
    Row(Source.IOT_PROVISIONING, "iot", "ProvisioningEvent", "reply", "identity",
        opened=("templateArn",), rule=_rare("is_provisioning")),
    Row(Source.TRANSFER, "transfer", "TransferLoginEvent", "reply", "identity",
        data_class="transfer_family_event.TransferFamilyAuthorizer", opened=("serverId",), rule=_rare("is_transfer")),
    Row(Source.VPN, "direct", "DirectEvent", "reply", "others", opened=("connection-id",),
        rule=lambda raw: type(raw.get("connection-id")) is str and type(raw.get("endpoint-id")) is str),
    # An environment: TASK_NAME, or what the ECS agent sets in every container.
    Row(Source.TASK, "invoke", "TaskEvent", "reply", "direct", opened=("TASK_NAME", "ECS_CONTAINER_METADATA_URI_V4"),
        rule=lambda raw: type(raw.get("TASK_NAME")) is str or type(raw.get("ECS_CONTAINER_METADATA_URI_V4")) is str),
    # What nothing else recognises; it stays the last.
    Row(Source.INVOKE, "invoke", "InvokeEvent", "reply", "direct"),
)
# fmt: on
_LAST, _REST = len(_ROWS) - 1, Source.REST
ROWS: dict[Source, Row] = {row.source: row for row in _ROWS}
HTTP_SOURCES = tuple(row.source for row in _ROWS if row.by_path)
# Sources whose payload holds records; only these know batch= and concurrency=.
RECORD_SOURCES = frozenset(row.source for row in _ROWS if row.records is not None)

CARRIERS = (Source.SQS, Source.SNS, Source.KINESIS, Source.FIREHOSE)  # their records may hold events of others
# By the name in eventSource: of a record, and of a payload that holds its records in another way.
_NAMED_IN_RECORDS = {name: row.source for row in _ROWS if row.records == "Records" for name in row.named}
_NAMED_AT_TOP = {name: row.source for row in _ROWS if row.records != "Records" for name in row.named}
_IN_RECORD = [(row.in_record, row.source) for row in _ROWS if row.in_record is not None]
# Rules by the key that opens them, with their row's position and source.
_OPENED: dict[str, list[tuple[int, Rule, Source]]] = {}
for _position, _row in enumerate(_ROWS):
    for _key in _row.opened:
        _OPENED.setdefault(_key, []).append((_position, _row.rule, _row.source))
# A few are looked for one by one; to find out which of the others a payload has is one step.
_FIRST = ("requestContext", "detail-type", "type", "arguments", "awslogs", "triggerSource")
_BUSIEST, _OTHERS = [(key, _OPENED[key]) for key in _FIRST], set(_OPENED).difference(_FIRST)


# ---- detection -----------------------------------------------------------------------------------------------------


def detect(raw: object, context: Any = None) -> Source:
    """Return the source of a payload; `Source.INVOKE` for what nothing recognises.

    context: Lambda's context object. The call of a tool is told by it alone, whatever its arguments look like.
    """
    if context is not None:
        try:  # what Lambda hands over has the field; getattr() with a default would cost every event more
            if context.client_context is not None and _calls_a_tool(context):
                return Source.TOOL
        except AttributeError:
            pass
    if type(raw) is not dict:
        return _of_others(raw)
    if "requestContext" in raw and _is_rest(raw):
        return _REST  # the rule of its row, without the steps in between: no other source is asked for as often
    if "Records" in raw or "eventSource" in raw:
        name = raw.get("eventSource")
        named = _of_records(raw) if "Records" in raw else _NAMED_AT_TOP.get(name) if type(name) is str else None
        if named is not None:
            return named
    for key, rules in _BUSIEST:
        if key in raw:
            for _, rule, source in rules:
                if rule(raw):
                    return source
    return _by_keys(raw)


def _by_keys(raw: dict[str, Any]) -> Source:
    """Return the source of a payload that none of the busiest keys tells."""
    first = _LAST
    # Never a step for each key of a large payload.
    for key in _OTHERS.intersection(raw) if len(raw) < 64 else raw.keys() & _OTHERS:
        for position, rule, _ in _OPENED[key]:
            if position < first and rule(raw):
                first = position  # whatever the order of the keys, the first row counts
    return _ROWS[first].source


def _of_records(raw: dict[str, Any]) -> Source | None:
    """Return the source that the first record names, or shows by a key."""
    records = raw["Records"]
    if type(records) is not list:
        return None
    if not records:
        return _of_window(raw)
    first = records[0]
    if type(first) is not dict:
        return None
    name = first.get("eventSource") or first.get("EventSource")
    if type(name) is str:
        return _NAMED_IN_RECORDS.get(name)
    for key, source in _IN_RECORD:
        if type(first.get(key)) is dict:
            return source
    return None


def _of_window(raw: dict[str, Any]) -> Source | None:
    """Tell the last call of a tumbling window, which has no records: the ARN of its stream stands at the top."""
    arn = raw.get("eventSourceARN")
    if type(raw.get("window")) is not dict or type(arn) is not str or arn.count(":") < 2:
        return None
    source = _NAMED_IN_RECORDS.get(f"aws:{arn.split(':', 3)[2]}")
    return source if source is not None and ROWS[source].kind == "ordered" else None


def _of_others(raw: object) -> Source:
    """Return the source of what is no JSON object: a list of objects of one source, an environment."""
    if type(raw) is list and raw:
        for row in _ROWS:
            if row.kind_of_list is not None and all(type(item) is dict and row.rule(item) for item in raw):
                return row.source
    if isinstance(raw, Mapping) and ROWS[Source.TASK].rule(raw):  # os.environ
        return Source.TASK
    return Source.INVOKE
