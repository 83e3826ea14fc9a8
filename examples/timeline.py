"""Print a demonstration: a line for each dispatch as it happens, and the outcome of each check."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

try:
    from rich.console import Console
except ImportError:  # it reads as well without colours
    _console = None
else:
    _console = Console(highlight=False, soft_wrap=True)

_ROW = "{seconds:>7}  {source:<10}  {route:<24}  {who:<12}  {attempt:>3}  {ms:>6}  "
_OUTCOME_WIDTH = 26  # what is left of 100 columns


class Mismatch(Exception):
    """A check that failed: what was checked, what was expected and what came."""

    def __init__(self, what: str, expected: object, came: object) -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.came = came


class Held(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as text, its traceback included."""
        self.texts.append(self.format(record))


class Timeline(logging.Handler):
    """Listens to the application's journal, prints what it says, and keeps it for the checks."""

    def __init__(self) -> None:
        super().__init__()
        self._started = time.time()
        self.lines: list[dict[str, Any]] = []
        self.checks = 0
        self.library = Held()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line from the journal of this process."""
        self.add(record.getMessage())

    def add(self, text: str) -> None:
        """Take a line of a journal; any other line is shown as it is."""
        if not text.startswith("{"):
            self.note(text)
            return
        line = json.loads(text)
        self.lines.append(line)
        row = _ROW.format(
            seconds=f"{line['at'] - self._started:.3f}",
            source=line["source"],
            route=line["route"],
            who=f"{line['tenant']}/{line['user']}" if line["tenant"] or line["user"] else "-",
            attempt=line["attempt"],
            ms=f"{line['ms']:.1f}",
        )
        _print((row, ""), (str(line["outcome"])[:_OUTCOME_WIDTH], _style(line["outcome"])))

    def title(self, text: str) -> None:
        """Print what this is, and the names of the columns."""
        head = _ROW.format(seconds="s", source="source", route="route", who="tenant/user", attempt="try", ms="ms")
        _print((text, "bold"))
        _print((f"\n{head}outcome", "dim"))

    def step(self, text: str) -> None:
        """Print what happens next."""
        _print((f"\n-- {text} ".ljust(100, "-"), "bold blue"))

    def note(self, text: str) -> None:
        """Print something that was seen on the way."""
        _print((f"         {text}", "dim"))

    def check(self, what: str, came: object, expected: object) -> None:
        """Print that something is as it ought to be. Raises Mismatch when it is not."""
        if came != expected:
            raise Mismatch(what, expected, came)
        self.checks += 1
        _print(("     ok  ", "green"), (what, ""))

    def stopped(self, why: str) -> None:
        """Print why it cannot go on."""
        _print((" FAILED  ", "bold red"), (why, ""))

    def failed(self, mismatch: Mismatch) -> None:
        """Print what was wrong, and what the library has logged."""
        _print((" FAILED  ", "bold red"), (mismatch.what, "bold"))
        _print((f"         expected: {mismatch.expected!r}", ""))
        _print((f"         came:     {mismatch.came!r}", ""))
        for text in self.library.texts:
            _print((f"\n{text}", "dim"))

    def end(self) -> None:
        """Print that all is well."""
        taken = time.time() - self._started
        _print((f"\nAll {self.checks} checks held: {len(self.lines)} dispatches in {taken:.1f} s.", "bold green"))


def _style(outcome: object) -> str:
    """Done, refused for what was asked, or failed."""
    if outcome == "done" or outcome in range(400):
        return "bold green"
    return "yellow" if outcome in range(400, 500) else "bold red"


def _print(*parts: tuple[str, str]) -> None:
    """Print a line, each part of it in its style."""
    if _console is not None:
        from rich.text import Text

        _console.print(Text.assemble(*parts))
    else:
        print("".join(text for text, _ in parts), flush=True)
