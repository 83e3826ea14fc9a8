"""The yardstick for batches: a loop with try and except, what is read is read with orjson."""

import logging

import orjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

log = logging.getLogger(__name__)


def build(
    work: "Callable[[Any], object]", session: bool = False
) -> "Callable[[dict[str, Any], object], dict[str, Any]]":
    """A handler that reports each failed record; with `session` it reads the session, too."""

    def handler(event: "dict[str, Any]", context: object) -> "dict[str, Any]":
        failures = []
        for record in event["Records"]:
            try:
                if session:
                    held = orjson.loads(record["messageAttributes"]["session"]["stringValue"])
                    if held.get("tenant") is None:
                        raise ValueError("no tenant")
                work(orjson.loads(record["body"]))
            except Exception:
                log.exception("record %s failed", record["messageId"])
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    return handler
