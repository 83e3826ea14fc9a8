"""A guard on cold starts that needs no clock: which modules the first import and the first answers load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# The first line of an application. `import router` alone would say little: names are loaded when they are first used.
FIRST_LINE = "from router import Event, Resolver, Session"

# What that line may load beyond what `import orjson` has loaded. A new name here costs every cold start of every user,
# about half a millisecond a module: what the first event may not need is better imported where it is used.
ALLOWED = {
    "__future__",
    "_contextvars",
    "contextvars",
    "router",
    "router.dispatch",
    "router.dispatch.engine",
    "router.dispatch.plan",
    "router.errors",
    "router.event",
    "router.resolver",
    "router.router",
    "router.routing",
    "router.routing.names",
    "router.routing.paths",
    "router.routing.route",
    "router.routing.slots",
    "router.routing.table",
    "router.session",
    "router.sources",
    "router.sources._registry",
}

TOO_HEAVY = {
    "aiohttp",
    "asyncio",
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "concurrent.futures",
    "email",
    "http.client",
    "logging.handlers",
    "multiprocessing",
    "pydantic",
    "requests",
    "selectors",
    "socket",
    "ssl",
    "starlette",
    "typing",
    "unittest",
    "urllib.request",
    "xml",
}

REST = """
from router import Resolver
resolver = Resolver()

@resolver.get("/orders/{order_id}")
def show(order_id: str):
    return {"id": order_id}

answer = resolver.resolve({
    "resource": "/orders/{order_id}", "path": "/orders/42", "httpMethod": "GET", "headers": {}, "multiValueHeaders": {},
    "queryStringParameters": None, "multiValueQueryStringParameters": None, "pathParameters": {"order_id": "42"},
    "requestContext": {"requestId": "r-1", "stage": "prod", "identity": {}}, "body": None, "isBase64Encoded": False,
})
assert answer["statusCode"] == 200, answer
"""

SQS = """
from router import Event, Resolver
resolver = Resolver()

@resolver.on_queue("orders")
ASYNC def order(event: Event):
    assert event.json() == {"id": 1}

answer = resolver.resolve({"Records": [{
    "messageId": "m-1", "receiptHandle": "r", "body": '{"id": 1}', "attributes": {}, "messageAttributes": {},
    "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
    "awsRegion": "eu-central-1",
}]})
assert answer == {"batchItemFailures": []}, answer
"""

REPOSITORIES = """
from dataclasses import dataclass
from adapters.mongo import Index, Mongo, Repository

@dataclass
class Order:
    number: int
    id: str | None = None

mongo = Mongo("mongodb://db.example/")
orders = Repository(mongo, "orders", Order, indexes=[Index("number", unique=True)], stamps=True, soft_delete=True)
carts = Repository(mongo, "carts", database="shop", ids="str", version=True)
"""

# What only the first call to MongoDB, or none, may load. The driver alone is slower to import than all the rest.
NOT_FOR_REPOSITORIES = {
    "adapters.aws",
    "adapters.mongo.bulk",
    "adapters.mongo.proxy",
    "adapters.mongo.syncing",
    "bson",
    "gridfs",
    "hashlib",
    "hmac",
    "motor",
    "pymongo",
    "urllib.parse",
}


def loaded_by(code: str) -> set[str]:
    """Modules that `code` loads in a fresh interpreter beyond those of `import orjson`.

    Without the variables that start coverage in subprocesses: it would load modules first and so hide them.
    """
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import orjson; before = set(sys.modules)\n"
        f"{code}\n"
        "import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-I", "-c", script]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_the_first_import_loads_nothing_that_is_not_on_the_list() -> None:
    unexpected = loaded_by(FIRST_LINE) - ALLOWED

    assert not unexpected, f"{FIRST_LINE!r} now also loads {', '.join(sorted(unexpected))}"


@pytest.mark.parametrize("code", [REST, SQS.replace("ASYNC ", "")], ids=["REST", "SQS"])
def test_a_sync_application_answers_without_asyncio_and_other_heavy_modules(code: str) -> None:
    assert loaded_by(code) & TOO_HEAVY == set()


@pytest.mark.parametrize("code", [REST, SQS.replace("ASYNC ", "")], ids=["REST", "SQS"])
def test_an_application_without_requires_loads_nothing_of_it(code: str) -> None:
    assert {name for name in loaded_by(code) if name.startswith("router.environment")} == set()


def test_declared_variables_cost_no_library_where_the_environment_has_them() -> None:
    code = REST.replace("Resolver()", "Resolver(requires={'PATH': ['dynamodb:GetItem']})")
    loaded = loaded_by(code)

    assert "router.environment.declared" in loaded
    assert loaded & (TOO_HEAVY | {"router.environment.actions", "router.environment.operations", "adapters"}) == set()


def test_asyncio_is_loaded_once_an_async_handler_runs() -> None:
    assert "asyncio" in loaded_by(SQS.replace("ASYNC", "async"))


def test_telemetry_loads_what_is_named_and_no_more() -> None:
    assert not loaded_by(f"{FIRST_LINE}\nimport router.telemetry") & {"logging", "router.telemetry.fields"}
    lines = loaded_by(
        f"{FIRST_LINE}\nfrom router.telemetry import JsonLines, LogFields, Redact\nLogFields(redact=['a'])"
    )
    assert not lines & (TOO_HEAVY - {"logging.handlers"} | {"json", "router.telemetry.emf"})


def test_an_application_with_repositories_answers_without_the_driver_while_nothing_is_asked_of_mongodb() -> None:
    loaded = loaded_by(REPOSITORIES + REST)

    assert "adapters.mongo.repository" in loaded
    # Generic classes, such as Repository[Order], need typing.
    assert loaded & (NOT_FOR_REPOSITORIES | TOO_HEAVY - {"typing"}) == set()
