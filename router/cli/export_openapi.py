"""`junction export openapi`: the OpenAPI document of an application, or of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.cli.described import Application, Title, Version, document_text, interface_of
from router.cli.export import Check, Output
from router.cli.files import finish, text_of
from router.cli.loading import refuse
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSIONS = {"3.1": "3.1.0", "3.1.0": "3.1.0", "3.0": "3.0.3", "3.0.3": "3.0.3"}


def openapi(
    application: Application,
    output: Output = None,
    openapi: Annotated[
        str, typer.Option("--openapi", metavar="VERSION", help="Of OpenAPI: 3.1, or 3.0 for API Gateway.")
    ] = "3.1",
    title: Title = "",
    version: Version = "",
    merge: Annotated[
        list[str] | None,
        typer.Option("--merge", metavar="APP", help="Add the paths of another application; may be repeated."),
    ] = None,
    check: Check = False,
) -> None:
    """Write the OpenAPI document of the HTTP routes: parameters, bodies, answers, errors, credentials.

    It is JSON, or YAML where the file's name ends in .yaml. Exit status: 0 when it is done or current, 1 when --check
    finds it is not, 2 when a route has no place in such a document.
    """
    if openapi not in _VERSIONS:
        refuse(f"--openapi {openapi!r:.40}: give 3.1 or 3.0")
    before = text_of(output)
    document = document_of([application, *(merge or ())], _VERSIONS[openapi], title, version)
    finish(document_text(document, output), before, output, diff=False, check=check)


def document_of(names: Sequence[str], openapi_version: str, title: str = "", version: str = "") -> dict[str, Any]:
    """Return the document of some applications; end the process where there cannot be one.

    names: of the applications. openapi_version: "3.1.0" or "3.0.3".
    title, version: in place of those of the first application.
    """
    from router.contract.openapi import merged, openapi

    first, *others = names
    interfaces = [interface_of(first, title, version), *(interface_of(name) for name in others)]
    try:
        return merged([openapi(interface, openapi_version) for interface in interfaces])
    except ConfigurationError as error:
        refuse(error)
