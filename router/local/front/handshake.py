"""Open a connection of a WebSocket API: ask the authorizer, then `$connect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.event import Source
from router.local.calls import Call
from router.local.front.answers import TOKEN
from router.local.front.refusals import REFUSALS, Refused
from router.local.front.surroundings import CONNECT

if TYPE_CHECKING:
    from router.local.front.authorizers import Authorizers
    from router.local.front.caller import Caller
    from router.local.front.request import Incoming
    from router.local.front.socket_events import SocketEvents
    from router.local.front.surroundings import Surroundings

_WEBSOCKET = Source.WEBSOCKET


class Handshake:
    """Decides whether a connection is opened. wait: seconds for which `$connect` is waited for."""

    def __init__(self, surroundings: Surroundings, caller: Caller, authorizers: Authorizers, wait: float) -> None:
        self._surroundings = surroundings
        self._caller = caller
        self._authorizers = authorizers
        self._wait = wait

    async def authorize(self, opening: Incoming, events: SocketEvents) -> Any:
        """Return what the authorizer says of the client; None where nobody is asked. Raises Refused."""
        api = self._surroundings.apis[_WEBSOCKET]
        if self._surroundings.socket_keys == {}:
            raise Refused("denied", "the application has no WebSocket routes: no such API would be deployed")
        if not api.authorizer:
            return None
        return await self._authorizers.admit(
            _WEBSOCKET,
            api,
            opening,
            events.connect_arn,
            self._surroundings.authorizer_of(_WEBSOCKET),
            lambda _: events.of_authorizer(),
        )

    async def connect(self, opening: Incoming, events: SocketEvents, authorized: Any) -> str | None:
        """Call `$connect`, and return the subprotocol that it chooses.

        Raises:
            Refused: the connection is not to be opened.
        """
        function = self._surroundings.socket_function(CONNECT)
        if function is None:
            return None
        outcome = await self._caller.ask(
            Call(events.connect(authorized), "websocket", function, trace=opening.trace), self._wait
        )
        if outcome is None:
            raise _NotConnected(504, f"$connect took longer than {self._wait:g} s")
        if outcome.became != "answered":
            raise _NotConnected(502, f"$connect {outcome.became}")
        status = status_of(outcome.answer)
        if status is None:
            raise _NotConnected(502, f"$connect answered {outcome.answer!r:.200}, which has no statusCode")
        if not 200 <= status < 300:
            raise _NotConnected(status, f"$connect answered {status}")
        return _subprotocol_of(outcome.answer.get("headers"))


class _NotConnected(Refused):
    """Raised where `$connect` does not open the connection. status: of the handshake."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__("not connected", text)
        self.status = status


def status_of_refusal(refused: Refused) -> int:
    """Return the status with which a handshake is refused."""
    return refused.status if isinstance(refused, _NotConnected) else REFUSALS[refused.reason][_WEBSOCKET].status


def status_of(answer: Any) -> int | None:
    """Return the status of an answer; None where the answer is malformed."""
    status = answer.get("statusCode") if type(answer) is dict else None
    if type(status) is str and status.isascii() and status.isdigit():
        status = int(status)
    return status if type(status) is int and 200 <= status <= 599 else None


def _subprotocol_of(headers: Any) -> str | None:
    """Return the subprotocol that the headers of an answer choose.

    Raises:
        Refused: it cannot be one.
    """
    for name, value in headers.items() if type(headers) is dict else ():
        if name.lower() == "sec-websocket-protocol":
            if type(value) is not str or TOKEN.fullmatch(value) is None:
                raise _NotConnected(502, f"$connect chose the subprotocol {value!r:.120}, which cannot be one")
            return value
    return None
