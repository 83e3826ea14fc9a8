"""Requests to a durable function: its envelope hides neither their status nor what became of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from router import NotFound, Resolver
from router.testing import samples

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:shop:1/durable-execution/n/1"


def envelope(event: Any) -> dict[str, Any]:
    """The call of a durable function with an event."""
    payload = {"InputPayload": json.dumps(event)}
    return {
        "DurableExecutionArn": ARN,
        "CheckpointToken": "t",
        "InitialExecutionState": {"Operations": [{"Type": "EXECUTION", "ExecutionDetails": payload}]},
    }


@pytest.mark.parametrize(
    ("path", "status", "outcome"), [("/orders/7", 200, "done"), ("/orders/8", 404, "refused"), ("/no", 404, "unrouted")]
)
def test_the_status_is_that_of_the_answer_inside(
    watched: Callable[[Resolver], Any], path: str, status: int, outcome: str
) -> None:
    resolver = Resolver()

    @resolver.get("/orders/{order_id}")
    def show(order_id: str) -> str:
        if order_id != "7":
            raise NotFound("there is no such order")
        return order_id

    run = watched(resolver)
    event = envelope(samples.http("GET", path))
    run.client.event(event)
    entries = [entry for held in (run.watch.collect(one) for one in list(run.watch._calls)) for entry in held]
    assert [(entry["status"], entry["outcome"]) for entry in entries] == [(status, outcome)]
