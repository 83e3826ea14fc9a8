"""A plain route in a durable function: the envelope around each event, and around each answer."""

from __future__ import annotations

import json
from functools import partial
from time import process_time

from router import Resolver
from tests.benchmarks import limits, payloads
from tests.benchmarks.candidates import OURS
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved

RECORDS = 100
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders:1/durable-execution/name/id"


def plain_in_durable(rounds: int) -> Section:
    """A batch of SQS for a route that is not durable, in an execution and without one."""
    resolver, context, batch = Resolver(), payloads.context(), payloads.sqs(RECORDS)

    @resolver.on_queue("orders")
    def handle() -> None: ...

    operation = {
        "Id": "execution",
        "Type": "EXECUTION",
        "Status": "STARTED",
        "ExecutionDetails": {"InputPayload": json.dumps(batch)},
    }
    envelope = {
        "DurableExecutionArn": ARN,
        "CheckpointToken": "token",
        "InitialExecutionState": {"Operations": [operation], "NextMarker": ""},
    }
    expected: dict[str, list[str]] = {"batchItemFailures": []}
    answer = resolver.resolve(envelope, context)
    if answer["Status"] != "SUCCEEDED" or json.loads(answer["Result"]) != expected:
        raise RuntimeError(f"the execution ended with {answer}")

    def called(payload: str) -> object:
        # As the runtime client does it. Of an execution the library parses and writes the event's part once more.
        return json.dumps(resolver.resolve(json.loads(payload), context))

    samples = interleaved(
        {
            (OURS, "in an execution"): partial(called, json.dumps(envelope)),
            (OURS, "outside"): partial(called, json.dumps(batch)),
        },
        rounds=rounds,
        clock=process_time,
    )
    beside = Spread.of(ratios(samples, (OURS, "in an execution"), (OURS, "outside")))
    figures = [Figure(name, what, Spread.of(taken), "s") for (name, what), taken in samples.items()]
    budget = Budget("a plain route in an execution / outside", beside, limits.PLAIN_IN_DURABLE_OF_PLAIN)
    return Section("durable", f"Durable function, plain route, {RECORDS} records", figures, [budget])
