"""`Failure`: an error with its frames, the source lines around each, and what caused it."""

from __future__ import annotations

import linecache
import sys
import sysconfig
from functools import cache
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING

from router.errors import text_of
from router.local.watch.plain import shortened

if TYPE_CHECKING:
    from types import TracebackType

    from router.local.entries import Failure, Frame

_AROUND = 4  # lines of source before and after the current one
_FIRST, _LAST = 15, 25  # frames of a deep traceback
_DEEPEST = 8  # errors that caused each other
_MOST_IN_GROUP = 10
_LONGEST = 5000  # characters of a message

_LIBRARY = Path(__file__).parents[3]  # holds router and adapters
_WATCH = str(Path(__file__).parent)  # its frames are in every traceback, and say nothing
_OWN_PARTS = (_LIBRARY / "router", _LIBRARY / "adapters")
_INSTALLED = tuple(
    Path(found)
    for name in ("stdlib", "platstdlib", "purelib", "platlib")
    if (found := sysconfig.get_paths().get(name)) is not None
)


def failure_of(error: BaseException, depth: int = _DEEPEST, seen: frozenset[int] = frozenset()) -> Failure:
    """Return an error as data.

    depth: how many errors behind it are told. seen: those around it, by identity: causes may go round in a circle.
    """
    seen |= {id(error)}
    frames, left_out = _frames(error.__traceback__)
    notes = [shortened(str(note), _LONGEST) for note in getattr(error, "__notes__", ())]
    if left_out:
        notes.append(f"{left_out} frames in the middle of its traceback are left out")
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    told: Failure = {
        "type": _type_name(error),
        "message": shortened(text_of(error), _LONGEST),
        "notes": notes,
        "frames": frames,
        "cause": None,
    }
    if cause is not None and id(cause) not in seen:
        if depth > 0:
            told["cause"] = failure_of(cause, depth - 1, seen)
        else:
            notes.append("what caused it is left out: there are too many errors behind each other")
    if isinstance(error, BaseExceptionGroup) and depth > 0:
        inside = [one for one in error.exceptions if id(one) not in seen]
        told["group"] = [failure_of(one, depth - 2, seen) for one in inside[:_MOST_IN_GROUP]]
        if len(inside) > _MOST_IN_GROUP:
            notes.append(f"{len(inside) - _MOST_IN_GROUP} more errors of the group are left out")
    return told


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _frames(traceback: TracebackType | None) -> tuple[list[Frame], int]:
    steps = []
    for frame, line in walk_tb(traceback):
        if frame.f_code.co_filename.startswith(_WATCH):
            continue
        steps.append((frame.f_code.co_filename, line or 0, frame.f_code.co_qualname))
        if len(steps) > 5 * sys.getrecursionlimit():
            break
    left_out = len(steps) - _FIRST - _LAST
    if left_out > 0:
        steps = steps[:_FIRST] + steps[-_LAST:]
    return [frame_of(*step) for step in steps], max(left_out, 0)


def frame_of(file: str, line: int, function: str) -> Frame:
    """Return a step of a stack, with the lines of source around it."""
    linecache.checkcache(file)
    held = linecache.getlines(file)
    first = max(line - _AROUND, 1)
    last = min(line + _AROUND, len(held))
    source = [(number, held[number - 1].rstrip("\n")[:500]) for number in range(first, last + 1)]
    return {
        "file": _shown(file),
        "line": line,
        "function": function,
        "own": is_own(file),
        "source": source,
        "current": line - first,
    }


@cache
def _shown(file: str) -> str:
    """Return a file as people call it: from the current folder, where it is inside of it."""
    path, here = Path(file), Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else file


def is_own(file: str) -> bool:
    """Whether a file is the application's own code: not this library, not installed, not of Python itself."""
    if file.startswith("<"):
        return False
    path = Path(file)
    if any(part in ("site-packages", "dist-packages") for part in path.parts):
        return False
    return not any(path.is_relative_to(folder) for folder in (*_OWN_PARTS, *_INSTALLED))
