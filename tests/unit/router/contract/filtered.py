"""An application whose routes ignore what their patterns decline, on each source that has filters."""

from __future__ import annotations

from router import Event, Resolver

PAID = {"body": {"kind": ["paid"]}}
resolver = Resolver()


@resolver.on_queue("*", pattern={"body": {"kind": ["audit"]}}, others="ignore")
def audit(event: Event) -> None: ...


@resolver.on_queue("orders", pattern=PAID, others="ignore")
def order(event: Event) -> None: ...


@resolver.on_queue("strict", pattern=PAID)
def strict(event: Event) -> None: ...


@resolver.on_queue("letters", pattern=PAID, others="ignore", topics=["news"])
def letter(event: Event) -> None: ...


@resolver.on_queue("raw", pattern={"attributes": {"kind": ["paid"]}}, others="ignore", topics=["news"])
def raw(event: Event) -> None: ...


@resolver.on_topic("news", pattern={"attributes": {"kind": ["paid"]}}, others="ignore")
def news(event: Event) -> None: ...


@resolver.on_stream("items", events=["INSERT"], pattern={"new": {"status": ["paid"]}}, others="ignore")
def item(event: Event) -> None: ...


@resolver.on_stream("clicks", pattern=PAID, others="ignore")
def click(event: Event) -> None: ...


@resolver.on_kafka("payments", pattern=PAID, others="ignore")
def payment(event: Event) -> None: ...


@resolver.on_kafka("refunds", pattern=PAID, others="ignore")
def refund(event: Event) -> None: ...
