"""`python -m tests.servers.run`, which lends a server to a command, as `make demo` does."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers import artefacts, run
from tests.servers.artefacts import FERRETDB
from tests.servers.ferretdb import FerretDB
from tests.servers.locations import REPOSITORY
from tests.servers.process import ChildProcess, ServerError, wait_until
from tests.servers.requirements import require_artefact

PING = """
import os, pymongo
with pymongo.MongoClient(os.environ["MONGODB_URI"], serverSelectionTimeoutMS=2000) as client:
    assert client.admin.command("ping")["ok"] == 1
raise SystemExit(7)
"""

# Says where its server is, then which signal came first, and whether it came once more.
LISTEN = """
import os, signal
signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
print("server", os.environ["MONGODB_URI"], flush=True)
print("came", signal.sigwait(signals).name, flush=True)
print("again", signal.sigtimedwait(signals, 0.3), flush=True)
raise SystemExit(5)
"""


@pytest.fixture
def without_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONGODB_URI", raising=False)


@pytest.fixture
def no_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, without_uri: None) -> None:
    """Neither a server that is built nor what builds it."""
    monkeypatch.setattr(artefacts, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)


def launched(tmp_path: Path, *words: str) -> ChildProcess:
    return ChildProcess(
        "launcher",
        [sys.executable, "-m", "tests.servers.run", "ferretdb", "--", *words],
        log=tmp_path / "log",
        cwd=REPOSITORY,
    )


def test_a_command_gets_a_server_that_answers_and_its_code_is_handed_on(without_uri: None) -> None:
    require_artefact(FERRETDB)
    assert run.main(["ferretdb", "--", sys.executable, "-c", PING]) == 7


@pytest.mark.usefixtures("no_go")
def test_a_server_that_is_there_is_used(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://db.example.com")
    code = "import os; print(os.environ['MONGODB_URI'])"

    assert run.main(["ferretdb", "--", sys.executable, "-c", code]) == 0
    assert capfd.readouterr().out == "mongodb://db.example.com\n"


@pytest.mark.usefixtures("interruptible", "without_uri")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_comes_to_the_command_once_and_the_server_ends_with_it(tmp_path: Path, number: signal.Signals) -> None:
    require_artefact(FERRETDB)
    launcher = launched(tmp_path, sys.executable, "-c", LISTEN)
    try:
        uri = launcher.wait_for_line(re.compile(r"server (?P<uri>\S+)"), timeout_s=30)["uri"]
        launcher.signal(number)
        assert wait_until(lambda: launcher.exit_code is not None, timeout_s=15)
    finally:
        launcher.stop()
    assert launcher.exit_code == 5
    assert launcher.output.splitlines()[1:] == [f"came {number.name}", "again None"]
    assert not listens(uri)


def listens(uri: str) -> bool:
    address = urlsplit(uri)
    try:
        socket.create_connection((address.hostname, address.port or 0), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_command_that_a_signal_ended_is_told_as_a_shell_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://db.example.com")
    code = "import os; os.kill(os.getpid(), 9)"

    assert run.main(["ferretdb", "--", sys.executable, "-c", code]) == 128 + 9


@pytest.mark.usefixtures("without_uri")
def test_a_signal_before_the_command_ends_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    require_artefact(FERRETDB)
    folders: list[Path] = []

    def end(server: FerretDB, folder: Path) -> None:
        folders.append(folder)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(FerretDB, "_start_in", end)

    assert run.main(["ferretdb", "--", sys.executable, "-c", PING]) == 128 + signal.SIGTERM
    assert [folder.exists() for folder in folders] == [False]


def test_what_the_shell_ignores_stays_ignored(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.servers.run", "ferretdb", "--"]
    words += [sys.executable, "-c", "import signal; print(signal.getsignal(signal.SIGINT).name)"]
    shell = ChildProcess(
        "shell",
        ["/bin/sh", "-c", f"trap '' INT; {shlex.join(words)}"],
        log=tmp_path / "log",
        env={**os.environ, "MONGODB_URI": "mongodb://db.example.com"},
        cwd=REPOSITORY,
    )
    assert shell.wait() == 0
    assert shell.output == "SIG_IGN\n"


@pytest.mark.usefixtures("no_go")
def test_without_go_one_line_says_what_is_left_out_and_in_ci_it_fails(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["ferretdb", "--", sys.executable, "-m", "examples.tenants"]
    told = (
        f"left out: {sys.executable} -m examples.tenants needs a MongoDB. "
        "Go 1.22 or newer is missing: install the Debian package golang-go, or set MONGODB_URI.\n"
    )

    assert (run.main(command), capfd.readouterr()) == (0, (told, ""))
    monkeypatch.setenv("CI", "true")
    assert (run.main(command), capfd.readouterr()) == (1, (told, ""))


@pytest.mark.usefixtures("without_uri")
def test_a_server_that_does_not_start_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ServerError("ferretdb ended with code 1")

    require_artefact(FERRETDB)
    monkeypatch.setattr(FerretDB, "_start_in", fail)

    assert run.main(["ferretdb", "--", sys.executable, "-c", PING]) == 1
    assert capfd.readouterr().err == "ferretdb ended with code 1\n"


@pytest.mark.parametrize(
    "arguments", [[], ["ferretdb"], ["ferretdb", "--"], ["ferretdb", "python"], ["moto", "--", "x"]]
)
def test_it_says_how_it_is_used(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(arguments) == 2
    assert capfd.readouterr().err == f"{run.USAGE}\n"


def test_a_command_that_there_is_not_is_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://db.example.com")

    assert run.main(["ferretdb", "--", "ghost"]) == 1
    assert capfd.readouterr().err == "ghost cannot be started: No such file or directory\n"
