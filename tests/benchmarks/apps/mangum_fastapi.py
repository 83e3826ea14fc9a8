"""FastAPI behind Mangum."""

from fastapi import FastAPI
from mangum import Mangum
from starlette.middleware import Middleware

from tests.benchmarks.apps import paths, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tests.benchmarks.apps import Handler, Work


class Passthrough:
    """A middleware that does nothing, in the plain ASGI form, the cheapest one."""

    def __init__(self, app: "Any") -> None:
        self.app = app

    async def __call__(self, scope: "Any", receive: "Any", send: "Any") -> None:
        await self.app(scope, receive, send)


def build(routes: int = 1, middleware: int = 0, work: "Work" = show) -> "Handler":
    """An ASGI application behind the adapter, without the pages of documentation."""
    app = FastAPI(openapi_url=None, middleware=[Middleware(Passthrough) for _ in range(middleware)])
    for path in paths(routes):

        @app.get(path)
        async def get_order(order_id: str) -> dict[str, str]:
            return work(order_id)

    return Mangum(app, lifespan="off")


handler = build()
