"""Processes below a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from router.local.process import descendants as module
from router.local.process.descendants import descendants, end_all


@pytest.mark.parametrize("proc", [Path("/proc"), Path("/nothing")])
def test_children_and_theirs_are_found_and_ended(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PROC", proc)
    code = "import subprocess, sys; one = subprocess.Popen(['sleep', '600']); print(one.pid, flush=True); one.wait()"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    below = int(child.stdout.readline())
    try:
        found = descendants(os.getpid())
        assert found.index(child.pid) < found.index(below)
        assert descendants(child.pid) == [below]
    finally:
        end_all([below, child.pid])
        child.wait()
        child.stdout.close()
    end_all([child.pid])  # it is gone, and that is no error
