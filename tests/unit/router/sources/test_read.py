"""`read`: a payload as Events, without dispatching it."""

from __future__ import annotations

from typing import Any

import pytest

from router import detect, read
from router.errors import InvalidEvent
from router.event import Source
from router.testing import Context, samples


def test_a_request_is_one_event_and_a_batch_one_a_record() -> None:
    context = Context()
    (request,) = read(samples.rest("GET", "/a"), context)
    assert (request.source, request.context, request.path) == (Source.REST, context, "/a")
    messages = read(samples.sqs("orders", ["a", "b", "c"]))
    assert [message.text for message in messages] == ["a", "b", "c"]
    assert [message.record["body"] for message in messages] == ["a", "b", "c"]
    assert all(message.records == messages[0].raw["Records"] for message in messages)


def test_an_environment_is_an_event_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("TASK_NAME", "nightly")
    monkeypatch.setenv("SESSION", '{"tenant":"acme"}')
    (task,) = read(os.environ)
    assert (task.source, task.name, task.session.tenant) == (Source.TASK, "nightly", "acme")


@pytest.mark.parametrize(
    ("raw", "events"),
    [(None, 1), (5, 1), ("text", 1), ([], 1), ({}, 1), ({"Records": []}, 1), (samples.s3_test_event("orders"), 0)],
)
def test_what_nothing_recognises_is_one_call(raw: Any, events: int) -> None:
    assert len(read(raw)) == events
    assert detect(raw) in (Source.INVOKE, Source.S3)


def test_a_batch_that_could_not_be_answered_is_refused_with_the_place() -> None:
    raw = samples.sqs("orders", ["a", "b"])
    del raw["Records"][1]["messageId"]
    with pytest.raises(InvalidEvent, match=r"sqs Records\[1\]: it has no messageId"):
        read(raw)
