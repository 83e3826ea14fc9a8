"""What the page on containers has an image run does what the page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import cfnlint.api
import cfnlint.decode
import pytest

from router.testing import samples
from tests.servers.lambda_process import LambdaProcess

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "deploying-containers.md").read_text()
SECRET = "0123456789abcdef" * 4
APP = """
from router import Resolver

resolver = Resolver()

@resolver.get("/orders/{order_id}")
def show(order_id: str):
    return {"id": order_id}

@resolver.on_task("nightly")
def nightly():
    return 3

def handler(event, context):
    return resolver.resolve(event, context)
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def instruction(dockerfile: str, name: str) -> list[str]:
    [words] = re.findall(rf"^{name} (\[.*\])$", dockerfile, re.MULTILINE)
    found: list[str] = json.loads(words)
    return found


def here(command: list[str]) -> list[str]:
    """Return a command of an image with the interpreter of the tests."""
    assert command[0] == "python"
    return [sys.executable, *command[1:]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of the image, with the code that its file copies."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "app.py").write_text(APP)
    return tmp_path


def test_the_image_answers_lambda(folder: Path) -> None:
    image, _ = blocks("dockerfile")
    command = here(instruction(image, "ENTRYPOINT") + instruction(image, "CMD"))

    with LambdaProcess(cwd=folder, command=command) as function:
        answer = function.invoke(samples.http("GET", "/orders/7")).result
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"id": "7"})


def test_what_is_copied_is_what_the_handler_names() -> None:
    for image in blocks("dockerfile"):
        assert re.search(r"^COPY shop \S*shop$", image, re.MULTILINE)
        assert instruction(image, "CMD") == ["shop.app.handler"]


def test_the_command_of_a_task_gives_its_exit_code(folder: Path) -> None:
    [command] = blocks("json")

    def status(task: str) -> int:
        environment = {**os.environ, "TASK_NAME": task, "PYTHONPATH": str(ROOT)}
        return subprocess.run(here(json.loads(command)), cwd=folder, env=environment, check=False).returncode

    assert status("nightly") == 3
    assert status("unknown") == 1
    assert status("") == 2


def test_the_template_runs_the_command_of_the_page() -> None:
    [command] = blocks("json")
    template = exported()
    [container] = template["Resources"]["NightlyTask"]["Properties"]["ContainerDefinitions"]
    wanted = [word.replace("shop.app", "examples.orders.app") for word in json.loads(command)]

    assert container["EntryPoint"] + container["Command"] == wanted


def test_a_handler_that_starts_a_task_is_told_of_it_and_permitted_to(folder: Path) -> None:
    [decorator] = re.findall(r"^@resolver\.post.*?\)(?=  )", PAGE, re.MULTILINE)
    app = APP.replace("from router import Resolver", "from router import Resolver\nfrom router.environment import ECS")
    (folder / "shop" / "app.py").write_text(f"{app}\n{decorator}\ndef report(): ...\n")
    [stack] = [block for block in blocks("python") if "Task(" in block]
    (folder / "shop" / "stack.py").write_text(stack)

    resources = export("sam", "shop.stack:stack", "--json", cwd=folder)["Resources"]
    [container] = resources["NightlyTask"]["Properties"]["ContainerDefinitions"]
    variables = resources["MainFunction"]["Properties"]["Environment"]["Variables"]
    assert container["Name"] == "app"
    assert resources["Cluster"]["Properties"]["ClusterName"] == variables["CLUSTER"] == {"Fn::Sub": "${AWS::StackName}"}
    assert resources["NightlyTask"]["Properties"]["Family"] == variables["NIGHTLY_TASK"] == "nightly"

    policy = export("iam", "shop.stack:stack", cwd=folder)
    granted = {action: one["Resource"] for one in policy["Statement"] for action in one["Action"]}
    assert [arn.rpartition(":task-definition/")[2] for arn in granted["ecs:RunTask"]] == ["nightly:*"]
    assert [arn.rpartition(":role/")[2] for arn in granted["iam:PassRole"]] == ["${AWS::StackName}-task*"]


def test_the_worker_fits_beside_the_exported_template() -> None:
    [fragment] = blocks("yaml")
    worker, problems = cfnlint.decode.decode_str(f"Resources:\n{textwrap.indent(fragment, '  ')}")
    assert problems == []
    template = exported()
    template["Resources"] |= json.loads(json.dumps(worker["Resources"]))
    template["Parameters"] |= {"Subnets": {"Type": "List<AWS::EC2::Subnet::Id>"}, "Videos": {"Type": "String"}}

    assert [str(one) for one in cfnlint.api.lint(json.dumps(template))] == []


def exported() -> dict[str, Any]:
    """Return the template of the orders example, made in a process: others import it for servers of their own."""
    return export("sam", "examples.orders.stack:stack", "--json", cwd=ROOT)


def export(*words: str, cwd: Path) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "router", "export", *words],
        cwd=cwd,
        env={**os.environ, "SESSION_SECRET": SECRET, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    made: dict[str, Any] = json.loads(ended.stdout)
    return made
