"""`Tasks`: tasks of ECS, each a process of its own that runs `junction task`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from contextlib import suppress
from time import perf_counter, time
from typing import TYPE_CHECKING
from uuid import uuid4

from router.local.entries import new_entry
from router.local.process.endings import exit_failure
from router.local.process.lambda_environment import LIBRARY, PACKAGE
from router.local.watch.failures import failure_of
from router.local.watch.task import SEEN, add_seen
from router.routing.functions import MAIN
from router.routing.slots import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from router.local.entries import Entry, Journal, LogLine
    from router.local.settings import Settings

_MOST_LINES = 2_000
_LONGEST_LINE = 4_000  # characters
_STOPS = 5.0  # seconds between SIGTERM and SIGKILL; ECS gives 30
_BOOT = (
    f"import sys; sys.path.insert(0, {LIBRARY!r}); "
    f"from {PACKAGE}.local.process.parent import end_with; end_with(int(sys.argv.pop(1))); "
    f"from {PACKAGE}.local.watch.task import watch_tasks; watch_tasks(); "
    f"from {PACKAGE}.cli import main; main('junction')"
)


class Tasks:
    """Run tasks. settings: of the run. journal: takes their entries. echo: takes what they print."""

    def __init__(self, settings: Settings, journal: Journal, echo: Callable[[str], None]) -> None:
        self._settings = settings
        self._journal = journal
        self._echo = echo
        self._running: set[asyncio.subprocess.Process] = set()

    async def run(
        self,
        name: str,
        application: str,
        environment: Mapping[str, str],
        routes: Iterable[Mapping[str, Any]],
        given: Mapping[str, str],
        *,
        links: Sequence[str] = (),
        call: str | None = None,
        replay_of: str | None = None,
        started: Callable[[asyncio.subprocess.Process], None] = lambda process: None,
    ) -> int:
        """Run a task, and return its exit status.

        name: of the task. application: `package.module:resolver`.
        environment: of the process. routes: of the application, to name the one that runs.
        given: what whoever starts it sets: the event of the task.
        links: keys by which the console finds who started it. started: is told of the process.
        call: the id by which its entry is found; a new one by default. replay_of: the entry that runs again.

        Raises:
            OSError: it cannot be started, as where its environment is too large.
            ValueError: the name of a variable holds `=` or a zero byte, or its value a zero byte.
        """
        entry = _entry(name, routes, given)
        if call is not None:
            entry["call"] = call
        if replay_of is not None:
            entry["replay_of"], entry["origin"] = replay_of, "replay"
        entry["links"] = list(links)
        if links:
            entry["origin"] = "aws"
        call_id = entry["call"]
        self._journal.began(call_id, entry)
        began = perf_counter()
        seen = os.path.join(tempfile.gettempdir(), f"junction-{call_id}.json")
        try:
            process = await self._start(application, name, {**environment, **given, SEEN: seen})
        except BaseException as error:
            ms = (perf_counter() - began) * 1000
            self._journal.ended(call_id, [{**entry, "ms": ms, "outcome": "failed", "error": failure_of(error)}])
            raise
        self._running.add(process)
        lines: list[LogLine] = []
        status = -signal.SIGKILL  # where nobody waits for its end
        try:
            started(process)
            await self._read(process, name, lines)
            status = await process.wait()
        finally:
            self._running.discard(process)
            _kill(process)
            add_seen(entry, seen)
            with suppress(OSError):
                os.unlink(seen)
            self._journal.ended(call_id, [_ended(entry, (perf_counter() - began) * 1000, status, lines)])
        return _code(status)

    async def stop(self) -> None:
        """End all tasks: in order at first (SIGTERM), and then by force."""
        running = list(self._running)
        for process in running:
            if process.returncode is None:
                process.terminate()
        if running:
            await asyncio.wait([asyncio.ensure_future(one.wait()) for one in running], timeout=_STOPS)
        self.kill()

    def kill(self) -> None:
        """End all tasks at once."""
        for process in self._running:
            _kill(process)

    async def _start(self, application: str, name: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", _BOOT, str(os.getpid()), "task", application, name),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._settings.folder,
            env={**environment, "TASK_NAME": name, "PYTHONUNBUFFERED": "1"},
        )

    async def _read(self, process: asyncio.subprocess.Process, name: str, lines: list[LogLine]) -> None:
        stream = process.stdout
        assert stream is not None  # noqa: S101 - it is a pipe
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the buffer: what was read so far is gone
                continue
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip("\n")
            self._echo(f"{name}: {text}")
            if len(lines) < _MOST_LINES:
                lines.append(
                    {"at": time(), "level": "INFO", "logger": "task", "message": text[:_LONGEST_LINE], "fields": {}}
                )


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        try:
            process.kill()
        except ProcessLookupError:
            pass


def _code(status: int) -> int:
    """Return the exit status of a process as a shell has it."""
    return status if status >= 0 else 128 - status


def _ended(entry: Entry, ms: float, status: int, lines: list[LogLine]) -> Entry:
    ended: Entry = {
        **entry,
        "ms": ms,
        "outcome": "done" if status == 0 else "died" if status < 0 else "failed",
        "answer": {"exitCode": _code(status)},
        "logs": lines,
    }
    if status < 0:
        ended["error"] = exit_failure(status, 0)
    return ended


def _entry(name: str, routes: Iterable[Mapping[str, Any]], given: Mapping[str, str]) -> Entry:
    tasks = [one for one in routes if "task" in one["sources"]]
    route = next((one for one in tasks if one["match"] == name), None)
    route = route or next((one for one in tasks if matches(one["match"], name)), None)
    return new_entry(
        "task",
        "task",
        origin="console",
        outcome="running",
        call=str(uuid4()),
        route=None if route is None else route["route"],
        name=name,
        function=MAIN if route is None else route["function"],
        raw={**given, "TASK_NAME": name},
        logs=[],
        calls=[],
    )
