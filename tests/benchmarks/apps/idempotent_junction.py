"""This library: records of a queue are done once, by their ids, on DynamoDB."""

from adapters.aws import Aws
from adapters.idempotency import IdempotencyTable
from router import Event, Resolver
from router.guards import Idempotent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def build(work: "Callable[[Any], object]", table: str, aws: Aws) -> "Callable[[dict[str, Any], object], Any]":
    """A resolver whose handler does `work` on the body, once for each message."""
    resolver = Resolver()

    @resolver.on_queue("orders", middleware=[Idempotent(IdempotencyTable(aws, table=table))])
    def order(event: Event) -> None:
        work(event.json())

    return resolver.resolve
