"""Serve a `Front` on a real socket, with an application that runs in this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
import uvicorn

from router import Resolver
from router.event import Source
from router.local.calls import Call, Outcome
from router.local.entries import Entry
from router.local.front import Front
from router.local.front.protocols import server_options
from router.local.settings import Settings
from router.testing.context import Context

T = TypeVar("T")
Handler = Callable[[Any], Any]


class Application:
    """An Invoker: a resolver, or a function of the event, in threads of this process. `calls` has what came."""

    def __init__(self, handle: Resolver | Handler) -> None:
        self._handle: Handler = (
            (lambda event: handle.resolve(event, Context())) if isinstance(handle, Resolver) else handle
        )
        self._threads = ThreadPoolExecutor(16)
        self.calls: list[Call] = []

    @property
    def event(self) -> Any:
        """Return the event of the last call."""
        return self.calls[-1].event

    async def invoke(self, call: Call) -> Outcome:
        """Make a call, with JSON on both sides as over a wire."""
        call.event = orjson.loads(orjson.dumps(call.event))
        self.calls.append(call)
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._handle, call.event)
        except Exception as error:  # as Lambda does
            return Outcome("failed", error={"errorType": type(error).__name__, "errorMessage": str(error)})
        if isinstance(answer, Outcome):
            return answer
        return Outcome("answered", orjson.loads(orjson.dumps(answer)))


class Journal:
    """Keeps entries in a list."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def began(self, call_id: str, entry: Entry) -> None:
        """Take a call that begins; the front makes no such entry."""

    def ended(self, call_id: str, entries: list[Entry]) -> None:
        """Take what was seen in a call; the front makes no such entry."""

    def add(self, entry: Entry) -> None:
        """Take an entry of the front."""
        self.entries.append(entry)

    def of(self, kind: str) -> list[Entry]:
        """Return the entries of a kind."""
        return [entry for entry in self.entries if entry["kind"] == kind]

    @property
    def notice(self) -> str:
        """Return the title and the text of the last notice."""
        notice = self.of("notice")[-1]
        assert notice["error"] is not None
        return f"{notice['name']}: {notice['error']['message']}"


class Served:
    """A front that is served."""

    def __init__(self, front: Front, application: Application, journal: Journal, port: int) -> None:
        self.front = front
        self.application = application
        self.journal = journal
        self.port = port
        self.loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        """Return the URL of the gateway."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        """Return what clients send as Host."""
        return f"127.0.0.1:{self.port}"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop of the server."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)


@contextmanager
def served(handle: Resolver | Handler, source: Source = Source.HTTP, **options: Any) -> Iterator[Served]:
    """Serve an application.

    handle: a resolver, or a function of the event.
    options: of `Front`; `stage` and others of the settings by `settings={...}`; `routes` and `apis` of `describe`.
    """
    settings = Settings("app:resolver", folder=Path(), source=source, **options.pop("settings", {}))
    routes, apis = options.pop("routes", None), options.pop("apis", ())
    application, journal = Application(handle), Journal()
    front = Front(settings, application, journal, **options)
    front.describe(routes, apis)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await (front.websocket if scope["type"] == "websocket" else front.http)(scope, receive, send)

    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="off", server_header=False, **server_options(source, front.refused)
    )
    server = uvicorn.Server(config)
    ready = threading.Event()
    result = Served(front, application, journal, 0)

    async def main() -> None:
        result.loop = asyncio.get_running_loop()
        serving = asyncio.ensure_future(server.serve())
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.005)
        result.port = server.servers[0].sockets[0].getsockname()[1]
        ready.set()
        await serving

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield result
    finally:
        result.run(front.stop())
        server.should_exit = True
        thread.join(10)
