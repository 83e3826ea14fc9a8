"""The loop: take an event, call the handler, send what it answers; chunk by chunk where the caller streams."""

from __future__ import annotations

import json
import os
import traceback
from binascii import a2b_base64
from decimal import Decimal

from router.dispatch.plan import drive
from router.errors import HandlerTimeout, text_of
from router.runtime.context import LambdaContext
from router.sources._registry import detect
from router.sources._replies import told
from router.streaming import ClientGone, Stream, is_streamed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any, NoReturn

    from router.runtime.api import Invocation, RuntimeApi, Sending
    from router.runtime.logs import Handler

_MARK = bytes(8)  # between the head and the body
_NOT_IN_HEAD = ("body", "isBase64Encoded", "statusDescription")
_MARGIN_MS = 200  # a stream is ended this long before Lambda would end the process


class Loop:
    """Handles events until the process is ended.

    api: where they come from. handler: the function of the application. log: the handler of the root logger.
    sources: those whose answers are streamed: all that calls the function by one of them has to stream.
    """

    def __init__(
        self, api: RuntimeApi, handler: Callable[[Any, Any], Any], log: Handler, sources: Collection[str]
    ) -> None:
        self._api = api
        self._handler = handler
        self._log = log
        self._sources = sources

    def run(self) -> NoReturn:
        """Handle event after event."""
        while True:
            self.handle(self._api.next())

    def handle(self, invocation: Invocation) -> None:
        """Handle one event."""
        headers = invocation.headers
        self._log.request_id = invocation.request_id
        self._log.tenant_id = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        trace = headers.get("Lambda-Runtime-Trace-Id")
        if trace is None:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        else:
            os.environ["_X_AMZN_TRACE_ID"] = trace
        try:
            context = LambdaContext(invocation, self._sources)
            event = _event_of(invocation)
            streams = is_streamed(detect(event), event, self._sources)
            answer = self._handler(event, context)
            if not streams:
                body, content_type = written(answer)
        except Exception as error:
            self._fail(invocation, error)
            return
        if streams:
            self._stream(invocation, context, answer)
        else:
            self._check(self._api.respond(invocation, body, content_type))

    # ---- streaming -----------------------------------------------------------------------------------------------

    def _stream(self, invocation: Invocation, context: LambdaContext, answer: Any) -> None:
        """Send an answer chunk by chunk; one that is no stream as one chunk, in the form that its caller expects."""
        try:
            head, body = _parts(answer)
        except Exception as error:
            _end(answer, error)
            self._fail(invocation, error)
            return
        try:
            sending = self._api.stream(invocation, head)
        except BaseException as error:  # there is no Runtime API any more
            _end(answer, error)
            raise
        try:
            failure = None if isinstance(body, bytes) else self._send(sending, context, body)
            if isinstance(body, bytes) and body:
                sending.write(body)
            self._check(sending.finish(failure))
        except ClientGone as gone:
            _log().info("%s", gone)
        except BaseException:  # the process is to end
            sending.abandon()
            raise

    def _send(self, sending: Sending, context: LambdaContext, stream: Stream) -> tuple[str, str] | None:
        """Send a stream. Return what is told of the error that ended it; None where it came to its end."""

        def write(chunk: bytes) -> None:
            if context.get_remaining_time_in_millis() < _MARGIN_MS:
                raise HandlerTimeout("the time of the call was up while its answer was on the way")
            sending.write(chunk)

        try:
            driven(stream, stream.send(write))
        except ClientGone:
            raise
        except Exception as error:  # the log has it: the stream has been closed, and reported it
            return told(error)
        return None

    # ---- whole answers -------------------------------------------------------------------------------------------

    def _fail(self, invocation: Invocation, error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename != __file__]
        result = described(error, traceback.format_list(own))
        result["requestId"] = invocation.request_id
        self._log.sink.failure(result)
        cause = {
            "working_directory": os.getcwd(),
            "exceptions": [
                {
                    "message": result["errorMessage"],
                    "type": result["errorType"],
                    "stack": [{"label": one.name, "path": one.filename, "line": one.lineno} for one in own],
                }
            ],
            "paths": sorted({frame.filename for frame in own}),
        }
        self._check(self._api.fail(invocation, result, cause))

    def _check(self, status: int) -> None:
        """Log where Lambda has not taken what was sent, such as an answer that is too large: it has told the caller."""
        if status != 202:
            _log().error("Lambda did not take the answer: status %d", status)


def driven(stream: Stream, work: Any) -> None:
    """Run what a stream does to its end, on an event loop where it needs one."""
    if stream.waits:
        from router.dispatch.loop import run

        run(work)
    else:
        drive(work)


def _end(answer: Any, error: BaseException) -> None:
    """Close the stream of an answer that cannot be sent, so that its `finally` blocks run."""
    body = answer.get("body") if isinstance(answer, dict) else None
    if isinstance(body, Stream):
        driven(body, body.close(error))


def described(error: BaseException, stack: list[str]) -> dict[str, Any]:
    """Return an error as the Runtime API takes it."""
    kind = getattr(error, "lambda_type", None) or type(error).__name__
    # A lone surrogate in a message could not be sent.
    message = text_of(error).encode("utf-8", "backslashreplace").decode()
    return {"errorMessage": message, "errorType": kind, "stackTrace": stack}


class Unreadable(ValueError):
    """The event is no JSON."""

    lambda_type = "Runtime.UnmarshalError"


class Unwritable(ValueError):
    """The answer of a handler has no JSON form."""

    lambda_type = "Runtime.MarshalError"


def _event_of(invocation: Invocation) -> Any:
    if invocation.headers.get_content_type() != "application/json":
        return invocation.body
    try:
        return json.loads(invocation.body)
    except ValueError as error:
        raise Unreadable(f"the event is no JSON: {error}") from None


def written(answer: Any) -> tuple[bytes, str]:
    """Return an answer as it is sent, and its content type. Raises Unwritable."""
    if isinstance(answer, bytes):
        return answer, "application/unknown"
    try:
        try:
            return json.dumps(answer, ensure_ascii=False, default=_plain).encode(), "application/json"
        except UnicodeEncodeError:
            return json.dumps(answer, default=_plain).encode(), "application/json"
    except Exception as error:
        raise Unwritable(f"the answer cannot be written as JSON: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _parts(answer: Any) -> tuple[bytes, bytes | Stream]:
    """Return the head of an HTTP answer with its mark, and the body. Raises what makes it impossible to send."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        # A handler that is none of ours may answer with the body alone, and a function URL makes a 200 of it.
        answer = {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": written(answer)[0]}
    body = answer.get("body")
    if not isinstance(body, Stream | bytes):
        body = "" if body is None else body
        if not isinstance(body, str):
            raise Unwritable(f"the body of an answer is text, not {type(body).__name__}")
        body = a2b_base64(body) if answer.get("isBase64Encoded") else body.encode()
    head = {name: value for name, value in answer.items() if name not in _NOT_IN_HEAD}
    return written(head)[0] + _MARK, body


def _log() -> Any:
    from logging import getLogger

    return getLogger("router.runtime")
