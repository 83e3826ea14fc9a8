"""A Redis that is down, slow, or none at all; and what the adapter says of it, sync and async."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import Any

import pytest

from adapters.errors import AccessDenied, AdapterError, ConnectionFailed, EventLoopBlocked
from adapters.redis import Redis, RedisBuckets, RedisStore
from router import ConfigurationError, Resolver
from router.guards import Idempotent, RateLimit
from router.idempotency import Claim
from router.testing import TestClient, samples
from tests.servers.locations import REPOSITORY

CLAIM = Claim("owner", "f", 1000.0, 1100.0, 2000.0)
Answer = Callable[[bytes], bytes | None]


class Fake:
    """Listens on loopback and answers each command as it is told; with None it says nothing."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.asked: list[bytes] = []
        self.url = f"redis://:s3cret@127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while data := connection.recv(65_536):
                for command in data.split(b"*")[1:]:
                    # What a client says of itself first is of no interest.
                    known = any(word in command for word in (b"AUTH", b"CLIENT", b"SELECT", b"HELLO"))
                    self.asked += [] if known else [command]
                    answer = b"+OK\r\n" if known else self._answer(command)
                    if answer == b"":
                        return connection.close()
                    if answer is not None:
                        connection.sendall(answer)
        return None

    def close(self) -> None:
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(5)


@pytest.fixture
def fake() -> Iterator[Callable[[Answer | bytes | None], Fake]]:
    made: list[Fake] = []

    def make(answer: Answer | bytes | None) -> Fake:
        made.append(Fake(answer if callable(answer) else lambda command: answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"redis://127.0.0.1:{listener.getsockname()[1]}"


def call(redis: Redis, verb: str, waits: bool) -> Any:
    """What a verb gives, or its error."""
    store, buckets = RedisStore(redis), RedisBuckets(redis)
    place: Any = buckets if verb == "take" else store
    arguments = {
        "take": ("k", 1.0, 0.0, 0.0),
        "begin": ("k", CLAIM),
        "finish": ("k", "owner", b"result"),
        "forget": ("k", "owner"),
    }[verb]

    async def twin() -> Any:
        try:
            return await getattr(place, f"{verb}_async")(*arguments)
        finally:
            await redis.close_async()

    try:
        if waits:
            return asyncio.run(twin())
        try:
            return getattr(place, verb)(*arguments)
        finally:
            redis.close()
    except Exception as error:
        return error


# Clients of the resolvers' loop: it closes them when it ends, and not before.
kept: list[Redis] = []


both = pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
every_verb = pytest.mark.parametrize("verb", ["begin", "finish", "forget", "take"])


@both
@every_verb
def test_a_server_that_is_down_is_said_to_be(verb: str, waits: bool) -> None:
    error = call(Redis(closed_port()), verb, waits)
    assert type(error) is ConnectionFailed
    assert error.retryable
    assert "no answer (ConnectionError)" in str(error)


@both
@every_verb
def test_one_that_says_nothing_is_given_up(verb: str, waits: bool, fake: Any) -> None:
    server = fake(None)
    started = monotonic()
    error = call(Redis(server.url, timeout=0.2), verb, waits)
    assert monotonic() - started < 5
    assert type(error) is ConnectionFailed
    assert len(server.asked) <= 1  # who waited in vain does not wait again
    assert "s3cret" not in str(error) + repr(error.resource)


@both
@every_verb
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b":many\r\n",
        b"$-5x\r\n",
        b"*9999\r\n:1\r\n",
        b"*2\r\n:1\r\n:2\r\n",
        b"*4\r\n:1\r\n:2\r\n$1\r\nx\r\n$1\r\nx\r\n",
        b"*4\r\n$1\r\nf\r\n$1\r\n1\r\n$1\r\nx\r\n$1\r\nx\r\n",
        b"*4\r\n$1\r\nf\r\n$1\r\n1\r\n:5\r\n:7\r\n",
        b"+soon\r\n",
        b"\xff\x00\r\n",
        b"",
    ],
)
def test_garbage_is_an_error_of_the_adapter(answer: bytes, verb: str, waits: bool, fake: Any) -> None:
    result = call(Redis(fake(answer).url, timeout=0.2), verb, waits)
    if verb == "forget" and result is None:
        return  # whatever came back, there is nothing to read in it
    assert isinstance(result, AdapterError), result
    assert "s3cret" not in str(result)


@both
@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (b"-WRONGTYPE Operation against k\r\n", AdapterError, "a value of another program; give prefix="),
        (b"-FOREIGN value script: abc, on @user_script:9.\r\n", AdapterError, "a value of another program"),
        (b"-ERR user_script:9: WRONGTYPE Operation against k\r\n", AdapterError, "a value of another program"),
        (b"-NOPERM this user has no permissions\r\n", AccessDenied, "not allowed"),
        (b"-NOAUTH Authentication required.\r\n", AccessDenied, "not allowed"),
        (b"-READONLY You can't write against a read only replica.\r\n", ConnectionFailed, "it is a replica now"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", ConnectionFailed, "no answer (BusyLoadingError)"),
        (b"-CLUSTERDOWN Hash slot not served\r\n", ConnectionFailed, "no answer (ClusterDownError)"),
        (b"-OOM command not allowed when used memory > 'maxmemory'\r\n", AdapterError, "refused: O"),
        (b"-ERR value is not an integer: secret\r\n", AdapterError, "refused: "),
    ],
)
def test_a_refusal_is_an_error_that_says_what_to_do(
    answer: bytes, kind: type[AdapterError], words: str, waits: bool, fake: Any
) -> None:
    for verb in ("begin", "take"):
        error = call(Redis(fake(answer).url), verb, waits)
        assert type(error) is kind
        assert words in str(error)
        assert "secret" not in str(error)


def test_a_key_of_which_somebody_else_has_made_a_claim_is_not_ended(fake: Any) -> None:
    error = call(Redis(fake(b":0\r\n").url), "finish", False)
    assert "somebody else has the key by now, or it has expired" in str(error)


@both
def test_a_server_that_gave_no_answer_keeps_nobody_waiting_for_a_while(waits: bool, fake: Any) -> None:
    server = fake(None)
    redis = Redis(server.url, timeout=0.3)
    kept.append(redis)
    store = RedisStore(redis)
    resolver = Resolver()
    ran: list[str] = []

    def handle() -> None:
        ran.append("")

    async def handle_later() -> None:
        ran.append("")

    resolver.on_queue("q", middleware=[Idempotent(store)])(handle_later if waits else handle)
    started = monotonic()
    answer = resolver.resolve({"Records": [samples.sqs_record("q", {"n": n}) for n in range(50)]})
    assert len(answer["batchItemFailures"]) == 50
    assert ran == []
    assert monotonic() - started < 10  # not 50 times as long as it takes to give up
    assert len(server.asked) < 10 or waits  # async records ask at the same time
    # What ends something is tried all the same: without it the work would be done again.
    redis._state.quiet_until = monotonic() + 60
    before = len(server.asked)
    assert type(call(redis, "begin", False)) is ConnectionFailed
    assert len(server.asked) == before
    assert type(call(redis, "finish", False)) is ConnectionFailed
    assert len(server.asked) == before + 1


@pytest.mark.parametrize("cluster", [False, True], ids=["server", "cluster"])
@both
def test_many_at_once_wait_no_longer_than_one(waits: bool, cluster: bool, fake: Any) -> None:
    redis = Redis(fake(None).url, cluster=cluster, timeout=0.5)
    store = RedisStore(redis)

    async def twins() -> list[Any]:
        calls = [store.begin_async(str(number), CLAIM) for number in range(40)]
        try:
            return await asyncio.gather(*calls, return_exceptions=True)
        finally:
            await redis.close_async()

    def one(number: int) -> Any:
        try:
            return store.begin(str(number), CLAIM)
        except AdapterError as error:
            return error

    started = monotonic()
    if waits:
        found = asyncio.run(twins())
    else:
        with ThreadPoolExecutor(40) as pool:
            found = list(pool.map(one, range(40)))
    assert {type(each) for each in found} == {ConnectionFailed}
    assert monotonic() - started < 10  # one after the other would take 20 seconds
    redis.close()


@both
@pytest.mark.parametrize(("when_down", "status"), [("refuse", 503), ("run", 200)])
def test_guards_do_what_they_are_told_while_it_is_down(when_down: Any, status: int, waits: bool) -> None:
    redis = Redis(closed_port())
    kept.append(redis)
    resolver = Resolver()
    guards = (
        Idempotent(RedisStore(redis), when_down=when_down),
        RateLimit(RedisBuckets(redis), rate=1, by="address", when_down=when_down),
    )

    async def later() -> str:
        return "ok"

    handler: Any = later if waits else lambda: "ok"
    for path, guard in zip(("/once", "/rate"), guards, strict=True):
        resolver.post(path, middleware=[guard])(handler)
    client = TestClient(resolver)
    for path in ("/once", "/rate"):
        assert client.post(path, headers={"idempotency-key": "k"}).status == status


@both
@pytest.mark.parametrize("when_down", ["refuse", "run"])
def test_settings_that_are_missing_let_nobody_through(
    when_down: Any, waits: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    resolver, ran = Resolver(), []

    def handle() -> None:
        ran.append("")

    async def handle_later() -> None:
        ran.append("")

    handler: Any = handle_later if waits else handle
    once = Idempotent(RedisStore(), when_down=when_down)
    limit = RateLimit(RedisBuckets(), rate=1, by="address", when_down=when_down)
    resolver.post("/once", middleware=[once])(handler)
    resolver.post("/rate", middleware=[limit])(handler)
    client = TestClient(resolver)
    for path in ("/once", "/rate"):
        assert client.post(path, headers={"idempotency-key": "k"}).status == 500
    assert ran == []
    assert caplog.text.count("Redis: set the environment variable REDIS_URL") >= 2


def test_connections_that_are_out_of_step_are_not_used_again(fake: Any) -> None:
    answers = [b":many\r\n", b":1\r\n"]
    server = fake(lambda command: answers.pop(0))
    store = RedisStore(Redis(server.url))
    with pytest.raises(AdapterError):
        store.finish("k", "owner", None)
    store.finish("k", "owner", None)
    store.redis.close()


def test_a_sync_verb_on_a_running_loop_is_refused(fake: Any) -> None:
    async def main() -> None:
        with pytest.raises(EventLoopBlocked, match=r"RedisStore\.begin blocks the event loop"):
            RedisStore(Redis(closed_port())).begin("k", CLAIM)
        with pytest.raises(EventLoopBlocked, match=r"use await .*RedisBuckets\.take_async"):
            RedisBuckets(Redis(closed_port())).take("k", 1, 0, 0)

    asyncio.run(main())


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://cache"},
        {"url": 5},
        {"url": "cache:6379"},
        {"timeout": 0},
        {"timeout": "1"},
        {"idle": 0},
        {"connections": 0},
        {"connections": True},
        {"blocking": "no"},
    ],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Redis(**options)


@pytest.mark.parametrize("prefix", ["", "{all}", 5, None])
@pytest.mark.parametrize("kind", [RedisStore, RedisBuckets])
def test_a_prefix_is_text_that_does_not_put_all_keys_on_one_node(kind: Any, prefix: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"{kind.__name__}\(prefix="):
        kind(prefix=prefix)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://ann:pa%40ss@cache.example:6380/2", "cache.example:6380"),
        ("rediss://:pa@ss@cache.example", "cache.example"),
        ("redis://:pa/ss@cache.example", "(place not shown)"),
        ("redis://:pa?ss@cache.example", "(place not shown)"),
        ("unix:///run/redis.sock", "(local)"),
    ],
)
def test_no_password_is_shown(url: str, place: str) -> None:
    assert repr(Redis(url)) == f"Redis({place})"


def test_a_url_that_the_driver_does_not_take_shows_no_password() -> None:
    error = call(Redis("redis://:top/s3cret@cache.example"), "begin", False)
    assert type(error) is ConfigurationError
    assert "s3cret" not in str(error)
    assert "percent-encoded" in str(error)


def test_the_url_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(ConfigurationError, match="set the environment variable REDIS_URL"):
        Redis().url  # noqa: B018
    monkeypatch.setenv("REDIS_URL", "cache:6379")
    with pytest.raises(ConfigurationError, match="the environment variable REDIS_URL: a URL of Redis begins with"):
        Redis().url  # noqa: B018
    monkeypatch.setenv("REDIS_URL", "redis://cache")
    assert Redis().url == "redis://cache"


WITHOUT_DRIVER = """
import asyncio, sys
sys.modules["redis"] = None
from adapters.redis import Redis, RedisBuckets, RedisStore
from router.errors import ConfigurationError
from router.idempotency import Claim

claim, redis = Claim("a", "f", 0, 1, 2), Redis("redis://cache")
store, buckets = RedisStore(redis), RedisBuckets(redis)
for call in (
    lambda: store.begin("k", claim),
    lambda: asyncio.run(store.begin_async("k", claim)),
    lambda: buckets.take("k", 1, 0, 0),
    lambda: asyncio.run(buckets.take_async("k", 1, 0, 0)),
):
    try:
        call()
    except ConfigurationError as error:
        print(error)
"""


def test_without_the_driver_the_error_names_the_extra() -> None:
    # In a process of its own: modules that are imported anew have classes that are not those of before.
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DRIVER],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == ['Redis needs its driver: pip install "lambda-junction[redis]"'] * 4, done.stderr
