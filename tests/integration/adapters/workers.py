"""Workers for tests: in a thread of this process, or as the command in a process of its own."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.sqs import Sqs
from adapters.worker import Report, Worker
from tests.servers.aws import AwsServer
from tests.servers.locations import REPOSITORY
from tests.servers.process import ChildProcess, wait_until

DEADLINE_S = 30.0
# One route for any queue: writes what it handled into the file JOURNAL, as told by the message.
APPLICATION = "tests.integration.adapters.journal_app:resolver"


def until(condition: Any, what: str, timeout_s: float = DEADLINE_S) -> None:
    """Wait for a condition; fails with `what` did not come."""
    assert wait_until(condition, timeout_s=timeout_s), f"{what}: not within {timeout_s:g} s"


class Running:
    """A worker in a thread, and what it told of."""

    def __init__(self, resolver: Any, queues: list[str], sqs: Sqs, **options: Any) -> None:
        self.reports: list[Report] = []
        options = {"wait": 1, "visibility": 2, "drain": 10, "on_report": self.reports.append, **options}
        self.worker = Worker(queues, sqs=sqs, **options)
        self.code: int | None = None
        self._thread = threading.Thread(target=self._work, args=(resolver,), daemon=True)
        self._thread.start()

    def _work(self, resolver: Any) -> None:
        self.code = self.worker.run(resolver)

    def stop(self) -> int:
        """Ask it to end, wait until it has, and give its exit code."""
        self.worker.stop()
        return self.ended()

    def ended(self) -> int:
        """Wait until it has ended, and give its exit code."""
        self._thread.join(DEADLINE_S)
        assert self.code is not None, "the worker did not end"
        return self.code

    @property
    def runs(self) -> bool:
        return self._thread.is_alive()


@contextmanager
def running(resolver: Any, *queues: str, sqs: Sqs, **options: Any) -> Iterator[Running]:
    """A worker that runs while the `with` block does."""
    worker = Running(resolver, list(queues), sqs, **options)
    try:
        yield worker
    finally:
        if worker.runs:
            worker.stop()


class Journal:
    """What handlers wrote: lines of words."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[list[str]]:
        """All that was written, in order; a line that is being written is left out."""
        if not self.path.exists():
            return []
        text, _, _ = self.path.read_text().rpartition("\n")
        return [line.split(" ") for line in text.splitlines()]


def start_worker(server: AwsServer, journal: Journal, log: Path, *arguments: str, **environ: str) -> ChildProcess:
    """The command, in a process of its own."""
    env = {**os.environ, **server.environment(), "JOURNAL": str(journal.path), **environ}
    return ChildProcess(
        "worker", [sys.executable, "-m", "router", "worker", *arguments], log=log, env=env, cwd=REPOSITORY
    )
