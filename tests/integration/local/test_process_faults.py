"""Faults on purpose in a local run: the supervisor and the application's process obey the same rules."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from router.local.calls import Call
from router.local.process.faulty import hit
from router.testing.faults import Fault, Faults
from tests.integration.local.supervised import Bench, message, request, run, supervised
from tests.servers.moto import MotoServer

APPLICATION = """
    import os
    from router import QueueEvent, Resolver

    resolver = Resolver()

    def note(text):
        with open("seen.txt", "a") as file:
            file.write(text + "\\n")

    @resolver.get("/orders/{order_id}")
    def show(order_id: str):
        note(f"GET {order_id}")
        return order_id

    @resolver.on_queue("orders")
    def order(event: QueueEvent):
        note(f"{event.id} {event.attempt}")
"""


def seen(bench: Bench) -> list[str]:
    """Return what the handlers noted."""
    path = bench.folder / "seen.txt"
    return path.read_text().splitlines() if path.exists() else []


def put(bench: Bench, *rules: Fault) -> None:
    bench.supervisor.faults.set(rules)
    bench.supervisor.put_faults()


def test_a_call_without_a_rule_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path, APPLICATION) as bench:
            put(bench, Fault("kill", route="sqs orders"))
            assert await bench.body("/orders/7") == "7"
            assert bench.journal.of("done")[0]["fault"] is None

    run(main())


def test_a_killed_process_is_seen_as_that_and_another_one_follows(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path, APPLICATION) as bench:
            put(bench, Fault("kill", service="http", times=1))
            outcome = await bench.get("/orders/7")
            assert outcome.became == "died"
            assert seen(bench) == ["GET 7"]  # it was done, and nobody heard of it
            (entry,) = bench.journal.of("died")
            assert entry["fault"] == "kill http"
            assert await bench.body("/orders/8") == "8"

    run(main())


def test_a_lost_answer_was_handled(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path, APPLICATION) as bench:
            put(bench, Fault("lost answer", route="GET /orders/*", times=1))
            outcome = await bench.get("/orders/7")
            assert (outcome.became, outcome.answer) == ("lost answer", None)
            (entry,) = bench.journal.of("lost answer")
            assert (entry["route"], entry["fault"]) == ("GET /orders/{order_id}", "lost answer GET /orders/*")
            assert entry["answer"]["body"] == "7"
            assert await bench.body("/orders/8") == "8"

    run(main())


def test_a_duplicate_comes_twice_and_both_are_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path, APPLICATION) as bench:
            put(bench, Fault("duplicate", route="sqs orders"))
            outcome = await bench.supervisor.invoke(Call(message("orders"), "aws"))
            assert outcome.answer == {"batchItemFailures": []}
            assert seen(bench) == ["m1 1", "m1 2"]
            assert [one["attempt"] for one in bench.journal.of("done")] == [1, 2]

    run(main())


def test_a_latency_takes_its_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path, APPLICATION) as bench:
            put(bench, Fault("latency", ms=150))
            began = perf_counter()
            await bench.get("/orders/7")
            assert perf_counter() - began >= 0.15
            assert bench.supervisor.faults.hits() == 1

    run(main())


CALLING = """
    import boto3
    from botocore.config import Config
    from router import Resolver

    resolver = Resolver()
    sqs = boto3.client("sqs", config=Config(retries={"mode": "standard", "total_max_attempts": 3}))

    @resolver.get("/")
    def show():
        return {"retries": sqs.list_queues()["ResponseMetadata"]["RetryAttempts"]}
"""


def test_calls_of_aws_go_wrong_also_after_a_reload(tmp_path: Path, moto_server: MotoServer) -> None:
    async def main() -> None:
        async with supervised(tmp_path, CALLING, aws=moto_server.environment()) as bench:
            put(bench, Fault("throttle", service="sqs", times=4))
            assert (await bench.get("/")).answer["statusCode"] == 500
            assert bench.supervisor.faults.hits() == 3
            (call,) = bench.journal.of("failed")[0]["calls"]
            assert (call["fault"], call["tries"], call["error"]) == ("throttle sqs", 3, "ThrottlingException")
            bench.supervisor.reload()
            await bench.reloaded(1)
            assert await bench.body("/") == '{"retries":1}'  # one hit was left
            assert await bench.body("/") == '{"retries":0}'
            assert bench.supervisor.faults.hits() == 4

    run(main())


ROUTES: list[dict[str, Any]] = [
    {"route": "GET /a/{x}", "sources": ["http"], "methods": ["GET"], "path": "/a/{x}", "match": "/a/{x}"},
    {"route": "GET /a/new", "sources": ["http"], "methods": ["GET"], "path": "/a/new", "match": "/a/new"},
    {"route": "GET /f/{x+}", "sources": ["http"], "methods": ["GET"], "path": "/f/{x+}", "match": "/f/{x+}"},
    {"route": "sqs ${QUEUE}", "sources": ["sqs"], "methods": [], "path": None, "match": "${QUEUE}"},
    {"route": "sqs mail-*", "sources": ["sqs"], "methods": [], "path": None, "match": "mail-*"},
]


@pytest.mark.parametrize(
    ("event", "route"),
    [
        (request("/a/7"), "GET /a/{x}"),
        (request("/a/new"), "GET /a/new"),
        (request("/f/a/b"), "GET /f/{x+}"),
        (message("orders"), "sqs ${QUEUE}"),
        (message("mail-out"), "sqs mail-*"),
    ],
)
def test_the_route_of_a_call_is_found_by_its_names(event: Any, route: str) -> None:
    variables = {"QUEUE": "http://localhost:4566/000000000000/orders"}
    for one in ROUTES:
        faults = Faults([Fault("kill", route=str(one["route"]))])
        assert bool(hit(faults, Call(event, "aws"), ROUTES, variables)) == (one["route"] == route)
