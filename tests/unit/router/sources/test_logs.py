"""CloudWatch Logs: payloads unpacked, within bounds."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import CloudWatchLogsEvent
from hypothesis import given
from hypothesis import strategies as st

from router.errors import InvalidEvent
from router.event import Source
from router.sources import load
from router.sources._registry import ROWS
from router.sources.logs import LIMIT
from tests.unit.router.sources.payload_cases import FUZZ, JSON, mutations, real
from tests.unit.router.sources.record_cases import agree_with_labels, one, stays_within_our_errors

DOCUMENT = {
    "messageType": "DATA_MESSAGE",
    "owner": "123456789012",
    "logGroup": "/aws/lambda/orders",
    "logStream": "2024/05/04/[$LATEST]abc",
    "subscriptionFilters": ["errors"],
    "logEvents": [
        {"id": "e-1", "timestamp": 1714824000000, "message": "ERROR grün"},
        {"id": "e-2", "timestamp": 1714824000001, "message": "ERROR again"},
    ],
}


def packed(content: Any) -> Any:
    """A payload with this content: bytes as they are, else as JSON."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return payload(gzip.compress(data))


def payload(data: bytes) -> Any:
    return {"awslogs": {"data": base64.b64encode(data).decode()}}


def test_every_real_payload_is_read_as_its_label_says() -> None:
    agree_with_labels(Source.LOGS)


def test_real_payloads_agree_with_powertools() -> None:
    for file, raw, _ in real(Source.LOGS):
        event, theirs = one(Source.LOGS, raw), CloudWatchLogsEvent(raw).parse_logs_data()
        assert event.json() == theirs.raw_event, file
        assert (event.name, event.id) == (theirs.log_group, theirs.log_events[0].get_id), file


def test_a_payload_is_unpacked() -> None:
    raw = packed(DOCUMENT)
    event = one(Source.LOGS, raw)
    assert (event.name, event.id) == ("/aws/lambda/orders", "e-1")
    assert event.json() == DOCUMENT
    assert json.loads(event.text) == DOCUMENT
    assert event.timestamp == datetime(2024, 5, 4, 12, tzinfo=UTC)
    assert event.attributes == {name: value for name, value in DOCUMENT.items() if name != "logEvents"}
    assert event.record is raw
    assert event.records == [raw]


def test_nothing_is_unpacked_before_it_is_asked_for() -> None:
    event = one(Source.LOGS, {"awslogs": {"data": "?"}})
    with pytest.raises(InvalidEvent, match=r"^logs awslogs\.data: not valid base64"):
        _ = event.name


def test_a_payload_without_log_events_takes_the_id_of_its_call() -> None:
    class Context:
        aws_request_id = "r-1"

    for events in ([], None, ["x"], [{"id": ""}]):
        (event,) = load(Source.LOGS).read(Source.LOGS, packed({"logEvents": events}), Context())
        assert (event.id, event.timestamp, event.attributes) == ("r-1", None, {})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"awslogs": {"data": None}}, "logs awslogs.data: must be text, not null or missing"),
        ({"awslogs": []}, "logs awslogs.data: must be text, not null or missing"),
        (payload(b"plain text"), "logs awslogs.data: not valid gzip"),
        (payload(gzip.compress(b"{}")[:-5]), "logs awslogs.data: not valid gzip: it ends too early"),
        (payload(b""), "logs awslogs.data: not valid gzip: it ends too early"),
        (payload(gzip.compress(b"{}") + b"more"), "logs awslogs.data: not valid gzip: 4 bytes follow its end"),
        (packed(b"[1]"), "logs awslogs.data: must hold an object, not a list"),
        (packed(b"{"), "the body is not valid JSON"),
        (packed(b"\xff"), "the body is not UTF-8"),
        (packed({"logGroup": 5}), "logs awslogs.data: logGroup: must be text, not a whole number"),
    ],
)
def test_a_malformed_payload_is_refused_with_the_reason(raw: Any, message: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        _ = one(Source.LOGS, raw).name
    assert str(caught.value).startswith(message)


def test_a_bomb_is_refused_before_it_fills_the_memory() -> None:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    million = b" " * 1_000_000
    bomb = b"".join(packer.compress(million) for _ in range(1000)) + packer.flush()
    raw = payload(bomb)
    assert len(bomb) < 1_100_000
    tracemalloc.start()
    try:
        with pytest.raises(InvalidEvent, match=r"^logs awslogs\.data: unpacks to more than 67,108,864 bytes$"):
            _ = one(Source.LOGS, raw).body
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * LIMIT


@pytest.mark.parametrize(("size", "fits"), [(LIMIT, True), (LIMIT + 1, False)])
def test_the_bound_is_exact(size: int, fits: bool) -> None:
    event = one(Source.LOGS, packed(b" " * size))
    if fits:
        assert len(event.body) == size
    else:
        with pytest.raises(InvalidEvent, match="unpacks to more"):
            _ = event.body


def test_the_call_succeeds_or_fails_as_a_whole() -> None:
    assert ROWS[Source.LOGS].kind == "notify"


@FUZZ
@given(mutations([packed(DOCUMENT), *(raw for _, raw, _ in real(Source.LOGS))]), st.data())
def test_mutations_raise_our_errors_alone(raw: Any, data: st.DataObject) -> None:
    stays_within_our_errors(Source.LOGS, raw, data)


@FUZZ
@given(mutations([DOCUMENT]) | JSON, st.data())
def test_any_content_raises_our_errors_alone(content: Any, data: st.DataObject) -> None:
    stays_within_our_errors(Source.LOGS, packed(content), data)
