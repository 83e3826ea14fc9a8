"""Read and write the files that commands make: whole or not at all, and as the file was before."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from difflib import unified_diff
from tempfile import mkstemp
from typing import TYPE_CHECKING

import typer

from router.cli import options
from router.cli.loading import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DOCUMENTS = (".json", ".yaml", ".yml")
"""How files of documents end."""


def text_of(path: Path | None) -> str:
    """Return the text of a file with its line ends; empty where there is none. End the process where it is no text."""
    if path is None:
        return ""
    if path.exists() and not path.is_file():
        refuse(f"{path} is not a file")
    if not path.resolve().parent.is_dir():
        refuse(f"{path} cannot be written: there is no folder {path.parent}")
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        refuse(f"{path} cannot be read: it is not UTF-8 (byte {error.start})")
    except OSError as error:
        refuse(f"{path} cannot be read: {error.strerror}")


def finish(text: str, before: str, output: Path | None, *, diff: bool, check: bool) -> None:
    """Write a text, or show what would change.

    before: what the file held. output: the file; None for the terminal.
    diff: whether the difference is shown and nothing written.
    check: whether nothing is written, and the process ends with 1 where the file is not current.
    """
    if output is None and (check or diff):
        refuse(f"{'--check' if check else '--diff'} compares with a file: name it with --output")
    if diff:
        name = str(output)
        lines = unified_diff(before.splitlines(keepends=True), text.splitlines(keepends=True), name, f"{name} (new)")
        sys.stdout.writelines(line if line.endswith("\n") else f"{line}\n" for line in lines)
    if check and text != before:
        held = "is not current" if output is not None and output.exists() else "is not there"
        typer.echo(f"{output} {held}: run {_as_typed()}", err=True)
        raise typer.Exit(1)
    if diff or check:
        return
    if output is None:
        sys.stdout.write(text)
    elif text == before:
        typer.echo(f"{output} is current")
    else:
        _write(output, text)
        typer.echo(f"wrote {output}")


def _as_typed() -> str:
    """Return the command that writes the file: that which was typed, without what keeps it from writing."""
    from shlex import join

    return join(one for one in options.typed if one not in ("--check", "--diff"))


def check_ending(output: Path | None, endings: Sequence[str], what: str) -> None:
    """Refuse a file whose name ends as another kind of file does; the process ends.

    output: the file; None for the terminal. No ending and .txt, which say nothing, are taken.
    endings: those that there are, `.json`. what: is written, for the message.
    """
    if output is None or output.suffix.lower() in ("", ".txt", *endings):
        return
    *others, last = endings
    told = f"{', '.join(others)} or {last}" if others else last
    refuse(f"{output}: {what} is a file that ends with {told}, not with {output.suffix}")


def is_yaml(path: Path | None) -> bool:
    """Return whether a file is one of YAML by its name."""
    return path is not None and path.suffix.lower() in (".yaml", ".yml")


def _write(output: Path, text: str) -> None:
    """Write a file beside another one, and put it in its place. A link stays one, and so do the rights."""
    target, beside = output.resolve(), None
    try:
        if target.exists():
            target.open("r+b").close()  # to rename would write over what must not be written to
        handle, beside = mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with open(handle, "wb") as file:
            file.write(text.encode())
        if target.exists():
            shutil.copymode(target, beside)
        else:
            os.chmod(beside, 0o666 & ~_umask())
        os.replace(beside, target)
    except (OSError, UnicodeEncodeError) as error:
        if beside is not None:
            with suppress(OSError):
                os.unlink(beside)
        refuse(f"{output} cannot be written: {getattr(error, 'strerror', None) or error}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
