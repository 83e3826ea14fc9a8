"""Streams, and the exact conversion of Python values for DynamoDB."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import pytest
from aws_lambda_powertools.utilities import data_classes
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from router.testing import samples

NUMBERS = st.integers(-(10**37), 10**37) | st.decimals(
    allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20
)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text() | st.binary()
SETS = st.sets(st.text(), min_size=1) | st.sets(NUMBERS, min_size=1) | st.sets(st.binary(), min_size=1)
VALUES = st.recursive(
    SCALARS | SETS, lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4)
)


@given(VALUES)
def test_dynamodb_values_survive_exactly(value: Any) -> None:
    assert _read(samples.attribute_value(value)) == value


def _read(typed: dict[str, Any]) -> Any:
    """The value that boto3 reads; only for binary it does not expect the base64 of an event."""
    ((kind, value),) = typed.items()
    match kind:
        case "M":
            return {name: _read(each) for name, each in value.items()}
        case "L":
            return [_read(each) for each in value]
        case "B":
            return base64.b64decode(value)
        case "BS":
            return {base64.b64decode(each) for each in value}
    return TypeDeserializer().deserialize({kind: value})  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (-0, "0"),
        (Decimal("-0.00"), "0"),
        (Decimal("1.500"), "1.5"),
        (Decimal("1E+3"), "1000"),
        (10**40, "1" + "0" * 40),
        (12345678901234567890123456789012345678, "12345678901234567890123456789012345678"),
        (Decimal("0.00000000000000000000000000000000000001"), "0.00000000000000000000000000000000000001"),
    ],
)
def test_dynamodb_numbers_are_plain_decimal_text(value: Any, text: str) -> None:
    assert samples.attribute_value(value) == {"N": text}


def test_dynamodb_changes_read_back() -> None:
    old, new = {"id": 1, "total": Decimal("9.99"), "tags": {"a"}}, {"id": 1, "total": Decimal("10"), "seen": None}
    changes = [("INSERT", None, new), ("MODIFY", old, new), ("REMOVE", old, None)]
    payload = samples.dynamodb("orders", changes, expired=True)
    insert, modify, remove = data_classes.DynamoDBStreamEvent(payload).records
    assert insert.dynamodb is not None
    assert modify.dynamodb is not None
    assert remove.dynamodb is not None
    assert (insert.dynamodb.old_image, insert.dynamodb.new_image) == ({}, new)
    assert (modify.dynamodb.old_image, modify.dynamodb.new_image) == (old, new)
    assert (remove.dynamodb.old_image, remove.dynamodb.new_image) == (old, {})
    assert insert.dynamodb.keys == {"id": Decimal(1)}
    assert ":table/orders/stream/" in str(insert.event_source_arn)
    assert payload["Records"][0]["userIdentity"]["type"] == "Service"
    numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in payload["Records"]]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("view", "images"),
    [
        ("KEYS_ONLY", set()),
        ("NEW_IMAGE", {"NewImage"}),
        ("OLD_IMAGE", {"OldImage"}),
        ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}),
    ],
)
def test_a_stream_view_lets_its_images_through(view: str, images: set[str]) -> None:
    change = ("MODIFY", {"pk": "a", "sk": 1, "n": 1}, {"pk": "a", "sk": 1, "n": 2})
    record = samples.dynamodb("orders", [change], keys=("pk", "sk"), view=view)["Records"][0]["dynamodb"]
    assert record.keys() & {"NewImage", "OldImage"} == images
    assert record["Keys"] == {"pk": {"S": "a"}, "sk": {"N": "1"}}


def test_kinesis_records_read_back() -> None:
    payload = samples.kinesis(
        "orders", [{"id": 1}, "text", b"\xff"], partition_keys=["a", "b", "c"], consumer="fan-out"
    )
    first, second, third = (record.kinesis for record in data_classes.KinesisStreamEvent(payload).records)
    assert (first.data_as_json(), second.data_as_text(), third.data_as_bytes()) == ({"id": 1}, "text", b"\xff")
    assert [first.partition_key, second.partition_key, third.partition_key] == ["a", "b", "c"]
    assert int(first.sequence_number) < int(second.sequence_number) < int(third.sequence_number)
    assert payload["Records"][0]["eventSourceARN"].split(":", 5)[5].startswith("stream/orders/consumer/fan-out")


def test_a_tumbling_window_carries_its_state_and_may_end_without_records() -> None:
    window = samples.tumbling_window({"sum": 3}, final=True)
    payload = samples.kinesis("orders", [], window=window, shard="shardId-000000000007")
    assert payload["Records"] == []
    assert (payload["state"], payload["isFinalInvokeForWindow"]) == ({"sum": 3}, True)
    assert payload["window"] == {"start": "2024-05-01T12:00:00Z", "end": "2024-05-01T12:05:00Z"}
    assert (payload["shardId"], payload["eventSourceARN"]) == (
        "shardId-000000000007",
        "arn:aws:kinesis:us-east-1:123456789012:stream/orders",
    )


def test_transformations_and_documents() -> None:
    firehose = data_classes.KinesisFirehoseEvent(samples.firehose([{"id": 1}, "b"], source_stream="orders"))
    first, second = firehose.records
    assert (first.data_as_json, second.data_as_text) == ({"id": 1}, "b")
    assert first.record_id != second.record_id
    assert first.metadata is not None
    assert first.metadata.shard_id == "shardId-000000000000"
    insert, delete = (
        samples.documentdb("lines", [{"_id": 7, "n": 1}], operation=operation)["events"][0]["event"]
        for operation in ("insert", "delete")
    )
    assert (insert["fullDocument"], insert["ns"]["coll"]) == ({"_id": 7, "n": 1}, "lines")
    assert "fullDocument" not in delete
    assert delete["documentKey"] == {"_id": 7}
    update = samples.documentdb("lines", [{"n": 1}], operation="update")["events"][0]["event"]
    assert update["updateDescription"]["updatedFields"] == {"n": 1}
