"""`Invoking`: the calls Invoke and InvokeWithResponseStream of Lambda's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse

from router.local.calls import Call
from router.local.durable.executions import SYNCHRONOUS
from router.local.lambda_api import event_stream
from router.local.lambda_api.asynchronous import Waiting
from router.local.lambda_api.beginning import begun
from router.local.lambda_api.json_text import as_json
from router.local.lambda_api.outcomes import error_of, log_tail, payload_of
from router.local.lambda_api.refusals import Refusal
from router.local.lambda_api.requests import (
    ASYNCHRONOUS_LIMIT,
    SYNCHRONOUS_LIMIT,
    body_of,
    choice_of,
    client_context_of,
)
from router.local.lambda_api.requests import payload_of as event_of
from router.middleware.recording.replayed import HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from router.local.calls import Invoker, Outcome
    from router.local.durable.executions import Executions
    from router.local.lambda_api.asynchronous import AsynchronousCalls
    from router.local.lambda_api.functions import Functions, Named

_HEAD_ENDS = b"\0" * 8  # between the head of a streamed answer and its body


class Invoking:
    """Answer callers of functions.

    functions: those that there are. invoker: makes the calls. later: takes asynchronous ones.
    executions: runs durable functions; None where there are none.
    """

    def __init__(
        self, functions: Functions, invoker: Invoker, later: AsynchronousCalls, executions: Executions | None = None
    ) -> None:
        self._functions = functions
        self._invoker = invoker
        self._later = later
        self._executions = executions

    async def invoke(self, request: Request) -> Response:
        """Answer Invoke."""
        kind = choice_of(request, "X-Amz-Invocation-Type", ("RequestResponse", "Event", "DryRun"))
        with_log = choice_of(request, "X-Amz-Log-Type", ("None", "Tail")) == "Tail"
        named = self._named(request)
        body = await body_of(request, ASYNCHRONOUS_LIMIT if kind == "Event" else SYNCHRONOUS_LIMIT)
        call = self._call(request, named, body)
        if kind == "DryRun":
            return Response(status_code=204, headers=_headers(call))
        headers = _headers(call)
        if kind == "Event":
            call.client_context = None  # which Lambda hands on in synchronous calls alone
        waiting = await begun(self._executions, named, call, request.headers.get("x-amz-durable-execution-name"))
        if waiting.arn is not None:
            headers["X-Amz-Durable-Execution-Arn"] = waiting.arn
        if kind == "Event":
            self._later.put(waiting)
            return Response(status_code=202, headers=headers)
        outcome = await (self._invoker.invoke(call) if waiting.result is None else waiting.result(SYNCHRONOUS))
        _check(outcome)
        payload, failed = payload_of(call, outcome, named)
        headers["X-Amz-Executed-Version"] = named.version
        if failed:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if with_log:
            headers["X-Amz-Log-Result"] = log_tail(call, outcome, named)
        return Response(payload, headers=headers, media_type="application/json")

    async def invoke_async(self, request: Request) -> Response:
        """Answer InvokeAsync, which is older than Invoke."""
        named = self._named(request)
        call = self._call(request, named, await body_of(request, ASYNCHRONOUS_LIMIT))
        self._later.put(Waiting(named, call))
        return Response(b'{"Status":202}', 202, _headers(call), "application/json")

    async def stream(self, request: Request) -> Response:
        """Answer InvokeWithResponseStream."""
        kind = choice_of(request, "X-Amz-Invocation-Type", ("RequestResponse", "DryRun"))
        with_log = choice_of(request, "X-Amz-Log-Type", ("None", "Tail")) == "Tail"
        named = self._named(request)
        call = self._call(request, named, await body_of(request))
        if kind == "DryRun":
            return Response(status_code=204, headers=_headers(call))
        call.streams = True
        outcome = await self._invoker.invoke(call)
        _check(outcome)
        return StreamingResponse(
            _events(call, outcome, named, with_log=with_log),
            headers={**_headers(call), "X-Amz-Executed-Version": named.version},
            media_type=event_stream.CONTENT_TYPE,
        )

    def _named(self, request: Request) -> Named:
        return self._functions.find(request.path_params["name"], request.query_params.get("Qualifier"))

    @staticmethod
    def _call(request: Request, named: Named, body: bytes) -> Call:
        return Call(
            event_of(body),
            "replay" if HEADER in request.headers else "invoke",
            named.function.part,
            timeout=named.function.timeout,
            trace=request.headers.get("x-amzn-trace-id"),
            client_context=client_context_of(request),
            tenant_id=request.headers.get("x-amz-tenant-id"),
        )


def _headers(call: Call) -> dict[str, str]:
    return {"x-amzn-RequestId": call.request_id}


def _check(outcome: Outcome) -> None:
    """Refuse the answer of a call whose answer is lost on purpose: the caller cannot know what it did."""
    if outcome.became == "lost answer":
        raise Refusal(500, "ServiceException", "the answer was lost on purpose, by a rule for faults")


async def _events(call: Call, outcome: Outcome, named: Named, *, with_log: bool) -> AsyncIterator[bytes]:
    """Yield the events of a streamed answer, the last of which tells how it ended."""
    code = details = None
    if outcome.stream is None:
        payload, failed = payload_of(call, outcome, named)
        if failed:
            code, details = _told(error_of(call, outcome, named))
        else:
            yield event_stream.chunk(payload)
    else:
        yield event_stream.chunk(as_json(outcome.answer) + _HEAD_ENDS)
        try:
            async for part in outcome.stream:
                yield event_stream.chunk(part)
        except Exception as error:
            code, details = _told({"errorType": type(error).__name__, "errorMessage": str(error)})
    yield event_stream.complete(code, details, log_tail(call, outcome, named) if with_log else None)


def _told(error: dict[str, Any]) -> tuple[str, str]:
    """Return the code and the details of an error at the end of a streamed answer."""
    return "Unhandled", as_json(error).decode()
