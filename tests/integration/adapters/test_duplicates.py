"""A thousand events over a hundred keys, delivered to several processes at once, two of which are killed half-way.

What is counted are the effects that handlers write into a file, outside of the store. One victim is killed before its
effect, the other between its effect and the note of it: that one's work is done twice, which no store can prevent.
DynamoDB is MiniStack: moto checks a condition and writes in two steps.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adapters.idempotency import IdempotencyTable
from router import Event, Resolver
from router.guards import Idempotent, MemoryStore, attempts
from router.testing import samples
from tests.integration.adapters.duplicating import EVENTS, IN_PROGRESS_FOR, KEYS, VICTIMS, events_of, key_of
from tests.integration.adapters.places import aws_of
from tests.integration.adapters.workers import Journal, until
from tests.servers.locations import REPOSITORY
from tests.servers.miniredis import RedisServer
from tests.servers.ministack import MiniStack
from tests.servers.process import ChildProcess

DEADLINE_S = 60.0
STOP = 5  # at which of its runs a victim stops
SURVIVORS = ["0", "1"]


class Consumers:
    """The consumers of one store, and what they have written."""

    def __init__(self, folder: Path, store: str, **environment: str) -> None:
        self.folder = folder
        self._store = store
        self._environment = {**os.environ, **environment}
        self._journal = Journal(folder / "journal.txt")
        self._started: list[ChildProcess] = []

    def start(self, name: str, **environment: str) -> ChildProcess:
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "tests.integration.adapters.duplicating",
            self.folder,
            self._store,
            name,
        ]
        child = ChildProcess(
            f"consumer {name}",
            command,
            log=self.folder / f"{name}.log",
            env={**self._environment, **environment},
            cwd=REPOSITORY,
        )
        self._started.append(child)
        return child

    def wrote(self, what: str) -> list[tuple[int, str]]:
        """What was written of a kind: key or event, and consumer."""
        return [(int(number), name) for word, number, name in self._journal.lines() if word == what]

    def ready(self) -> int:
        return sum(line[0] == "ready" for line in self._journal.lines())

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        ended = [child for child in self._started if child.exit_code not in (None, 0, -signal.SIGKILL)]
        assert not ended, ended[0].output
        until(condition, what, DEADLINE_S)

    def let(self, file: str, text: str = "") -> None:
        unfinished = self.folder / f"{file}.unfinished"
        unfinished.write_text(text)
        unfinished.rename(self.folder / file)

    def stop(self) -> None:
        for child in self._started:
            child.stop()


@pytest.fixture(params=["redis", "redis-async", "dynamodb"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Consumers, Callable[[float], None]]]:
    """Consumers of a store, and how its clock is put forward."""
    kind, name = str(request.param), uuid.uuid4().hex
    with ExitStack() as stack:
        if kind == "dynamodb":
            ministack: MiniStack = request.getfixturevalue("ministack")
            aws = aws_of(ministack)
            stack.callback(aws.close)
            IdempotencyTable(aws, table=name).create_table()
            consumers = Consumers(tmp_path, f"dynamodb {ministack.url} {name}")
            advance: Callable[[float], None] = lambda seconds: consumers.let("clock", str(seconds))  # noqa: E731
        else:
            redis: RedisServer = request.getfixturevalue("own_redis")
            environment = {"ASYNC": "1"} if kind == "redis-async" else {}
            consumers = Consumers(tmp_path, f"redis {redis.url} {name}:", **environment)
            advance = redis.advance
        stack.callback(consumers.stop)
        yield consumers, advance


@pytest.mark.timeout(240)
def test_each_key_is_done_once_with_consumers_killed_half_way(
    place: tuple[Consumers, Callable[[float], None]],
) -> None:
    consumers, advance = place
    victims = {
        moment: consumers.start(name, STOP=str(STOP), AT=moment)
        for name, moment in zip(VICTIMS, ("before", "after"), strict=True)
    }
    survivors = [consumers.start(name) for name in SURVIVORS]
    consumers.wait(lambda: consumers.ready() == 4, "four consumers")
    consumers.let("go")

    consumers.wait(lambda: len(consumers.wrote("stopped")) == 2, "both victims in the midst of a handler")
    for victim in victims.values():
        victim.signal(signal.SIGKILL)
        victim.wait()
    held = {name: key for key, name in consumers.wrote("stopped")}
    again = [consumers.start(f"again-{name}") for name in VICTIMS]  # what was delivered to the dead comes to others
    consumers.let("half")

    # Each key but those of the dead is done and acknowledged; for theirs everybody is refused meanwhile.
    expected = {
        number for name in (*SURVIVORS, *VICTIMS) for number in events_of(name) if key_of(number) not in held.values()
    }
    alive = {*SURVIVORS, *(f"again-{name}" for name in VICTIMS)}
    consumers.wait(
        lambda: expected <= {number for number, name in consumers.wrote("acknowledged") if name in alive},
        "the others done",
    )
    assert Counter(key for key, _ in consumers.wrote("begun")) == dict.fromkeys(range(KEYS), 1)

    advance(IN_PROGRESS_FOR + 1)
    consumers.wait(lambda: all(child.exit_code == 0 for child in (*survivors, *again)), "every consumer done")
    acknowledged = {number for number, name in consumers.wrote("acknowledged") if name in alive}
    assert acknowledged == set(range(EVENTS))
    begun = Counter(key for key, _ in consumers.wrote("begun"))
    assert begun == {key: 2 if key in held.values() else 1 for key in range(KEYS)}
    # Exactly 100, and one more: that of the process that was killed between its effect and the note of it.
    effects = Counter(key for key, _ in consumers.wrote("effect"))
    assert effects == {key: 2 if key == held["3"] else 1 for key in range(KEYS)}
    assert sum(effects.values()) == KEYS + 1


def test_in_memory_threads_that_hang_are_as_good_as_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = 0.0
    monkeypatch.setattr(attempts, "time", lambda: time.time() + passed)
    resolver, hanging, leave = Resolver(), threading.Semaphore(0), threading.Event()
    ran: list[tuple[int, str]] = []
    once = Idempotent(MemoryStore(), key=lambda event: str(event.json()["key"]), in_progress_for=IN_PROGRESS_FOR)

    @resolver.on_queue("payments", middleware=[once])
    def pay(event: Event) -> None:
        key = event.json()["key"]
        if key in (7, 77) and not passed:
            hanging.release()
            leave.wait(DEADLINE_S)
            ran.append((key, "late"))
            return
        ran.append((key, "done"))

    def deliver(number: int) -> bool:
        answer: Any = resolver.resolve(samples.sqs("payments", [{"key": number % KEYS}]))
        return not answer["batchItemFailures"]

    with ThreadPoolExecutor(10) as pool:
        try:
            first = [pool.submit(deliver, number) for number in range(EVENTS)]
            for _ in range(2):
                assert hanging.acquire(timeout=DEADLINE_S)
            until(lambda: sum(one.done() for one in first) == EVENTS - 2, "all but two", DEADLINE_S)
            refused = [number for number, one in enumerate(first) if one.done() and not one.result()]
            assert {7, 77} <= {number % KEYS for number in refused}
            assert sorted(key for key, _ in ran) == [key for key in range(KEYS) if key not in (7, 77)]
            passed = IN_PROGRESS_FOR + 1
            assert all(pool.map(deliver, refused))
        finally:
            leave.set()
    assert sorted(ran) == sorted([*((key, "done") for key in range(KEYS)), (7, "late"), (77, "late")])
