"""Keys by which what was sent and what came find each other: `sqs:<MessageId>`, `dynamodb:<table>/<keys>`."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import orjson

from router.env import name_in
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from router.event import Event
    from router.local.entries import Passed

_ENVELOPES = ('"TopicArn"', '"detail-type"')


def links_of(event: Event) -> list[str]:
    """Return the keys of an event that came, with those of the messages that it came inside."""
    found: dict[str, None] = {}
    one: Event | None = event
    while one is not None:
        of_source = _OF_SOURCE.get(one.source)
        if of_source is not None:
            with suppress(Exception):  # a payload that is not as its source sends it
                found.update(dict.fromkeys(of_source(one.record)))
        one = one.outer
    if event.source is Source.INVOKE and (request := getattr(event.context, "aws_request_id", None)):
        found[f"lambda:{request}"] = None
    return list(found)


def via_of(event: Event) -> list[Passed]:
    """Return the services that a message of a queue or topic came through, the first one first."""
    record: Any = event.record
    found: list[Passed] = []
    with suppress(Exception):  # a payload that is not as its source sends it
        text = record.get("body") if event.source is Source.SQS else record["Sns"].get("Message")
        while (held := _enveloped(text)) is not None:
            if "TopicArn" in held:
                found.append(
                    {"source": Source.SNS.value, "name": name_in(held["TopicArn"]), "at": _at(held["Timestamp"])}
                )
                text = held.get("Message")
            else:
                found.append({"source": Source.EVENTBRIDGE.value, "name": held["detail-type"], "at": _at(held["time"])})
                break
    return found[::-1]


def _at(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def item_key(table: str, keys: Mapping[str, Any]) -> str:
    """Return the key of an item.

    table: its name or ARN. keys: of the item, as DynamoDB's API has them: `{"id": {"S": "o-1"}}`.
    """
    name = name_in(table) if table.startswith("arn:") else table
    plain = {name: _canonical(held) for name, held in keys.items()}
    return f"dynamodb:{name}/{orjson.dumps(plain, option=orjson.OPT_SORT_KEYS).decode()}"


def _canonical(value: Mapping[str, Any]) -> dict[str, str]:
    """Return a value of a key in one form: DynamoDB writes numbers in its own way, and streams have bytes as base64."""
    kind, held = next(iter(value.items()))
    if kind == "N":
        with suppress(InvalidOperation):
            held = format(Decimal(str(held)).normalize(), "f")
    elif isinstance(held, bytes | bytearray):
        held = b64encode(held).decode()
    elif hasattr(held, "value"):  # Binary of boto3
        held = b64encode(held.value).decode()
    return {kind: held}


def _of_queue(record: Any) -> Iterator[str]:
    yield f"sqs:{record['messageId']}"
    yield from _in_text(record.get("body"))


def _of_topic(record: Any) -> Iterator[str]:
    yield f"sns:{record['Sns']['MessageId']}"
    yield from _in_text(record["Sns"].get("Message"))


def _in_text(text: Any) -> Iterator[str]:
    """Return the keys of a notification of SNS or an event of EventBridge that is the text of a message."""
    held = _enveloped(text)
    if held is None:
        return
    if "TopicArn" in held and type(held.get("MessageId")) is str:
        yield f"sns:{held['MessageId']}"
        yield from _in_text(held.get("Message"))
    elif "detail-type" in held:
        yield from _of_bus(held)


def _enveloped(text: Any) -> dict[str, Any] | None:
    """Return the notification or event that a text is; None where it is neither."""
    if type(text) is not str or not any(mark in text for mark in _ENVELOPES):
        return None
    held = orjson.loads(text)
    return held if type(held) is dict and ("TopicArn" in held or "detail-type" in held) else None


def _of_bus(record: Any) -> Iterator[str]:
    yield f"events:{record['id']}"


def _of_table(record: Any) -> Iterator[str]:
    arn = record.get("eventSourceARN", "")
    table = record.get("tableName") or arn.partition(":table/")[2].partition("/")[0]
    yield item_key(table, record["dynamodb"]["Keys"])


def _of_stream(record: Any) -> Iterator[str]:
    stream = record["eventSourceARN"].partition(":stream/")[2]
    yield f"kinesis:{stream}/{record['kinesis']['sequenceNumber']}"


def _of_bucket(record: Any) -> Iterator[str]:
    held = record["s3"]
    yield f"s3:{held['bucket']['name']}/{unquote_plus(held['object']['key'])}"


def _of_socket(record: Any) -> Iterator[str]:
    yield f"ws:{record['requestContext']['connectionId']}"


_OF_SOURCE: dict[Source, Callable[[Any], Iterator[str]]] = {
    Source.SQS: _of_queue,
    Source.SNS: _of_topic,
    Source.EVENTBRIDGE: _of_bus,
    Source.SCHEDULE: _of_bus,
    Source.DYNAMODB: _of_table,
    Source.KINESIS: _of_stream,
    Source.S3: _of_bucket,
    Source.WEBSOCKET: _of_socket,
}
