"""The demonstration of examples/tenants: what it shows is so, and its exit status can be believed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.ferretdb import FerretDB
from tests.servers.locations import REPOSITORY
from tests.servers.process import ChildProcess, wait_until

LONGEST_S = 90

# Runs the demonstration with one part of it, of the application or of the library exchanged for something broken.
BROKEN = """
import asyncio, os, signal
import examples.tenants.demo.run as run
{breakage}
raise SystemExit(run.main())
"""

# Every tenant has the same database.
ONE_DATABASE = """
from adapters.mongo import Tenants
database = Tenants.database
Tenants.database = lambda tenants, name: database(tenants, "acme")
"""

# Queries from outside go to the database as they are.
OPEN_PROXY = """
from adapters.mongo import QueryProxy
from adapters.mongo import Page
async def find(proxy, request):
    from examples.tenants.storage import mongo
    database, _, collection = request["collection"].rpartition(".")
    found = (mongo.db[database] if database else await mongo.tenant())[collection].find(request["filter"])
    return Page(await found.to_list(None), None)
QueryProxy.find_async = find
"""

# A token is good for whatever tenant the request names.
TENANT_OF_THE_HEADER = """
import router.guards.authenticate as authenticate
authenticate._tenant = lambda event, owner, needed: event.session.tenant or owner.tenants[0]
"""

# Operators of a JSON body reach the filter.
OPERATORS = """
import adapters.mongo.repository as repository
from adapters.mongo import raw
find = repository.Repository.find
def open_find(self, where=None, **options):
    return find(self, raw(where) if "limit" in options else where, **options)
repository.Repository.find = open_find
"""

# The last one to write wins.
NO_VERSIONS = """
from adapters.mongo import Repository
update = Repository.update_async
Repository.update_async = lambda self, id, *, version=None, **changes: update(self, id, **changes)
"""

# The server ends in the middle.
SERVER_ENDS = """
run.Demo.edit_twice = lambda demo: os.kill(int(os.environ["SERVER_PID"]), signal.SIGKILL)
"""

# A request hangs in the database.
HANGING = """
from adapters.mongo import Repository
async def hang(*arguments, **options):
    print("hanging", flush=True)
    await asyncio.sleep(600)
Repository.insert_async = hang
"""


def environment(uri: str, **further: str) -> dict[str, str]:
    return {**os.environ, "COLUMNS": "80", "PYTHONPATH": str(REPOSITORY), "MONGODB_URI": uri, **further}


def run_python(*arguments: str, uri: str, **further: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env=environment(uri, **further),
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def broken(tmp_path: Path, breakage: str) -> str:
    driver = tmp_path / "driver.py"
    driver.write_text(BROKEN.format(breakage=breakage), encoding="utf-8")
    return str(driver)


def databases(ferretdb: FerretDB) -> set[str]:
    with ferretdb.client() as client:
        return {name for name in client.list_database_names() if name.startswith("demo_")}


@pytest.fixture(scope="module")
def shown(ferretdb: FerretDB) -> str:
    """The output of a demonstration that went well."""
    before = databases(ferretdb)
    done = run_python("-m", "examples.tenants", uri=ferretdb.uri)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert databases(ferretdb) == before
    return done.stdout


@pytest.mark.parametrize(
    "row",
    [
        r"rest +POST /notes +acme/ann +1 +\d+\.\d +201",
        r"rest +POST /notes +globex/bob +1 +\d+\.\d +201",
        r"rest +PUT /notes/{id} +acme/ann +1 +\d+\.\d +409",
        r"rest +POST /notes/{id}/restore +acme/ann +1 +\d+\.\d +200",
        r"sqs +notes-import +acme/ann +1 +\d+\.\d +done",
        r"sqs +notes-import +globex/bob +1 +\d+\.\d +done",
        r"task +empty-trash +acme/ann +1 +\d+\.\d +done",
        r"rest +POST /query +globex/bob +1 +\d+\.\d +400",
        r"rest +GET /notes +- +1 +\d+\.\d +403",
    ],
)
def test_each_dispatch_is_shown_with_whom_it_was_for_and_its_outcome(shown: str, row: str) -> None:
    assert re.search(rf"^{row} *$", shown, re.MULTILINE)


@pytest.mark.parametrize(
    "held",
    [
        "globex has the indexes that are declared",
        "the database holds no secret of them",
        "the same title again is refused",
        "every note came once, the latest first",
        "only the message that nobody signed failed",
        "Ann's token, for the tenant globex: 403",
        "Ann's token, for the tenant ../admin: 403",
        "a token that was issued for ../admin: 400",
        "Bob reads Ann's note by its id: 404",
        "an id that is none: 400",
        '{"created_by": {"$ne": null}} for a filter: 400',
        "query: another tenant's database: 400",
        "Bob is out",
    ],
)
def test_each_check_is_named(shown: str, held: str) -> None:
    assert f"     ok  {held}\n" in shown


def test_it_ends_with_where_the_documents_are_and_a_sum(shown: str) -> None:
    assert re.search(r"ok  demo_\w+_acme holds 8 notes of ann\n", shown)
    assert re.search(r"ok  demo_\w+_globex holds 4 notes of bob\n", shown)
    checks = shown.count("     ok  ")
    assert re.search(rf"^All {checks} checks held: \d+ events in [\d.]+ s\.$", shown, re.MULTILINE)


def test_it_says_what_to_read_next(shown: str) -> None:
    pages = [line.split()[0] for line in shown.partition("Read next:\n")[2].splitlines()]

    assert len(pages) == 3
    assert [page for page in pages if not (REPOSITORY / page).is_file()] == []


def test_it_fits_into_a_terminal_and_shows_no_token(shown: str) -> None:
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "jn_" not in shown


@pytest.mark.parametrize(
    ("breakage", "check"),
    [
        (ONE_DATABASE, "globex has the indexes that are declared"),
        (OPEN_PROXY, "query: another tenant's database: 400"),
        (TENANT_OF_THE_HEADER, "Ann's token, for the tenant globex: 403"),
        (OPERATORS, '{"created_by": {"$ne": null}} for a filter: 400'),
        (NO_VERSIONS, "Ann is told that it was changed in the meantime"),
    ],
)
def test_what_is_broken_is_named_and_ends_with_1(ferretdb: FerretDB, tmp_path: Path, breakage: str, check: str) -> None:
    before = databases(ferretdb)
    done = run_python(broken(tmp_path, breakage), uri=ferretdb.uri)

    assert done.returncode == 1, done.stdout + done.stderr
    failed = done.stdout[done.stdout.index("FAILED") :].splitlines()
    assert failed[0] == f"FAILED  {check}"
    assert failed[1].strip().startswith("expected: ")
    assert failed[2].strip().startswith("came: ")
    assert databases(ferretdb) == before


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("mongodb://root:hunter2@127.0.0.1:1/", "the MongoDB at 127.0.0.1:1 does not answer"),
        ("", "MONGODB_URI: a connection string begins with mongodb://"),
        ("mongodb://root:hun/ter2@127.0.0.1:1/", "MONGODB_URI is no valid connection string"),
    ],
)
def test_a_server_that_is_not_there_is_told_in_one_line_without_credentials(uri: str, told: str) -> None:
    done = run_python("-m", "examples.tenants", uri=uri)

    assert (done.returncode, done.stderr) == (1, "")
    [line] = done.stdout.splitlines()
    assert line.startswith(" FAILED  ")
    assert told in line
    assert "hun" not in line


def test_a_server_that_ends_in_the_middle_is_told_in_one_line(own_ferretdb: FerretDB, tmp_path: Path) -> None:
    assert own_ferretdb.pid is not None
    driver = broken(tmp_path, SERVER_ENDS)
    done = run_python(driver, uri=own_ferretdb.uri, SERVER_PID=str(own_ferretdb.pid), JUNCTION_MONGO_TIMEOUT="1")

    assert (done.returncode, done.stderr) == (1, "")
    [failed] = [line for line in done.stdout.splitlines() if "FAILED" in line]
    assert failed == done.stdout.splitlines()[-1]
    assert failed == f" FAILED  the MongoDB at {own_ferretdb.uri.split('/')[2]} answers no more"


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_it_and_drops_its_databases(ferretdb: FerretDB, tmp_path: Path) -> None:
    before = databases(ferretdb)
    demo = ChildProcess(
        "demo",
        [sys.executable, broken(tmp_path, HANGING)],
        log=tmp_path / "demo.log",
        env=environment(ferretdb.uri),
        cwd=REPOSITORY,
    )
    try:
        demo.wait_for_line(re.compile("hanging"), timeout_s=30)
        assert databases(ferretdb) > before
        demo.signal(signal.SIGINT)
        assert wait_until(lambda: demo.exit_code is not None, timeout_s=15)
    finally:
        demo.stop()
    assert demo.exit_code == 130
    assert "Traceback" not in demo.output
    assert databases(ferretdb) == before
