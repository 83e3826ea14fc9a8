"""Streams: DynamoDB, Kinesis, DocumentDB, and the transformations of Firehose and Kinesis Analytics."""

from __future__ import annotations

from datetime import timedelta
from hashlib import md5

import orjson

from router.testing.samples._common import (
    ACCOUNT,
    REGION,
    arn,
    as_base64,
    as_json,
    as_text,
    base64_id,
    epoch_millis,
    hex_id,
    iso_seconds,
    items,
    moment,
    one_each,
    one_of,
    uuid_id,
)
from router.testing.samples._dynamodb import attribute_value, item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    Image = Mapping[str, Any] | None

__all__ = [
    "aggregate",
    "attribute_value",
    "documentdb",
    "dynamodb",
    "firehose",
    "kinesis",
    "kinesis_analytics",
    "tumbling_window",
]

_VIEWS = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
_IMAGES_OF = {"INSERT": (False, True), "MODIFY": (True, True), "REMOVE": (True, False)}
_FIRST_KINESIS_SEQUENCE = 49590338271490256608559692538361571095921575989136588898
_FIRST_DYNAMODB_SEQUENCE = 4421584500000000017450439091
_FIRST_FIREHOSE_RECORD = 49640912821178817833517986466168945147170627572855734274000000


def tumbling_window(
    state: Mapping[str, Any] | None = None,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    final: bool = False,
    terminated_early: bool = False,
) -> dict[str, Any]:
    """Return what a tumbling window adds to a batch; `state` is what the call before it returned."""
    opened = moment(start)
    closed = moment(end) if end is not None else opened + timedelta(minutes=5)
    if closed <= opened:
        raise ValueError(f"a window must end after its start, got {iso_seconds(opened)} to {iso_seconds(closed)}")
    return {
        "window": {"start": iso_seconds(opened), "end": iso_seconds(closed)},
        "state": as_json(state or {}, "state"),
        "isFinalInvokeForWindow": final,
        "isWindowTerminatedEarly": terminated_early,
    }


def _with_window(
    records: list[dict[str, Any]], window: Mapping[str, Any] | None, shard: str, source_arn: str
) -> dict[str, Any]:
    """A batch of a stream. Only the call that ends a window may come without records."""
    if window is None:
        return {"Records": items(records, "records")}
    if "window" not in window:
        raise ValueError("window must be made with tumbling_window()")
    return {"Records": records, **as_json(window, "window"), "shardId": shard, "eventSourceARN": source_arn}


def dynamodb(
    table: str,
    changes: Sequence[tuple[str, Image, Image]],
    *,
    keys: Sequence[str] = ("id",),
    view: str = "NEW_AND_OLD_IMAGES",
    window: Mapping[str, Any] | None = None,
    shard: str = "shardId-00000001714564800000-a1b2c3d4",
    expired: bool = False,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """Changes of a DynamoDB table, each (INSERT | MODIFY | REMOVE, old item, new item) in plain Python values.

    Numbers are int or Decimal; `keys` names the key attributes, which every item must have. `expired` marks the changes
    as made by time to live.
    """
    one_of(view, _VIEWS, "view")
    at = moment(timestamp)
    stream_arn = arn("dynamodb", region, account, f"table/{table}/stream/2024-01-01T00:00:00.000")
    records = []
    for index, (event_name, old, new) in enumerate(map(_checked_change, changes)):
        record: dict[str, Any] = {
            "eventID": hex_id(32, "dynamodb", table, index, event_name, old, new),
            "eventName": event_name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": region,
            "dynamodb": {
                "ApproximateCreationDateTime": at.timestamp(),
                **_images(old, new, keys, view),
                "SequenceNumber": str(_FIRST_DYNAMODB_SEQUENCE + index),
                "StreamViewType": view,
            },
            "eventSourceARN": stream_arn,
        }
        record["dynamodb"]["SizeBytes"] = len(orjson.dumps(record["dynamodb"]))
        if expired:
            record["userIdentity"] = {"principalId": "dynamodb.amazonaws.com", "type": "Service"}
        records.append(record)
    return _with_window(records, window, shard, stream_arn)


def _checked_change(change: Any) -> tuple[str, Image, Image]:
    """Return a change. An INSERT has no old item, a REMOVE no new one, a MODIFY has both. Raises ValueError."""
    if not isinstance(change, tuple | list) or len(change) != 3:
        raise ValueError(
            f"a change is (event name, old item, new item), such as ('INSERT', None, {{'id': '7'}}), not {change!r:.80}"
        )
    event_name, old, new = change
    has_old, has_new = _IMAGES_OF[one_of(event_name, _IMAGES_OF, "event name")]
    if (old is not None, new is not None) != (has_old, has_new):
        needs = " and ".join(name for name, needed in (("an old", has_old), ("a new", has_new)) if needed)
        raise ValueError(f"{event_name} needs {needs} item and no other")
    return event_name, old, new


def _images(old: Image, new: Image, keys: Sequence[str], view: str) -> dict[str, Any]:
    """Keys and the images that the stream's view lets through."""
    present = item((new if new is not None else old) or {})
    missing = [key for key in keys if key not in present]
    if missing:
        raise ValueError(f"the item lacks its key {missing[0]!r}; name the table's keys with keys=")
    images: dict[str, Any] = {"Keys": {key: present[key] for key in keys}}
    if new is not None and view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        images["NewImage"] = item(new)
    if old is not None and view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
        images["OldImage"] = item(old)
    return images


def kinesis(
    stream: str,
    data: Sequence[Any],
    *,
    partition_keys: str | Sequence[str] | None = None,
    shard: str = "shardId-000000000000",
    window: Mapping[str, Any] | None = None,
    consumer: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """Records of one shard of a Kinesis stream, read by an enhanced fan-out `consumer` if one is named."""
    batch = list(data) if window is not None else items(data, "data")
    source_arn = arn("kinesis", region, account, f"stream/{stream}")
    if consumer is not None:
        source_arn += f"/consumer/{consumer}:1704067200"
    arrived = moment(timestamp).timestamp()
    each_key = one_each("1" if partition_keys is None else partition_keys, len(batch), "partition_keys")
    records = []
    for index, content in enumerate(batch):
        sequence = str(_FIRST_KINESIS_SEQUENCE + index * 2**64)
        records.append(
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": each_key[index],
                    "sequenceNumber": sequence,
                    "data": as_base64(content, "data"),
                    "approximateArrivalTimestamp": arrived,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{shard}:{sequence}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": arn("iam", "", account, "role/orders-consumer"),
                "awsRegion": region,
                "eventSourceARN": source_arn,
            }
        )
    return _with_window(records, window, shard, source_arn)


def aggregate(records: Sequence[tuple[str, Any]]) -> bytes:
    """Return records, each (partition key, data), as the Kinesis Producer Library packs them into one: `[data]`."""
    keys = list(dict.fromkeys(key for key, _ in items(records, "records")))
    message = b"".join(_field(1, key.encode()) for key in keys)
    for key, content in records:
        held = content if isinstance(content, bytes) else as_text(content, "data").encode()
        message += _field(3, b"\x08" + _varint(keys.index(key)) + _field(3, held))
    return b"\xf3\x89\x9a\xc2" + message + md5(message, usedforsecurity=False).digest()


def _field(number: int, content: bytes) -> bytes:
    """Return a field of a protobuf message that holds bytes."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low = bytes([value & 127 | 128]) if value > 127 else bytes([value])
    return low if value < 128 else low + _varint(value >> 7)


def documentdb(
    collection: str,
    documents: Sequence[Mapping[str, Any]],
    *,
    operation: str = "insert",
    database: str = "orders",
    cluster: str = "orders",
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """Changes of a DocumentDB collection: one `operation` (insert, update, replace, delete) on each of `documents`.

    Documents are in MongoDB's extended JSON; one without `_id` is given one.
    """
    one_of(operation, ("insert", "update", "replace", "delete"), "operation")
    seconds = int(moment(timestamp).timestamp())
    events = []
    for index, document in enumerate(items(documents, "documents")):
        body = as_json(document, "document")
        key = body.get("_id", {"$oid": hex_id(24, "documentdb", collection, index, document)})
        change: dict[str, Any] = {
            "_id": {"_data": f"01{seconds:08x}{index + 1:08x}01000000090000{hex_id(4, collection)}"},
            "clusterTime": {"$timestamp": {"t": seconds, "i": index + 1}},
            "documentKey": {"_id": key},
            "ns": {"db": database, "coll": collection},
            "operationType": operation,
        }
        if operation != "delete":
            change["fullDocument"] = {"_id": key, **body}
        if operation == "update":
            updated = {name: value for name, value in body.items() if name != "_id"}
            change["updateDescription"] = {"updatedFields": updated, "removedFields": []}
        events.append({"event": change})
    return {
        "eventSourceArn": arn("rds", region, account, f"cluster:{cluster}"),
        "events": events,
        "eventSource": "aws:docdb",
    }


def firehose(
    records: Sequence[Any],
    *,
    stream: str = "orders",
    source_stream: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """Records that a Firehose stream wants transformed; `source_stream` is the Kinesis stream it reads from."""
    arrived = epoch_millis(moment(timestamp))
    payload: dict[str, Any] = {
        "invocationId": uuid_id("firehose", stream),
        "deliveryStreamArn": arn("firehose", region, account, f"deliverystream/{stream}"),
        "region": region,
        "records": [
            {
                "recordId": f"{_FIRST_FIREHOSE_RECORD + index}",
                "approximateArrivalTimestamp": arrived,
                "data": as_base64(record, "record"),
            }
            for index, record in enumerate(items(records, "records"))
        ],
    }
    if source_stream is not None:
        payload["sourceKinesisStreamArn"] = arn("kinesis", region, account, f"stream/{source_stream}")
        for index, record in enumerate(payload["records"]):
            record["kinesisRecordMetadata"] = _kinesis_metadata(index, arrived) | {"subsequenceNumber": 0}
    return payload


def _kinesis_metadata(index: int, arrived: int) -> dict[str, Any]:
    """Where in its Kinesis stream a record comes from; `arrived` in milliseconds."""
    return {
        "shardId": "shardId-000000000000",
        "partitionKey": str(index),
        "approximateArrivalTimestamp": arrived,
        "sequenceNumber": str(_FIRST_KINESIS_SEQUENCE + index * 2**64),
    }


def kinesis_analytics(
    records: Sequence[Any],
    *,
    application: str = "orders",
    stream: str = "orders",
    output: bool = False,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """Records of a Kinesis Analytics application: input to preprocess, or its `output` to deliver."""
    arrived = epoch_millis(moment(timestamp))
    payload: dict[str, Any] = {
        "invocationId": base64_id(24, "analytics", application),
        "applicationArn": arn("kinesisanalytics", region, account, f"application/{application}"),
        "records": [
            {
                "recordId": str(_FIRST_KINESIS_SEQUENCE + index * 2**64),
                "data": as_base64(record, "record"),
            }
            for index, record in enumerate(items(records, "records"))
        ],
    }
    if not output:
        payload["streamArn"] = arn("kinesis", region, account, f"stream/{stream}")
    for index, record in enumerate(payload["records"]):
        if output:
            record["lambdaDeliveryRecordMetadata"] = {"retryHint": 0}
        else:
            record["kinesisStreamRecordMetadata"] = _kinesis_metadata(index, arrived)
    return payload


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "dynamodb": lambda: dynamodb("orders", [("INSERT", None, {"id": 1}), ("REMOVE", {"id": 2}, None)]),
    "kinesis": lambda: kinesis("orders", [{"id": 1}, {"id": 2}]),
    "documentdb": lambda: documentdb("orders", [{"total": 1}, {"total": 2}]),
    "firehose": lambda: firehose([{"id": 1}, {"id": 2}]),
    "kinesis-analytics": lambda: kinesis_analytics([{"id": 1}, {"id": 2}]),
}
