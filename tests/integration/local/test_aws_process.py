"""The emulator's process: started, killed under way, stopped; an emulator that runs already; none."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial

import pytest

from router.contract import Stack
from router.errors import ConfigurationError
from tests.integration.local.aws_run import Run
from tests.servers.artefacts import MINISTACK
from tests.servers.ministack import MiniStack
from tests.servers.moto import MotoServer
from tests.servers.requirements import require_artefact

SECRET = "0123456789abcdef" * 4
pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    require_artefact(MINISTACK)
    monkeypatch.setenv("JUNCTION_MINISTACK", str(MINISTACK.folder / "bin" / "python"))
    monkeypatch.setenv("SESSION_SECRET", SECRET)


@pytest.fixture
def orders() -> Stack:
    from examples.orders.stack import stack

    return stack


@pytest.fixture
def run(orders: Stack) -> Iterator[Run]:
    with Run(orders) as run:
        yield run


def test_the_orders_example_is_made_whole(run: Run) -> None:
    assert run.made.problems == []
    assert run.made.ms < 5000  # 0.4 s where nothing else runs
    assert {one["name"] for one in run.call(run.emulator.queues())} == {"orders", "orders-dead", "orders-failed"}
    tables = run.client("dynamodb").list_tables()["TableNames"]
    assert sorted(tables) == ["connections", "orders", "prices"]
    assert run.client("dynamodb").describe_table(TableName="orders")["Table"]["StreamSpecification"]["StreamEnabled"]
    run.client("sns").publish(TopicArn="arn:aws:sns:eu-west-1:000000000000:order-events", Message="{}")
    run.client("dynamodb").put_item(TableName="orders", Item={"pk": {"S": "a"}, "sk": {"S": "b"}})
    run.client("s3").put_object(Bucket="shop-uploads", Key="tenants/acme/prices.csv", Body=b"")
    run.comes(lambda: len({str(one.get("eventSource")) for one in run.application.records()}) == 3)


def test_killed_under_way_it_is_started_again_and_the_loss_is_said(run: Run) -> None:
    run.send("orders-dead", "lost")
    before, url = run.emulator.pid, run.emulator.url
    assert before is not None
    os.kill(before, signal.SIGKILL)
    run.comes(lambda: len(run.notices.texts) == 2)
    lost, again = run.notices.texts
    assert "AWS was killed by SIGKILL. All that it held is lost" in lost
    assert again.startswith(f"AWS runs again at {url}: ")
    assert "made again; queues, tables and buckets are empty" in again
    assert run.emulator.pid not in (None, before)
    assert run.state("orders-dead")["visible"] == 0
    run.client("sqs").send_message(QueueUrl=run.state("orders")["url"], MessageBody="new")
    run.comes(lambda: run.application.bodies() == ["new"])


def test_a_port_that_is_taken_is_an_error(orders: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"the port {port} for AWS is taken.*--aws-port"):
            Run(orders, aws_port=port).__enter__()


def test_an_interpreter_without_ministack_is_an_error(orders: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNCTION_MINISTACK", sys.executable)
    with pytest.raises(ConfigurationError, match=r"(?s)MiniStack did not start.*No module named"):
        Run(orders).__enter__()


def test_an_emulator_that_runs_already_is_used_and_goes_on(orders: Stack) -> None:
    with MiniStack() as server:
        for _ in range(2):  # the second run finds what the first one made
            with Run(orders, aws=server.url) as run:
                assert run.made.problems == []
                run.client("sns").publish(TopicArn="arn:aws:sns:eu-west-1:000000000000:shipments", Message="hello")
                run.comes(lambda: bool(run.application.calls))
        assert server.answers()


def test_queues_and_streams_of_another_emulator_are_read_alike(orders: Stack) -> None:
    with MotoServer() as server, Run(orders, aws=server.url, account="123456789012") as run:
        assert run.made.problems == []
        run.send("orders", "hello")
        run.client("dynamodb").put_item(TableName="orders", Item={"pk": {"S": "a"}, "sk": {"S": "b"}})
        run.comes(lambda: len(run.application.calls) == 2)
        assert {one["eventSource"] for one in run.application.records()} == {"aws:sqs", "aws:dynamodb"}
        run.send("orders-dead", "seen")
        assert [one["body"] for one in run.call(run.emulator.messages("orders-dead"))] == ["seen"]
        assert run.state("orders-dead")["visible"] == 1


def test_nothing_answers_or_it_is_aws_itself(orders: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    with pytest.raises(ConfigurationError, match="nothing answers"):
        Run(orders, aws=f"http://127.0.0.1:{port}").__enter__()
    with pytest.raises(ConfigurationError, match="that is AWS itself"):
        Run(orders, aws="https://sqs.eu-west-1.amazonaws.com").__enter__()


def test_without_aws_nothing_is_there(orders: Stack) -> None:
    with Run(orders, aws="none") as run:
        assert run.made.made == []
        assert run.call(run.emulator.queues()) == []
        assert run.emulator.environment({"AWS_PROFILE": "mine"}) == {"AWS_PROFILE": "mine"}


def test_the_application_reaches_no_account(run: Run) -> None:
    inherited = {
        "PATH": os.environ["PATH"],
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL_SQS": "https://sqs.eu-west-1.amazonaws.com",
        "AWS_CONFIG_FILE": "/nowhere",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "SHOP": "kept",
    }
    environment = run.emulator.environment(inherited)
    assert environment["SHOP"] == "kept"
    code = (
        "import boto3; print(sorted(boto3.client('sqs').list_queues()['QueueUrls'])[0], boto3.Session().profile_name)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=30
    )
    assert ended.stdout.split() == [f"{run.emulator.url}/000000000000/orders", "default"]


def test_it_ends_with_the_process_that_started_it(tmp_path: object) -> None:
    code = """
import os, sys, time
from pathlib import Path
from router.local.aws.server import Server
server = Server(Path(os.environ["JUNCTION_MINISTACK"]), 0, region="eu-west-1", account="0" * 12)
server.start(lambda status: None)
print(server.url, flush=True)
os._exit(1)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30, env={**os.environ}
    )
    port = int(ended.stdout.strip().rpartition(":")[2])
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail("it runs without its parent")


def test_one_that_ends_again_and_again_is_left(orders: Stack) -> None:
    with Run(orders) as run:

        def told(word: str, times: int) -> bool:
            return len([one for one in run.notices.texts if word in one]) == times

        for times in range(6):
            run.comes(partial(told, "runs again", times))
            assert run.emulator.pid is not None
            os.kill(run.emulator.pid, signal.SIGKILL)
        run.comes(partial(told, "is not started again", 1))
        assert told("was killed by SIGKILL", 6)
        assert run.emulator.pid is None
