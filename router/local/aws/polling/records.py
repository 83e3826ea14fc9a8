"""Records as Lambda hands them to functions, made of what the APIs of queues and streams return."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from json import loads
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION = "1.1"  # of a record of DynamoDB


def of_queue(message: Mapping[str, Any], arn: str, region: str) -> dict[str, Any]:
    """Return the record of a message. message: of ReceiveMessage. arn: of the queue."""
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(held) for name, held in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _attribute(held: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": held["DataType"]}
    if "StringValue" in held:
        told["stringValue"] = held["StringValue"]
    if "BinaryValue" in held:
        told["binaryValue"] = _text(held["BinaryValue"])
    return told


def of_kinesis(record: Mapping[str, Any], shard: str, arn: str, region: str, account: str) -> dict[str, Any]:
    """Return a record of Kinesis. record: of GetRecords. arn: of the stream."""
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": _text(record["Data"]),
            "approximateArrivalTimestamp": _seconds(record["ApproximateArrivalTimestamp"]),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{account}:role/junction",
        "awsRegion": region,
        "eventSourceARN": arn,
    }


def of_table(record: Mapping[str, Any], arn: str, region: str) -> dict[str, Any]:
    """Return a record of a table's stream. record: of GetRecords. arn: of the stream."""
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = _seconds(change["ApproximateCreationDateTime"])
    for image in ("Keys", "NewImage", "OldImage"):
        if image in change:
            change[image] = {name: plain_value(held) for name, held in change[image].items()}
    made = {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record.get("eventVersion", _VERSION),
        "eventSource": "aws:dynamodb",
        "awsRegion": region,
        "dynamodb": change,
        "eventSourceARN": arn,
    }
    if by := record.get("userIdentity"):
        made["userIdentity"] = {"type": by.get("Type"), "principalId": by.get("PrincipalId")}
    return made


def filtered_queue(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of a queue as filters see it: a body that is JSON is decoded."""
    try:
        body = loads(record["body"])
    except ValueError:
        return dict(record)
    return {**record, "body": body}


def filtered_kinesis(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of Kinesis as filters see it: with its metadata, and its data where that is JSON."""
    from base64 import b64decode

    told = {key: held for key, held in record["kinesis"].items() if key != "data"}
    try:
        told["data"] = loads(b64decode(record["kinesis"]["data"]))
    except ValueError:
        pass
    return {**{key: held for key, held in record.items() if key != "kinesis"}, **told}


def plain_value(held: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value of DynamoDB as JSON data: bytes are in Base64."""
    ((kind, value),) = held.items()
    if kind == "B":
        return {kind: _text(value)}
    if kind == "BS":
        return {kind: [_text(one) for one in value]}
    if kind == "M":
        return {kind: {name: plain_value(one) for name, one in value.items()}}
    if kind == "L":
        return {kind: [plain_value(one) for one in value]}
    return {kind: value}


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _seconds(moment: datetime | float) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)
