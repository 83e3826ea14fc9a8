"""A worker that is killed again and again, and the account of what became of its messages."""

from __future__ import annotations

import signal
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.sqs import Message, Sqs
from router import Session
from tests.integration.adapters.places import aws_of, make_queue
from tests.integration.adapters.workers import APPLICATION, Journal, start_worker, until
from tests.servers.aws import AwsServer
from tests.servers.process import ChildProcess


@dataclass(frozen=True)
class Account:
    """What became of the messages.

    lost: never handled. duplicates: handled more than once. unexplained: of those, the ones of which a handling other
    than the last was not by a worker that was killed. misplaced: handled without their session. out_of_order: of FIFO
    groups, handled before what stands ahead of it.
    """

    messages: int
    lost: int
    duplicates: int
    unexplained: int
    misplaced: int
    out_of_order: int
    handlings: int
    seconds: float


def kill_and_count(
    server: AwsServer, folder: Path, *, messages: int, kill_at: Sequence[float], fifo: bool = False, timeout_s: float
) -> Account:
    """Send messages, kill -9 the worker when so large parts of them are done, start another, and count."""
    aws = aws_of(server)
    sqs = Sqs(aws)
    queue = f"killed-{uuid.uuid4().hex}{'.fifo' if fifo else ''}"
    make_queue(aws, queue, **({"ContentBasedDeduplication": "true"} if fifo else {}))
    groups = 50 if fifo else 1
    sqs.send_many(
        queue,
        [
            Message(str(number), session=Session(tenant=_tenant(number)), group=f"g{number % groups}" if fifo else None)
            for number in range(messages)
        ],
    )
    journal = Journal(folder / "journal.txt")
    killed: set[str] = set()
    started = time.monotonic()

    def start(number: int) -> ChildProcess:
        # A short visibility, so that what a killed worker had comes again soon.
        options = ["--visibility", "3", "--wait", "1", "--concurrency", "4"]
        log = folder / f"worker-{number}.log"
        # Handlers that take a moment, so that a kill finds calls half done.
        return start_worker(server, journal, log, APPLICATION, queue, *options, PAUSE="0.002")

    worker = start(0)
    try:
        for number, part in enumerate(kill_at, 1):
            until(lambda part=part: len(journal.lines()) >= part * messages, f"{part:.0%} handled", timeout_s)
            worker.signal(signal.SIGKILL)
            worker.wait()
            killed.add(str(worker.pid))
            worker = start(number)
        until(lambda: len({line[1] for line in journal.lines()}) == messages, "every message handled", timeout_s)
        until(lambda: _is_empty(sqs, queue), "the queue empty", timeout_s)
        seconds = time.monotonic() - started
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0, worker.output
    finally:
        worker.stop()
        aws.close()
    return _account(journal, messages, groups, killed, seconds)


def _tenant(number: int) -> str:
    return f"t{number % 7}"


def _is_empty(sqs: Sqs, queue: str) -> bool:
    url = sqs.aws.call("sqs", "get_queue_url", QueueName=queue)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    held = sqs.aws.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)["Attributes"]
    return all(held[name] == "0" for name in names)


def _account(journal: Journal, messages: int, groups: int, killed: set[str], seconds: float) -> Account:
    lines = journal.lines()
    handlers: dict[int, list[str]] = defaultdict(list)
    misplaced = out_of_order = 0
    newest = [-1] * groups
    for _, id, process, _, _, tenant in lines:
        number = int(id)
        misplaced += tenant != _tenant(number)
        group = number % groups
        if groups > 1 and number not in handlers:
            out_of_order += number != (group if newest[group] < 0 else newest[group] + groups)
            newest[group] = number
        handlers[number].append(process)
    repeated = [processes for processes in handlers.values() if len(processes) > 1]
    return Account(
        messages=messages,
        lost=messages - len(handlers),
        duplicates=len(repeated),
        unexplained=sum(not killed.issuperset(processes[:-1]) for processes in repeated),
        misplaced=misplaced,
        out_of_order=out_of_order,
        handlings=len(lines),
        seconds=seconds,
    )
