"""This library with traces on."""

from opentelemetry.sdk.trace import TracerProvider

from router import Event, Resolver
from router.telemetry import OpenTelemetry
from tests.benchmarks.apps import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.benchmarks.apps import Handler, Work


def build(provider: TracerProvider, work: "Work" = show) -> "Handler":
    """A resolver with one GET route."""
    resolver = Resolver().use(OpenTelemetry(tracer_provider=provider))

    @resolver.get("/orders/{order_id}")
    def get_order(order_id: str) -> object:
        return work(order_id)

    return resolver.resolve


def build_batch(provider: TracerProvider, work: "Callable[[Any], object]") -> "Callable[[dict[str, Any], object], Any]":
    """A resolver with one queue."""
    resolver = Resolver().use(OpenTelemetry(tracer_provider=provider))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        work(event.json())

    return resolver.resolve
