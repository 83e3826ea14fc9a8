"""DynamoDB and Kinesis streams: records, failures by sequence number, tumbling windows."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import DynamoDBStreamEvent, KinesisStreamEvent
from hypothesis import given
from hypothesis import strategies as st

from router.errors import EncodeError, InvalidEvent, RecordsFailed
from router.event import Source
from router.session_policy import SessionPolicy
from router.signals import Discard, Retry
from router.sources import streams
from router.sources._registry import ROWS
from router.testing import samples
from tests.unit.router.sources.payload_cases import FUZZ, mutations, real
from tests.unit.router.sources.record_cases import (
    agree_with_labels,
    answer,
    one,
    outcome,
    read,
    stays_within_our_errors,
)

NOON = datetime(2024, 5, 4, 12, tzinfo=UTC)
OK, FAILED, HELD = outcome(), outcome(error=ValueError("no")), outcome(started=False)
CHANGES = [
    ("INSERT", None, {"id": 1, "name": "a"}),
    ("MODIFY", {"id": 1, "name": "a"}, {"id": 1, "name": "b"}),
    ("REMOVE", {"id": 1, "name": "b"}, None),
]
WINDOW = samples.tumbling_window({"sum": 1})
PAYLOADS = [
    samples.dynamodb("orders", CHANGES, window=WINDOW),
    samples.kinesis("orders", [b"\x00", {"a": 1}], window=WINDOW),
    samples.kinesis("orders", [], window=samples.tumbling_window({"sum": 1}, final=True)),
]


def tumbling(state: Any = None, count: int = 3, **options: Any) -> Any:
    """A call of a Kinesis window with so many records, each a number."""
    window = samples.tumbling_window(state, start=NOON, **options)
    return samples.kinesis("orders", list(range(count)), window=window)


# ---- records -------------------------------------------------------------------------------------------------------


def test_every_real_payload_is_read_as_its_label_says() -> None:
    agree_with_labels(Source.DYNAMODB, Source.KINESIS)


def test_real_payloads_agree_with_powertools() -> None:
    for file, raw, _ in real(Source.DYNAMODB):
        for event, theirs in zip(read(Source.DYNAMODB, raw), DynamoDBStreamEvent(raw).records, strict=True):
            assert theirs.dynamodb is not None
            assert (event.keys, event.new) == (theirs.dynamodb.keys, theirs.dynamodb.new_image), file
            assert (event.old or {}) == theirs.dynamodb.old_image, file
            assert event.sequence_number == theirs.dynamodb.sequence_number, file
    for file, raw, _ in real(Source.KINESIS):
        for event, mine in zip(KinesisStreamEvent(raw).records, read(Source.KINESIS, raw), strict=True):
            assert mine.body == event.kinesis.data_as_bytes(), file
            assert mine.partition_key == event.kinesis.partition_key, file
            assert mine.timestamp.timestamp() == pytest.approx(event.kinesis.approximate_arrival_timestamp), file


def test_a_change_of_an_item_has_its_images_as_plain_values() -> None:
    inserted, modified, removed = read(Source.DYNAMODB, samples.dynamodb("orders", CHANGES, timestamp=NOON))
    assert [event.change for event in (inserted, modified, removed)] == ["INSERT", "MODIFY", "REMOVE"]
    assert (inserted.keys, inserted.old, inserted.new) == ({"id": 1}, None, {"id": 1, "name": "a"})
    assert (modified.old, modified.new) == ({"id": 1, "name": "a"}, {"id": 1, "name": "b"})
    assert (removed.old, removed.new) == ({"id": 1, "name": "b"}, None)
    assert inserted.name == "orders"
    assert inserted.timestamp == NOON


def test_the_content_of_a_change_is_the_item_as_it_now_is_and_as_it_was_when_removed() -> None:
    contents = [event.json() for event in read(Source.DYNAMODB, samples.dynamodb("orders", CHANGES))]
    assert contents == [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}, {"id": 1, "name": "b"}]


def test_images_that_the_view_leaves_out_are_none() -> None:
    event = one(Source.DYNAMODB, samples.dynamodb("orders", CHANGES[:1], view="KEYS_ONLY"))
    assert (event.keys, event.old, event.new, event.json(), event.text) == ({"id": 1}, None, None, None, "null")


def test_numbers_binaries_and_sets_are_exact() -> None:
    item = {
        "id": 12345678901234567890123456789012345678,
        "fraction": Decimal("1234567890.1234567890123456789012345678"),
        "tags": {"a", "b"},
        "blobs": {b"\x00", b"\xff"},
        "numbers": {1, Decimal("0.1")},
    }
    event = one(Source.DYNAMODB, samples.dynamodb("orders", [("INSERT", None, item)]))
    assert event.new == item
    assert type(event.new["id"]) is int
    assert '"fraction":1234567890.1234567890123456789012345678' in event.text
    assert json.loads(event.text)["id"] == item["id"]


def test_a_malformed_image_fails_the_field_and_names_the_attribute() -> None:
    raw = samples.dynamodb("orders", CHANGES)
    raw["Records"][1]["dynamodb"]["NewImage"]["name"] = {"N": "many"}
    _, event, other = read(Source.DYNAMODB, raw)
    with pytest.raises(
        InvalidEvent, match=r"^dynamodb Records\[1\]\.dynamodb\.NewImage\.name\.N: 'many' is no number$"
    ):
        _ = event.new
    assert event.old == {"id": 1, "name": "a"}
    assert other.old == {"id": 1, "name": "b"}


def test_what_utf8_cannot_hold_fails_the_body_alone() -> None:
    raw = samples.dynamodb("orders", CHANGES[:1])
    raw["Records"][0]["dynamodb"]["NewImage"]["name"] = {"S": "\ud800"}
    event = one(Source.DYNAMODB, raw)
    assert event.json()["name"] == "\ud800"
    with pytest.raises(InvalidEvent, match=r"^dynamodb Records\[0\]: cannot be written as JSON"):
        _ = event.body


def test_the_session_of_a_change_can_stand_in_the_item() -> None:
    item = {"id": 1, "session": {"tenant": "t1"}}
    events = read(Source.DYNAMODB, samples.dynamodb("orders", [("INSERT", None, item), ("REMOVE", item, None)]))
    for event in events:
        event._policy = SessionPolicy(body_field="session")
        assert event.session.tenant == "t1"


def test_a_kinesis_record_has_its_data_decoded() -> None:
    raw = samples.kinesis("orders", [{"id": 1}, b"\xff\xfe"], partition_keys=["a", "b"], timestamp=NOON)
    first, second = read(Source.KINESIS, raw)
    assert (first.name, first.change, first.json(), first.keys) == ("orders", "", {"id": 1}, None)
    assert (second.body, second.partition_key) == (b"\xff\xfe", "b")
    assert first.timestamp == NOON
    assert first.id == raw["Records"][0]["eventID"]
    with pytest.raises(InvalidEvent, match="not UTF-8"):
        _ = second.text


def test_data_that_a_producer_aggregated_is_left_as_it_is() -> None:
    aggregate = b"\xf3\x89\x9a\xc2" + b"\x0a\x01a" + b"\x00" * 16
    assert one(Source.KINESIS, samples.kinesis("orders", [aggregate])).body == aggregate


@pytest.mark.parametrize(
    ("source", "arn", "name"),
    [
        (Source.DYNAMODB, "arn:aws:dynamodb:eu-west-1:1:table/Orders/stream/2024-01-01T00:00:00.000", "Orders"),
        (Source.DYNAMODB, "arn:aws:dynamodb:eu-west-1:1:table/table/stream/2024-01-01T00:00:00.000", "table"),
        (Source.DYNAMODB, "arn:aws:dynamodb:eu-west-1:1:table/Orders/index/ByDate", "Orders"),
        (Source.KINESIS, "arn:aws:kinesis:eu-west-1:1:stream/clicks", "clicks"),
        (Source.KINESIS, "arn:aws:kinesis:eu-west-1:1:stream/clicks/consumer/app:1704067200", "clicks"),
        (Source.KINESIS, "arn:aws-cn:kinesis:cn-north-1:1:stream/stream", "stream"),
        (Source.KINESIS, "not an ARN", "not an ARN"),
    ],
)
def test_the_name_is_the_table_or_stream(source: Source, arn: str, name: str) -> None:
    raw = samples.kinesis("x", ["a"]) if source is Source.KINESIS else samples.dynamodb("x", CHANGES[:1])
    raw["Records"][0]["eventSourceARN"] = arn
    assert one(source, raw).name == name


def test_malformed_data_fails_the_field_and_names_the_place() -> None:
    raw = samples.kinesis("orders", ["a", "b"])
    raw["Records"][1]["kinesis"]["data"] = "a"
    good, bad = read(Source.KINESIS, raw)
    assert good.text == "a"
    with pytest.raises(InvalidEvent, match=r"^kinesis Records\[1\]\.kinesis\.data: not valid base64"):
        _ = bad.body
    bad.record["kinesis"]["data"] = None
    with pytest.raises(InvalidEvent, match=r"^kinesis Records\[1\]\.kinesis\.data: must be text, not null or missing$"):
        _ = bad.body


@pytest.mark.parametrize("number", [None, "", 7])
def test_a_record_that_could_not_be_reported_fails_the_call(number: Any) -> None:
    kinesis, dynamodb = samples.kinesis("orders", ["a", "b"]), samples.dynamodb("orders", CHANGES)
    kinesis["Records"][1]["kinesis"]["sequenceNumber"] = number
    dynamodb["Records"][2]["dynamodb"]["SequenceNumber"] = number
    with pytest.raises(InvalidEvent, match=r"^kinesis Records\[1\]\.kinesis\.sequenceNumber: "):
        read(Source.KINESIS, kinesis)
    with pytest.raises(InvalidEvent, match=r"^dynamodb Records\[2\]\.dynamodb\.SequenceNumber: "):
        read(Source.DYNAMODB, dynamodb)


def test_records_that_are_no_list_fail_the_call() -> None:
    with pytest.raises(InvalidEvent, match=r"^kinesis Records: must be a list, not an object$"):
        read(Source.KINESIS, {"Records": {}})


# ---- order ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("id", "shard"), [("s-1:495", "s-1"), ("495", None), (5, None)])
def test_the_shard_stands_in_front_of_the_number_in_the_id(id: Any, shard: str | None) -> None:
    raw = samples.kinesis("orders", ["a"])
    raw["Records"][0]["eventID"] = id
    (event,) = read(Source.KINESIS, raw)
    assert event.shard == shard


def test_order_is_kept_by_shard_and_by_partition_key() -> None:
    first, second = read(Source.KINESIS, samples.kinesis("orders", ["a", "b"], partition_keys=["x", "y"], shard="s-1"))
    assert (streams.ordering_key(first), streams.ordering_key(second)) == ("s-1", "s-1")
    assert (streams.partition_key(first), streams.partition_key(second)) == ("x", "y")


def test_changes_of_one_item_have_one_key_whatever_the_order_of_its_attributes() -> None:
    raw = samples.dynamodb("orders", [("INSERT", None, {"id": 1, "at": "x"})] * 2, keys=("id", "at"))
    keys = raw["Records"][1]["dynamodb"]["Keys"]
    raw["Records"][1]["dynamodb"]["Keys"] = dict(reversed(keys.items()))
    first, second = read(Source.DYNAMODB, raw)
    assert streams.partition_key(first) == streams.partition_key(second) != ""
    assert streams.ordering_key(first) is streams.ordering_key(second) is None
    other = one(
        Source.DYNAMODB, samples.dynamodb("orders", [("INSERT", None, {"id": 2, "at": "x"})], keys=("id", "at"))
    )
    assert streams.partition_key(other) != streams.partition_key(first)


def test_order_never_fails_on_a_malformed_record() -> None:
    raw = samples.dynamodb("orders", CHANGES[:2])
    raw["Records"][0]["dynamodb"]["Keys"] = None
    raw["Records"][1]["dynamodb"]["Keys"] = {"id": {"S": "\ud800"}}
    assert [streams.partition_key(event) for event in read(Source.DYNAMODB, raw)] == [None, None]
    raw = samples.kinesis("orders", ["a"])
    raw["Records"][0]["eventID"] = None
    raw["Records"][0]["kinesis"]["partitionKey"] = 5
    event = one(Source.KINESIS, raw)
    assert (streams.ordering_key(event), streams.partition_key(event)) == (None, None)


# ---- answers -------------------------------------------------------------------------------------------------------


def numbers(raw: Any) -> list[str]:
    return [event.sequence_number for event in read(Source.KINESIS, raw)]


def failures(answered: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answered["batchItemFailures"]]


def test_success_is_an_empty_list() -> None:
    raw = samples.kinesis("orders", ["a", "b"])
    assert answer(Source.KINESIS, raw, OK, outcome(error=Discard("old"))) == {"batchItemFailures": []}


def test_the_first_failure_of_a_shard_is_reported_and_nothing_else() -> None:
    raw = samples.kinesis("orders", ["a", "b", "c", "d"])
    assert failures(answer(Source.KINESIS, raw, OK, FAILED, HELD, HELD)) == [numbers(raw)[1]]
    assert failures(answer(Source.KINESIS, raw, OK, FAILED, OK, FAILED)) == [numbers(raw)[1]]


def test_records_that_were_not_started_are_reported() -> None:
    raw = samples.dynamodb("orders", CHANGES)
    reported = failures(answer(Source.DYNAMODB, raw, OK, HELD, HELD))
    assert reported == [raw["Records"][1]["dynamodb"]["SequenceNumber"]]


def test_a_record_that_is_asked_for_again_is_reported() -> None:
    raw = samples.kinesis("orders", ["a", "b"])
    assert failures(answer(Source.KINESIS, raw, OK, outcome(error=Retry()))) == [numbers(raw)[1]]


def test_the_lowest_number_counts_as_a_number() -> None:
    raw = samples.kinesis("orders", ["a", "b"])
    raw["Records"][0]["kinesis"]["sequenceNumber"] = "1000"
    raw["Records"][1]["kinesis"]["sequenceNumber"] = "999"
    assert failures(answer(Source.KINESIS, raw, FAILED, FAILED)) == ["999"]


def test_shards_are_reported_each() -> None:
    first, second = samples.kinesis("orders", ["a", "b"], shard="s-1"), samples.kinesis("orders", ["c"], shard="s-2")
    raw = {"Records": first["Records"] + second["Records"]}
    assert failures(answer(Source.KINESIS, raw, OK, FAILED, FAILED)) == [numbers(first)[1], numbers(second)[0]]


# ---- tumbling windows ----------------------------------------------------------------------------------------------


def test_outside_of_a_window_there_is_none() -> None:
    assert one(Source.KINESIS, samples.kinesis("orders", ["a"])).window is None


def test_an_event_shows_the_window_it_belongs_to() -> None:
    first, _, last = read(Source.KINESIS, tumbling({"sum": 3}, terminated_early=True, final=True))
    assert (first.window.start, first.window.end) == (NOON, NOON + timedelta(minutes=5))
    assert first.window.shard == "shardId-000000000000"
    assert first.window.state == {"sum": 3}
    first.window.state["sum"] += 1
    assert first.window.state == {"sum": 4}
    assert first.window.terminated_early
    assert (first.window.final, last.window.final) == (False, True)


def test_each_record_sees_the_state_that_the_one_before_left() -> None:
    raw = tumbling({"sum": 10})
    events = read(Source.KINESIS, raw)
    outcomes = []
    for event in events:
        state = event.window.state
        state["sum"] += event.json()
        streams.keep_state([event], state)
        outcomes.append(outcome(state))
    assert streams.answer(raw, events, outcomes) == {"batchItemFailures": [], "state": {"sum": 13}}
    assert raw["state"] == {"sum": 10}


def test_the_state_stands_as_it_was_before_the_first_failure() -> None:
    raw = tumbling({"sum": 10})
    events = read(Source.KINESIS, raw)
    state = events[0].window.state
    state["sum"] = 11
    streams.keep_state(events[:1], state)
    # The handler of the second record spoils what it was given, and fails.
    spoilt = events[1].window.state
    spoilt["sum"] = state["sum"] = 99
    answered = streams.answer(raw, events, [outcome(state), FAILED, HELD])
    assert answered == {"batchItemFailures": [{"itemIdentifier": numbers(raw)[1]}], "state": {"sum": 11}}


def test_without_carrying_the_last_returned_state_before_the_first_failure_counts() -> None:
    raw = tumbling({"sum": 10})
    kept = answer(Source.KINESIS, raw, outcome({"sum": 11}), outcome("no state"), outcome({"sum": 13}))
    assert kept["state"] == {"sum": 13}
    assert answer(Source.KINESIS, raw, outcome({"sum": 11}), FAILED, outcome({"sum": 13}))["state"] == {"sum": 11}
    assert answer(Source.KINESIS, raw, FAILED, HELD, HELD)["state"] == {"sum": 10}


def test_handlers_that_return_no_state_leave_it_as_it_is() -> None:
    assert answer(Source.KINESIS, tumbling({"sum": 1}), OK, OK, OK) == {"batchItemFailures": [], "state": {"sum": 1}}
    assert answer(Source.KINESIS, tumbling(), OK, OK, OK) == {"batchItemFailures": [], "state": {}}


def test_a_batch_of_a_window_hands_on_its_state() -> None:
    raw = tumbling()
    events = read(Source.KINESIS, raw)
    streams.keep_state(events, {"sum": 2**70, "mean": Decimal("0.5")})
    answered = streams.answer(raw, events, [OK, OK, OK])
    assert answered["state"] == {"sum": 2**70, "mean": 0.5}


def test_a_state_that_cannot_be_written_is_refused() -> None:
    raw = tumbling()
    events = read(Source.KINESIS, raw)
    with pytest.raises(EncodeError):
        streams.keep_state(events[:1], {"sum": object()})
    assert streams.answer(raw, events, [FAILED, HELD, HELD])["state"] == {}


def test_nothing_is_carried_outside_of_a_window() -> None:
    raw = samples.kinesis("orders", ["a"])
    events = read(Source.KINESIS, raw)
    streams.keep_state(events, {"sum": 1})
    assert streams.answer(raw, events, [outcome({"sum": 1})]) == {"batchItemFailures": []}


def test_records_of_a_window_are_taken_one_after_the_other_whatever_their_keys() -> None:
    assert {streams.partition_key(event) for event in read(Source.KINESIS, tumbling())} == {None}


@pytest.mark.parametrize("source", [Source.KINESIS, Source.DYNAMODB])
def test_the_end_of_a_window_is_one_event(source: Source) -> None:
    window = samples.tumbling_window({"sum": 5}, start=NOON, final=True)
    make = samples.kinesis if source is Source.KINESIS else samples.dynamodb
    raw = make("orders", [], window=window)
    event = one(source, raw)
    assert (event.name, event.record, event.records, event.change) == ("orders", {}, [], "")
    assert (event.body, event.text, event.json(), event.keys, event.new) == (b"", "", None, None, None)
    assert event.window.final
    assert event.window.state == {"sum": 5}
    assert event.timestamp == NOON + timedelta(minutes=5)
    assert event.partition_key is None
    assert (streams.ordering_key(event), streams.partition_key(event)) == (None, None)
    assert event.id == one(source, json.loads(json.dumps(raw))).id
    assert "2024-05-04T12:00:00Z" in event.id
    assert "shardId" in event.id
    assert answer(source, raw, outcome({})) == {"batchItemFailures": [], "state": {}}


def test_windows_of_other_shards_and_times_end_with_other_ids() -> None:
    ends = [
        one(
            Source.KINESIS,
            samples.kinesis(stream, [], shard=shard, window=samples.tumbling_window(start=at, final=True)),
        )
        for stream in ("a", "b")
        for shard in ("s-1", "s-2")
        for at in (NOON, NOON + timedelta(minutes=5))
    ]
    assert len({event.id for event in ends}) == 8


@pytest.mark.parametrize(("ended", "reason"), [(FAILED, "ValueError: no"), (HELD, "the deadline")])
def test_an_end_that_failed_fails_the_call(ended: Any, reason: str) -> None:
    raw = samples.kinesis("orders", [], window=samples.tumbling_window({"sum": 5}, final=True))
    with pytest.raises(RecordsFailed, match=reason) as caught:
        answer(Source.KINESIS, raw, ended)
    assert caught.value.__cause__ is caught.value.failures[0][1]


def test_a_state_that_is_no_object_fails_the_call() -> None:
    with pytest.raises(InvalidEvent, match=r"^state: must be an object, not a list$"):
        read(Source.KINESIS, {**tumbling(), "state": []})
    assert streams.window_state({"window": {}, "state": None}) == {}
    assert streams.answer({**tumbling(), "state": {"a": 1}}, [], [])["state"] == {"a": 1}


def test_a_window_without_its_times_and_shard_is_still_a_window() -> None:
    raw = {**tumbling(count=1), "window": {"start": 5}, "shardId": None}
    event = one(Source.KINESIS, raw)
    assert (event.window.start, event.window.end, event.window.shard) == (None, None, "")


def test_streams_are_kept_in_order() -> None:
    assert ROWS[Source.DYNAMODB].kind == ROWS[Source.KINESIS].kind == "ordered"


# ---- anything else -------------------------------------------------------------------------------------------------


@FUZZ
@given(mutations([*PAYLOADS[1:], *(raw for _, raw, _ in real(Source.KINESIS))]), st.data())
def test_mutations_of_kinesis_raise_our_errors_alone(raw: Any, data: st.DataObject) -> None:
    stays_within_our_errors(Source.KINESIS, raw, data)


@FUZZ
@given(mutations([*PAYLOADS[:1], *(raw for _, raw, _ in real(Source.DYNAMODB))]), st.data())
def test_mutations_of_dynamodb_raise_our_errors_alone(raw: Any, data: st.DataObject) -> None:
    stays_within_our_errors(Source.DYNAMODB, raw, data)


@given(st.lists(st.sampled_from(["ok", "failed", "held"]), min_size=1, max_size=6), st.integers(0, 3))
def test_what_is_reported_is_always_a_record_of_the_call(ends: list[str], window: int) -> None:
    raw = samples.kinesis("orders", list(range(len(ends))), window=WINDOW if window else None)
    outcomes = [{"ok": OK, "failed": FAILED, "held": HELD}[end] for end in ends]
    reported = failures(answer(Source.KINESIS, raw, *outcomes))
    expected = next((number for number, end in zip(numbers(raw), ends, strict=True) if end != "ok"), None)
    assert reported == ([] if expected is None else [expected])
    assert base64.b64decode(raw["Records"][0]["kinesis"]["data"]) == b"0"
