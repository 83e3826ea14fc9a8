"""What the demonstration of the orders example plays: Lambda's event source mappings, and its timeline."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from examples.delivery import StreamMapping, failures
from tests.servers.locations import REPOSITORY


@pytest.mark.parametrize(
    ("reported", "failed"), [([], []), (["b"], ["b"]), (["b", "unknown"], ["a", "b"]), ([""], ["a", "b"])]
)
def test_an_id_that_nobody_knows_fails_all_messages(reported: list[str], failed: list[str]) -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": id} for id in reported]}

    assert failures(answer, ["a", "b"]) == failed


class _Streams:
    """A stream with one shard, whose records are given once."""

    def __init__(self, *numbers: str) -> None:
        self._records = [{"dynamodb": {"SequenceNumber": number}} for number in numbers]

    def call(self, service: str, operation: str, **parameters: Any) -> Any:
        assert service == "dynamodbstreams"
        return getattr(self, operation)(**parameters)

    def describe_stream(self, **_: Any) -> dict[str, Any]:
        return {"StreamDescription": {"Shards": [{"ShardId": "shard"}]}}

    def get_shard_iterator(self, **_: Any) -> dict[str, Any]:
        return {"ShardIterator": "start"}

    def get_records(self, **_: Any) -> dict[str, Any]:
        records, self._records = self._records, []
        return {"Records": records, "NextShardIterator": "next"}


def test_a_stream_goes_on_from_the_first_record_that_failed() -> None:
    seen: list[list[str]] = []

    def invoke(payload: dict[str, Any]) -> dict[str, Any]:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in payload["Records"]]
        seen.append(numbers)
        return {"batchItemFailures": [{"itemIdentifier": "2"}] if len(seen) == 1 else []}

    aws: Any = _Streams("1", "2", "3")
    mapping = StreamMapping(aws, "arn", invoke)

    assert [mapping.poll(), mapping.poll(), mapping.poll()] == [2, 0, 0]
    assert seen == [["1", "2", "3"], ["2", "3"]]


def test_the_timeline_reads_as_well_without_rich() -> None:
    script = """
import sys
sys.modules["rich.console"] = None
from examples.timeline import Mismatch, Timeline
timeline = Timeline()
timeline.check("one and one", 2, 2)
try:
    timeline.check("two and two", [5], [4])
except Mismatch as mismatch:
    timeline.failed(mismatch)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.splitlines() == [
        "     ok  one and one",
        " FAILED  two and two",
        "         expected: [4]",
        "         came:     [5]",
    ]
