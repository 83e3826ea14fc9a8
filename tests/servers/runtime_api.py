"""The Lambda Runtime API, as the Lambda service offers it to the process that runs a handler.

The HTTP interface of https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html (version 2018-06-01). Errors that
Lambda itself makes up have the types and messages of the real service: `Runtime.ExitError`, `Sandbox.Timedout`,
`Function.ResponseSizeTooLarge`.
"""

from __future__ import annotations

import json
import secrets
import select
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Self

from tests.servers.chunked import Broken, Streamed, read_chunks
from tests.servers.lambda_errors import broken, timed_out, too_large

FUNCTION_NAME = "junction"
FUNCTION_ARN = f"arn:aws:lambda:eu-west-1:123456789012:function:{FUNCTION_NAME}"

RESPONSE_LIMIT = 6 * 1024 * 1024 + 100
"""The most bytes a handler may answer with, which the service counts as 6 MB and a little."""

_PREFIX = "/2018-06-01/runtime"
_DISCONNECT_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Invocation:
    """What came of one invocation: a result, or an error as Lambda hands it to the caller."""

    request_id: str
    result: Any
    """The parsed JSON answer, bytes when the answer is not JSON, None after an error."""
    error: dict[str, Any] | None
    """`errorType`, `errorMessage` and, from the handler's own exceptions, `stackTrace`."""
    body: bytes
    """The answer or the error as it was sent, byte for byte; empty when the runtime sent none."""
    duration: float
    """Seconds from handing the event to the runtime to its answer."""
    streamed: Streamed | None = None
    """The answer as it came in, when the runtime sent it in chunks."""


@dataclass(slots=True, eq=False)
class _Call:
    """An invocation on its way."""

    request_id: str
    payload: bytes
    headers: dict[str, str]
    done: threading.Event = field(default_factory=threading.Event)
    started: float = field(default_factory=time.perf_counter)
    duration: float = 0.0
    body: bytes = b""
    error: dict[str, Any] | None = None
    streamed: Streamed | None = None
    keep: bool = True
    most_chunks: int | None = None

    def outcome(self) -> Invocation:
        """What the caller of a call that is done gets to see."""
        result = _parse(self.body) if self.error is None else None
        return Invocation(self.request_id, result, self.error, self.body, self.duration, self.streamed)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


class _Exchange:
    """Brings callers and runtimes together; all its methods may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[_Call] = deque()
        self._running: dict[str, _Call] = {}
        self._end: str | None = None  # why there is no runtime any more
        self._init_error: dict[str, Any] | None = None
        self.snapshots = 0
        self.polled = threading.Event()  # set by the first poll, and by all that makes waiting for it vain

    def submit(self, call: _Call) -> None:
        """Queues a call; without a runtime it is answered with an error at once."""
        with self._changed:
            if self._end is not None:
                self._fail(call)
                return
            self._waiting.append(call)
            self._changed.notify_all()  # among those who wait may be one that has been killed

    def take(self, connection: socket.socket) -> _Call | None:
        """Waits for the next call; None when the runtime has gone away, or the API is closed."""
        self.polled.set()
        with self._changed:
            while self._end is None and not _hung_up(connection):
                if self._waiting:
                    call = self._waiting.popleft()
                    self._running[call.request_id] = call
                    call.started = time.perf_counter()
                    return call
                self._changed.wait(_DISCONNECT_POLL_S)
        return None

    def running(self, request_id: str) -> _Call | None:
        """The call with an id, when it is running."""
        with self._changed:
            return self._running.get(request_id)

    def _settle(self, request_id: str, body: bytes, error: dict[str, Any] | None) -> bool:
        """Ends a running call with an answer or an error; False when no such call is running."""
        with self._changed:
            call = self._running.pop(request_id, None)
        if call is None:
            return False
        _settle(call, body, error)
        return True

    def give_up(self, call: _Call, error: dict[str, Any]) -> None:
        """Ends a call whose time is over, wherever it is; one that was answered meanwhile stays as it is."""
        with self._changed:
            if call in self._waiting:
                self._waiting.remove(call)
            self._running.pop(call.request_id, None)
            if not call.done.is_set():
                _settle(call, b"", error)

    def fail_init(self, error: dict[str, Any]) -> None:
        """Remembers why the runtime could not load the handler: every call gets to hear it."""
        with self._changed:
            self._init_error = error

    def end(self, reason: str) -> None:
        """Answers all calls, those to come included, with an error: no runtime is left to do it."""
        with self._changed:
            if self._end is None:
                self._end = reason
            for call in [*self._running.values(), *self._waiting]:
                self._fail(call)
            self._running.clear()
            self._waiting.clear()
            self._changed.notify_all()
        self.polled.set()

    def _fail(self, call: _Call) -> None:
        error = self._init_error or {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {call.request_id} Error: {self._end}",
        }
        _settle(call, b"", error)


def _settle(call: _Call, body: bytes, error: dict[str, Any] | None) -> None:
    call.body = body
    call.error = error
    call.duration = time.perf_counter() - call.started
    call.done.set()


def _hung_up(connection: socket.socket) -> bool:
    """Whether the other side has closed the connection; a runtime that waits sends nothing."""
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


class _Listener(ThreadingTCPServer):
    """Accepts runtime clients, a thread each. (`http.server` would look up the host's name, which may take seconds.)"""

    daemon_threads = True

    def __init__(self, exchange: _Exchange) -> None:
        super().__init__(("127.0.0.1", 0), _RequestHandler)
        self.exchange = exchange


class _RequestHandler(BaseHTTPRequestHandler):
    """One connection of a runtime client."""

    server: _Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # the head and the body of an answer leave in one piece

    def do_GET(self) -> None:
        """`/invocation/next`: waits for an event. `/restore/next`: a snapshot is taken, and restored."""
        if self.path == f"{_PREFIX}/restore/next":
            self.server.exchange.snapshots += 1
            self._answer(HTTPStatus.OK, b"{}")
            return
        if self.path != f"{_PREFIX}/invocation/next":
            self._answer(HTTPStatus.NOT_FOUND, b"{}")
            return
        call = self.server.exchange.take(self.connection)
        if call is None:
            self.close_connection = True
            return
        self._answer(HTTPStatus.OK, call.payload, call.headers)

    def do_POST(self) -> None:
        """`/invocation/{id}/response` and `/error`, `/init/error` and `/restore/error`: take an outcome."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            self._take_stream()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match self.path.removeprefix(_PREFIX).split("/"):
            case ["", "init" | "restore", "error"]:
                self.server.exchange.fail_init(self._error(body))
                self._accept(known=True)
            case ["", "invocation", request_id, _] if not self._names_attempt(request_id):
                self._answer(HTTPStatus.BAD_REQUEST, b'{"errorType":"InvalidInvocationId"}')
            case ["", "invocation", request_id, "error"]:
                self._accept(known=self.server.exchange._settle(request_id, body, self._error(body)))
            case ["", "invocation", request_id, "response"] if len(body) > RESPONSE_LIMIT:
                self.server.exchange._settle(request_id, b"", too_large(RESPONSE_LIMIT))
                self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b'{"errorType":"RequestEntityTooLarge"}')
            case ["", "invocation", request_id, "response"]:
                self._accept(known=self.server.exchange._settle(request_id, body, None))
            case _:
                self._answer(HTTPStatus.NOT_FOUND, b"{}")

    def _names_attempt(self, request_id: str) -> bool:
        """Whether an outcome is of the attempt that was handed over; older clients do not say."""
        call = self.server.exchange.running(request_id)
        named = self.headers.get("Lambda-Runtime-Invocation-Id")
        return call is None or named is None or named == call.headers["Lambda-Runtime-Invocation-Id"]

    def _take_stream(self) -> None:
        """Takes an answer in chunks, until it ends, breaks, or the client of the call hangs up."""
        request_id = self.path.removeprefix(f"{_PREFIX}/invocation/").removesuffix("/response")
        call = self.server.exchange.running(request_id)
        self.close_connection = True
        if call is None or self.headers.get("Lambda-Runtime-Function-Response-Mode") != "streaming":
            self._answer(HTTPStatus.BAD_REQUEST, b'{"errorType":"InvalidRequestID"}')
            return
        streamed = call.streamed = Streamed(dict(self.headers), call.started)
        is_whole = False
        with suppress(Broken):
            is_whole = read_chunks(self.rfile, streamed, keep=call.keep, most=call.most_chunks)
        body = b"".join(streamed.chunks)
        self.server.exchange._settle(request_id, body, broken() if streamed.is_broken else None)
        if is_whole:
            self._accept(known=self._names_attempt(request_id))

    def _error(self, body: bytes) -> dict[str, Any]:
        error = _parse(body)
        kind = self.headers.get("Lambda-Runtime-Function-Error-Type", "Runtime.Unknown")
        if isinstance(error, dict):
            return {**error, "runtimeErrorType": kind} if kind.startswith("Runtime.") else error
        return {"errorType": kind, "errorMessage": body.decode(errors="replace")}

    def _accept(self, *, known: bool) -> None:
        if known:
            self._answer(HTTPStatus.ACCEPTED, b'{"status":"OK"}')
        else:
            self._answer(HTTPStatus.BAD_REQUEST, b'{"errorType":"InvalidRequestID"}')

    def _answer(self, status: HTTPStatus, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_expect_100(self) -> bool:
        """Lets a client that asked first send its body, at once in spite of the write buffer."""
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def handle(self) -> None:
        """Serves the connection; a runtime may be killed at any point of it."""
        with suppress(ConnectionError):
            super().handle()

    def finish(self) -> None:
        """Closes the connection, which may be gone already."""
        with suppress(ConnectionError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the log is the runtime's."""


class RuntimeApi:
    """The service's side of a Lambda function: takes invocations and hands them to the runtime that asks for them.

    Invocations from several threads wait in order; a runtime handles one at a time.
    """

    def __init__(self) -> None:
        self._exchange = _Exchange()
        self._listener: _Listener | None = None

    @property
    def address(self) -> str:
        """Host and port, the value of AWS_LAMBDA_RUNTIME_API."""
        if self._listener is None:
            raise RuntimeError("the runtime API is not running")
        return f"127.0.0.1:{self._listener.server_address[1]}"

    def start(self) -> None:
        """Listens on a free port."""
        self._listener = _Listener(self._exchange)
        threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, name="runtime-api", daemon=True
        ).start()

    def stop(self) -> None:
        """Answers what is open with an error, lets go of waiting runtimes and frees the port."""
        self.runtime_ended("the runtime API was closed")
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None

    @property
    def snapshots(self) -> int:
        """How many snapshots were taken: of a process that runs with SnapStart, one."""
        return self._exchange.snapshots

    def wait_for_runtime(self, timeout_s: float) -> bool:
        """Waits until a runtime asked for its first event, or ended before; False after `timeout_s` seconds."""
        return self._exchange.polled.wait(timeout_s)

    def runtime_ended(self, reason: str) -> None:
        """Tells that there is no runtime any more: open and later invocations fail with `reason`."""
        self._exchange.end(reason)

    def invoke(
        self,
        payload: Any,
        *,
        timeout_s: float = 30.0,
        deadline_ms: int | None = None,
        tenant_id: str | None = None,
        trace_id: str | None = None,
        client_context: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        keep: bool = True,
        hang_up_after: int | None = None,
    ) -> Invocation:
        """Hands an event to the runtime and waits for what comes of it; never raises for a failed invocation.

        Args:
            payload: The event: anything that is JSON, or bytes that are sent as they are.
            timeout_s: How long to wait; then the outcome is the error `Sandbox.Timedout`.
            deadline_ms: How many milliseconds the handler is told it has; the timeout unless given.
            tenant_id: The tenant of a function with tenant isolation.
            trace_id: The X-Ray header; a new, unsampled trace unless given.
            client_context: What a mobile client would send along.
            request_id: The invocation's id; a random one unless given.
            keep: Whether the chunks of a streamed answer are kept.
            hang_up_after: After so many chunks the client is gone.
        """
        call = _Call(
            request_id=request_id or str(uuid.uuid4()),
            payload=payload if isinstance(payload, bytes) else json.dumps(payload).encode(),
            headers={},
            keep=keep,
            most_chunks=hang_up_after,
        )
        remaining_ms = deadline_ms if deadline_ms is not None else round(timeout_s * 1000)
        call.headers = {
            "Lambda-Runtime-Aws-Request-Id": call.request_id,
            "Lambda-Runtime-Invocation-Id": secrets.token_hex(8),
            "Lambda-Runtime-Deadline-Ms": str(time.time_ns() // 1_000_000 + remaining_ms),
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
            "Lambda-Runtime-Trace-Id": trace_id or _new_trace_id(),
        }
        if tenant_id is not None:
            call.headers["Lambda-Runtime-Aws-Tenant-Id"] = tenant_id
        if client_context is not None:
            call.headers["Lambda-Runtime-Client-Context"] = json.dumps(client_context)
        self._exchange.submit(call)
        if not call.done.wait(timeout_s):
            self._exchange.give_up(call, timed_out(call.request_id, timeout_s))
        return call.outcome()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


def _new_trace_id() -> str:
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0"
