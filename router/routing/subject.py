"""Build what `pattern=` is matched against: the event as plain data, only as much of it as the pattern names."""

from __future__ import annotations

from router.errors import ConfigurationError, HTTPError, InvalidEvent
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from router.event import Event


def subject_keys(pattern: Mapping[str, Any]) -> frozenset[str]:
    """The top-level keys a well-formed pattern names, those inside `$or` included."""
    keys: set[str] = set()
    for key, value in pattern.items():
        if key == "$or":
            for branch in value:
                keys |= subject_keys(branch)
        else:
            keys.update((key, key.partition(".")[0]))
    return frozenset(keys)


def check_keys(keys: Iterable[str], sources: Collection[Source]) -> None:
    """Refuse a key that no event of these sources has: a pattern with it would never take anything.

    Payloads whose keys are somebody else's to choose (a direct invoke, a task) may have any.
    """
    known = set(_FIELDS)
    for source in sources:
        if source not in _OF_RECORDS:
            return
        known.update(_OF_RECORDS[source].split())
    unknown = sorted({key.partition(".")[0] for key in keys} - known)  # a dot stands for nesting
    if unknown:
        told = f"pattern= has the key {', '.join(map(repr, unknown))}, which its events have not"
        if set(sources) == {Source.EVENTBRIDGE}:
            near = "source, detail-type, detail and the like; what an event is about is inside detail"
            raise ConfigurationError(f"{told}; it may have {near}")
        fields = [key for key in _FIELDS if key not in _AMBIGUOUS]
        raise ConfigurationError(f"{told}; it may have {', '.join(fields)} and the top-level keys of the record")


def subject_of(event: Event, keys: frozenset[str]) -> dict[str, Any]:
    """`body`, `attributes`, `headers` and the other fields of an event, and the payload's own top-level keys.

    A body that is JSON is held against the pattern as data, any other as text. What an event does not have is absent,
    so that `exists` means what it says.
    """
    subject: dict[str, Any] = {}
    record = event.record
    for key in keys:
        field = _FIELDS.get(key)
        if type(record) is dict and key in record and (field is None or event.bus_source):
            subject[key] = record[key]  # an EventBridge event is its own subject: source, detail-type, detail
        elif field is not None:
            value = field(event)
            if value is not None:
                subject[key] = value
    return subject


def _body(event: Event) -> Any:
    try:
        return event.json()
    except (InvalidEvent, HTTPError):
        pass
    try:
        return event.text
    except (InvalidEvent, HTTPError):
        return None


_FIELDS: dict[str, Callable[[Event], Any]] = {
    "body": _body,
    "attributes": lambda event: event.attributes,
    "headers": lambda event: dict(event.headers),
    "query": lambda event: {name: event.query.getall(name) for name in event.query},
    "path": lambda event: event.path or None,
    "method": lambda event: event.method or None,
    "name": lambda event: event.name,
    "keys": lambda event: event.keys,
    "old": lambda event: event.old,
    "new": lambda event: event.new,
    "source": lambda event: event.source.value,
}

_AMBIGUOUS = ("source",)
_REQUEST = (
    "resource path httpMethod method headers multiValueHeaders queryStringParameters multiValueQueryStringParameters "
    "pathParameters stageVariables requestContext body isBase64Encoded version routeKey rawPath rawQueryString cookies "
    "raw_path query_string_parameters is_base64_encoded"
)
_BUS = "version id detail-type source account time region resources detail replay-name ingestion-time"
# What a record has at its top. A source that is not here is not checked.
_OF_RECORDS: dict[Source, str] = {
    **dict.fromkeys((Source.REST, Source.HTTP, Source.URL, Source.ALB, Source.LATTICE, Source.WEBSOCKET), _REQUEST),
    **dict.fromkeys((Source.EVENTBRIDGE, Source.SCHEDULE), _BUS),
    Source.SQS: "messageId receiptHandle body attributes messageAttributes md5OfBody md5OfMessageAttributes "
    "eventSource eventSourceARN awsRegion",
    Source.SNS: "EventSource EventVersion EventSubscriptionArn Sns",
    Source.DYNAMODB: "eventID eventName eventVersion eventSource awsRegion dynamodb eventSourceARN userIdentity",
    Source.KINESIS: "kinesis eventSource eventVersion eventID eventName invokeIdentityArn awsRegion eventSourceARN",
    Source.KAFKA: "topic partition offset timestamp timestampType key value headers keySchemaMetadata "
    "valueSchemaMetadata",
    Source.S3: "eventVersion eventSource awsRegion eventTime eventName userIdentity requestParameters responseElements "
    "s3 glacierEventData restoreEventData lifecycleEventData intelligentTieringEventData replicationEventData",
}
