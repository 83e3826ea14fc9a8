"""One process, five hundred calls, several tenants: no call after the first ones makes a new connection to MongoDB."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest

from router.testing import samples
from tests.integration.adapters.proxy import Proxy
from tests.servers.ferretdb import FerretDB
from tests.servers.lambda_process import LambdaProcess
from tests.servers.runtime_api import Invocation

CALLS = 500
FIRST = 10
TENANTS = ("acme", "globex", "initech", "umbrella")
MESSAGES = 2 * len(TENANTS)  # in a batch
CONNECTIONS = 3  # that each client may open for calls: a batch needs them all, from the first one on
PREFIX = "junction_warm_"
# Of the async client, then of that for sync code, which one thread uses: a monitor, and the connections of the pool.
MOST_CONNECTIONS = 1 + CONNECTIONS + 1 + 1
# Far above what it takes; it tells a client that is made anew for each call.
SLOWEST_MEDIAN_S = 0.1

Placed = Counter[tuple[str, str]]
"""How many orders, by tenant and by who made them."""


@pytest.fixture
def server(ferretdb: FerretDB) -> Iterator[FerretDB]:
    ferretdb.drop_databases(PREFIX)
    yield ferretdb
    ferretdb.drop_databases(PREFIX)


@pytest.fixture
def proxy(server: FerretDB) -> Iterator[Proxy]:
    """Counts the connections that are made to the server."""
    with Proxy(server.uri) as running:
        yield running


def request(kind: str, number: int, tenant: str) -> Any:
    return samples.rest("GET", f"/{kind}/{number}", headers={"x-tenant": tenant})


def batch(numbers: Iterator[int]) -> Any:
    """Messages of all tenants, each with its own session."""
    owners = [TENANTS[position % len(TENANTS)] for position in range(MESSAGES)]
    return {"Records": [samples.sqs_record("orders", {"number": next(numbers)}, session={"tenant": t}) for t in owners]}


def assert_done(invocation: Invocation, expected: dict[str, Any]) -> None:
    assert invocation.error is None, invocation.error
    result = invocation.result
    assert (json.loads(result["body"]) if "body" in result else result) == expected


class Traffic:
    """Sends calls of every kind in turn, and remembers what has to be stored where."""

    def __init__(self, function: LambdaProcess) -> None:
        self.function = function
        self.expected: Placed = Counter()
        self.seconds: dict[str, list[float]] = {}
        self._numbers = count()

    def send(self, calls: int) -> None:
        for call in range(calls):
            kind = ("queue", "async", "sync", "async")[call % 4]
            tenant, number = TENANTS[call // 4 % len(TENANTS)], next(self._numbers)
            if kind == "queue":
                invocation = self.function.invoke(batch(self._numbers))
                assert_done(invocation, {"batchItemFailures": []})
                self.expected.update({(owner, kind): MESSAGES // len(TENANTS) for owner in TENANTS})
            else:
                invocation = self.function.invoke(request(kind, number, tenant))
                assert_done(invocation, {"number": number, "tenant": tenant})
                self.expected[tenant, kind] += 1
            self.seconds.setdefault(kind, []).append(invocation.duration)

    @property
    def medians(self) -> dict[str, float]:
        return {kind: statistics.median(taken) for kind, taken in self.seconds.items()}


def placed(server: FerretDB) -> Placed:
    """What is stored: the tenant is that of the database, and every order has to say the same."""
    found: Placed = Counter()
    with server.client() as client:
        for tenant in TENANTS:
            for order in client[PREFIX + tenant].orders.find():
                assert order["tenant"] == tenant
                found[tenant, order["made_by"]] += 1
        assert {name for name in client.list_database_names() if name.startswith(PREFIX)} == {
            PREFIX + tenant for tenant in TENANTS
        }
    return found


def address_of(proxy: Proxy, uri: str) -> str:
    """The connection string of a server with the proxy's address in the place of its own."""
    parts = urlsplit(uri)
    credentials, at, _ = parts.netloc.rpartition("@")
    query = f"{parts.query}&" if parts.query else ""
    host = urlsplit(proxy.url).netloc
    return parts._replace(netloc=f"{credentials}{at}{host}", query=f"{query}directConnection=true").geturl()


@pytest.mark.alone
@pytest.mark.parametrize("driver", ["motor", "pymongo"])
def test_five_hundred_mixed_calls_use_the_connections_of_the_first_ten(
    server: FerretDB, proxy: Proxy, driver: str, capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config
) -> None:
    environment = {
        "MONGODB_URI": address_of(proxy, server.uri),
        "CONNECTIONS": str(CONNECTIONS),
        "DRIVER": driver,
        "TENANT_DATABASES": PREFIX + "{tenant}",
        "PYTHONWARNINGS": "always::ResourceWarning",
    }
    with LambdaProcess("tests.e2e.warm_mongo_app.handler", env=environment) as function:
        assert proxy.connections == 0  # nothing is opened at import
        traffic = Traffic(function)
        traffic.send(FIRST)
        early = proxy.connections
        traffic.send(CALLS - FIRST)

        assert proxy.connections == early <= MOST_CONNECTIONS
        assert placed(server) == traffic.expected
        assert function.exit_code is None

    with capsys.disabled():
        shown = ", ".join(f"{kind} {median * 1e3:.2f}" for kind, median in traffic.medians.items())
        line = f"\n{CALLS} calls by {driver} over {early} connections; median ms: {shown}"
        pytestconfig.get_terminal_writer().line(line)
    assert max(traffic.medians.values()) < SLOWEST_MEDIAN_S
    # SIGTERM ended it, and neither a loop nor a client was left to the collector.
    assert function.exit_code == 0
    for complaint in ("Event loop is closed", "ResourceWarning", "Traceback", "Task was destroyed", "still runs"):
        assert complaint not in function.logs
