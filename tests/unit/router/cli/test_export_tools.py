"""`junction export tools`: what it writes, what it notes, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from router.cli.commands import app

APPS = {
    "agents_app": '''
from router import Resolver, ToolEvent
from router.contract import Info, Stack

resolver = Resolver()

@resolver.get("/orders/{order_id}", tool=True)
def show(order_id: str, limit: int = 3) -> dict[str, str]:
    """Show an order."""
    return {}

@resolver.tool("who")
def who(event: ToolEvent):
    """Tell who calls."""

@resolver.tool("list_*")
def listed(): ...

stack = Stack("agents_app:resolver", info=Info("The shop", "1.4.0"))
''',
    "mute_app": """
from router import Resolver

resolver = Resolver()

@resolver.tool("mute")
def mute(): ...
""",
}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return what runs the command in a folder with applications, and returns status, output and notes."""
    for name, text in APPS.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def export(application: str, *options: str) -> tuple[int, str, str]:
        for name in APPS:
            sys.modules.pop(name, None)
        result = CliRunner().invoke(app, ["export", "tools", application, *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    yield export
    for name in APPS:
        sys.modules.pop(name, None)


def test_the_forms(run: Run) -> None:
    status, out, err = run("agents_app:stack")
    assert status == 0
    assert [tool["name"] for tool in json.loads(out)["tools"]] == ["show", "who"]
    assert "note: tool list_* (agents_app.py:" in err
    _, out, err = run("agents_app:resolver", "--format", "bedrock")
    assert [one["name"] for one in json.loads(out)["functionSchema"]["functions"]] == ["show"]
    assert "asks for a ToolEvent" in err
    _, out, _ = run("agents_app:stack", "--format", "bedrock-openapi")
    assert json.loads(out)["info"] == {"title": "The shop", "version": "1.4.0"}
    _, out, _ = run("agents_app:stack", "--format", "agentcore")
    assert [one["name"] for one in json.loads(out)] == ["show", "who"]


def test_files(run: Run, tmp_path: Path) -> None:
    assert run("agents_app:stack", "-o", "tools.json", "--check")[0] == 1
    assert run("agents_app:stack", "-o", "tools.json")[0] == 0
    assert run("agents_app:stack", "-o", "tools.json", "--check")[0] == 0
    written = tmp_path / "tools.json"
    written.write_text(written.read_text().replace("Show an order", "Show it"))
    status, out, _ = run("agents_app:stack", "-o", "tools.json", "--check", "--diff")
    assert status == 1
    assert '+      "title": "Show an order"' in out
    assert "Show it" in written.read_text()


def test_a_list_may_be_yaml(run: Run, tmp_path: Path) -> None:
    assert run("agents_app:stack", "--format", "agentcore", "-o", "tools.yaml")[0] == 0
    _, out, _ = run("agents_app:stack", "--format", "agentcore")
    assert YAML(typ="safe", pure=True).load((tmp_path / "tools.yaml").read_text()) == json.loads(out)


def test_what_cannot_be_done(run: Run) -> None:
    status, _, err = run("agents_app:stack", "--format", "openai")
    assert (status, "give mcp, bedrock" in err) == (2, True)
    status, _, err = run("mute_app:resolver")
    assert status == 2
    assert "mute_app.py:6" in err
    assert "docstring" in err


def test_the_bytes_are_the_same_in_every_process(run: Run, tmp_path: Path) -> None:
    for form in ("mcp", "bedrock", "bedrock-openapi", "agentcore"):
        texts = {
            subprocess.run(
                [sys.executable, "-m", "router", "export", "tools", "agents_app:stack", "--format", form],
                env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path), "PATH": ""},
                cwd=tmp_path,
                check=True,
                capture_output=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(texts) == 1
        assert str(tmp_path).encode() not in texts.pop()
