"""Usage under the runtime client: what a function knows of itself is in its rows."""

from __future__ import annotations

import json
import re
from pathlib import Path

from router.testing import samples
from tests.servers.lambda_process import LambdaProcess

APP = """
from router import Resolver
from router.telemetry import Usage, UsageLog

resolver = Resolver().use(Usage(UsageLog()))

@resolver.get("/orders/{id}", name="show")
def show(id: str):
    return {"id": id}

@resolver.on_queue("orders", name="order")
async def order(event):
    if event.text == "bad":
        raise ValueError("bad")

def handler(event, context):
    return resolver.resolve(event, context)
"""


def test_rows_say_where_they_ran_and_what_the_call_cost(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    variables = {"AWS_REGION": "us-east-1", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}
    with LambdaProcess("app.handler", cwd=tmp_path, memory_mb=256, env=variables) as function:
        request = function.invoke(samples.http("GET", "/orders/7"))
        batch = function.invoke(samples.sqs("orders", ["a", "bad"]))
        # The traceback of a log line has no line feed here, where logs are not framed.
        lines = [json.loads(line) for line in re.findall(r'{"account".*}', function.logs)]
    assert request.result["statusCode"] == 200
    assert len(batch.result["batchItemFailures"]) == 1
    assert [(row["operation"], row["success"], row["cold_start"]) for row in lines] == [
        ("show", True, True),
        ("order", True, False),
        ("order", False, False),
    ]
    assert [row["request_id"] for row in lines] == [request.request_id, batch.request_id, batch.request_id]
    assert all(row["memory_allocated_mb"] == 256 and 5 < row["memory_used_mb"] < 256 for row in lines)
    if lines[0]["architecture"] in ("x86_64", "arm64"):
        assert 0.0000002 < lines[0]["lambda_cost"] < 0.000002
