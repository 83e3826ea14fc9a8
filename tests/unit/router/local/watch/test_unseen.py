"""What the gateway itself says of a call of which nothing was seen."""

from __future__ import annotations

from typing import Any

import pytest

from router.local.calls import Call
from router.local.process import telling
from router.local.watch.unseen import tell
from router.testing import samples


def test_a_message_has_its_keys_name_and_attempt() -> None:
    event = samples.sqs("orders", [1])
    record = event["Records"][0]
    record["attributes"] |= {"ApproximateReceiveCount": "3", "SentTimestamp": "1700000000123"}

    entry = telling.running(Call(event, "aws"), 1.0, None)

    assert (entry["name"], entry["event_id"], entry["attempt"]) == ("orders", record["messageId"], 3)
    assert entry["sent"] == 1700000000.123
    assert entry["links"] == [f"sqs:{record['messageId']}"]


def test_a_batch_has_the_keys_of_all_its_messages() -> None:
    entry = telling.running(Call(samples.sqs("orders", [1, 2, 3]), "aws"), 1.0, None)

    assert len(entry["links"]) == entry["records"] == 3
    assert entry["event_id"] is None


def test_another_attempt_of_the_caller_counts() -> None:
    assert telling.running(Call(samples.invoke("act", {}), "invoke", attempt=2), 1.0, None)["attempt"] == 2


@pytest.mark.parametrize("payload", [None, [], 7, {"Records": [{"eventSource": "aws:sqs"}]}, {"Records": 3}])
def test_a_payload_that_is_none_changes_nothing(payload: Any) -> None:
    entry: Any = {}
    tell(entry, payload)
    assert entry.get("links", []) == []
