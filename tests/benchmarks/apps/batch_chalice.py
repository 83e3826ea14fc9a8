"""Chalice on an SQS batch: it hands out the records and reports no failure of a single one."""

import json

from chalice import Chalice
from chalice.app import SQSEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def build(work: "Callable[[Any], object]") -> "Callable[[dict[str, Any], object], Any]":
    """An SQS function that loops over its records."""
    app = Chalice("orders")

    @app.on_sqs_message(queue="orders")
    def order(event: SQSEvent) -> None:
        for record in event:
            work(json.loads(record.body))

    return order
