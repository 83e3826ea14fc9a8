"""Show in a console of the tests: the real store, API and page, around an application that answers at once.

`python -m tests.e2e.console.scene [ENTRIES]` serves it to look at.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette

from router.local.calls import Call, Outcome
from router.local.console.api import console_routes
from router.local.console.guard import guarded
from router.local.console.parts import Parts
from router.local.console.static import page_routes
from router.local.entries import Entry
from router.local.settings import Settings
from router.local.store import Store
from tests.e2e.console.history import an_order, entry, failure, many, mixed
from tests.e2e.console.surroundings import Connections, Executions, Faults, Queues

_ROUTES = (
    ("rest", "POST /orders", "place", 18),
    ("rest", "GET /orders/{order_id}", "show", 31),
    ("rest", "DELETE /orders/{order_id}", "cancel", 40),
    ("sns", "order-events", "announce", 12),
    ("sqs", "orders", "bill", 9),
    ("sqs", "orders-dead", "report", 33),
    ("dynamodb", "orders", "changed", 7),
    ("websocket", "$connect", "join", 8),
    ("websocket", "chat", "chat", 15),
    ("schedule", "nightly", "sweep", 4),
    ("invoke", "rebuild", "rebuild", 11),
)


class Application:
    """The application's process, without a process."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.phase = "ready"
        self.failure: Any = None
        self.received: list[Any] = []

    @property
    def state(self) -> Mapping[str, Any]:
        """Return how it is."""
        return {"state": self.phase, "error": self.failure, "took_ms": 388.0, "reloads": 2, "pid": 4711}

    @property
    def routes(self) -> Sequence[Mapping[str, Any]]:
        """Return the routes of a shop."""
        return [
            {"source": source, "route": route, "handler": f"shop.{handler}", "file": "shop/app.py", "line": line}
            for source, route, handler, line in _ROUTES
        ]

    async def run_task(
        self, name: str, environment: Mapping[str, str] | None = None, /, *, call: str, replay_of: str | None
    ) -> int:
        """Run a task, which ends at once."""
        raw = {**(environment or {}), "TASK_NAME": name}
        made: Any = entry("task", f"task {name}", kind="task", call=call, replay_of=replay_of, raw=raw, status=None)
        self.store.ended(call, [made])
        return 0

    async def invoke(self, call: Call) -> Outcome:
        """Answer what was sent; what has `fail` in it fails, what has `refuse` is refused."""
        self.received.append(call.event)
        made: Any = entry(
            "rest",
            "POST /orders",
            origin=call.origin,
            replay_of=call.replay_of,
            call=call.request_id,
            raw=call.event,
        )
        fails = isinstance(call.event, dict) and bool(call.event.get("fail"))
        if fails:
            made |= {"outcome": "failed", "error": failure()}
        refuses = isinstance(call.event, dict) and bool(call.event.get("refuse"))
        if refuses:
            made |= {"outcome": "refused", "status": 404}
        self.store.began(call.request_id, cast(Entry, {**made, "outcome": "running", "ms": None}))
        self.store.ended(call.request_id, [made])
        if fails:
            return Outcome("failed", error={"errorType": "KeyError", "errorMessage": "'customer'"}, ms=4.2)
        if refuses:
            return Outcome("answered", {"statusCode": 404, "body": ""}, ms=4.2)
        return Outcome("answered", {"statusCode": 201, "body": '{"order": "1042"}'}, ms=4.2)


class Scene:
    """A gateway without what stands in front of the application.

    store: what the console shows. port: of the server; the same after each start.
    """

    def __init__(self, keep: int = 200_000) -> None:
        self.store = Store(keep)
        self.application = Application(self.store)
        self.queues, self.connections = Queues(), Connections()
        self.executions, self.faults = Executions(), Faults()
        settings = Settings("shop.app:resolver")
        parts = Parts(
            settings,
            self.store,
            self.application,
            self.queues,
            self.connections,
            self.executions,
            self.faults,
            urls=lambda: {
                "http": "http://127.0.0.1:3000",
                "websocket": "ws://127.0.0.1:3000/local",
                "aws": "http://127.0.0.1:4566",
            },
            variables=lambda: {"ORDERS_TABLE": "orders"},
        )
        self._app = guarded(Starlette(routes=[*console_routes(parts), *page_routes()]), settings)
        self._server: uvicorn.Server | None = None
        self._thread: Thread | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The address of the console."""
        return f"http://127.0.0.1:{self.port}/_console"

    def start(self) -> None:
        """Serve; after a stop at the same port."""
        config = uvicorn.Config(
            self._app, host="127.0.0.1", port=self.port, log_level="critical", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the console's server did not start"
            time.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        """End the server; the history stays."""
        if self._server and self._thread:
            self._server.should_exit = True
            self._server.force_exit = True
            self._thread.join(10)

    def add(self, *entries: Entry) -> None:
        """Have entries happen, and wait until they can be read."""
        for start in range(0, len(entries), 2000):
            for one in entries[start : start + 2000]:
                self.store.add(one)
            # The store drops what comes faster than it writes.
            self.store.flush()

    def break_application(self) -> None:
        """Have the application fail at its import."""
        self.application.phase, self.application.failure = "broken", failure()
        self.store.state_changed()

    def repair_application(self) -> None:
        """Have the application be there again."""
        self.application.phase, self.application.failure = "ready", None
        self.store.state_changed()


@contextmanager
def playing(keep: int = 200_000) -> Iterator[Scene]:
    """Serve a console."""
    scene = Scene(keep)
    scene.start()
    try:
        yield scene
    finally:
        scene.stop()
        scene.store.close()


def main() -> None:
    """Serve until it is interrupted, with an event each second."""
    with playing() as scene:
        scene.add(*many(int(sys.argv[1]) if len(sys.argv) > 1 else 500), *mixed(), *an_order())
        sys.stdout.write(f"{scene.url}\n")
        sys.stdout.flush()
        try:
            while True:
                time.sleep(1)
                scene.add(entry("rest", "GET /orders/{order_id}"))
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
