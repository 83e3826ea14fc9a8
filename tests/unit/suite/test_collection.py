"""The same tests are found in the same order by every process: the workers of a parallel run compare their lists."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SEEDS = ("1", "2", "3")
COLLECT = (sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")


@pytest.mark.timeout(300)  # on a busy machine
def test_the_order_of_sets_shows_in_no_list_of_tests() -> None:
    # Without the variables by which coverage would measure these processes, too.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    running = [
        subprocess.Popen(
            [*COLLECT, "tests/unit"],
            cwd=ROOT,
            env={**inherited, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for seed in SEEDS
    ]
    try:
        outputs = [process.communicate()[0].splitlines() for process in running]
    finally:
        for process in running:
            process.kill()  # what has ended already does not mind
            process.wait()

    assert [process.returncode for process in running] == [0, 0, 0], outputs[0][-20:]
    lists = [[line for line in output if "::" in line] for output in outputs]
    assert len(lists[0]) > 1_000
    for seed, found in zip(SEEDS[1:], lists[1:], strict=True):
        differing = [pair for pair in zip(lists[0], found, strict=False) if pair[0] != pair[1]]
        assert differing == [], f"PYTHONHASHSEED={SEEDS[0]} and {seed} find different tests"
        assert len(found) == len(lists[0])
