"""A consumer of duplicates, to be killed: `python -m tests.integration.adapters.duplicating FOLDER STORE NAME`.

It delivers its events to a resolver, ten at a time as a queue does, those that failed again, until none is left. It
writes into the journal of the folder what it does, a line each: `begun`, `effect`, `stopped` with a key, `acknowledged`
with an event. `effect` is what a handler does in the world; a write of one line is one step.

FOLDER: holds the journal, `go`, `half` (files that let consumers go on) and `clock`, by how many seconds the clock is
    put forward.
STORE: which store, and where: `dynamodb URL TABLE` or `redis URL PREFIX`, in one argument.
NAME: of the consumer. STOP (environment): at which of its runs it stops for good; AT: `before` or `after` the effect.
ASYNC: whether its handler is async.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from adapters.aws import Aws, Settings
from adapters.idempotency import IdempotencyTable
from adapters.redis import Redis, RedisStore
from router import Event, Resolver
from router.guards import Idempotent, attempts
from router.testing import samples
from tests.integration.adapters.workers import until
from tests.servers.aws import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY

EVENTS, KEYS, CONSUMERS = 1_000, 100, 4
VICTIMS = {"2": KEYS // 2, "3": KEYS * 3 // 4}  # consumers that stop, and the key with which they begin
BATCH = 10
IN_PROGRESS_FOR = 900
DEADLINE_S = 60.0


def events_of(name: str) -> list[int]:
    """The numbers of a consumer's events, of each key two or three. A victim begins with what nobody else does yet."""
    own = [number for number in range(EVENTS) if str(number // KEYS % CONSUMERS) == name]
    first = VICTIMS.get(name, 0)
    return sorted(own, key=lambda number: ((number - first) % KEYS, number))


def key_of(number: int) -> int:
    """The key of an event."""
    return number % KEYS


def is_early(number: int) -> bool:
    """Whether an event is delivered before the victims have stopped."""
    return key_of(number) < KEYS // 2


def make_store(words: str) -> Any:
    """A store by the words of the command line."""
    kind, url, name = words.split()
    if kind == "redis":
        return RedisStore(Redis(url, timeout=10), prefix=name)
    settings = Settings(
        region=REGION, endpoint=url, access_key_id=ACCESS_KEY_ID, secret_access_key=SECRET_ACCESS_KEY, backoff=0
    )
    return IdempotencyTable(Aws(settings), table=name)


class Consumer:
    """Handles events, and writes down what it does."""

    def __init__(self, folder: Path, store: Any, name: str) -> None:
        self._folder = folder
        self._name = name
        self._journal = os.open(folder / "journal.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._stop, self._at = int(os.environ.get("STOP", "0")), os.environ.get("AT", "")
        self._runs = 0
        self._resolver = Resolver()
        once = Idempotent(store, key=lambda event: str(event.json()["key"]), in_progress_for=IN_PROGRESS_FOR)
        handler: Any = self.pay_later if os.environ.get("ASYNC") else self.pay
        self._resolver.on_queue("payments", middleware=[once])(handler)

    def write(self, *words: object) -> None:
        os.write(self._journal, (" ".join(map(str, (*words, self._name))) + "\n").encode())

    def pay(self, event: Event) -> None:
        key = event.json()["key"]
        self._runs += 1
        self.write("begun", key)
        self._stop_at("before", key)
        self.write("effect", key)
        self._stop_at("after", key)

    async def pay_later(self, event: Event) -> None:
        self.pay(event)

    def _stop_at(self, moment: str, key: int) -> None:
        if self._runs == self._stop and self._at == moment:
            self.write("stopped", key)
            while True:
                signal.pause()

    def work(self) -> None:
        """Deliver all events until each is acknowledged."""
        self.write("ready", "-")
        self._wait_for("go")
        numbers = events_of(self._name.removeprefix("again-"))
        if self._name in VICTIMS:
            self._deliver(numbers)
            return
        self._deliver([number for number in numbers if is_early(number)])
        self._wait_for("half")
        self._deliver([number for number in numbers if not is_early(number)])

    def _deliver(self, numbers: list[int]) -> None:
        while numbers:
            left = [number for at in range(0, len(numbers), BATCH) for number in self._batch(numbers[at : at + BATCH])]
            if len(left) == len(numbers):
                time.sleep(0.02)  # all of them are in progress; a queue would not deliver them at once, either
            numbers = left

    def _batch(self, numbers: list[int]) -> list[int]:
        """Deliver a batch; return what is to be delivered again."""
        records = [
            {**samples.sqs_record("payments", {"key": key_of(number)}), "messageId": str(number)} for number in numbers
        ]
        answer = self._resolver.resolve({"Records": records})
        failed = {int(one["itemIdentifier"]) for one in answer["batchItemFailures"]}
        for number in numbers:
            if number not in failed:
                self.write("acknowledged", number)
        return [number for number in numbers if number in failed]

    def _wait_for(self, file: str) -> None:
        until((self._folder / file).exists, file, DEADLINE_S)


def main(folder: Path, store: str, name: str) -> None:
    clock = folder / "clock"
    vars(attempts)["time"] = lambda: time.time() + (float(clock.read_text()) if clock.exists() else 0)
    Consumer(folder, make_store(store), name).work()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
