"""Durable executions by AWS's own SDK and its runner for tests, whose clock skips pauses: what becomes of payments.

`python -m tests.integration.durable_app` writes it as JSON. A process of its own, since the runner leaves event loops
behind that are not closed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner

from router import Event, Resolver
from router.guards import Idempotent, MemoryStore
from router.testing import samples


class Payments:
    """An application whose handler pauses for a day before it is done. `paused` is called at the first pause."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.paid: list[str] = []
        self.paused: Any = None
        self._resolver = Resolver()
        guard = Idempotent(MemoryStore(), key=lambda event: event.json()["id"])

        def pay(event: Event) -> Any:
            execution = event.context.execution_context.durable_execution_arn
            self.runs.append(execution)
            event.context.wait(Duration.from_days(1))
            self.paid.append(execution)
            return {"paid": len(self.paid)}

        self._resolver.on_queue("payments", middleware=[guard])(pay)
        self._resolver.on_invoke("pay", middleware=[guard])(pay)

    def run(self, payload: Any) -> Any:
        """The answer of a durable execution of its own."""

        @durable_execution
        def handler(event: Any, context: DurableContext) -> Any:
            try:
                return self._resolver.resolve(event, context)
            except BaseException:
                paused, self.paused = self.paused, None
                if paused is not None:
                    paused()
                raise

        with DurableFunctionTestRunner(handler=handler) as runner:
            result = runner.run(input=json.dumps(payload), execution_timeout=60)
        if result.error is not None:
            raise RuntimeError(result.error.message)
        return json.loads(result.result or "null")


def messages() -> dict[str, Any]:
    """What becomes of a message in an execution, in another one while that pauses, and in one after them."""
    payments, others = Payments(), []
    message = samples.sqs("payments", [{"id": "p-1"}])
    payments.paused = lambda: others.append(payments.run(message))
    answers = [payments.run(message), *others, payments.run(message)]
    return {
        "failed": [len(answer["batchItemFailures"]) for answer in answers],
        "paid": len(payments.paid),
        "runs": [execution in payments.paid for execution in payments.runs],
    }


def calls() -> dict[str, Any]:
    """The same of a call."""
    payments, refusals = Payments(), []
    call = samples.invoke("pay", {"id": "p-1"})

    def other() -> None:
        try:
            payments.run(call)
        except RuntimeError as error:
            refusals.append(str(error))

    payments.paused = other
    return {"answers": [payments.run(call), payments.run(call)], "refusals": refusals, "runs": len(payments.runs)}


if __name__ == "__main__":
    found = {"messages": messages(), "calls": calls()}
    sys.stdout.write(json.dumps(found))
