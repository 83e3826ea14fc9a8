"""`junction vendor`: make a copy of the library in a package of the application, update it, or check it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

import router
from router.cli import copies, library
from router.cli.loading import refuse
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOT_DONE = 1


def run_vendor(folder: Path, package: str | None, *, check: bool, force: bool) -> int:
    """Do what the command says, and return the exit status.

    folder: where the copy is or will be.
    package: its name for imports; None for the one that it has, or that the folder suggests.
    check: write nothing.
    force: overwrite a copy that was edited by hand.
    """
    try:
        return _vendor(folder, package, check=check, force=force)
    except ConfigurationError as error:
        refuse(error)
    except OSError as error:
        typer.echo(f"error: {folder} cannot be written: {error}", err=True)
        return NOT_DONE


def _vendor(shown: Path, package: str | None, *, check: bool, force: bool) -> int:
    if library.IS_COPY:
        raise ConfigurationError(f"{library.PACKAGE} is a copy itself: run `junction vendor` of the installed library")
    folder = shown.resolve()
    if not check:
        copies.check_folder(folder)
    there = copies.read_copy(folder)
    if package is None:
        package = there.package if there else copies.package_of(folder)
    copies.check_package(package, folder)
    files = copies.make_copy(package)
    by_hand = copies.edits(folder, there) if there else []
    if check:
        return _check(shown, there, package, files, by_hand)
    if by_hand and not force:
        typer.echo(f"error: {shown} was changed by hand; --force discards that: {_listed(by_hand)}", err=True)
        return NOT_DONE
    if there and not by_hand and copies.is_current(there, files):
        typer.echo(f"{shown} is current: {library.DISTRIBUTION} {there.version} as {there.package}")
        return 0
    copies.replace(folder, files)
    typer.echo(f"{shown} is {library.DISTRIBUTION} {router.__version__} as {package}: {len(files)} files")
    typer.echo(f"Import it with: from {package}.router import Resolver")
    typer.echo(f"Run commands with: python -m {package}.router --help")
    return 0


def _check(
    shown: Path, there: copies.Copy | None, package: str, files: dict[str, bytes], by_hand: Sequence[str]
) -> int:
    """Say whether a copy is current, and return the exit status."""
    if there is None:
        problem = "there is no copy"
    elif by_hand:
        problem = f"it was changed by hand: {_listed(by_hand)}"
    elif there.package != package:
        problem = f"it is the package {there.package}, not {package}"
    elif there.version != router.__version__:
        problem = f"it is version {there.version}, and the library is {router.__version__}"
    elif not copies.is_current(there, files):
        problem = f"the library is version {there.version}, too, but has other files"
    else:
        typer.echo(f"{shown} is current: {library.DISTRIBUTION} {there.version} as {there.package}")
        return 0
    typer.echo(f"{shown} is not current: {problem}", err=True)
    return NOT_DONE


def _listed(by_hand: Sequence[str]) -> str:
    more = len(by_hand) - 5
    return ", ".join(by_hand[:5]) + (f" and {more} more" if more > 0 else "")
