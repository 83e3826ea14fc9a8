"""The command line: what it lists, what it runs, and what it says to wrong words."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli import app

ROOT = Path(__file__).resolve().parents[3]
HERE = "tests.unit.router.cli_app"
APP = f"{HERE}:resolver"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave neither a TASK_NAME nor log levels to other tests; nothing here may find AWS."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TASK_NAME", "")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    levels = {name: logging.getLogger(name).level for name in ("adapters", "router")}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize(
    ("application", "told"),
    [
        ("noform", "APP 'noform': write it as package.module:resolver, such as noform:resolver"),
        ("shop/app.py", "APP 'shop/app.py': write it as package.module:resolver, such as shop.app:resolver"),
        ("a-b:c", "APP 'a-b:c': write it as package.module:resolver"),
        ("./shop/app.py", "write it as package.module:resolver, such as shop.app:resolver"),
        ("..:resolver", "write it as package.module:resolver"),
        ("nowhere.app:resolver", "there is no module 'nowhere' here"),
        ("nowhere:resolver", f"neither in {os.getcwd()} nor on the path; run it from the folder that has nowhere"),
        ("tests.nowhere:resolver", "there is no module 'tests.nowhere': tests was found, and has no nowhere"),
        ("conftest.py:resolver", "conftest.py is a file: write its module, conftest:resolver"),
        ("conftest.py:stack", "conftest.py is a file: write its module, conftest:stack"),
        (f"{HERE}x:resolver", f"there is no module '{HERE}x': tests.unit.router was found, and has no cli_appx"),
        (f"{HERE}:nothing", f"{HERE} has no 'nothing'; it has the resolver resolver, empty"),
        (f"{HERE}:not_one", "is not a Resolver (got str); it has the resolver resolver, empty"),
        (f"{HERE}:router", "is not a Resolver (got Router)"),
        (
            "tests.unit.router.cli_broken_app:resolver",
            "cannot be imported: KeyError: 'A_VARIABLE_THAT_NOBODY_SETS' (tests/unit/router/cli_broken_app.py:7)",
        ),
    ],
)
@pytest.mark.parametrize("command", [["routes"], ["task"], ["worker"]], ids=" ".join)
def test_a_wrong_application_is_told_in_one_line(command: list[str], application: str, told: str) -> None:
    result = run(*command, application, *(["orders"] if command == ["worker"] else []))

    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert told in line


def test_a_module_with_the_library_s_name_is_told_to_take_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "router.py").write_text("from router import Resolver\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    result = run("routes", "router:resolver")

    assert result.exit_code == 2
    assert "`router` is the library here, not router.py: rename it" in result.stderr


def test_a_missing_dependency_of_the_application_is_not_taken_for_a_wrong_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_more.py").write_text("import a_library_that_is_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    result = run("routes", "needs_more:resolver")

    assert result.exit_code == 2
    assert "needs_more cannot be imported: No module named 'a_library_that_is_missing'" in result.stderr
    assert "needs_more.py:1)" in result.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("raise SystemExit(3)", "ended the process with status 3 while it was imported (ends.py:1)"),
        ("import sys\nsys.exit('no setting')", "ended the process with status 'no setting' while it was imported"),
        ("x = 1\ndef f(:", "cannot be imported: SyntaxError: invalid syntax (ends.py:2)"),
    ],
)
def test_a_module_that_ends_while_it_is_imported_is_told(
    content: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ends.py").write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "ends", raising=False)
    result = run("routes", "ends:resolver")

    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert told in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["routes"], "Missing argument 'APP'. The application: `package.module:resolver`, or a `Stack` of it."),
        (["worker", APP], "Missing argument 'QUEUE'. Names, URLs or ARNs of queues."),
        (["vendor"], "Missing argument 'DIR'. The folder of the copy, such as `src/shop/_junction`."),
    ],
)
def test_what_is_missing_is_explained(arguments: list[str], told: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert told in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize("command", ["worker", "task", "indexes", "vendor", ""])
def test_a_flag_does_not_ask_for_a_value(command: str) -> None:
    lines = [line for line in run(*filter(None, [command]), "--help").stdout.splitlines() if "<bool>" in line]
    assert all("--help" in line for line in lines)


class TestRoutes:
    def test_each_route_is_a_row(self) -> None:
        result = run("routes", APP)

        assert result.exit_code == 0
        rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.stdout.splitlines() if "│" in line]
        assert rows == [
            ["http", "GET /orders/{order_id}", f"{HERE}.show", "tags: read"],
            ["sqs", "orders-*", f"{HERE}.order", "concurrency: 3"],
            ["sqs", "mail", f"{HERE}.mail", "batch: yes; pattern: yes"],
            ["dynamodb", "table", f"{HERE}.inserted", "events: INSERT"],
            ["http", "GET /health", f"{HERE}.health", "auth: off"],
            ["s3", "files[1]", f"{HERE}.file", "prefix: in/; suffix: .csv"],
            ["task", "nightly", f"{HERE}.nightly", ""],
            ["task", "broken", f"{HERE}.broken", ""],
        ]

    def test_what_groups_and_the_resolver_require_is_shown(self) -> None:
        rows = run("routes", "tests.unit.router.cli.check_app:resolver").stdout
        assert "requires: CHECK_KEY, CHECK_QUEUE, CHECK_BUCKET" in rows

    def test_a_stack_is_taken(self) -> None:
        assert "/orders" in run("routes", "tests.unit.router.cli.events_app:stack").stdout

    def test_they_are_data(self) -> None:
        first, *_ = held = json.loads(run("routes", "tests.unit.router.cli.check_app:resolver", "--json").stdout)
        assert len(held) == 3
        assert first["route"] == "GET /orders/{order_id}"
        assert first["file"] == "tests/unit/router/cli/check_app.py"
        assert set(first["requires"]) == {"CHECK_KEY", "CHECK_TABLE"}
        assert first["function"] == "main"
        allowed = json.loads(run("routes", f"{HERE}:listed", "--json").stdout)
        assert [(one["credentials"], one["permission"]) for one in allowed][:2] == [
            ("token, user", "owner | anyone"),
            ("off", "anyone"),
        ]
        split = json.loads(run("routes", APP, "--split", "source", "--json").stdout)
        assert {one["function"] for one in split} > {"main"} or len({one["function"] for one in split}) > 1


class TestTask:
    def test_it_runs_by_name_and_its_result_is_the_exit_code(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SESSION", '{"tenant": "acme"}')

        assert run("task", APP, "nightly").exit_code == 7

    def test_the_name_may_come_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TASK_NAME", "nightly")

        assert run("task", APP).exit_code == 0

    def test_failure_and_what_cannot_start(self) -> None:
        assert run("task", APP).exit_code == 2  # without a name
        assert run("task", APP, "broken").exit_code == 1
        assert run("task", APP, "unknown").exit_code == 1
        assert run("task", APP, "nightly", "--require-env", "A_VARIABLE_THAT_NOBODY_SETS").exit_code == 2


class TestWorker:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["ordres"], "has no @on_queue route for 'ordres'; there is orders-*, mail"),
            (["https://sqs.eu-west-1.amazonaws.com/123456789012/ordres"], "has no @on_queue route for 'ordres'"),
            (["mail", "--batch", "11"], "Worker(batch=11): give a whole number from 1 to 10"),
            (["mail", "--visibility", "0"], "0.0 is out of range; give from 1 to 43200 seconds"),
            (["mail", "--metrics", f"{HERE}:not_one"], "cannot be called: it is of type str"),
            (["mail", "--metrics", "nope"], "--metrics 'nope': write it as package.module:function"),
        ],
    )
    def test_wrong_words(self, arguments: list[str], told: str) -> None:
        result = run("worker", APP, *arguments)

        assert result.exit_code == 2
        assert told in result.stderr

    def test_an_application_without_queues_is_told(self) -> None:
        assert "it has none at all" in run("worker", f"{HERE}:empty", "orders").stderr

    def test_help_names_what_matters(self) -> None:
        text = " ".join(re.sub(r"[│╭╰─]", " ", run("worker", "--help").stdout).split())

        for word in ("APP", "QUEUE", "--concurrency", "--visibility", "--drain", "--metrics", "SIGTERM"):
            assert word in text


def module(*arguments: str, hide: str = "") -> subprocess.CompletedProcess[str]:
    """`python -m router`, in a process where a package may be hidden."""
    script = (
        "import runpy, sys\n"
        f"sys.modules.update(dict.fromkeys({hide.split()!r}))\n"
        f"sys.argv = ['router', *{list(arguments)!r}]\n"
        "runpy.run_module('router', run_name='__main__', alter_sys=True)"
    )
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )


def test_without_the_extra_it_says_what_to_install() -> None:
    done = module("routes", APP, hide="typer")

    assert done.returncode == 2
    assert done.stderr == 'error: the command line needs typer and rich: pip install "lambda-junction[cli]"\n'


def test_the_table_says_what_it_needs() -> None:
    done = module("routes", APP, hide="rich rich.console rich.table")

    assert done.returncode == 2
    assert 'pip install "lambda-junction[cli]"' in done.stderr


def test_as_a_module_it_has_help() -> None:
    done = module("--help")

    assert done.returncode == 0
    assert all(command in done.stdout for command in ("worker", "task", "routes", "python -m router"))


def test_the_table_of_permissions_shows_who_may_call_what() -> None:
    result = run("routes", f"{HERE}:listed", "--permissions")
    assert result.exit_code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.stdout.splitlines() if "GET" in line]
    assert rows == [
        ["http", "GET /a", "token, user", "owner | anyone"],
        ["http", "GET /b", "off", "anyone"],
        ["http", "GET /c", "token, user", "nobody: it has no permission="],
    ]
    assert "anybody" in run("routes", APP, "--permissions").stdout
    assert "permission: nobody" in run("routes", f"{HERE}:listed").stdout


def test_the_table_of_permissions_knows_what_use_puts_around_and_that_messages_bring_a_session() -> None:
    tables = [run("routes", f"{HERE}:{name}", "--permissions").stdout for name in ("used", "listed")]
    rows = [[cell.strip() for cell in line.split("│")[1:4]] for table in tables for line in table.splitlines()]
    assert [row for row in rows if len(row) == 3] == [
        ["http", "GET /a", "token, tenant"],
        ["http", "GET /b", "token, user"],
        ["http", "GET /c", "off"],
        ["sqs", "jobs", "session with tenant"],
        ["websocket", "say", "token, tenant"],
        ["http", "GET /a", "token, user"],
        ["http", "GET /b", "off"],
        ["http", "GET /c", "token, user"],
        ["sqs", "jobs", "session with user"],
    ]
