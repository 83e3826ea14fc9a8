"""Idempotency inside durable executions, with AWS's own SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.servers.locations import REPOSITORY


@pytest.fixture(scope="module")
def found() -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.durable_app"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_message_is_done_over_a_pause_and_by_nobody_else_meanwhile(found: Any) -> None:
    # It runs before its pause, and again from the start; the other one is refused, and the last told that it is done.
    assert found["messages"] == {"failed": [0, 1, 0], "paid": 1, "runs": [True, True]}


def test_a_call_gets_the_result_of_another_execution(found: Any) -> None:
    assert found["calls"] == {
        "answers": [{"paid": 1}, {"paid": 1}],
        "refusals": ["the same request is being handled at the moment"],
        "runs": 2,
    }
