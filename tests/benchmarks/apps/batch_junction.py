"""This library on an SQS batch: every record has an event and a session of its own."""

from router import Event, Resolver, Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def build(work: "Callable[[Any], object]") -> "Callable[[dict[str, Any], object], Any]":
    """A resolver whose sync handler reads the session and does `work` on the body."""
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(event: Event, session: Session) -> None:
        if session.tenant is None:
            raise ValueError("no tenant")
        work(event.json())

    return resolver.resolve


def build_async(
    work: "Callable[[Any], object]", pause: "Callable[[], Any] | None" = None, concurrency: int = 1
) -> "Callable[[dict[str, Any], object], Any]":
    """The same with an async handler, which waits for `pause()` where one is given."""
    resolver = Resolver()

    @resolver.on_queue("orders", concurrency=concurrency)
    async def order(event: Event, session: Session) -> None:
        if session.tenant is None:
            raise ValueError("no tenant")
        if pause is not None:
            await pause()
        work(event.json())

    return resolver.resolve
