"""POST with a pydantic model as body and another as answer: what a validated request costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from time import process_time
from typing import Any

from tests.benchmarks import limits, payloads
from tests.benchmarks.candidates import OURS, Handler, build
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved

POSTING = [OURS, "handwritten", "powertools", "mangum_fastapi"]
PLACED = "2025-03-04T19:15:17Z"
ORDER = {
    "id": "order-42",
    "customer": "user-7",
    "placed": PLACED,
    "lines": [{"sku": f"sku-{line}", "quantity": line, "price": 1_990} for line in range(1, 4)],
}
RECEIPT = {"id": "order-42", "placed": PLACED, "lines": 3, "total": 11_940}
# Each breaks another rule of the model: a part is missing, of another type, or too small.
BAD_ORDERS: list[dict[str, Any]] = [
    {name: value for name, value in ORDER.items() if name != "customer"},
    {**ORDER, "placed": "yesterday"},
    {**ORDER, "lines": [{"sku": "sku-1", "quantity": 0, "price": 1_990}]},
]


def post_request(rounds: int) -> Section:
    """A POST of an order with three lines, answered with a receipt."""
    samples = interleaved(
        {name: validating(build(f"post_{name}")) for name in POSTING}, rounds=rounds, clock=process_time
    )
    figures = [Figure(name, "1 route", Spread.of(taken), "s") for name, taken in samples.items()]
    budgets = [
        Budget(
            "aws-lambda-powertools, validating / POST with models",
            Spread.of(ratios(samples, "powertools", OURS)),
            limits.POST_FASTER_THAN_POWERTOOLS,
            at_most=False,
        ),
        Budget(
            "FastAPI under Mangum / POST with models",
            Spread.of(ratios(samples, "mangum_fastapi", OURS)),
            limits.POST_FASTER_THAN_FASTAPI,
            at_most=False,
        ),
    ]
    hand = Spread.of(ratios(samples, OURS, "handwritten"))
    note = f"ours / hand-written with pydantic: {hand.median:.2f} ({hand.low:.2f} to {hand.high:.2f}; not a budget)"
    return Section("post", "Warm POST, pydantic body and answer", figures, budgets, [note])


def validating(handler: Handler) -> Callable[[], object]:
    """The call to measure, once the handler has refused each bad order and answered the good one as expected."""
    context = payloads.context()
    for bad in BAD_ORDERS:
        if (refused := handler(payloads.post(bad), context))["statusCode"] not in (400, 422):
            raise RuntimeError(f"{handler} answered {bad} with {refused}")
    event = payloads.post(ORDER)
    answer = handler(event, context)
    if answer["statusCode"] != 200 or _read(answer["body"]) != _read(json.dumps(RECEIPT)):
        raise RuntimeError(f"{handler} answered {answer}")
    return partial(handler, event, context)


def _read(body: str) -> dict[str, Any]:
    """An answer with its moment as a datetime, which has two spellings in JSON: `Z` and `+00:00`."""
    read: dict[str, Any] = json.loads(body)
    return {**read, "placed": datetime.fromisoformat(read["placed"])}
