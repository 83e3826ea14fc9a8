"""`junction check`: what it shows, what it takes for a fault, and how it ends."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli import app
from router.environment.usage import Call, write_calls

HERE = "tests.unit.router.cli.check_app"
ROOT = Path(__file__).resolve().parents[4]
GET = "GET /orders/{order_id}"
VARIABLES = ("CHECK_TABLE", "CHECK_QUEUE", "CHECK_BUCKET")


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in (*VARIABLES, "CHECK_KEY"):
        monkeypatch.setenv(name, "")


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "value-of-it")


def run(name: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", f"{HERE}:{name}", *arguments])


def faults(result: Result) -> list[str]:
    found = [line.removeprefix("- ") for line in result.stdout.splitlines() if line.startswith("- ")]
    return [re.sub(r"( \([\w/.]+:\d+\))? \[[\w-]+\]$", "", line) for line in found]


@pytest.mark.usefixtures("complete")
def test_a_complete_application_has_no_faults() -> None:
    result = run("resolver")
    assert result.exit_code == 0
    assert f"{HERE}:resolver: 3 routes, 4 variables" in result.stdout
    rows = [line.split() for line in result.stdout.splitlines() if line.startswith("│")]
    assert ["│", "CHECK_KEY", "│", "/prod/CHECK_KEY", "│", "-", "│", "every", "route", "│"] in rows
    assert ["│", "CHECK_QUEUE", "│", "environment", "│", "sqs:SendMessage", "│", "sqs", "orders", "│"] in rows
    assert result.stdout.endswith("no faults\n")


@pytest.mark.usefixtures("complete")
def test_no_value_is_shown_and_none_is_set() -> None:
    result = run("resolver")
    assert "hunter2" not in result.output
    assert "value-of-it" not in result.output
    assert os.environ["CHECK_KEY"] == ""


def test_what_is_missing_is_told_with_the_routes_that_want_it() -> None:
    result = run("resolver")
    assert result.exit_code == 1
    assert faults(result) == [
        f"CHECK_TABLE is not set; wanted by {GET}",
        "CHECK_QUEUE is not set; wanted by sqs orders",
        "CHECK_BUCKET is not set; wanted by sqs orders (Shelf has no /prod/{name})",
    ]
    assert "3 faults:" in result.stdout


def test_offline_no_store_is_asked_and_nothing_is_missing() -> None:
    result = run("down", "--offline")
    assert (result.exit_code, faults(result)) == (0, [])
    assert "not in the environment" in result.stdout


def test_a_store_that_is_down_is_a_fault() -> None:
    result = run("down")
    assert result.exit_code == 1
    assert faults(result) == ["what the environment lacks cannot be looked up: the store is down"]
    assert "unknown" in result.stdout


def test_operations_that_no_policy_can_allow() -> None:
    result = run("wrong")
    assert result.exit_code == 1
    assert faults(result) == [
        "dynamodb:GetItm, declared for PATH, is not an IAM action: did you mean dynamodb:GetItem?",
        "s3:HeadObject, declared for PATH, is not an IAM action: what allows it is s3:GetObject",
    ]
    assert run("wrong", "--known", "dynamodb:GetItm", "--known", "s3:HeadObject").exit_code == 0


def test_without_botocore_operations_are_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    from router.cli.known_actions import _known

    _known.cache_clear()
    monkeypatch.setitem(sys.modules, "botocore.loaders", None)
    result = run("wrong")
    assert (result.exit_code, faults(result)) == (0, [])
    assert "operations are not checked" in result.stderr
    _known.cache_clear()


def test_routes_that_declare_nothing_are_faults_when_asked() -> None:
    assert run("plain").exit_code == 0
    result = run("plain", "--undeclared")
    assert result.exit_code == 1
    assert faults(result) == ["GET /a: declares nothing; requires={} says that it needs nothing"]


class TestCalls:
    MADE = (
        Call(GET, "dynamodb:GetItem", "orders", ("CHECK_TABLE",)),
        Call(GET, "dynamodb:Query", "orders", ("CHECK_TABLE",)),
        Call("sqs orders", "sqs:SendMessage", "mails", ("CHECK_QUEUE",)),
        Call("sqs orders", "s3:GetObject", "reports", ("CHECK_BUCKET",)),
    )

    def check(self, folder: Path, *calls: Call, more: tuple[str, ...] = ()) -> Result:
        write_calls(folder / "calls.json", calls)
        return run("resolver", "--offline", "--calls", str(folder / "calls.json"), *more)

    def test_that_are_as_declared(self, tmp_path: Path) -> None:
        assert self.check(tmp_path, *self.MADE).exit_code == 0

    def test_of_several_files_count_together(self, tmp_path: Path) -> None:
        write_calls(tmp_path / "more.json", self.MADE[:2])
        assert self.check(tmp_path, *self.MADE[2:], more=("--calls", str(tmp_path / "more.json"))).exit_code == 0

    def test_that_differ_are_faults(self, tmp_path: Path) -> None:
        other = Call(GET, "dynamodb:PutItem", "orders", ("CHECK_TABLE",))
        gone = Call("GET /gone", "dynamodb:GetItem", "orders", ())
        result = self.check(tmp_path, *self.MADE[:3], other, gone)
        assert result.exit_code == 1
        assert faults(result) == [
            f"{GET}: calls dynamodb:PutItem on orders, which is not declared for CHECK_TABLE",
            "sqs orders: declares s3:GetObject for CHECK_BUCKET, which is never called",
            "GET /gone: calls are recorded of this route, which is not there",
        ]
        assert self.check(tmp_path, *self.MADE[:3], more=("--unused", "s3:GetObject")).exit_code == 0

    def test_in_a_file_that_is_none(self, tmp_path: Path) -> None:
        result = run("resolver", "--calls", str(tmp_path / "none.json"))
        assert result.exit_code == 2
        assert "none.json: No such file or directory" in result.stderr


def test_wrong_arguments() -> None:
    assert CliRunner().invoke(app, ["check"]).exit_code == 2
    assert run("nothing").exit_code == 2


def test_at_80_columns_every_line_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("router.cli.report._at_a_terminal", lambda: True)
    result = run("resolver", "--undeclared")
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert max(len(line) for line in lines) <= 80
    assert "  name})" not in lines
