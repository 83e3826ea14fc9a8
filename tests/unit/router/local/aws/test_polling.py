"""What pollers make of answers and records."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from router.local.aws.clients import environment
from router.local.aws.polling.answers import LARGEST, cut, failed_ids, filter_of
from router.local.aws.polling.records import filtered_kinesis, filtered_queue, of_kinesis, of_queue, of_table

ARN = "arn:aws:sqs:eu-west-1:000000000000:jobs"
MOMENT = datetime(2026, 11, 30, 12, tzinfo=UTC)


def answer(*ids: Any) -> Any:
    return {"batchItemFailures": [{"itemIdentifier": one} for one in ids]}


@pytest.mark.parametrize(
    ("given", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"other": 1}, set()),
        (answer("a"), {"a"}),
        (answer("a", "b"), {"a", "b"}),
        (answer(""), None),
        (answer(None), None),
        (answer("a", "c"), None),
        ({"batchItemFailures": [{"item": "a"}]}, None),
        ({"batchItemFailures": "a"}, None),
        ({"batchItemFailures": ["a"]}, None),
        ("a", None),
    ],
)
def test_answers(given: Any, failed: set[str] | None) -> None:
    assert failed_ids(given, {"a", "b"}) == failed


def test_a_batch_is_cut_where_a_payload_would_be_too_large() -> None:
    records = [{"body": "x" * (LARGEST // 4)} for _ in range(6)]
    assert cut(records, 10) == 3
    assert cut(records, 2) == 2
    assert cut([{"body": "x" * (LARGEST * 2)}], 10) == 1  # one alone is handed over whatever its size
    assert cut([], 10) == 0


def test_a_record_of_a_queue() -> None:
    message = {
        "MessageId": "1",
        "ReceiptHandle": "r",
        "Body": '{"a": 1}',
        "MD5OfBody": "m",
        "Attributes": {"ApproximateReceiveCount": "2", "MessageGroupId": "g"},
        "MessageAttributes": {"file": {"DataType": "Binary", "BinaryValue": b"\x00"}},
    }
    record = of_queue(message, ARN, "eu-west-1")
    assert record["attributes"] == {"ApproximateReceiveCount": "2", "MessageGroupId": "g"}
    assert record["messageAttributes"]["file"] == {
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "Binary",
        "binaryValue": "AA==",
    }
    assert filtered_queue(record)["body"] == {"a": 1}
    assert filtered_queue({**record, "body": "text"})["body"] == "text"


def test_a_record_of_kinesis() -> None:
    read = {"PartitionKey": "k", "SequenceNumber": "7", "Data": b'{"a": 1}', "ApproximateArrivalTimestamp": MOMENT}
    record = of_kinesis(read, "shardId-0", ARN, "eu-west-1", "000000000000")
    assert record["eventID"] == "shardId-0:7"
    assert record["kinesis"]["approximateArrivalTimestamp"] == MOMENT.timestamp()
    seen = filtered_kinesis(record)
    assert (seen["data"], seen["partitionKey"], "kinesis" in seen) == ({"a": 1}, "k", False)
    assert "data" not in filtered_kinesis(of_kinesis({**read, "Data": b"\xff"}, "s", ARN, "", ""))


def test_a_record_of_a_table() -> None:
    change = {
        "ApproximateCreationDateTime": MOMENT,
        "Keys": {"pk": {"S": "1"}},
        "NewImage": {
            "m": {"M": {"l": {"L": [{"B": b"\x00"}, {"N": "1"}]}}},
            "s": {"BS": [b"\x01"]},
            "n": {"NULL": True},
        },
        "SequenceNumber": "5",
    }
    read = {
        "eventID": "e",
        "eventName": "REMOVE",
        "dynamodb": change,
        "userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"},
    }
    record = of_table(read, ARN, "eu-west-1")
    assert json.loads(json.dumps(record)) == record
    assert record["dynamodb"]["NewImage"] == {
        "m": {"M": {"l": {"L": [{"B": "AA=="}, {"N": "1"}]}}},
        "s": {"BS": ["AQ=="]},
        "n": {"NULL": True},
    }
    assert record["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def test_filters_are_the_language_of_eventbridge() -> None:
    takes = filter_of(['{"body": {"$or": [{"a": [1]}, {"b": [{"equals-ignore-case": "X"}]}]}}', '{"body": ["text"]}'])
    assert takes is not None
    assert [takes({"body": one}) for one in ({"a": 1}, {"b": "x"}, "text", {"a": True}, "other")] == [
        *(True, True, True),
        *(False, False),
    ]
    assert filter_of(None) is None


def test_nothing_of_an_account_is_left_in_the_environment() -> None:
    inherited = {
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com",
        "AWS_ROLE_ARN": "arn:aws:iam::1:role/a",
        "AWS_SESSION_TOKEN": "t",
        "no_proxy": "internal",
        "SHOP": "1",
    }
    made = environment(inherited, "http://127.0.0.1:4566", "eu-west-1", "000000000000")
    assert made["SHOP"] == "1"
    assert made["NO_PROXY"] == "internal,127.0.0.1,localhost,::1"
    assert not made.keys() & {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_ROLE_ARN", "AWS_SESSION_TOKEN"}
    assert (made["AWS_ENDPOINT_URL"], made["AWS_ACCESS_KEY_ID"]) == ("http://127.0.0.1:4566", "test")
