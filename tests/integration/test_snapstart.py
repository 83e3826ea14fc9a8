"""SnapStart and Managed Instances under Lambda's own runtime client."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.lambda_process import LambdaProcess

APP = """
import asyncio, os, random
from router import Resolver
from router.telemetry import LogFields

seen = []
random.seed(7)
resolver = Resolver()
resolver.use(LogFields())

@resolver.before_snapshot
async def warm():
    seen.append("before")
    asyncio.get_running_loop().marked = True

@resolver.after_restore
async def fresh():
    seen.append("after")
    if "FAIL" in os.environ:
        raise ValueError("no table")
    seen.append(hasattr(asyncio.get_running_loop(), "marked"))

@resolver.on_invoke("seen")
async def show():
    return {"seen": seen, "random": random.random()}

loop = []

@resolver.on_invoke("who")
async def who(event):
    loop.append(asyncio.get_running_loop())
    await asyncio.sleep(0.3)
    return {"pid": os.getpid(), "calls": len(loop), "loops": len(set(loop))}

if "BREAK" in os.environ:
    @resolver.before_snapshot
    def broken():
        raise ValueError("no queue")

handler = resolver
"""


@contextmanager
def function(tmp_path: Path, **env: str) -> Iterator[LambdaProcess]:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    with LambdaProcess("app.handler", cwd=tmp_path, env=env) as running:
        yield running


def test_the_library_registers_its_hooks_by_itself(tmp_path: Path) -> None:
    with function(tmp_path, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start") as running:
        first, second = (running.invoke({"action": "seen"}).result for _ in range(2))
        assert running.snapshots == 1
    assert first["seen"] == second["seen"] == ["before", "after", False]
    assert first["random"] != 0.32383276483316237  # the first of random.seed(7)


def test_where_no_snapshot_is_taken_no_hook_runs(tmp_path: Path) -> None:
    with function(tmp_path) as running:
        answer = running.invoke({"action": "seen"}).result
        assert running.snapshots == 0
    assert (answer["seen"], answer["random"]) == ([], 0.32383276483316237)


@pytest.mark.parametrize(
    ("variable", "code", "kind", "said", "snapshots"),
    [
        ("BREAK", 64, "Runtime.BeforeSnapshotError", "before_snapshot: the hook app.broken failed: ValueError", 0),
        ("FAIL", 65, "Runtime.AfterRestoreError", "after_restore: the hook app.fresh failed: ValueError: no table", 1),
    ],
)
def test_a_hook_that_raises_ends_the_process_and_is_named(
    tmp_path: Path, variable: str, code: int, kind: str, said: str, snapshots: int
) -> None:
    with function(tmp_path, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start", **{variable: "1"}) as running:
        failed = running.invoke({"action": "seen"})
        assert running.snapshots == snapshots
        assert running.wait() == code
        assert said in running.logs
    assert failed.error is not None
    assert (failed.error["errorType"], failed.error["runtimeErrorType"]) == ("SnapshotHookFailed", kind)
    assert failed.error["errorMessage"].startswith(said)


def test_workers_of_a_managed_instance_share_nothing(tmp_path: Path) -> None:
    managed = {"AWS_LAMBDA_MAX_CONCURRENCY": "3", "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"}
    answers: list[dict[str, int]] = []
    with function(tmp_path, **managed) as running:

        def ask() -> None:
            answers.append(running.invoke({"action": "who"}).result)

        callers = [threading.Thread(target=ask) for _ in range(9)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(60)
        parent = running.pid
    by_worker = {answer["pid"]: answer["calls"] for answer in sorted(answers, key=lambda answer: answer["calls"])}
    assert sum(by_worker.values()) == len(answers) == 9  # what one keeps in memory, no other sees
    assert {answer["loops"] for answer in answers} == {1}
    assert len(by_worker) == 3  # each took some: one call keeps no other waiting
    assert parent not in by_worker
