"""CDK makes the template of the export from the example, and from the programs of the page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cfnlint.api
import pytest
from samtranslator.translator.transform import transform

from tests.servers.artefacts import CDK
from tests.servers.requirements import require_artefact

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "deploying-cdk.md"
SECRET = "0123456789abcdef" * 4
STACK = "examples.orders.stack:stack"
pytestmark = pytest.mark.timeout(180)


def run(*words: str | Path, folder: Path) -> None:
    ended = subprocess.run(
        words,
        cwd=folder,
        env={
            **os.environ,
            "CDK_OUTDIR": str(folder / "out"),
            "CODE": str(folder / "build"),
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
            "PYTHONPATH": str(ROOT),
            "SESSION_SECRET": SECRET,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with the exported template, as JSON."""
    folder = tmp_path_factory.mktemp("exported")
    run(sys.executable, "-m", "router", "export", "sam", STACK, "--json", "-o", "orders.json", folder=folder)
    return folder / "orders.json"


@pytest.fixture
def folder(tmp_path: Path, exported: Path) -> Path:
    """Return a folder with a package and the exported template, in which a program of CDK runs."""
    require_artefact(CDK)
    package = tmp_path / "build" / "examples"
    package.mkdir(parents=True)
    (package / "app.py").write_text("handler = print\n")
    (tmp_path / "orders.json").write_bytes(exported.read_bytes())
    return tmp_path


def expected(exported: Path) -> dict[str, Any]:
    """Return the resources of the export."""
    resources: dict[str, Any] = json.loads(exported.read_text())["Resources"]
    return resources


def made(folder: Path) -> dict[str, Any]:
    """Return what CDK wrote, after looking at its package and having it judged by SAM and cfn-lint."""
    out = folder / "out"
    template: dict[str, Any] = json.loads((out / "orders.template.json").read_text())
    assert template["Transform"] == "AWS::Serverless-2016-10-31"
    function = template["Resources"]["MainFunction"]["Properties"]
    code = function.pop("CodeUri")
    assets = json.loads((out / "orders.assets.json").read_text())["files"]
    [package] = [one for one in assets.values() if one["source"]["packaging"] == "zip"]
    assert [one["objectKey"] for one in package["destinations"].values()] == [code["Key"]]
    assert (out / package["source"]["path"] / "examples" / "app.py").exists()

    function["CodeUri"] = f"s3://code/{code['Key']}"
    assert [str(one) for one in cfnlint.api.lint(json.dumps(template))] == []
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "eu-west-1")

        class NoManagedPolicies:
            def load(self) -> dict[str, str]:
                return {}

        plain = transform(json.loads(json.dumps(template)), {"TaskImage": "x"}, NoManagedPolicies())
    assert plain["Resources"]["MainFunction"]["Type"] == "AWS::Lambda::Function"
    function["CodeUri"] = "build/"
    return template


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the resources that are not as they were exported, but for their marks."""

    def bare(one: dict[str, Any]) -> dict[str, Any]:
        return {key: held for key, held in one.items() if key != "Metadata"}

    return {name: found.get(name) for name in wanted if bare(found.get(name, {})) != bare(wanted[name])}


def test_the_example_has_what_was_exported_and_alarms_that_mail(folder: Path, exported: Path) -> None:
    run(CDK.folder / "bin" / "python", "-m", "examples.cdk.app", folder=folder)
    template, wanted = made(folder), expected(exported)

    found = template["Resources"]
    changed = differences(found, wanted)
    alarms = {name for name, one in wanted.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    assert set(changed) == alarms
    assert len(alarms) == 5
    [topic] = [name for name in found.keys() - wanted.keys() if found[name]["Type"] == "AWS::SNS::Topic"]
    assert all(one["Properties"].pop("AlarmActions") == [{"Ref": topic}] for one in changed.values())
    assert differences(found, wanted) == {}
    assert template["Outputs"]["HttpApiUrl"] == {"Value": {"Fn::GetAtt": ["HttpApi", "ApiEndpoint"]}}


def test_the_programs_of_the_page_make_what_was_exported(folder: Path, exported: Path) -> None:
    programs = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(programs) == 2
    for program in programs:
        (folder / "infrastructure.py").write_text(program)
        run(CDK.folder / "bin" / "python", "infrastructure.py", folder=folder)
        found = made(folder)["Resources"]
        for one in found.values():
            if one["Type"] == "AWS::CloudWatch::Alarm":
                one["Properties"].pop("AlarmActions", None)
            # CfnInclude puts the value in the place of its parameter.
            for container in one.get("Properties", {}).get("ContainerDefinitions", ()):
                container["Image"] = {"Ref": "TaskImage"}
        assert differences(found, expected(exported)) == {}


def test_the_construct_calls_aliases_which_an_included_template_cannot_have(folder: Path) -> None:
    (folder / "infrastructure.py").write_text(
        "import aws_cdk as cdk\n"
        "from examples.cdk.junction import Junction\n"
        "from router.contract import Function, HttpApi, Stack\n"
        "app = cdk.App()\n"
        "stack = cdk.Stack(app, 'chat')\n"
        "Junction(stack, 'Junction', Stack('examples.chat.app:resolver', Function(snap_start=True)), code='build')\n"
        "app.synth()\n"
    )
    run(CDK.folder / "bin" / "python", "infrastructure.py", folder=folder)
    text = (folder / "out" / "chat.template.json").read_text()

    assert '"Ref": "MainFunction.Alias"' in text
    assert json.loads(text)["Resources"]["MainFunction"]["Properties"]["AutoPublishAlias"] == "live"
