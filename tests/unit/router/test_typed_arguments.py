"""`Query[int]` is an int to type checkers, and `Query(ge=1)` may be called; mypy sees the same file in `make lint`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_pyright_finds_nothing_wrong_with_any_form_of_an_argument() -> None:
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, str(HERE / "typed_arguments.py")],
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parents[2],
    )
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 1, done.stderr
    found = [f"line {one['range']['start']['line'] + 1}: {one['message']}" for one in report["generalDiagnostics"]]
    assert not found, "\n".join(found)
