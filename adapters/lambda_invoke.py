"""Lambda: call the actions of another function, with the session attached.

    invoker = Invoker()
    invoker.invoke("billing", "charge", {"order": "1"})       # waits, and gives what the handler returned
    await invoker.invoke_event_async("reports", "rebuild")    # Lambda queues it, and calls the function later

The other function receives `{"action": ..., "data": ..., "session": ...}`, which its `@on_invoke` routes take. Every
verb has an `_async` twin. The caller's role needs `lambda:InvokeFunction`.
"""

from __future__ import annotations

import orjson

from adapters._core.adapter import Adapter
from adapters._core.delivery import backoff
from adapters._core.outgoing import CURRENT, session_forms
from adapters._core.payloads import to_json
from adapters._core.steps import BlockingCall, Wait
from adapters.aws.botocore_errors import translate
from adapters.errors import AdapterError, InvalidMessage, MessageTooLarge, Throttled, safe
from router.durations import seconds
from router.errors import ConfigurationError
from router.numbers import loads
from router.session import get_session
from router.trace_context import current_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypedDict, Unpack

    from adapters._core.outgoing import Outgoing
    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from router.durations import Duration
    from router.session import Policy

    class InvokeOptions(TypedDict, total=False):
        """The keyword arguments of `Invoker.invoke`."""

        session: Outgoing
        qualifier: str | None
        tenant: str | None


# Lambda API reference, Invoke.
_LARGEST = 6 * 1024 * 1024
_LARGEST_EVENT = 1024 * 1024
_TRACE_BYTES = 256  # more than a trace takes in a session; where it alone is too much, it stays out
_LONGEST_CONTEXT = 3583  # of the client context in base64
_LONGEST = 1800.0  # that a synchronous invocation may run
# The function was not ready, or the request never left: a further try cannot do anything twice.
_NOT_STARTED = frozenset(
    (
        *("ENINotReadyException", "ResourceNotReadyException", "SnapStartNotReadyException"),
        *("EndpointConnectionError", "ConnectTimeoutError"),
    )
)


class FunctionFailed(AdapterError):
    """The function was called, and failed.

    error_type, error_message: of its runtime.
    handled: whether the function itself returned the error.
    app_code: the code of its `router.AppError`, by which callers tell errors apart; empty for any other error.
    trace: the lines of its traceback, for a log; they are not part of the message.
    """

    def __init__(
        self,
        message: str,
        *,
        error_type: str = "",
        error_message: str = "",
        handled: bool = False,
        trace: tuple[str, ...] = (),
        **where: Any,
    ) -> None:
        super().__init__(message, **where)
        self.error_type = error_type
        self.error_message = error_message
        self.handled = handled
        self.app_code = _app_code(error_message)
        self.trace = trace


class Invoker(Adapter):
    """Invokes functions.

    aws: makes the calls; by default one made of the environment.
    policy: signs sessions where no resolver runs.
    timeout: seconds, or a timedelta, to wait for an answer; the default outlasts every function.
    lambda_tenant: hand the session's tenant to functions in Lambda's tenant isolation mode.
    success_field: the field by which functions that answer their own failures say so, such as "success". Of an answer
        that is an object with it, False raises FunctionFailed with the text in `error`; True returns what is in `data`.

    A function is a name, a name with alias or version (`billing:live`), or an ARN.
    """

    def __init__(
        self,
        aws: Aws | None = None,
        *,
        policy: Policy | None = None,
        timeout: Duration = _LONGEST + 10,
        lambda_tenant: bool = False,
        success_field: str | None = None,
    ) -> None:
        super().__init__(aws)
        self.policy = policy
        self.timeout = seconds(timeout, "Invoker(timeout=...)", least=0.001)
        self.lambda_tenant = lambda_tenant
        if success_field is not None and (type(success_field) is not str or not success_field):
            raise ConfigurationError(f"Invoker(success_field={success_field!r:.80}): give the name of a field, or None")
        self.success_field = success_field

    def invoke(
        self, function: str, action: str | None = None, data: Any = None, **options: Unpack[InvokeOptions]
    ) -> Any:
        """Call a function and return its result, parsed. A call that may have reached the function is not repeated.

        function: its name, a name with alias or version, or an ARN.
        action: of its `@on_invoke` route.
        data: anything that JSON can hold, up to 6 MB.
        options: `session`: the current one unless another is given, None attaches none; `qualifier`: an alias or a
            version; `tenant`: for tenant isolation mode.

        Raises:
            FunctionFailed: the function was called, and failed.
            AdapterError: the call failed.
        """
        return self._run(self._wait_for(function, self._request(action, data, **options)), "invoke")

    async def invoke_async(
        self, function: str, action: str | None = None, data: Any = None, **options: Unpack[InvokeOptions]
    ) -> Any:
        """`invoke` from async code; it waits in threads of its own, so that nothing else waits with it."""
        return await self.aws.run_async(self._wait_for(function, self._request(action, data, **options)))

    def invoke_event(
        self, function: str, action: str | None = None, data: Any = None, **options: Unpack[InvokeOptions]
    ) -> None:
        """Let Lambda call a function later, once or more; arguments as of `invoke`, data up to 1 MB.

        The result is not returned: configure a dead-letter queue or a failure destination to see errors.
        """
        self._run(self._hand_over(function, self._request(action, data, **options)), "invoke_event")

    async def invoke_event_async(
        self, function: str, action: str | None = None, data: Any = None, **options: Unpack[InvokeOptions]
    ) -> None:
        """`invoke_event` from async code, without blocking its loop."""
        await self.aws.run_async(self._hand_over(function, self._request(action, data, **options)))

    # ---- how ---------------------------------------------------------------------------------------------------

    def _request(
        self,
        action: str | None,
        data: Any,
        *,
        session: Outgoing = CURRENT,
        qualifier: str | None = None,
        tenant: str | None = None,
    ) -> dict[str, Any]:
        """Return the parameters of Invoke, the function aside; called in the context of the caller."""
        envelope: dict[str, Any] = {}
        if action is not None:
            if not isinstance(action, str) or not action:
                raise InvalidMessage(f"lambda.invoke: the action must be a text that is not empty, not {action!r}")
            envelope["action"] = action
        if data is not None:
            envelope["data"] = data
        payload = _payload(envelope, session_forms(session, self.policy, purpose="invoke"))
        if any(limit < len(payload) <= limit + _TRACE_BYTES for limit in (_LARGEST, _LARGEST_EVENT)):
            payload = _payload(envelope, session_forms(session, self.policy, purpose="invoke", traced=False))
        request: dict[str, Any] = {"Payload": payload}
        if qualifier is not None:
            request["Qualifier"] = qualifier
        if tenant is None and self.lambda_tenant:
            held = get_session() if session is CURRENT else session
            tenant = None if held is None else held.tenant
            if not tenant:
                raise InvalidMessage("lambda.invoke: Invoker(lambda_tenant=True), and the session has no tenant")
        if tenant is not None:
            request["TenantId"] = tenant
        return request

    def _wait_for(self, function: str, request: dict[str, Any]) -> Steps[Any]:
        """Call, and read the answer. Only what surely did not start the function is tried again."""
        _check_payload(function, request, _LARGEST, "that is waited for")
        attempt = 1
        while True:
            try:
                return (yield BlockingCall(self._call, function, request, long=True))
            except AdapterError as error:
                started = not isinstance(error, Throttled) and error.code not in _NOT_STARTED
                if started or attempt == self.settings.attempts:
                    raise
            yield Wait(backoff(attempt - 1, self.settings.backoff))
            attempt += 1

    def _call(self, function: str, request: dict[str, Any]) -> Any:
        try:
            client = self.aws.client("lambda", read_timeout=self.timeout, attempts=1)
            answer = client.invoke(
                FunctionName=function, InvocationType="RequestResponse", **_client_context(), **request
            )
            payload = answer["Payload"].read()
        except Exception as error:
            typed = translate(error, "lambda", "invoke", function)
            if typed is error:
                raise
        else:
            result = _read_result(function, answer, payload)
            return result if self.success_field is None else _data_of(function, result, self.success_field)
        raise typed  # out of the except block, so that the original is not even the context

    def _hand_over(self, function: str, request: dict[str, Any]) -> Steps[None]:
        _check_payload(function, request, _LARGEST_EVENT, "that is called later")
        yield self.aws.step(
            "lambda", "invoke", parameters={"FunctionName": function, "InvocationType": "Event", **request}
        )


def _app_code(message: str) -> str:
    """Return the code that the message of an AppError begins with: `[B00001] the order is closed`."""
    code, bracket, _ = message.removeprefix("[").partition("]")
    is_code = message.startswith("[") and bracket and code and not any(one.isspace() for one in code)
    return code if is_code else ""


def _payload(envelope: dict[str, Any], sessions: tuple[tuple[str, str], ...]) -> bytes:
    """Return the JSON of a call. That of an event goes on to a queue if the function fails."""
    held = {**envelope, **{name: orjson.Fragment(wire) for name, wire in sessions}}
    return to_json(held, "lambda.invoke: the data").encode()


def _client_context() -> dict[str, str]:
    """Return the current trace in the form that Lambda's runtimes read: `context.w3c()`. Synchronous calls have it."""
    trace = current_trace()
    if trace is None:
        return {}
    from base64 import b64encode

    held = trace.headers()
    for kept in (held, {name: value for name, value in held.items() if name != "baggage"}):
        text = b64encode(orjson.dumps({"w3c": kept})).decode()
        if len(text) <= _LONGEST_CONTEXT:
            return {"ClientContext": text}
    return {}


def _check_payload(function: str, request: dict[str, Any], limit: int, what: str) -> None:
    if not isinstance(function, str) or not function:
        raise ConfigurationError(f"lambda: give the name or ARN of a function, not {function!r}")
    size = len(request["Payload"])
    if size > limit:
        raise MessageTooLarge(
            f"lambda.invoke {function}: the payload has {size:,} bytes, and a function {what} takes {limit:,}; put the "
            "data into S3 and send where it is",
            service="lambda",
            operation="invoke",
            resource=function,
        )


def _read_result(function: str, answer: Any, payload: bytes) -> Any:
    kind = answer.get("FunctionError")
    try:
        held = loads(payload) if payload else None  # exact whole numbers, as a function of Python wrote them
    except ValueError:
        if kind is None:
            raise AdapterError(
                f"lambda.invoke {function}: the answer is not JSON",
                service="lambda",
                operation="invoke",
                resource=function,
            ) from None
        held = None
    if kind is None:
        return held
    raise _failure(function, kind, held if type(held) is dict else {})


def _data_of(function: str, result: Any, field: str) -> Any:
    """Return the data of an answer that says of itself whether it is one. Raises FunctionFailed where it is not."""
    if type(result) is not dict or type(result.get(field)) is not bool:
        return result
    if result[field]:
        return result.get("data")
    said = {"errorType": result.get("error_type") or "Error", "errorMessage": result.get("error")}
    raise _failure(function, "Handled", said)


def _failure(function: str, kind: str, payload: dict[str, Any]) -> FunctionFailed:
    name, message = str(payload.get("errorType") or kind), str(payload.get("errorMessage") or "")
    trace = payload.get("stackTrace")
    said = f"{name}: {safe(message)}" if message else name
    return FunctionFailed(
        f"lambda.invoke {function}: the function failed: {said}",
        error_type=name,
        error_message=message,
        handled=kind == "Handled",
        trace=tuple(map(str, trace)) if type(trace) is list else (),
        service="lambda",
        operation="invoke",
        resource=function,
        code=name,
        request_id=str(payload.get("requestId") or ""),
    )
