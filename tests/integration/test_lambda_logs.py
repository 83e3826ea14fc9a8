"""Log lines and metrics as the real runtime client writes them, in both log formats of Lambda."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from router.testing import samples
from tests.servers.lambda_process import LambdaProcess

APP = """
import logging
import os

from router import Event, Resolver
from router.telemetry import LogFields

log = logging.getLogger("shop")
log.setLevel("INFO")
resolver = Resolver()
resolver.use(LogFields(json="JSON_LINES" in os.environ, redact=["password"], read_session=True))

@resolver.on_queue("orders")
def order(event: Event):
    log.info("paid %s", event.text, extra={"body": {"password": "s3cr3t"}})
    if event.text == "bad":
        raise ValueError("two\\nlines")

def handler(event, context):
    return resolver.resolve(event, context)
"""

POWERTOOLS = """
from aws_lambda_powertools import Logger, Metrics

from router import Event, Resolver
from router.telemetry import DispatchMetrics, LogFields

logger = Logger(service="orders")
metrics = Metrics(namespace="Shop", service="orders")
resolver = Resolver()
resolver.use(DispatchMetrics(metrics), LogFields(logger))

@resolver.on_queue("orders")
def order(event: Event):
    logger.append_keys(order=event.text)
    metrics.add_metric("Paid", "Count", 1)
    if event.text == "b":
        metrics.add_dimension("kind", "late")
    logger.info("paid")

def handler(event, context):
    return resolver.resolve(event, context)
"""


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., LambdaProcess]:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "tools.py").write_text(POWERTOOLS, encoding="utf-8")

    def make(handler: str = "app.handler", **env: str) -> LambdaProcess:
        return LambdaProcess(handler, cwd=tmp_path, env=env)

    return make


def messages(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            samples.sqs_record("orders", body, message_id=f"id-{body}", session={"tenant": f"of-{body}"})
            for body in bodies
        ]
    }


def lines_of(logs: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logs.splitlines()]


def test_lambdas_own_json_has_the_fields_of_each_record(start: Callable[..., LambdaProcess]) -> None:
    with start(AWS_LAMBDA_LOG_FORMAT="JSON") as function:
        first = function.invoke(messages("a", "bad"))
        second = function.invoke(messages("c"))
        lines = lines_of(function.logs)
    assert "s3cr3t" not in json.dumps(lines)
    assert [(line["logger"], line["event_id"], line["tenant"]) for line in lines] == [
        ("shop", "id-a", "of-a"),
        ("shop", "id-bad", "of-bad"),
        ("router", "id-bad", "of-bad"),
        ("shop", "id-c", "of-c"),
    ]
    assert lines[0]["body"] == {"password": "***"}
    assert [line["requestId"] for line in lines] == [first.request_id] * 3 + [second.request_id]
    assert "function_request_id" not in lines[0]  # Lambda has written it
    assert [line["cold_start"] for line in lines] == [True, True, True, False]


def test_a_function_with_text_logs_writes_json_where_it_is_asked_for(start: Callable[..., LambdaProcess]) -> None:
    with start(JSON_LINES="1") as function:
        function.invoke(messages("a", "bad"))
        lines = lines_of(function.logs)
    assert [(line["logger"], line["message"], line["route"]) for line in lines] == [
        ("shop", "paid a", "sqs orders"),
        ("shop", "paid bad", "sqs orders"),
        ("router", "sqs orders id-bad failed", "sqs orders"),
    ]
    assert lines[2]["exception_name"] == "ValueError"
    assert lines[2]["exception"].startswith("Traceback")


def test_text_lines_stay_as_they_were(start: Callable[..., LambdaProcess]) -> None:
    with start() as function:
        invocation = function.invoke(messages("a"))
        (line,) = function.logs.splitlines()
    assert line.startswith("[INFO]\t")
    assert line.endswith(f"{invocation.request_id}\tpaid a")


def test_powertools_logger_and_metrics(start: Callable[..., LambdaProcess]) -> None:
    with start("tools.handler") as function:
        function.invoke(messages("a", "b"))
        function.invoke(messages("c"))
        lines = lines_of(function.logs)
    told = [line for line in lines if "_aws" not in line]
    assert [(line["order"], line["event_id"], line["cold_start"]) for line in told] == [
        ("a", "id-a", True),
        ("b", "id-b", True),
        ("c", "id-c", False),
    ]
    counted = [line for line in lines if "_aws" in line]
    assert sum(sum(line.get("Handled", [])) for line in counted) == 3
    assert [line.get("kind") for line in counted if "Paid" in line] == [None, "late", None]
    assert sum("ColdStart" in line for line in counted) == 1
