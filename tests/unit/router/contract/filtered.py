"""An application whose routes ignore what their patterns decline, on each source that has filters."""

from __future__ import annotations

from router import Event, Resolver
from router.contract import Kafka, Queue, Stack, Stream, Table, Topic

CLUSTER = "arn:aws:kafka:eu-west-1:123456789012:cluster/orders/f1e2d3c4-0000-1111-2222-333344445555-1"
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


@resolver.on_stream("accounts", events=["INSERT"])
def account(event: Event) -> None: ...


@resolver.on_stream("clicks", pattern=PAID, others="ignore")
def click(event: Event) -> None: ...


@resolver.on_kafka("payments", pattern=PAID, others="ignore")
def payment(event: Event) -> None: ...


@resolver.on_kafka("refunds", pattern=PAID, others="ignore")
def refund(event: Event) -> None: ...


def declared(*, filters: bool, types: dict[str, str] | None = None) -> Stack:
    return Stack(
        f"{__name__}:resolver",
        Queue("orders", filters=filters),
        Queue("strict", filters=filters),
        Queue("letters", filters=filters),
        Queue("raw", raw=True, filters=filters),
        Topic("news", filters=filters),
        Table("items", types={"status": "S"} if types is None else types, filters=filters),
        Table("accounts", filters=filters),
        Stream("clicks", filters=filters),
        Kafka("payments", cluster=CLUSTER, filters=filters),
        Kafka("refunds", servers=("one:9092",), filters=filters),
        name="shop",
    )


with_filters = declared(filters=True)
without = declared(filters=False)
