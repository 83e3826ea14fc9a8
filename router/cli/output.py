"""Print data for people and for programs, and say how far long work is."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Annotated, Any

from router.cli.options import flag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AsJson = Annotated[bool, flag("--json", help="Print JSON, for programs.")]


def print_json(value: Any) -> None:
    """Write data to standard output. Half a character is escaped, as it cannot be written."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, default=str)
    sys.stdout.write(text + "\n")


def at_a_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


@contextmanager
def apart(as_json: bool) -> Iterator[None]:
    """Send to standard error what the application prints meanwhile, where standard output is for JSON alone."""
    if not as_json:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[..., None]]:
    """Yield a function to call after each step; it moves a bar, on a terminal alone.

    what: is done. total: how many steps there are.
    """
    if not sys.stderr.isatty() or total < 2:
        yield lambda *_: None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError:
        yield lambda *_: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda *_: bar.advance(task)
