"""Load the interface of applications for the commands that write documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.cli.completion import complete_application
from router.cli.files import is_yaml
from router.cli.loading import load, load_application, place, refuse
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from router.contract.interface import Info, Interface
    from router.resolver import Resolver

Application = Annotated[
    str,
    typer.Argument(
        metavar="APP",
        help="`package.module:resolver`, or a stack, whose `info=` names the documents.",
        show_default=False,
        autocompletion=complete_application,
    ),
]
Title = Annotated[str, typer.Option("--title", metavar="TEXT", help="Of the document.", show_default=False)]
Version = Annotated[str, typer.Option("--version", metavar="TEXT", help="Of the interface.", show_default=False)]


def interface_of(name: str, title: str = "", version: str = "", what: str = "APP") -> Interface:
    """Return the interface of an application; end the process where it cannot be told.

    name: of a Resolver or a Stack, `package.module:attribute`.
    title, version: in place of those of the stack, and of the `Info` that the application itself serves.
    """
    from router.contract.interface import describe

    found = load(name, what, "package.module:resolver")
    resolver = load_application(name, what)
    try:
        return describe(resolver, _info(name, getattr(found, "info", None), _served_info(resolver), title, version))
    except ConfigurationError as error:
        refuse(error)
    except Exception as error:  # of a group that is imported when all routes are asked for
        refuse(f"{what} {name!r}: {type(error).__name__}: {error} ({place(error)})")


def _info(name: str, told: Info | None, served: Info | None, title: str, version: str) -> Info:
    """Return what a document is called: as options say, else as the stack does, else as the one that is served."""
    from dataclasses import replace

    from router.contract.interface import Info

    if told is not None and served is not None and (told.title, told.version) != (served.title, served.version):
        typer.echo(
            f"warning: the stack's info= names {told.title!r} {told.version}, and the application serves "
            f"{served.title!r} {served.version}: let both be one Info",
            err=True,
        )
    held = told or served or Info(name.partition(":")[0].split(".")[-1].replace("_", " ").capitalize())
    return replace(held, title=title or held.title, version=version or held.version)


def _served_info(resolver: Resolver) -> Info | None:
    """Return what an application itself calls the document that it serves, or its server of tools; None for neither."""
    found: dict[str, Info] = {}
    for route in resolver.every_route():
        served = getattr(route.handler, "served", None)
        if served is not None:
            found.setdefault(served.what, served.info)
    return found.get("document") or next(iter(found.values()), None)


def document_text(data: Any, output: Path | None, *, as_yaml: bool = False) -> str:
    """Return a document as JSON, or as YAML where the file's name or an option asks for it.

    data: what JSON can hold, in the order in which it is written.
    """
    if as_yaml or is_yaml(output):
        from router.contract import yaml_text

        return yaml_text.write(data)
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
