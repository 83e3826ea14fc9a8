"""`junction export client`: a typed module for the services beside an application."""

from __future__ import annotations

from typing import Annotated

import typer

from router.cli.described import Application, Title, Version, interface_of
from router.cli.files import check_ending, finish, text_of
from router.cli.loading import refuse
from router.cli.options import Check, Diff, Output
from router.errors import ConfigurationError


def client(
    application: Application,
    output: Output = None,
    name: Annotated[
        str,
        typer.Option("--name", metavar="NAME", help="Of its class; by default after the title.", show_default=False),
    ] = "",
    title: Title = "",
    version: Version = "",
    diff: Diff = False,
    check: Check = False,
) -> None:
    """Write a typed client for sister services: a Python module with a method for each request, action and message.

    It needs this library, with the extra http for HTTP calls, and attaches the session of the current event.
    Exit status: 0 when it is done or current, 1 when --check finds it is not, 2 when the client cannot be made.
    """
    from router.contract.client import client_module

    check_ending(output, (".py",), "the client")
    found = interface_of(application, title, version)
    before = text_of(output)
    try:
        text = client_module(found, name)
    except ConfigurationError as error:
        refuse(error)
    finish(text, before, output, diff=diff, check=check)
