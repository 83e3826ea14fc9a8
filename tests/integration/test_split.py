"""One application of twelve groups, as one, three and nine functions: the same scenario passes through each."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from router.testing import samples
from tests.servers.lambda_process import LambdaProcess
from tests.servers.locations import REPOSITORY

GROUPS = [f"part{number}" for number in range(12)]
GROUP = """
from router import Router

router = Router("/{name}")

@router.get("/{{id}}")
def show(id: str):
    return {{"{name}": id}}

@router.on_queue("{name}")
def take(event):
    if event.json() == "bad":
        raise ValueError("a bad one")

@router.on_invoke("{name}")
def call():
    return "called {name}"
"""
APP = """
from router import Resolver

resolver = Resolver()
{includes}

def handler(event, context):
    return resolver.resolve(event, context)
"""


def write_application(folder: Path, functions: int, groups: list[str] = GROUPS) -> dict[str, str]:
    """Write an application; return the function of each group."""
    owners = {name: f"f{number % functions}" for number, name in enumerate(groups)}
    package = folder / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for name in groups:
        (package / f"{name}.py").write_text(GROUP.format(name=name))
    lines = [f'resolver.include("shop.{name}:router", function="{owner}")' for name, owner in owners.items()]
    (package / "app.py").write_text(APP.format(includes="\n".join(lines)))
    return owners


def queue_event(name: str) -> dict[str, Any]:
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    return {
        "Records": [
            {"eventSource": "aws:sqs", "messageId": body, "eventSourceARN": arn, "body": json.dumps(body)}
            for body in ("good", "bad")
        ]
    }


@pytest.mark.parametrize("functions", [1, 3, 9])
def test_the_same_scenario_through_any_number_of_functions(tmp_path: Path, functions: int) -> None:
    owners = write_application(tmp_path, functions)
    with ExitStack() as stack:
        processes = {
            owner: stack.enter_context(
                LambdaProcess(
                    "shop.app.handler",
                    cwd=tmp_path,
                    pythonpath=[tmp_path],
                    env={"JUNCTION_FUNCTION": owner} if functions > 1 else {},
                )
            )
            for owner in sorted(set(owners.values()))
        }
        for name, owner in owners.items():
            process = processes[owner]
            answer = process.invoke(samples.http("GET", f"/{name}/7")).result
            assert (answer["statusCode"], json.loads(answer["body"])) == (200, {name: "7"})
            assert process.invoke(queue_event(name)).result == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
            assert process.invoke({"action": name}).result == f"called {name}"
        if functions > 1:
            refused = processes["f0"].invoke(samples.http("GET", "/part1/7")).result
            assert refused["statusCode"] == 421
            assert "'f1'" in refused["body"]
            failed = processes["f0"].invoke({"action": "part1"})
            assert failed.error is not None
            assert failed.error["errorType"] == "WrongFunction"
            answer = processes["f0"].invoke(queue_event("part1")).result
            assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["good", "bad"]


def imported(folder: Path, function: str | None) -> set[str]:
    """Return the modules that importing an application loads."""
    code = "import sys, json; import shop.app; print(json.dumps(sorted(sys.modules)))"
    env = {"PYTHONPATH": f"{folder}:{REPOSITORY}", **({} if function is None else {"JUNCTION_FUNCTION": function})}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_a_function_imports_what_an_application_of_its_group_alone_imports(tmp_path: Path) -> None:
    write_application(tmp_path / "twelve", 12)
    write_application(tmp_path / "one", 1, ["part0"])

    part, alone = imported(tmp_path / "twelve", "f0"), imported(tmp_path / "one", None)

    assert part - alone == {"router.routing.parts"}
    assert alone - part == set()
