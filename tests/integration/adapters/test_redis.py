"""Connections to Redis: what a fork, a pause, a lost answer and a script that the server forgot do to them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import time
from typing import Any

import pytest

from adapters.errors import AdapterError
from adapters.redis import Redis, RedisBuckets, RedisStore
from adapters.redis import connection as module
from router.idempotency import Claim
from tests.integration.adapters.lossy import Lossy
from tests.integration.adapters.proxy import Proxy
from tests.servers.locations import REPOSITORY
from tests.servers.miniredis import RedisServer

both = pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])


def claim(owner: str, *, now: float = 1000.0) -> Claim:
    return Claim(owner, "f", now, now + 100, now + 1000)


@pytest.fixture
def prefix() -> str:
    return f"{uuid.uuid4().hex}:"


@pytest.fixture
def runner(waits: bool) -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def close(redis: Redis, runner: asyncio.Runner) -> None:
    """Close what it has in this thread, and on a loop."""
    redis.close()
    runner.run(redis.close_async())


def begin(store: RedisStore, key: str, owner: str, runner: asyncio.Runner | None) -> Any:
    if runner is None:
        return store.begin(key, claim(owner))
    return runner.run(store.begin_async(key, claim(owner)))


def behind(url: str) -> str:
    """The URL of a proxy, with the scheme of Redis."""
    return "redis" + url.removeprefix("http") + "/0"


@both
def test_a_script_that_the_server_forgot_is_sent_again(
    redis_server: RedisServer, prefix: str, waits: bool, runner: asyncio.Runner
) -> None:
    store = RedisStore(Redis(redis_server.url), prefix=prefix)
    with redis_server.client() as client:
        for key in "ab":
            client.script_flush()
            assert begin(store, key, "a", runner if waits else None) is None
    close(store.redis, runner)


@both
def test_connections_that_ended_meanwhile_are_made_anew(
    redis_server: RedisServer, prefix: str, waits: bool, runner: asyncio.Runner
) -> None:
    with Proxy(redis_server.url) as proxy:
        store = RedisStore(Redis(behind(proxy.url)), prefix=prefix)
        for number in range(3):
            assert begin(store, str(number), "a", runner if waits else None) is None
            proxy.cut()
            proxy.mend()
        assert proxy.connections == 3
        close(store.redis, runner)


@both
def test_connections_that_were_silent_for_long_are_not_trusted(
    redis_server: RedisServer, prefix: str, waits: bool, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = 0.0
    monkeypatch.setattr(module, "time", lambda: time() + passed)
    with Proxy(redis_server.url) as proxy:
        store = RedisStore(Redis(behind(proxy.url), idle=60), prefix=prefix)
        for seconds, connections in ((0, 1), (50, 1), (50, 1), (61, 2), (10_000, 3), (1, 3)):
            passed += seconds
            assert begin(store, uuid.uuid4().hex, "a", runner if waits else None) is None
            assert proxy.connections == connections
        close(store.redis, runner)


@both
def test_a_claim_whose_answer_was_lost_is_its_own(
    redis_server: RedisServer, prefix: str, waits: bool, runner: asyncio.Runner
) -> None:
    with Lossy(redis_server.url) as lossy:
        store = RedisStore(Redis(behind(lossy.url)), prefix=prefix)
        assert begin(store, "warm", "a", runner if waits else None) is None
        lossy.lose(b"EVALSHA")
        assert begin(store, "k", "a", runner if waits else None) is None
        assert lossy.lost == 1
        assert begin(store, "k", "b", runner if waits else None) is not None
        close(store.redis, runner)


def test_many_loops_threads_and_closings_share_one(redis_server: RedisServer, prefix: str) -> None:
    redis = Redis(redis_server.url, connections=3)
    store, buckets = RedisStore(redis, prefix=prefix), RedisBuckets(redis, prefix=f"{prefix}b:")

    async def at_once() -> list[Any]:
        return await asyncio.gather(*[store.begin_async(uuid.uuid4().hex, claim("a")) for _ in range(40)])

    for _ in range(3):
        assert asyncio.run(at_once()) == [None] * 40
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: buckets.take("k", 100, 900, 0), range(40)))
        assert waits.count(0) == 10
        owners = [found is None for found in pool.map(lambda n: store.begin("k", claim(str(n))), range(40))]
    assert owners.count(True) == 1
    redis.close()
    assert store.begin("after", claim("a")) is None
    redis.close()


FORKING = """
import asyncio, os, sys
from adapters.redis import Redis, RedisStore
from router.idempotency import Claim

store = RedisStore(Redis(sys.argv[1]), prefix=sys.argv[2])
claim = Claim("a", "f", 0, 100, 1000)

async def begun():
    return [await store.begin_async(f"{os.getpid()} {n}", claim) for n in range(2)]

def check():
    assert [store.begin(f"{os.getpid()} {key}", claim) for key in "abc"] == [None] * 3
    store.finish(f"{os.getpid()} a", "a", b"x")
    assert store.begin("shared", Claim("b", "f", 0, 100, 1000)) is not None

assert store.begin("shared", claim) is None
asyncio.run(begun())
child = os.fork()
check()
assert asyncio.run(begun()) == [None, None]
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert store.begin("later", claim) is None
"""


def test_a_fork_shares_no_connection(redis_server: RedisServer, prefix: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING, redis_server.url, prefix],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", ["string", "hash", "list"])
def test_a_value_of_another_program_is_left_alone(redis_server: RedisServer, prefix: str, kind: str) -> None:
    redis = Redis(redis_server.url)
    with redis_server.client() as client:
        key = f"{prefix}k"
        make = {"string": client.set, "list": client.rpush}
        if kind == "hash":
            client.hset(key, "theirs", "1")
        else:
            make[kind](key, "theirs")
        with pytest.raises(AdapterError, match="a value of another program"):
            RedisStore(redis, prefix=prefix).begin("k", claim("a"))
        with pytest.raises(AdapterError, match="a value of another program"):
            RedisBuckets(redis, prefix=prefix).take("k", 1, 0, 0)
        assert client.type(key) == kind.encode()
        client.delete(key)
    redis.close()


def test_everything_expires(redis_server: RedisServer, prefix: str) -> None:
    redis = Redis(redis_server.url)
    RedisStore(redis, prefix=prefix).begin("once", claim("a"))
    RedisStore(redis, prefix=prefix).finish("once", "a", b"x")
    RedisBuckets(redis, prefix=prefix).take("rate", 50, 200, 0)
    with redis_server.client() as client:
        assert 990 < client.ttl(f"{prefix}once") <= 1000
        assert 40 < client.ttl(f"{prefix}rate") <= 50
    redis.close()


def test_the_clocks_of_callers_do_not_count(redis_server: RedisServer, prefix: str) -> None:
    redis = Redis(redis_server.url)
    store, buckets = RedisStore(redis, prefix=prefix), RedisBuckets(redis, prefix=prefix)
    assert store.begin("k", claim("a", now=1000)) is None
    found = store.begin("k", claim("b", now=900_000))
    assert found is not None
    assert found.running_until == pytest.approx(900_100, abs=50)
    assert [buckets.take("r", 100, 0, now) for now in (1000, 900_000)] == [0, pytest.approx(100, abs=50)]
    redis.close()


def test_a_server_whose_clock_is_put_back_refuses_nobody_for_long(own_redis: RedisServer, prefix: str) -> None:
    redis = Redis(own_redis.url)
    buckets = RedisBuckets(redis, prefix=prefix)
    assert [buckets.take("k", 10, 20, 0) for _ in range(3)] == [0, 0, 0]
    own_redis.advance(-3600)
    assert buckets.take("k", 10, 20, 0) == pytest.approx(10, abs=1)
    redis.close()
