"""An application of two functions that asks for something of each service, and its stack."""

from __future__ import annotations

from router import Event, Resolver
from router.contract import Bucket, Bus, Queue, Secret, Stack, Table, Topic
from router.environment import S3, SNS, SQS, SSM, DynamoDB, EventBridge, SecretsManager

resolver = Resolver()


@resolver.get(
    "/orders/{order_id}",
    requires={
        "ORDERS": [DynamoDB.GET_ITEM, DynamoDB.QUERY],
        "JOBS": [SQS.SEND_MESSAGE],
        "NEWS": [SNS.PUBLISH],
        "EVENTS": [EventBridge.PUT_EVENTS],
        "API_SECRET": [SecretsManager.GET_SECRET_VALUE],
        "SETTINGS": [SSM.GET_PARAMETER],
    },
)
def show(order_id: str) -> str:
    return order_id


@resolver.on_invoke(
    "report",
    function="reports",
    requires={"REPORTS": [S3.GET_OBJECT, S3.PUT_OBJECT, S3.LIST_BUCKET], "ORDERS": [DynamoDB.SCAN]},
)
def report() -> None: ...


@resolver.on_queue("jobs")
def job(event: Event) -> None: ...


INDEX = {
    "IndexName": "by-user",
    "KeySchema": [{"AttributeName": "user", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
ORDERS = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "user")],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [INDEX],
}

stack = Stack(
    "tests.integration.deployed.policies_stack:resolver",
    Table("orders", variable="ORDERS", definition=ORDERS),
    Queue("jobs", variable="JOBS"),
    Topic("news", variable="NEWS"),
    Bus("events", variable="EVENTS"),
    Secret("api-secret", variable="API_SECRET"),
    Bucket("reports", variable="REPORTS"),
    name="policies",
)
