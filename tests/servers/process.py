"""Child processes whose output is kept, and the servers that run in them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

from tests.servers.locations import REPOSITORY

_POLL_INTERVAL_S = 0.01
_STOP_TIMEOUT_S = 5.0
_LOG_TAIL_LINES = 40


class ServerError(Exception):
    """A server did not start, or did not do what the tests asked of it."""


def wait_until(condition: Callable[[], bool], *, timeout_s: float) -> bool:
    """Asks `condition` again and again until it holds; False when it still does not after `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_INTERVAL_S)
    return True


class ChildProcess:
    """A program in a process group of its own, started at once; all it prints goes to the file `log`.

    Raises ServerError when there is no such program.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self._log = log
        self._final_output: str | None = None
        try:
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    [str(word) for word in command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=None if env is None else dict(env),
                    cwd=cwd,
                    # Ctrl-C in the terminal reaches the tests alone, which then stop their servers in order.
                    start_new_session=True,
                )
        except OSError as error:
            raise ServerError(f"{name} cannot be started: {error}") from error

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def output(self) -> str:
        """All that was printed so far, standard output and standard error in one."""
        if self._final_output is not None:
            return self._final_output
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def exit_code(self) -> int | None:
        """The exit code, minus the signal's number after a signal, or None while the program runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Waits until the program has ended and returns its exit code."""
        return self._process.wait()

    def signal(self, number: int) -> None:
        """Sends a signal to the program and its own children; nothing happens when the program has ended."""
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def wait_for_line(self, pattern: re.Pattern[str], *, timeout_s: float) -> re.Match[str]:
        """Waits for output that matches; raises ServerError with the log on death and after `timeout_s` seconds."""
        found: re.Match[str] | None = None

        def decided() -> bool:
            nonlocal found
            ended = self.exit_code is not None  # asked first: what was printed before the end still counts
            found = pattern.search(self.output)
            return found is not None or ended

        wait_until(decided, timeout_s=timeout_s)
        if found is None:
            raise self.failure(f"was not ready after {timeout_s:.0f} s")
        return found

    def failure(self, what: str) -> ServerError:
        """An error that says what went wrong, how the program ended if it did, and shows the end of its log."""
        if self.exit_code is not None:
            what = f"ended with code {self.exit_code}"
        tail = "\n".join(self.output.splitlines()[-_LOG_TAIL_LINES:])
        return ServerError(f"{self.name} {what}; the end of its log:\n{tail or '(it printed nothing)'}")

    def stop(self) -> None:
        """Asks the program to end, makes it end after a few seconds, and keeps its output for later questions."""
        self.signal(signal.SIGTERM)
        self.finish()

    def finish(self) -> None:
        """Waits for a program that was asked to end, and kills it when it does not."""
        if not wait_until(lambda: self.exit_code is not None, timeout_s=_STOP_TIMEOUT_S):
            self.signal(signal.SIGKILL)
        self.wait()
        if self._final_output is None:
            self._final_output = self.output


class Server(ABC):
    """A server in a process of its own, to be used in a `with` block or by `start()` and `stop()`."""

    name: ClassVar[str]
    ready_line: ClassVar[re.Pattern[str]]
    """What the server prints when it listens; the group `url` is its address."""
    start_timeout_s: ClassVar[float] = 60.0
    folder: Path = REPOSITORY
    """Where it is started."""

    def __init__(self) -> None:
        self._child: ChildProcess | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._url: str | None = None

    @abstractmethod
    def command(self, folder: Path) -> Sequence[str | Path]:
        """The command that runs the server in the foreground; `folder` is a temporary folder for its files."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server answers a first request; asked until it does."""

    def variables(self) -> Mapping[str, str] | None:
        """The environment of the server; by default that of the tests."""
        return None

    @property
    def url(self) -> str:
        """The address of the running server."""
        if self._url is None:
            raise ServerError(f"{self.name} is not running")
        return self._url

    @property
    def pid(self) -> int | None:
        """The number of its process; None where none was started."""
        return None if self._child is None else self._child.pid

    def wait(self) -> int:
        """Waits until its process has ended, and returns the exit code."""
        if self._child is None:
            raise ServerError(f"{self.name} is not running")
        return self._child.wait()

    @property
    def log(self) -> str:
        """All that the server printed."""
        return "" if self._child is None else self._child.output

    def start(self) -> None:
        """Starts the server and waits until it answers; raises ServerError with its log when it does not."""
        self._folder = tempfile.TemporaryDirectory(prefix=f"{self.name}-")
        try:
            self._start_in(Path(self._folder.name))
        except BaseException:
            self.stop()
            raise

    def _start_in(self, folder: Path) -> None:
        deadline = time.monotonic() + self.start_timeout_s
        child = self._child = ChildProcess(
            self.name,
            self.command(folder),
            log=folder / "output.log",
            env=self.variables(),
            cwd=self.folder,
        )
        self._url = child.wait_for_line(self.ready_line, timeout_s=self.start_timeout_s)["url"]
        if not wait_until(lambda: child.exit_code is not None or self.answers(), timeout_s=deadline - time.monotonic()):
            raise child.failure("listens but does not answer")

    def stop(self) -> None:
        """Stops the server and removes its files; a second call does nothing."""
        self._url = None
        if self._child is not None:
            self._child.stop()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
