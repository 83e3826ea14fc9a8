"""Draws the results as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.results import Budget, Section

OURS, PEER, MET, MISSED = "#0b6e4f", "#9aa5b1", "#0b6e4f", "#c0392b"
COLORS = {
    "junction": OURS,
    "powertools": "#d98e04",
    "mangum_starlette": "#2f6fb7",
    "mangum_fastapi": "#8e44ad",
    "chalice": "#7f8c8d",
}


def draw(sections: Sequence[Section], file: Path) -> None:
    """A panel for each section that was measured, and one for the budgets. Needs matplotlib."""
    from matplotlib.figure import Figure as Canvas

    by_key = {section.key: section for section in sections}
    panels: list[Any] = [
        (_bars, by_key[key], case, scale, unit)
        for key, case, scale, unit in [
            ("cold", "import + first answer", 1e3, "ms"),
            ("cold-stripped", "import + first answer", 1e3, "ms"),
            ("cold-read", "import + first answer", 1e3, "ms"),
            ("import", "import", 1e3, "ms"),
            ("registering", "a route", 1e6, "us"),
            ("memory", "resident", 1e-6, "MB"),
            ("get", "1 route", 1e6, "us"),
            ("post", "1 route", 1e6, "us"),
            ("sqs", "session not read", 1e3, "ms"),
            ("sqs-async", "does not wait", 1e3, "ms"),
        ]
        if key in by_key
    ]
    panels += [
        (_lines, by_key[key], counted, log)
        for key, counted, log in [("routes", "routes", True), ("middleware", "middlewares", False)]
        if key in by_key
    ]
    budgets = [budget for section in sections for budget in section.budgets]
    panels.append((_verdicts, budgets))

    rows = -(-len(panels) // 2)
    canvas = Canvas(figsize=(15, 4 * rows), layout="constrained")
    axes = list(canvas.subplots(rows, 2, squeeze=False).flat)
    for axis, (paint, *arguments) in zip(axes, panels, strict=False):
        paint(axis, *arguments)
    for axis in axes[len(panels) :]:
        axis.remove()
    canvas.savefig(file, dpi=110)


def _bars(axis: Any, section: Section, case: str, scale: float, unit: str) -> None:
    """Median of each candidate with the noise as a whisker."""
    figures = [figure for figure in section.figures if figure.case == case][::-1]
    names = [figure.candidate for figure in figures]
    medians = [figure.value.median * scale for figure in figures]
    whiskers = [
        [(figure.value.median - figure.value.low) * scale for figure in figures],
        [(figure.value.high - figure.value.median) * scale for figure in figures],
    ]
    colors = [OURS if name == "junction" or "router" in name else PEER for name in names]
    bars = axis.barh(names, medians, xerr=whiskers, color=colors, ecolor="#52606d")
    axis.bar_label(bars, [f" {value:.3g} {unit}" for value in medians], padding=6)
    axis.set_xlim(right=max(medians) * 1.25)
    axis.set_title(section.title)
    axis.set_xlabel(unit)


def _lines(axis: Any, section: Section, counted: str, log: bool) -> None:
    """Microseconds of a request over the number of what is `counted`."""
    for name in dict.fromkeys(figure.candidate for figure in section.figures):
        figures = [figure for figure in section.figures if figure.candidate == name]
        counts = [int(figure.case) for figure in figures]
        ours = name == "junction"
        axis.plot(
            counts,
            [figure.value.median * 1e6 for figure in figures],
            marker="o",
            label=name,
            linewidth=3 if ours else 1.5,
            color=COLORS[name],
        )
    axis.set_yscale("log")
    if log:
        axis.set_xscale("log")
    axis.set_title(section.title)
    axis.set_xlabel(counted)
    axis.set_ylabel("us")
    axis.legend(fontsize=8)


def _verdicts(axis: Any, budgets: Sequence[Budget]) -> None:
    """How much of each budget is used: 100 % is the limit, whichever way the ratio points."""
    ordered = list(budgets)[::-1]
    used = [
        100 * (budget.value.median / budget.limit if budget.at_most else budget.limit / budget.value.median)
        for budget in ordered
    ]
    bars = axis.barh([budget.name for budget in ordered], used, color=[MET if b.met else MISSED for b in ordered])
    axis.bar_label(bars, [f" {value:.0f} %" for value in used])
    axis.axvline(100, color="black", linewidth=1)
    axis.set_xlim(right=max([110, *used]) * 1.12)
    axis.set_title("Share of each budget that is used")
    axis.set_xlabel("%")
