"""Drives aws-python-helper inside its own environment: `python old_helper.py COMMAND`, JSON in, JSON out.

It stands in for a service that has not moved. Its classes are found by their files, so those are written where it runs.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

SEEN: list[dict[str, Any]] = []  # what the classes below were run for
sys.modules["old_helper"] = sys.modules[__name__]

CLASSES = {
    "consumer/orders_consumer.py": """
from aws_python_helper import SQSConsumer
from old_helper import note


class OrdersConsumer(SQSConsumer):
    async def process_record(self, record):
        note(self.session, self.extract_content_message(record))
""",
    "task/nightly/task.py": """
from aws_python_helper import FargateTask
from old_helper import note


class NightlyTask(FargateTask):
    async def execute(self):
        note(self.session, self.get_env("CITY"))
""",
    "lambda/billing/main.py": """
from aws_python_helper import Lambda
from old_helper import note


class BillingLambda(Lambda):
    async def validate(self):
        if "id" not in self.data:
            raise ValueError("id is required")

    async def process(self):
        note(self.session, self.data)
        return {"charged": self.data["id"]}
""",
    "api/orders/list.py": """
from aws_python_helper import API
from old_helper import note


class OrdersListAPI(API):
    async def process(self):
        note(self.session, self.current_user)
        self.set_body({"orders": []})
""",
}


def note(session: Any, content: Any) -> None:
    """Keep whom a class ran for, and what it got."""
    SEEN.append({"state": session.state, "user": session.user, "content": content})


def become(session: dict[str, Any] | None) -> None:
    from aws_python_helper import Session, set_session

    set_session(Session.from_dict(session or {}))


def publish(given: dict[str, Any]) -> Any:
    from aws_python_helper import SNSPublisher

    class Publisher(SNSPublisher):  # type: ignore[misc]  # without type hints here
        pass

    become(given["session"])
    asyncio.run(Publisher(given["topic"], os.environ["AWS_REGION"]).publish([{"content": given["content"]}]))


def consume(given: dict[str, Any]) -> Any:
    from aws_python_helper import sqs_handler

    return sqs_handler("orders")(given["event"], None)


def start(given: dict[str, Any]) -> Any:
    """What FargateExecutor asks ECS for: the environment of the task."""
    from aws_python_helper import FargateExecutor

    class Ecs:
        def run_task(self, **parameters: Any) -> Any:
            self.parameters = parameters
            return {"tasks": [{"taskArn": "arn"}]}

    become(given["session"])
    executor = FargateExecutor("cluster", ["subnet"], os.environ["AWS_REGION"])
    executor._ecs_client = Ecs()
    executor.run_task("nightly", {"city": "Berlin"})
    container = executor._ecs_client.parameters["overrides"]["containerOverrides"][0]
    return {one["name"]: one["value"] for one in container["environment"]}


def run(given: dict[str, Any]) -> Any:
    from aws_python_helper import fargate_handler

    os.environ.update(given["environment"])
    return fargate_handler()


def call(given: dict[str, Any]) -> Any:
    from aws_python_helper import lambda_handler

    return lambda_handler("billing")(given["payload"], None)


def request(given: dict[str, Any]) -> Any:
    from aws_python_helper import api_handler

    return api_handler(given["event"], None)


def client(given: dict[str, Any]) -> Any:
    """What ApiClient of version 1 gets from a service: core knows where that is."""
    from aws_python_helper import ApiClient
    from aws_python_helper.invoker import api_client

    api_client._RESOLVED["moved"] = given["url"]
    return asyncio.run(ApiClient("moved", headers=given["headers"]).get(given["path"]))


def token(given: dict[str, Any]) -> Any:
    from aws_python_helper import MongoManager
    from aws_python_helper.api.auth_validators import TokenValidator

    async def validate() -> Any:
        MongoManager.initialize()
        try:
            found = await TokenValidator().validate_token(given["token"])
        except Exception as error:
            return type(error).__name__
        return str(found["user_id"])

    return asyncio.run(validate())


if __name__ == "__main__":
    for path, source in CLASSES.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(source, encoding="utf-8")
    sys.path.insert(0, str(Path.cwd()))
    result = globals()[sys.argv[1]](json.load(sys.stdin))
    print(json.dumps({"result": result, "seen": SEEN}, default=str))
