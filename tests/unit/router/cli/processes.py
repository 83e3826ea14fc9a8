"""Commands as processes: the console script, and `python -m`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[4]
SCRIPT = Path(sys.executable).with_name("junction")

Done = subprocess.CompletedProcess[str]


def junction(*arguments: str | Path, cwd: Path, path: tuple[Path | str, ...] = (), **options: Any) -> Done:
    """Run the console script of this environment.

    path: folders that come before the library on the path of modules, as with PYTHONPATH.
    """
    assert SCRIPT.exists(), f"{SCRIPT} is missing: run `make install`"
    return _run([SCRIPT, *arguments], cwd, (*path, ROOT), options)


def python(*arguments: str | Path, cwd: Path, path: tuple[Path | str, ...] = (), **options: Any) -> Done:
    """Run the interpreter of this environment, with the folders of `path` alone in PYTHONPATH."""
    return _run([sys.executable, *arguments], cwd, path, options)


def _run(command: list[Any], cwd: Path, path: tuple[Path | str, ...], options: dict[str, Any]) -> Done:
    # Coverage would look at copies of the library, too, and its variables name files of the library.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environ |= {"PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80"}
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False, **options)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts, by their paths below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def one_line(text: str) -> str:
    """Return the only line of an error."""
    [line] = text.splitlines()
    return line
