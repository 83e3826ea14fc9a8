"""A small application for `junction plan`."""

from __future__ import annotations

from router import Event, Resolver
from router.contract import Function, Schedule, Stack

resolver = Resolver()


@resolver.get("/orders/{order_id}")
def show(order_id: str) -> str:
    return order_id


@resolver.on_queue("orders")
def store(event: Event) -> None: ...


@resolver.on_queue("refunds")
def refund(event: Event) -> None: ...


@resolver.on_topic("orders")
def tell(event: Event) -> None: ...


@resolver.on_schedule("nightly", function="reports")
def nightly(event: Event) -> None: ...


@resolver.on_task("export")
def export(event: Event) -> None: ...


DECLARED = (Schedule("nightly", "rate(1 day)"),)
MAIN = Function(memory=256, timeout=30)

stack = Stack(
    f"{__name__}:resolver", MAIN, Function("reports", memory=2048, architecture="x86_64"), *DECLARED, name="shop"
)
limited = Stack(f"{__name__}:resolver", Function(memory=256, timeout=1, reserved=1, snap_start=True), *DECLARED)
broken = Stack(f"{__name__.rpartition('.')[0]}.plan_broken_app:resolver")
