"""`Forwarding`: the entrance of the functions in the emulator, which hand their events over to the application.

An event that comes here took the emulator's own way: its queues, streams and schedules. How it comes, and how it is
answered, is said in `router.local.aws.forwarding`.
"""

from __future__ import annotations

from secrets import token_urlsafe
from typing import TYPE_CHECKING

from starlette.responses import Response

from router.local.aws.forwarding import PATH, is_let_in
from router.local.calls import Call
from router.local.lambda_api.beginning import begun
from router.local.lambda_api.mending import mended
from router.local.lambda_api.outcomes import payload_of as payload_for
from router.local.lambda_api.refusals import Refusal
from router.local.lambda_api.requests import body_of, payload_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from router.local.calls import Invoker
    from router.local.durable.executions import Executions
    from router.local.lambda_api.asynchronous import AsynchronousCalls
    from router.local.lambda_api.functions import Functions, Named

ROUTE = PATH + "{name}"
"""Where it is reached."""


class Forwarding:
    """Take events from the emulator.

    functions: those that there are. invoker: makes the calls. later: takes asynchronous ones.
    executions: runs durable functions; None where there are none.
    token: what the emulator's functions know, and nobody else; made up where none is given.
    """

    def __init__(
        self,
        functions: Functions,
        invoker: Invoker,
        later: AsynchronousCalls,
        executions: Executions | None = None,
        token: str = "",
    ) -> None:
        self._functions = functions
        self._invoker = invoker
        self._later = later
        self._executions = executions
        self.token = token or token_urlsafe(32)

    async def take(self, request: Request) -> Response:
        """Answer a function of the emulator."""
        if not is_let_in(request.query_params.get("token"), self.token):
            raise Refusal(403, "AccessDeniedException", "the address has not the token of this run")
        kind = request.query_params.get("type", "RequestResponse")
        if kind not in ("RequestResponse", "Event"):
            raise Refusal(400, "InvalidParameterValueException", f"type: {kind!r:.100} is neither of the two")
        named = self._functions.find(request.path_params["name"])
        call = self._call(request, named, await body_of(request))
        if kind == "Event":
            self._later.put(await begun(self._executions, named, call))
            return Response(status_code=202)
        outcome = await self._invoker.invoke(call)
        if outcome.became == "lost answer":
            raise Refusal(500, "ServiceException", "the answer was lost on purpose, by a rule for faults")
        payload, failed = payload_for(call, outcome, named)
        headers = {"X-Amz-Function-Error": "Unhandled"} if failed else {}
        return Response(payload, headers=headers, media_type="application/json")

    @staticmethod
    def _call(request: Request, named: Named, body: bytes) -> Call:
        call = Call(
            mended(payload_of(body)),
            "aws",
            named.function.part,
            timeout=named.function.timeout,
            trace=request.headers.get("x-amzn-trace-id"),
        )
        if number := request.headers.get("x-amzn-lambda-request-id"):
            call.request_id = number
        return call
