"""The measured applications, one module a candidate, each able to start alone in a fresh process.

An HTTP candidate offers `handler(event, context)`, one `GET /orders/{order_id}`, and `build(routes, middleware, work)`,
which makes a larger one. A batch candidate offers `handler` and, where it has one, `async_handler`, for an SQS event.

This package imports nothing, so that a cold start measures the candidate alone.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Handler = Callable[[dict[str, Any], object], dict[str, Any]]
    Work = Callable[[str], dict[str, Any]]

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
