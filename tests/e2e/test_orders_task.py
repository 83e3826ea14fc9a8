"""The orders example as an ECS task: a process with its environment, whose exit code tells what came of it."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.shop import ANN, Shop, wire
from tests.servers.locations import REPOSITORY
from tests.servers.process import ChildProcess, wait_until

Start = Callable[..., ChildProcess]
SOON_S = 5.0


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts the task with further variables; one that is empty is not there at all."""
    started = []

    def start_with(variables: Mapping[str, str], module: str = "examples.orders.task") -> ChildProcess:
        own = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COVERAGE_")}
        given = {**own, **environment, "TASK_NAME": "nightly", "SESSION": wire(ANN, purpose="task"), **variables}
        child = ChildProcess(
            "task",
            [sys.executable, "-m", module],
            log=tmp_path / "task.log",
            env={name: value for name, value in given.items() if value},
            cwd=REPOSITORY,
        )
        started.append(child)
        return child

    yield start_with
    for child in started:
        child.stop()


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_task_that_did_its_work_ends_with_0(start: Start, shop: Shop) -> None:
    shop.put_order("o-1")
    shop.put_order("o-2", tenant="globex")
    task = start({})

    assert task.wait() == 0, task.output
    statuses = [order and order["status"]["S"] for order in (shop.order("o-1"), shop.order("o-2", tenant="globex"))]
    assert statuses == ["billed", "open"]
    assert "orders of acme that were billed: 1" in task.output


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"TASK_NAME": "unknown"}, "no route"),
        ({"SESSION": wire(ANN, secret="another secret" * 3, purpose="task")}, "signed with an unknown key"),
        ({"SESSION": '{"tenant": "acme", "user": "admin"}'}, "not signed"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "dynamodb.query orders: EndpointConnectionError"),
    ],
)
def test_a_task_that_failed_ends_with_1_and_says_why(
    start: Start, shop: Shop, variables: dict[str, str], reason: str
) -> None:
    shop.put_order("o-1")
    task = start(variables)

    assert task.wait() == 1
    assert reason in task.output
    order = shop.order("o-1")
    assert order is not None
    assert order["status"] == {"S": "open"}


@pytest.mark.parametrize("variable", ["TASK_NAME", "SESSION"])
def test_a_task_that_cannot_start_ends_with_2_and_names_the_variable(start: Start, variable: str) -> None:
    task = start({variable: ""})

    assert task.wait() == 2
    assert re.search(rf"cannot start: (not )?set:? {variable}\b", task.output)


def test_a_task_that_is_stopped_cleans_up_and_ends_with_143(start: Start, silent: str) -> None:
    task = start({"AWS_ENDPOINT_URL": silent})
    task.wait_for_line(re.compile("billing the open orders of acme"), timeout_s=30)
    task.signal(signal.SIGTERM)

    assert wait_until(lambda: task.exit_code is not None, timeout_s=SOON_S)
    assert task.exit_code == 128 + signal.SIGTERM
    assert "orders of acme that were billed: 0" in task.output


def test_an_async_task_that_is_stopped_cleans_up_as_well(start: Start) -> None:
    task = start({"TASK_NAME": "wait", "SESSION": ""}, "tests.e2e.waiting_task")
    task.wait_for_line(re.compile("waiting"), timeout_s=30)
    task.signal(signal.SIGTERM)

    assert wait_until(lambda: task.exit_code is not None, timeout_s=SOON_S)
    assert (task.exit_code, task.output) == (128 + signal.SIGTERM, "waiting\ncleaned up\n")
