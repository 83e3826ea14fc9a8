"""Find what `package.module:name` on a command line means; end a command with one line where it means nothing."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import typer

from router.cli import library, shadowing
from router.resolver import Resolver

USAGE_ERROR = 2


def load_application(name: str, what: str = "APP") -> Resolver:
    """Return the Resolver that a name on the command line means, or the one of a `Stack` that it means.

    The process ends with one line where there is none.

    name: `package.module:attribute`. what: the argument or option, for messages.
    """
    found = load(name, what, "package.module:resolver")
    if _is_stack(found):
        found = load(found.application, f"{what} {name!r}: its application", "package.module:resolver")
    if not isinstance(found, Resolver):
        home, _, module = type(found).__module__.rpartition(".")
        if (module, name_of_type(found)) == ("resolver", "Resolver") and home.rpartition(".")[2] == "router":
            started = f"python -m {home}" if "." in home else "junction"
            refuse(f"{what} {name!r} is a Resolver of another copy of the library: use `{started}` instead")
        told = hint(sys.modules[name.partition(":")[0]]) or shadowing.explanation()
        refuse(f"{what} {name!r} is not a Resolver (got {name_of_type(found)}){told}")
    if problem := shadowing.warning():
        typer.echo(f"warning: {problem}", err=True)
    return found


def _is_stack(found: Any) -> bool:
    from router.contract import Stack

    return isinstance(found, Stack)


def load(name: str, what: str, form: str) -> Any:
    """Return what a name on the command line stands for; end the process with one line when it stands for nothing.

    The current folder comes first on the path, as with `python -m`, whatever started this.

    name: `package.module:attribute`.
    what: the argument, for messages.
    form: how the argument is written, for messages.
    """
    module_name, attributes = parts_of(name, what, form)
    if sys.path[:1] not in ([""], [os.getcwd()]):
        sys.path.insert(0, os.getcwd())
    found = _imported(module_name, attributes, f"{what} {name!r}")
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            refuse(f"{what} {name!r}: {module_name} has no {attribute!r}{hint(found)}")
        found = getattr(found, attribute)
    return found


def parts_of(name: str, what: str, form: str) -> tuple[str, str]:
    """Return the module and the attribute in a name; end the process with one line where it is written otherwise.

    name, what, form: as of `load`.
    """
    module, colon, attributes = name.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module.split("."), *attributes.split("."))):
        attribute = attributes if attributes.isidentifier() else form.rpartition(":")[2]
        refuse(f"{what} {name!r:.200}: write it as {form}{_such_as(module, attribute)}")
    return module, attributes


def _such_as(module: str, attribute: str) -> str:
    """Return an example as the end of a message, made of a path or a module."""
    example = module.removeprefix("./").removesuffix(".py").replace("/", ".")
    return f", such as {example}:{attribute}" if all(part.isidentifier() for part in example.split(".")) else ""


def _imported(name: str, attributes: str, what: str) -> Any:
    """Import a module of the application; end the process with one line when that fails."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            refuse(f"{what}: {missing(name, error.name, attributes)}")
        refuse(f"{what}: {name} cannot be imported: {error} ({place(error)}){shadowing.explanation()}")
    except SystemExit as error:
        refuse(f"{what}: {name} ended the process with status {error.code!r} while it was imported ({place(error)})")
    except Exception as error:
        said = error.msg if isinstance(error, SyntaxError) else error  # which has the place in it
        told = f"{type(error).__name__}: {said} ({place(error)})"
        refuse(f"{what}: {name} cannot be imported: {told}{shadowing.explanation()}")


def missing(name: str, absent: str, attributes: str) -> str:
    """Return where a module was looked for, and what to do.

    name: of the module. absent: what of it is not there. attributes: what was wanted of it.
    """
    if name.endswith(".py"):
        return f"{name} is a file: write its module, {name.removesuffix('.py')}:{attributes}"
    if "." in absent:
        package, _, module = absent.rpartition(".")
        return f"there is no module {absent!r}: {package} was found, and has no {module}"
    return (
        f"there is no module {absent!r} here: neither in {os.getcwd()} nor on the path; run it from the folder that "
        f"has {absent}, or name the folder in PYTHONPATH"
    )


def place(error: BaseException) -> str:
    """Return the application's own last line on the way to an error, or else the line that raised it."""
    from traceback import extract_tb

    here = os.getcwd() + os.sep
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{error.filename.removeprefix(here)}:{error.lineno}"
    others = ("site-packages", *(str(library.FOLDER / package) + os.sep for package in library.PACKAGES))
    frames = extract_tb(error.__traceback__)
    own = [one for one in frames if one.filename.startswith(here) and not any(part in one.filename for part in others)]
    last = (own or frames)[-1]
    return f"{last.filename.removeprefix(here)}:{last.lineno}"


def name_of_type(value: object) -> str:
    """Return the name of a value's type, for messages."""
    return type(value).__name__


def hint(module: Any) -> str:
    """Return the resolvers of a module as the end of a message; nothing when it has none."""
    resolvers = [name for name, value in vars(module).items() if isinstance(value, Resolver)]
    return f"; it has the resolver {', '.join(resolvers)}" if resolvers else ""


def refuse(why: object) -> NoReturn:
    """End with a line that says what is wrong, and one for each of several faults (`- ...`)."""
    first, *faults = str(why).split("\n- ")
    typer.echo(f"error: {' '.join(first.split())}", err=True)
    for fault in faults:
        typer.echo(f"- {' '.join(fault.split())}", err=True)
    raise typer.Exit(USAGE_ERROR)
