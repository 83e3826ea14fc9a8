"""`Calls`: run calls of the application and send what comes of them, as Lambda's runtime does."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from functools import partial
from logging import getLogger
from typing import TYPE_CHECKING, Any

import orjson

from router.local.process.failures import stack_of
from router.local.process.sending import Sending
from router.local.process.wire import BROKEN_WIRE, Kind, WireError, dumps, frame, raw_frame
from router.local.watch.failures import failure_of
from router.middleware.recording.replayed import ATTRIBUTE
from router.runtime.context import LambdaContext
from router.runtime.loop import Unwritable, described, driven, written
from router.runtime.start import STREAMING
from router.sources._replies import told
from router.streaming import ClientGone, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from router.local.process.wire import Wire
    from router.local.watch import Watch

LARGEST_ANSWER = 6 * 1024 * 1024 + 100
"""The most bytes that Lambda takes as an answer that is not streamed."""

_DEBUGGERS = frozenset({"bdb", "pdb", "ipdb", "pudb", "debugpy", "pydevd", "_pydevd_bundle"})
_MOST_SEEN = 16 * 1024 * 1024  # bytes of what was observed in one call


class Invocation:
    """Stand for an invocation of the Runtime API: what `LambdaContext` reads."""

    __slots__ = ("headers", "request_id")

    def __init__(self, call: Mapping[str, Any]) -> None:
        self.request_id: str = call["request"]
        self.headers: dict[str, str] = {
            "Lambda-Runtime-Deadline-Ms": str(call["deadline"]),
            "Lambda-Runtime-Invoked-Function-Arn": call["function"]["arn"],
        }
        if call["client"] is not None:
            self.headers["Lambda-Runtime-Client-Context"] = json.dumps(call["client"])


class Calls:
    """The calls that are under way.

    wire: takes what comes of them. handler: of the application.
    watch: observes them.
    """

    def __init__(self, wire: Wire, handler: Callable[[Any, Any], Any], watch: Watch) -> None:
        self._wire = wire
        self._handler = handler
        self._watch = watch
        self._pid = os.getpid()
        self._threads: dict[int, tuple[int, str]] = {}  # the thread and the request id of each call
        self._sendings: dict[int, Sending] = {}

    def work(self, call: Mapping[str, Any]) -> Callable[[], None]:
        """Return what runs a call."""
        return partial(self._run, call)

    def credit(self, number: int, size: int) -> None:
        """Note that so many bytes of a stream were taken; None of them is wanted any more where it is negative."""
        sending = self._sendings.get(number)
        if sending is not None:
            sending.credit(size)

    def tell_where(self, number: int) -> None:
        """Send which line a call is at, and whether a debugger holds it."""
        thread, request = self._threads.get(number, (0, ""))
        held = sys._current_frames().get(thread)
        found: dict[str, Any] = {"id": number, "frames": [], "seen": [], "debugged": _is_debugged(held)}
        if held is not None:
            found["frames"] = stack_of(held)
        if not found["debugged"]:  # the call is given up now
            found["seen"] = self._watch.collect(request)
        self._wire.send(frame(Kind.AT, found))

    # ---- one call --------------------------------------------------------------------------------------------------

    def _run(self, call: Mapping[str, Any]) -> None:
        number = call["id"]
        self._threads[number] = (threading.get_ident(), call["request"])
        try:
            answer = self._answer(call)
        except SystemExit as left:
            self._leave(number, left)
        except BaseException as error:
            self._check_process()
            try:
                answer = self._failed(call, error)
            except Exception:  # an error that cannot be told must not leave its caller without an answer
                getLogger("router.local").exception("an error of the application cannot be told")
                told = {"errorType": type(error).__name__, "errorMessage": "it cannot be told: see the log"}
                answer = frame(Kind.ANSWER, {"id": number, "error": told, "seen": []})
        finally:
            self._threads.pop(number, None)
            self._sendings.pop(number, None)
        self._check_process()
        try:
            self._wire.send(answer)
        except OSError as error:  # the gateway is gone, or the application has closed what is not its own
            sys.stderr.write(f"the gateway cannot be told of a call: {error}\n")
            sys.stderr.flush()
            os._exit(BROKEN_WIRE)

    def _answer(self, call: Mapping[str, Any]) -> bytes:
        trace = call["trace"]
        if trace is not None:  # of the last call that began, as far as there are several
            os.environ["_X_AMZN_TRACE_ID"] = trace
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        if call["doomed"]:
            self._watch.doom(call["request"])
        streams = call["streams"]
        context: Any = LambdaContext(Invocation(call), STREAMING if streams else ())  # type: ignore[arg-type]
        context.function_name = call["function"]["name"]
        context.memory_limit_in_mb = call["function"]["memory"]
        setattr(context, ATTRIBUTE, call["replay"])
        answer = self._handler(call["event"], context)
        if streams and isinstance(answer, dict) and isinstance(answer.get("body"), Stream):
            return self._stream(call, context, answer)
        body, kind = written(answer)
        if len(body) > LARGEST_ANSWER:
            raise _TooLarge(
                f"Response payload size ({len(body)} bytes) exceeded maximum allowed payload size "
                f"({LARGEST_ANSWER} bytes)."
            )
        if kind != "application/json":
            return self._told(call, {"answer": body.decode("utf-8", "replace")})
        if b"NaN" in body or b"Infinity" in body:
            json.loads(body, parse_constant=_refuse_constant)
        return self._told(call, {"answer": orjson.Fragment(body)})

    def _failed(self, call: Mapping[str, Any], error: BaseException) -> bytes:
        frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename != __file__]
        result = described(error, traceback.format_list(frames))
        result["requestId"] = call["request"]
        getLogger("router.local").error("%s: %s", result["errorType"], result["errorMessage"], exc_info=error)
        return self._told(call, {"error": result, "failure": failure_of(error)})

    def _told(self, call: Mapping[str, Any], outcome: dict[str, Any]) -> bytes:
        """Return the frame that ends a call. What was observed is left out where it would be too large."""
        seen = self._watch.collect(call["request"])
        outcome["id"] = call["id"]
        try:
            held = dumps(seen)
        except WireError as error:
            held, outcome["unseen"] = b"[]", str(error)
        if len(held) > _MOST_SEEN:
            held, outcome["unseen"] = b"[]", f"what was observed has {len(held):,} bytes"
        outcome["seen"] = orjson.Fragment(held)
        return raw_frame(Kind.ANSWER, orjson.dumps(outcome))

    def _stream(self, call: Mapping[str, Any], context: LambdaContext, answer: dict[str, Any]) -> bytes:
        """Send a body chunk by chunk, and return the frame that ends the call."""
        number, body = call["id"], answer["body"]
        head = {name: value for name, value in answer.items() if name not in ("body", "isBase64Encoded")}
        sending = self._sendings[number] = Sending(number, self._wire, context)
        try:
            self._wire.send(frame(Kind.BEGAN, {"id": number, "answer": json.loads(written(head)[0])}))
        except BaseException as error:
            driven(body, body.close(error))
            raise
        try:
            driven(body, body.send(sending.write))
        except ClientGone:
            return self._told(call, {"answer": None, "gone": True})
        except Exception as error:  # the log has it: the stream has been closed, and reported it
            kind, message = told(error)
            result = {"errorType": kind, "errorMessage": message, "stackTrace": []}
            return self._told(call, {"error": result, "failure": failure_of(error)})
        return self._told(call, {"answer": None})

    def _leave(self, number: int, left: SystemExit) -> None:
        """End the process as a handler wants it: not at once, since other calls are under way in it."""
        status = left.code if isinstance(left.code, int) else 0 if left.code is None else 1
        if status == 1 and left.code != 1:
            sys.stderr.write(f"{left.code}\n")
        self._check_process(status)
        try:
            self._wire.send(frame(Kind.LEAVES, {"id": number, "status": status & 0xFF}))
        except OSError:
            pass
        threading.Event().wait()  # this thread has ended for the application; the gateway ends the process

    def _check_process(self, status: int = 70) -> None:
        """End a copy of the process that a handler forked, and that came back from it as if it were the process."""
        if os.getpid() != self._pid:
            sys.stderr.write("a fork of the application came back from the handler: it is ended; use os._exit()\n")
            sys.stderr.flush()
            os._exit(status)


class _TooLarge(ValueError):
    """The answer is larger than Lambda takes."""

    lambda_type = "Function.ResponseSizeTooLarge"


def _refuse_constant(name: str) -> Any:
    raise Unwritable(f"the answer cannot be written as JSON: {name} has no JSON form")


def _is_debugged(frame_: Any) -> bool:
    """Return whether a debugger holds a thread: its own code is on the stack then."""
    while frame_ is not None:
        if str(frame_.f_globals.get("__name__")).partition(".")[0] in _DEBUGGERS:
            return True
        frame_ = frame_.f_back
    return False
