"""An application that says which version of its function runs."""

from __future__ import annotations

import os
from typing import Any

from adapters.aws import Aws
from router import Env, Event, Resolver
from router.environment import DynamoDB

aws = Aws()
resolver = Resolver(requires={"NOTES": [DynamoDB.PUT_ITEM]})


def version() -> str:
    """Return the version as Lambda tells it."""
    return os.environ["AWS_LAMBDA_FUNCTION_VERSION"]


@resolver.get("/version")
def show() -> dict[str, str]:
    return {"version": version()}


@resolver.on_queue(Env("JOBS"))
@resolver.on_topic(Env("NEWS"))
def note(event: Event) -> None:
    item = {"pk": {"S": event.text}, "version": {"S": version()}}
    aws.call("dynamodb", "put_item", TableName=os.environ["NOTES"], Item=item)


def handler(event: Any, context: Any) -> Any:
    """Handle a call of Lambda."""
    return resolver.resolve(event, context)
