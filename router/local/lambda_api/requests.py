"""Reading requests of Lambda's API: the function, the payload within its limits, the client context."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, Any

from router.local.lambda_api.refusals import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request

SYNCHRONOUS_LIMIT = 6 * 1024 * 1024
"""The most bytes of the payload of a call whose answer is waited for."""
ASYNCHRONOUS_LIMIT = 1024 * 1024
"""The most bytes of the payload of an asynchronous call."""
ANSWER_LIMIT = SYNCHRONOUS_LIMIT + 100
"""The most bytes of an answer."""
_CONTEXT_LIMIT = 3583  # bytes of the client context in base64
# A client that is refused before it has sent everything sees a broken connection in place of the reason.
_READ_ON = 64 * 1024 * 1024


async def body_of(request: Request, limit: int = SYNCHRONOUS_LIMIT) -> bytes:
    """Return the body of a request.

    limit: the most bytes.

    Raises:
        Refusal: it is larger.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size <= limit:
            parts.append(part)
        elif size > _READ_ON:
            break
    if size > limit:
        # The service model names another code, RequestTooLargeException, which the service does not send.
        message = (
            f"{size} byte payload is too large for the Event invocation type (limit {limit} bytes)"
            if limit == ASYNCHRONOUS_LIMIT
            else f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        )
        raise Refusal(413, "RequestEntityTooLargeException", message)
    return b"".join(parts)


def payload_of(body: bytes) -> Any:
    """Return the event in a body. An empty one is the event {}.

    Raises:
        Refusal: it is not JSON.
    """
    if not body:
        return {}
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        message = f"Could not parse request body into json: {error}"
        raise Refusal(400, "InvalidRequestContentException", message) from None


def client_context_of(request: Request) -> dict[str, Any] | None:
    """Return the client context in the headers of a request; None without.

    Raises:
        Refusal: it is too long, or is not a JSON object in base64.
    """
    text = request.headers.get("x-amz-client-context")
    if not text:
        return None
    if len(text) > _CONTEXT_LIMIT:
        message = f"Client context must be at most {_CONTEXT_LIMIT} bytes when base64-encoded"
        raise Refusal(400, "InvalidRequestContentException", message)
    try:
        context = json.loads(b64decode(text, validate=True))
    except (Base64Error, ValueError, RecursionError):
        context = None
    if not isinstance(context, dict):
        message = "Client context must be a valid Base64-encoded JSON object."
        raise Refusal(400, "InvalidRequestContentException", message)
    return context


def choice_of(request: Request, header: str, choices: tuple[str, ...]) -> str:
    """Return the value of a header that takes one of several; the first where there is none.

    Raises:
        Refusal: it is another one.
    """
    value = request.headers.get(header) or choices[0]
    if value not in choices:
        message = f"{header}: {value!r:.100} is not one of {', '.join(choices)}"
        raise Refusal(400, "InvalidParameterValueException", message)
    return value


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
