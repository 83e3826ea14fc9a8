"""The yardstick for batches: a loop with try and except, session and body read with orjson."""

import logging

import orjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

log = logging.getLogger(__name__)


def build(work: "Callable[[Any], object]") -> "Callable[[dict[str, Any], object], dict[str, Any]]":
    """A handler that reports each failed record."""

    def handler(event: "dict[str, Any]", context: object) -> "dict[str, Any]":
        failures = []
        for record in event["Records"]:
            try:
                session = orjson.loads(record["messageAttributes"]["session"]["stringValue"])
                if session.get("tenant") is None:
                    raise ValueError("no tenant")
                work(orjson.loads(record["body"]))
            except Exception:
                log.exception("record %s failed", record["messageId"])
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    return handler
