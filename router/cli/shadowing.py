"""Find modules of an application that have the names of the library's packages, `router` and `adapters`."""

from __future__ import annotations

import os
from importlib.machinery import PathFinder

from router.cli import library

_WAYS_OUT = "rename it, or use a copy of the library (`junction vendor`), whose commands `python -m COPY.router` runs"


def own_module(package: str) -> str | None:
    """Return the file that comes before the library's package of this name on the path, or None.

    A copy in another package shares no name with anybody.
    """
    if library.IS_COPY:
        return None
    spec = PathFinder.find_spec(package)
    # Without an origin it is a folder without `__init__.py`, to which Python prefers any package further down the path.
    if spec is None or spec.origin is None or os.path.dirname(os.path.realpath(spec.origin)) == _folder(package):
        return None
    return os.path.relpath(spec.origin) if _is_below(spec.origin, os.getcwd()) else spec.origin


def _folder(package: str) -> str:
    return os.path.realpath(library.FOLDER / package)


def _is_below(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep)


def warning() -> str:
    """Return what is wrong beside an application's own module `router`, or the empty string.

    This command runs with the library's package. In Lambda the application's folder comes first on the path.
    """
    own = own_module("router")
    if own is None:
        return ""
    return f"{own} has the name of the library's package router and comes first in Lambda: {_WAYS_OUT}"


def explanation() -> str:
    """Return why an import of the application may have failed, where it has modules of the library's names."""
    told = []
    if own := own_module("router"):
        told.append(f"`router` is the library here, not {own}")
    if own := own_module("adapters"):
        told.append(f"`adapters` is {own} here, not the library's package")
    return f" ({'; '.join(told)}: {_WAYS_OUT})" if told else ""


def needs_adapters(command: str) -> str:
    """Return why a command that needs the library's `adapters` cannot run, or the empty string."""
    own = own_module("adapters")
    if own is None:
        return ""
    return f"{command} needs the library's package adapters, but {own} comes first on the path: {_WAYS_OUT}"
