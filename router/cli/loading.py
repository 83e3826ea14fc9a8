"""Finds what `package.module:name` on a command line means, and ends a command with one line where it means nothing."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from router.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE_ERROR = 2


def load_application(name: str) -> Resolver:
    """The Resolver that `package.module:attribute` names; ends the process with one line when there is none."""
    found = load(name, "APP", "package.module:resolver")
    if not isinstance(found, Resolver):
        refuse(f"APP {name!r} is no Resolver, but of type {type(found).__name__}")
    return found


def load(name: str, what: str, form: str) -> Any:
    """What a name on the command line stands for. what: the argument, for the message. form: how it is written."""
    module_name, colon, attributes = name.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module_name.split("."), *attributes.split("."))):
        refuse(f"{what} {name!r}: write it as {form}")
    if os.getcwd() not in sys.path:  # as with `python -m`, whatever started this
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            refuse(f"{what} {name!r}: there is no module {error.name!r} here")
        refuse(f"{what} {name!r}: {module_name} cannot be imported: {error}")
    except Exception as error:
        refuse(f"{what} {name!r}: {module_name} cannot be imported: {type(error).__name__}: {error} ({_place(error)})")
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            resolvers = _resolvers(found)
            hint = f"; it has the resolver {', '.join(resolvers)}" if resolvers else ""
            refuse(f"{what} {name!r}: {module_name} has no {attribute!r}{hint}")
        found = getattr(found, attribute)
    return found


def _place(error: BaseException) -> str:
    """The last line of the application's own on the way to an error; where there is none, the line that raised it."""
    from traceback import extract_tb

    frames = extract_tb(error.__traceback__)
    own = [
        frame for frame in frames if frame.filename.startswith(os.getcwd()) and "site-packages" not in frame.filename
    ]
    last = (own or frames)[-1]
    return f"{last.filename.removeprefix(os.getcwd() + os.sep)}:{last.lineno}"


def _resolvers(module: Any) -> Sequence[str]:
    return [name for name, value in vars(module).items() if isinstance(value, Resolver)]


def refuse(why: object) -> NoReturn:
    """End with one line that says what is wrong."""
    typer.echo(f"error: {' '.join(str(why).split())}", err=True)
    raise typer.Exit(USAGE_ERROR)
