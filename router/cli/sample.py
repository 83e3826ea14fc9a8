"""`junction sample`: a payload as AWS would deliver it, to look at or to send."""

from __future__ import annotations

from typing import Annotated

import typer

from router.cli.completion import complete_options, complete_sources
from router.cli.loading import refuse
from router.cli.options import flag
from router.cli.output import AsJson, print_json
from router.cli.values import pairs


def sample(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="The source, such as `sqs`; `--list` shows all.",
            show_default=False,
            autocompletion=complete_sources,
        ),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="An option of the sample, JSON or text: `queue=mail`, `headers.accept=text/html`; may be repeated.",
            show_default=False,
            autocompletion=complete_options,
        ),
    ] = None,
    show: Annotated[
        bool, flag("--list", help="List the samples; with SOURCE its options, each with its default.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a payload as AWS delivers it; `junction invoke APP -` takes it.

    The samples are those of `router.testing.samples`, with the same ids and times in each run. A payload is always
    JSON; `--json` makes JSON of a list, too. Exit
    status: 0 when it is printed, 2 for wrong arguments.
    """
    from router.testing.samples import named

    try:
        if show:
            _list(named.NAMES if source is None else named.options_of(source), as_json=as_json)
            return
        if source is None:
            refuse("name a SOURCE, such as sqs; --list shows all")
        print_json(named.sample(source, named.with_texts(source, pairs(options, "--set"))))
    except ValueError as error:
        refuse(error)


def _list(found: tuple[str, ...] | dict[str, str], *, as_json: bool) -> None:
    if as_json:
        print_json(found if isinstance(found, dict) else list(found))
        return
    for name in found:
        default = found[name] if isinstance(found, dict) else ""
        typer.echo(f"{name}={default}" if default else name)
