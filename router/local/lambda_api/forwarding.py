"""`Forwarding`: the entrance of the functions in the emulator, which hand their events over to the application.

An event that comes here took the emulator's own way: its queues, streams, schedules and retries are those of the
service. A small function there sends it as {"event", "context"} and gets {"answer"} or {"error"}.
"""

from __future__ import annotations

from hmac import compare_digest
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from router.local.calls import Call
from router.local.lambda_api.outcomes import payload_of as payload_for
from router.local.lambda_api.refusals import Refusal
from router.local.lambda_api.requests import FORWARDED_LIMIT, body_of, payload_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from router.local.calls import Invoker
    from router.local.lambda_api.functions import Functions

TOKEN_HEADER = "X-Junction-Token"  # noqa: S105 - its name, not a secret


class Forwarding:
    """Take events from the emulator.

    functions: those that there are. invoker: makes the calls.
    token: what the emulator's functions know, and nobody else; made up where none is given.
    """

    def __init__(self, functions: Functions, invoker: Invoker, token: str = "") -> None:
        self._functions = functions
        self._invoker = invoker
        self.token = token or token_urlsafe(32)

    async def take(self, request: Request) -> Response:
        """Answer a function of the emulator."""
        sent = request.headers.get(TOKEN_HEADER, "")
        if not compare_digest(sent.encode("latin-1"), self.token.encode()):
            raise Refusal(403, "AccessDeniedException", f"{TOKEN_HEADER} is not the token of this run")
        name = request.path_params["name"]
        function = self._functions.of_part(name)
        named = self._functions.find(function.name if function else name)
        body = payload_of(await body_of(request, FORWARDED_LIMIT))
        if not isinstance(body, dict) or "event" not in body:
            raise Refusal(400, "InvalidRequestContentException", 'the body is not {"event": ..., "context": ...}')
        context = body.get("context") or {}
        if not isinstance(context, dict):
            raise Refusal(400, "InvalidRequestContentException", "the context is not an object")
        call = Call(body["event"], "aws", named.function.part, timeout=named.function.timeout, **_told(context))
        outcome = await self._invoker.invoke(call)
        if outcome.became == "lost answer":
            raise Refusal(500, "ServiceException", "the answer was lost on purpose, by a rule for faults")
        payload, failed = payload_for(call, outcome, named)
        key = b"error" if failed else b"answer"
        return Response(b'{"' + key + b'":' + payload + b"}", media_type="application/json")


def _told(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a context of Lambda tells of a call."""
    told: dict[str, Any] = {}
    for name, kind in (("trace", str), ("client_context", dict), ("tenant_id", str)):
        if isinstance(value := context.get(name), kind) and value:
            told[name] = value
    if isinstance(number := context.get("aws_request_id"), str) and number:
        told["request_id"] = number
    return told
