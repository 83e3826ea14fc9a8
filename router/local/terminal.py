"""Tell in the terminal what happens: a line for each event, few enough to read."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from router.local.entries import Entry, Failure, Journal

_MOST = 20  # lines in a second
_SOURCE, _NAME, _WHO = 9, 27, 11  # columns; a line has 80
_TOLD = ("refused", "unrouted")  # outcomes that say it all
_LONG = ("raw", "decoded", "session", "answer", "logs", "calls", "links")  # what the console shows
_STYLES = {"done": "green", "running": "dim", "refused": "yellow", "retry": "yellow", "discarded": "yellow"}


class Terminal:
    """Print what happens, and hand it on. It takes entries as a store does.

    journal: what keeps them.
    out: where lines go; by default standard output.
    as_json: whether each line is a JSON object, all of them, for programs that read along.
    clock: returns epoch seconds.
    """

    def __init__(
        self,
        journal: Journal,
        out: TextIO | None = None,
        *,
        as_json: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._json = (out or sys.stdout) if as_json else None
        self._console = Console(file=out or sys.stdout, highlight=False, soft_wrap=True)
        self._clock = clock
        self._second = 0
        self._printed = 0
        self._left_out = 0

    # ---- as a journal ----------------------------------------------------------------------------------------------

    def began(self, call_id: str, entry: Entry) -> None:
        """Take a call that begins."""
        self._journal.began(call_id, entry)

    def ended(self, call_id: str, entries: list[Entry]) -> None:
        """Take what was seen in a call, and print a line for each of its events."""
        self._journal.ended(call_id, entries)
        self._print(entries)

    def add(self, entry: Entry) -> None:
        """Take an entry of no call, and print its line."""
        self._journal.add(entry)
        if entry.get("kind") != "notice" or self._json is not None:
            self._print([entry])
            return
        text = str(entry.get("name") or "")
        self.say(text, "bold" if entry.get("outcome") == "done" else "bold red")
        if error := entry.get("error"):
            self.failure(error, told=error["message"] in text)

    # ---- lines -----------------------------------------------------------------------------------------------------

    def welcome(
        self, title: str, lines: Mapping[str, str], data: Mapping[str, str], exports: Sequence[str] = ()
    ) -> None:
        """Print where everything is.

        title: the first line.
        lines: names with what they are.
        data: the same for programs.
        exports: lines to copy into another terminal.
        """
        if self._json is not None:
            self._write({"ready": data})
            return
        width = max(map(len, lines))
        self._console.print(Text(f"\n{_plain(title)}\n", "bold"))
        for name, value in lines.items():
            self._console.print(Text.assemble((f"  {name:<{width}}  ", "dim"), _plain(value)))
        for number, line in enumerate(exports):
            self._console.print(Text(("" if number else "\n") + f"  {_plain(line)}", "dim"))
        self._console.print()

    def say(self, text: str, style: str = "") -> None:
        """Print a text with the time in front of its first line."""
        if self._json is not None:
            self._write({"said": text})
            return
        for number, line in enumerate(text.splitlines() or [""]):
            begin = " " * 10 if number else f"{self._now()}  "
            self._console.print(Text.assemble((begin, "dim"), (_plain(line), style)))

    def warn(self, text: str) -> None:
        """Print a line about something that is not as it should be."""
        self.say(text, "yellow")

    def failure(self, failure: Failure, *, told: bool = False) -> None:
        """Print an error, with the last line of the application's own code. told: whether its message was printed."""
        if not told:
            self._console.print(Text(f"          {_plain(failure['type'])}: {_plain(failure['message'])[:400]}", "red"))
        own = [frame for frame in failure["frames"] if frame["own"]]
        if own:
            last = own[-1]
            self._console.print(Text(f"          {last['file']}:{last['line']}", "dim"))
            for number, source in last["source"]:
                here = number == last["line"]
                self._console.print(
                    Text(f"        {'>' if here else ' '} {number:>4}  {_plain(source)}", "" if here else "dim")
                )

    def _print(self, entries: list[Entry]) -> None:
        if self._json is not None:
            for entry in entries:
                if entry.get("outcome") != "running":
                    self._write({name: value for name, value in entry.items() if name not in _LONG})
            return
        second = int(self._clock())
        if second != self._second:
            if self._left_out:
                self._console.print(Text(f"          ... and {self._left_out} more; the console has them", "dim"))
            self._second, self._printed, self._left_out = second, 0, 0
        for entry in entries:
            if entry.get("outcome") == "running":
                continue
            if self._printed >= _MOST:
                self._left_out += 1
                continue
            self._printed += 1
            self._console.print(self._line(entry))
            error = entry.get("error")
            if error and entry.get("outcome") not in _TOLD:
                self.failure(error)

    def _line(self, entry: Entry) -> Text:
        outcome = entry.get("outcome", "done")
        who = "/".join(str(one) for one in (entry.get("tenant"), entry.get("user")) if one)
        attempt = entry.get("attempt") or 1
        return Text.assemble(
            (f"{self._now()}  ", "dim"),
            f"{_cut(_source(entry), _SOURCE):<{_SOURCE}} ",
            f"{_cut(_name(entry), _NAME):<{_NAME}} ",
            (f"{entry.get('status') or outcome!s:<9} ", _STYLES.get(outcome, "red")),
            f"{_duration(entry.get('ms')):>10} ",
            (f"try {attempt} " if attempt > 1 else "", "yellow"),
            (_cut(who, _WHO - (6 if attempt > 1 else 0)), "dim"),
        )

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._json is not None:
            self._json.write(json.dumps(line, default=str) + "\n")
            self._json.flush()

    def _now(self) -> str:
        return time.strftime("%H:%M:%S", time.localtime(self._clock()))


def _source(entry: Entry) -> str:
    """Return where an entry came from; of what goes out what it is."""
    kind = entry.get("kind")
    return "push" if kind == "push" else entry.get("source") or ""


def _name(entry: Entry) -> str:
    """Return the route of an entry; without one what it would have been the route of."""
    if route := entry.get("route"):
        return route.removeprefix(f"{entry.get('source')} ")  # which stands in front of it
    if path := entry.get("path"):
        return f"{entry.get('method') or ''} {path}".strip()
    return entry.get("name") or "-"


def _plain(text: Any) -> str:
    """Return a text without what a terminal would obey."""
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in str(text))


def _duration(ms: float | None) -> str:
    if ms is None:
        return ""
    return f"{ms:.1f} ms" if ms < 10_000 else f"{ms / 1000:.1f} s"


def _cut(text: str, width: int) -> str:
    text = _plain(text)
    return text if len(text) <= width else f"{text[: width - 1]}…"
