"""What Terraform makes of the exports, by the blocks of the page."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.requirements import LEFT_OUT

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "deploying-terraform.md"
SECRET = "0123456789abcdef" * 4
BLOCKS = re.findall(r"^```hcl\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
EVALUATED = [block for block in BLOCKS if "locals {" in block]
GIVEN = {"bucket": "packages", "region": "eu-west-1", "account": "123456789012", "session_secret": SECRET}


def run(*words: str | Path, folder: Path) -> str:
    ended = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "SESSION_SECRET": SECRET, "PYTHONPATH": str(ROOT), "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def terraform(*words: str, folder: Path) -> str:
    """Run Terraform. No registry of packages has it, so the machine has it or the test is left out, in CI as well."""
    command = shutil.which("terraform")
    if command is None:
        pytest.skip(LEFT_OUT + "Terraform is missing")
    return run(command, *words, folder=folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the page has in it before Terraform runs."""
    made = tmp_path_factory.mktemp("terraform")
    stack = "examples.orders.stack:stack"
    run(sys.executable, "-m", "router", "export", "sam", stack, "--json", "-o", "orders.json", folder=made)
    run(sys.executable, "-m", "router", "export", "iam", stack, "-o", "policy.json", folder=made)
    (made / "orders.zip").write_bytes(b"package")
    return made


@pytest.fixture(scope="module")
def evaluated(folder: Path) -> dict[str, Any]:
    """Return the values of the page's locals that the resources use."""
    names = ("template", "policy", "variables", "key", "orders")
    output = 'output "{0}" {{\n value = local.{0}\n sensitive = true\n}}\n'
    outputs = "".join(output.format(name) for name in names)
    (folder / "locals.tf").write_text("\n".join([*EVALUATED, outputs]))
    terraform("init", "-input=false", folder=folder)
    variables = [f"-var={name}={value}" for name, value in GIVEN.items()]
    terraform("apply", "-auto-approve", "-input=false", *variables, folder=folder)
    found = json.loads(terraform("output", "-json", folder=folder))
    return {name: one["value"] for name, one in found.items()}


def test_the_template_is_the_exported_one_with_the_address_of_its_package(
    folder: Path, evaluated: dict[str, Any]
) -> None:
    wanted = json.loads((folder / "orders.json").read_text())
    wanted["Resources"]["MainFunction"]["Properties"]["CodeUri"] = f"s3://packages/{evaluated['key']}"

    assert json.loads(evaluated["template"]) == wanted
    assert len(evaluated["template"]) < 51_200


def test_the_policy_names_the_account(evaluated: dict[str, Any]) -> None:
    policy = json.loads(evaluated["policy"])

    assert "${" not in evaluated["policy"]
    targets = {target for one in policy["Statement"] for target in one["Resource"]}
    assert "arn:aws:sqs:eu-west-1:123456789012:orders" in targets


def test_the_function_has_its_variables(evaluated: dict[str, Any]) -> None:
    assert evaluated["variables"]["ORDER_EVENTS_TOPIC"] == "arn:aws:sns:eu-west-1:123456789012:order-events"
    assert evaluated["variables"]["SESSION_SECRET"] == SECRET
    assert "${" not in str(evaluated["variables"])


def test_the_stack_gives_the_parameters_that_have_no_default(folder: Path) -> None:
    parameters = json.loads((folder / "orders.json").read_text())["Parameters"]
    given = PAGE.read_text().partition("  parameters = {\n")[2].partition("  }\n")[0]

    assert set(re.findall(r"^ +(\w+) += ", given, re.MULTILINE)) == set(parameters)


def test_a_mapping_gets_its_settings_from_the_export(evaluated: dict[str, Any]) -> None:
    assert evaluated["orders"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_each_block_has_the_form_that_terraform_gives_it(number: int, tmp_path: Path) -> None:
    (tmp_path / "block.tf").write_text(BLOCKS[number])
    terraform("fmt", "-check", "-diff", "block.tf", folder=tmp_path)


def test_the_page_asks_for_resources_that_the_export_has(folder: Path) -> None:
    """Hold without Terraform, too."""
    resources = json.loads((folder / "orders.json").read_text())["Resources"]
    page = PAGE.read_text()
    table = page.partition("| resource of Terraform |")[2].partition("\n\n")[0]
    named = re.findall(r"\| `([A-Za-z.]+)` \|$", table, re.MULTILINE)

    assert len(named) == 5
    for name in named:
        assert any(one.endswith(name.removeprefix("...")) for one in resources), name
    for name in re.findall(r"declared\.(\w+)\.", page):
        assert name in resources
    for name in re.findall(r"local\.function\.(\w+)", page):
        assert name in resources["MainFunction"]["Properties"]
    assert resources["MainFunction"]["Type"] == "AWS::Serverless::Function"
