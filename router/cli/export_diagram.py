"""`junction export diagram`: a picture of sources, routes and what these use."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from router.cli.described import Application, Title, interface_of
from router.cli.files import check_ending, finish, text_of
from router.cli.loading import load, place, refuse
from router.cli.options import Check, Diff, Output
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from router.contract.model import Infrastructure


class Format(StrEnum):
    """Name the form in which a picture is written."""

    MERMAID = "mermaid"
    SVG = "svg"


_ENDINGS = {Format.MERMAID: (".mmd", ".mermaid", ".md"), Format.SVG: (".svg",)}
_ALL = (*_ENDINGS[Format.MERMAID], *_ENDINGS[Format.SVG])


class Grouping(StrEnum):
    """Name what routes are drawn together by."""

    SOURCE = "source"
    TAG = "tag"
    FUNCTION = "function"


def diagram(
    application: Application,
    output: Output = None,
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format", metavar="FORMAT", help="mermaid or svg; by default as FILE is named.", show_default=False
        ),
    ] = None,
    group: Annotated[
        Grouping, typer.Option("--group", metavar="BY", help="Draw routes together by source, tag or function.")
    ] = Grouping.SOURCE,
    title: Title = "",
    diff: Diff = False,
    check: Check = False,
) -> None:
    """Draw the sources of an application, the routes that take their events, and what these use.

    What routes use is what `requires=`, `publishes=` and their middleware name; a stack knows the names of resources.
    Exit status: 0 when it is drawn or current, 1 when --check finds it is not, 2 when it cannot be drawn.
    """
    from router.contract import diagram as drawing

    wanted = format_ or (Format.SVG if output is not None and output.suffix.lower() == ".svg" else Format.MERMAID)
    check_ending(output, _ENDINGS[wanted] if format_ else _ALL, f"a picture{f' of {wanted}' if format_ else ''}")
    interface = interface_of(application, title)
    try:
        drawn = drawing.picture(interface, _surroundings(application), group=group.value)
    except ConfigurationError as error:
        refuse(error)
    except Exception as error:  # of an adapter that is asked what it needs
        refuse(f"APP {application!r}: {type(error).__name__}: {error} ({place(error)})")
    text = drawing.svg(drawn) if wanted is Format.SVG else drawing.mermaid(drawn)
    finish(text, text_of(output), output, diff=diff, check=check)


def _surroundings(name: str) -> Infrastructure | None:
    """Return what a stack knows; None for an application alone. What cannot be told is not drawn, and no error here."""
    from router.contract import Stack

    found = load(name, "APP", "package.module:resolver")
    if not isinstance(found, Stack):
        return None
    try:
        return found.outline()[0]
    except ConfigurationError as error:
        refuse(error)
    except Exception as error:  # of a group that is imported when all routes are asked for
        refuse(f"APP {name!r}: {type(error).__name__}: {error} ({place(error)})")
