"""`junction export openapi`: what it writes, into which file, and how it ends."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import validate
from ruamel.yaml import YAML
from typer.testing import CliRunner

from router.cli.commands import app

APPS = {
    "shop_app": """
from router import Resolver
from router.contract import Info, Stack

resolver = Resolver()
resolver.get("/orders/{id:int}", name="show")(lambda id: 1)
stack = Stack("shop_app:resolver", info=Info("The shop", "1.4.0"))
""",
    "billing_app": """
from router import Resolver

resolver = Resolver()
resolver.get("/bills", name="bills")(lambda: 1)
""",
    "served_app": """
from router import Resolver
from router.contract import Info, Stack
from router.contract.openapi import serve_openapi
from router.mcp import serve_mcp

resolver = Resolver()
serve_mcp(resolver, Info("Tools of the shop", "3"))
tools = Resolver()
serve_mcp(tools, Info("Tools of the shop", "3"))
serve_openapi(resolver, Info("The shop", "1.4.0", description="Of many tenants."))
same = Stack("served_app:resolver", info=Info("The shop", "1.4.0"))
other = Stack("served_app:resolver", info=Info("Our shop", "2"))
""",
    "twice_app": """
from router import Resolver

resolver = Resolver()
resolver.get("/orders/{id:int}", name="by_id")(lambda id: 1)
resolver.get("/orders/{slug}", name="by_slug")(lambda slug: 1)
""",
}

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return what runs `junction export openapi` in a folder with applications, and returns status and output."""
    for name, text in APPS.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def export(application: str, *options: str) -> tuple[int, str]:
        for name in APPS:
            sys.modules.pop(name, None)
        result = CliRunner().invoke(app, ["export", "openapi", application, *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    yield export
    for name in APPS:
        sys.modules.pop(name, None)


def test_it_is_written_to_the_terminal(run: Run) -> None:
    code, text = run("shop_app:resolver")
    document = json.loads(text)

    validate(document)
    assert (code, document["openapi"]) == (0, "3.1.0")
    assert document["info"] == {"title": "Shop app", "version": "1"}


def test_a_bare_application_is_called_as_it_serves_itself(run: Run) -> None:
    told = {"title": "The shop", "version": "1.4.0", "description": "Of many tenants."}
    assert json.loads(run("served_app:resolver")[1])["info"] == told
    assert json.loads(run("served_app:tools")[1])["info"] == {"title": "Tools of the shop", "version": "3"}
    assert json.loads(run("served_app:resolver", "--version", "2")[1])["info"]["version"] == "2"


def test_two_names_of_one_application_are_told(run: Run) -> None:
    assert "warning" not in run("served_app:same")[1]
    text = run("served_app:other")[1]
    assert "the stack's info= names 'Our shop' 2, and the application serves 'The shop' 1.4.0" in text
    assert '"title": "Our shop"' in text


def test_a_stack_names_it_and_options_name_it_otherwise(run: Run) -> None:
    assert json.loads(run("shop_app:stack")[1])["info"] == {"title": "The shop", "version": "1.4.0"}
    named = json.loads(run("shop_app:stack", "--title", "Ours", "--version", "7")[1])["info"]
    assert named == {"title": "Ours", "version": "7"}


def test_a_file_is_written_and_then_current(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    assert run("shop_app:stack", "-o", "openapi.json", "--check")[0] == 1
    assert not file.exists()
    assert run("shop_app:stack", "-o", "openapi.json") == (0, "wrote openapi.json\n")
    assert run("shop_app:stack", "-o", "openapi.json", "--check") == (0, "")
    assert run("shop_app:stack", "-o", "openapi.json") == (0, "openapi.json is current\n")
    assert list(json.loads(file.read_text())["paths"]) == ["/orders/{id}"]


def test_yaml_says_the_same(run: Run, tmp_path: Path) -> None:
    run("shop_app:stack", "-o", "openapi.yaml")

    assert YAML(typ="safe").load(tmp_path / "openapi.yaml") == json.loads(run("shop_app:stack")[1])


def test_openapi_3_0(run: Run) -> None:
    document = json.loads(run("shop_app:resolver", "--openapi", "3.0")[1])

    validate(document)
    assert document["openapi"] == "3.0.3"
    code, text = run("shop_app:resolver", "--openapi", "2.0")
    assert (code, text) == (2, "error: --openapi '2.0': give 3.1 or 3.0\n")


def test_applications_merge(run: Run) -> None:
    document = json.loads(run("shop_app:stack", "--merge", "billing_app:resolver")[1])

    assert list(document["paths"]) == ["/bills", "/orders/{id}"]
    assert document["info"]["title"] == "The shop"


def test_applications_that_clash_are_named(run: Run) -> None:
    code, text = run("shop_app:stack", "--merge", "shop_app:resolver")

    assert code == 2
    assert text.startswith("error: 'The shop' and 'Shop app'")
    assert len(re.findall(r"GET /orders/\{id:int\} \(shop_app\.py:[0-9]+\)", text)) == 2


def test_what_cannot_be_merged_is_named_by_its_option(run: Run) -> None:
    code, text = run("shop_app:stack", "--merge", "billing_app:nothing")

    assert code == 2
    assert text == "error: --merge 'billing_app:nothing': billing_app has no 'nothing'; it has the resolver resolver\n"


def test_a_route_without_a_place_is_named_with_file_and_line(run: Run, tmp_path: Path) -> None:
    code, text = run("twice_app:resolver", "-o", "openapi.json")

    assert code == 2
    assert text.count("twice_app.py:") == 2
    assert not (tmp_path / "openapi.json").exists()
