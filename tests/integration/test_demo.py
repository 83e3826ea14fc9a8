"""`make demo`: it shows the whole chain, and its exit status can be believed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers.locations import REPOSITORY
from tests.servers.process import ChildProcess, wait_until

LONGEST_S = 90

# Runs the demonstration with one part of it, or of the application, exchanged for something broken.
BROKEN = """
import os
import examples.orders.demo.run as run
{breakage}
raise SystemExit(run.main())
"""

# The consumer forgets whose order it is, and writes it down as another user's.
WRONG_USER = """
from dataclasses import replace
from adapters.dynamodb import Table
create = Table.create
Table.create = lambda table, order: create(table, replace(order, user="mallory"))
"""

# The function acknowledges everything, failures included: the poison order is lost.
LOST_FAILURES = """
import examples.orders.demo.mappings as mappings
invoke = run.Demo.invoke
def acknowledge(demo, payload):
    answer = invoke(demo, payload)
    return {**answer, "batchItemFailures": []} if "batchItemFailures" in answer else answer
run.Demo.invoke = acknowledge
"""

# Clients of another tenant are told as well.
LEAKING = """
from adapters.websocket import Connections
broadcast = Connections.broadcast
Connections.broadcast = lambda self, message, **options: [
    broadcast(self, message, tenant=tenant, **options) for tenant in ("acme", "globex")
]
"""


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    # A variable of this machine that would lead to a real account: the demonstration must not mind it.
    environment = {**os.environ, "AWS_PROFILE": "production", "COLUMNS": "100", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


@pytest.fixture(scope="module")
def shown() -> str:
    """The output of a demonstration that went well."""
    started = time.monotonic()
    done = run_python("-m", "examples.orders")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert time.monotonic() - started < LONGEST_S
    return done.stdout


def rows(shown: str, source: str) -> list[str]:
    """The lines of the timeline of one source, without the time they came at."""
    return [line.split(maxsplit=1)[1] for line in shown.splitlines() if re.match(rf" *\d+\.\d+  {source} ", line)]


@pytest.mark.parametrize(
    ("source", "route", "outcome"),
    [
        ("websocket", r"\$connect", "204"),
        ("rest", "POST /orders", "202"),
        ("sqs", "orders", "done"),
        ("dynamodb", "orders", "done"),
        ("task", "nightly", "done"),
        ("invoke", "rebuild", "done"),
    ],
)
def test_each_hop_is_shown_with_its_session_duration_and_outcome(
    shown: str, source: str, route: str, outcome: str
) -> None:
    pattern = rf"{source} +{route} +acme/ann +1 +\d+\.\d +{outcome}"
    assert re.fullmatch(pattern, rows(shown, source)[0].rstrip()), rows(shown, source)


def test_the_record_that_fails_is_shown_at_each_try_and_dead_lettered(shown: str) -> None:
    tries = [re.search(r" (\d) +\d+\.\d +UnknownProduct: unicorn", row) for row in rows(shown, "sqs")]

    assert [found[1] for found in tries if found] == ["1", "2", "3"]
    assert "ok  the poison order is in the dead-letter queue" in shown


def test_it_says_what_was_checked_and_fits_into_a_terminal(shown: str) -> None:
    checks = shown.count("     ok  ")

    assert "ok  Ann's client got the order, with tenant and user" in shown
    assert "ok  it is for tenant and user of the first request" in shown
    assert re.search(rf"^All {checks} checks held: \d+ dispatches in [\d.]+ s\.$", shown, re.MULTILINE)
    assert max(len(line) for line in shown.splitlines()) <= 100


@pytest.mark.parametrize(
    ("breakage", "check", "came"),
    [
        (WRONG_USER, "the stored order is Ann's", "mallory"),
        (LOST_FAILURES, "one message failed", "0"),
        (LEAKING, "Bob's client, of another tenant, got nothing", "'user': 'ann'"),
    ],
)
def test_a_broken_step_is_named_and_ends_with_1(tmp_path: Path, breakage: str, check: str, came: str) -> None:
    driver = tmp_path / "driver.py"
    driver.write_text(BROKEN.format(breakage=breakage), encoding="utf-8")
    done = run_python(str(driver))

    assert done.returncode == 1, done.stdout + done.stderr
    failed = done.stdout[done.stdout.index("FAILED") :].splitlines()
    assert failed[0] == f"FAILED  {check}"
    assert failed[1].strip().startswith("expected: ")
    assert failed[2].strip().startswith("came: ")
    assert came in failed[2]


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_it_and_its_server(tmp_path: Path) -> None:
    demo = ChildProcess(
        "demo",
        [sys.executable, "-m", "examples.orders"],
        log=tmp_path / "demo.log",
        env=dict(os.environ),
        cwd=REPOSITORY,
    )
    try:
        demo.wait_for_line(re.compile("ok  POST /orders of unicorn"), timeout_s=30)
        demo.signal(signal.SIGINT)
        assert wait_until(lambda: demo.exit_code is not None, timeout_s=10)
    finally:
        demo.stop()
    assert demo.exit_code == 130
    assert "Traceback" not in demo.output
