"""What the console tells of a task of ECS: its calls of AWS, its error and its session, beside what it printed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from textwrap import dedent

import pytest

from tests.integration.local.supervised import gone, run, supervised
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

    @resolver.on_task("long")
    def long():
        import os, time
        print("pid", os.getpid(), flush=True)
        time.sleep(1000)
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


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"NAME=": "x"}, "ValueError"),
        ({"NAME\0": "x"}, "ValueError"),
        ({"NAME": "x\0"}, "ValueError"),
        ({"NAME": "x" * 2**22}, "OSError"),
    ],
)
def test_a_task_that_cannot_be_started_has_failed(tmp_path: Path, given: dict[str, str], error: str) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APPLICATION) as bench:
            with pytest.raises((ValueError, OSError)):
                await bench.supervisor.run_task("nightly", given)
            [entry] = [one for one in bench.journal.entries if one["kind"] == "task"]
            assert (entry["outcome"], entry["call"]) == ("failed", bench.journal.begun[0]["call"])
            assert entry["ms"] is not None
            failure = entry["error"]
            assert failure is not None
            assert failure["type"] == error

    run(check())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_task_ends_when_the_gateway_is_killed(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(dedent(APPLICATION))
    code = f"""
import asyncio
from pathlib import Path
from tests.integration.local.supervised import Pages
from router.local.process.supervisor import Supervisor
from router.local.settings import Settings
async def main():
    folder = Path({str(tmp_path)!r})
    supervisor = Supervisor(Settings("app:resolver", folder=folder), Pages(), say=lambda line: print(line, flush=True))
    await supervisor.start()
    await supervisor.settled()
    await supervisor.run_task("long")
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdout is not None
        pid = next(int(line.split()[-1]) for line in gateway.stdout if line.startswith("long: pid"))
        os.kill(gateway.pid, signal.SIGKILL)

    async def check() -> None:
        await gone(pid)

    run(check())
