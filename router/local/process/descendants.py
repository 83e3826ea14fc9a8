"""`descendants`: processes that a process has started, and that would outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROC = Path("/proc")


def descendants(pid: int) -> list[int]:
    """Return the numbers of all processes below one, the nearest first."""
    children: dict[int, list[int]] = {}
    for one, parent in _pairs():
        children.setdefault(parent, []).append(one)
    found: list[int] = []
    ahead = [pid]
    while ahead:
        below = children.get(ahead.pop(0), [])
        found += below
        ahead += below
    return found


def end_all(pids: Iterable[int]) -> None:
    """End processes at once (SIGKILL)."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def _pairs() -> Iterable[tuple[int, int]]:
    """Yield each process with its parent."""
    if not (_PROC / "self" / "stat").exists():
        yield from _listed()
        return
    for one in os.listdir(_PROC):
        if one.isdigit():
            try:
                text = (_PROC / one / "stat").read_text("utf-8", "replace")
            except OSError:
                continue  # it has ended meanwhile
            yield int(one), int(text.rpartition(")")[2].split()[1])  # a name may hold spaces and brackets


def _listed() -> Iterable[tuple[int, int]]:
    try:
        done = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False, timeout=5)  # noqa: S607
    except (OSError, subprocess.TimeoutExpired):
        return
    for line in done.stdout.splitlines():
        one, parent = line.split()
        yield int(one), int(parent)
