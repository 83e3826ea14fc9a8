"""Send a recorded payload: to a resolver in this process, to Lambda's Invoke, or as a request over HTTP."""

from __future__ import annotations

import json
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlencode, urlsplit

from router.middleware.recording.form import RecordingError
from router.middleware.recording.replayed import HEADER
from router.testing.context import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    from router.middleware.recording.form import Recording
    from router.resolver import Resolver

    Answered = tuple[Any, dict[str, Any] | None]  # an answer, and an error

    class Target(Protocol):
        """Something that answers a payload."""

        def send(self, recording: Recording, payload: Any) -> Answered | None:
            """Return an answer and an error; None where the target does not take such a recording."""


_INVOKE = "/2015-03-31/functions/"
_TIMEOUT = 60.0  # seconds
_NOT_SENT = {"host", "content-length", "transfer-encoding", "connection"}


class Here:
    """A resolver in this process."""

    def __init__(self, resolver: Resolver, context: Any = None) -> None:
        self.resolver = resolver
        self._context = context

    def send(self, recording: Recording, payload: Any) -> Answered:
        """Return the answer of the resolver, or the error that it raised."""
        from router.middleware.recording.writing import error_of

        try:
            answer = self.resolver.resolve(payload, self._context or _context_of(recording))
            return (json.loads(json.dumps(answer, default=_refuse)), None)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return None, error_of(error)


def _refuse(value: Any) -> Any:
    raise TypeError(f"the answer holds {type(value).__name__}, which is not JSON")


def _context_of(recording: Recording) -> Context:
    held = recording.context
    context = Context(tenant_id=held.get("tenant_id"), client_context=held.get("client_context"))
    if isinstance(held.get("function_arn"), str):
        context.invoked_function_arn = held["function_arn"]
    return context


class Server:
    """A server that is reached by HTTP.

    url: `http://127.0.0.1:3000`. network: whether it may be on another machine.

    Raises:
        RecordingError: the URL is none, or is of another machine.
    """

    def __init__(self, url: str, *, network: bool = False) -> None:
        from router.testing.replay.network import is_here

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RecordingError(f"--against {url!r:.120}: write it as http://127.0.0.1:3000")
        if not network and not is_here(parts.hostname):
            raise RecordingError(f"--against {url!r:.120}: it is on another machine; --network allows it")
        try:
            self._port = parts.port
        except ValueError:
            raise RecordingError(f"--against {url!r:.120}: the port is not a number from 0 to 65535") from None
        self._host, self._is_secure = parts.hostname, parts.scheme == "https"
        self.url = url
        self.path = parts.path.rstrip("/")

    def call(self, method: str, path: str, body: bytes | None = None, headers: Any = ()) -> tuple[int, Any, bytes]:
        """Send a request. Return the status, the headers and the body.

        Raises:
            RecordingError: nothing answers.
        """
        kind = HTTPSConnection if self._is_secure else HTTPConnection
        connection = kind(self._host, self._port, timeout=_TIMEOUT)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value.encode("utf-8"))
            if body is not None:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, HTTPException, ValueError) as error:
            raise RecordingError(f"--against {self.url}: {method} {path:.200} failed: {error}") from None
        finally:
            connection.close()


class Invoke:
    """Lambda's Invoke: of the local gateway, or of anything else that speaks as Lambda does.

    functions: the names of those that there are; empty where the URL names one.
    """

    def __init__(self, server: Server, functions: Sequence[str] = ()) -> None:
        self._server = server
        self._functions = functions

    def send(self, recording: Recording, payload: Any) -> Answered:
        """Return what the function answered."""
        headers = [("content-type", "application/json"), ("x-amz-invocation-type", "RequestResponse")]
        headers.append((HEADER, "1"))
        client = recording.context.get("client_context")
        if client is not None:
            headers.append(("x-amz-client-context", b64encode(json.dumps(client).encode()).decode()))
        path = self._path(recording) if self._functions else self._server.path
        status, fields, body = self._server.call("POST", path, json.dumps(payload).encode(), headers)
        try:
            held = json.loads(body) if body else None
        except ValueError:
            held = None
        if fields.get("x-amz-function-error") is not None and isinstance(held, dict):
            return None, {"type": held.get("errorType"), "message": held.get("errorMessage")}
        if status >= 300:
            raise RecordingError(f"--against {self._server.url}: Invoke answered {status}: {body[:200]!r}")
        return held, None

    def _path(self, recording: Recording) -> str:
        """Return the path of the function that a recording is of: the one of that name, or the only one."""
        _, _, named = str(recording.context.get("function_arn", "")).partition(":function:")
        name = named.partition(":")[0]
        if name not in self._functions:
            if len(self._functions) > 1:
                url, there = self._server.url.rstrip("/"), ", ".join(self._functions)
                raise RecordingError(
                    f"--against {url}: {recording} is of the function {name or '?'}, and there are {there}: "
                    f"name one, {url}{_INVOKE}NAME/invocations"
                )
            name = self._functions[0]
        return f"{_INVOKE}{name}/invocations"


class Requests:
    """An application behind HTTP. Recordings of other sources are left out."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def send(self, recording: Recording, payload: Any) -> Answered | None:
        """Return the answer to the request that was recorded."""
        from router import HttpEvent, read

        events = read(payload)
        if len(events) != 1 or not isinstance(events[0], HttpEvent):
            return None
        event = events[0]
        path = self._server.path + quote(event.path, safe="/%:@!$&'()*+,;=~-._")
        query = payload.get("rawQueryString") or urlencode(list(event.query.multi_items()))
        names = [name for name in event.headers if name.lower() not in _NOT_SENT]
        headers = [(name, value) for name in names for value in event.headers.getall(name)]
        if event.cookies and "cookie" not in event.headers:
            headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in event.cookies.items())))
        body = event.body or None
        status, fields, answered = self._server.call(event.method, f"{path}?{query}" if query else path, body, headers)
        several: dict[str, list[str]] = {}
        for name, value in fields.items():
            several.setdefault(name.lower(), []).append(value)
        held = {"statusCode": status, "multiValueHeaders": several, "isBase64Encoded": True}
        return {**held, "body": b64encode(answered).decode()}, None


def target_of(url: str, *, network: bool) -> Target:
    """Return what stands behind a URL.

    url: of Lambda's Invoke (`.../2015-03-31/functions/NAME/invocations`), of a local gateway, or the base of an
        application behind HTTP.

    Raises:
        RecordingError: the URL is none, is of another machine, or nothing answers.
    """
    server = Server(url, network=network)
    if _INVOKE in server.path:
        return Invoke(server)
    functions = [] if server.path else _functions(server)
    return Invoke(server, functions) if functions else Requests(server)


def _functions(server: Server) -> list[str]:
    """Return the names of the functions of a server that speaks as Lambda does; none of another."""
    status, _, body = server.call("GET", _INVOKE)
    try:
        held = json.loads(body) if status == 200 else None
    except ValueError:
        return []
    found = held.get("Functions") if isinstance(held, dict) else None
    return [str(one.get("FunctionName")) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
