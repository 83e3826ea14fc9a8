"""Which source sent this payload? One decision, by keys: no I/O, no parsing, no change, and it never raises.

First the source that a record (or the payload) names itself: one lookup in `NAMED`. Then the first key of `OPENERS`
that the payload has opens the few rules that could hold. Each rule stands alone: for any payload at most one is true.
"""

from __future__ import annotations

from collections.abc import Mapping

from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Rule = Callable[[dict[str, Any]], bool]

# eventSource of a record (EventSource for SNS), or of the payload itself (brokers, Kafka, DocumentDB).
NAMED: dict[str, Source] = {
    "aws:sqs": Source.SQS,
    "aws:sns": Source.SNS,
    "aws:dynamodb": Source.DYNAMODB,
    "aws:kinesis": Source.KINESIS,
    "aws:s3": Source.S3,
    "aws:ses": Source.SES,
    "aws:codecommit": Source.CODECOMMIT,
    "aws:kafka": Source.KAFKA,
    "aws:SelfManagedKafka": Source.KAFKA,
    "SelfManagedKafka": Source.KAFKA,
    "aws:amq": Source.ACTIVEMQ,
    "aws:mq": Source.ACTIVEMQ,
    "aws:rmq": Source.RABBITMQ,
    "aws:docdb": Source.DOCUMENTDB,
}
# Which of them come as a list of records, and which as one object.
_IN_RECORDS = frozenset(NAMED.values()) - {Source.KAFKA, Source.ACTIVEMQ, Source.RABBITMQ, Source.DOCUMENTDB}


def detect(raw: object) -> Source:
    """The source of a payload; what nothing recognises is `Source.INVOKE`."""
    if type(raw) is dict:
        if "Records" in raw or "eventSource" in raw:
            named = _named(raw)
            if named is not None:
                return named
        for key, rules in OPENERS.items():
            if key in raw:
                for source, rule in rules:
                    if rule(raw):
                        return source
        return Source.INVOKE
    if type(raw) is list:
        return Source.APPSYNC if _is_appsync_batch(raw) else Source.INVOKE
    if isinstance(raw, Mapping):  # os.environ
        return Source.TASK if _is_task(raw) else Source.INVOKE
    return Source.INVOKE


def _named(raw: dict[str, Any]) -> Source | None:
    """The source that the payload names itself."""
    if "Records" in raw:
        records = raw["Records"]
        if type(records) is not list:
            return None
        if not records:
            return _of_window(raw)
        first = records[0]
        if type(first) is not dict:
            return None
        name = first.get("eventSource") or first.get("EventSource")
        source = NAMED.get(name) if type(name) is str else None
        if source is None:
            return Source.CLOUDFRONT if type(first.get("cf")) is dict else None
        return source if source in _IN_RECORDS else None
    if "eventSource" in raw:
        name = raw["eventSource"]
        source = NAMED.get(name) if type(name) is str else None
        return None if source in _IN_RECORDS else source
    return None


def _of_window(raw: dict[str, Any]) -> Source | None:
    """The last call of a tumbling window has no records; the ARN of its stream stands at the top."""
    arn = raw.get("eventSourceARN")
    if type(raw.get("window")) is dict and type(arn) is str:
        service = arn.split(":", 3)[2:3]
        return {"dynamodb": Source.DYNAMODB, "kinesis": Source.KINESIS}.get(service[0] if service else "")
    return None


# ---- rules ---------------------------------------------------------------------------------------------------------


def _context(raw: dict[str, Any]) -> dict[str, Any]:
    context = raw.get("requestContext")
    return context if type(context) is dict else {}


def _authorizes(raw: dict[str, Any]) -> bool:
    """Authorizers look like the request they decide about; `type` with an ARN tells them apart."""
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


def _is_http_shape(raw: dict[str, Any]) -> bool:
    return type(_context(raw).get("http")) is dict and not _authorizes(raw)


_URL_SUFFIXES = (["on", "aws"], ["on", "amazonwebservices", "com", "cn"])  # the second in the China partition


def _is_url_domain(raw: dict[str, Any]) -> bool:
    """`ID.lambda-url.REGION.on.aws`, anchored: a custom domain of an HTTP API may contain ".lambda-url."."""
    domain = _context(raw).get("domainName")
    if type(domain) is not str:
        return False
    labels = domain.lower().split(".")
    return len(labels) >= 5 and labels[1] == "lambda-url" and labels[3:] in _URL_SUFFIXES


def _is_http(raw: dict[str, Any]) -> bool:
    return _is_http_shape(raw) and not _is_url_domain(raw)


def _is_url(raw: dict[str, Any]) -> bool:
    return _is_http_shape(raw) and _is_url_domain(raw)


def _is_alb(raw: dict[str, Any]) -> bool:
    return type(_context(raw).get("elb")) is dict and type(raw.get("httpMethod")) is str


def _is_lattice(raw: dict[str, Any]) -> bool:
    if "requestContext" in raw:
        context = _context(raw)
        return (
            type(raw.get("path")) is str
            and type(raw.get("method")) is str
            and (type(context.get("serviceNetworkArn")) is str or type(context.get("targetGroupArn")) is str)
        )
    return type(raw.get("raw_path")) is str and type(raw.get("method")) is str


def _is_websocket(raw: dict[str, Any]) -> bool:
    context = _context(raw)
    return (
        type(context.get("connectionId")) is str
        and type(context.get("eventType")) is str
        and type(context.get("routeKey")) is str
        and not _authorizes(raw)
    )


def _is_appsync_authorizer(raw: dict[str, Any]) -> bool:
    return (
        type(raw.get("authorizationToken")) is str
        and "methodArn" not in raw
        and "routeArn" not in raw
        and "httpMethod" not in raw
        and "queryString" in _context(raw)
    )


def _is_appsync(raw: dict[str, Any]) -> bool:
    info = raw.get("info")
    if type(info) is dict and type(info.get("fieldName")) is str and "arguments" in raw:
        return True
    return type(raw.get("typeName")) is str and type(raw.get("fieldName")) is str and "arguments" in raw


def _is_appsync_batch(raw: list[Any]) -> bool:
    return bool(raw) and all(type(item) is dict and _is_appsync(item) for item in raw)


def _is_bridge_shape(raw: dict[str, Any]) -> bool:
    return (
        type(raw.get("detail-type")) is str
        and type(raw.get("source")) is str
        and "detail" in raw
        and "alarmData" not in raw
    )


def _is_scheduled(raw: dict[str, Any]) -> bool:
    # EventBridge rules send source aws.events, EventBridge Scheduler aws.scheduler.
    return raw["detail-type"] == "Scheduled Event" and raw["source"] in ("aws.events", "aws.scheduler")


def _is_eventbridge(raw: dict[str, Any]) -> bool:
    return _is_bridge_shape(raw) and not _is_scheduled(raw)


def _is_schedule(raw: dict[str, Any]) -> bool:
    return _is_bridge_shape(raw) and _is_scheduled(raw)


def _is_alarm(raw: dict[str, Any]) -> bool:
    return type(raw.get("alarmData")) is dict and "detail" not in raw


def _is_logs(raw: dict[str, Any]) -> bool:
    logs = raw.get("awslogs")
    return type(logs) is dict and "data" in logs


def _is_dashboard(raw: dict[str, Any]) -> bool:
    if type(raw.get("widgetContext")) is dict:
        return True
    return raw.get("describe") is True and len(raw) == 1


def _is_cognito(raw: dict[str, Any]) -> bool:
    return type(raw.get("triggerSource")) is str and type(raw.get("request")) is dict and "userPoolId" in raw


def _is_cognito_sync(raw: dict[str, Any]) -> bool:
    return raw.get("eventType") == "SyncTrigger" and "identityPoolId" in raw


def _is_firehose(raw: dict[str, Any]) -> bool:
    return type(raw.get("records")) is list and type(raw.get("deliveryStreamArn")) is str


def _is_kinesis_analytics(raw: dict[str, Any]) -> bool:
    return type(raw.get("records")) is list and type(raw.get("applicationArn")) is str


def _is_s3_batch(raw: dict[str, Any]) -> bool:
    return type(raw.get("tasks")) is list and type(raw.get("invocationSchemaVersion")) is str


def _is_s3_object(raw: dict[str, Any]) -> bool:
    return type(raw.get("getObjectContext")) is dict


def _is_s3_test(raw: dict[str, Any]) -> bool:
    return raw.get("Event") == "s3:TestEvent" and type(raw.get("Bucket")) is str


def _is_codepipeline(raw: dict[str, Any]) -> bool:
    return type(raw.get("CodePipeline.job")) is dict


def _is_codedeploy(raw: dict[str, Any]) -> bool:
    return type(raw.get("DeploymentId")) is str and "LifecycleEventHookExecutionId" in raw


def _is_config(raw: dict[str, Any]) -> bool:
    return type(raw.get("invokingEvent")) is str and "configRuleName" in raw


def _is_connect(raw: dict[str, Any]) -> bool:
    details = raw.get("Details")
    return type(details) is dict and type(details.get("ContactData")) is dict


def _is_lex(raw: dict[str, Any]) -> bool:
    # Version 2 has a sessionState, version 1 a currentIntent.
    return type(raw.get("bot")) is dict and dict in (type(raw.get("sessionState")), type(raw.get("currentIntent")))


def _is_bedrock_agent(raw: dict[str, Any]) -> bool:
    return "actionGroup" in raw and type(raw.get("agent")) is dict


def _is_alexa(raw: dict[str, Any]) -> bool:
    request, context = raw.get("request"), raw.get("context")
    return (
        type(request) is dict
        and type(request.get("type")) is str
        and ("session" in raw or (type(context) is dict and "System" in context))
        and "triggerSource" not in raw
    )


def _is_alexa_home(raw: dict[str, Any]) -> bool:
    # Version 3 wraps it in a directive; version 2 has the header at the top.
    directive = raw.get("directive")
    if type(directive) is dict:
        return type(directive.get("header")) is dict
    header = raw.get("header")
    namespace = header.get("namespace") if type(header) is dict else None
    return type(namespace) is str and namespace.startswith("Alexa.") and "payload" in raw


def _is_iot(raw: dict[str, Any]) -> bool:
    # The IoT button and IoT 1-Click; what an IoT rule selects has no shape of its own and is `invoke`.
    if type(raw.get("deviceInfo")) is dict and type(raw.get("deviceEvent")) is dict:
        return True
    return type(raw.get("serialNumber")) is str and type(raw.get("clickType")) is str and "batteryVoltage" in raw


def _is_cloudformation(raw: dict[str, Any]) -> bool:
    # ResponseURL is absent when the provider framework of the CDK calls.
    return (
        raw.get("RequestType") in ("Create", "Update", "Delete")
        if type(raw.get("RequestType")) is str and type(raw.get("ResourceType")) is str
        else False
    )


def _is_secretsmanager(raw: dict[str, Any]) -> bool:
    return type(raw.get("SecretId")) is str and type(raw.get("Step")) is str and "ClientRequestToken" in raw


def _is_sagemaker(raw: dict[str, Any]) -> bool:
    # Ground Truth calls before (dataObject) and after (payload) annotation.
    return type(raw.get("labelingJobArn")) is str and ("dataObject" in raw or "payload" in raw)


def _is_workmail(raw: dict[str, Any]) -> bool:
    return type(raw.get("summaryVersion")) is str and type(raw.get("envelope")) is dict


def _is_vpn(raw: dict[str, Any]) -> bool:
    return type(raw.get("connection-id")) is str and type(raw.get("endpoint-id")) is str


def _is_task(raw: Mapping[str, Any]) -> bool:
    """An environment: TASK_NAME, or what the ECS agent sets in every container."""
    return any(type(raw.get(name)) is str for name in ("TASK_NAME", "ECS_CONTAINER_METADATA_URI_V4"))


RULES: dict[Source, Rule] = {
    Source.REST: _is_rest,
    Source.HTTP: _is_http,
    Source.URL: _is_url,
    Source.ALB: _is_alb,
    Source.LATTICE: _is_lattice,
    Source.WEBSOCKET: _is_websocket,
    Source.AUTHORIZER: _authorizes,
    Source.APPSYNC_AUTHORIZER: _is_appsync_authorizer,
    Source.APPSYNC: _is_appsync,
    Source.EVENTBRIDGE: _is_eventbridge,
    Source.SCHEDULE: _is_schedule,
    Source.ALARM: _is_alarm,
    Source.LOGS: _is_logs,
    Source.DASHBOARD: _is_dashboard,
    Source.COGNITO: _is_cognito,
    Source.COGNITO_SYNC: _is_cognito_sync,
    Source.FIREHOSE: _is_firehose,
    Source.KINESIS_ANALYTICS: _is_kinesis_analytics,
    Source.S3_BATCH: _is_s3_batch,
    Source.S3_OBJECT: _is_s3_object,
    Source.S3: _is_s3_test,
    Source.CODEPIPELINE: _is_codepipeline,
    Source.CODEDEPLOY: _is_codedeploy,
    Source.CONFIG: _is_config,
    Source.CONNECT: _is_connect,
    Source.LEX: _is_lex,
    Source.BEDROCK_AGENT: _is_bedrock_agent,
    Source.ALEXA: _is_alexa,
    Source.ALEXA_HOME: _is_alexa_home,
    Source.IOT: _is_iot,
    Source.CLOUDFORMATION: _is_cloudformation,
    Source.SECRETSMANAGER: _is_secretsmanager,
    Source.SAGEMAKER: _is_sagemaker,
    Source.WORKMAIL: _is_workmail,
    Source.VPN: _is_vpn,
    Source.TASK: _is_task,
}

# Which rules a top-level key opens; the keys are tried in this order, the busiest first.
_OPENED: dict[str, tuple[Source, ...]] = {
    "requestContext": (
        Source.REST,
        Source.HTTP,
        Source.URL,
        Source.WEBSOCKET,
        Source.ALB,
        Source.LATTICE,
        Source.AUTHORIZER,
        Source.APPSYNC_AUTHORIZER,
    ),
    "detail-type": (Source.EVENTBRIDGE, Source.SCHEDULE),
    "type": (Source.AUTHORIZER,),
    "raw_path": (Source.LATTICE,),
    "arguments": (Source.APPSYNC,),
    "awslogs": (Source.LOGS,),
    "records": (Source.FIREHOSE, Source.KINESIS_ANALYTICS),
    "tasks": (Source.S3_BATCH,),
    "triggerSource": (Source.COGNITO,),
    "alarmData": (Source.ALARM,),
    "getObjectContext": (Source.S3_OBJECT,),
    "RequestType": (Source.CLOUDFORMATION,),
    "Details": (Source.CONNECT,),
    "bot": (Source.LEX,),
    "actionGroup": (Source.BEDROCK_AGENT,),
    "request": (Source.ALEXA,),
    "directive": (Source.ALEXA_HOME,),
    "header": (Source.ALEXA_HOME,),
    "invokingEvent": (Source.CONFIG,),
    "CodePipeline.job": (Source.CODEPIPELINE,),
    "DeploymentId": (Source.CODEDEPLOY,),
    "SecretId": (Source.SECRETSMANAGER,),
    "widgetContext": (Source.DASHBOARD,),
    "describe": (Source.DASHBOARD,),
    "Event": (Source.S3,),
    "eventType": (Source.COGNITO_SYNC,),
    "labelingJobArn": (Source.SAGEMAKER,),
    "summaryVersion": (Source.WORKMAIL,),
    "deviceInfo": (Source.IOT,),
    "clickType": (Source.IOT,),
    "connection-id": (Source.VPN,),
    "TASK_NAME": (Source.TASK,),
    "ECS_CONTAINER_METADATA_URI_V4": (Source.TASK,),
}
OPENERS: dict[str, tuple[tuple[Source, Rule], ...]] = {
    key: tuple((source, RULES[source]) for source in sources) for key, sources in _OPENED.items()
}
