"""Results of handlers: as a Response, and refused where they were never awaited."""

from __future__ import annotations

from router.encode import dumps
from router.errors import ConfigurationError
from router.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def to_response(result: Any) -> Response:
    """Return the Response that a handler's result stands for.

    dict, list and models are JSON, str is text, bytes stay bytes, None is a 204; `(body, status[, headers])`.

    Raises:
        ConfigurationError: it is a coroutine, a generator, or a tuple of another form.
    """
    kind = type(result)
    if kind is dict or kind is list:
        return Response._ok(dumps(result).decode())
    if isinstance(result, Response):
        return result
    if isinstance(result, dict | list):
        return Response._ok(dumps(result).decode())
    if result is None:
        return Response(None, 204)
    if isinstance(result, tuple) and not hasattr(result, "_fields"):
        return _from_tuple(result)
    refuse_unawaited(result)
    return Response(result)


def _from_tuple(result: tuple[Any, ...]) -> Response:
    if not (2 <= len(result) <= 3 and type(result[1]) is int):
        raise ConfigurationError("a handler's tuple must be (body, status) or (body, status, headers)")
    given = to_response(result[0])
    # A new one: the handler may give the same Response to other requests.
    response = Response(given.body, result[1])
    response.headers.clear()
    for name, values in given.headers.multi().items():
        for value in values:
            response.headers.add(name, value)
    response.cookies = [*given.cookies]
    for name, value in (result[2] if len(result) == 3 else {}).items():
        response.headers[name] = value
    return response


def refuse_unawaited(result: Any, what: str = "the handler") -> None:
    """What hands back a coroutine or a generator has not done its work."""
    if hasattr(result, "__await__"):
        close = getattr(result, "close", None)
        if close is not None:
            close()
        raise ConfigurationError(f"{what} returned something that must be awaited; declare it `async def` and await it")
    if hasattr(result, "throw") or hasattr(result, "athrow"):
        raise ConfigurationError(f"{what} returned a generator, which nobody would run; return the result")
