"""After a restore (SnapStart) the first event finds everything imported, whatever its route asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]

FIRST_EVENT = """
import os, sys
os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] = "snap-start"
import json
from router import Event, Resolver, Session
resolver = Resolver()

{application}

from awslambdaric.lambda_runtime_hooks_runner import run_after_restore, run_before_snapshot
run_before_snapshot()
run_after_restore()
before = set(sys.modules)
answer = resolver.resolve({payload!r})
assert answer.get("statusCode", 200) in (200, 401) and not answer.get("batchItemFailures"), answer
print(*sorted(set(sys.modules) - before))
"""
GET: dict[str, Any] = {
    "resource": "/orders/{order_id}",
    "path": "/orders/42",
    "httpMethod": "GET",
    "body": None,
    "headers": {"accept": "*/*"},
    "multiValueHeaders": {"accept": ["*/*"]},
    "isBase64Encoded": False,
    "queryStringParameters": {"page": "2"},
    "multiValueQueryStringParameters": {"page": ["2"]},
    "pathParameters": None,
    "requestContext": {"requestId": "r-1", "stage": "prod", "identity": {}},
}
JSON = {"content-type": ["application/json"]}
POST = {**GET, "path": "/orders", "httpMethod": "POST", "body": '{"id": 1}', "multiValueHeaders": JSON}
RECORD = {"messageId": "m", "receiptHandle": "r", "body": '{"id": 1}', "attributes": {}, "messageAttributes": {}}
QUEUE = {"Records": [{**RECORD, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:orders"}]}
SHOW = """
@resolver.get("/orders/{order_id}")
WAY def show(order_id: str, session: Session, page: int = 1):
    return {"id": order_id}
"""
MODEL = """
from pydantic import BaseModel
class Order(BaseModel):
    id: int
@resolver.post("/orders")
def make(order: Order) -> Order:
    return order
"""
RECORDS = """
@resolver.on_queue("orders")
def order(event):
    event.json()
"""
GUARDED = """
os.environ["OTEL_TRACES_EXPORTER"] = "none"
from router.guards import JsonSchema, Jwt
from router.telemetry import OpenTelemetry
resolver.use(OpenTelemetry())
keys = {"keys": [{"kty": "RSA", "n": "sXch", "e": "AQAB"}]}
schema = JsonSchema(query={"type": "object"})
@resolver.get("/orders/{order_id}", auth=Jwt("https://issuer.example", "shop", keys=keys), middleware=[schema])
def show(order_id: str):
    return {"id": order_id}
"""
TOKEN = {**GET, "multiValueHeaders": {"authorization": ["Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln"]}}


@pytest.mark.parametrize(
    ("application", "payload"),
    [
        (SHOW.replace("WAY ", ""), GET),
        (SHOW.replace("WAY", "async"), GET),
        (MODEL, POST),
        (RECORDS, QUEUE),
        ('resolver.on_invoke("work")(lambda event: {"done": event.json()})', {"action": "work", "data": {"id": 1}}),
        (GUARDED, GET),
        (GUARDED, TOKEN),
    ],
    ids=["get", "async", "model", "queue", "invoke", "refused", "token"],
)
def test_the_first_event_after_a_restore_imports_nothing(application: str, payload: dict[str, Any]) -> None:
    code = FIRST_EVENT.replace("{application}", application).replace("{payload!r}", repr(payload))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == ([], "")
