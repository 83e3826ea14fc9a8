"""`junction local`, as somebody uses it: the orders example, its hops, its end, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import websockets

from tests.servers.artefacts import MINISTACK
from tests.servers.gateway import LocalGateway
from tests.servers.locations import REPOSITORY
from tests.servers.process import wait_until
from tests.servers.requirements import require_artefact

pytestmark = [pytest.mark.timeout(180)]

ANN = {"x-tenant": "acme", "x-user": "ann"}
STACK = "examples.orders.stack:stack"
ENVIRONMENT = ("--env-file", "examples/orders/local.env")


@pytest.fixture(scope="module")
def orders() -> Iterator[LocalGateway]:
    require_artefact(MINISTACK)
    with LocalGateway(STACK, *ENVIRONMENT) as run:
        yield run


def place(run: LocalGateway, product: str) -> str:
    status, body = run.request("POST", "/orders", {"product": product}, ANN)
    assert status == 202, body
    return str(json.loads(body)["order_id"])


def test_an_order_is_followed_over_five_hops(orders: LocalGateway) -> None:
    async def buy() -> tuple[str, dict[str, Any], dict[str, Any]]:
        url = f"{orders.urls['websocket']}/?tenant=acme&user=ann"
        async with websockets.connect(url, proxy=None) as client:
            order_id = await asyncio.to_thread(place, orders, "tea")
            told = json.loads(await asyncio.wait_for(client.recv(), 30))
            await client.send(json.dumps({"action": "status", "order_id": order_id}))
            return order_id, told, json.loads(await asyncio.wait_for(client.recv(), 30))

    order_id, told, answered = asyncio.run(buy())
    assert (told["order_id"], told["status"]) == (order_id, "open")
    assert (answered["order_id"], answered["total"]) == (order_id, "4.50")

    orders.wait_for(lambda: orders.entries(source="http", q=order_id))
    [first] = orders.entries(source="http", q=order_id)
    trace = f"traces/{first['correlation_id']}"
    orders.wait_for(lambda: len(orders.console(trace)["entries"]) == 4)
    hops = {one["id"]: one for one in orders.console(trace)["entries"]}
    push = next(one for one in hops.values() if one["kind"] == "push")
    way = [push]
    while way[0]["parent"]:
        way.insert(0, hops[way[0]["parent"]])
    assert [(one["source"], one["outcome"]) for one in way] == [
        ("http", "done"),
        ("sqs", "done"),
        ("dynamodb", "done"),
        ("websocket", "done"),
    ]
    assert [one["name"] for one in way[1]["via"]] == ["order-events"]
    assert [one["tenant"] for one in way] == ["acme"] * 4
    assert way[1]["sent"] is not None


def test_poison_is_tried_again_and_comes_back_from_the_dead_letters(orders: LocalGateway) -> None:
    sqs = orders.client("sqs")
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})  # tries in seconds
    last = place(orders, "tea")  # a poll that began before still hides what it brings for as long as it was told
    orders.wait_for(lambda: orders.entries(source="sqs", q=last))
    order_id = place(orders, "unicorn")

    def dead() -> int:
        [queue] = [one for one in orders.console("queues")["queues"] if one["name"] == "orders-dead"]
        return int(queue["messages"])

    orders.wait_for(lambda: dead() == 1)
    tries = orders.entries(source="sqs", q=order_id)
    assert [(one["attempt"], one["outcome"]) for one in tries] == [(number, "failed") for number in (1, 2, 3)]
    failed = orders.console(f"events/{tries[0]['id']}")
    assert failed["error"]["type"].endswith("NotSold")
    assert failed["error"]["frames"][-1]["file"] == "examples/orders/prices.py"

    assert orders.ask("queues/orders-dead/redrive", {})["moved"] == 1
    orders.wait_for(lambda: len(orders.entries(source="sqs", q=order_id)) > 3)


def test_a_task_of_ecs_is_a_process_of_its_own(orders: LocalGateway) -> None:
    environment = [{"name": "TASK_NAME", "value": "nightly"}]
    ecs = orders.client("ecs")
    started = ecs.run_task(
        cluster="shop",
        taskDefinition="orders-nightly",
        launchType="FARGATE",
        overrides={"containerOverrides": [{"name": "main", "environment": environment}]},
    )["tasks"][0]
    assert started["lastStatus"] in {"PENDING", "RUNNING"}

    def ended() -> bool:
        [task] = ecs.describe_tasks(cluster="shop", tasks=[started["taskArn"]])["tasks"]
        return bool(task["lastStatus"] == "STOPPED")

    orders.wait_for(ended)
    [task] = ecs.describe_tasks(cluster="shop", tasks=[started["taskArn"]])["tasks"]
    # It was given no session, and its route asks for one.
    assert (task["containers"][0]["exitCode"], task["stopCode"]) == (1, "EssentialContainerExited")
    orders.wait_for(lambda: orders.entries(kind="task", outcome="failed"))
    [entry] = orders.entries(kind="task")
    assert (entry["route"], entry["outcome"]) == ("task nightly", "failed")
    again = orders.ask(f"events/{entry['id']}/replay", {})
    assert (again["became"], again["answer"]) == ("failed", {"exitCode": 1})
    [sent] = again["entries"]
    assert (sent["route"], sent["outcome"], sent["replay_of"]) == ("task nightly", "failed", entry["id"])


def test_the_command_line_of_aws_talks_to_it(orders: LocalGateway, aws_cli: Callable[..., Any]) -> None:
    order_id = place(orders, "tea")
    orders.wait_for(lambda: orders.entries(source="dynamodb", q=order_id))
    done = aws_cli(orders.urls["aws"], "dynamodb", "scan", "--table-name", "orders", "--region", "us-east-1")
    assert done.returncode == 0, done.stderr
    assert order_id in done.stdout


def test_permissions_are_those_that_the_routes_ask_for(orders: LocalGateway) -> None:
    place(orders, "tea")
    orders.wait_for(lambda: orders.entries(source="dynamodb"))
    calls = orders.console("permissions")["calls"]
    assert {one["action"] for one in calls} >= {"sns:Publish", "dynamodb:PutItem"}
    assert [one for one in calls if one["covered"] is False] == []


# ---- its start and its end ------------------------------------------------------------------------------------------


HELLO = """
    import os, time
    from router import Resolver

    resolver = Resolver()

    @resolver.get("/hello")
    def hello():
        return {"hello": "world"}

    @resolver.get("/slow")
    def slow():
        time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "app"
    made.mkdir()
    (made / "hello.py").write_text(dedent(HELLO))
    return made


def local(folder: Path, *options: str) -> LocalGateway:
    return LocalGateway("hello:resolver", "--aws", "none", *options, folder=folder, reloads=True)


def is_alive(pid: int) -> bool:
    """Whether there is a process, other than one that has ended and is not forgotten yet."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_a_first_route_is_answered(folder: Path) -> None:
    with local(folder) as run:
        assert run.request("GET", "/hello") == (200, b'{"hello":"world"}')
        assert run.request("GET", "/nothing")[0] == 404
        assert b"Junction" in run.request("GET", "/_console")[1]


def test_ctrl_c_ends_everything_in_order(folder: Path) -> None:
    with local(folder) as run:
        pid = run.console("state")["application"]["pid"]
        assert is_alive(pid)
        run.signal(signal.SIGINT)
        assert run.wait() == 0
    assert wait_until(lambda: not is_alive(pid), timeout_s=10)
    assert "stopping" in run.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_all_processes_ends_the_run(folder: Path, number: signal.Signals) -> None:
    with local(folder) as run:
        assert run.pid is not None
        os.killpg(run.pid, number)
        assert run.wait() == 0
    assert "a new one is started" not in run.log


def test_ctrl_c_twice_waits_for_nothing(folder: Path) -> None:
    with local(folder) as run, socket.create_connection(_address(run), timeout=30) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        run.wait_for(lambda: run.entries(outcome="running"))
        began = time.monotonic()
        run.signal(signal.SIGINT)
        run.wait_for(lambda: "stopping" in run.log)
        run.signal(signal.SIGINT)
        assert run.wait() == 130
        assert time.monotonic() - began < 4


def test_ctrl_c_ends_a_run_whose_application_is_never_imported(folder: Path) -> None:
    (folder / "hello.py").write_text("import time\nopen('began', 'w').close()\ntime.sleep(1000)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "router", "local", "hello:resolver", "--aws", "none", "--port", "0"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until((folder / "began").exists, timeout_s=30)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()


def _address(run: LocalGateway) -> tuple[str, int]:
    found = re.fullmatch(r"http://(.*):(\d+)", run.urls["http"])
    assert found is not None
    return found[1], int(found[2])


def test_a_gateway_that_is_killed_leaves_no_process(folder: Path) -> None:
    with local(folder) as run:
        pid = run.console("state")["application"]["pid"]
        run.signal(signal.SIGKILL)
        assert wait_until(lambda: not is_alive(pid), timeout_s=10)


def test_a_saved_file_is_the_next_version(folder: Path) -> None:
    with local(folder) as run:
        assert run.request("GET", "/hello")[1] == b'{"hello":"world"}'
        file = folder / "hello.py"
        file.write_text(file.read_text().replace("world", "there"))
        run.wait_for(lambda: run.request("GET", "/hello")[1] == b'{"hello":"there"}')
        assert "reloaded in" in run.log


def test_an_application_that_cannot_be_imported_is_waited_for(folder: Path) -> None:
    file = folder / "hello.py"
    whole = file.read_text()
    file.write_text("def broken(:\n")
    with local(folder) as run:
        assert run.request("GET", "/hello")[0] >= 500
        state = run.console("state")["application"]
        assert (state["phase"], state["error"]["type"]) == ("broken", "SyntaxError")
        file.write_text(whole)
        run.wait_for(lambda: run.request("GET", "/hello")[0] == 200)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nix:resolver", "--aws", "none"], "APP 'nix:resolver': there is no module 'nix' here: neither in "),
        (
            ["hello.py:stack", "--aws", "none"],
            "hello.py is a file: write its module, hello:stack",
        ),
        (["hello:nothing", "--aws", "none"], "hello (hello.py) has no 'nothing'; it has the resolver resolver"),
        (["hello:os", "--aws", "none"], "APP 'hello:os' is neither a Resolver nor a Stack (got module)"),
        (["hello.py"], "write it as package.module:resolver, such as hello:resolver"),
        (["hello:resolver", "--source", "soap"], "--source 'soap': use one of http, rest, url, alb"),
        (["hello:resolver", "--env", "=1"], "--env '=1': write it as NAME=value"),
        (["hello:resolver", "--env-file", "nowhere.env"], "--env-file nowhere.env"),
        (["hello:resolver", "--aws", "http://127.0.0.1:9"], "nothing answers at http://127.0.0.1:9"),
        (["hello:resolver", "--aws", "https://sqs.eu-west-1.amazonaws.com"], "that is AWS itself"),
    ],
)
def test_wrong_arguments_are_told_in_a_line(folder: Path, arguments: list[str], problem: str) -> None:
    done = _junction(folder, *arguments, "--port", "0")
    assert done.returncode == 2
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_told(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = _junction(folder, "hello:resolver", "--aws", "none", "--port", str(port))
    assert done.returncode == 2
    assert f"port {port} is taken by another program: --port {port + 1} is the next one, --port 0 any" in done.stderr


def _junction(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "router", "local", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
