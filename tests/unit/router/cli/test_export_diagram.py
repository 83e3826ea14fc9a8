"""`junction export diagram`: which form it writes where, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.cli.commands import app

APP = """
from router import Middleware, Resolver
from router.contract import Info, Queue, Stack
from router.environment import SQS

resolver = Resolver()
resolver.get("/send", tags=["jobs"], requires={"JOBS": [SQS.SEND_MESSAGE]})(lambda: 1)
resolver.on_queue("orders", tags=["orders"])(lambda event: None)
stack = Stack("drawn_app:resolver", Queue("jobs", variable="JOBS"), name="shop", info=Info("The shop"))
broken = Stack("drawn_app:nothing", name="shop")


class Failing:
    def needs(self):
        raise RuntimeError("no region")


class Around(Middleware):
    def __init__(self):
        self.failing = Failing()

    def __call__(self, event):
        yield


failing = Resolver()
failing.use(Around())
"""

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return what runs the command in a folder with an application, and returns status and output."""
    (tmp_path / "drawn_app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def export(*words: str, application: str = "drawn_app:stack") -> tuple[int, str]:
        sys.modules.pop("drawn_app", None)
        result = CliRunner().invoke(app, ["export", "diagram", application, *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    yield export
    sys.modules.pop("drawn_app", None)


def test_it_writes_mermaid_to_the_terminal(run: Run) -> None:
    status, text = run()
    assert status == 0
    assert text.startswith("flowchart LR\n  accTitle: The shop\n")
    assert 'u_queue_jobs(["queue<br/>jobs"])' in text


def test_the_name_of_the_file_says_which_form_unless_an_option_does(run: Run, tmp_path: Path) -> None:
    assert run("-o", "shop.svg") == (0, "wrote shop.svg\n")
    assert (tmp_path / "shop.svg").read_text().startswith("<svg ")
    assert run("-o", "shop.md") == (0, "wrote shop.md\n")
    assert (tmp_path / "shop.md").read_text().startswith("flowchart")
    assert run("-o", "shop.txt", "--format", "svg") == (0, "wrote shop.txt\n")
    assert (tmp_path / "shop.txt").read_text() == (tmp_path / "shop.svg").read_text()


def test_it_finds_a_file_current_or_not(run: Run, tmp_path: Path) -> None:
    code, output = run("-o", "shop.svg", "--check")
    assert (code, "shop.svg is not there: run " in output, output.endswith(" -o shop.svg\n")) == (1, True, True)
    run("-o", "shop.svg")
    assert run("-o", "shop.svg", "--check") == (0, "")
    assert run("-o", "shop.svg", "--title", "Another", "--check")[0] == 1
    status, shown = run("-o", "shop.svg", "--title", "Another", "--diff")
    assert (status, '+<title id="junction-title">Another</title>' in shown) == (0, True)


def test_an_application_alone_has_the_variables_in_place_of_the_resources(run: Run) -> None:
    status, text = run(application="drawn_app:resolver")
    assert (status, 'u_queue_JOBS(["queue<br/>JOBS"])' in text) == (0, True)


def test_routes_are_grouped_as_an_option_says(run: Run) -> None:
    assert 'subgraph g_tag_jobs["jobs"]' in run("--group", "tag")[1]
    assert 'subgraph g_function_main["main"]' in run("--group", "function")[1]


def test_what_it_cannot_draw_ends_with_status_2(run: Run) -> None:
    assert run("--group", "colour")[0] == 2
    status, text = run(application="drawn_app:broken")
    assert status == 2
    assert "drawn_app has no 'nothing'" in text
    status, text = run(application="drawn_app:failing")
    assert status == 2
    assert "RuntimeError: no region (" in text
    assert "drawn_app.py:" in text


def test_a_name_of_another_kind_of_file_is_refused(run: Run) -> None:
    code, output = run("-o", "shop.png")
    assert (code, "ends with .mmd, .mermaid, .md or .svg, not with .png" in output) == (2, True)
    code, output = run("-o", "shop.mmd", "--format", "svg")
    assert (code, "a picture of svg is a file that ends with .svg, not with .mmd" in output) == (2, True)


def test_a_value_of_no_choice_is_refused_in_words_of_the_command(run: Run) -> None:
    for option in ("--format", "--group"):
        code, output = run(option, "png")
        assert (code, "'png' is not one of" in " ".join(output.split()), "Value error" in output) == (2, True, False)
