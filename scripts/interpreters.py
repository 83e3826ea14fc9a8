"""Print which interpreters run which part of the tests, a line each: target of make, virtual environment, interpreter.

The unit tests run on the oldest and on the newest Python there is; one of them, or the one of `.venv`, runs everything
with coverage. Python 3.14 measures branches by sys.monitoring, which costs next to nothing and which coverage chooses
there by itself; before that version it cannot, and the tracer is as slow on one as on the other.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

OLDEST_SUPPORTED = (3, 11)
MONITORS_BRANCHES = (3, 14)
ASK = """
import sys
if sys.implementation.name == "cpython" and sys.version_info[3] == "final":
    print(*sys.version_info[:2])
"""

Version = tuple[int, int]


def candidates(environ: Mapping[str, str]) -> list[str]:
    """Return programs that may be interpreters: on the path, and where version managers keep them.

    The program that a version manager puts on the path runs only a version that was chosen; its folder has them all.
    """
    home = Path(environ.get("HOME", "/"))
    folders = [
        Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "versions",
        Path(environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python"),
    ]
    kept = [str(program) for folder in folders for program in sorted(folder.glob("*/bin/python3"))]
    return ["python3", *(f"python3.{minor}" for minor in range(OLDEST_SUPPORTED[1], 30)), *kept]


def found(programs: Iterable[str]) -> dict[Version, str]:
    """Return the first program of each released version that is new enough: run, not only found."""
    versions: dict[Version, str] = {}
    for program in programs:
        try:
            asked = subprocess.run([program, "-c", ASK], capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        words = asked.stdout.split()
        if asked.returncode == 0 and len(words) == 2:
            version = (int(words[0]), int(words[1]))
            if version >= OLDEST_SUPPORTED:
                versions.setdefault(version, program)
    return versions


def plan(own: Version, others: Mapping[Version, str], venv: str) -> list[tuple[str, str, str]]:
    """Return target, virtual environment and interpreter of each run, the one with everything last.

    own: the version in the virtual environment `venv`. others: the versions there are, with their programs.
    """
    oldest, newest = min([own, *others]), max([own, *others])
    everything = newest if newest >= MONITORS_BRANCHES else own
    runs = []
    for version in sorted({oldest, newest, own}, key=lambda one: (one == everything, one)):
        target = "test-all" if version == everything else "test-unit"
        environment = venv if version == own else f"{venv}-{version[0]}.{version[1]}"
        runs.append((target, environment, others.get(version, "python3")))
    return runs


def main() -> None:
    """Print the plan of the environment that this runs in."""
    venv = sys.argv[1] if len(sys.argv) > 1 else ".venv"
    others = found(candidates(os.environ))
    for run in plan(sys.version_info[:2], others, venv):
        print(*run)


if __name__ == "__main__":
    main()
