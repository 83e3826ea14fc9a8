"""What begins anew in a forked process and around a snapshot: every cache, its locks, and the random numbers."""

from __future__ import annotations

import ast
import gc
import os
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters._core.rate_limit import TokenBucket
from adapters.aws import Aws, Settings
from adapters.http import Services
from adapters.mongo import Mongo, Tenants
from adapters.parameters import Parameters
from adapters.redis.connection import Redis
from adapters.tokens.cache import TokenCache
from adapters.tokens.records import Stored as StoredToken
from adapters.websocket import Connections
from router import snapshots
from router.error_kinds import Repeats
from router.guards import CircuitBreaker
from router.guards.memory import MemoryStore
from router.guards.rate_limit import MemoryBuckets
from router.idempotency import Claim
from router.identity import Identity
from router.telemetry import usage_rows
from router.telemetry.sampling import DebugShares

ROOT = Path(__file__).resolve().parents[3]


class Cache:
    def __init__(self) -> None:
        self.seen: list[bool] = []
        snapshots.renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self.seen.append(forked)


def test_a_cache_begins_anew_at_each_of_the_moments() -> None:
    cache = Cache()
    snapshots.drop()
    snapshots.begin_again()
    assert cache.seen == [False, False]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_begins_anew_and_its_parent_does_not() -> None:
    cache = Cache()
    child = os.fork()
    if child == 0:
        os._exit(0 if cache.seen == [True] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert cache.seen == []


def test_a_cache_is_not_kept_alive_by_it() -> None:
    gc.collect()
    known = len(snapshots._caches)
    caches = [Cache() for _ in range(3)]
    assert len(snapshots._caches) == known + 3
    del caches
    gc.collect()
    assert len(snapshots._caches) <= known


def test_one_that_fails_keeps_no_other_from_it(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Cache):
        def _renew(self, *, forked: bool) -> None:
            raise OSError("secret")

    broken, other = Broken(), Cache()
    snapshots.begin_again()
    assert other.seen == [False]
    [said] = [text for text in caplog.messages if "Broken" in text]
    assert said.endswith("Broken did not begin anew: OSError")
    del broken


def test_environments_of_one_snapshot_draw_different_random_numbers() -> None:
    held = random.getstate()
    try:
        drawn = []
        for _ in range(2):  # two environments, restored from the same memory
            random.setstate(held)
            snapshots.begin_again()
            drawn.append(random.getrandbits(128))
        assert drawn[0] != drawn[1]
    finally:
        random.setstate(held)


# ---- each cache forgets --------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_the_buckets_of_a_rate_limit_are_full_after_a_restore() -> None:
    buckets = MemoryBuckets()
    assert buckets.take("ann", 60, 0, 1000) == 0
    assert buckets.take("ann", 60, 0, 1000) > 0
    snapshots.begin_again()
    assert buckets.take("ann", 60, 0, 1000) == 0


def test_so_is_the_bucket_of_a_sender() -> None:
    bucket = TokenBucket(1, clock=lambda: 5.0)
    assert [bucket.take(1), bucket.take(1)] == [0, 1]
    snapshots.begin_again()
    assert bucket.take(1) == 0


def test_a_circuit_that_was_open_is_closed_after_a_restore() -> None:
    breaker = CircuitBreaker("billing", failures=1)
    with pytest.raises(OSError, match="down"), breaker:
        raise OSError("down")
    assert breaker.state == "open"
    snapshots.begin_again()
    assert breaker.state == "closed"


def test_claims_in_memory_are_forgotten() -> None:
    store, claim = MemoryStore(), Claim("me", "", 1000.0, 1010.0, 2000.0)
    assert store.begin("k", claim) is None
    store.finish("k", "me", b"done")
    assert store.begin("k", claim) is not None
    snapshots.begin_again()
    assert store.begin("k", claim) is None


def test_tokens_are_looked_up_again() -> None:
    cache = TokenCache(60)
    cache.keep(StoredToken(b"d", Identity("ann", credential_id="1"), None, False), NOW, cache.revision)
    assert cache.get("1", b"d", NOW) is not None
    snapshots.begin_again()
    assert cache.get("1", b"d", NOW) is None


def test_what_was_read_before_a_snapshot_is_not_kept_after_it() -> None:
    cache = TokenCache(60)
    revision = cache.revision
    snapshots.begin_again()
    cache.keep(StoredToken(b"d", Identity("ann", credential_id="1"), None, False), NOW, revision)
    assert cache.get("1", b"d", NOW) is None


def test_errors_are_told_again() -> None:
    repeats = Repeats(60, "every", clock=lambda: 5.0)
    assert [repeats.count("a"), repeats.count("a")] == [0, None]
    snapshots.begin_again()
    assert repeats.count("a") == 0


def test_the_list_of_tenants_is_read_again() -> None:
    tenants = Tenants("app_{tenant}", known=lambda: ["acme"], clock=lambda: 5.0)
    tenants.learn(["acme"])
    assert not tenants.needs_names("acme")
    snapshots.begin_again()
    assert tenants.needs_names("acme")


def test_rows_of_usage_are_counted_from_somewhere_else() -> None:
    usage_rows.stamp(0)
    from router.telemetry import Usage, UsageLog

    usage = Usage(UsageLog())
    snapshots.begin_again()
    assert usage_rows._count is None
    del usage


# ---- locks ---------------------------------------------------------------------------------------------------------


def locks_of(cache: Any) -> list[Any]:
    """Return the locks of an object."""
    names = [name for kind in type(cache).__mro__ for name in getattr(kind, "__slots__", ())]
    values = [getattr(cache, name, None) for name in names if name != "__weakref__"] + list(vars_of(cache).values())
    return [value for value in values if hasattr(value, "acquire")]


def vars_of(cache: Any) -> dict[str, Any]:
    return vars(cache) if hasattr(cache, "__dict__") else {}


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(
    "make",
    [
        MemoryBuckets,
        MemoryStore,
        lambda: CircuitBreaker("billing"),
        lambda: TokenBucket(1),
        lambda: TokenCache(60),
        lambda: Repeats(60, "every"),
        lambda: DebugShares({"shop": 0.5}),
        lambda: Tenants("app_{tenant}"),
        lambda: Mongo("mongodb://db.example/"),
        lambda: Parameters(Aws(Settings(region="eu-west-1"))),
        lambda: Services({"billing": "https://billing.internal"}),
        lambda: Connections(Aws(Settings(region="eu-west-1"))),
    ],
)
def test_a_lock_that_was_held_at_a_fork_is_free_in_the_child(make: Callable[[], Any]) -> None:
    cache = make()
    held = locks_of(cache)
    assert held
    for lock in held:
        lock.acquire()  # as a thread of the parent does that is in the middle of something
    child = os.fork()
    if child == 0:
        os._exit(0 if all(lock.acquire(False) for lock in locks_of(cache)) else 1)
    assert os.waitpid(child, 0)[1] == 0


# Classes with a lock that need no other one, each with the reason.
WITHOUT = {
    "Bucket": "renewed by its Recorder",
    "CallPools": "part of the state of `Aws`, which is another one in a child",
    "Faults": "of tests and of local runs",
    "Folder": "renewed by its Recorder",
    "Server": "of the command that makes indexes",
    "Target": "lives as long as one call",
    "_ClientState": "another one in a child: it knows its process",
    "_OfProcess": "another one in a child: it knows its process",
    "_ProcessState": "another one in a child: it knows its process",
    "_Upload": "lives as long as one upload",
}


def test_whoever_has_a_lock_begins_anew() -> None:
    """So that a new cache cannot be forgotten."""
    found, renewing = set(), set()
    for path in [*(ROOT / "router").rglob("*.py"), *(ROOT / "adapters").rglob("*.py")]:
        if path.is_relative_to(ROOT / "router" / "local"):
            continue  # its processes are started anew, and never from a snapshot
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ClassDef):
                continue
            text = ast.unparse(node)
            if any(f"{kind}()" in text for kind in ("Lock", "RLock", "Condition")):
                found.add(node.name)
            if "def _renew(" in text:
                renewing.add(node.name)
    found.discard("Flusher")  # its locks are those of callers that wait
    assert found - renewing == set(WITHOUT)


# ---- connections ---------------------------------------------------------------------------------------------------


def test_clients_of_boto3_stay_and_their_connections_are_closed() -> None:
    closed: list[bool] = []
    aws = Aws(Settings(region="eu-west-1", access_key_id="a", secret_access_key="b"))
    client = aws.client("sqs")
    close = client._endpoint.http_session.close
    client._endpoint.http_session.close = lambda: closed.append(True) or close()  # type: ignore[func-returns-value]
    snapshots.drop()
    assert closed == [True]
    assert aws.client("sqs") is client


def test_a_client_of_redis_and_of_http_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    redis = Redis("redis://127.0.0.1:1")
    services = Services({"billing": "https://billing.internal"})
    state = redis._process()
    state.quiet_until = float("inf")
    first = redis._sync_client(state, "begin", False), services._client()
    snapshots.begin_again()
    assert redis._process().quiet_until == 0
    again = redis._sync_client(redis._process(), "begin", False), services._client()
    assert first[0] is not again[0]
    assert first[1] is not again[1]
    assert first[1].is_closed
    redis.close()
    services.close()


def test_parameters_are_asked_for_again() -> None:
    class Client:
        count = 0

        def get_parameter(self, **_: Any) -> dict[str, Any]:
            self.count += 1
            return {"Parameter": {"Value": f"v{self.count}"}}

    held = Parameters(Aws(Settings(region="eu-west-1"), clients={"ssm": Client()}))
    assert [held.get("/a"), held.get("/a")] == ["v1", "v1"]
    snapshots.begin_again()
    assert held.get("/a") == "v2"


def test_nobody_waits_for_what_a_snapshot_ended() -> None:
    """Threads that wait for a lock of before come to an end, and the next ones do not see them."""
    buckets = MemoryBuckets()
    with buckets._lock:
        thread = threading.Thread(target=buckets.take, args=("a", 60, 0, 1000.0), daemon=True)
        thread.start()
        snapshots.begin_again()
        assert buckets.take("a", 60, 0, 1000) == 0
    thread.join(10)
    assert not thread.is_alive()
