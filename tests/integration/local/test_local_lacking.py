"""`junction local` of an application that lacks something: declarations, variables, a module."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.servers.artefacts import MINISTACK
from tests.servers.gateway import LocalGateway
from tests.servers.locations import REPOSITORY
from tests.servers.requirements import require_artefact

pytestmark = [pytest.mark.timeout(180)]

LACKING = """
    from router import Resolver

    resolver = Resolver()

    @resolver.on_queue("orders")
    def take(event):
        return None

    @resolver.on_schedule("nightly")
    def report(event):
        return None

    @resolver.get("/hello", requires={"TICKETS_TABLE": ["dynamodb:PutItem"]})
    def hello():
        return {"hello": "world"}
"""
LEFT_OUT = (
    'schedule nightly (hello.py:10) is left out: declare Schedule("nightly", "rate(1 day)") in a Stack and run '
    "`junction local stack:stack`; samples of it can still be sent from the console"
)
NOT_SET = (
    "TICKETS_TABLE is not set (GET /hello, hello.py:14): "
    'declare Table("tickets", variable="TICKETS_TABLE") in a Stack, or put it into .env'
)


def test_what_can_be_made_is_made_and_the_rest_is_told(tmp_path: Path) -> None:
    require_artefact(MINISTACK)
    file = tmp_path / "hello.py"
    file.write_text(dedent(LACKING))
    (tmp_path / ".env").write_text("# nothing yet\n")
    with LocalGateway("hello:resolver", folder=tmp_path, reloads=True) as run:
        run.wait_for(lambda: NOT_SET in _notices(run))
        assert _notices(run).count(LEFT_OUT) == 1
        assert run.log.index('"ready"') < run.log.index("is left out") < run.log.index("is not set")
        sqs = run.client("sqs")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="orders")["QueueUrl"], MessageBody="{}")
        run.wait_for(lambda: run.entries(source="sqs"))

        file.write_text(file.read_text() + "\n")  # told again, as long as it is so
        run.wait_for(lambda: _notices(run).count(NOT_SET) == 2)
        (tmp_path / ".env").write_text("TICKETS_TABLE=tickets\n")
        file.write_text(file.read_text() + "\n")
        run.wait_for(lambda: run.request("GET", "/hello")[0] == 200)
        assert _notices(run).count(NOT_SET) == 2


def _notices(run: LocalGateway) -> list[str]:
    return [one["name"] for one in run.entries(kind="notice")]


STORED = """
    from router import Resolver
    from router.environment.resolution import Environment

    class Held:
        path = "/shop/{name}"

        def read(self, paths):
            return {"/shop/CURRENCY": "EUR"}

    resolver = Resolver(environment=Environment(stores=[Held()]))

    @resolver.get("/hello", requires=["CURRENCY"])
    def hello():
        import os
        return {"hello": os.environ["CURRENCY"]}
"""


def test_a_variable_of_a_store_is_not_missed(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(dedent(STORED))
    with LocalGateway("hello:resolver", "--aws", "none", folder=tmp_path) as run:
        assert run.request("GET", "/hello") == (200, b'{"hello":"EUR"}')
        assert not any("is not set" in one for one in _notices(run))


def test_the_banner_says_that_an_application_does_not_run(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text("import a_module_that_is_not_there\n")
    with subprocess.Popen(
        [sys.executable, "-m", "router", "local", "hello:resolver", "--aws", "none", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "hello.py:1" in line:
                process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert "not running: waiting for a change of a file" in said
    assert said.count("No module named 'a_module_that_is_not_there'") == 1
    assert said.index("not running") < said.index("No module named")
