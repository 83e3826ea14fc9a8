"""Events inside events: what S3, EventBridge, SNS, CloudWatch Logs and DynamoDB sent through a queue, topic or stream.

Each is read as if it had come directly. What is inside is opened as deep as it goes: of an S3 notification that came
through a topic to a queue, the changes of objects are inside the message, not the notification of the topic.
"""

from __future__ import annotations

from importlib import import_module

import orjson

from router.event import Event, Source
from router.sources._envelopes import is_envelope
from router.sources._registry import CARRIERS, ROWS, detect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Only what is told of something that happened. A request is never read out of a body, which a client may have written.
INSIDE = frozenset((Source.S3, Source.EVENTBRIDGE, Source.SCHEDULE, Source.SNS, Source.LOGS, Source.DYNAMODB))
_GZIP = b"\x1f\x8b"


def _module(source: Source) -> Any:
    return import_module(f"{__package__}.{ROWS[source].module}")


def events_inside(event: Event) -> list[Event]:
    """Return the events inside a record, in order; none where it holds nothing that is known."""
    return open_event(event) or []


def open_event(event: Event) -> list[Event] | None:
    """Return the events inside a record; None where it holds nothing that is known.

    The list is empty for a notice of no event: `s3:TestEvent`, or the CONTROL_MESSAGE of a log subscription.
    """
    if event.source not in CARRIERS:
        return None
    if event.source in (Source.KINESIS, Source.FIREHOSE) and event.body[:2] == _GZIP:
        return _logs(event, event.body)
    try:
        value = event.json()
    except event._unreadable:
        value = None
    found = _inside(event, value)
    envelope = getattr(event, "_envelope", None)
    return _notification(event, envelope) if found is None and envelope is not None else found


def _inside(event: Event, value: Any) -> list[Event] | None:
    if type(value) is not dict:
        return None
    if is_envelope(value):
        try:
            found = _inside(event, orjson.loads(value["Message"]))
        except orjson.JSONDecodeError:
            found = None
        return _notification(event, value) if found is None else found
    if "messageType" in value and type(value.get("logEvents")) is list:  # unzipped on its way, as Firehose can
        return _logs(event, orjson.dumps(value))
    # EventBridge Pipes hand on single records.
    single = type(value.get("eventSource", value.get("EventSource"))) is str
    raw = {"Records": [value]} if single else value
    source = detect(raw)
    return _read(event, source, raw) if source in INSIDE else None


def _read(event: Event, source: Source, raw: dict[str, Any]) -> list[Event]:
    if source is Source.DYNAMODB:
        return _adopted(event, _changes(event, raw))
    return _adopted(event, _module(source).read(source, raw, event.context))


def _changes(event: Event, raw: dict[str, Any]) -> list[Any]:
    """Return changes of a table. They need no sequence number here: it is the outer record that is reported."""
    from router.sources._records import placed
    from router.sources.streams import DynamoDbEvent

    found = [
        DynamoDbEvent(Source.DYNAMODB, raw, event.context, record, place)
        for place, record in placed(Source.DYNAMODB, raw)
    ]
    for change in found:
        change.window = None
    return found


def _notification(event: Event, envelope: dict[str, Any]) -> list[Event]:
    """Return the notification of an envelope, as SNS hands it to a function."""
    notice = {**envelope, "SigningCertUrl": envelope.get("SigningCertURL")}
    notice["UnsubscribeUrl"] = envelope.get("UnsubscribeURL")
    record = {"EventVersion": "1.0", "EventSource": "aws:sns", "Sns": notice}
    return _read(event, Source.SNS, {"Records": [record]})


def _logs(event: Event, data: bytes) -> list[Event] | None:
    """Return the log events that a subscription sent; None for gzip that holds something else."""
    from binascii import b2a_base64
    from gzip import compress

    packed = data if data[:2] == _GZIP else compress(data, 1, mtime=0)
    raw = {"awslogs": {"data": b2a_base64(packed, newline=False).decode()}}
    (logs,) = _module(Source.LOGS).read(Source.LOGS, raw, event.context)
    try:
        held = orjson.loads(logs.body)
    except orjson.JSONDecodeError:
        return None
    if type(held) is not dict or type(held.get("messageType")) is not str or type(held.get("logEvents")) is not list:
        return None
    return [] if held["messageType"] == "CONTROL_MESSAGE" else _adopted(event, [logs])


def _adopted(event: Event, found: list[Any]) -> list[Event]:
    for inner in found:
        inner.outer = event
        inner._policy = event._policy
    return found
