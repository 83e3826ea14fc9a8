"""`junction export client`: what it writes, into which file, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.cli.commands import app

APPS = {
    "called_app": """
from router import Resolver
from router.contract import Info, Stack

resolver = Resolver()
resolver.get("/orders/{id:int}", name="show")(lambda id: 1)
stack = Stack("called_app:resolver", info=Info("The shop", "1.4.0"))
""",
    "twice_app": """
from router import Resolver

resolver = Resolver()
resolver.get("/orders/{id:int}", name="show")(lambda id: 1)
resolver.get("/parcels", name="show")(lambda: 1)
""",
}
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return what runs `junction export client` in a folder with applications, and returns status and output."""
    for name, text in APPS.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def export(application: str, *options: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["export", "client", application, *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    yield export
    for name in APPS:
        sys.modules.pop(name, None)


def test_it_writes_a_module_named_by_the_stack(run: Run, tmp_path: Path) -> None:
    assert run("called_app:stack", "-o", "shop_client.py") == (0, "wrote shop_client.py\n")
    text = (tmp_path / "shop_client.py").read_text("utf-8")
    assert text.startswith('"""Call The shop, version 1.4.0, with the session attached.\n')
    assert "class TheShopClient:" in text
    assert run("called_app:stack", "-o", "shop_client.py") == (0, "shop_client.py is current\n")


def test_check_says_whether_the_file_is_current(run: Run, tmp_path: Path) -> None:
    run("called_app:stack", "-o", "shop_client.py", "--name", "ShopClient")
    assert run("called_app:stack", "-o", "shop_client.py", "--name", "ShopClient", "--check")[0] == 0
    before = (tmp_path / "shop_client.py").read_text("utf-8")
    status, output = run("called_app:stack", "-o", "shop_client.py", "--name", "StoreClient", "--check")
    assert status == 1
    assert "shop_client.py is not current" in output
    assert (tmp_path / "shop_client.py").read_text("utf-8") == before


def test_diff_shows_what_would_change(run: Run, tmp_path: Path) -> None:
    run("called_app:stack", "-o", "shop_client.py", "--name", "ShopClient")
    before = (tmp_path / "shop_client.py").read_text("utf-8")
    status, output = run("called_app:stack", "-o", "shop_client.py", "--name", "StoreClient", "--diff")
    assert status == 0
    assert "-class ShopClient:" in output
    assert "+class StoreClient:" in output
    assert (tmp_path / "shop_client.py").read_text("utf-8") == before


def test_two_calls_of_one_name_end_it_with_their_lines(run: Run, tmp_path: Path) -> None:
    status, output = run("twice_app:resolver", "-o", "shop_client.py")
    assert status == 2
    assert "twice_app.py:5" in output
    assert "twice_app.py:6" in output
    assert not (tmp_path / "shop_client.py").exists()


def test_a_name_that_no_class_has_ends_it(run: Run) -> None:
    status, output = run("called_app:stack", "--name", "no name")
    assert status == 2
    assert "cannot be named 'no name'" in output
