"""What an application may do to its process and to the wire, and how a supervisor ends."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from router.local.calls import Call
from router.local.entries import Entry
from router.local.process import running as running_module
from router.local.process.running import Running
from router.local.process.starting import start, variables_of_process
from router.local.settings import Settings
from tests.integration.local.supervised import TIMEOUT_S, children, gone, is_alive, run, supervised
from tests.servers.process import wait_until

APP = """
    import os, subprocess, sys, threading, time
    from router import Resolver

    resolver = Resolver()

    @resolver.get("/fine")
    def fine():
        return "fine"

    @resolver.on_invoke("large")
    def large(event):
        return "x" * event.json()["size"]

    @resolver.on_invoke("back")
    def back(event):
        return len(event.json()["text"])

    @resolver.get("/write/{text}")
    def write(text: str):
        os.write(int(sys.argv[1]), {"garbage": b"hello, is this the wire?", "huge": b"\\x23\\xff\\xff\\xff\\xff"}[text])
        time.sleep(30)

    @resolver.get("/close")
    def close():
        os.close(int(sys.argv[1]))

    @resolver.get("/memory")
    def memory():
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
        return str(len(b"x" * 2**31))

    @resolver.get("/start")
    def start():
        child = subprocess.Popen(["sleep", "1000"])
        with open("pid", "w") as held:
            held.write(str(child.pid))
        time.sleep(1000)

    @resolver.get("/daemon")
    def daemon():
        # The shell ends at once; the other one has a session of its own, and no parent any more.
        subprocess.run(["sh", "-c", "setsid sleep 1000 & echo $! > pid"], check=True)
        return "started"

    @resolver.get("/many")
    def many():
        for _ in range(300):
            subprocess.Popen(["sleep", "30"])

    @resolver.get("/hang")
    def hang():
        time.sleep(1000)

    @resolver.get("/nan")
    def nan():
        return {"statusCode": 200, "body": "", "headers": {"x": float("nan")}}

    @resolver.get("/async")
    async def asynchronous():
        import asyncio
        await asyncio.sleep(0)
        return "fine"
"""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/write/garbage", "what came is not a frame"),
        ("/write/huge", "was announced; at most 67,108,864 are taken"),
        ("/close", ""),  # the process says it
    ],
)
def test_broken_wire_ends_the_process_and_another_one_follows(
    tmp_path: Path, path: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            outcome = await bench.get(path)
            assert outcome.became == "died"
            assert await bench.body("/fine") == "fine"

    run(check())
    assert said in capsys.readouterr().err


def test_large_payloads_come_through_and_too_large_ones_are_errors(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            invoke = bench.supervisor.invoke
            size = 6 * 1024 * 1024 - 100
            outcome = await invoke(Call({"action": "large", "data": {"size": size}}, "invoke"))
            assert len(outcome.answer) == size
            outcome = await invoke(Call({"action": "large", "data": {"size": size + 200}}, "invoke"))
            assert outcome.error is not None
            assert outcome.error["errorType"] == "AnswerTooLarge"
            outcome = await invoke(Call({"action": "back", "data": {"text": "x" * (60 * 1024 * 1024)}}, "invoke"))
            assert outcome.answer == 60 * 1024 * 1024
            outcome = await invoke(Call({"action": "back", "data": {"text": "x" * (65 * 1024 * 1024)}}, "invoke"))
            assert outcome.error is not None
            assert "do not fit into a frame" in outcome.error["errorMessage"]
            assert await bench.body("/fine") == "fine"

    run(check())


def test_event_that_is_no_json_is_an_error(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            outcome = await bench.supervisor.invoke(Call({"action": object()}, "invoke"))
            assert outcome.became == "failed"
            assert outcome.error is not None
            assert "cannot be written as JSON" in outcome.error["errorMessage"]

    run(check())


def test_handler_that_eats_memory_fails_and_others_go_on(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            assert (await bench.get("/memory")).became in ("answered", "failed", "died")
            assert await bench.body("/fine") == "fine"
            [entry] = [one for one in bench.journal.entries if one.get("path") == "/memory"]
            assert entry["outcome"] in ("failed", "died")

    run(check())


def test_what_a_hanging_handler_has_started_ends_with_it(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            outcome = await bench.get("/start", timeout=0.5)
            assert outcome.became == "timed out"
            await gone(int((tmp_path / "pid").read_text()))

    run(check())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it becomes a child of the system's first process")
def test_what_a_handler_has_left_behind_ends_with_the_process(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            assert await bench.body("/daemon") == "started"
            pid = int((tmp_path / "pid").read_text())
            assert is_alive(pid)
        await gone(pid)

    run(check())


def test_death_is_told_to_all_calls_also_where_the_journal_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(call_id: str, entries: list[Entry]) -> None:
        monkeypatch.undo()
        raise OSError("the disk is full")

    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            calls = [asyncio.create_task(bench.get("/hang")) for _ in range(2)]
            await bench.journal.until(lambda: len(bench.journal.begun) == 2)
            monkeypatch.setattr(bench.journal, "ended", fail)
            bench.supervisor.kill()
            assert [(await one).became for one in calls] == ["died", "died"]
            assert await bench.body("/fine") == "fine"

    run(check())


@pytest.mark.parametrize("text", [APP, "raise ValueError('no orders')"])
def test_what_a_process_says_of_a_start_that_was_given_up_is_not_strange(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    waits = """
    import os, time
    open("imported", "w").close()
    while not os.path.exists("go"):
        time.sleep(0.01)
    """
    (tmp_path / "app.py").write_text(dedent(waits) + dedent(text))
    settings = Settings("app:resolver", folder=tmp_path)

    async def check() -> None:
        ended: list[Running] = []
        running = Running(
            begins=lambda pending: None,
            report=lambda *told: None,
            on_end=ended.append,
            on_stuck=lambda running, why: None,
            threads=1,
        )
        starting = asyncio.create_task(
            start(
                running,
                settings,
                environment=variables_of_process(settings, {}, {}),
                names={},
                prepare=None,
                threads=1,
                keep_byte_code=False,
            )
        )
        await asyncio.to_thread(wait_until, (tmp_path / "imported").exists, timeout_s=TIMEOUT_S)
        starting.cancel()
        await asyncio.wait([starting])
        (tmp_path / "go").touch()
        running.go({})
        says: list[asyncio.Future[Any]] = [running.ready, running.ended]
        await asyncio.wait(says, return_when=asyncio.FIRST_COMPLETED)
        running.kill()
        await running.ended
        assert ended == [running]

    run(check())
    assert "strange" not in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_what_is_started_while_a_process_is_killed_ends_with_it(tmp_path: Path) -> None:
    def left() -> list[Path]:
        found = []
        for one in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):
                found += [one] if one.readlink() == tmp_path and is_alive(int(one.parent.name)) else []
        return found

    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            many = asyncio.create_task(bench.get("/many"))
            await bench.journal.until(lambda: bench.journal.begun)
            bench.supervisor.kill()
            assert (await many).became == "died"
        assert await asyncio.to_thread(wait_until, lambda: not left(), timeout_s=10)

    run(check())


def test_loops_of_async_handlers_are_closed_at_the_end(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            bodies = await asyncio.gather(*(bench.body("/async") for _ in range(20)))
            assert bodies == ["fine"] * 20

    run(check())
    assert "Warning" not in capfd.readouterr().err


def test_stop_lets_calls_end(tmp_path: Path) -> None:
    app = """
    import os, time
    from router import Resolver

    resolver = Resolver()

    @resolver.get("/slow")
    def slow():
        while not os.path.exists("go"):
            time.sleep(0.01)
        return "done"
    """

    async def check() -> None:
        async with supervised(tmp_path, app) as bench:
            slow = asyncio.create_task(bench.body("/slow"))
            await bench.journal.until(lambda: bench.journal.begun)
            stopping = asyncio.create_task(bench.supervisor.stop())
            await asyncio.sleep(0)
            (tmp_path / "go").touch()
            await stopping
            assert await slow == "done"

    run(check())


def test_stop_that_is_cancelled_ends_everything_at_once(tmp_path: Path) -> None:
    before = set(children())  # servers of the tests

    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            hanging = asyncio.create_task(bench.get("/start"))
            await bench.journal.until(lambda: bench.journal.begun)
            task = asyncio.create_task(bench.supervisor.run_task("none"))
            stopping = asyncio.create_task(bench.supervisor.stop())
            await asyncio.sleep(0.05)
            stopping.cancel()
            await asyncio.wait([stopping])
            assert (await hanging).became == "died"
            await task
            assert set(children()) <= before

    run(check())


def test_debugger_holds_a_call_longer_than_it_may_take(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        dedent("""
        from router import Resolver

        resolver = Resolver()

        @resolver.get("/stop")
        def stop():
            answer = 1
            breakpoint()
            return str(answer)
        """)
    )
    code = f"""
import asyncio
from pathlib import Path
from tests.integration.local.supervised import Pages, request
from router.local.calls import Call
from router.local.process import running
from router.local.process.supervisor import Supervisor
from router.local.settings import Settings
running._DEBUGGED = 0.2
async def main():
    supervisor = Supervisor(Settings("app:resolver", folder=Path({str(tmp_path)!r})), Pages())
    await supervisor.start()
    outcome = await supervisor.invoke(Call(request("/stop"), "http", timeout=0.5))
    print("OUTCOME", outcome.became, outcome.answer, flush=True)
    await supervisor.stop()
asyncio.run(main())
"""
    ours, theirs = pty.openpty()
    gateway = subprocess.Popen(
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    seen = b""

    def read_until(text: bytes) -> None:
        nonlocal seen
        while text not in seen:
            seen += os.read(ours, 4096)

    read_until(b"(Pdb) ")
    # Longer than the call may take, and than it is looked at again.
    with pytest.raises(subprocess.TimeoutExpired):
        gateway.wait(1.5)
    seen = b""
    os.write(ours, b"answer = 42\n")
    read_until(b"(Pdb) ")
    os.write(ours, b"continue\n")
    read_until(b"OUTCOME")
    while not seen.endswith(b"\n"):
        seen += os.read(ours, 4096)
    gateway.wait(30)
    os.close(ours)
    assert b"OUTCOME answered" in seen
    assert b"'body': '42'" in seen


def test_processes_of_a_call_that_is_given_up_are_few(tmp_path: Path) -> None:
    assert running_module._KILL <= 2

    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            old = bench.supervisor.state["pid"]
            await bench.get("/start", timeout=0.2)
            await bench.reloaded(1)
            await gone(old)
            assert is_alive(bench.supervisor.state["pid"])

    run(check())
