"""An application of two functions behind one HTTP API, all of whose routes say what they need."""

from __future__ import annotations

from router import Event, Resolver

resolver = Resolver()


@resolver.get("/orders/{order_id}", requires={})
def show(order_id: str) -> str:
    return order_id


@resolver.get("/reports/{month}", requires={}, function="reports")
def report(month: str) -> str:
    return month


@resolver.on_topic("alerts", requires={})
def alert(event: Event) -> None: ...
