"""`junction export openapi`: the OpenAPI document of an application, or of several."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.cli.described import Application, Title, Version, document_text, interface_of
from router.cli.files import DOCUMENTS, check_ending, finish, is_yaml, text_of
from router.cli.loading import refuse
from router.cli.options import Check, Output, flag
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.contract.interface import Interface

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
    diff: Annotated[
        Path | None,
        typer.Option(
            metavar="OLD",
            help="Write nothing; say what changed since the document in the file OLD.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, flag("--json", help="Print the changes as JSON, for programs.")] = False,
) -> None:
    """Write the OpenAPI document of the HTTP routes: parameters, bodies, answers, errors, credentials.

    It is JSON, or YAML where the file's name ends in .yaml. Exit status: 0 when it is done or current, 1 when --check
    finds it is not, or --diff a change that breaks clients, 2 when a route has no place in such a document.
    """
    if openapi not in _VERSIONS:
        refuse(f"--openapi {openapi!r:.40}: give 3.1 or 3.0")
    if as_json and diff is None:
        refuse("--json is for --diff; the document is JSON")
    check_ending(output, DOCUMENTS, "the document")
    before = text_of(output)
    document = document_of([application, *(merge or ())], _VERSIONS[openapi], title, version)
    if diff is not None:
        raise typer.Exit(_tell_changes(diff, document, as_json=as_json))
    finish(document_text(document, output), before, output, diff=False, check=check)


def _tell_changes(file: Path, document: dict[str, Any], *, as_json: bool) -> int:
    """Print what changed since the document in a file, and return the exit status."""
    from dataclasses import asdict

    from router.contract.openapi.changes import changes

    try:
        # The answers of routes that are the same object are one object here, and two in a file.
        found = changes(_read(file), json.loads(json.dumps(document)))
    except ConfigurationError as error:
        refuse(f"--diff {file}: {error}")
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2, ensure_ascii=False))
    else:
        for one in found:
            typer.echo(str(one))
        if not found:
            typer.echo("nothing has changed", err=True)
    breaking = sum(one.breaking for one in found)
    if breaking and not as_json:
        typer.echo(f"{breaking} change{'s break' if breaking > 1 else ' breaks'} clients", err=True)
    return 1 if breaking else 0


def _read(file: Path) -> dict[str, Any]:
    """Return the document in a file, of JSON or YAML."""
    from router.contract import json_text

    text = text_of(file)
    if not file.exists():
        raise ConfigurationError("there is no such file")
    if not is_yaml(file):
        return json_text.read(text, "it")
    try:
        from ruamel.yaml import YAML
    except ImportError:
        raise ConfigurationError('YAML needs ruamel.yaml: pip install "lambda-junction[deploy]"') from None
    try:
        found: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    except (Exception, RecursionError) as error:  # it has errors of many classes
        raise ConfigurationError(f"it cannot be read: {' '.join(str(error).split())[:400]}") from None
    return found


def document_of(names: Sequence[str], openapi_version: str, title: str = "", version: str = "") -> dict[str, Any]:
    """Return the document of some applications; end the process where there cannot be one.

    names: of the applications. openapi_version: "3.1.0" or "3.0.3".
    title, version: in place of those of the first application.
    """
    from router.contract.openapi import merged, openapi

    first, *others = names
    interfaces = [interface_of(first, title, version), *(interface_of(name, what="--merge") for name in others)]
    try:
        documents = [openapi(interface, openapi_version) for interface in interfaces]
    except ConfigurationError as error:
        refuse(error)
    try:
        return merged(documents)
    except ConfigurationError as error:
        refuse(f"{error}{_places(interfaces)}")


def _places(interfaces: Sequence[Interface]) -> str:
    """Return where the first routes are that two applications have both, as the end of a message."""
    from router.contract.openapi.paths import template

    seen: dict[tuple[str, ...], tuple[Interface, str]] = {}
    for interface in interfaces:
        for one in (each for each in interface.operations if each.method):
            for key in ((one.method, template(one.path)), (one.name,)):
                owner, where = seen.setdefault(key, (interface, one.where))
                if owner is not interface:
                    return f": {where} and {one.where}"
    return ""
