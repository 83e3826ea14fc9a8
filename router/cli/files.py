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

from router.cli.loading import refuse

if TYPE_CHECKING:
    from pathlib import Path


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
    if check and output is None:
        refuse("--check compares with a file: name it with --output")
    if diff:
        name = str(output or "the terminal")
        lines = unified_diff(before.splitlines(keepends=True), text.splitlines(keepends=True), name, f"{name} (new)")
        sys.stdout.writelines(line if line.endswith("\n") else f"{line}\n" for line in lines)
    if check and text != before:
        typer.echo(f"{output} is not current: run the export again", err=True)
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
