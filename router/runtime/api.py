"""The Runtime API of Lambda, version 2018-06-01: take an event, send its answer or its error."""

from __future__ import annotations

import json
from base64 import b64encode
from http.client import HTTPConnection, HTTPException

from router.streaming import ClientGone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPMessage, HTTPResponse
    from socket import socket
    from typing import Any

    from router.runtime.termination import Termination

_RUNTIME = "/2018-06-01/runtime"
_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
# The cause of an error that X-Ray shows is a header, and a line of one has an end.
_LONGEST_CAUSE = 60_000


class Invocation:
    """One event to handle. body: as it was sent, JSON. headers: what Lambda says about it."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: HTTPMessage, body: bytes) -> None:
        self.headers = headers
        self.body = body

    @property
    def request_id(self) -> str:
        """Return its id, which its answer has to name."""
        return self.headers.get("Lambda-Runtime-Aws-Request-Id", "")


class RuntimeApi:
    """The client's side.

    address: host and port, the value of AWS_LAMBDA_RUNTIME_API.
    termination: ends the wait for an event.
    """

    def __init__(self, address: str, termination: Termination | None = None) -> None:
        self._address = address
        self._termination = termination
        self._connection = HTTPConnection(address)

    def next(self) -> Invocation:
        """Wait for the next event.

        Raises:
            OSError, HTTPException: the API cannot be reached, or does not answer as it must.
        """
        response, body = self._ask("GET", f"{_RUNTIME}/invocation/next", waits=True)
        if response.status != 200:
            raise HTTPException(f"the Runtime API answered {response.status} when it was asked for an event")
        return Invocation(response.headers, body)

    def respond(self, invocation: Invocation, body: bytes, content_type: str = "application/json") -> int:
        """Send an answer whole, and return the status: 202 when it was taken."""
        path = f"{_RUNTIME}/invocation/{invocation.request_id}/response"
        return self._post(path, body, {"Content-Type": content_type, **_echo(invocation)})

    def stream(self, invocation: Invocation, head: bytes) -> Sending:
        """Begin to send an answer in chunks.

        head: what goes in front of the body; it leaves together with the first chunk.
        """
        return Sending(self._address, invocation, head)

    def fail(self, invocation: Invocation, error: Mapping[str, Any], cause: Mapping[str, Any]) -> int:
        """Send an error in the place of an answer, and return the status.

        cause: the error as X-Ray shows it.
        """
        headers = {
            "Content-Type": "application/json",
            _ERROR_TYPE: _ascii(str(error["errorType"])),
            **_echo(invocation),
        }
        written = json.dumps(cause)
        if len(written) <= _LONGEST_CAUSE:
            headers["Lambda-Runtime-Function-XRay-Error-Cause"] = written
        return self._post(f"{_RUNTIME}/invocation/{invocation.request_id}/error", json.dumps(error).encode(), headers)

    def fail_init(self, error: Mapping[str, Any]) -> int:
        """Say why no event can be handled, and return the status."""
        return self._post(f"{_RUNTIME}/init/error", json.dumps(error).encode(), _of_error(error))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        return self._ask("POST", path, body, headers)[0].status

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        waits: bool = False,
    ) -> tuple[HTTPResponse, bytes]:
        """Send a request, and return the response and its body.

        waits: whether the response may take for ever.

        The connection is kept. It may have been closed while a handler ran, or a stream was sent: then once more.
        """
        try:
            return self._ask_once(method, path, body, headers, waits)
        except ConnectionError:
            self._connection.close()
            return self._ask_once(method, path, body, headers, waits)

    def _ask_once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None, waits: bool
    ) -> tuple[HTTPResponse, bytes]:
        self._connection.request(method, path, body, dict(headers or {}))
        if waits and self._termination is not None:
            wait_for(self._connection.sock, self._termination)
        response = self._connection.getresponse()
        return response, response.read()


def wait_for(answer: socket, termination: Termination) -> None:
    """Wait until an answer comes, or the process is to end. Any other signal does not end the wait."""
    from select import POLLIN, poll

    waiting = poll()
    for one in (answer, termination):
        waiting.register(one, POLLIN)
    while True:
        ready = [one for one, _ in waiting.poll()]
        if termination.fileno() in ready:
            termination.hear()
        if answer.fileno() in ready:
            return


class Sending:
    """An answer on its way: HTTP/1.1 chunks on a connection of their own, which ends with it."""

    def __init__(self, address: str, invocation: Invocation, head: bytes) -> None:
        self._head = head
        self._connection = HTTPConnection(address)
        headers = {
            "Content-Type": "application/vnd.awslambda.http-integration-response",
            "Lambda-Runtime-Function-Response-Mode": "streaming",
            "Transfer-Encoding": "chunked",
            "Trailer": f"{_ERROR_TYPE}, {_ERROR_BODY}",
            "Connection": "close",
            **_echo(invocation),
        }
        self._connection.putrequest("POST", f"{_RUNTIME}/invocation/{invocation.request_id}/response")
        for name, value in headers.items():
            self._connection.putheader(name, value)
        self._connection.endheaders()

    def write(self, chunk: bytes) -> None:
        """Send a chunk. Raises ClientGone when nobody takes it."""
        if self._head:
            chunk, self._head = self._head + chunk, b""
        self._send(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    def finish(self, error: tuple[str, str] | None = None) -> int:
        """End the answer, and return the status.

        error: type and message of what ended it before its time; it goes behind the body, in trailing headers.

        Raises:
            ClientGone: nobody takes it.
        """
        if self._head:
            self.write(b"")
        trailer = b""
        if error is not None:
            told = b64encode(json.dumps({"errorType": error[0], "errorMessage": error[1]}).encode()).decode()
            trailer = f"{_ERROR_TYPE}: {_ascii(error[0])}\r\n{_ERROR_BODY}: {told}\r\n".encode()
        try:
            self._send(b"0\r\n" + trailer + b"\r\n")
            response = self._connection.getresponse()
            response.read()
        except (OSError, HTTPException) as failure:
            raise ClientGone(f"the answer was not taken: {failure}") from failure
        finally:
            self._connection.close()
        return response.status

    def abandon(self) -> None:
        """Close the connection in the middle of the answer."""
        self._connection.close()

    def _send(self, data: bytes) -> None:
        try:
            self._connection.send(data)
        except OSError as error:
            self._connection.close()
            raise ClientGone(f"the rest of the answer was not taken: {error}") from error


def _of_error(error: Mapping[str, Any]) -> dict[str, str]:
    return {"Content-Type": "application/json", _ERROR_TYPE: _ascii(str(error["errorType"]))}


def _echo(invocation: Invocation) -> dict[str, str]:
    """Return the header that says which attempt at an event is answered, where Lambda has named it."""
    attempt = invocation.headers.get("Lambda-Runtime-Invocation-Id")
    return {} if attempt is None else {"Lambda-Runtime-Invocation-Id": attempt}


def _ascii(text: str) -> str:
    """Return a text that can be the value of a header."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:256]
