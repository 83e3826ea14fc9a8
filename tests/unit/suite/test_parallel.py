"""Tests marked `alone` run while no other worker runs one, and the others run side by side."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# Each test writes down when it began and ended; clocks of processes on one machine agree.
TESTS = """
import time
from pathlib import Path

import pytest

def journal(name):
    began = time.monotonic()
    time.sleep(0.1)
    with Path("journal").open("a") as written:
        written.write(f"{name} {began} {time.monotonic()}\\n")

@pytest.mark.parametrize("number", range(8))
def test_beside_others(number):
    journal("beside")

@pytest.mark.alone
@pytest.mark.parametrize("number", range(3))
def test_alone(number):
    journal("alone")
"""


def test_what_is_marked_runs_without_others(tmp_path: Path) -> None:
    (tmp_path / "test_turns.py").write_text(TESTS, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    command = [sys.executable, "-m", "pytest", "-p", "tests.parallel", "-c", os.devnull, "-n", "2", "test_turns.py"]
    done = subprocess.run(
        [*command, "--strict-markers"],
        cwd=tmp_path,
        env={**inherited, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout

    lines = [line.split() for line in (tmp_path / "journal").read_text(encoding="utf-8").splitlines()]
    times = [(name, float(began), float(ended)) for name, began, ended in lines]
    assert len(times) == 11
    overlaps = [
        {one[0], other[0]}
        for index, one in enumerate(times)
        for other in times[:index]
        if one[1] < other[2] and other[1] < one[2]
    ]
    assert {"beside"} in overlaps
    assert [pair for pair in overlaps if "alone" in pair] == []
    assert list(tmp_path.glob("junction-tests-*")) == []
