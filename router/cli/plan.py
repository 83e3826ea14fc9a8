"""`junction plan`: one function for everything against a split, by simulated traffic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from router.cli.export import Split, infrastructure_of
from router.cli.export import Stack as StackName
from router.cli.loading import refuse
from router.cli.output import AsJson, print_json
from router.errors import ConfigurationError
from router.routing.functions import SPLITS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from router.contract.planning.plan import Plan
    from router.contract.planning.plans import Figures

_WIDTH = 80
_DECADES = (0.01, 0.1, 1.0, 10.0, 100.0)


def plan(
    stack: StackName,
    traffic: Annotated[
        Path,
        typer.Option(metavar="FILE", help="How often routes are called, YAML or JSON.", show_default=False),
    ],
    split: Split = "function",
    as_json: AsJson = False,
    chart: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw cold starts against traffic: .svg, .png or .html.", show_default=False),
    ] = None,
) -> None:
    """Simulate traffic: cold starts, concurrency and cost of one function for everything, and of a split.

    It is a model, and says what it takes for granted. Exit status: 0 when it is done, 2 when the file, the stack or
    the chart is not in order.
    """
    if split not in SPLITS:
        refuse(f"--split {split!r:.80}: use one of {', '.join(SPLITS)}")
    if chart is not None:
        _check_chart(chart)
    made = _made(stack, split, traffic)
    if as_json:
        from router.contract.planning.data import data_of

        print_json(data_of(made))
    else:
        _show(made)
    if chart is not None:
        _draw(made, chart)


def _made(stack: str, split: str, traffic: Path) -> Plan:
    from router.contract.planning.plan import make_plan

    own = infrastructure_of(stack)
    held = own if split == "function" else infrastructure_of(stack, split)
    try:
        return make_plan(held, own, split, traffic)
    except ConfigurationError as error:
        first, *more = str(error).splitlines()
        typer.echo(f"error: {first}", err=True)
        for line in more:
            typer.echo(line, err=True)
        raise typer.Exit(2) from None


def _check_chart(chart: Path) -> None:
    from router.contract.planning.chart import check

    try:
        check(chart)
    except ConfigurationError as error:
        refuse(error)


def _draw(made: Plan, chart: Path) -> None:
    from router.contract.planning.chart import draw

    try:
        draw(made, chart)
    except ConfigurationError as error:
        refuse(error)
    typer.echo(f"wrote {chart}", err=True)


# ---- the page ------------------------------------------------------------------------------------------------------


def _show(made: Plan) -> None:
    """Write tables, the sentence, notes and assumptions, 80 columns wide."""
    try:
        from rich.console import Console
    except ImportError:
        refuse('the tables need rich: pip install "lambda-junction[cli]"')
    from router.contract.planning import words

    console = Console(width=_WIDTH, highlight=False, markup=False, emoji=False)
    console.print(_figures(made))
    console.print()
    console.print(_by_traffic(made))
    console.print()
    console.print(words.sentence(made))
    for heading, lines in (("Notes", words.notes(made)), ("Assumptions", words.assumptions(made))):
        if lines:
            _write_list(console, heading, lines)


def _write_list(console: Console, heading: str, lines: tuple[str, ...]) -> None:
    from textwrap import fill

    console.print(f"\n{heading}")
    for line in lines:
        console.print(fill(line, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False))


def _figures(made: Plan) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        title=f"{made.stack}: a month of {made.traffic.file}",
        title_justify="left",
        caption="p50, p99: the wait for a cold start, counting calls that do not wait",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        width=_WIDTH,
    )
    table.add_column("function", overflow="fold", ratio=1)
    for heading in ("calls", "cold", "share", "p50 ms", "p99 ms", "peak", "GB-s", "cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in made.one.functions:
        table.add_row(*_row(one.figures))
    if made.several is not None:
        table.add_section()
        table.add_row(f"by {made.split}:")
        for one in made.several.functions:
            table.add_row(*_row(one.figures, indent="  "))
        table.add_row(*_row(made.several.total))
    return table


def _row(figures: Figures, indent: str = "") -> tuple[str, ...]:
    from router.contract.planning.words import count, dollars, percent

    return (
        f"{indent}{figures.name}",
        count(figures.calls),
        "-" if figures.share is None else count(figures.cold_starts),
        percent(figures.share),
        _waited(figures.wait_p50_ms),
        _waited(figures.wait_p99_ms),
        f"{figures.peak:,}",
        count(figures.gb_seconds),
        dollars(figures.cost),
    )


def _waited(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}"


def _by_traffic(made: Plan) -> Table:
    from rich import box
    from rich.table import Table

    from router.contract.planning import words

    table = Table(
        title="share of cold calls, were there less traffic, or more",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        width=_WIDTH,
    )
    table.add_column("", ratio=1)
    for factor in _DECADES:
        table.add_column(f"x {factor:g}", justify="right")
    sides = [(made.one.functions[0].figures.name, made.by_traffic)]
    if made.several is not None:
        sides.append((words.title_of(made), made.several_by_traffic))
    for name, points in sides:
        shares = {point.factor: point.share for point in points}
        table.add_row(name, *(words.percent(shares[factor]) for factor in _DECADES))
    return table
