"""Check that a record of each source becomes a payload of it again."""

from __future__ import annotations

from typing import Any

import pytest

from router import Source, detect, read
from router.local.console.envelopes import payload_of
from router.testing import samples

BATCHES = sorted(source for source in samples.SAMPLES if source != "task")


def record_of(source: str) -> Any:
    return read(samples.SAMPLES[source]())[0].record


@pytest.mark.parametrize("source", BATCHES)
def test_a_record_is_delivered_as_its_source_does(source: str) -> None:
    record = record_of(source)
    made = payload_of(record, source)
    assert detect(made) == detect(samples.SAMPLES[source]())
    assert read(made)[0].record == record


@pytest.mark.parametrize("source", sorted(samples.SAMPLES))
def test_a_payload_stays_as_it_is(source: str) -> None:
    raw = samples.SAMPLES[source]()
    assert payload_of(raw, source) == raw


def test_a_group_is_delivered_together() -> None:
    raw = samples.sqs("orders", [1, 2, 3])
    assert payload_of(raw["Records"], "sqs") == raw


@pytest.mark.parametrize(
    "raw", [None, 5, "text", [], [1], {}, {"eventSource": 5}, {"eventSource": "aws:sqs", "Records": 1}]
)
def test_what_is_no_record_stays_as_it_is(raw: Any) -> None:
    assert payload_of(raw, "http") == raw
    assert payload_of(raw, Source.INVOKE) == raw
