"""Fixtures of the servers, one of each for a whole test run; named in `pytest_plugins` of the root conftest.py.

A server starts when the first test asks for it. What a module of a server imports (boto3, PyMongo) is imported then,
too, so that tests without servers do not wait for it.
"""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.servers.artefacts import AWSCLI, AXE, CHROMIUM, ELASTICMQ, FERRETDB, MINIREDIS, MINISTACK
from tests.servers.requirements import LEFT_OUT, require_artefact

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.servers.elasticmq import ElasticMQ
    from tests.servers.ferretdb import FerretDB
    from tests.servers.miniredis import RedisServer
    from tests.servers.ministack import MiniStack
    from tests.servers.moto import MotoServer


@pytest.fixture(scope="session")
def moto_server() -> Iterator[MotoServer]:
    """Moto for the whole run; what earlier tests made is still in it."""
    from tests.servers.moto import MotoServer

    with MotoServer() as server:
        yield server


@pytest.fixture
def moto(moto_server: MotoServer) -> MotoServer:
    """Moto without anything that an earlier test made."""
    moto_server.reset()
    return moto_server


@pytest.fixture(scope="session")
def ministack() -> Iterator[MiniStack]:
    """MiniStack for the whole run: tests use names of their own."""
    require_artefact(MINISTACK)
    from tests.servers.ministack import MiniStack

    with MiniStack() as server:
        yield server


@pytest.fixture(scope="session")
def elasticmq() -> Iterator[ElasticMQ]:
    """ElasticMQ for the whole run: tests use queue names of their own, or reset it."""
    require_artefact(ELASTICMQ)
    from tests.servers.elasticmq import ElasticMQ

    with ElasticMQ() as server:
        yield server


@pytest.fixture(scope="session")
def ferretdb() -> Iterator[FerretDB]:
    """FerretDB, or the MongoDB of MONGODB_URI, for the whole run: tests use database names of their own."""
    from tests.servers.ferretdb import FerretDB

    server = FerretDB()
    if not server.is_mongodb:
        require_artefact(FERRETDB)
    with server:
        yield server


@pytest.fixture
def own_ferretdb(monkeypatch: pytest.MonkeyPatch) -> Iterator[FerretDB]:
    """A FerretDB of the test's own, even where the tests talk to a real MongoDB."""
    require_artefact(FERRETDB)
    from tests.servers.ferretdb import FerretDB

    monkeypatch.delenv("MONGODB_URI", raising=False)
    with FerretDB() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The Redis of REDIS_URL, or miniredis, for the whole run: tests use prefixes of their own."""
    from tests.servers.miniredis import RedisServer

    server = RedisServer()
    if not server.is_external:
        require_artefact(MINIREDIS)
    with server:
        yield server


@pytest.fixture
def own_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """A miniredis of the test's own, with a clock that can be driven, even where the tests talk to a real Redis."""
    require_artefact(MINIREDIS)
    from tests.servers.miniredis import RedisServer

    monkeypatch.delenv("REDIS_URL", raising=False)
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of a module, which cannot run event loops in their own thread meanwhile."""
    require_artefact(CHROMIUM)
    from tests.servers.browser import running

    with running() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page in a browser that knows nothing of earlier tests."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        yield context.new_page()


@pytest.fixture
def accessibility_faults() -> Callable[..., list[str]]:
    """Return what axe-core finds wrong with a page; see `tests.servers.browser`."""
    require_artefact(AXE)
    from tests.servers.browser import accessibility_faults

    return accessibility_faults


@pytest.fixture
def aws_cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The AWS CLI; see `tests.servers.awscli`."""
    require_artefact(AWSCLI)
    from tests.servers.awscli import aws

    return aws


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Lets programs that a test starts be interrupted, even where the run is a background job of a shell.

    Such a job ignores SIGINT, and what it starts inherits that; a handler is not inherited.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Lists at the end of a run which tests were left out, and what would bring them back."""
    left_out = Counter(
        reason.partition(LEFT_OUT)[2]
        for report in terminalreporter.getreports("skipped")
        if LEFT_OUT in (reason := str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr))
    )
    if left_out:
        terminalreporter.section("tests left out")
        for reason, count in left_out.items():
            terminalreporter.line(f"{count} {'test' if count == 1 else 'tests'}: {reason}")
