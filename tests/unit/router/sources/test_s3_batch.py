"""S3 Batch Operations: tasks, each answered with a result code."""

from __future__ import annotations

from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import S3BatchOperationEvent
from hypothesis import given
from hypothesis import strategies as st

from router.errors import Conflict, InvalidEvent, NotFound
from router.event import Source
from router.signals import Discard, Retry
from router.sources._registry import ROWS
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

PAYLOADS = [
    samples.s3_batch("photos", ["a b.jpg", "c"], arguments={"k": "v"}),
    samples.s3_batch("photos", "a", version="1.0"),
    *(raw for _, raw, _ in real(Source.S3_BATCH)),
]


def results(*outcomes: Any) -> list[tuple[str, str]]:
    """Code and text of each result."""
    raw = samples.s3_batch("photos", [str(number) for number in range(len(outcomes))])
    answered = answer(Source.S3_BATCH, raw, *outcomes)
    assert [result["taskId"] for result in answered["results"]] == [task["taskId"] for task in raw["tasks"]]
    return [(result["resultCode"], result["resultString"]) for result in answered["results"]]


def test_every_real_payload_is_read_as_its_label_says() -> None:
    agree_with_labels(Source.S3_BATCH)


def test_real_payloads_agree_with_powertools_and_are_answered() -> None:
    for file, raw, _ in real(Source.S3_BATCH):
        event, theirs = one(Source.S3_BATCH, raw), S3BatchOperationEvent(raw)
        assert event.id == theirs.task.task_id, file
        assert event.keys == {
            "bucket": theirs.task.s3_bucket,
            "key": theirs.task.s3_key,
            "version": theirs.task.s3_version_id,
        }, file
        assert event.attributes == (theirs.job.user_arguments or {}), file
        assert answer(Source.S3_BATCH, raw, outcome("done")) == {
            "invocationSchemaVersion": theirs.invocation_schema_version,
            "treatMissingKeysAs": "PermanentFailure",
            "invocationId": theirs.invocation_id,
            "results": [{"taskId": event.id, "resultCode": "Succeeded", "resultString": "done"}],
        }, file


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_task_names_its_object(version: str) -> None:
    raw = samples.s3_batch("photos", "cats/a b+c.jpg", version=version, version_id="v1")
    event = one(Source.S3_BATCH, raw)
    assert event.name == "photos"
    assert event.keys == {"bucket": "photos", "key": "cats/a b+c.jpg", "version": "v1"}
    assert event.json() == raw["tasks"][0]
    assert event.attributes == {}


def test_the_arguments_of_the_job_are_attributes_of_its_tasks() -> None:
    assert one(Source.S3_BATCH, samples.s3_batch("photos", "a", arguments={"width": "80"})).attributes == {
        "width": "80"
    }


@pytest.mark.parametrize(
    ("ended", "result"),
    [
        (outcome(), ("Succeeded", "")),
        (outcome("80x60"), ("Succeeded", "80x60")),
        (outcome({"width": 80}), ("Succeeded", '{"width":80}')),
        (outcome(object()), ("Succeeded", "(cannot be written as JSON: builtins.object)")),
        (outcome(error=Discard("no picture")), ("Succeeded", "no picture")),
        (outcome(error=Retry(reason="busy")), ("TemporaryFailure", "busy")),
        (outcome(started=False), ("TemporaryFailure", "the deadline came before its turn")),
        (outcome(error=NotFound("no such album")), ("PermanentFailure", "NotFound: no such album")),
        (outcome(error=InvalidEvent("x: y")), ("PermanentFailure", "InvalidEvent: x: y")),
        (outcome(error=ValueError("password=secret")), ("PermanentFailure", "ValueError")),
    ],
)
def test_what_became_of_a_task_is_told(ended: Any, result: tuple[str, str]) -> None:
    assert results(ended) == [result]


def test_each_task_has_a_result_of_its_own() -> None:
    ends = results(outcome("a"), outcome(error=ValueError("x")), outcome(error=Retry(reason="b")))
    assert [code for code, _ in ends] == ["Succeeded", "PermanentFailure", "TemporaryFailure"]


@pytest.mark.parametrize("ended", [outcome("x" * 5000), outcome(error=Conflict("x" * 5000)), outcome(["x" * 5000])])
def test_the_text_of_a_result_is_cut(ended: Any) -> None:
    ((_, text),) = results(ended)
    assert len(text) == 1024


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"invocationId": None}, "s3-batch invocationId: must be text, not null or missing"),
        ({"invocationSchemaVersion": 2}, "s3-batch invocationSchemaVersion: must be text, not a whole number"),
        ({"tasks": {}}, "s3-batch tasks: must be a list, not an object"),
        ({"tasks": [{"taskId": 1}]}, "s3-batch tasks[0].taskId: must be text, not a whole number"),
        ({"tasks": [{"taskId": "1"}, {"taskId": ""}]}, "s3-batch tasks[1].taskId: is empty"),
    ],
)
def test_tasks_that_could_not_be_answered_fail_the_call(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        read(Source.S3_BATCH, {**samples.s3_batch("photos", "a"), **changes})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"s3Bucket": 5}, "name", r"^s3-batch tasks\[0\]\.s3Bucket: must be text, not a whole number$"),
        ({"s3Bucket": None}, "name", r"^s3-batch tasks\[0\]\.s3BucketArn: must be text, not null or missing$"),
        ({"s3Key": "%ff"}, "keys", r"^s3-batch tasks\[0\]\.s3Key: has a percent-encoding that is not UTF-8$"),
    ],
)
def test_a_malformed_task_is_named(changes: dict[str, Any], field: str, message: str) -> None:
    raw = samples.s3_batch("photos", "a")
    raw["tasks"][0].update(changes)
    with pytest.raises(InvalidEvent, match=message):
        getattr(one(Source.S3_BATCH, raw), field)


def test_malformed_arguments_are_named() -> None:
    raw = samples.s3_batch("photos", "a")
    raw["job"]["userArguments"] = "x"
    with pytest.raises(InvalidEvent, match=r"^s3-batch job\.userArguments: must be an object, not text$"):
        _ = one(Source.S3_BATCH, raw).attributes
    raw["job"] = None
    assert one(Source.S3_BATCH, raw).attributes == {}


def test_tasks_are_answered_one_by_one() -> None:
    assert ROWS[Source.S3_BATCH].kind == "transform"


@FUZZ
@given(mutations(PAYLOADS), st.data())
def test_mutations_raise_our_errors_alone(raw: Any, data: st.DataObject) -> None:
    stays_within_our_errors(Source.S3_BATCH, raw, data)


@given(st.lists(OUTCOMES, min_size=1, max_size=4))
def test_whatever_became_of_them_each_task_has_a_result(outcomes: list[Any]) -> None:
    assert {code for code, _ in results(*outcomes)} <= {"Succeeded", "TemporaryFailure", "PermanentFailure"}


def test_the_object_of_a_task_can_be_read_by_name():
    (event,) = read(Source.S3_BATCH, samples.s3_batch("orders", "new/order 1.json", version_id="v1"))
    assert (event.bucket, event.key, event.version) == ("orders", "new/order 1.json", "v1")
    assert (event.size, event.etag) == (None, None)
