"""The exported template of `examples/orders`, deployed: the function in the emulator's Lambda answers real calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.deployed.deployment import Deployment, exported
from tests.servers.artefacts import MINISTACK
from tests.servers.ministack import MiniStack
from tests.servers.process import wait_until
from tests.servers.requirements import require_artefact

SECRET = "0123456789abcdef" * 4
ANN = {"x-tenant": "acme", "x-user": "ann"}
pytestmark = pytest.mark.timeout(180)


class Orders(Deployment):
    """The stack of the example, and calls to it by a user of a tenant."""

    def __init__(self, server: MiniStack) -> None:
        template = exported("examples.orders.stack:stack", environment={"SESSION_SECRET": SECRET})
        super().__init__(server, "orders", template, ("examples",), {"TaskImage": "x", "SessionSecret": SECRET})

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request to the HTTP API."""
        answer = self.request("HttpApiUrl", method, path, body, ANN)
        return answer.status, answer.json()

    def orders(self) -> dict[str, str]:
        """Return the status of each order by its id."""
        items = self.client("dynamodb").scan(TableName="orders", ConsistentRead=True)["Items"]
        return {one["order_id"]["S"]: one["status"]["S"] for one in items}


@pytest.fixture(scope="module")
def deployed() -> Iterator[Orders]:
    require_artefact(MINISTACK)
    with MiniStack() as server:  # of its own: its names are those of other tests, too
        yield Orders(server)


def test_an_order_goes_its_way_from_the_api_to_the_table(deployed: Orders) -> None:
    status, answer = deployed.call("POST", "/orders", {"product": "tea", "quantity": 2})
    assert (status, answer["status"]) == (202, "accepted")
    order_id = answer["order_id"]

    assert wait_until(lambda: deployed.orders().get(order_id) == "open", timeout_s=30)
    status, shown = deployed.call("GET", f"/orders/{order_id}")
    assert (status, shown["total"], shown["user"]) == (200, "9.00", "ann")
    assert deployed.call("GET", "/orders/none")[0] == 404


def test_a_direct_call_is_answered(deployed: Orders) -> None:
    assert "no route for invoke 'unknown'" in json.dumps(deployed.invoke("orders", {"action": "unknown"}))


def test_poison_ends_in_the_dead_letter_queue(deployed: Orders) -> None:
    sqs = deployed.client("sqs")
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"] == {
        "VisibilityTimeout": "180"
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})  # three tries in seconds
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    assert deployed.received("orders-dead") == "poison"
