"""Answer the messages of the Model Context Protocol that call no tool, and hand on those that do."""

from __future__ import annotations

from router.encode import dumps
from router.mcp.protocol import HANDSHAKE, INVALID_PARAMS, METHOD_NOT_FOUND, SUPPORTED
from router.mcp.results import Form
from router.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.contract.interface.model import Info
    from router.mcp.listing import Listing
    from router.mcp.protocol import Message

_CAPABILITIES = {"tools": {"listChanged": False}}


class Endpoint:
    """Answer the messages that call no tool.

    info: the name and version of the server. instructions: for the model, on how the tools belong together.
    origins: the origins of pages that may call.
    ttl_ms: for how long a client may keep what it was told, in milliseconds. listing: the tools.
    """

    def __init__(self, info: Info, instructions: str, origins: frozenset[str], ttl_ms: int, listing: Listing) -> None:
        server = {"name": info.title, "version": info.version}
        self.origins = origins
        self.form = Form(server)
        self._listing = listing
        self._kept = f'"ttlMs":{ttl_ms},"cacheScope":"private"'
        told: dict[str, Any] = {"capabilities": _CAPABILITIES}
        if instructions:
            told["instructions"] = instructions
        self._discovered = dumps({"supportedVersions": list(SUPPORTED), **told}).decode()[1:-1] + "," + self._kept
        self._initialized = dumps({**told, "serverInfo": server}).decode()[1:-1]
        self._stateless: dict[str, Callable[[Message], Response]] = {
            "server/discover": self._discover,
            "tools/list": self._list,
        }
        self._handshake: dict[str, Callable[[Message], Response]] = {
            "initialize": self._initialize,
            "ping": self._pong,
            "tools/list": self._list,
        }

    def answer(self, message: Message | None) -> Response:
        """Return the answer to a request that calls no tool; None stands for a notification.

        Raises:
            Refusal: there is no such method here, or its parameters are wrong.
        """
        if message is None:
            return Response(None, 202)
        answer = (self._stateless if message.stateless else self._handshake).get(message.method)
        if answer is None:
            raise message.refusal(METHOD_NOT_FOUND, f"this server has no method {message.method[:100]!r}")
        return answer(message)

    def _discover(self, message: Message) -> Response:
        return self.form.result(message, self._discovered)

    def _initialize(self, message: Message) -> Response:
        asked = message.params.get("protocolVersion")
        if type(asked) is not str:
            raise message.refusal(INVALID_PARAMS, "params.protocolVersion must be a revision of the protocol")
        version = asked if asked in HANDSHAKE else HANDSHAKE[0]  # a client that does not know that one leaves
        return self.form.result(message, f'"protocolVersion":"{version}",{self._initialized}')

    def _pong(self, message: Message) -> Response:
        return self.form.result(message, "")

    def _list(self, message: Message) -> Response:
        if message.params.get("cursor") is not None:
            raise message.refusal(INVALID_PARAMS, "params.cursor is none of this server: its list has one page")
        listed = self._listing.written
        return self.form.result(message, f"{listed},{self._kept}" if message.stateless else listed)
