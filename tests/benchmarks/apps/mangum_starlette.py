"""Starlette behind Mangum."""

from mangum import Mangum
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

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
    """An ASGI application behind the adapter."""

    async def get_order(request: Request) -> JSONResponse:
        return JSONResponse(work(request.path_params["order_id"]))

    app = Starlette(
        routes=[Route(path, get_order, methods=["GET"]) for path in paths(routes)],
        middleware=[Middleware(Passthrough) for _ in range(middleware)],
    )
    return Mangum(app, lifespan="off")


handler = build()
