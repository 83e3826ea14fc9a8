"""This library on an SQS batch: every record has an event and a session of its own."""

from router import Event, Middleware, Resolver, Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router import Around


class Passthrough(Middleware):
    """A middleware that does nothing."""

    def __call__(self, event: Event) -> "Around":
        yield


def build(
    work: "Callable[[Any], object]", session: bool = False, middleware: int = 0
) -> "Callable[[dict[str, Any], object], Any]":
    """A resolver whose sync handler does `work` on the body; with `session` it reads the session, too."""
    resolver = Resolver()
    for _ in range(middleware):
        resolver.use(Passthrough())

    def order(event: Event) -> None:
        work(event.json())

    def order_of_tenant(event: Event, session: Session) -> None:
        if session.tenant is None:
            raise ValueError("no tenant")
        work(event.json())

    resolver.on_queue("orders")(order_of_tenant if session else order)
    return resolver.resolve


def build_async(
    work: "Callable[[Any], object]",
    session: bool = False,
    pause: "Callable[[], Any] | None" = None,
    concurrency: int = 1,
) -> "Callable[[dict[str, Any], object], Any]":
    """The same with an async handler, which waits for `pause()` where one is given."""
    resolver = Resolver()

    async def order(event: Event) -> None:
        if pause is not None:
            await pause()
        work(event.json())

    async def order_of_tenant(event: Event, session: Session) -> None:
        if session.tenant is None:
            raise ValueError("no tenant")
        if pause is not None:
            await pause()
        work(event.json())

    resolver.on_queue("orders", concurrency=concurrency)(order_of_tenant if session else order)
    return resolver.resolve
