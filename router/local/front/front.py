"""`Front`: the application as ASGI, through what stands in front of it in AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.local.front.authorizers import Authorizers
from router.local.front.caller import Caller
from router.local.front.limits import LIMITS, SocketLimits
from router.local.front.management import MARK, Management
from router.local.front.notices import Notices
from router.local.front.sockets import Sockets
from router.local.front.surroundings import Surroundings
from router.local.front.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from router.local.calls import Invoker
    from router.local.entries import Journal
    from router.local.front.limits import Limits
    from router.local.front.request import Receive, Scope, Send
    from router.local.settings import Settings


class Front:
    """Stand in front of the function: over HTTP as `settings.source` says, and as a WebSocket API.

    Connections live here: they outlive the process of the application, and know its routes by `describe`.

    invoker: calls the function. journal: takes pushes, and notices of what is refused.
    limits: of HTTP, in place of those of the source. socket_limits: of the WebSocket API.
    stage_variables: of the stage.
    """

    def __init__(
        self,
        settings: Settings,
        invoker: Invoker,
        journal: Journal,
        *,
        limits: Limits | None = None,
        socket_limits: SocketLimits | None = None,
        stage_variables: Mapping[str, str] | None = None,
    ) -> None:
        self.source = settings.source
        self._caller = Caller(invoker)
        self._notices = Notices(journal)
        self._authorizers = Authorizers(self._caller)
        self._limits = limits or LIMITS[settings.source]
        self._web = Web(
            settings, self._caller, self._notices, self._authorizers, self._limits, stage_variables=stage_variables
        )
        self._sockets = Sockets(
            settings, self._caller, journal, self._notices, self._authorizers, socket_limits or SocketLimits()
        )
        self._management = Management(self._sockets, self._notices)
        self.describe(None)

    def describe(self, routes: Sequence[Mapping[str, Any]] | None, apis: Iterable[Mapping[str, Any]] = ()) -> None:
        """Take what the application says of itself, after each of its starts.

        routes: of all its functions: `source` or `sources`, `methods`, `match`, `function`; None while nothing is
            known, and then every request is the main function's.
        apis: those in front of it, as its plan has them: `kind`, and `settings`, the fields of its declaration.
        """
        surroundings = Surroundings(routes, apis)
        self._authorizers.forget()
        self._web.take(surroundings)
        self._sockets.surroundings = surroundings

    def environment(self, url: str) -> dict[str, str]:
        """Return the variables by which the application finds `@connections`. url: of the gateway."""
        return {"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": url}

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: of the management API of connections, or of the application."""
        if MARK in scope["raw_path"]:
            await self._management.serve(scope, receive, send)
        else:
            await self._web.serve(scope, receive, send)

    def refused(self, why: str) -> None:
        """Note a request that the server refused, since it could not be read."""
        self._notices.say(
            self.source.value,
            "bad request",
            f"{why} It had no end, two lengths, a broken chunk or header, or was not HTTP at all. The services of AWS "
            "answer 400 as well, before a function is called",
            status=400,
        )

    async def websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket from its handshake to its end."""
        await self._sockets.serve(scope, receive, send)

    def connections(self) -> list[dict[str, Any]]:
        """Return the open connections, the oldest first."""
        return [connection.as_json() for connection in self._sockets.all()]

    async def send(self, connection_id: str, text: str) -> bool:
        """Send a message to a connection. Return whether it was there to take it."""
        return await self._sockets.push(connection_id, text, origin="console")

    async def close(self, connection_id: str) -> bool:
        """Close a connection. Return whether there was one."""
        return await self._sockets.close(connection_id)

    async def stop(self) -> None:
        """Close all connections, and tell the application of it."""
        await self._sockets.stop()
