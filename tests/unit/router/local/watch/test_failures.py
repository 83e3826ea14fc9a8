"""Errors as data: frames with source lines, causes, groups; nothing without bound."""

from __future__ import annotations

import json

import orjson
import pytest

from router.local.entries import Failure
from router.local.watch.failures import failure_of


def _raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as raised:
        return raised


def test_a_frame_has_the_lines_around_the_current_one() -> None:
    failure = failure_of(_raised(ValueError("no")))

    frame = failure["frames"][-1]
    number, text = frame["source"][frame["current"]]
    assert (failure["type"], failure["message"]) == ("ValueError", "no")
    assert (number, text.strip()) == (frame["line"], "raise error from cause")
    assert len(frame["source"]) == 9
    assert frame["function"] == "_raised"
    assert frame["own"]


def test_libraries_are_not_the_applications_own_code() -> None:
    with pytest.raises(orjson.JSONDecodeError) as of_installed:
        orjson.loads("{")
    with pytest.raises(json.JSONDecodeError) as of_python:
        json.loads("{")

    assert [frame["own"] for frame in failure_of(of_python.value)["frames"]][:1] == [True]
    assert not failure_of(of_python.value)["frames"][-1]["own"]
    assert failure_of(of_installed.value)["frames"]


def test_causes_are_told_and_end() -> None:
    error: BaseException = ValueError("0")
    for number in range(1, 30):
        error = _raised(ValueError(str(number)), error)

    depth, failure = 0, failure_of(error)
    while failure["cause"] is not None:
        depth, failure = depth + 1, failure["cause"]

    assert depth == 8
    assert "left out" in failure["notes"][0]


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first

    failure = failure_of(first)

    assert failure["cause"] is not None
    assert failure["cause"]["cause"] is None


def test_a_group_tells_its_errors() -> None:
    failure = failure_of(ExceptionGroup("several", [ValueError(str(number)) for number in range(12)]))

    assert [one["message"] for one in failure["group"]] == [str(number) for number in range(10)]
    assert failure["notes"] == ["2 more errors of the group are left out"]


def test_an_endless_recursion_is_short() -> None:
    def again(number: int) -> int:
        return again(number + 1)

    with pytest.raises(RecursionError) as caught:
        again(0)
    failure: Failure = failure_of(caught.value)

    assert len(failure["frames"]) == 40
    assert "left out" in failure["notes"][0]


def test_an_error_without_text_is_told() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert "has no text" in failure_of(Mute())["message"]


def test_notes_and_long_messages_are_bounded() -> None:
    error = ValueError("x" * 10_000)
    error.add_note("while paying")

    failure = failure_of(error)

    assert len(failure["message"]) < 5_100
    assert failure["notes"] == ["while paying"]
