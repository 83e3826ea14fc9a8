"""Measurements that need a fresh interpreter for every figure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.timing import rotated

ROOT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("child.py")
SANDBOX = {
    "AWS_LAMBDA_FUNCTION_NAME": "orders",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "AWS_REGION": "eu-central-1",
    "LAMBDA_TASK_ROOT": str(ROOT),
}


def run_child(what: str, argument: str) -> dict[str, Any]:
    """The answer of `child.py` in a new process. Isolated mode, so that no `PYTHON*` variable keeps bytecode away."""
    done = subprocess.run(
        [sys.executable, "-I", str(CHILD), what, str(ROOT), argument],
        env={**os.environ, **SANDBOX},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(f"{what} {argument} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def interleaved_processes(what: str, arguments: Sequence[str], rounds: int) -> dict[str, list[dict[str, float]]]:
    """`rounds` results of each argument, taking turns; a first run of each, not counted, writes the bytecode."""
    for argument in arguments:
        run_child(what, argument)
    samples: dict[str, list[dict[str, float]]] = {argument: [] for argument in arguments}
    for order in rotated(arguments, rounds):
        for argument in order:
            result = run_child(what, argument)
            if uncached := result.pop("uncached"):
                raise RuntimeError(f"{what} {argument} ran without bytecode of {uncached}")
            samples[argument].append(result)
    return samples
