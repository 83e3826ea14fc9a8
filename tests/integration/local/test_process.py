"""The application's process: start, reload, broken code, hangs and deaths, with real processes and files."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from router.local.calls import Call
from router.local.process.streams import BrokenOff
from tests.integration.local.supervised import gone, is_alive, message, request, run, supervised

APP = """
    import os, sys, threading, time
    from router import Discard, Resolver, Response

    resolver = Resolver()

    @resolver.get("/version")
    def version():
        return "1"
"""


def test_first_call_waits_for_start(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP, settled=False) as bench:
            assert await bench.body("/version") == "1"
            state = bench.supervisor.state
            assert (state["state"], state["error"], state["reloads"]) == ("ready", None, 0)
            assert state["took_ms"] > 0
            assert is_alive(state["pid"])
            assert any(text.startswith("started in ") for text in bench.journal.notices)

    run(check())


def test_routes_are_told_with_the_place_of_their_handlers(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            [route] = bench.supervisor.routes
            assert (route["source"], route["route"], route["file"]) == ("http", "GET /version", "app.py")
            line = (tmp_path / "app.py").read_text().splitlines()[route["line"] - 1]
            assert line == '@resolver.get("/version")'
            assert bench.supervisor.plan is not None

    run(check())


def test_calls_run_at_the_same_time_and_first_one_in_the_main_thread(tmp_path: Path) -> None:
    app = (
        APP
        + """
    barrier = threading.Barrier(3)

    @resolver.get("/thread")
    def thread():
        name = threading.current_thread() is threading.main_thread()
        barrier.wait(20)
        return str(name)
    """
    )

    async def check() -> None:
        async with supervised(tmp_path, app) as bench:
            names = await asyncio.gather(*(bench.body("/thread") for _ in range(3)))
            assert sorted(names) == ["False", "False", "True"]

    run(check())


def test_more_calls_than_threads_wait_for_their_turn(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP, threads=2) as bench:
            bodies = await asyncio.gather(*(bench.body("/version") for _ in range(50)))
            assert bodies == ["1"] * 50
            assert len(bench.journal.of("done")) == 50

    run(check())


def test_failing_handler_is_told_as_lambda_does(tmp_path: Path) -> None:
    app = (
        APP
        + """
    @resolver.on_invoke("rebuild")
    def rebuild(event):
        raise LookupError("no such thing")
    """
    )

    async def check() -> None:
        async with supervised(tmp_path, app) as bench:
            outcome = await bench.supervisor.invoke(Call({"action": "rebuild"}, "invoke", request_id="r-1"))
            assert outcome.became == "failed"
            assert outcome.error is not None
            assert outcome.error["errorType"] == "LookupError"
            assert outcome.error["errorMessage"] == "no such thing"
            assert outcome.error["requestId"] == "r-1"
            assert any("rebuild" in line for line in outcome.error["stackTrace"])
            [entry] = bench.journal.of("failed")
            assert (entry["call"], entry["route"], entry["origin"]) == ("r-1", "invoke rebuild", "invoke")

    run(check())


def test_context_is_that_of_lambda(tmp_path: Path) -> None:
    app = """
    from router import Resolver
    resolver = Resolver()

    @resolver.on_invoke("who")
    def who(event):
        context = event.context
        return {
            "id": context.aws_request_id, "name": context.function_name, "arn": context.invoked_function_arn,
            "left": context.get_remaining_time_in_millis(), "custom": context.client_context.custom,
        }
    """

    async def check() -> None:
        async with supervised(tmp_path, app) as bench:
            call = Call({"action": "who"}, "invoke", request_id="r-7", timeout=9, client_context={"custom": {"a": 1}})
            answer = (await bench.supervisor.invoke(call)).answer
            assert 8_000 < answer.pop("left") <= 9_000
            assert answer == {
                "id": "r-7",
                "name": "app",
                "arn": "arn:aws:lambda:us-east-1:000000000000:function:app",
                "custom": {"a": 1},
            }

    run(check())


# ---- reload --------------------------------------------------------------------------------------------------------


def test_saved_file_replaces_the_application(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            before = bench.supervisor.state["pid"]
            bench.write(APP.replace('"1"', '"2"'))
            await bench.reloaded(1)
            assert await bench.body("/version") == "2"
            assert bench.supervisor.state["pid"] != before
            assert any("app.py changed" in text and "reloaded in" in text for text in bench.journal.notices)

    run(check())


def test_calls_under_way_end_in_the_old_process(tmp_path: Path) -> None:
    app = (
        APP
        + """
    @resolver.get("/slow")
    def slow():
        while not os.path.exists("go"):
            time.sleep(0.01)
        return "old"
    """
    )

    async def check() -> None:
        async with supervised(tmp_path, app) as bench:
            old = bench.supervisor.state["pid"]
            slow = asyncio.create_task(bench.body("/slow"))
            await bench.journal.until(lambda: bench.journal.begun)
            bench.write(app.replace('"old"', '"new"'))
            await bench.reloaded(1)
            assert not slow.done()
            (tmp_path / "go").touch()
            assert await slow == "old"
            assert await bench.body("/slow") == "new"
            await gone(old)

    run(check())


def test_no_call_is_lost_while_files_are_saved(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            outcomes: list[str] = []

            async def calls() -> None:
                while bench.supervisor.state["reloads"] < 3:
                    outcomes.append((await bench.get("/version")).became)

            running = [asyncio.create_task(calls()) for _ in range(4)]
            for number in range(3):
                bench.write(APP.replace('"1"', f'"{number}"'))
                await bench.reloaded(number + 1)
            await asyncio.gather(*running)
            assert set(outcomes) == {"answered"}
            assert len(bench.journal.of("done")) == len(outcomes)

    run(check())


def test_syntax_error_is_shown_and_the_next_save_heals(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP, patience=0.1) as bench:
            bench.write("def broken(:\n    pass\n")
            state = await bench.until("broken")
            assert state["error"]["type"] == "SyntaxError"
            frame = state["error"]["frames"][-1]
            assert Path(frame["file"]).name == "app.py"
            assert frame["source"][frame["current"]] == [1, "def broken(:"]
            outcome = await bench.get("/version")
            assert outcome.became == "broken"
            assert outcome.error is not None
            assert outcome.error["errorType"] == "Runtime.UserCodeSyntaxError"
            bench.write(APP)
            await bench.until("ready")
            assert await bench.body("/version") == "1"

    run(check())


def test_messages_wait_while_the_application_is_broken(tmp_path: Path) -> None:
    app = (
        APP
        + """
    @resolver.on_queue("orders")
    def order(event):
        pass
    """
    )

    async def check() -> None:
        async with supervised(tmp_path, "import nothing_of_this_name\n", patience=0.05) as bench:
            assert bench.supervisor.state["error"]["type"] == "ModuleNotFoundError"
            waiting = asyncio.create_task(bench.supervisor.invoke(Call(message("orders"), "aws")))
            assert (await bench.get("/version")).became == "broken"
            assert not waiting.done()
            bench.write(app)
            outcome = await waiting
            assert (outcome.became, outcome.answer) == ("answered", {"batchItemFailures": []})

    run(check())


def test_call_that_comes_again_does_not_wait_for_long_and_is_not_told(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, "import nothing_of_this_name\n") as bench:
            call = Call(message("orders"), "aws", timeout=60, patience=0.05)
            outcome = await asyncio.wait_for(bench.supervisor.invoke(call), 5)
            assert (outcome.became, call.is_taken) == ("broken", False)
            assert [one for one in bench.journal.entries if one["kind"] == "event"] == []
            bench.write(APP)
            await bench.until("ready")
            await bench.supervisor.invoke(call)
            assert call.is_taken

    run(check())


@pytest.mark.parametrize(
    ("application", "text", "told"),
    [
        ("app:nothing", APP, "app (app.py) has no 'nothing'; it has the resolver resolver"),
        ("absent:resolver", APP, "there is no module 'absent' here"),
        ("app.py", APP, "write it as package.module:resolver"),
        ("app:resolver", "resolver = 1", "'app:resolver' is neither a Resolver nor a Stack (got int)"),
        ("app:resolver", "import sys; sys.exit(3)", "ended the process with status 3 while it was imported"),
    ],
)
def test_what_cannot_be_imported_is_told(tmp_path: Path, application: str, text: str, told: str) -> None:
    async def check() -> None:
        async with supervised(tmp_path, text, application=application) as bench:
            assert bench.supervisor.state["state"] == "broken"
            assert told in bench.supervisor.state["error"]["message"]

    run(check())


def test_process_that_dies_while_it_imports_is_tried_again(tmp_path: Path) -> None:
    app = "import os\nif not os.path.exists('fine'):\n    os._exit(9)\n"

    async def check() -> None:
        async with supervised(tmp_path, app + APP.replace("\n    ", "\n")) as bench:
            assert bench.supervisor.state["state"] == "broken"
            assert "exit status 9" in bench.supervisor.state["error"]["message"]
            (tmp_path / "fine").touch()
            await bench.until("ready")

    run(check())


# ---- hangs and deaths ----------------------------------------------------------------------------------------------


def test_hanging_handler_times_out_and_the_process_is_replaced(tmp_path: Path) -> None:
    app = (
        APP
        + """
    @resolver.get("/hang")
    def hang():
        while True:
            time.sleep(0.01)  # here
    """
    )

    async def check() -> None:
        async with supervised(tmp_path, app) as bench:
            old = bench.supervisor.state["pid"]
            outcome = await bench.get("/hang", timeout=0.3, request_id="r-2")
            assert outcome.became == "timed out"
            assert outcome.error == {
                "errorType": "Sandbox.Timedout",
                "errorMessage": "RequestId: r-2 Error: Task timed out after 0.30 seconds",
            }
            assert await bench.body("/version") == "1"
            assert bench.supervisor.state["pid"] != old
            [entry] = bench.journal.of("timed out")
            assert entry["route"] == "GET /hang"
            error = entry["error"]
            assert error is not None
            lines = [one["source"][one["current"]][1] for one in error["frames"] if one["own"]]
            assert lines[-1].endswith("# here")
            await gone(old)

    run(check())


def test_other_calls_end_before_a_hanging_process_does(tmp_path: Path) -> None:
    app = (
        APP
        + """
    @resolver.get("/wait/{name}")
    def wait(name: str):
        while not os.path.exists(name):
            time.sleep(0.01)
        return "done"
    """
    )

    async def check() -> None:
        async with supervised(tmp_path, app) as bench:
            old = bench.supervisor.state["pid"]
            other = asyncio.create_task(bench.body("/wait/go"))
            await bench.journal.until(lambda: bench.journal.begun)
            assert (await bench.get("/wait/never", timeout=0.2)).became == "timed out"
            await bench.reloaded(1)
            (tmp_path / "go").touch()
            assert await other == "done"
            await gone(old)

    run(check())


def test_handler_that_holds_the_interpreter_is_ended(tmp_path: Path) -> None:
    app = (
        APP
        + """
    @resolver.get("/regex")
    def regex():
        import re
        re.match("(a+)+$", "a" * 60 + "b")
    """
    )

    async def check() -> None:
        async with supervised(tmp_path, app) as bench:
            assert (await bench.get("/regex", timeout=0.3)).became == "timed out"
            assert await bench.body("/version") == "1"

    run(check())


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("sys.exit(4)", "Runtime exited with error: exit status 4"),
        ("sys.exit()", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("os.kill(os.getpid(), 40)", "Runtime exited with error: signal: signal 40"),  # it has no name
    ],
)
def test_death_of_the_process_is_told_and_a_new_one_follows(tmp_path: Path, ending: str, words: str) -> None:
    app = (
        APP
        + f"""
    @resolver.get("/end")
    def end():
        {ending}
    """
    )

    async def check() -> None:
        async with supervised(tmp_path, app) as bench:
            outcome = await bench.get("/end", request_id="r-3")
            assert outcome.became == "died"
            assert outcome.error == {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: r-3 Error: {words}"}
            assert await bench.body("/version") == "1"
            [entry] = bench.journal.of("died")
            assert (entry["call"], entry["route"], entry["path"]) == ("r-3", "GET /end", "/end")

    run(check())


def test_process_is_killed_on_purpose(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, APP) as bench:
            before = bench.supervisor.state["pid"]
            bench.supervisor.kill()
            await bench.journal.until(lambda: bench.supervisor.state["pid"] not in (before, None))
            assert await bench.body("/version") == "1"

    run(check())


def test_fork_in_a_handler_harms_nothing(tmp_path: Path) -> None:
    app = (
        APP
        + """
    @resolver.get("/fork/{how}")
    def fork(how: str):
        child = os.fork()
        if child == 0:
            if how == "exits":
                os._exit(0)
            return "the child"
        _, status = os.waitpid(child, 0)
        return str(os.waitstatus_to_exitcode(status))
    """
    )

    async def check() -> None:
        async with supervised(tmp_path, app) as bench:
            pid = bench.supervisor.state["pid"]
            assert await bench.body("/fork/exits") == "0"
            assert await bench.body("/fork/returns") == "70"
            assert bench.supervisor.state["pid"] == pid

    run(check())


# ---- streams -------------------------------------------------------------------------------------------------------

STREAMS = (
    APP
    + """
    @resolver.get("/stream")
    def stream():
        def chunks():
            for number in range(40):
                yield bytes([number]) * 100_000
        return Response.stream(chunks())

    @resolver.get("/endless")
    def endless():
        def chunks():
            try:
                while True:
                    yield b"x" * 1000
            finally:
                open("closed", "w").close()
        return Response.stream(chunks())

    @resolver.get("/breaks")
    def breaks():
        def chunks():
            yield b"first"
            raise ValueError("no more")
        return Response.stream(chunks())
    """
)


def url_request(path: str) -> dict[str, Any]:
    event = request(path)
    event["requestContext"] |= {"domainName": "x.lambda-url.us-east-1.on.aws", "domainPrefix": "x"}
    return event


def test_streamed_answer_comes_chunk_by_chunk(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, STREAMS) as bench:
            outcome = await bench.supervisor.invoke(Call(url_request("/stream"), "http", streams=True))
            assert outcome.answer["statusCode"] == 200
            assert outcome.stream is not None
            body = b"".join([chunk async for chunk in outcome.stream])
            assert body == b"".join(bytes([number]) * 100_000 for number in range(40))
            await bench.journal.until(lambda: bench.journal.of("done"))

    run(check())


def test_handler_is_told_that_nobody_takes_the_rest(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, STREAMS) as bench:
            outcome = await bench.supervisor.invoke(Call(url_request("/endless"), "http", streams=True))
            stream: Any = outcome.stream
            await anext(stream)
            await stream.aclose()
            await bench.journal.until(lambda: bench.journal.entries[-1]["kind"] == "event")
            assert (tmp_path / "closed").exists()

    run(check())


def test_call_that_waits_is_served_when_a_stream_ends(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, STREAMS, threads=1) as bench:
            outcome = await bench.supervisor.invoke(Call(url_request("/endless"), "http", streams=True))
            stream: Any = outcome.stream
            await anext(stream)
            waiting = asyncio.create_task(bench.body("/version"))
            await asyncio.sleep(0)
            await stream.aclose()
            assert await waiting == "1"

    run(check())


def test_stream_that_fails_under_way_is_broken_off(tmp_path: Path) -> None:
    async def check() -> None:
        async with supervised(tmp_path, STREAMS) as bench:
            outcome = await bench.supervisor.invoke(Call(url_request("/breaks"), "http", streams=True))
            stream: Any = outcome.stream
            assert await anext(stream) == b"first"
            with pytest.raises(BrokenOff):
                await anext(stream)

    run(check())


# ---- tasks ---------------------------------------------------------------------------------------------------------


def test_task_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    app = (
        APP
        + """
    @resolver.on_task("nightly")
    def nightly(event):
        print("counted", os.environ["MUCH"], os.getpid())
        return 7
    """
    )

    async def check() -> None:
        said: list[str] = []
        async with supervised(tmp_path, app, say=said.append) as bench:
            status = await bench.supervisor.run_task("nightly", {"MUCH": "12"})
            assert status == 7
            [entry] = [one for one in bench.journal.entries if one["kind"] == "task"]
            assert [one["call"] for one in bench.journal.begun] == [entry["call"]]
            assert (entry["route"], entry["outcome"], entry["answer"]) == ("task nightly", "failed", {"exitCode": 7})
            [line] = [one["message"] for one in entry["logs"] if one["message"].startswith("counted 12")]
            assert int(line.split()[-1]) != bench.supervisor.state["pid"]
            assert f"nightly: {line}" in said

    run(check())


# ---- the end -------------------------------------------------------------------------------------------------------


def test_application_ends_when_the_gateway_is_killed(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(dedent(APP))
    code = f"""
import asyncio
from pathlib import Path
from tests.integration.local.supervised import Pages
from router.local.process.supervisor import Supervisor
from router.local.settings import Settings
async def main():
    supervisor = Supervisor(Settings("app:resolver", folder=Path({str(tmp_path)!r})), Pages())
    await supervisor.start()
    print((await supervisor.settled())["pid"], flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    gateway = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert gateway.stdout is not None
    pid = int(gateway.stdout.readline())
    assert is_alive(pid)
    os.kill(gateway.pid, signal.SIGKILL)
    gateway.wait()
    gateway.stdout.close()

    async def check() -> None:
        await gone(pid)

    run(check())
