"""`junction export client`: a typed module for the services beside an application."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from router.cli.described import Application, Title, Version, interface_of
from router.cli.files import finish, text_of
from router.cli.loading import refuse
from router.errors import ConfigurationError


def client(
    application: Application,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write there in place of the terminal.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Of its class: ShopClient.", show_default=False)
    ] = "",
    title: Title = "",
    version: Version = "",
    diff: Annotated[bool, typer.Option("--diff", metavar="", help="Write nothing; show what would change.")] = False,
    check: Annotated[
        bool, typer.Option("--check", metavar="", help="Write nothing; status 1 where the file is not current.")
    ] = False,
) -> None:
    """Write a typed client for sister services: a Python module with a method for each request, action and message.

    It needs nothing but this library, and attaches the session of the current event. Exit status: 0 when it is done or
    current, 1 when --check finds it is not, 2 when the client cannot be made.
    """
    from router.contract.client import client_module

    found = interface_of(application, title, version)
    before = text_of(output)
    try:
        text = client_module(found, name)
    except ConfigurationError as error:
        refuse(error)
    finish(text, before, output, diff=diff, check=check)
