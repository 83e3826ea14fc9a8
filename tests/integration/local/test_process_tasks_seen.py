"""What the console tells of a task of ECS: its calls of AWS, its error and its session, beside what it printed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.integration.local.supervised import run, supervised
from tests.servers.moto import MotoServer

APPLICATION = """
    import boto3
    from router import Resolver, Session

    resolver = Resolver()

    @resolver.on_task("nightly")
    def nightly(session: Session):
        print("working for", session.tenant)
        boto3.client("sqs").list_queues()
        return 0

    @resolver.on_task("broken")
    def broken():
        raise ValueError("no orders")

    @resolver.on_task("left")
    def left():
        import os
        os._exit(9)
"""


def left() -> set[Path]:
    """The files in which tasks say what was seen."""
    return set(Path(tempfile.gettempdir()).glob("junction-*.json"))


def test_a_task_is_watched(tmp_path: Path, moto_server: MotoServer) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APPLICATION, aws=moto_server.environment()) as bench:
            status = await bench.supervisor.run_task("nightly", {"SESSION": '{"tenant": "acme"}'})
            [entry] = [one for one in bench.journal.entries if one["kind"] == "task"]
            assert (status, entry["outcome"], entry["tenant"]) == (0, "done", "acme")
            assert [(one["action"], one["covered"]) for one in entry["calls"]] == [("sqs:ListQueues", False)]
            assert "working for acme" in [one["message"] for one in entry["logs"]]

    before = left()
    run(check())
    assert left() <= before


def test_the_error_of_a_task_has_its_lines(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APPLICATION) as bench:
            assert await bench.supervisor.run_task("broken") == 1
            [entry] = [one for one in bench.journal.entries if one["kind"] == "task"]
            failure = entry["error"]
            assert failure is not None
            assert (entry["outcome"], failure["type"], failure["message"]) == ("failed", "ValueError", "no orders")
            frame = failure["frames"][-1]
            assert frame["own"]
            assert frame["source"][frame["current"]][1].strip() == 'raise ValueError("no orders")'

    run(check())


def test_a_task_that_leaves_without_a_word_is_told_by_its_end(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APPLICATION) as bench:
            assert await bench.supervisor.run_task("left") == 9
            [entry] = [one for one in bench.journal.entries if one["kind"] == "task"]
            assert (entry["outcome"], entry["answer"]) == ("failed", {"exitCode": 9})

    run(check())
