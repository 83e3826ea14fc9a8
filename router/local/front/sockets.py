"""Serve a WebSocket API: connect, messages by route key, disconnect, and pushes to connections."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import orjson

from router.event import Source
from router.local.calls import Call
from router.local.entries import new_entry
from router.local.front.connection import (
    CLOSED_BY_API,
    GOING_AWAY,
    NOT_TEXT,
    TOO_LONG,
    Connection,
    ConnectionEnded,
    new_id,
)
from router.local.front.handshake import Handshake, status_of, status_of_refusal
from router.local.front.refusals import Refused
from router.local.front.request import PINGS, Incoming
from router.local.front.socket_events import SocketEvents
from router.local.front.surroundings import CONNECT, DEFAULT, DISCONNECT

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from router.local.calls import Outcome
    from router.local.entries import Journal
    from router.local.front.authorizers import Authorizers
    from router.local.front.caller import Caller
    from router.local.front.limits import SocketLimits
    from router.local.front.notices import Notices
    from router.local.front.request import Receive, Scope, Send
    from router.local.front.surroundings import Surroundings
    from router.local.settings import Settings

_WEBSOCKET = Source.WEBSOCKET
# What the server itself, which reads the frames, closes a connection for.
_EXPLAINED = {
    1002: "a frame came that breaks the protocol of WebSockets",
    1007: "a text came that is not UTF-8",
    1009: "a frame of more than 32 KB came, the most that API Gateway takes. A message of up to 128 KB goes in several",
}


class Sockets:
    """The connections of a WebSocket API. They live in the gateway, and outlive the application's process."""

    def __init__(
        self,
        settings: Settings,
        caller: Caller,
        journal: Journal,
        notices: Notices,
        authorizers: Authorizers,
        limits: SocketLimits,
    ) -> None:
        self.surroundings: Surroundings
        self.limits = limits
        self._settings = settings
        self._caller = caller
        self._journal = journal
        self._notices = notices
        self._authorizers = authorizers
        self._held: dict[str, Connection] = {}
        self._after: set[asyncio.Task[None]] = set()

    @property
    def stage(self) -> str:
        """Return the name of the stage."""
        own = self.surroundings.apis[_WEBSOCKET].stage
        given = self._settings.stage
        return own or (given if given != DEFAULT else "prod")

    def all(self) -> list[Connection]:
        """Return the open connections, the oldest first."""
        return [one for one in self._held.values() if one.is_open]

    def get(self, connection_id: str) -> Connection | None:
        """Return an open connection by its id; None for one that has ended, or never was."""
        found = self._held.get(connection_id)
        return found if found is not None and found.is_open else None

    # ---- the way of a connection -------------------------------------------------------------------------------------

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection from its handshake to its end."""
        await receive()  # websocket.connect
        opening = Incoming(scope, new_id(), proper=True)
        connection_id = new_id()
        events = SocketEvents(self._settings, self.stage, connection_id, opening)
        handshake = Handshake(self.surroundings, self._caller, self._authorizers, self.limits.wait)
        try:
            authorized = await handshake.authorize(opening, events)
            subprotocol = await handshake.connect(opening, events, authorized)
        except Refused as refused:
            await self._refuse(scope, send, refused, opening)
            return
        connection = Connection(connection_id, opening, send, authorized, scope.get(PINGS, ()))
        self._held[connection_id] = connection  # before the client knows, who may tell others at once
        try:
            await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})
            await self._live(connection, events, receive)
        finally:
            del self._held[connection_id]
            self._later(self._disconnected(connection, events))

    async def _refuse(self, scope: Scope, send: Send, refused: Refused, opening: Incoming) -> None:
        status = status_of_refusal(refused)
        self._notices.say(
            "websocket",
            f"connection refused: {status}",
            str(refused),
            origin="websocket",
            status=status,
            path=opening.path,
        )
        if "websocket.http.response" in (scope.get("extensions") or {}):
            headers = [(b"x-amzn-requestid", opening.id.encode()), (b"content-length", b"0")]
            await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": b""})
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": ""})

    async def _live(self, connection: Connection, events: SocketEvents, receive: Receive) -> None:
        """Take messages until the connection ends, by whom or what it may be."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle | None = None

        def watch() -> None:
            nonlocal timer
            now = time.time()
            left = min(connection.used + self.limits.idle, connection.opened + self.limits.life) - now
            if left <= 0:
                self._later(connection.close(GOING_AWAY))
            else:
                timer = loop.call_later(left, watch)

        watch()
        try:
            while True:
                receiving = asyncio.ensure_future(receive())
                await asyncio.wait((receiving, connection.over), return_when=asyncio.FIRST_COMPLETED)
                if connection.over.done():
                    receiving.cancel()
                    return
                message = receiving.result()
                if message["type"] == "websocket.disconnect":
                    code = message.get("code") or 1005
                    connection.ended(code, message.get("reason") or "")
                    if code in _EXPLAINED:
                        self._say(connection, f"connection closed: {code}", _EXPLAINED[code])
                    return
                await self._take(connection, events, message)
        finally:
            if timer is not None:
                timer.cancel()

    async def _take(self, connection: Connection, events: SocketEvents, message: Any) -> None:
        connection.active = time.time()
        text = message.get("text")
        if text is None:
            await self._end(connection, NOT_TEXT, "a binary frame came: WebSocket APIs of API Gateway take text alone")
            return
        size = len(text) if text.isascii() else len(text.encode())
        if size > self.limits.message:
            what = f"a message of {size:,} bytes came: {self.limits.message:,} are the most that API Gateway takes"
            await self._end(connection, TOO_LONG, what)
            return
        connection.received += 1
        while len(connection.doing) >= self.limits.at_once:
            await asyncio.wait(connection.doing, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._message(connection, events, text))
        connection.doing.add(task)
        task.add_done_callback(connection.doing.discard)

    async def _end(self, connection: Connection, ending: tuple[int, str], why: str) -> None:
        self._say(connection, f"connection closed: {ending[0]}", why)
        await connection.close(ending)

    # ---- messages ----------------------------------------------------------------------------------------------------

    async def _message(self, connection: Connection, events: SocketEvents, text: str) -> None:
        request_id = new_id()
        key = self.surroundings.route_key(_json_or_none(text))
        function = self.surroundings.socket_function(key)
        if function is None and key != DEFAULT:
            asked, key = key, DEFAULT
            function = self.surroundings.socket_function(DEFAULT)
        else:
            asked = key
        if function is None:
            known = ", ".join(sorted(set(self.surroundings.socket_keys or ()) - {CONNECT, DISCONNECT}))
            expression = self.surroundings.apis[_WEBSOCKET].selection
            self._say(
                connection,
                "message refused: Forbidden",
                f"no route has the key {asked!r:.120} that {expression} finds in the message, and there is no "
                f"$default. Known are: {known or 'none'}",
                raw=text,
            )
            await self._tell(connection, "Forbidden", request_id)
            return
        call = Call(events.message(connection, key, text, request_id), "websocket", function)
        outcome = await self._caller.ask(call, self.limits.wait)
        await self._answer(connection, outcome, request_id, call.request_id)

    async def _answer(self, connection: Connection, outcome: Outcome | None, request_id: str, call_id: str) -> None:
        """Send the answer of a handler to the client: each route of a template has a response."""
        if outcome is None:
            await self._tell(connection, "Endpoint request timed out", request_id)
        elif outcome.became != "answered":
            await self._tell(connection, "Internal server error", request_id)
        elif status_of(outcome.answer) is None or not isinstance(outcome.answer.get("body"), str | None):
            self._say(
                connection,
                "malformed answer",
                f"the handler answered {outcome.answer!r:.200}: a WebSocket API takes an object with statusCode, and "
                "a body that is text",
                call=call_id,
            )
            await self._tell(connection, "Internal server error", request_id)
        elif outcome.answer.get("body"):
            await self._send(connection, outcome.answer["body"])

    async def _tell(self, connection: Connection, text: str, request_id: str) -> None:
        await self._send(
            connection, f'{{"message": "{text}", "connectionId":"{connection.id}", "requestId":"{request_id}"}}'
        )

    async def _send(self, connection: Connection, text: str) -> None:
        try:
            await connection.send(text)
        except ConnectionEnded:
            pass  # the client left while its message was handled

    async def _disconnected(self, connection: Connection, events: SocketEvents) -> None:
        function = self.surroundings.socket_function(DISCONNECT)
        if function is not None:
            event = events.disconnect(connection, connection.close_code, connection.close_reason)
            await self._caller.ask(Call(event, "websocket", function), self.limits.wait)

    # ---- pushes ------------------------------------------------------------------------------------------------------

    async def push(self, connection_id: str, text: str, hop: str | None = None, origin: Any = "websocket") -> bool:
        """Send a message to a connection, and note it. Return whether it was there to take it.

        hop: the call of a handler that sends it, as `router.local.watch` names it.
        """
        connection = self.get(connection_id)
        begun = time.perf_counter()
        is_sent = False
        if connection is not None:
            try:
                await connection.send(text)
                is_sent = True
            except ConnectionEnded:
                pass
        self._journal.add(
            new_entry(
                "push",
                "websocket",
                name=connection_id,
                origin=origin,
                outcome="done" if is_sent else "failed",
                status=200 if is_sent else 410,
                path=connection.path if connection is not None else None,
                ms=(time.perf_counter() - begun) * 1000,
                links=[*([f"hop:{hop}"] if hop else ()), f"ws:{connection_id}"],
                raw=text,
                decoded=_json_or_none(text),
            )
        )
        return is_sent

    async def close(self, connection_id: str) -> bool:
        """Close a connection as DELETE of `@connections` does. Return whether there was one."""
        connection = self.get(connection_id)
        if connection is None:
            return False
        await connection.close(CLOSED_BY_API)
        return True

    async def stop(self, seconds: float = 5.0) -> None:
        """Close all connections, and wait for what is said of them to the application."""
        for connection in list(self._held.values()):
            await connection.close(GOING_AWAY)
        if self._after:
            await asyncio.wait(self._after, timeout=seconds)

    # ---- helpers -----------------------------------------------------------------------------------------------------

    def _say(self, connection: Connection, title: str, text: str, **fields: Any) -> None:
        self._notices.say(
            "websocket",
            title,
            text,
            origin="websocket",
            path=connection.path,
            links=[f"ws:{connection.id}"],
            **fields,
        )

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._after.add(task)
        task.add_done_callback(self._after.discard)


def _json_or_none(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return None
