"""Calls of AWS that handlers make: told with their event, and hit by faults."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from router import QueueEvent, Resolver
from router.environment import SQS
from router.local.watch.aws import is_local
from router.testing import Context, samples
from router.testing.faults import Fault

Put = Callable[[Resolver], Any]


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a client of a simulated SQS with a queue, made before the watch."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        retries: Any = {"mode": "standard", "max_attempts": 3}
        client = boto3.client("sqs", region_name="us-east-1", config=Config(retries=retries))
        monkeypatch.setenv("MAILS", client.create_queue(QueueName="mails")["QueueUrl"])
        monkeypatch.setenv("OTHERS", client.create_queue(QueueName="others")["QueueUrl"])
        yield client


def _sending(sqs: Any, variable: str = "MAILS") -> Resolver:
    import os

    resolver = Resolver()

    @resolver.post("/", requires={"MAILS": [SQS.SEND_MESSAGE]})
    def send() -> None:
        sqs.send_message(QueueUrl=os.environ[variable], MessageBody="hello")

    return resolver


def test_a_call_is_told_with_action_resource_and_key(watched: Put, sqs: Any) -> None:
    entry = watched(_sending(sqs)).entry(lambda client: client.post("/"))

    (call,) = entry["calls"]
    assert (call["service"], call["operation"], call["action"]) == ("sqs", "SendMessage", "sqs:SendMessage")
    assert call["resource"] == "arn:aws:sqs:us-east-1:123456789012:mails"
    assert call["links"][0].startswith("sqs:")
    assert (call["error"], call["fault"], call["tries"]) == (None, None, 1)
    assert call["covered"] is True
    assert call["needs"][0]["variables"] == ["MAILS"]


def test_a_call_that_nothing_covers_is_told(watched: Put, sqs: Any) -> None:
    entry = watched(_sending(sqs, "OTHERS")).entry(lambda client: client.post("/"))

    assert [call["covered"] for call in entry["calls"]] == [False]
    assert entry["calls"][0]["needs"][0]["variables"] == ["OTHERS"]


def test_a_call_that_fails_is_told_with_its_code(watched: Put, sqs: Any) -> None:
    resolver = Resolver()

    @resolver.post("/")
    def send() -> None:
        sqs.send_message(QueueUrl="https://sqs.us-east-1.amazonaws.com/123456789012/nowhere", MessageBody="x")

    entry = watched(resolver).entry(lambda client: client.post("/"))

    assert entry["calls"][0]["error"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert entry["calls"][0]["links"] == []


def test_a_call_belongs_to_the_event_whose_thread_makes_it(watched: Put, sqs: Any) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    async def order(event: QueueEvent) -> None:
        if event.text == "a":
            await asyncio.to_thread(sqs.list_queues)
        else:
            thread = threading.Thread(target=sqs.list_queues)
            thread.start()
            thread.join()

    entries = watched(resolver).entries(lambda client: client.queue("orders", ["a", "b"]))

    assert [[call["operation"] for call in entry["calls"]] for entry in entries] == [["ListQueues"], ["ListQueues"]]


def test_a_signed_url_is_told(watched: Put, sqs: Any) -> None:
    resolver, store = Resolver(), boto3.client("s3", region_name="us-east-1")

    @resolver.get("/")
    def sign() -> str:
        url: str = store.generate_presigned_url("get_object", Params={"Bucket": "reports", "Key": "a"})
        return url

    entry = watched(resolver).entry(lambda client: client.get("/"))

    assert [(call["action"], call["resource"]) for call in entry["calls"]] == [
        ("s3:GetObject", "arn:aws:s3:::reports/a")
    ]


def test_a_fault_hits_and_is_named(watched: Put, sqs: Any) -> None:
    watching = watched(_sending(sqs))
    watching.watch.faults.add(Fault("throttle", service="sqs", times=1, id="mails are slow"))

    entry = watching.entry(lambda client: client.post("/"))

    assert (entry["outcome"], entry["calls"][0]["fault"], entry["calls"][0]["tries"]) == ("done", "mails are slow", 2)


def test_nothing_is_told_of_a_call_outside_of_events(watched: Put, sqs: Any) -> None:
    watching = watched(_sending(sqs))
    sqs.list_queues()

    assert [call["operation"] for call in watching.entry(lambda client: client.post("/"))["calls"]] == ["SendMessage"]


def test_a_flood_of_calls_is_cut_and_counted(watched: Put, sqs: Any) -> None:
    resolver = Resolver()

    @resolver.post("/")
    def send() -> None:
        for _ in range(510):
            sqs.list_queues()

    entry = watched(resolver).entry(lambda client: client.post("/"))

    assert len(entry["calls"]) == 500
    assert entry["left_out"] == 10


def test_botocore_is_as_it_was_when_the_watch_is_gone() -> None:
    from botocore.client import BaseClient
    from botocore.endpoint import Endpoint

    from router.local.watch import Watch

    def functions() -> list[Any]:
        clients, endpoints = vars(BaseClient), vars(Endpoint)
        return [clients["_make_api_call"], clients["_emit_api_params"], endpoints["_do_get_response"]]

    before = functions()
    watch = Watch().install(Resolver())
    assert not any(new is old for new, old in zip(functions(), before, strict=True))
    watch.uninstall()

    assert functions() == before


def test_botocore_is_watched_that_is_imported_later_and_imported_by_nobody_else() -> None:
    script = """
import sys
from router import Resolver
from router.local.watch import Watch
watch = Watch().install(Resolver())
assert "botocore" not in sys.modules
from botocore.client import BaseClient
assert BaseClient._make_api_call.__wrapped__
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=sys.path[0])

    assert done.returncode == 0, done.stderr


def test_a_doomed_process_ends_in_the_middle_of_its_call() -> None:
    script = """
from router import Resolver
from router.local.watch import Watch
from router.testing import Context, samples
resolver = Resolver()
resolver.get("/")(lambda: print("handled", flush=True))
watch = Watch().install(resolver)
watch.doom("r1")
resolver.resolve(samples.rest("GET", "/"), Context(request_id="r1"))
print("answered", flush=True)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (-9, "handled\n"), done.stderr


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:3000/x", True),
        ("http://localhost:4566", True),
        ("http://s3.localhost:4566", True),
        ("http://[::1]:80/", True),
        ("https://sqs.us-east-1.amazonaws.com/", False),
        ("http://10.0.0.1/", False),
        ("http://localhost.example.com/", False),
    ],
)
def test_only_this_machine_is_local(url: str, local: bool) -> None:
    assert is_local(url) is local


def test_a_call_that_runs_is_told_as_far_as_it_has_come(watched: Put) -> None:
    resolver, told = Resolver(), []
    watching = watched(resolver)

    @resolver.get("/")
    def slow() -> None:
        told.extend(watching.watch.collect("call-1"))

    watching.client.event(samples.rest("GET", "/"), Context(request_id="call-1"))

    assert [(entry["outcome"], entry["ms"], entry["route"]) for entry in told] == [("running", None, "GET /")]
