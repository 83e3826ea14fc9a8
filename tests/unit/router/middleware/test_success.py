"""`SuccessAnswers`: direct invokes that never fail, for callers that look at `success`."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from router import AppError, Event, NotFound, Resolver, SuccessAnswers
from router.testing import TestClient


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def client(request: pytest.FixtureRequest) -> TestClient:
    resolver = Resolver()
    resolver.use(SuccessAnswers())

    def work(event: Event) -> Any:
        id = int(event.params["id"]) if event.params else event.json()["id"]
        if id == 404:
            raise NotFound("no such order")
        if id == 400:
            raise AppError("B1", "closed")
        if id == 500:
            raise ValueError("the inside")
        return {"id": id}

    async def later(event: Event) -> Any:
        await asyncio.sleep(0)
        return work(event)

    resolver.on_invoke("*")(later if request.param else work)
    resolver.get("/{id}")(work)
    resolver.on_queue("orders")(work)
    return TestClient(resolver)


def test_a_result_and_each_error_is_answered(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    assert client.invoke("billing", {"id": 7}) == {"success": True, "data": {"id": 7}}
    refused = client.invoke("billing", {"id": 404})
    assert refused == {"success": False, "error": "no such order", "error_type": "NotFound"}
    assert client.invoke("billing", {"id": 400})["error"] == "[B1] closed"
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR and one.exc_info]
    assert client.invoke("billing", {"id": 500}) == {
        "success": False,
        "error": "the inside",
        "error_type": "ValueError",
    }
    assert [one.getMessage() for one in caplog.records if one.exc_info] == ["invoke * failed"]


def test_other_sources_are_as_ever(client: TestClient) -> None:
    assert client.get("/7").json() == {"id": 7}
    assert client.get("/500").status == 500
    assert len(client.queue("orders", ['{"id": 500}'])["batchItemFailures"]) == 1
