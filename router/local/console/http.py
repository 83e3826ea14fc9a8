"""Read requests of the API, and answer them: everything is JSON, errors are sentences."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from router.encode import loggable
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import NoReturn

    from starlette.requests import Request

    Endpoint = Callable[[Request], Awaitable[Any]]

LARGEST = 16 * 1024 * 1024
"""Bytes of a request. The largest payload of Lambda has 6 MB; as text in JSON it may be twice as long."""

_log = logging.getLogger(__name__)


class Refused(Exception):
    """Refuse a request, with a status and a sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def route(path: str, method: str, endpoint: Endpoint) -> Route:
    """Return a route whose endpoint returns data, or raises."""

    async def answer(request: Request) -> Response:
        try:
            found = await endpoint(request)
        except Exception as error:
            status, text = refusal_of(error)
            if status == 500:
                _log.exception("the console's API failed: %s %s", request.method, request.url.path)
            return as_json({"error": text}, status)
        return found if isinstance(found, Response) else as_json(found)

    return Route(path, answer, methods=[method])


def as_json(data: Any, status: int = 200) -> Response:
    """Return data as an answer."""
    try:
        text = orjson.dumps(data, loggable)
    except orjson.JSONEncodeError:
        # Half a surrogate pair or a large integer, which may be in a payload and which orjson does not write.
        text = json.dumps(data, default=loggable, separators=(",", ":")).encode()
    return Response(text, status, media_type="application/json")


def refusal_of(error: Exception) -> tuple[int, str]:
    """Return status and sentence of an error: of a wrong request, or else of a fault of the gateway."""
    text = str(error.args[0]) if error.args else type(error).__name__
    if isinstance(error, Refused):
        return error.status, text
    if isinstance(error, LookupError) and not isinstance(error, KeyError | IndexError):
        return 404, text
    if isinstance(error, ValueError | ConfigurationError):
        return 422, text
    return 500, f"the gateway failed: {type(error).__name__}: {text}"


async def not_found(request: Request, error: Exception) -> Response:
    """Answer for a path or method that the API does not have."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        return as_json({"error": f"{request.url.path} does not take {request.method}"}, 405)
    return as_json({"error": f"there is nothing at {request.url.path}"}, 404)


async def body_of(request: Request, *known: str) -> dict[str, Any]:
    """Return the JSON object of a request; an empty body is an empty object.

    known: the keys that it may have.

    Raises:
        Refused: it is too large, not JSON, not an object, or has other keys.
    """
    data = await read_json(request)
    if data is None:
        return {}
    if type(data) is not dict:
        raise Refused(422, "send a JSON object")
    for key in data:
        if key not in known:
            names = ", ".join(known) or "none"
            raise Refused(422, f"{key!r} is not known here; known are: {names}")
    return data


async def read_json(request: Request) -> Any:
    """Return the JSON of a request; None for an empty body.

    Raises:
        Refused: it is too large, or not JSON.
    """
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > LARGEST:
            raise Refused(413, f"a request has {LARGEST} bytes at most")
    if not read.strip():
        return None
    try:
        text = read.decode()
    except UnicodeDecodeError as error:
        raise Refused(400, f"the body is not UTF-8: byte {error.start}") from None
    return parsed(text, "the body")


def parsed(text: str, what: str) -> Any:
    """Return JSON text as data.

    what: its name in errors.

    Raises:
        Refused: it is not JSON; the error says line and column.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise Refused(
            400, f"{what} is not JSON: line {error.lineno}, column {error.colno}: {error.msg.lower()}"
        ) from None
    except RecursionError:
        raise Refused(400, f"{what} is nested too deeply") from None
    except ValueError as error:
        raise Refused(400, f"{what} is not JSON: {error}") from None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a value of JSON")


def number(values: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return a number of the query string.

    Raises:
        Refused: it is not a number from 0 to `most`.
    """
    text = values.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) <= most):
        raise Refused(422, f"{name} is a number from 0 to {most}, not {text!r}")
    return int(text)


def flag(values: Mapping[str, str], name: str) -> bool:
    """Return a yes or no of the query string.

    Raises:
        Refused: it is neither `true` nor `false`.
    """
    text = values.get(name, "false").lower()
    if text not in {"true", "false", "1", "0"}:
        raise Refused(422, f"{name} is true or false, not {text!r}")
    return text in {"true", "1"}


def check_known(values: Mapping[str, str], known: tuple[str, ...]) -> None:
    """Refuse parameters that nothing reads: a filter with a typing error would show everything.

    Raises:
        Refused: one is not known.
    """
    for name in values:
        if name not in known:
            raise Refused(422, f"the parameter {name!r} is not known here; known are: {', '.join(known)}")
