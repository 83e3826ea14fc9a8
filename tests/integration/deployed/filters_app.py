"""An application that notes each record that its function is called with, whatever its routes make of it."""

from __future__ import annotations

import json
import os
from typing import Any

from adapters.aws import Aws
from router import Env, Event, Resolver
from router.environment import DynamoDB

aws = Aws()
resolver = Resolver(requires={"NOTES": [DynamoDB.PUT_ITEM]})
CARD = {"body": {"kind": ["card"]}}


@resolver.on_queue(Env("FILTERED"), pattern=CARD, others="ignore")
def filtered(event: Event) -> None: ...


@resolver.on_queue(Env("UNFILTERED"), pattern=CARD, others="ignore")
def unfiltered(event: Event) -> None: ...


@resolver.on_queue(Env("STRICT"), pattern=CARD)
def strict(event: Event) -> None: ...


@resolver.on_topic(Env("NEWS"), pattern={"attributes": {"kind": ["card"]}}, others="ignore")
def news(event: Event) -> None: ...


@resolver.on_queue(Env("COPIES"), pattern=CARD, others="ignore", topics=["filtered-copies"])
def copied(event: Event) -> None: ...


@resolver.on_stream(Env("ORDERS"), events=["INSERT"], pattern={"new": {"kind": ["card"]}}, others="ignore")
def order(event: Event) -> None: ...


@resolver.on_bus("Paid", pattern={"detail": {"kind": ["card"]}}, others="ignore")
def paid(event: Event) -> None: ...


def handler(event: dict[str, Any], context: Any) -> Any:
    for record in event.get("Records", [event]):
        aws.call("dynamodb", "put_item", TableName=os.environ["NOTES"], Item={"pk": {"S": key_of(record)}})
    return resolver.resolve(event, context)


def key_of(record: dict[str, Any]) -> str:
    """Return the key that the sender chose, after what brought the record."""
    if "detail" in record:
        return f"bus {record['detail']['key']}"
    if "dynamodb" in record:
        return f"table {record['dynamodb']['Keys']['pk']['S']}"
    if "Sns" in record:
        return f"topic {json.loads(record['Sns']['Message'])['key']}"
    body = json.loads(record["body"])
    if "TopicArn" in body:
        return f"copy {json.loads(body['Message'])['key']}"
    return f"{record['eventSourceARN'].rpartition('-')[2]} {body['key']}"
