"""Put the console's API together. docs/local-api.md describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount, Route

from router.local.console.agents import MCP, Agents
from router.local.console.events import Events
from router.local.console.guard import CONSOLE
from router.local.console.http import not_found
from router.local.console.sending import Sending
from router.local.console.stream import Live
from router.local.console.surroundings import Surroundings

if TYPE_CHECKING:
    from router.local.console.parts import Parts

API = f"{CONSOLE}/api"


def console_routes(parts: Parts) -> list[BaseRoute]:
    """Return the routes of the API and of the tools for agents, for the application that serves the gateway.

    They have to be behind `guarded`, which decides who may call them.

    parts: what is shown and driven.
    """
    surroundings = Surroundings(parts)
    sending = Sending(parts)
    routes: list[BaseRoute] = [
        *Events(parts).routes(),
        *sending.routes(),
        *surroundings.routes(),
        Route("/live", Live(parts.store, surroundings.state).__call__, methods=["GET"]),
    ]
    # An application of its own, so that its errors are JSON whatever surrounds it.
    api = Starlette(routes=routes, exception_handlers={HTTPException: not_found})
    return [Mount(API, api), Route(MCP, Agents(parts, sending))]
