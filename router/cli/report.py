"""Show the result of a check: as a table and sentences, as JSON, or as annotations of GitHub Actions."""

from __future__ import annotations

import json
import sys
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING

import typer

from router.cli.loading import refuse
from router.environment.resolution import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.contract.checking import Finding
    from router.environment.declared import Declared

_ENDLESS = 1000  # the width of a file


class Report:
    """Show the result of a check.

    application: as it was named. declared: by its routes.
    ignored: rules that do not count. strict: whether warnings are faults.
    origins: where each variable comes from. operations: of each variable. sizes: of the package, in words.
    """

    def __init__(self, application: str, declared: Declared, ignored: Iterable[str], *, strict: bool) -> None:
        self._application = application
        self._ignored = frozenset(ignored)
        self._strict = strict
        self._routes = len(declared.routes)
        self.wanted_by = declared.wanted_by()
        self.operations: Mapping[str, tuple[str, ...]] = {}
        self.origins: Mapping[str, str] = {}
        self.sizes = ""

    def show(self, found: Iterable[Finding], *, as_json: bool, github: bool) -> int:
        """Print the findings, and return the exit status: 1 with faults."""
        counted = [one for one in found if one.rule not in self._ignored]
        faults = [one for one in counted if self._strict or one.level == "error"]
        warnings = [one for one in counted if one not in faults]
        if as_json:
            self._print_json(counted)
        else:
            self._print_table()
            if self.sizes:
                _print_lines([self.sizes], "")
            _print_part(faults, "fault")
            _print_part(warnings, "warning")
            if not counted:
                typer.echo("no faults")
            for one in counted if github else ():
                typer.echo(one.as_annotation())
        return 1 if faults else 0

    def _print_json(self, found: Iterable[Finding]) -> None:
        variables = [
            {
                "name": name,
                "from": origin,
                "operations": list(self.operations.get(name, ())),
                "wanted_by": self.wanted_by[name],
            }
            for name, origin in self.origins.items()
        ]
        held = {
            "application": self._application,
            "routes": self._routes,
            "variables": variables,
            "findings": [one.as_json() for one in found],
        }
        typer.echo(json.dumps(held, indent=2))

    def _print_table(self) -> None:
        """Print the variables as a table."""
        try:
            from rich.console import Console
            from rich.table import Table
            from rich.text import Text
        except ImportError:
            refuse('the table needs rich: pip install "lambda-junction[cli]"')
        counts = f"{_counted(self._routes, 'route')}, {_counted(len(self.origins), 'variable')}"
        title = f"{self._application}: {counts}"
        if not self.origins:
            typer.echo(title)
            return
        table = Table("variable", "from", "operations", "wanted by", title=title, title_justify="left")
        for name, origin in self.origins.items():
            row = (name, origin, "\n".join(self.operations[name]) or "-", listed(self.wanted_by[name], "\n"))
            # As Text: a name with [brackets] is no markup.
            table.add_row(*(Text(text, overflow="fold") for text in row))
        # Into a file or another program it goes whole, whatever the width of a terminal.
        Console(width=None if _at_a_terminal() else _ENDLESS).print(table)


def _print_part(found: list[Finding], what: str) -> None:
    if found:
        typer.echo(f"{_counted(len(found), what)}:")
        _print_lines([str(one) for one in found], "- ")


def _print_lines(texts: Iterable[str], mark: str) -> None:
    width = get_terminal_size().columns if _at_a_terminal() else _ENDLESS
    for text in texts:
        one = f"{mark}{' '.join(text.split())}"
        typer.echo(fill(one, width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _at_a_terminal() -> bool:
    return sys.stdout.isatty()
