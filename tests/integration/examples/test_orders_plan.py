"""The docs show what `junction plan` says of the example today."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_output_in_the_docs_is_current() -> None:
    page = (ROOT / "docs" / "planning.md").read_text("utf-8")
    [block] = [block for block in page.split("```") if block.startswith("console\n$ junction plan examples.")]
    command, shown = block.removeprefix("console\n$ junction ").split("\n", 1)
    ended = subprocess.run(  # in a process: others import the example for servers of their own
        [sys.executable, "-m", "router", *shlex.split(command)],
        cwd=ROOT,
        env={**os.environ, "SESSION_SECRET": "0123456789abcdef" * 4},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )

    assert [line.rstrip() for line in ended.stdout.splitlines()] == shown.splitlines()
