"""`Clients`: one client for each cluster, process and event loop, made when it is first needed.

A client has connections and monitors. It must not be shared over a fork, and one of an async driver works on its own
loop alone; the loop of a function lives across warm invocations, and so does its client.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from math import inf
from time import monotonic

from adapters._core.loop_end import closed_with_loop
from adapters.mongo.drivers import async_client, repository_options, sync_client
from adapters.mongo.mongo_settings import hosts_of
from router.background import loop_runs
from router.errors import ConfigurationError
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncGenerator, Callable
    from typing import Any

    from adapters.mongo.mongo_settings import MongoSettings

# Maximum cached collection objects per client; creating one is slower than a cache hit.
_COLLECTIONS_KEPT = 4096
# Seconds between two times that a function is asked for a connection string since the credentials were refused.
_LEAST_RENEWAL = 1.0


class Client:
    """A driver's client with the collections that were asked of it."""

    __slots__ = ("_options", "collections", "driver", "guard")

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self._options = repository_options(driver)
        self.collections: dict[tuple[str, str], Any] = {}
        self.guard: AsyncGenerator[None, None] | None = None

    def collection(self, database: str, name: str) -> Any:
        """Return the driver's collection as repositories use it, made once."""
        found = self.collections.get((database, name))
        if found is None:
            if len(self.collections) >= _COLLECTIONS_KEPT:
                self.collections.clear()
            found = self.driver[database].get_collection(name, codec_options=self._options)
            self.collections[database, name] = found
        return found


class _ClientState:
    """State that must not be shared over a fork."""

    __slots__ = ("lock", "loops", "pid", "renewed", "sync", "uris")

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.sync: dict[str, Client] = {}
        self.loops: dict[AbstractEventLoop, dict[str, Client]] = {}
        self.renewed: dict[str, float] = {}
        self.uris: dict[str, str] = {}  # asked for in a thread, for a client of a loop


# Clients inherited through fork(). Keep a reference: closing or collecting them would close the parent's connections.
_of_parent: list[_ClientState] = []


class Clients:
    """The clients of one `Mongo`. No other shares them, so that none gets connections with another's credentials."""

    def __init__(self, settings: MongoSettings) -> None:
        self._settings = settings
        self._state = _ClientState()
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        if not forked:  # there `_process` puts the parent's aside
            self.close()
            self._state.renewed.clear()
            self._state.uris.clear()

    def of_sync(self, cluster: str) -> Client:
        """Return the MongoClient of a cluster."""
        state = self._process()
        client = state.sync.get(cluster)
        if client is None:
            name, settings = self._settings.cluster(cluster)
            with state.lock:
                client = state.sync.get(name)
                if client is None:
                    client = state.sync[name] = Client(sync_client(name, settings))
                    _close_at_exit(self)
        return client

    def of_loop(self, cluster: str) -> Client:
        """Return the async driver's client of a cluster and of the running event loop."""
        from asyncio import get_running_loop

        try:
            loop = get_running_loop()
        except RuntimeError:
            raise ConfigurationError(
                "no event loop runs here: mongo.db and ..._async are for `async def`; sync code has mongo.sync.db"
            ) from None
        state = self._process()
        client = state.loops.get(loop, _NONE).get(cluster)
        if client is None:
            name, settings = self._settings.cluster(cluster)
            # Only the thread of this loop makes its clients, so that the lock guards the table of loops alone.
            client = Client(async_client(self._settings.driver, name, settings, loop, state.uris.pop(name, None)))
            # AsyncMongoClient's is a coroutine, motor's is not.
            client.guard = closed_with_loop(client.driver.close)
            _close_at_exit(self)
            with state.lock:
                _forget_closed(state)
                state.loops.setdefault(loop, {})[name] = client
        return client

    def unasked_uri(self, cluster: str) -> Callable[[], str] | None:
        """Return the function that gives the connection string, while there is no client of the running loop yet."""
        from asyncio import get_running_loop

        _, settings = self._settings.cluster(cluster)
        there = cluster in self._process().loops.get(get_running_loop(), _NONE)
        return settings.uri if callable(settings.uri) and not there else None

    def learn_uri(self, cluster: str, uri: str) -> None:
        """Take a connection string that its function gave, for the next client of a loop."""
        self._process().uris[cluster] = uri

    def named(self, cluster: str) -> str:
        """Return a cluster as messages name it: with its hosts, without credentials."""
        name, settings = self._settings.cluster(cluster)
        return name if callable(settings.uri) else f"{name} ({hosts_of(settings.uri)})"

    def renew(self, cluster: str) -> None:
        """Forget the clients of a cluster whose connection string comes from a function: the next one asks it again."""
        name, settings = self._settings.cluster(cluster)
        if not callable(settings.uri):
            return
        state = self._process()
        with state.lock:
            if monotonic() - state.renewed.get(name, -inf) < _LEAST_RENEWAL:
                return  # of the calls that one wrong password let fail, the first has done it
            state.renewed[name] = monotonic()
            _forget_closed(state)
            ended = [_put_aside(clients, name) for clients in (state.sync, *state.loops.values())]
        for client in ended:
            if client is not None and client.guard is None:
                client.driver.close()
        # Those of a loop end with the last reference to them: their guard is closed by the loop's own hook.

    # ---- the end ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the clients of sync code and of event loops that do not run; a later call makes new ones."""
        state = self._process()
        with state.lock:
            sync, state.sync = state.sync, {}
            _forget_closed(state)
            # No loop can be run while another runs in the same thread; those clients are closed with their loops.
            idle = [] if loop_runs() else [loop for loop in state.loops if not loop.is_running()]
            waiting = [(loop, client) for loop in idle for client in state.loops.pop(loop).values()]
        for client in sync.values():
            client.driver.close()
        for loop, client in waiting:
            if client.guard is not None:
                loop.run_until_complete(client.guard.aclose())

    async def close_async(self) -> None:
        """Close the clients of the running event loop, and those of sync code; a later call makes new ones."""
        from asyncio import get_running_loop

        state = self._process()
        with state.lock:
            own = state.loops.pop(get_running_loop(), {})
        for client in own.values():
            if client.guard is not None:
                await client.guard.aclose()
        self.close()

    def _process(self) -> _ClientState:
        state = self._state
        if state.pid != os.getpid():
            _of_parent.append(state)
            state = self._state = _ClientState()
        return state


_NONE: dict[str, Client] = {}


def _put_aside(clients: dict[str, Client], name: str) -> Client | None:
    """Take a client out of use and keep it for the calls that still go on with it. Gives the one of the last time."""
    client = clients.pop(name, None)
    if client is None:
        return None
    aside = f"{name} before"
    ended = clients.pop(aside, None)
    clients[aside] = client
    return ended


def _forget_closed(state: _ClientState) -> None:
    """Drop the clients of closed loops; the caller holds the lock."""
    for loop in [loop for loop in state.loops if loop.is_closed()]:
        del state.loops[loop]


_alive: weakref.WeakSet[Clients] = weakref.WeakSet()


def _close_at_exit(clients: Clients) -> None:
    """Close them when the process ends in an orderly way, before the driver ends its own threads."""
    if not _alive:
        # Called in the reverse order: the driver, imported by now, has registered what it does before.
        atexit.unregister(_close_all)
        atexit.register(_close_all)
    _alive.add(clients)


def _close_all() -> None:
    for clients in list(_alive):
        clients.close()
