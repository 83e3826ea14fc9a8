"""Serve the console's API on a real port, in front of an application that answers in this process."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette

from router.local.calls import Call, Outcome
from router.local.console.api import console_routes
from router.local.console.guard import guarded
from router.local.console.parts import Parts
from router.local.settings import Settings
from router.local.store import Store
from router.sources._registry import detect
from tests.unit.router.local.entries import entry

QUEUE = {"name": "orders-dead", "visible": 2, "in_flight": 1, "fifo": False, "dead_letter_of": ["orders"]}


class Echo:
    """An application that answers with what it got, and writes its journal as the supervisor does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: list[Call] = []
        self.tasks: list[dict[str, str]] = []

    async def invoke(self, call: Call) -> Outcome:
        self.calls.append(call)
        values = {
            "source": detect(call.event).value,
            "route": "echo",
            "origin": call.origin,
            "raw": call.event,
            "function": call.function,
            "replay_of": call.replay_of,
            "started": time.time(),
        }
        self._store.began(call.request_id, entry(**values, outcome="running", ms=None))
        if call.event == {"fail": True}:
            self._store.ended(call.request_id, [entry(**values, outcome="failed")])
            return Outcome("failed", error={"errorType": "ValueError", "errorMessage": "told to fail"}, ms=1.0)
        if isinstance(call.event, dict) and "outcomes" in call.event:
            ends = [entry(**values, outcome=one, status=status) for one, status in call.event["outcomes"]]
            self._store.ended(call.request_id, ends)
            return Outcome("answered", answer=None, ms=1.0)
        self._store.ended(call.request_id, [entry(**values)])
        return Outcome("answered", answer={"got": call.event}, ms=1.0)

    async def run_task(
        self, name: str, environment: Mapping[str, str] | None = None, /, *, call: str, replay_of: str | None
    ) -> int:
        raw = {**(environment or {}), "TASK_NAME": name}
        self.tasks.append(raw)
        values = {"kind": "task", "source": "task", "name": name, "raw": raw, "replay_of": replay_of}
        fails = name == "broken"
        self._store.ended(call, [entry(**values, outcome="failed" if fails else "done")])
        return int(fails)

    @property
    def state(self) -> Mapping[str, Any]:
        return {"state": "ready", "error": None, "pid": 4711, "took_ms": 310.0}

    @property
    def routes(self) -> Sequence[Mapping[str, Any]]:
        return [{"source": "http", "route": "POST /orders", "handler": "place", "file": "shop/app.py", "line": 12}]


class Neighbours:
    """Queues, connections, executions and faults, as the gateway's parts have them."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self._rules: list[Mapping[str, Any]] = []

    def _check(self, name: str, known: str) -> None:
        if name != known:
            raise LookupError(f"there is no {name}")

    async def queues(self) -> Sequence[Mapping[str, Any]]:
        return [QUEUE]

    async def messages(self, name: str) -> Sequence[Mapping[str, Any]]:
        self._check(name, "orders-dead")
        return [{"id": "m1", "body": '{"id": 1}', "received": 3}]

    async def redrive(self, name: str) -> Mapping[str, Any]:
        self._check(name, "orders-dead")
        return {"moved": {"orders": 2}, "left": 1, "why": "orders is full"}

    def connections(self) -> Sequence[Mapping[str, Any]]:
        return [{"id": "L0SM9cOFvHcCIhw=", "opened": 1796000000.0}]

    async def send(self, connection_id: str, text: str) -> bool:
        self.log.append(text)
        return connection_id == "L0SM9cOFvHcCIhw="

    async def close(self, connection_id: str) -> bool:
        self.log.append("closed")
        return connection_id == "L0SM9cOFvHcCIhw="

    async def executions(self) -> Sequence[Mapping[str, Any]]:
        return [{"id": "arn:x/1", "name": "order-1", "status": "PENDING", "started": 1796000000.0}]

    async def execution(self, execution_id: str) -> Mapping[str, Any]:
        self._check(execution_id, "arn:x/1")
        return {"id": execution_id, "steps": [{"name": "pay", "status": "SUCCEEDED"}]}

    async def callback(self, execution_id: str, callback_id: str, *, result: Any, error: Any) -> None:
        self._check(execution_id, "arn:x/1")
        self.log.append((callback_id, result, error))

    async def skip(self, execution_id: str) -> None:
        self._check(execution_id, "arn:x/1")
        raise ValueError("order-1 does not wait for a time")

    def rules(self) -> Sequence[Mapping[str, Any]]:
        return self._rules

    def replace(self, rules: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        for rule in rules:
            if not 0 <= rule["probability"] <= 1:
                raise ValueError("probability is a number from 0 to 1")
        self._rules = [{"id": f"f{number}", "hits": 0, **rule} for number, rule in enumerate(rules, 1)]
        return self._rules


class Served:
    """A client of the API."""

    def __init__(self, port: int, store: Store, echo: Echo, neighbours: Neighbours) -> None:
        self.port, self.store, self.echo, self.neighbours = port, store, echo, neighbours
        self.url = f"http://127.0.0.1:{port}"

    def ask(
        self, method: str, path: str, data: Any = None, *, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> tuple[int, Any]:
        """Return status and JSON of an answer."""
        status, _, text = self.raw(method, f"/_console/api/{path}", data, body=body, headers=headers)
        return status, json.loads(text)

    def raw(
        self, method: str, path: str, data: Any = None, *, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = json.dumps(data).encode() if data is not None else body
        connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        text = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        connection.close()
        return answer.status, found, text

    def messages(self, path: str = "/_console/api/live") -> Generator[tuple[str, Any], None, None]:
        """Yield name and data of server-sent events."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        answer = connection.getresponse()
        try:
            event = ""
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    yield event, json.loads(value)
        finally:
            answer.close()
            connection.close()


@contextmanager
def served(*, alone: bool = False, **settings: Any) -> Iterator[Served]:
    """Serve the console.

    alone: without queues and the like. settings: of the run.
    """
    store = Store(10_000)
    echo, neighbours = Echo(store), Neighbours()
    made = Settings("shop.app:resolver", **settings)
    around: Any = {} if alone else dict.fromkeys(("queues", "connections", "executions", "faults"), neighbours)
    parts = Parts(made, store, echo, variables=lambda: {"ORDERS_TABLE": "orders"}, **around)
    app = guarded(Starlette(routes=console_routes(parts)), made)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off", ws="none"))
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(port, store, echo, neighbours)
    finally:
        store.end_subscriptions()
        server.should_exit = True
        thread.join()
        store.close()
