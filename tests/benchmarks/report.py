"""Prints the results as tables, with rich where it is installed, and keeps the numbers as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.benchmarks.cold import OWN_IMPORTS
from tests.benchmarks.processes import ROOT
from tests.benchmarks.results import Budget, Figure, Section

OUTPUT = ROOT / ".benchmarks"
PACKAGES = [
    "orjson",
    "pydantic",
    "boto3",
    "aws-lambda-powertools",
    "mangum",
    "starlette",
    "fastapi",
    "chalice",
    "awslambdaric",
]
OURS = {"junction", *OWN_IMPORTS}
UNITS = [(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")]


def show_section(section: Section) -> None:
    """One table of figures with the remarks under it."""
    rows = [
        [figure.candidate, figure.case, _value(figure, "median"), _value(figure, "best"), _range(figure)]
        for figure in section.figures
    ]
    show_table(section.title, ["candidate", "case", "median", "best", "80 % of rounds"], rows)
    for note in section.notes:
        print(f"  {note}")
    print(flush=True)


def show_budgets(budgets: Sequence[Budget]) -> None:
    """The verdicts, the last thing printed."""
    rows = [
        [
            budget.name,
            f"{budget.value.median:.3g}",
            f"{budget.value.low:.3g} to {budget.value.high:.3g}",
            f"{'<=' if budget.at_most else '>='} {budget.limit:g}",
            budget.verdict,
        ]
        for budget in budgets
    ]
    show_table("Budgets", ["what", "measured", "80 % of rounds", "budget", "verdict"], rows)


def show_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table on standard output."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        return _show_plain(title, columns, rows)
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < 2 and column != "measured" else "right")
    for row in rows:
        style = "red" if row[-1].startswith("missed") else "green" if row[0] in OURS or row[-1] == "met" else None
        table.add_row(*row, style=style)
    # Not a terminal, for example a log of CI: as wide as the table needs.
    Console(width=None if os.isatty(1) else 140).print(table)
    return None


def _show_plain(title: str, columns: list[str], rows: list[list[str]]) -> None:
    widths = [max(len(line[number]) for line in [columns, *rows]) for number in range(len(columns))]
    print(title)
    for line in [columns, ["-" * width for width in widths], *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _value(figure: Figure, part: str) -> str:
    value: float = getattr(figure.value, part)
    if figure.unit == "B":
        return f"{value / 1e6:.3g} MB"
    if figure.unit != "s":
        return f"{value:g}{figure.unit}"
    scale, unit = next((row for row in UNITS if value >= row[0]), UNITS[-1])
    return f"{value / scale:.3g} {unit}"


def _range(figure: Figure) -> str:
    if figure.value.low == figure.value.high:
        return ""
    return f"{_value(figure, 'low').split()[0]} to {_value(figure, 'high')}"


def environment() -> dict[str, object]:
    """What the figures depend on: interpreter, processor, versions of the peers."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "measured": datetime.now(UTC).isoformat(timespec="minutes"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
        "packages": versions,
    }


def write_json(sections: Sequence[Section], file: Path) -> None:
    """All numbers, for comparisons between runs."""
    content = {"environment": environment(), "sections": [section.as_json() for section in sections]}
    file.write_text(json.dumps(content, indent=2) + "\n")
