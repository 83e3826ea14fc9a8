"""The demonstration of examples/guarded: what it shows is so, and each guard that is taken away is missed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.demos import run_python
from tests.servers.locations import REPOSITORY

MOST_LINES = 150

# Runs the demonstration with one guard exchanged for something that lets everything through.
BROKEN = """
import examples.guarded.demo.run as run
{breakage}
raise SystemExit(run.main())
"""

# The signature of a token is not looked at.
UNSIGNED = """
import jwt
import router.guards.jwt as guard
def trust(self, token):
    claims = jwt.decode(token, options={"verify_signature": False})
    if claims["exp"] == 1:
        return None
    return guard.Identity(claims["sub"], [claims["org"]], {"role": claims.get("role")})
guard.Jwt.authenticate = trust
"""

# Every permission says yes.
PERMISSIVE = """
from router.guards.permissions import Permission
Permission.__or__ = lambda self, other: lambda: True
"""

# Every event is the first with its key.
FORGETFUL = """
from adapters.idempotency import IdempotencyTable
IdempotencyTable.begin = lambda self, key, claim: None
IdempotencyTable.finish = lambda self, *args, **options: None
"""

# Everybody asks the bank, however often it has failed.
UNBROKEN = """
from router.guards import CircuitBreaker
CircuitBreaker.__enter__ = lambda self: None
CircuitBreaker.__exit__ = lambda self, *error: None
"""

# Rows of usage are lost.
UNUSED = """
from adapters.usage import UsageTable
UsageTable.write = lambda self, rows, seconds=5: None
"""

# The buckets are never empty.
UNLIMITED = """
from adapters.rate_limits import RateLimitTable
RateLimitTable.take = lambda self, *args, **options: 0.0
"""

# The table does not keep tenants apart.
ONE_PARTITION = """
import examples.guarded.storage as storage
from adapters.dynamodb import Table
storage.payments_table = lambda aws, name: Table(name, [storage.Payment], aws=aws)
"""

# Keys are stored as they are.
PLAIN_KEYS = """
import adapters.tokens.tokens as tokens
issue = tokens.Tokens.issue
def keep(self, *args, **options):
    issued = issue(self, *args, **options)
    self.store.aws.call("dynamodb", "put_item", TableName="keys",
        Item={"id": {"S": "copy"}, "item": {"S": "copy"}, "secret": {"S": issued.token}})
    return issued
tokens.Tokens.issue = keep
"""


def test_it_ends_well_and_fits_into_a_terminal() -> None:
    done = run_python("-m", "examples.guarded")
    shown = done.stdout

    assert done.returncode == 0, shown + done.stderr
    assert done.stderr == ""
    assert "ok  each is paid once, also when it is delivered again" in shown
    assert re.search(rf"^All {shown.count('     ok  ')} checks held: \d+ events in [\d.]+ s\.$", shown, re.MULTILINE)
    assert max(len(line) for line in shown.splitlines()) <= 80
    pages = [line.split()[0] for line in shown.partition("Read next:\n")[2].splitlines()]
    assert [page for page in pages if not (REPOSITORY / page).is_file()] == []


@pytest.mark.parametrize(
    ("breakage", "check"),
    [
        (UNSIGNED, "nor with one that somebody changed"),
        (PERMISSIVE, "a large payment needs an administrator"),
        (FORGETFUL, "both get the same answer"),
        (UNLIMITED, "Bob is slowed down"),
        (UNBROKEN, "after two failures nobody asked it"),
        (UNUSED, "each request and message has a row"),
        (ONE_PARTITION, "for Bob there is none"),
        (PLAIN_KEYS, "the table does not know the key"),
    ],
)
def test_a_guard_that_is_taken_away_is_missed(tmp_path: Path, breakage: str, check: str) -> None:
    driver = tmp_path / "driver.py"
    driver.write_text(BROKEN.format(breakage=breakage), encoding="utf-8")
    done = run_python(str(driver))

    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout[done.stdout.index("FAILED") :].splitlines()[0] == f"FAILED  {check}"


def test_the_application_is_short() -> None:
    lines = (REPOSITORY / "examples/guarded/app.py").read_text(encoding="utf-8").splitlines()

    assert len(lines) < MOST_LINES
