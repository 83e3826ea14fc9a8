"""Applications for the tests of the command line."""

from __future__ import annotations

from router import Event, Resolver, Router

resolver = Resolver()
empty = Resolver()
not_one = "text"


@resolver.get("/orders/{order_id}", tags=["read"])
def show(order_id: str) -> str:
    return order_id


@resolver.on_queue("orders-*", concurrency=3)
def order(event: Event) -> None: ...


@resolver.on_queue("mail", batch=True, pattern={"body": {"kind": ["x"]}})
def mail(events: list[Event]) -> None: ...


@resolver.on_stream("table", events=["INSERT"])
def inserted() -> None: ...


@resolver.get("/health", auth="off")
def health() -> str:
    return "ok"


@resolver.on_object("files[1]", prefix="in/", suffix=".csv")
def file() -> None: ...


@resolver.on_task("nightly")
def nightly(event: Event) -> int:
    return 7 if event.session.tenant == "acme" else 0


@resolver.on_task("broken")
def broken() -> None:
    raise ValueError("cannot")


router = Router()
