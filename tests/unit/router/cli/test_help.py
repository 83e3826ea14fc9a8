"""The help of all commands, and what the documentation says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from router.cli import app
from tests.unit.router.cli.processes import ROOT

# Those that print no data of their own: text for people or shells, or what an application writes.
WITHOUT_JSON = {
    "worker",
    "task",
    "runtime",
    "vendor",
    "completion",
    "export client",
    "export iam",
    "export asyncapi",
    "export diagram",
    "export tools",
}


def _commands() -> Iterator[tuple[str, Any]]:
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", {})
        yield from ((f"{name} {one}", held) for one, held in inner.items())
        if not inner:
            yield name, command


COMMANDS = dict(_commands())


def _help(name: str) -> str:
    """Return the help of a command at 80 columns."""
    words = name.split()
    if words[:1] == ["tokens"]:
        words.insert(1, "app:tokens")
    done = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}).invoke(app, [*words, "--help"])
    assert done.exit_code == 0, done.output
    return done.stdout


def _statuses(text: str) -> set[str]:
    """Return the statuses that the help of a command tells of."""
    told = " ".join(re.sub(r"[│╭╰─╮╯]", " ", text).split())
    found = re.search(r"Exit status: (.*?)(?:\.(?: |$)|$)", told)
    return set(re.findall(r"\b(?:0|1|2|130|143)\b", found[1])) if found else set()


def _table() -> dict[str, set[str]]:
    """Return the statuses of each command in the documentation."""
    text = (ROOT / "docs" / "commands.md").read_text().partition("## Exit statuses")[2]
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 5 and cells[0].startswith("`"):
            told = {status for status, cell in zip("012", cells[1:4], strict=True) if cell}
            found[cells[0].strip("`")] = told | set(re.findall(r"\b(?:130|143)\b", cells[4]))
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_exit_statuses_says_what_the_help_says(name: str) -> None:
    family = name.partition(" ")[0]
    table = _table()
    row = table.get(name, table.get(family))
    assert row is not None, f"docs/commands.md has no row for {name}"
    assert (_statuses(_help(name)) or _statuses(_help(family))) == row


def test_the_table_has_no_command_that_there_is_not() -> None:
    assert set(_table()) <= {*COMMANDS, *(name.partition(" ")[0] for name in COMMANDS)}


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_into_80_columns_and_cuts_nothing(name: str) -> None:
    text = _help(name)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "<bool>" not in text


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_prints_data_prints_it_as_json(name: str) -> None:
    options = [option for one in COMMANDS[name].params for option in one.opts]
    assert ("--json" in options) != (name in WITHOUT_JSON)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_documentation_lists_each_command(name: str) -> None:
    listed = (ROOT / "docs" / "commands.md").read_text().partition("## Exit statuses")[0]
    family, _, verb = name.partition(" ")
    assert f"`junction {family}" in listed
    assert not verb or verb in listed


def test_commands_are_shown_in_groups() -> None:
    text = _help("")
    places = [text.index(f"─ {panel} ─") for panel in ("Develop", "Deploy", "Run", "Data", "Set up")]
    assert places == sorted(places)
    assert "─ Commands ─" not in text
