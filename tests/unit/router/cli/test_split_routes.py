"""`junction routes` shows the function of each route, where there is more than one or a split is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.cli.commands import app

APP = """
from router import Resolver
resolver = Resolver()
resolver.on_invoke("a", name="first")(lambda: 1)
"""


def listed(folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str, more: str = "") -> tuple[int, str]:
    (folder / "split_app.py").write_text(APP + more)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.delitem(sys.modules, "split_app", raising=False)
    try:
        result = CliRunner().invoke(app, ["routes", "split_app:resolver", *options])
    finally:
        sys.modules.pop("split_app", None)
    return result.exit_code, result.output


def test_the_column_is_there_where_it_says_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = 'resolver.on_invoke("b", function="reports")(lambda: 1)\n'

    assert "function" not in listed(tmp_path, monkeypatch)[1]
    assert "reports" in listed(tmp_path, monkeypatch, more=more)[1]
    assert "first" in listed(tmp_path, monkeypatch, "--split", "route")[1]
    monkeypatch.setenv("JUNCTION_FUNCTION", "main")
    assert "reports" in listed(tmp_path, monkeypatch, more=more)[1]


def test_a_split_that_is_not_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = listed(tmp_path, monkeypatch, "--split", "tags")

    assert code == 2
    assert "use one of function, group, source, route" in output
