"""The measured applications, one module a candidate, each able to start alone in a fresh process.

An HTTP candidate offers `handler(event, context)`, one `GET /orders/{order_id}`, and `build(routes, middleware, work)`,
which makes a larger one. `read_*` answer the same GET from a table, `post_*` build one that takes a validated POST.
`batch_*` build a handler for SQS events around `work`, and by `build_async` one whose handler of a record is async.

This package imports nothing, so that a cold start measures the candidate alone.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Handler = Callable[[dict[str, Any], object], dict[str, Any]]
    Work = Callable[[str], dict[str, Any]]

TABLE = "benchmark-orders"
TARGET = "/orders/{order_id}"


def show(order_id: str) -> "dict[str, Any]":
    """The work every HTTP handler does."""
    return {"id": order_id, "status": "paid"}


def paths(count: int) -> "Iterator[str]":
    """`count` different route templates; the one that the payload asks for is registered last.

    Half of them widen the root of the tree, half hang under the path of the target itself.
    """
    for index in range(1, count):
        yield f"/orders-{index}/{{order_id}}" if index % 2 else f"/orders/{{order_id}}/items-{index}"
    yield TARGET
