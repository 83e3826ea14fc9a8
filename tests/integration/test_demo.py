"""`make demo`: it shows the whole chain, and its exit status can be believed."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.integration.demos import LONGEST_S, run_python
from tests.servers.locations import REPOSITORY
from tests.servers.process import ChildProcess, wait_until

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
invoke = run.Demo.invoke
def acknowledge(demo, payload):
    answer = invoke(demo, payload)
    return {**answer, "batchItemFailures": []} if answer and "batchItemFailures" in answer else answer
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

# The schedule works for the first tenant alone.
ONE_TENANT = """
from unittest.mock import patch
expire = run.Demo.let_orders_expire
def expire_for_one(demo):
    with patch("examples.orders.app.CUSTOMERS", ("acme",)):
        expire(demo)
run.Demo.let_orders_expire = expire_for_one
"""


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
    """The lines of the timeline of one source."""
    return [line for line in shown.splitlines() if re.match(rf"{source}  +\S", line)]


@pytest.mark.parametrize(
    ("source", "route", "whose", "outcome"),
    [
        ("websocket", r"\$connect", "acme/ann", "204"),
        ("rest", "POST /price-lists", "acme/ann", "200"),
        ("s3", "shop-uploads", "acme", "done"),
        ("sqs", "orders", "acme/ann", "done"),
        ("dynamodb", "orders", "acme/ann", "done"),
        ("task", "nightly", "acme/ann", "done"),
        ("eventbridge", "Payment", "acme", "done"),
        ("schedule", "expire-unpaid", "-", "done"),
        ("invoke", "rebuild", "acme/ann", "done"),
    ],
)
def test_each_hop_is_shown_with_its_session_duration_and_outcome(
    shown: str, source: str, route: str, whose: str, outcome: str
) -> None:
    pattern = rf"{source} +{route} +{whose} +1 +[\d.]+ +{outcome}"
    assert re.fullmatch(pattern, rows(shown, source)[0].rstrip()), rows(shown, source)


def test_the_record_that_fails_is_shown_at_each_try_and_dead_lettered(shown: str) -> None:
    tries = [re.search(r" (\d) +[\d.]+ +NotSold: unicorn", row) for row in rows(shown, "sqs")]

    assert [found[1] for found in tries if found] == ["1", "2", "3"]
    assert "ok  the order of a unicorn is in the dead-letter queue" in shown


def test_it_says_what_was_checked_and_fits_into_a_terminal(shown: str) -> None:
    checks = shown.count("     ok  ")

    assert "ok  Ann's client is told of Ann's order, and of no other" in shown
    assert "ok  it is for tenant and user of the first order" in shown
    assert re.search(rf"^All {checks} checks held: \d+ events in [\d.]+ s\.$", shown, re.MULTILINE)
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_it_says_what_to_read_next(shown: str) -> None:
    pages = [line.split()[0] for line in shown.partition("Read next:\n")[2].splitlines()]

    assert len(pages) == 3
    assert [page for page in pages if not (REPOSITORY / page).is_file()] == []


@pytest.mark.parametrize(
    ("breakage", "check", "came"),
    [
        (WRONG_USER, "the stored order is Ann's", "mallory"),
        (LOST_FAILURES, "one message failed", "0"),
        (LEAKING, "Ann's client is told of Ann's order, and of no other", "'user': 'bob'"),
        (ONE_TENANT, "Bob's order is expired", "open"),
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
        demo.wait_for_line(re.compile("ok  Ann's order of unicorn is accepted"), timeout_s=30)
        demo.signal(signal.SIGINT)
        assert wait_until(lambda: demo.exit_code is not None, timeout_s=10)
    finally:
        demo.stop()
    assert demo.exit_code == 130
    assert "Traceback" not in demo.output
