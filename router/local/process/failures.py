"""`Failure`: why an application cannot be imported, where a call hangs, and other troubles of a process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from router.local.watch.failures import failure_of, frame_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

    from router.local.entries import Failure, Frame

CANNOT_LOAD = "CannotLoad"
"""The type of the failure where nothing that can run has the name of the application."""

_MOST_STEPS = 60
_PARTS = Path(__file__).resolve().parents[2]
_OF_GATEWAY = (f"{_PARTS / 'local'}/", f"{_PARTS / 'runtime'}/", "<frozen importlib", "<string>")


def plain_failure(kind: str, message: str, frames: Iterable[Frame] = ()) -> Failure:
    """Return a failure that no exception stands for. kind: in the place of the exception's class."""
    return {"type": kind, "message": message, "notes": [], "frames": list(frames), "cause": None}


def stack_of(frame: FrameType) -> list[Frame]:
    """Return where a thread is: the steps of its stack, the innermost last. frame: the innermost one."""
    steps: list[Frame] = []
    step: FrameType | None = frame
    while step is not None and len(steps) < _MOST_STEPS:
        steps.append(frame_of(step.f_code.co_filename, step.f_lineno, step.f_code.co_qualname))
        step = step.f_back
    return _without_ours(steps[::-1])


def import_failure(error: BaseException) -> Failure:
    """Return why an application cannot be imported, in words that say what to do where that is known."""
    from router.local.process.application import CannotLoad

    if isinstance(error, CannotLoad):
        return plain_failure(CANNOT_LOAD, str(error))
    found = failure_of(error)
    found["frames"] = _without_ours(found["frames"])
    if isinstance(error, SystemExit):
        found["message"] = f"it ended the process with status {error.code!r} while it was imported"
    elif isinstance(error, SyntaxError) and error.filename and error.lineno:
        found["message"] = f"{error.msg} ({Path(error.filename).name}, line {error.lineno})"
        found["frames"].append(frame_of(error.filename, error.lineno, "<module>"))
    elif isinstance(error, ImportError):
        from router.cli.shadowing import explanation

        if told := explanation().strip():
            found["notes"].append(told)
    return found


def _without_ours(steps: list[Frame]) -> list[Frame]:
    """Return the steps without those of the import system and of this package in front of the application's."""
    return [one for one in steps if not one["file"].startswith(_OF_GATEWAY)]
