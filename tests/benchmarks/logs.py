"""A handler that logs one line with Powertools' Logger: with the fields of `LogFields`, and with Powertools' own."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from time import process_time
from typing import Any

from aws_lambda_powertools import Logger

from router import Resolver
from router.telemetry import JsonLines, LogFields
from tests.benchmarks import limits
from tests.benchmarks.apps.handwritten import answer
from tests.benchmarks.candidates import OURS, Handler
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved
from tests.benchmarks.warm import asked

PEER, BY_HAND = "junction in inject_lambda_context", "by hand in inject_lambda_context"
STANDARD = "junction, logging"


def log_line(rounds: int) -> Section:
    """A GET whose handler logs one line."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        calls: dict[str, Callable[[], object]] = {
            OURS: asked(_ours(nowhere)),
            PEER: asked(_powertools(nowhere)),
            BY_HAND: asked(_by_hand(nowhere)),
            STANDARD: asked(_standard(nowhere)),
        }
        samples = interleaved(calls, rounds=rounds, clock=process_time)
    figures = [Figure(name, "1 line", Spread.of(taken), "s") for name, taken in samples.items()]
    value = Spread.of(ratios(samples, OURS, PEER))
    budgets = [
        Budget("GET with a line and its fields / in inject_lambda_context", value, limits.LINE_OF_INJECT_CONTEXT)
    ]
    return Section("logs", "Warm GET whose handler logs one line", figures, budgets)


def _application(logger: Any) -> Resolver:
    resolver = Resolver()

    @resolver.get("/orders/{order_id}")
    def show(order_id: str) -> dict[str, str]:
        logger.info("shown")
        return {"id": order_id}

    return resolver


def _ours(stream: Any) -> Handler:
    logger = Logger(service="bench-ours", stream=stream)
    return _application(logger).use(LogFields(logger)).resolve


def _powertools(stream: Any) -> Handler:
    """Return the application with Powertools: only where the fields come from differs."""
    logger = Logger(service="bench-decorated", stream=stream)
    application = _application(logger)

    @logger.inject_lambda_context
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return application.resolve(event, context)

    return handler


def _by_hand(stream: Any) -> Handler:
    logger = Logger(service="bench-by-hand", stream=stream)

    @logger.inject_lambda_context
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        logger.info("shown")
        return answer(200, {"id": event["path"].rpartition("/")[2]})

    return handler


def _standard(stream: Any) -> Handler:
    logger = logging.getLogger("bench-standard")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    return _application(logger).use(LogFields(logger)).resolve
