"""This library with a pydantic model as body and as answer."""

from router import Resolver
from tests.benchmarks.apps.models import Order, Receipt, receipt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.benchmarks.apps import Handler


def build() -> "Handler":
    """A resolver with one POST route."""
    resolver = Resolver()

    @resolver.post("/orders")
    def create(order: Order) -> Receipt:
        return receipt(order)

    return resolver.resolve
