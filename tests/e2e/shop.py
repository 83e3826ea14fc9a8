"""What the tests of the orders example share: its sessions, its resources, and questions to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from examples.orders.demo.resources import Resources
from router import Session, SessionPolicy, Signing
from tests.servers.moto import MotoServer

SECRET = "0123456789abcdef0123456789abcdef"
ACCOUNT = "123456789012"
ANN = Session(tenant="acme", user="ann", correlation_id="c-1")


def wire(session: Session, secret: str = SECRET, purpose: str = "message") -> str:
    """A session as a service with the same secret sends it."""
    fields = {"tenant": session.tenant, "user": session.user, "correlation_id": session.correlation_id}
    sent = SessionPolicy(signing=Signing(secret)).nobody.replace(**fields).to_wire(purpose)
    assert sent is not None
    return sent


def order_key(order_id: str, tenant: str) -> dict[str, dict[str, str]]:
    """The key of an order, in DynamoDB's own form."""
    return {"pk": {"S": f"tenant#{tenant}#orders"}, "sk": {"S": f"order#{order_id}"}}


@dataclass
class Shop:
    """The resources of the application, with what tests ask of them."""

    moto: MotoServer
    resources: Resources
    environment: dict[str, str]

    def order(self, order_id: str, tenant: str = "acme") -> dict[str, Any] | None:
        """An order as it is stored, in DynamoDB's own form."""
        found = self.moto.client("dynamodb").get_item(TableName="orders", Key=order_key(order_id, tenant))
        item: dict[str, Any] | None = found.get("Item")
        return item

    def put_order(self, order_id: str, tenant: str = "acme", status: str = "open") -> None:
        """Store an order as the consumer would."""
        item = {
            **order_key(order_id, tenant),
            "_type": {"S": "Order"},
            "tenant": {"S": tenant},
            "user": {"S": "ann"},
            "order_id": {"S": order_id},
            "product": {"S": "tea"},
            "quantity": {"N": "1"},
            "status": {"S": status},
            "total": {"N": "4.5"},
            "placed_at": {"S": "2026-01-31T12:00:00Z"},
            "keep_until": {"S": "2099-01-31T12:00:00Z"},
            "correlation_id": {"S": "c-1"},
        }
        self.moto.client("dynamodb").put_item(TableName="orders", Item=item)

    def connections(self) -> list[str]:
        """The connections that are known."""
        items = self.moto.client("dynamodb").scan(TableName="connections")["Items"]
        return sorted(item["connection_id"]["S"] for item in items)

    def age_connections(self) -> None:
        """Make all connections as old as such that have been open for an hour."""
        dynamodb = self.moto.client("dynamodb")
        for item in dynamodb.scan(TableName="connections")["Items"]:
            connected_at = {"N": str(float(item["connected_at"]["N"]) - 3600)}
            dynamodb.put_item(TableName="connections", Item={**item, "connected_at": connected_at})

    def messages(self) -> list[dict[str, Any]]:
        """What waits in the queue."""
        received = self.moto.client("sqs").receive_message(
            QueueUrl=self.resources.queue_url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(received.get("Messages", []))
