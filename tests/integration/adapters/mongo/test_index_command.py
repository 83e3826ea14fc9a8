"""`python -m router indexes` as a process."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.adapters.mongo.wire import Wire
from tests.servers.ferretdb import FerretDB
from tests.servers.locations import REPOSITORY
from tests.servers.process import ChildProcess

PREFIX = "test_index_command_"
HERE = "tests.integration.adapters.mongo.indexed_app"
APP = f"{HERE}:resolver"
LOG = f"{PREFIX}shared"


@pytest.fixture(autouse=True)
def clean(ferretdb: FerretDB) -> Iterator[None]:
    ferretdb.drop_databases(PREFIX)
    yield
    ferretdb.drop_databases(PREFIX)


def environment(uri: str) -> dict[str, str]:
    return {
        **os.environ,
        "MONGODB_URI": uri,
        "JUNCTION_MONGO_DATABASE": f"{PREFIX}{{tenant}}",
        "JUNCTION_MONGO_TIMEOUT": "1",
        "LOG_DATABASE": LOG,
    }


def run(uri: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "router", "indexes", *arguments],
        cwd=REPOSITORY,
        env=environment(uri),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_makes_them_says_so_and_makes_nothing_a_second_time(ferretdb: FerretDB) -> None:
    first = run(ferretdb.uri, APP, "--tenants", "b,a", "--tenants", "c")
    second = run(ferretdb.uri, APP)

    assert first.returncode == 0
    assert first.stdout.splitlines() == [
        *(
            f"created main/{PREFIX}{tenant}.orders {index}"
            for tenant in ("a", "b", "c")
            for index in ("number_1", "sku_1_placed_-1")
        ),
        f"created main/{LOG}.log at_1",
        "4 collections of 4 databases: 7 created, 0 dropped, 0 unchanged, 0 failed",
    ]
    # Not on a terminal: lines, apart from the report.
    assert "creating indexes: 4 of 4" in first.stderr.splitlines()
    assert second.returncode == 0
    assert second.stdout == "4 collections of 4 databases: 0 created, 0 dropped, 7 unchanged, 0 failed\n"


def test_the_report_is_data_for_programs(ferretdb: FerretDB) -> None:
    done = run(ferretdb.uri, APP, "--tenants", "a", "--json")

    held = json.loads(done.stdout)
    assert (done.returncode, held["ok"], held["failures"]) == (0, True, [])
    assert {(one["action"], one["index"]) for one in held["changes"]} > {("created", "number_1")}


def test_on_a_terminal_it_has_a_bar_and_the_report_stays_apart(ferretdb: FerretDB) -> None:
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "router", "indexes", APP, "--tenants", "a,b"],
        cwd=REPOSITORY,
        env={**environment(ferretdb.uri), "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=other_end,
        text=True,
    )
    os.close(other_end)
    report, _ = process.communicate(timeout=60)
    shown = b""
    with suppress(OSError):  # so it ends when the other end is closed
        while part := os.read(terminal, 65536):
            shown += part
    os.close(terminal)

    assert process.returncode == 0
    assert "3/3" in (text := shown.decode())
    assert "creating indexes" in text
    assert report.splitlines()[-1] == "3 collections of 3 databases: 5 created, 0 dropped, 0 unchanged, 0 failed"


def test_orphans_are_listed_would_go_and_go(ferretdb: FerretDB) -> None:
    with ferretdb.client() as client:
        client[f"{PREFIX}a"]["orders"].create_index("old", name="old")

    assert f"not declared main/{PREFIX}a.orders old" in run(ferretdb.uri, APP).stdout
    assert f"would drop main/{PREFIX}a.orders old" in run(ferretdb.uri, APP, "--prune", "--dry-run").stdout
    done = run(ferretdb.uri, APP, "--prune")
    assert f"dropped main/{PREFIX}a.orders old" in done.stdout
    assert done.returncode == 0


def test_a_failed_create_is_named_drops_nothing_and_ends_with_1(ferretdb: FerretDB) -> None:
    with ferretdb.client() as client:
        client[f"{PREFIX}a"]["orders"].create_index("old", name="old")
        client[f"{PREFIX}b"]["orders"].insert_many([{"number": 7}, {"number": 7}])

    done = run(ferretdb.uri, APP, "--prune")

    assert done.returncode == 1
    lines = done.stdout.splitlines()
    why = "there are documents with the same value, so it cannot be unique"
    assert f"failed main/{PREFIX}b.orders number_1: {why}" in lines
    assert f"created main/{PREFIX}b.orders sku_1_placed_-1" in lines
    assert f"not declared main/{PREFIX}a.orders old" in lines
    assert not any(line.startswith("dropped") for line in lines)


@pytest.mark.parametrize("application", [f"{HERE}:mongo", f"{HERE}:log"])
def test_a_mongo_or_a_repository_will_do(ferretdb: FerretDB, application: str) -> None:
    done = run(ferretdb.uri, application)

    assert done.returncode == 0
    assert f"created main/{LOG}.log at_1" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([APP, "--tenants", "../admin"], "the tenant '../admin': "),
        ([APP, "--tenants", "a,$cmd"], "the tenant '$cmd': "),
        ([APP, "--tenants", "a,,b"], "--tenants 'a,,b': a name is empty"),
        ([APP, "--parallel", "0"], "give a whole number from 1 to 64"),
        ([f"{HERE}:text"], "is not a Resolver, Mongo or Repository (got str)"),
        (["noform"], "APP 'noform': write it as package.module:resolver"),
        (["tests.unit.router.cli_app:resolver"], "no repository is made where it is imported, so there are no indexes"),
    ],
)
def test_wrong_words_end_with_2_and_one_line(ferretdb: FerretDB, arguments: list[str], told: str) -> None:
    done = run(ferretdb.uri, *arguments)

    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert done.stdout == ""


def test_a_cluster_that_is_down_ends_it_with_1_and_without_its_password() -> None:
    done = run("mongodb://admin:hunter2-secret@127.0.0.1:1/", APP)

    assert done.returncode == 1
    assert "failed main: no answer from 127.0.0.1:1 (ServerSelectionTimeoutError)" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_driver_it_says_what_to_install() -> None:
    script = (
        "import runpy, sys\n"
        "sys.modules.update(dict.fromkeys(['pymongo', 'motor']))\n"
        f"sys.argv = ['router', 'indexes', {APP!r}]\n"
        "runpy.run_module('router', run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env=environment("mongodb://127.0.0.1:1/"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == 'error: MongoDB needs its driver: pip install "lambda-junction[mongo]"'


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_it_while_a_server_builds_and_says_what_was_done(ferretdb: FerretDB, tmp_path: Path) -> None:
    with Wire(ferretdb.uri, hold=(b"createIndexes", f"{PREFIX}b".encode())) as wire:
        command = [sys.executable, "-m", "router", "indexes", APP, "--tenants", "a,b,c", "--parallel", "1"]
        process = ChildProcess("indexes", command, log=tmp_path / "log", env=environment(wire.uri), cwd=REPOSITORY)
        assert wire.held.wait(30), process.output
        process.signal(signal.SIGINT)

        assert process.wait() == 130
    lines = process.output.splitlines()
    assert f"created main/{PREFIX}a.orders number_1" in lines
    assert f"not finished main/{PREFIX}b.orders" in lines
    assert f"not finished main/{PREFIX}c.orders" in lines
    assert "interrupted: run it again to do the rest" in lines
    assert "Traceback" not in process.output
    assert re.search(r"2 created, 0 dropped, 0 unchanged, 3 not finished, 0 failed", process.output)

    assert run(ferretdb.uri, APP, "--tenants", "a,b,c").returncode == 0
