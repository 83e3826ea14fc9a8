"""FastAPI behind Mangum with a pydantic model as body and as answer."""

from fastapi import FastAPI
from mangum import Mangum

from tests.benchmarks.apps.models import Order, Receipt, receipt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.benchmarks.apps import Handler


def build() -> "Handler":
    """An application with one POST route, without the pages of documentation."""
    app = FastAPI(openapi_url=None)

    @app.post("/orders")
    async def create(order: Order) -> Receipt:
        return receipt(order)

    return Mangum(app, lifespan="off")
