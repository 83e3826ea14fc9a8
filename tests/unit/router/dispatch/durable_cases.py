"""Run events through the test runner of AWS for durable functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner


@contextmanager
def durable_runs() -> Iterator[Callable[..., Any]]:
    """Give `run(handler, event)`, which calls a function as often as Lambda does, and skips the waits."""
    runners: list[DurableFunctionTestRunner] = []

    def run_event(handler: Any, raw: Any) -> Any:
        runners.append(DurableFunctionTestRunner(handler=handler, poll_interval=0.05))
        return runners[-1].run(input=json.dumps(raw), execution_timeout=30)

    yield run_event
    for runner in runners:
        runner.close()
        runner._scheduler._loop.close()  # which it leaves open
