"""A supervisor with a real process, and a journal that can be waited for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

from router.local.calls import Call, Outcome
from router.local.entries import Entry
from router.local.process.supervisor import Supervisor
from router.local.settings import Settings
from tests.servers.process import wait_until

TIMEOUT_S = 60.0


class Pages:
    """A journal that keeps everything in order, and says when something new has come."""

    def __init__(self) -> None:
        self.begun: list[Entry] = []
        self.entries: list[Entry] = []
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []

    def began(self, call_id: str, entry: Entry) -> None:
        self.begun.append(entry)
        self.look()

    def ended(self, call_id: str, entries: list[Entry]) -> None:
        self.entries += entries
        self.look()

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.look()

    @property
    def notices(self) -> list[str]:
        """The texts of all notices so far."""
        return [str(one["name"]) for one in self.entries if one["kind"] == "notice"]

    def of(self, outcome: str) -> list[Entry]:
        """The entries of calls with an outcome."""
        return [one for one in self.entries if one["kind"] == "event" and one["outcome"] == outcome]

    async def until(self, condition: Callable[[], object]) -> None:
        """Waits until a condition holds; it is looked at whenever something is told."""
        if condition():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((condition, future))
        await asyncio.wait_for(future, TIMEOUT_S)

    def look(self) -> None:
        """Looks at all conditions that are waited for."""
        for condition, future in self._waiting:
            if not future.done() and condition():
                future.set_result(None)


class Bench:
    """A supervisor, its journal and the folder of its application."""

    def __init__(self, supervisor: Supervisor, journal: Pages, folder: Path) -> None:
        self.supervisor = supervisor
        self.journal = journal
        self.folder = folder
        self.states: list[str] = []
        supervisor.on_change(self._changed)

    def write(self, text: str, name: str = "app.py") -> None:
        """Saves a file of the application."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))

    async def get(self, path: str, **options: Any) -> Outcome:
        """Makes a request."""
        return await self.supervisor.invoke(Call(request(path), "http", **options))

    async def body(self, path: str, **options: Any) -> str:
        """Makes a request, and returns the body of its answer."""
        outcome = await self.get(path, **options)
        assert outcome.became == "answered", outcome
        return str(outcome.answer["body"])

    async def until(self, state: str) -> dict[str, Any]:
        """Waits for a state."""
        await self.journal.until(lambda: self.supervisor.state["state"] == state)
        return self.supervisor.state

    async def reloaded(self, times: int) -> None:
        """Waits until the application was replaced so many times since the start."""
        await self.journal.until(
            lambda: self.supervisor.state["reloads"] >= times and self.supervisor.state["state"] == "ready"
        )

    def _changed(self) -> None:
        self.states.append(self.supervisor.state["state"])
        self.journal.look()


@asynccontextmanager
async def supervised(
    folder: Path,
    text: str,
    *,
    settled: bool = True,
    application: str = "app:resolver",
    limit: float = 20,
    environment: Mapping[str, str] | None = None,
    aws: Mapping[str, str] | None = None,
    names: Mapping[str, Any] | None = None,
    prepare_with: Any = None,
    **options: Any,
) -> AsyncIterator[Bench]:
    """Runs an application; at the end no process of it may be left.

    text: of its module `app`. settled: whether it has started first. limit: of a call, in seconds.
    aws: variables of AWS. prepare_with: makes what its plan asks for. options: of `Supervisor`.
    """
    settings = Settings(application, folder=folder, timeout=limit, environment=environment or {})
    journal = Pages()
    supervisor = Supervisor(
        settings,
        journal,
        environment=lambda: aws or {},
        names=lambda: names or {},
        prepare=prepare_with,
        **options,
    )
    bench = Bench(supervisor, journal, folder)
    bench.write(text)
    before = set(children())  # servers of the tests
    await supervisor.start()
    try:
        if settled:
            await asyncio.wait_for(supervisor.settled(), TIMEOUT_S)
        yield bench
    finally:
        await asyncio.wait_for(supervisor.stop(), TIMEOUT_S)
        left = set(children()) - before
        assert not left, left


def run(test: Coroutine[Any, Any, None]) -> None:
    """Runs a test."""
    asyncio.run(asyncio.wait_for(test, 2 * TIMEOUT_S))


def request(path: str, method: str = "GET") -> dict[str, Any]:
    """An event of an HTTP API."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "localhost"},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "requestId": "r",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }


def message(queue: str, body: str = "{}") -> dict[str, Any]:
    """An event of a queue with one message."""
    return {
        "Records": [
            {
                "messageId": "m1",
                "receiptHandle": "h",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{queue}",
                "awsRegion": "us-east-1",
            }
        ]
    }


def children() -> list[str]:
    """The processes that this one has started and that are still there, dead ones that nobody waited for included."""
    found = []
    for one in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = one.read_text().rpartition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == os.getpid():
            found.append(name)
    return found


async def gone(pid: int) -> None:
    """Waits until a process has ended."""
    assert await asyncio.to_thread(wait_until, lambda: not is_alive(pid), timeout_s=TIMEOUT_S)


def is_alive(pid: int) -> bool:
    """Whether a process is there and runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False
