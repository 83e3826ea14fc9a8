"""`python -m router worker` as a process: killed, stopped, started with the wrong words."""

from __future__ import annotations

import re
import signal
import uuid
from pathlib import Path

import pytest

from adapters.sqs import Message, Sqs
from router import Session
from tests.integration.adapters.killing import kill_and_count
from tests.integration.adapters.places import aws_of, make_queue
from tests.integration.adapters.workers import APPLICATION, Journal, start_worker, until
from tests.servers.elasticmq import ElasticMQ

READY = re.compile(r"receiving from")


class Place:
    """A queue and where the worker writes."""

    def __init__(self, server: ElasticMQ, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.aws = aws_of(server)
        self.sqs = Sqs(self.aws)
        self.queue = f"process-{uuid.uuid4().hex}"
        make_queue(self.aws, self.queue)
        self.journal = Journal(folder / "journal.txt")

    def start(self, *options: str, application: str = APPLICATION, queue: str | None = None):
        log = self.folder / "worker.log"
        return start_worker(self.server, self.journal, log, application, queue or self.queue, *options)

    def go_on(self) -> None:
        """Let the `slow` handlers end."""
        Path(f"{self.journal.path}.go").touch()

    def wrote(self, word: str) -> list[list[str]]:
        return [line for line in self.journal.lines() if line[0] == word]


@pytest.fixture
def place(elasticmq: ElasticMQ, tmp_path: Path):
    place = Place(elasticmq, tmp_path)
    yield place
    place.aws.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_killed_twice_it_loses_nothing(elasticmq: ElasticMQ, tmp_path: Path, fifo: bool):
    account = kill_and_count(
        elasticmq, tmp_path, messages=1000 if fifo else 2000, kill_at=(0.25, 0.6), fifo=fifo, timeout_s=100
    )

    assert account.lost == 0
    assert account.misplaced == 0
    # What was handled twice was under way in a worker when it was killed: at most its four calls of ten.
    assert account.unexplained == 0
    assert account.duplicates <= 2 * 4 * 10
    assert account.out_of_order == 0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_it_finish_what_runs(place: Place, stop: signal.Signals):
    place.sqs.send(place.queue, Message("1 slow", session=Session(tenant="acme")))
    worker = place.start("--wait", "1")
    until(lambda: bool(place.wrote("began")), "the handler's begin")
    worker.signal(stop)
    worker.wait_for_line(re.compile(f"{stop.name}: ending"), timeout_s=20)
    place.go_on()

    assert worker.wait() == 0
    assert [line[-1] for line in place.wrote("did")] == ["acme"]
    assert place.sqs.receive(place.queue, wait=0) == []


def test_a_handler_that_never_ends_does_not_keep_it_from_ending(place: Place):
    place.sqs.send(place.queue, "1 hang")
    worker = place.start("--wait", "1", "--drain", "1", "--visibility", "600")
    until(lambda: bool(place.wrote("began")), "the handler's begin")
    worker.signal(signal.SIGTERM)

    assert worker.wait() == 1
    assert "what was not done comes again" in worker.output
    # Released: it can be had at once, though its visibility was ten minutes.
    [again] = place.sqs.receive(place.queue, wait=5)
    assert again["body"] == "1 hang"


def test_metrics_and_log_tell_what_it_does(place: Place):
    place.sqs.send_many(place.queue, ["1", "2", "3"])
    hook = "tests.integration.adapters.journal_app:note"
    worker = place.start("--wait", "1", "--metrics", hook, "--verbose")
    until(lambda: sum(int(line[2]) for line in place.wrote("report")) == 3, "the reports")
    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert all(line[1] == place.queue for line in place.wrote("report"))
    assert f"receiving from {place.queue}: 4 calls at a time, 10 messages each" in worker.output
    assert re.search(rf"{place.queue}: \d of \d messages done in \d", worker.output)


def test_a_queue_that_is_not_there_ends_it_with_one_line(place: Place):
    worker = place.start(queue="nowhere")

    assert worker.wait() == 1
    assert "cannot work: sqs.get_queue_url nowhere: " in worker.output
    assert "Traceback" not in worker.output
