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

from router.contract import WebSocketApi
from router.contract.names import value
from tests.servers.requirements import LEFT_OUT

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "deploying-terraform.md"
SECRET = "0123456789abcdef" * 4
BLOCKS = re.findall(r"^```hcl\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
EVALUATED = [block for block in BLOCKS if "locals {" in block]
# Resources of AWS are not made here: outputs take their preconditions.
PRECONDITIONS = re.findall(r"^    precondition \{\n.*?^    \}\n", "".join(BLOCKS), re.MULTILINE | re.DOTALL)
GUARDED = "".join(f'output "guarded{n}" {{\n  value = 0\n{one}}}\n' for n, one in enumerate(PRECONDITIONS))
SOCKET = value(WebSocketApi())
GIVEN = {"bucket": "packages", "region": "eu-west-1", "account": "123456789012", "session_secret": SECRET}


def run(*words: str | Path, folder: Path, succeeds: bool = True) -> str:
    ended = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "SESSION_SECRET": SECRET, "PYTHONPATH": str(ROOT), "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode == 0) is succeeds, ended.stdout + ended.stderr
    return ended.stdout if succeeds else ended.stderr


def terraform(*words: str, folder: Path, succeeds: bool = True) -> str:
    """Run Terraform. No registry of packages has it, so the machine has it or the test is left out, in CI as well."""
    command = shutil.which("terraform")
    if command is None:
        pytest.skip(LEFT_OUT + "Terraform is missing, and no package registry has one that reads the page")
    return run(command, *words, folder=folder, succeeds=succeeds)


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
    return evaluate(folder)


def evaluate(folder: Path, *, is_refused: bool = False) -> dict[str, Any]:
    """Return the page's locals, by its blocks and the exports of a folder; under "error" why they are refused."""
    names = ("template", "policy", "variables", "key", "orders")
    output = 'output "{0}" {{\n value = local.{0}\n sensitive = true\n}}\n'
    outputs = "".join(output.format(name) for name in names)
    if not (folder / "locals.tf").exists():
        (folder / "locals.tf").write_text("\n".join(EVALUATED))
    (folder / "outputs.tf").write_text(outputs + GUARDED)
    terraform("init", "-input=false", folder=folder)
    variables = [f"-var={name}={value}" for name, value in GIVEN.items()]
    words = ("apply", "-auto-approve", "-input=false", "-no-color", *variables)
    said = terraform(*words, folder=folder, succeeds=not is_refused)
    if is_refused:
        return {"error": said}
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


def test_a_variable_that_nothing_fills_in_is_refused(folder: Path, tmp_path: Path) -> None:
    copied(folder, tmp_path, SIGNING_SECRET="${SigningSecret}", CONNECTIONS_URL=SOCKET)

    told = evaluate(tmp_path, is_refused=True)["error"]
    assert "fills in: CONNECTIONS_URL, SIGNING_SECRET." in " ".join(told.replace("│", " ").split())


def test_a_policy_with_a_name_that_nothing_fills_in_is_refused(folder: Path, tmp_path: Path) -> None:
    copied(folder, tmp_path)
    policy = json.loads((folder / "policy.json").read_text())
    policy["Statement"][0]["Resource"] = ["arn:aws:sqs:eu-west-1:123456789012:${Videos}"]
    (tmp_path / "policy.json").write_text(json.dumps(policy))

    assert "The policy has a name in braces" in evaluate(tmp_path, is_refused=True)["error"]


def test_the_url_of_a_socket_names_the_api_of_terraform(folder: Path, tmp_path: Path) -> None:
    copied(folder, tmp_path, CONNECTIONS_URL=SOCKET)
    told = "\n".join(EVALUATED).replace(
        '# "WebSocketApi" = aws_apigatewayv2_api.socket.id #', '"WebSocketApi" = "a1" #'
    )
    (tmp_path / "locals.tf").write_text(told)

    assert evaluate(tmp_path)["variables"]["CONNECTIONS_URL"] == "https://a1.execute-api.eu-west-1.amazonaws.com/live"


def copied(folder: Path, to: Path, **variables: str) -> None:
    """Copy the exports of a folder, with further variables of the function."""
    for name in ("orders.json", "orders.zip", "policy.json"):
        shutil.copy(folder / name, to / name)
    exported = json.loads((to / "orders.json").read_text())
    held = exported["Resources"]["MainFunction"]["Properties"]["Environment"]["Variables"]
    held |= {name: {"Fn::Sub": value} for name, value in variables.items()}
    (to / "orders.json").write_text(json.dumps(exported))


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
