"""Workers of pytest-xdist side by side: each has servers of its own, and a test that measures time runs alone.

`@pytest.mark.alone` is for a test whose outcome depends on having the machine for itself. The other workers finish the
test they are at, then wait. It is a mark and not a second run, which would collect and start all servers again.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TURNS = pytest.StashKey["Turns"]()
FOLDER = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


class Turns:
    """Lets tests of several processes run side by side, or one of them without the others.

    Whoever waits to be alone holds the gate, so that nobody who comes later overtakes it.
    """

    def __init__(self, folder: Path) -> None:
        self._gate = os.open(folder / "gate", os.O_CREAT | os.O_RDWR, 0o600)
        self._running = os.open(folder / "running", os.O_CREAT | os.O_RDWR, 0o600)

    @contextmanager
    def turn(self, *, alone: bool) -> Iterator[None]:
        """Wait for one's turn, and end it."""
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._running, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._running, fcntl.LOCK_UN)


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark; a worker joins the others of its run. Without workers every test is alone."""
    config.addinivalue_line("markers", "alone: the outcome depends on having the machine for itself")
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[TURNS] = Turns(Path(worker["turns"]))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker that is about to start where the others are met."""
    stash = node.config.stash
    if FOLDER not in stash:
        stash[FOLDER] = tempfile.TemporaryDirectory(prefix="junction-tests-")
    node.workerinput["turns"] = stash[FOLDER].name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the workers shared."""
    folder = config.stash.get(FOLDER, None)
    if folder is not None:
        folder.cleanup()


# First of all: time spent waiting does not count towards the time limit of a test.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test when it is its turn."""
    turns = item.config.stash.get(TURNS, None)
    if turns is None:
        return (yield)
    with turns.turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)
