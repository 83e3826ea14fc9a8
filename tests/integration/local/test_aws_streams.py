"""Streams of a local run: each shard in order, with retries, halved batches and a destination, on a real MiniStack."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from router import Event, Resolver
from router.contract import Function, Queue, Stack, Stream, Table
from tests.integration.local.aws_run import Run, importable, with_ministack

pytestmark = pytest.mark.timeout(60)


def handle(event: Event) -> None: ...


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    resolver = Resolver()
    for name in ("orders", "clicks", "lanes"):
        resolver.on_stream(name)(handle)
    resolver.on_stream("cards", pattern={"new": {"kind": [{"prefix": "card"}]}}, others="ignore")(handle)
    resolver.on_queue("jobs")(handle)
    with with_ministack() as patched:
        stack = Stack(
            importable(patched, "streams_shop", resolver),
            Function(timeout=5),
            Table("orders", sk="", attempts=2, ttl="until"),
            Table("cards", sk="", types={"kind": "S"}, filters=True),
            Stream("clicks", shards=2, attempts=1, bisect=False),
            Stream("lanes", shards=1, parallel=4, window=1),
            Queue("jobs"),
            name="shop",
        )
        with Run(stack) as run:
            assert run.made.problems == []
            yield run


@pytest.fixture(autouse=True)
def fresh(run: Run) -> None:
    run.application.calls.clear()
    run.application.at.clear()
    run.application.answer = lambda event: None


def put(run: Run, table: str, *keys: str, **further: Any) -> None:
    for key in keys:
        run.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": key}, **further})


def click(run: Run, stream: str, *texts: str, key: str = "k") -> None:
    run.client("kinesis").put_records(
        StreamName=stream, Records=[{"Data": text.encode(), "PartitionKey": key} for text in texts]
    )


def keys(run: Run) -> list[str]:
    return [one["dynamodb"]["Keys"]["pk"]["S"] for one in run.application.records()]


def texts(event: Any) -> list[str]:
    return [base64.b64decode(one["kinesis"]["data"]).decode() for one in event["Records"]]


def failures(run: Run) -> list[Any]:
    return [json.loads(one["body"]) for one in run.call(run.emulator.messages("shop-failed"))]


def test_changes_of_a_table_come_in_order_as_lambda_hands_them_over(run: Run) -> None:
    put(run, "orders", "1", "2", "3", data={"B": b"\x00\xff"})
    run.comes(lambda: keys(run) == ["1", "2", "3"])
    record = run.application.records()[0]
    assert (record["eventName"], record["eventSource"]) == ("INSERT", "aws:dynamodb")
    assert record["dynamodb"]["NewImage"]["data"] == {"B": "AP8="}
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], float)
    assert "table/orders/stream/" in record["eventSourceARN"]


def test_a_batch_that_fails_is_halved_until_the_bad_record_is_given_up(run: Run) -> None:
    def answer(event: Any) -> None:
        if any(one["dynamodb"]["Keys"]["pk"]["S"] == "bad" for one in event["Records"]):
            raise ValueError("bad")

    hold = threading.Event()
    run.application.answer = lambda event: not hold.wait(10) or None
    put(run, "orders", "gate")
    run.comes(lambda: keys(run) == ["gate"])
    put(run, "orders", "h1", "h2", "bad", "h4")
    run.application.answer = answer
    hold.set()
    run.comes(lambda: len(failures(run)) == 1)
    [told] = failures(run)
    assert (told["requestContext"]["condition"], told["DDBStreamBatchInfo"]["batchSize"]) == (
        "RetryAttemptsExhausted",
        1,
    )
    assert told["requestContext"]["approximateInvokeCount"] == 3  # once, and two retries
    assert keys(run).count("bad") >= 3
    run.comes(lambda: keys(run)[-1] == "h4")
    assert keys(run).index("h1") < keys(run).index("h2") < len(keys(run)) - 1
    run.client("sqs").purge_queue(QueueUrl=run.state("shop-failed")["url"])


def test_a_partial_failure_is_tried_again_from_the_record_that_failed(run: Run) -> None:
    hold = threading.Event()
    run.application.answer = lambda event: not hold.wait(10) or None
    put(run, "orders", "wait")
    run.comes(lambda: keys(run) == ["wait"])
    put(run, "orders", "p1", "p2", "p3")

    def answer(event: Any) -> Any:
        if len(run.application.calls) > 2:
            return None
        number = event["Records"][1]["dynamodb"]["SequenceNumber"]
        return {"batchItemFailures": [{"itemIdentifier": number}]}

    run.application.answer = answer
    hold.set()
    run.comes(lambda: keys(run) == ["wait", "p1", "p2", "p3", "p2", "p3"])


def test_a_shard_that_fails_holds_no_other_shard_and_no_queue(run: Run) -> None:
    free = threading.Event()

    def answer(event: Any) -> None:
        if "kinesis" in event["Records"][0] and "stuck" in texts(event):
            free.wait(10)
            raise ValueError("stuck")

    run.application.answer = answer
    click(run, "clicks", "stuck", key="a")
    run.comes(lambda: bool(run.application.calls))
    shard = run.application.records()[0]["eventID"].partition(":")[0]
    for number in range(8):  # some of these keys are of the other shard
        click(run, "clicks", f"free{number}", key=f"key{number}")
    run.send("jobs", "quick")
    run.comes(
        lambda: any(not one["eventID"].startswith(shard) for one in run.application.records() if "kinesis" in one),
        timeout_s=3,
    )
    run.comes(lambda: any("body" in one for one in run.application.records()), timeout_s=3)
    free.set()
    run.comes(lambda: len(failures(run)) == 1)  # without bisect and after one retry the batch is given up
    assert failures(run)[0]["KinesisBatchInfo"]["shardId"] == shard
    run.comes(
        lambda: sum(len(texts(call.event)) for call in run.application.calls if "kinesis" in str(call.event)) >= 9
    )
    run.client("sqs").purge_queue(QueueUrl=run.state("shop-failed")["url"])


def test_lanes_of_a_shard_run_side_by_side_and_keep_the_order_of_a_key(run: Run) -> None:
    together = threading.Barrier(2, timeout=5)
    passed: list[str] = []

    def answer(event: Any) -> None:
        together.wait()
        passed.extend(texts(event))

    run.application.answer = answer
    records = [{"Data": f"{key}{n}".encode(), "PartitionKey": key} for n in range(3) for key in ("a", "b")]
    run.client("kinesis").put_records(StreamName="lanes", Records=records)
    run.comes(lambda: len(passed) == 6)
    for key in "ab":
        assert [one for one in passed if one[0] == key] == [f"{key}0", f"{key}1", f"{key}2"]


def test_a_window_gathers_records(run: Run) -> None:
    for number in range(4):
        click(run, "lanes", str(number))
        time.sleep(0.1)
    run.comes(lambda: len(run.application.records()) == 4)
    assert len(run.application.calls) == 1


def test_records_that_filters_decline_are_skipped(run: Run) -> None:
    put(run, "cards", "1", kind={"S": "card/visa"})
    put(run, "cards", "2", kind={"S": "cash"})
    put(run, "cards", "3", kind={"S": "card/amex"})
    run.comes(lambda: keys(run) == ["1", "3"])


def test_a_change_of_the_application_loses_no_place_in_a_stream(run: Run) -> None:
    put(run, "orders", "before")
    run.comes(lambda: keys(run) == ["before"])
    assert run.stack is not None
    made = run.prepare(run.stack)
    assert (made.made, made.removed) == ([], [])
    put(run, "orders", "after")
    run.comes(lambda: keys(run) == ["before", "after"])


def test_an_item_that_expires_is_told_as_deleted_by_the_service(run: Run) -> None:
    put(run, "orders", "old", until={"N": str(int(time.time()) - 1)})
    put(run, "orders", "young", until={"N": str(int(time.time()) + 3600)})
    put(run, "orders", "text", until={"S": "1"})
    run.comes(lambda: keys(run).count("old") == 2, timeout_s=15)
    removed = run.application.records()[-1]
    assert removed["eventName"] == "REMOVE"
    assert removed["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert removed["dynamodb"]["OldImage"]["pk"] == {"S": "old"}
    run.client("dynamodb").delete_item(TableName="orders", Key={"pk": {"S": "young"}})
    run.comes(lambda: keys(run)[-1] == "young" and run.application.records()[-1]["eventName"] == "REMOVE")
    assert "userIdentity" not in run.application.records()[-1]


def test_a_shard_that_is_split_is_read_on(run: Run) -> None:
    kinesis = run.client("kinesis")

    def seen() -> list[str]:
        return sorted(text for call in run.application.calls for text in texts(call.event))

    for number in range(8):
        click(run, "clicks", f"before{number}", key=f"key{number}")
    run.comes(lambda: len(seen()) == 8)  # MiniStack forgets the records of a shard that is split
    shard = kinesis.list_shards(StreamName="clicks")["Shards"][0]
    middle = (int(shard["HashKeyRange"]["StartingHashKey"]) + int(shard["HashKeyRange"]["EndingHashKey"])) // 2
    kinesis.split_shard(StreamName="clicks", ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle))
    for number in range(20):
        click(run, "clicks", f"after{number}", key=f"key{number}")
    wanted = sorted([*(f"before{n}" for n in range(8)), *(f"after{n}" for n in range(20))])
    run.comes(lambda: len(seen()) >= len(wanted), timeout_s=15)
    assert seen() == wanted
