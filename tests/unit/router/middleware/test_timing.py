"""`Timing`: how long a dispatch took, in the state, in a header and for a report."""

from __future__ import annotations

import re
from typing import Any

import pytest

from router import Event, NotFound, Resolver, Response, Timing
from router.testing import TestClient
from tests.unit.router.dispatch.cases import failed, sqs


def test_the_time_is_in_a_header_of_every_answer() -> None:
    resolver = Resolver()
    resolver.use(Timing())
    resolver.get("/")(lambda: "x")
    resolver.get("/other")(lambda: Response("x", headers={"server-timing": "db;dur=1"}))
    client = TestClient(resolver)
    for path, status in (("/", 200), ("/unknown", 404)):
        answer = client.get(path)
        assert answer.status == status
        assert re.fullmatch(r"app;dur=\d+\.\d", answer.headers["server-timing"])
    assert re.fullmatch(r"db;dur=1, app;dur=\d+\.\d", client.get("/other").headers["server-timing"])


def test_the_header_can_be_left_out() -> None:
    resolver = Resolver()
    resolver.use(Timing(header=False))
    resolver.get("/")(lambda: "x")
    assert "server-timing" not in TestClient(resolver).get("/").headers


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_each_dispatch_is_reported_failed_ones_included(asynchronous: bool) -> None:
    reported: list[Any] = []

    def report(event: Event, milliseconds: float) -> None:
        assert milliseconds == event.state["ms"] >= 0
        reported.append((event.source.value, event.id))

    def handler(event: Event) -> None:
        if event.id == "x":
            raise NotFound

    async def handler_async(event: Event) -> None:
        handler(event)

    resolver = Resolver()
    resolver.use(Timing(report))
    resolver.on_queue("orders")(handler_async if asynchronous else handler)
    resolver.on_invoke("now")(lambda: None)
    client = TestClient(resolver)
    assert failed(client.event(sqs("orders", "a", "x", "b"))) == ["x"]
    client.invoke("now")
    assert reported == [("sqs", "a"), ("sqs", "x"), ("sqs", "b"), ("invoke", "test")]
