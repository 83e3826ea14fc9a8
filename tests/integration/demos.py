"""Run demonstrations of examples as their users do."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.servers.locations import REPOSITORY

LONGEST_S = 90


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    # A variable of this machine that would lead to a real account: the demonstration must not mind it.
    environment = {**os.environ, "AWS_PROFILE": "production", "COLUMNS": "80", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
