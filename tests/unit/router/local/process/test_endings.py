"""The words for calls that end without an answer."""

from __future__ import annotations

import pytest

from router.local.process.endings import exit_error, exit_failure, import_error, words_of
from router.local.process.failures import plain_failure


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "exit status 0"),
        (3, "exit status 3"),
        (-9, "signal: killed"),
        (-11, "signal: segmentation fault"),
        (-10, "signal: SIGUSR1"),
    ],
)
def test_end_of_a_process_in_words(status: int, words: str) -> None:
    assert words_of(status) == words


def test_exit_without_a_reason() -> None:
    assert exit_error("r", 0)["errorMessage"] == "RequestId: r Error: Runtime exited without providing a reason"


def test_other_calls_and_a_short_memory_are_said() -> None:
    assert exit_failure(1, 0)["notes"] == []
    notes = exit_failure(-9, 2)["notes"]
    assert any("memory was short" in note for note in notes)
    assert any("2 more calls were under way" in note for note in notes)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("ModuleNotFoundError", "Runtime.ImportModuleError"),
        ("IndentationError", "Runtime.UserCodeSyntaxError"),
        ("ValueError", "ValueError"),
    ],
)
def test_import_errors_have_the_names_of_lambda(kind: str, error: str) -> None:
    assert import_error(plain_failure(kind, "no"))["errorType"] == error
