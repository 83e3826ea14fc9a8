"""Firehose and Kinesis Analytics: transformed records, each answered once."""

from __future__ import annotations

import base64
import json
import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import KinesisFirehoseEvent
from hypothesis import given
from hypothesis import strategies as st

from router.errors import EncodeError, InvalidEvent
from router.event import Source
from router.signals import Discard, Retry
from router.sources._registry import ROWS
from router.sources.firehose import LIMIT, Transformed
from router.testing import samples
from tests.unit.router.sources.payload_cases import FUZZ, mutations, real
from tests.unit.router.sources.record_cases import (
    OUTCOMES,
    agree_with_labels,
    answer,
    one,
    outcome,
    read,
    stays_within_our_errors,
)

NOON = datetime(2024, 5, 4, 12, tzinfo=UTC)
OK, FAILED, HELD = outcome(), outcome(error=ValueError("no")), outcome(started=False)
PAYLOADS = [
    samples.firehose([{"a": 1}, b"\xff"], source_stream="clicks"),
    samples.firehose(["x"]),
]
ANALYTICS = [samples.kinesis_analytics([{"a": 1}, "x"]), samples.kinesis_analytics(["x"], output=True)]


def records(answered: Any) -> list[tuple[str, bytes | None]]:
    """Result and decoded data of each record of an answer."""
    return [
        (record["result"], base64.b64decode(record["data"]) if "data" in record else None)
        for record in answered["records"]
    ]


def result_of(result: Any) -> tuple[str, bytes | None]:
    ((code, data),) = records(answer(Source.FIREHOSE, samples.firehose(["original"]), outcome(result)))
    return code, data


def test_every_real_payload_is_read_as_its_label_says() -> None:
    agree_with_labels(Source.FIREHOSE, Source.KINESIS_ANALYTICS)


def test_real_payloads_agree_with_powertools_and_are_answered() -> None:
    for file, raw, _ in real(Source.FIREHOSE):
        events = read(Source.FIREHOSE, raw)
        theirs = list(KinesisFirehoseEvent(raw).records)
        assert [event.body for event in events] == [record.data_as_bytes for record in theirs], file
        answered = answer(Source.FIREHOSE, raw, *(outcome(event.text.upper()) for event in events))
        assert [record["recordId"] for record in answered["records"]] == [record.record_id for record in theirs], file
        assert records(answered) == [("Ok", record.data_as_text.upper().encode()) for record in theirs], file


def test_records_are_transformed() -> None:
    assert ROWS[Source.FIREHOSE].kind == ROWS[Source.KINESIS_ANALYTICS].kind == "transform"


def test_a_record_to_transform_has_its_data_decoded() -> None:
    raw = samples.firehose([{"id": 1}, b"\xff"], stream="clicks", source_stream="raw", timestamp=NOON)
    first, second = read(Source.FIREHOSE, raw)
    assert (first.name, first.id, first.json()) == ("clicks", raw["records"][0]["recordId"], {"id": 1})
    assert (second.body, second.partition_key, second.attempt) == (b"\xff", "1", 1)
    assert first.timestamp == NOON
    assert one(Source.FIREHOSE, samples.firehose(["a"])).partition_key is None


# ---- results -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "data"),
    [
        (None, b"original"),
        (b"\x00\xff", b"\x00\xff"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        ("grün", "grün".encode()),
        ("", b""),
        ({"id": Decimal("1.10"), "at": NOON}, b'{"id":1.10,"at":"2024-05-04T12:00:00+00:00"}'),
        ([1, 2], b"[1,2]"),
        (0, b"0"),
        (False, b"false"),
        (Transformed("new"), b"new"),
        (Transformed(), b"original"),
    ],
)
def test_what_a_handler_returns_is_the_new_data(result: Any, data: bytes) -> None:
    assert result_of(result) == ("Ok", data)


def test_every_record_is_answered_once_in_order() -> None:
    raw = samples.firehose(["a", "b", "c", "d", "e"])
    ends = (outcome("A"), outcome(error=Discard("x")), FAILED, HELD, outcome(error=Retry()))
    answered = answer(Source.FIREHOSE, raw, *ends)
    assert [record["recordId"] for record in answered["records"]] == [record["recordId"] for record in raw["records"]]
    assert records(answered) == [
        ("Ok", b"A"),
        ("Dropped", b"b"),
        ("ProcessingFailed", b"c"),
        ("ProcessingFailed", b"d"),
        ("ProcessingFailed", b"e"),
    ]


@pytest.mark.parametrize("build", [samples.firehose, samples.kinesis_analytics])
def test_the_log_counts_the_records_that_were_not_begun(build: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody delivers them again: they are in the error folder, beside those that cannot be transformed."""
    source = Source.FIREHOSE if build is samples.firehose else Source.KINESIS_ANALYTICS
    answered = answer(source, build(["a", "b", "c"]), outcome("A"), HELD, HELD)
    assert records(answered) == [("Ok", b"A"), ("ProcessingFailed", b"b"), ("ProcessingFailed", b"c")]
    assert f"{source}: 2 of 3 records were not begun before the deadline" in caplog.text


def test_output_that_was_not_begun_is_delivered_again_and_needs_no_error(caplog: pytest.LogCaptureFixture) -> None:
    answered = answer(Source.KINESIS_ANALYTICS, samples.kinesis_analytics(["a"], output=True), HELD)
    assert [record["result"] for record in answered["records"]] == ["DeliveryFailed"]
    assert caplog.records == []


@pytest.mark.parametrize("result", [object(), "\ud800", {"a": {"b": object()}}, Transformed(object())])
def test_a_result_that_cannot_be_written_fails_its_record_alone(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    raw = samples.firehose(["a", "b"])
    with caplog.at_level(logging.ERROR):
        answered = answer(Source.FIREHOSE, raw, outcome(result), outcome("B"))
    assert records(answered) == [("ProcessingFailed", b"a"), ("Ok", b"B")]
    assert raw["records"][0]["recordId"] in caplog.text


def test_a_record_without_data_can_be_given_some_but_not_be_left_as_it_is() -> None:
    raw = samples.firehose(["a", "b"])
    for record in raw["records"]:
        record["data"] = None
    assert records(answer(Source.FIREHOSE, raw, outcome("A"), OK)) == [("Ok", b"A"), ("ProcessingFailed", None)]
    with pytest.raises(InvalidEvent, match=r"^firehose records\[1\]\.data: must be text, not null or missing$"):
        _ = read(Source.FIREHOSE, raw)[1].body


def test_partition_keys_go_with_the_data() -> None:
    raw = samples.firehose(["a", "b"])
    keyed = Transformed({"id": 1}, {"tenant": "t1", "year": 2024, "rate": Decimal("1.50")})
    first, second = answer(Source.FIREHOSE, raw, outcome(keyed), outcome(Transformed("b", {})))["records"]
    assert first["metadata"] == {"partitionKeys": {"tenant": "t1", "year": "2024", "rate": "1.50"}}
    assert "metadata" not in second
    assert repr(Transformed("b", {"x": 1})) == "Transformed('b', {'x': '1'})"


@pytest.mark.parametrize("keys", [{"a": ""}, {"a": None}, {"a": True}, {"a": ["x"]}, {1: "x"}])
def test_partition_keys_that_firehose_would_refuse_are_refused_at_once(keys: Any) -> None:
    with pytest.raises(EncodeError, match="partition key"):
        Transformed("a", keys)


def test_streams_that_read_from_kafka_have_their_data_in_another_place() -> None:
    raw = samples.firehose(["a", "b"])
    for record in raw["records"]:
        record["kafkaRecordValue"] = record.pop("data")
        record.pop("approximateArrivalTimestamp")
        record["mskRecordMetadata"] = {"offset": "0", "partitionId": "1", "approximateArrivalTimestamp": 1714824000000}
    event = read(Source.FIREHOSE, raw)[0]
    assert (event.text, event.timestamp) == ("a", NOON)
    first, second = answer(Source.FIREHOSE, raw, outcome("A"), FAILED)["records"]
    assert first == {"recordId": event.id, "result": "Ok", "kafkaRecordValue": "QQ=="}
    assert second["kafkaRecordValue"] == "Yg=="


# ---- size ----------------------------------------------------------------------------------------------------------


def test_results_that_do_not_fit_fail_alone(caplog: pytest.LogCaptureFixture) -> None:
    raw = samples.firehose(["a"] * 4)
    large, larger = b"x" * (2 * 1024 * 1024), b"x" * (4 * 1024 * 1024)
    with caplog.at_level(logging.ERROR):
        answered = answer(Source.FIREHOSE, raw, *(outcome(data) for data in (large, larger, "small", b"y")))
    assert [record["result"] for record in answered["records"]] == ["Ok", "ProcessingFailed", "Ok", "Ok"]
    assert [record["recordId"] for record in answered["records"]] == [record["recordId"] for record in raw["records"]]
    assert len(json.dumps(answered)) <= LIMIT
    assert "1 of 4" in caplog.text


def test_data_of_what_was_dropped_or_failed_makes_room_for_results(caplog: pytest.LogCaptureFixture) -> None:
    heavy = "x" * (1024 * 1024)
    raw = samples.firehose([heavy, heavy, heavy, heavy])
    big = b"y" * (3 * 1024 * 1024)
    with caplog.at_level(logging.ERROR):
        answered = answer(Source.FIREHOSE, raw, FAILED, outcome(error=Discard("x")), outcome(big), FAILED)
    assert [record["result"] for record in answered["records"]] == [
        "ProcessingFailed",
        "Dropped",
        "Ok",
        "ProcessingFailed",
    ]
    assert ["data" in record for record in answered["records"]] == [True, False, True, False]
    assert len(json.dumps(answered)) <= LIMIT
    assert not caplog.records


def test_an_answer_of_exactly_the_limit_fits() -> None:
    raw = samples.firehose(["a", "b"])
    spare = LIMIT - len(json.dumps(answer(Source.FIREHOSE, raw, outcome(""), outcome(""))))
    length = spare // 4 * 3 - 3
    answered = answer(Source.FIREHOSE, raw, outcome(b"x" * length), outcome(""))
    assert [record["result"] for record in answered["records"]] == ["Ok", "Ok"]
    assert LIMIT - 12 <= len(json.dumps(answered)) <= LIMIT
    answered = answer(Source.FIREHOSE, raw, outcome(b"x" * (length + 9)), outcome(""))
    assert [record["result"] for record in answered["records"]] == ["ProcessingFailed", "Ok"]


# ---- Kinesis Analytics ---------------------------------------------------------------------------------------------


def test_input_of_an_application_is_transformed() -> None:
    raw = samples.kinesis_analytics([{"id": 1}, "b", "c"], application="fraud", timestamp=NOON)
    event = read(Source.KINESIS_ANALYTICS, raw)[1]
    assert (event.name, event.text, event.partition_key, event.timestamp) == ("fraud", "b", "1", NOON)
    answered = answer(Source.KINESIS_ANALYTICS, raw, outcome("A"), outcome(error=Discard("x")), FAILED)
    assert records(answered) == [("Ok", b"A"), ("Dropped", b"b"), ("ProcessingFailed", b"c")]


def test_output_of_an_application_is_delivered_or_not() -> None:
    raw = samples.kinesis_analytics(["a", "b", "c"], output=True)
    raw["records"][0]["lambdaDeliveryRecordMetadata"]["retryHint"] = 2
    assert [event.attempt for event in read(Source.KINESIS_ANALYTICS, raw)] == [3, 1, 1]
    answered = answer(Source.KINESIS_ANALYTICS, raw, outcome("ignored"), outcome(error=Discard("x")), FAILED)
    ids = [record["recordId"] for record in raw["records"]]
    assert answered == {
        "records": [
            {"recordId": ids[0], "result": "Ok"},
            {"recordId": ids[1], "result": "Ok"},
            {"recordId": ids[2], "result": "DeliveryFailed"},
        ]
    }


# ---- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "message"),
    [(None, "must be text, not null or missing"), ("", "is empty"), (5, "must be text, not a whole number")],
)
def test_a_record_that_could_not_be_answered_fails_the_call(id: Any, message: str) -> None:
    raw = samples.firehose(["a", "b"])
    raw["records"][1]["recordId"] = id
    with pytest.raises(InvalidEvent) as caught:
        read(Source.FIREHOSE, raw)
    assert str(caught.value) == f"firehose records[1].recordId: {message}"


def test_a_stream_without_an_arn_has_no_name() -> None:
    event = one(Source.FIREHOSE, {**samples.firehose(["a"]), "deliveryStreamArn": None})
    with pytest.raises(InvalidEvent, match=r"^firehose deliveryStreamArn: must be text, not null or missing$"):
        _ = event.name


@FUZZ
@given(mutations([*PAYLOADS, *(raw for _, raw, _ in real(Source.FIREHOSE))]), st.data())
def test_mutations_of_firehose_raise_our_errors_alone(raw: Any, data: st.DataObject) -> None:
    stays_within_our_errors(Source.FIREHOSE, raw, data)


@FUZZ
@given(mutations(ANALYTICS), st.data())
def test_mutations_of_analytics_raise_our_errors_alone(raw: Any, data: st.DataObject) -> None:
    stays_within_our_errors(Source.KINESIS_ANALYTICS, raw, data)


@given(st.lists(OUTCOMES, min_size=1, max_size=5))
def test_whatever_became_of_them_each_record_is_answered(outcomes: list[Any]) -> None:
    raw = samples.firehose(["x"] * len(outcomes))
    answered = answer(Source.FIREHOSE, raw, *outcomes)
    assert [record["recordId"] for record in answered["records"]] == [record["recordId"] for record in raw["records"]]
    assert {record["result"] for record in answered["records"]} <= {"Ok", "Dropped", "ProcessingFailed"}
