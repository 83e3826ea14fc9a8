"""mypy and pyright, run by tests over Python that is not the library's own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.servers.artefacts import PYRIGHT
from tests.servers.locations import CACHE
from tests.servers.requirements import require_artefact

ROOT = Path(__file__).resolve().parents[1]
# no-redef: a page of the docs defines some names several times, one after the other.
_MYPY_SETTINGS = f"""
[mypy]
strict = true
python_version = 3.11
explicit_package_bases = true
disable_error_code = no-redef
mypy_path = {ROOT}
"""
_PYRIGHT_SETTINGS = {"extraPaths": [str(ROOT)], "pythonVersion": "3.11", "typeCheckingMode": "standard"}


class Finding(NamedTuple):
    """What a type checker found: the name of the file, the line and the message."""

    file: str
    line: int
    message: str


def mypy(folder: Path, cache: str) -> list[Finding]:
    """Return the errors that mypy (strict) finds in the modules of a folder.

    cache: names what mypy keeps for the next run; no two tests that run at the same time may share it.
    """
    settings = folder / "mypy.ini"
    settings.write_text(_MYPY_SETTINGS, "utf-8")
    kept = CACHE.parent / "mypy-of-tests" / cache
    done = _run([sys.executable, "-m", "mypy", "--config-file", settings, "--cache-dir", kept, folder])
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = re.findall(r"^(.*?):(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    return [Finding(Path(file).name, int(line), message) for file, line, message in found]


def pyright(folder: Path, *, include: Path | None = None, exclude: Path | None = None) -> list[Finding]:
    """Return the errors and warnings that pyright finds in the modules of a folder.

    include: a file or folder to look at instead. Without it a name may have several definitions.
    exclude: a file or folder in that to leave out.
    """
    require_artefact(PYRIGHT)
    what: dict[str, object] = {"reportRedeclaration": False}
    if include is not None:
        what = {"include": [os.path.relpath(include, folder)]}
    if exclude is not None:
        what["exclude"] = [os.path.relpath(exclude, folder)]
    (folder / "pyrightconfig.json").write_text(json.dumps(_PYRIGHT_SETTINGS | what), "utf-8")
    program = PYRIGHT.folder / "node_modules" / "pyright" / "index.js"
    done = _run(["node", program, "--outputjson", "--pythonpath", sys.executable, "--project", folder])
    assert done.returncode in (0, 1), done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] > 0
    found = report["generalDiagnostics"]
    return [Finding(Path(one["file"]).name, one["range"]["start"]["line"] + 1, one["message"]) for one in found]


def _run(command: Sequence[object]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, check=False)
