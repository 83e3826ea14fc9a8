"""Every place that keeps idempotency keys and buckets, each with a clock that a test drives."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.idempotency import IdempotencyTable
from adapters.rate_limits import RateLimitTable
from adapters.redis import Redis, RedisBuckets, RedisStore
from router import Resolver
from router.guards import MemoryBuckets, MemoryStore
from router.idempotency import Claim, Stored
from router.testing import samples
from tests.integration.adapters.places import aws_of
from tests.servers.aws import AwsServer
from tests.servers.miniredis import RedisServer

NOW = 1_700_000_000.5


class Clock:
    """The time of the tests. Redis goes by its own, which is put by as much."""

    def __init__(self, drive: Callable[[float], None] = lambda seconds: None) -> None:
        self.now = NOW
        self._drive = drive

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self._drive(seconds)


class Verbs:
    """The verbs of a store or of buckets: its own, or their async twins."""

    def __init__(self, place: Any, runner: asyncio.Runner | None) -> None:
        self._place = place
        self._runner = runner

    def __getattr__(self, verb: str) -> Any:
        if self._runner is None:
            return getattr(self._place, verb)
        twin, run = getattr(self._place, f"{verb}_async"), self._runner.run
        return lambda *arguments: run(twin(*arguments))


@dataclass
class Place:
    """What is under test.

    plain_store, buckets_of_application: as an application has them.
    store, buckets: with the verbs for sync code, whichever of the twins they call.
    tolerance: by how many seconds moments may differ; a clock of a server's own goes on meanwhile.
    """

    clock: Clock
    plain_store: Any
    buckets_of_application: Any
    store: Any
    buckets: Any
    tolerance: float

    def claim(self, owner: str, fingerprint: str = "f") -> Claim:
        """A claim of now: in progress for 100 seconds, kept for 1,000."""
        now = self.clock.now
        return Claim(owner, fingerprint, now, now + 100, now + 1000)

    def held(self, done: bool, result: bytes | None, left: float, fingerprint: str = "f") -> Stored:
        """What a store is to say of a key whose attempt counts as dead in so many seconds."""
        until: Any = pytest.approx(self.clock.now + left, abs=self.tolerance)
        return Stored(fingerprint, done, result, until)


def redis_places(server: RedisServer, **options: Any) -> tuple[Redis, RedisStore, RedisBuckets]:
    """A store and buckets with a prefix of their own."""
    redis, prefix = Redis(server.url, **{"timeout": 5, **options}), uuid.uuid4().hex
    return redis, RedisStore(redis, prefix=f"{prefix}:once:"), RedisBuckets(redis, prefix=f"{prefix}:rate:")


def tables(aws: Aws) -> tuple[IdempotencyTable, RateLimitTable]:
    """Tables that no other test uses."""
    once, rates = (f"{kind}-{uuid.uuid4().hex[:12]}" for kind in ("once", "rates"))
    found = IdempotencyTable(aws, table=once), RateLimitTable(aws, table=rates)
    for table in found:
        table.create_table()
    return found


def close_on_own_loop(redis: Redis) -> None:
    """Close what async handlers of a resolver have opened: on the loop that they run on."""
    resolver = Resolver()

    @resolver.on_invoke("close")
    async def close() -> None:
        await redis.close_async()

    resolver.resolve(samples.invoke("close"))


@pytest.fixture(params=["memory", "moto", "ministack", "redis", "redis-cluster"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["sync", "async"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner | None]:
    if request.param == "sync":
        yield None
        return
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def place(kind: str, runner: asyncio.Runner | None, request: pytest.FixtureRequest) -> Iterator[Place]:
    """One place after the other, sync and async."""
    clock, tolerance = Clock(), 0.001
    close: Callable[[], None] | None = None
    store: Any = MemoryStore()
    buckets: Any = MemoryBuckets()
    if kind in ("moto", "ministack"):
        server: AwsServer = request.getfixturevalue("moto_server" if kind == "moto" else "ministack")
        aws = aws_of(server)
        store, buckets = tables(aws)
        close = aws.close
    elif kind != "memory":
        redis_server: RedisServer = request.getfixturevalue("own_redis_of_module")
        redis, store, buckets = redis_places(redis_server, cluster=kind == "redis-cluster")
        clock, tolerance = Clock(redis_server.advance), 5

        def close_redis() -> None:
            redis.close()
            if runner is not None:
                runner.run(redis.close_async())
                close_on_own_loop(redis)

        close = close_redis
    yield Place(clock, store, buckets, Verbs(store, runner), Verbs(buckets, runner), tolerance)
    if close is not None:
        close()


@pytest.fixture(scope="module")
def own_redis_of_module() -> Iterator[RedisServer]:
    """A miniredis whose clock nobody else minds, even where the tests talk to a real Redis."""
    from tests.servers.artefacts import MINIREDIS
    from tests.servers.requirements import require_artefact

    require_artefact(MINIREDIS)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("REDIS_URL", raising=False)
        with RedisServer() as server:
            yield server
