"""The workflow of the page deploys what is in order, and stops what is not."""

from __future__ import annotations

import compileall
import platform
import re
import shlex
import shutil
import sys
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

import orjson
import pytest
from ruamel.yaml import YAML

from tests.unit.router.cli.processes import ROOT, junction, write

PAGE = (ROOT / "docs" / "deploying-ci.md").read_text()
APP = """
from router import Resolver

resolver = Resolver()

@resolver.get("/orders/{order_id}")
def show(order_id: str):
    return {"id": order_id}

@resolver.on_queue("orders")
def order(event): ...

def handler(event, context):
    return resolver.resolve(event, context)
"""
STACK = """
from router.contract import Function, HttpApi, Stack

stack = Stack(
    "shop.app:resolver",
    Function(runtime="python{0}.{1}", architecture="{2}"),
    HttpApi(),
    name="shop",
    handler="shop.app.handler",
)
"""


def workflow() -> dict[str, Any]:
    [text] = re.findall(r"^```yml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    found: dict[str, Any] = YAML(typ="safe").load(text)
    return found


def steps(job: str) -> list[str]:
    """Return the commands `junction` of a job."""
    return [one["run"] for one in workflow()["jobs"][job]["steps"] if one.get("run", "").startswith("junction ")]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """Return the folder of an application, with its template and its package as the workflow makes them."""
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    stack = STACK.format(*sys.version_info[:2], machine)
    write(tmp_path, {"shop/__init__.py": "", "shop/app.py": APP, "shop/stack.py": stack})
    assert junction("export", "sam", "shop.stack:stack", "-o", "template.yaml", cwd=tmp_path).returncode == 0
    build = tmp_path / "build"
    for folder in (ROOT / "router", ROOT / "adapters", Path(orjson.__file__).parent, tmp_path / "shop"):
        shutil.copytree(folder, build / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(build, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    return tmp_path


def run(job: str, folder: Path) -> list[tuple[str, int, str]]:
    """Run the commands of a job until one fails; return them with what they said."""
    done = []
    for step in steps(job):
        ended = junction(*shlex.split(step)[1:], cwd=folder)
        done.append((step, ended.returncode, ended.stdout + ended.stderr))
        if ended.returncode:
            break
    return done


def test_what_is_in_order_passes(service: Path) -> None:
    for job in ("check", "deploy"):
        ended = run(job, service)
        assert [status for _, status, _ in ended] == [0] * len(steps(job)), ended[-1]


def test_a_route_whose_template_was_not_exported_stops_it(service: Path) -> None:
    with (service / "shop" / "app.py").open("a") as app:
        app.write('\n@resolver.on_queue("mails")\ndef mail(event): ...\n')

    [(step, status, said)] = run("check", service)
    assert (status, step.endswith("--check")) == (1, True)
    assert "not current" in said


def test_a_package_without_byte_code_stops_it(service: Path) -> None:
    for folder in list((service / "build").rglob("__pycache__")):
        shutil.rmtree(folder)

    _, status, said = run("deploy", service)[-1]
    assert (status, "[byte-code]" in said) == (1, True)


def test_only_the_job_that_deploys_may_ask_for_a_token() -> None:
    found = workflow()
    assert found["permissions"] == {"contents": "read"}
    assert "permissions" not in found["jobs"]["check"]
    assert found["jobs"]["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert f"environment:{found['jobs']['deploy']['environment']}" in PAGE.partition("## The workflow")[0]
