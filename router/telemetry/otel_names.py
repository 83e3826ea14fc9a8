"""Names, kinds and attributes of spans, by the semantic conventions of OpenTelemetry (FaaS, messaging, HTTP).

Nothing that a client wrote goes into them but method, path, user agent and ids: no query, header, body, session or key.
"""

from __future__ import annotations

from functools import lru_cache

from opentelemetry.trace import SpanKind

from router.event import Source
from router.sources._registry import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.dispatch.invocation import Invocation
    from router.event import Event

    Attributes = dict[str, Any]

_DATA = (
    *(Source.DYNAMODB, Source.DOCUMENTDB, Source.S3, Source.S3_BATCH, Source.S3_OBJECT, Source.COGNITO_SYNC),
    Source.CODECOMMIT,
)
# Those that the conventions list, and for the others of AWS a name made alike.
_SYSTEMS = {
    Source.SQS: "aws_sqs",
    Source.SNS: "aws.sns",
    Source.KINESIS: "aws_kinesis",
    Source.FIREHOSE: "aws_firehose",
    Source.EVENTBRIDGE: "aws_eventbridge",
    Source.KAFKA: "kafka",
    Source.ACTIVEMQ: "activemq",
    Source.RABBITMQ: "rabbitmq",
}
_TRIGGERS: dict[Source, str] = {
    **{source: "http" for source, row in ROWS.items() if row.by_path},
    Source.WEBSOCKET: "http",
    **dict.fromkeys(_SYSTEMS, "pubsub"),
    **dict.fromkeys(_DATA, "datasource"),
    Source.SCHEDULE: "timer",
}
_OPERATIONS = {"INSERT": "insert", "MODIFY": "edit", "REMOVE": "delete"}
_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"))
_LONGEST = 256  # characters of what others wrote
_UNROUTED = "/{unrouted+}"  # the engine's own, for requests that no route takes


def trigger_of(source: Source) -> str:
    """Return `faas.trigger`: http, pubsub, datasource, timer or other."""
    return _TRIGGERS.get(source, "other")


def records_of(invocation: Invocation) -> list[Any] | None:
    """Return the records of a payload as delivered; None where a payload is one event, whose span is the call's."""
    key, raw = ROWS[invocation.source].records, invocation.raw
    if type(raw) is list:
        return raw
    held = raw.get(key) if key is not None and type(raw) is dict else None
    if type(held) is dict:  # of Kafka and RabbitMQ: lists by partition or queue
        return [one for each in held.values() if type(each) is list for one in each]
    return held if type(held) is list else None


# ---- the call as a whole -------------------------------------------------------------------------------------------


def of_call(invocation: Invocation) -> Attributes:
    """Return the attributes of an invocation that its source does not change."""
    context = invocation.context
    held: Attributes = {"faas.trigger": trigger_of(invocation.source), "faas.coldstart": invocation.cold_start}
    if (request_id := invocation.request_id) is not None:
        held["faas.invocation_id"] = request_id
    arn = getattr(context, "invoked_function_arn", None)
    if type(arn) is str and arn.startswith("arn:") and ":function:" in arn:
        parts = arn.split(":")
        held["aws.lambda.invoked_arn"] = arn
        held["cloud.account.id"] = parts[4]
        version = getattr(context, "function_version", None)
        if len(parts) > 7 and type(version) is str:  # an alias may point elsewhere tomorrow
            parts[7] = version
        held["cloud.resource_id"] = ":".join(parts)
    return held


def of_batch(invocation: Invocation, records: list[Any]) -> tuple[str, SpanKind, Attributes]:
    """Return name, kind and attributes of the span of a batch, which its records' spans are children of."""
    source = invocation.source
    system = _SYSTEMS.get(source)
    places = {_place(source, record) for record in records}
    place = places.pop() if len(places) == 1 else None
    held: Attributes = {"messaging.batch.message_count": len(records)} if system is not None else {}
    if system is not None:
        held |= _messaging(system, place)
    name = place or (source.value if not places else "multiple_sources")
    kind = SpanKind.CONSUMER if trigger_of(source) in ("pubsub", "datasource") else SpanKind.SERVER
    return f"{name[:_LONGEST]} process", kind, held


def _place(source: Source, record: Any) -> str | None:
    """Return the queue, topic, table, stream or bucket of a record, without making an event of it."""
    if type(record) is not dict:
        return None
    if source is Source.SNS:
        arn = _inside(record, "Sns", "TopicArn")
    elif source is Source.S3:
        arn = _inside(record, "s3", "bucket", "name")
    elif source is Source.KAFKA:
        arn = record.get("topic")
    else:
        arn = record.get("eventSourceARN")
    if type(arn) is not str:
        return None
    last = arn.rpartition(":")[2]
    return last.split("/")[1] if "/" in last else last  # arn:...:table/NAME/stream/..., arn:...:stream/NAME


def _inside(held: Any, *keys: str) -> Any:
    for key in keys:
        held = held.get(key) if type(held) is dict else None
    return held


@lru_cache(maxsize=64)
def _messaging(system: str, place: str | None) -> Attributes:
    """Return what all messages of a place have in common; not to be changed."""
    held: Attributes = {
        "faas.trigger": "pubsub",
        "messaging.system": system,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
    }
    if place:
        held["messaging.destination.name"] = place[:_LONGEST]
    return held


# ---- one event -----------------------------------------------------------------------------------------------------


def of_request(event: Event) -> tuple[str, SpanKind, Attributes]:
    """Return name, kind and attributes of the span of a request."""
    given = event.method.upper()
    method = given if given in _METHODS else "_OTHER"
    held: Attributes = {"http.request.method": method, "url.path": event.path[:_LONGEST]}
    if method != given:
        held["http.request.method_original"] = given[:_LONGEST]
    headers = event.headers
    scheme = headers.get("x-forwarded-proto", "https")
    held["url.scheme"] = scheme if scheme in ("http", "https") else "https"
    for name, attribute in (("host", "server.address"), ("user-agent", "user_agent.original")):
        if value := headers.get(name):
            held[attribute] = value[:_LONGEST]
    name = "HTTP" if method == "_OTHER" else method
    route = event.route
    if route is not None and route.match != _UNROUTED:
        held["http.route"] = route.match
        name = f"{name} {route.match}"
    return name, SpanKind.SERVER, held


def of_event(event: Event) -> tuple[str, SpanKind, Attributes]:
    """Return name, kind and attributes of the span of an event: a request, a record or a call."""
    source = event.source
    if ROWS[source].by_path:
        return of_request(event)
    trigger = trigger_of(source)
    if trigger == "pubsub":
        return _of_message(event, _SYSTEMS[source])
    held: Attributes = {"faas.trigger": trigger}
    if trigger == "datasource":
        held |= _of_document(event)
        return f"{event.name[:_LONGEST] or source.value} process", SpanKind.CONSUMER, held
    # The name of the route, not what the event says: a caller may write any action or trigger.
    name = event.route.match if event.route is not None else ""
    if source is Source.SCHEDULE and event.timestamp is not None:
        held["faas.time"] = event.timestamp.isoformat()
    return name if name not in ("", "*") else source.value, SpanKind.SERVER, held


def _of_message(event: Event, system: str) -> tuple[str, SpanKind, Attributes]:
    """Return those of the span of a message. Of a bus the destination is the source that wrote the event."""
    place = event.bus_source if event.source is Source.EVENTBRIDGE else event.name
    held = {**_messaging(system, place), "messaging.message.id": event.id[:_LONGEST]}
    correlation = _correlation_of(event)
    if correlation:
        held["messaging.message.conversation_id"] = correlation[:_LONGEST]
    if event.source is Source.EVENTBRIDGE:
        place = event.name
    if event.source is Source.KAFKA:
        held["messaging.destination.partition.id"] = str(event.record.get("partition"))
        held["messaging.kafka.offset"] = event.record.get("offset", 0)
    if event.attempt > 1:
        held["junction.attempt"] = event.attempt
    return f"{place[:_LONGEST] or event.source.value} process", SpanKind.CONSUMER, held


def _correlation_of(event: Event) -> str | None:
    """Return the correlation id that the session has. The event's own is not read: it is kept once it is."""
    if event._from_client:
        return None
    try:
        return event.session.correlation_id
    except Exception:
        return None  # the policy refuses the session, and says so where it counts


def _of_document(event: Event) -> Attributes:
    operation = _OPERATIONS.get(event.change)
    if operation is None:
        operation = "delete" if "delete" in event.change.lower() or "Removed" in event.change else "insert"
    held: Attributes = {"faas.document.collection": event.name[:_LONGEST], "faas.document.operation": operation}
    if event.timestamp is not None:
        held["faas.document.time"] = event.timestamp.isoformat()
    return held
