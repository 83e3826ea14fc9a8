"""`Redis`: a server or a cluster, and the clients that talk to it: one for each process and event loop.

A client has connections. It must not be shared over a fork, and one of async code works on its own loop alone.
"""

from __future__ import annotations

import os
import threading
from time import monotonic, time
from types import MappingProxyType
from weakref import WeakKeyDictionary

from adapters._core.blocking import checked_mode, refuse_blocking_call
from adapters.errors import ConnectionFailed
from adapters.redis.driver_errors import SERVICE, is_unknown_script, spoils, translate
from adapters.redis.drivers import CLOSE, async_client, place_of, sync_client
from router.durations import seconds
from router.errors import ConfigurationError
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncGenerator, Mapping
    from typing import Any

    from adapters.redis.scripts import Script
    from router.durations import Duration

_VARIABLE = "REDIS_URL"
_STAGES = 3  # a free connection, the connection itself, and the answer: each takes the timeout at most
_SCHEMES = ("redis://", "rediss://", "unix://")


class _Client:
    """A driver's client.

    last: the time of its last use, by the clock of the machine: others may stand still while a function is frozen.
    """

    __slots__ = ("driver", "guard", "last")

    def __init__(self, driver: Any, guard: AsyncGenerator[None, None] | None = None) -> None:
        self.driver = driver
        self.guard = guard
        self.last = time()


class _OfProcess:
    """The clients of one process: they must not be shared over a fork."""

    __slots__ = ("lock", "loops", "pid", "quiet_until", "sync")

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.sync: _Client | None = None
        self.loops: WeakKeyDictionary[AbstractEventLoop, _Client] = WeakKeyDictionary()
        self.quiet_until = 0.0


# Clients inherited through fork(). Kept: closing or collecting them could end the parent's connections.
_of_parent: list[_OfProcess] = []


class Redis:
    """A server of Redis or Valkey, or a cluster of them.

    Clients are made at the first call. They are safe to use from several threads, from any number of event loops, after
    a fork, and in a function that was frozen meanwhile.

    url: `redis://`, `rediss://` (TLS) or `unix://`; without it that of the environment variable `REDIS_URL`, read at
        the first call. Never shown.
    cluster: whether it is a cluster, as a serverless cache of ElastiCache is.
    timeout: seconds (or a timedelta) until a connection that is not made, an answer that does not come, or a pool
        without a free connection is given up. After such a failure nobody else is kept waiting for as long again.
    idle: seconds after which unused connections are not trusted: what sits in between drops silent ones.
    connections: kept open at most; of a cluster, for each node.
    options: further keyword arguments of the driver's client, such as `credential_provider` or `ssl_ca_certs`.
    blocking: what a sync verb on a running event loop does: "error" or "warn".
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        cluster: bool = False,
        timeout: Duration = 1.0,
        idle: Duration = 60.0,
        connections: int = 50,
        options: Mapping[str, Any] | None = None,
        blocking: str = "error",
    ) -> None:
        self._url = None if url is None else _checked(url, "Redis()")
        self.cluster = bool(cluster)
        self.timeout = seconds(timeout, "Redis(timeout=...)", least=0.001, most=60)
        self.idle = seconds(idle, "Redis(idle=...)", least=0.001, most=3600)
        if type(connections) is not int or connections < 1:
            raise ConfigurationError(f"Redis(connections={connections!r:.80}): give a whole number from 1")
        self.connections = connections
        self.options = MappingProxyType(dict(options or {}))
        self._blocking = checked_mode(blocking, "Redis")
        self._state = _OfProcess()
        renewed(self)

    def __repr__(self) -> str:
        return f"Redis({self.place})"

    @property
    def url(self) -> str:
        """The URL. Raises ConfigurationError: none was given, and the environment has none."""
        if self._url is None:
            found = os.environ.get(_VARIABLE)
            if not found:
                raise ConfigurationError(f"Redis: set the environment variable {_VARIABLE}, or give Redis(url)")
            self._url = _checked(found, f"the environment variable {_VARIABLE}")
        return self._url

    @property
    def place(self) -> str:
        """Where the server is, without credentials."""
        return "(no URL yet)" if self._url is None else place_of(self._url)

    # ---- calls -------------------------------------------------------------------------------------------------------

    def run(self, script: Script, key: bytes, *arguments: bytes | int, verb: str, waits: bool = False) -> Any:
        """Run a script on a key, in this thread.

        verb: of whom, for messages.
        waits: whether it is refused at once while the last answers stayed away; what ends something tries all the same.

        Raises:
            AdapterError: the server does not answer, or refuses.
        """
        refuse_blocking_call(verb, self._blocking, f"await {verb}_async(...)")
        state = self._process()
        self._refuse_if_quiet(state, verb, waits)
        client: _Client | None = None
        try:
            client = self._sync_client(state, verb, waits)
            return _evaluated(client.driver, script, key, arguments)
        except Exception as error:
            raise self._failed(state, client, error, verb) from None

    async def run_async(
        self, script: Script, key: bytes, *arguments: bytes | int, verb: str, waits: bool = False
    ) -> Any:
        """Do as `run` does, without blocking the event loop."""
        from asyncio import timeout

        state = self._process()
        self._refuse_if_quiet(state, verb, waits)
        client: _Client | None = None
        try:
            # Those of a cluster look for its nodes one after the other, each for as long as the first.
            async with timeout(_STAGES * self.timeout):
                client = await self._loop_client(state)
                return await _evaluated_async(client.driver, script, key, arguments)
        except Exception as error:
            raise self._failed(state, client, error, verb) from None

    def _failed(self, state: _OfProcess, client: _Client | None, error: Exception, verb: str) -> Exception:
        """Return the typed error, and remember what it says of the server and its connections."""
        if isinstance(error, ConfigurationError):
            return error
        failure = translate(error, verb, self.place)
        if isinstance(failure, ConnectionFailed):
            state.quiet_until = monotonic() + self.timeout
        if client is not None and spoils(error):
            client.last = 0.0  # as if it had not been used for long
        return failure

    # ---- clients -----------------------------------------------------------------------------------------------------

    def _renew(self, *, forked: bool) -> None:
        if not forked:  # there `_process` puts the parent's aside
            self.close()
            self._state.quiet_until = 0.0  # clients of a loop are closed with it

    def _process(self) -> _OfProcess:
        state = self._state
        if state.pid != os.getpid():
            _of_parent.append(state)
            state = self._state = _OfProcess()
        return state

    def _refuse_if_quiet(self, state: _OfProcess, verb: str, waits: bool) -> None:
        if waits and monotonic() < state.quiet_until:
            raise ConnectionFailed(
                f"redis {self.place}: {verb}: not asked, since it gave no answer a moment ago",
                service=SERVICE,
                operation=verb,
                resource=self.place,
                code="NotAsked",
                retryable=True,
            )

    def _sync_client(self, state: _OfProcess, verb: str, waits: bool) -> _Client:
        client = state.sync
        if client is None or time() - client.last > self.idle:
            with state.lock:
                self._refuse_if_quiet(state, verb, waits)  # a client of a cluster connects here, and others wait for it
                client = state.sync
                if client is not None and time() - client.last > self.idle:
                    client.driver.close()
                    client = None
                if client is None:
                    client = state.sync = _Client(sync_client(self))
        client.last = time()
        return client

    async def _loop_client(self, state: _OfProcess) -> _Client:
        from asyncio import get_running_loop

        from adapters._core.loop_end import closed_with_loop

        # Only the thread of this loop makes and drops its clients; the lock guards the table of loops.
        loop = get_running_loop()
        with state.lock:
            client = state.loops.get(loop)
        if client is not None and time() - client.last > self.idle:
            with state.lock:
                state.loops.pop(loop, None)
            await _closed(client)
            client = state.loops.get(loop)  # by another task meanwhile
        if client is None:
            driver = async_client(self)
            client = _Client(driver, closed_with_loop(getattr(driver, CLOSE)))
            with state.lock:
                state.loops[loop] = client
        client.last = time()
        return client

    def close(self) -> None:
        """Close the connections of sync code; a later call makes new ones. Those of a loop end with it."""
        state = self._process()
        with state.lock:
            client, state.sync = state.sync, None
        if client is not None:
            client.driver.close()

    async def close_async(self) -> None:
        """Close the connections of the running event loop, and those of sync code; a later call makes new ones."""
        from asyncio import get_running_loop

        state = self._process()
        with state.lock:
            client = state.loops.pop(get_running_loop(), None)
        if client is not None:
            await _closed(client)
        self.close()


def _evaluated(driver: Any, script: Script, key: bytes, arguments: tuple[bytes | int, ...]) -> Any:
    """Run a script by its name, and by its text where the server does not know it (any more)."""
    try:
        return driver.evalsha(script.name, 1, key, *arguments)
    except Exception as error:
        if not is_unknown_script(error):
            raise
        return driver.eval(script.text, 1, key, *arguments)


async def _evaluated_async(driver: Any, script: Script, key: bytes, arguments: tuple[bytes | int, ...]) -> Any:
    try:
        return await driver.evalsha(script.name, 1, key, *arguments)
    except Exception as error:
        if not is_unknown_script(error):
            raise
        return await driver.eval(script.text, 1, key, *arguments)


async def _closed(client: _Client) -> None:
    """Close a client of the running loop. What its connections say to that is of no use to anybody."""
    try:
        if client.guard is not None:
            await client.guard.aclose()
    except Exception as error:
        from logging import getLogger

        getLogger("adapters").debug("a connection to Redis ended with %s", type(error).__name__)


def _checked(url: object, where: str) -> str:
    """Return a URL. Raises ConfigurationError that shows nothing of it: it may hold a password."""
    if not isinstance(url, str) or not url.startswith(_SCHEMES):
        raise ConfigurationError(f"{where}: a URL of Redis begins with {', '.join(_SCHEMES)}")
    return url
