"""Draw a plan: the share of calls that wait for a cold start, against traffic."""

from __future__ import annotations

from html import escape
from importlib.util import find_spec
from io import StringIO
from typing import TYPE_CHECKING

from router.contract.planning import words
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from router.contract.planning.plan import Plan
    from router.contract.planning.plans import Figures
    from router.contract.planning.sweep import Point

_FORMATS = (".svg", ".png", ".html")
_ONE, _SEVERAL, _NOW = "#0b6e4f", "#d98e04", "#6b7280"
_CSS = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#111}"
    "svg{max-width:100%;height:auto}table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right}"
    "td:first-child,th:first-child{text-align:left}tr+tr td{border-top:1px solid #ddd}"
)


def check(file: Path) -> None:
    """Refuse a chart that cannot be drawn, before anything is simulated.

    Raises:
        ConfigurationError: its name ends wrongly, its folder is missing, or what draws is not installed.
    """
    if file.suffix.lower() not in _FORMATS:
        raise ConfigurationError(f"--chart {file}: its name has to end in {', '.join(_FORMATS)}")
    if not file.parent.is_dir():
        raise ConfigurationError(f"--chart {file}: there is no folder {file.parent}")
    if find_spec("matplotlib") is None:
        raise ConfigurationError('charts need matplotlib: pip install "lambda-junction[charts]"')


def draw(plan: Plan, file: Path) -> None:
    """Write the chart of a plan.

    file: ends in .svg, .png or .html; the page has the figures and the assumptions beside the chart.

    Raises:
        ConfigurationError: as of `check`, or it cannot be written.
    """
    check(file)
    figure = _figure(plan)
    try:
        if file.suffix.lower() == ".png":
            figure.savefig(file, format="png", dpi=150)
            return
        svg = _svg(figure)
        file.write_text(_page(plan, svg) if file.suffix.lower() == ".html" else svg, "utf-8")
    except OSError as error:
        raise ConfigurationError(f"--chart {file}: it cannot be written: {error.strerror or error}") from None


def _figure(plan: Plan) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axis = figure.subplots()
    _line(axis, plan.by_traffic, _ONE, "one function")
    if plan.several is not None:
        _line(
            axis, plan.several_by_traffic, _SEVERAL, f"{len(plan.several.functions)} functions, {words.title_of(plan)}"
        )
    axis.axvline(1, color=_NOW, linestyle=":", linewidth=1)
    axis.annotate("the file", (1, 1), (4, -4), xycoords=("data", "axes fraction"), textcoords="offset points", va="top")
    axis.set_xscale("log")
    axis.set_yscale("log", nonpositive="mask")
    axis.xaxis.set_major_formatter(lambda value, _: f"x {value:g}")
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    axis.set_xlabel("traffic, compared with the file")
    axis.set_ylabel("calls that wait for a cold start")
    axis.set_title(f"{plan.stack}: cold starts and traffic", loc="left", fontweight="bold")
    axis.grid(visible=True, color="#e5e7eb", linewidth=0.8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    return figure


def _line(axis: Any, points: tuple[Point, ...], color: str, label: str) -> None:
    """Draw one side. It ends where no cold start was seen, and where too many calls would be needed."""
    known = [(point.factor, point.share * 100) for point in points if point.share]
    axis.plot(*zip(*known, strict=True) if known else ((), ()), color=color, label=label, marker="o", markersize=4)


def _svg(figure: Any) -> str:
    """Return a chart as SVG that is the same in every run, so that it can be kept beside the file."""
    from matplotlib import rc_context

    out = StringIO()
    with rc_context({"svg.hashsalt": "junction", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _page(plan: Plan, svg: str) -> str:
    heads = ("function", "calls", "cold starts", "share", "p50 ms", "p99 ms", "peak", "GB-s", "cost")
    rows = [_row(one.figures) for one in plan.one.functions]
    if plan.several is not None:
        rows += [_row(one.figures) for one in plan.several.functions]
        rows.append(_row(plan.several.total))
    title = escape(f"{plan.stack}: a month of {plan.traffic.file}")
    lists = "".join(
        f"<h2>{heading}</h2><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
        for heading, lines in (("Notes", words.notes(plan)), ("Assumptions", words.assumptions(plan)))
        if lines
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_CSS}</style>'
        f"<h1>{title}</h1><p>{escape(words.sentence(plan))}</p>{svg[svg.index('<svg') :]}"
        f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{''.join(rows)}</table>{lists}</html>\n"
    )


def _row(figures: Figures) -> str:
    cells = (
        figures.name,
        words.count(figures.calls),
        "-" if figures.share is None else words.count(figures.cold_starts),
        words.percent(figures.share),
        f"{figures.wait_p50_ms:,.0f}",
        f"{figures.wait_p99_ms:,.0f}",
        f"{figures.peak:,}",
        words.count(figures.gb_seconds),
        words.dollars(figures.cost),
    )
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
