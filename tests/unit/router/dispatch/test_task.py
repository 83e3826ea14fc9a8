"""ECS tasks: how they end, and what SIGTERM does."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import pytest

from router import Event, Resolver, Session, get_session
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import program

BOTH = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


def ending(how: Any, asynchronous: bool = False) -> int:
    """The exit code of a task that returns or raises this."""
    resolver = Resolver()

    def handler() -> Any:
        if isinstance(how, BaseException):
            raise how
        return how

    async def handler_async() -> Any:
        await asyncio.sleep(0)
        return handler()

    resolver.on_task("nightly")(handler_async if asynchronous else handler)
    return TestClient(resolver).task("nightly")


@BOTH
@pytest.mark.parametrize(
    ("how", "code"),
    [
        (None, 0),
        ("done", 0),
        ({"rows": 7}, 0),
        (True, 0),
        (0, 0),
        (3, 3),
        (259, 3),
        (False, 1),
        (ValueError("broken"), 1),
        (SystemExit(), 0),
        (SystemExit(0), 0),
        (SystemExit(4), 4),
        (SystemExit("the database is unreachable"), 1),
    ],
)
def test_the_exit_code_says_how_it_ended(how: Any, code: int, asynchronous: bool) -> None:
    assert ending(how, asynchronous) == code


def test_why_it_failed_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert ending(ValueError("broken")) == 1
    assert ending(SystemExit("the database is unreachable")) == 1
    assert "broken" in caplog.text
    assert "the database is unreachable" in caplog.text


def test_it_has_its_session_and_its_environment() -> None:
    seen: list[Any] = []
    resolver = Resolver()

    @resolver.on_task("nightly")
    def nightly(event: Event, session: Session) -> None:
        seen.append((session, get_session(), event.raw["ROWS"]))

    code = TestClient(resolver).task("nightly", session={"tenant": "acme"}, environment={"ROWS": "7"})
    assert code == 0
    assert seen == [(Session("acme"), Session("acme"), "7")]


def test_the_processs_own_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASK_NAME", "nightly")
    resolver = Resolver()
    resolver.on_task("nightly")(lambda: 5)
    assert resolver.run_task() == 5


def test_what_it_needs_and_does_not_have_keeps_it_from_starting(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[str] = []
    resolver = Resolver()
    resolver.on_task("nightly")(lambda: ran.append("ran"))
    environ = samples.task("nightly", environment={"BUCKET": "", "TABLE": "orders"})

    assert resolver.run_task(environ, require_env=("BUCKET", "TABLE", "QUEUE")) == 2
    assert resolver.run_task({**environ, "TASK_NAME": ""}) == 2
    assert ran == []
    assert "the task cannot start: set BUCKET, QUEUE" in caplog.text
    assert "set TASK_NAME" in caplog.text
    assert resolver.run_task(environ, require_env=("TABLE",)) == 0


def test_a_task_that_no_route_takes_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    assert TestClient(Resolver()).task("nightly") == 1
    assert "no route for task 'nightly'" in caplog.text


def test_the_handler_of_sigterm_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    inside: list[Any] = []
    resolver = Resolver()
    resolver.on_task("nightly")(lambda: inside.append(signal.getsignal(signal.SIGTERM)))
    assert TestClient(resolver).task("nightly") == 0
    assert inside[0] is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_it_runs_without_signals() -> None:
    codes: list[int] = []
    resolver = Resolver()
    resolver.on_task("nightly")(lambda: 6)
    thread = threading.Thread(target=lambda: codes.append(TestClient(resolver).task("nightly")))
    thread.start()
    thread.join()
    assert codes == [6]


SYNC = """
import time

@resolver.on_task("nightly")
def nightly(given: Annotated[str, Depends(transaction)]):
    try:
        print("started", flush=True)
        for _ in range(1200):  # a signal right before a long sleep would be heard after it
            time.sleep(0.05)
    finally:
        print("cleaned up", flush=True)
"""

ASYNC = """
import asyncio

@resolver.on_task("nightly")
async def nightly(event: Event, given: Annotated[str, Depends(transaction)]):
    async def beside():
        try:
            await asyncio.sleep(60)
        finally:
            print("background ended", flush=True)

    event.background(beside())
    try:
        await asyncio.sleep(0)
        print("started", flush=True)
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0)
        print("cleaned up", flush=True)
"""


@pytest.mark.parametrize(
    ("handler", "ended"),
    [
        (SYNC, ["cleaned up", "rolled back"]),
        (ASYNC, ["background ended", "cleaned up", "rolled back"]),
    ],
    ids=["sync", "async"],
)
def test_sigterm_lets_the_handler_clean_up_and_ends_with_143(handler: str, ended: list[str]) -> None:
    code = f"""
import sys
from typing import Annotated
from router import Depends, Event, Resolver

resolver = Resolver()

def transaction():
    try:
        yield "transaction"
    except BaseException:
        print("rolled back", flush=True)
        raise

{handler}
sys.exit(resolver.run_task())
"""
    process = program(code, environ={"TASK_NAME": "nightly"})
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.terminate()
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (143, "")
    assert sorted(out.split("\n")[:-1]) == ended
