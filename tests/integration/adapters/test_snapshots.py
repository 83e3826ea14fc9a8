"""Connections do not outlive a snapshot (SnapStart), whichever adapter has them, and the next call makes new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from adapters.aws import Aws, Settings
from adapters.http import Services
from adapters.mongo import Mongo
from adapters.redis import Redis, RedisBuckets
from router import Resolver
from router.testing import TestClient
from tests.integration.adapters.proxy import Proxy
from tests.servers.ferretdb import FerretDB
from tests.servers.loopback import LoopbackServer, Quiet
from tests.servers.miniredis import RedisServer
from tests.servers.process import wait_until


def check(proxy: Proxy, call: Callable[[], Any], call_async: Callable[[], Any]) -> None:
    """Call from sync and async code, take a snapshot, and call again."""
    apart, together = Resolver(), Resolver()  # a sync handler has no event loop where all are sync
    apart.on_invoke("sync")(lambda: call() is not None)

    @together.on_invoke("async")
    async def work() -> bool:
        return await call_async() is not None

    def both() -> None:
        assert TestClient(apart).invoke("sync") is True
        assert TestClient(together).invoke("async") is True

    both()
    assert proxy.open > 0
    TestClient(together).snapshot()
    assert wait_until(lambda: proxy.open == 0, timeout_s=10)
    both()


class Answers(Quiet, BaseHTTPRequestHandler):
    """Answers everything with an empty object, and keeps the connection open, as AWS does."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self) -> None:
        self.do_GET()


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a server that keeps connections open."""
    with LoopbackServer(Answers) as server:
        yield server.url


def test_of_aws(url: str) -> None:
    with Proxy(url) as proxy:
        aws = Aws(Settings(region="eu-west-1", endpoint=proxy.url, access_key_id="a", secret_access_key="b"))
        check(proxy, lambda: aws.call("sqs", "list_queues"), lambda: aws.call_async("sqs", "list_queues"))
        aws.close()


def test_of_services(url: str) -> None:
    with Proxy(url) as proxy:
        services = Services({"stock": proxy.url})
        check(proxy, lambda: services.get("stock", "/"), lambda: services.get_async("stock", "/"))
        TestClient(Resolver()).snapshot()


def test_of_redis(redis_server: RedisServer) -> None:
    with Proxy(redis_server.url) as proxy:
        buckets = RedisBuckets(Redis("redis" + proxy.url.removeprefix("http")))
        take = ("snapshots", 0.001, 1.0, 0.0)
        check(proxy, lambda: buckets.take(*take), lambda: buckets.take_async(*take))
        TestClient(Resolver()).snapshot()


def test_of_mongodb(ferretdb: FerretDB) -> None:
    with Proxy(ferretdb.uri) as proxy:
        address = proxy.url.removeprefix("http://")
        mongo = Mongo(f"mongodb://{address}/?directConnection=true")

        async def find() -> Any:
            return await mongo.client.admin.command("ping")

        check(proxy, lambda: mongo.sync.client.admin.command("ping"), find)
        TestClient(Resolver()).snapshot()
