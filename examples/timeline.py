"""Print a demonstration: a line for each dispatch as it happens, and the outcome of each check."""

from __future__ import annotations

import json
import logging
import textwrap
import time
from collections.abc import Callable, Mapping
from typing import Any

try:
    from rich.console import Console
except ImportError:  # it reads as well without colours
    _console = None
else:
    _console = Console(highlight=False, soft_wrap=True)

WIDTH = 80  # columns of a terminal
_ROW = "{source:<11}  {route:<24}  {who:<11}  {attempt:>3}  {ms:>5}  "
_HEAD = _ROW.format(source="source", route="route", who="tenant/user", attempt="try", ms="ms")
_OUTCOME_WIDTH = WIDTH - 64


class Mismatch(Exception):
    """A check that failed: what was checked, what was expected and what came."""

    def __init__(self, what: str, expected: object, came: object) -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.came = came


class Held(logging.Handler):
    """Keep what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as text, its traceback included."""
        self.texts.append(self.format(record))


class Timeline(logging.Handler):
    """Listen to the application's journal, print what it says, and keep it for the checks."""

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
            source=line["source"],
            route=_fit(line["route"], 24),
            who=_fit(_who(line), 11),
            attempt=line["attempt"],
            ms=f"{line['ms']:.1f}"[:5].rstrip("."),
        )
        _print((row, ""), (_fit(str(line["outcome"]), _OUTCOME_WIDTH), _style(line["outcome"])))

    def title(self, text: str, *further: str) -> None:
        """Print what this is, how to read it, and the names of the columns."""
        _print((text, "bold"))
        for line in further:
            _print((line, ""))
        _print((f"\n{_HEAD}outcome", "dim"))

    def step(self, text: str) -> None:
        """Print what happens next."""
        _print((f"\n-- {text} ".ljust(WIDTH + 1, "-"), "bold blue"))

    def note(self, text: str) -> None:
        """Print something that was seen on the way."""
        indent = " " * 9
        _print((textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  "), "dim"))

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

    def end(self, reading: Mapping[str, str]) -> None:
        """Print that all is well, and what to read next.

        reading: a line on each file or page.
        """
        taken = time.time() - self._started
        _print((f"\nAll {self.checks} checks held: {len(self.lines)} events in {taken:.1f} s.", "bold green"))
        _print(("\nRead next:", "bold"))
        longest = max(map(len, reading))
        for path, line in reading.items():
            _print((f"  {path:<{longest}}  ", "bold"), (line, ""))


def listen(handlers: Mapping[str, logging.Handler]) -> None:
    """Hand the lines of loggers to handlers, and to nobody else.

    handlers: by the name of the logger.
    """
    for name, handler in handlers.items():
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.propagate = False


def play(timeline: Timeline, run: Callable[[], None], reading: Mapping[str, str]) -> int:
    """Run a demonstration. 0: every check held; 1: one did not; 130: stopped from the keyboard.

    run: raises Mismatch at the first check that fails.
    reading: a line on each file or page to read next.
    """
    try:
        run()
    except Mismatch as mismatch:
        timeline.failed(mismatch)
        return 1
    except KeyboardInterrupt:
        return 130
    timeline.end(reading)
    return 0


def _who(line: Mapping[str, Any]) -> str:
    """Return tenant and user of a journal's line; of one that is for a tenant alone, the tenant."""
    return "/".join(name for name in (line["tenant"], line["user"]) if name) or "-"


def _fit(text: str, width: int) -> str:
    """Cut a text that is too long for its column."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _style(outcome: object) -> str:
    """Return the style of an outcome: done, refused for what was asked, or failed."""
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
