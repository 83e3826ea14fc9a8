"""The trivial route of `hello`, of Starlette."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(request: Request) -> JSONResponse:
    """Greet."""
    return JSONResponse({"hello": "world"})


app = Starlette(routes=[Route("/hello", hello)])
