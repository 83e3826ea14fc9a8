"""`junction check`: what an application declares of its environment, and what is wrong with it."""

from __future__ import annotations

import os
import sys
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING

import typer

from router.cli.loading import load_application, refuse
from router.environment.requirements import merged
from router.environment.resolution import listed
from router.environment.usage import compare, declared_by, read_calls
from router.errors import ConfigurationError, text_of
from router.routing.route import UNDECLARED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from router.environment.declared import Declared

_ENDLESS = 1000  # the width of a file
_UNSET = "not set"
_ELSEWHERE = "not in the environment"


def run_check(
    application: str,
    *,
    offline: bool,
    undeclared: bool,
    recordings: list[Path],
    unused: list[str],
    known: list[str],
) -> int:
    """Check an application, print what is declared and what is wrong, and return the exit status.

    application: `package.module:resolver`.
    offline: whether no store is asked, and variables that the environment lacks are in order.
    undeclared: whether a route that declares nothing is a fault.
    recordings: files of calls that tests made.
    unused: operations that the tests need not make.
    known: operations that are in order, whatever botocore says.
    """
    declared = declared_by(load_application(application))
    wanted_by = declared.wanted_by()
    operations = merged([declared.everywhere, *(declared.of(route) for route in declared.routes)])
    origins, faults = _variables(declared, wanted_by, offline)
    faults += _unknown(operations, set(known))
    if undeclared:
        faults += [
            f"{route}: declares nothing; requires={{}} says that it needs nothing"
            for route in declared.routes
            if route.requires is UNDECLARED and not route.group_requires and not route.unpacks
        ]
    if recordings:
        try:
            calls = [call for path in recordings for call in read_calls(path)]
        except ConfigurationError as error:
            refuse(error)
        faults += [str(one) for one in compare(declared, calls, unused=unused)]
    _show(application, declared, operations, origins, wanted_by)
    return _end(faults)


def _variables(
    declared: Declared, wanted_by: Mapping[str, list[str]], offline: bool
) -> tuple[dict[str, str], list[str]]:
    """Return where each variable comes from, and the faults."""
    environ, names = os.environ, list(wanted_by)
    if offline:
        return {name: "environment" if environ.get(name) else _ELSEWHERE for name in names}, []
    try:
        resolved, looked = declared.environment.find(names, environ)
    except Exception as error:
        here = {name: "environment" if environ.get(name) else "unknown" for name in names}
        return here, [f"what the environment lacks cannot be looked up: {text_of(error)}"]
    missing = [name for name in names if name not in resolved]
    faults = [f"{name} is not set; wanted by {listed(wanted_by[name])}" for name in missing]
    if missing and looked:
        faults[-1] += f" ({'; '.join(looked)})"
    return {name: resolved.origins.get(name, _UNSET) for name in names}, faults


def _unknown(operations: Mapping[str, tuple[str, ...]], known: set[str]) -> list[str]:
    """Return the operations that AWS does not have, as faults."""
    from router.cli.known_actions import why_unknown

    faults: list[str] = []
    for name, named in operations.items():
        for operation in named:
            if operation in known:
                continue
            try:
                why = why_unknown(operation)
            except ImportError:
                typer.echo('operations are not checked: pip install "lambda-junction[aws]"', err=True)
                return faults
            if why:
                faults.append(f"{operation}, declared for {name}, is not an IAM action: {why}")
    return faults


def _show(
    application: str,
    declared: Declared,
    operations: Mapping[str, tuple[str, ...]],
    origins: Mapping[str, str],
    wanted_by: Mapping[str, list[str]],
) -> None:
    """Print the variables as a table."""
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        refuse('the table needs rich: pip install "lambda-junction[cli]"')
    title = f"{application}: {_counted(len(declared.routes), 'route')}, {_counted(len(origins), 'variable')}"
    if not origins:
        typer.echo(title)
        return
    table = Table("variable", "from", "operations", "wanted by", title=title, title_justify="left")
    for name, origin in origins.items():
        row = (name, origin, "\n".join(operations[name]) or "-", listed(wanted_by[name], "\n"))
        # As Text: a name with [brackets] is no markup.
        table.add_row(*(Text(text, overflow="fold") for text in row))
    # Into a file or another program it goes whole, whatever the width of a terminal.
    Console(width=None if _at_a_terminal() else _ENDLESS).print(table)


def _end(faults: Iterable[str]) -> int:
    """Print the faults, and return the exit status."""
    found = list(dict.fromkeys(faults))
    if not found:
        typer.echo("no faults")
        return 0
    typer.echo(f"{_counted(len(found), 'fault')}:")
    width = get_terminal_size().columns if _at_a_terminal() else _ENDLESS
    for one in found:
        text = " ".join(one.split())
        typer.echo(fill(f"- {text}", width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False))
    return 1


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _at_a_terminal() -> bool:
    return sys.stdout.isatty()
