"""Answer the management API of a WebSocket API: POST, GET and DELETE of `/@connections/{id}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote
from uuid import uuid4

import orjson

from router.local.front.request import Gone, TooLarge, read_body

if TYPE_CHECKING:
    from router.local.front.notices import Notices
    from router.local.front.request import Receive, Scope, Send
    from router.local.front.sockets import Sockets

MARK = b"/@connections/"
HOP = b"x-junction-hop"
"""The header that names the call of a handler which sends a message."""

_PATH = re.compile(rb"(?:/[^/]+)?/@connections/([^/]+)")


class Management:
    """Answers calls of the management API. They need no signature, so pages of browsers are kept out."""

    def __init__(self, sockets: Sockets, notices: Notices) -> None:
        self._sockets = sockets
        self._notices = notices

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = _PATH.fullmatch(scope["raw_path"])
        method = scope["method"]
        if any(name == b"origin" for name, _ in scope["headers"]):
            self._notices.say(
                "websocket",
                "push refused: 403",
                "a web page called @connections. In AWS such calls are signed with credentials that no page has",
                origin="websocket",
                status=403,
            )
            await _answer(send, 403, b'{"message":"Forbidden"}', b"ForbiddenException")
            return
        if found is None or method not in ("POST", "GET", "DELETE"):
            await _answer(
                send, 403, b'{"message":"Missing Authentication Token"}', b"MissingAuthenticationTokenException"
            )
            return
        connection_id = unquote(found[1].decode("latin-1"))
        if method == "POST":
            await self._post(connection_id, scope, receive, send)
        elif method == "GET":
            connection = self._sockets.get(connection_id)
            if connection is None:
                await _gone(send)
            else:
                await _answer(send, 200, orjson.dumps(connection.described()))
        elif await self._sockets.close(connection_id):
            await _answer(send, 204, b"")
        else:
            await _gone(send)

    async def _post(self, connection_id: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        declared, hop = headers.get(b"content-length"), headers.get(HOP)
        limit = self._sockets.limits.message
        try:
            body = await read_body(receive, None if declared is None else declared.decode("latin-1"), limit)
            text = body.decode()
        except Gone:
            return
        except TooLarge:
            self._say(connection_id, 413, f"a message to a connection has {limit:,} bytes at most")
            await _answer(send, 413, b'{"message":"Payload Too Large"}', b"PayloadTooLargeException")
            return
        except UnicodeDecodeError as error:
            self._say(connection_id, 400, f"a message is text, and this one is not UTF-8 at byte {error.start}")
            await _answer(send, 400, b'{"message":"Bad Request"}', b"BadRequestException")
            return
        if await self._sockets.push(connection_id, text, None if hop is None else hop.decode("latin-1")):
            await _answer(send, 200, b"")
        else:
            await _gone(send)

    def _say(self, connection_id: str, status: int, text: str) -> None:
        self._notices.say(
            "websocket",
            f"push refused: {status}",
            text,
            origin="websocket",
            status=status,
            links=[f"ws:{connection_id}"],
        )


async def _gone(send: Send) -> None:
    await _answer(send, 410, b"", b"GoneException")


async def _answer(send: Send, status: int, body: bytes, kind: bytes = b"") -> None:
    headers = [(b"x-amzn-requestid", str(uuid4()).encode())]
    if status != 204:
        headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if kind:
        headers.append((b"x-amzn-errortype", kind))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
