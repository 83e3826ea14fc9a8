"""What a handler returned, as the chain passes it on: a Response on HTTP, on any other source the thing itself."""

from __future__ import annotations

from router.encode import JSON, dumps
from router.errors import ConfigurationError
from router.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event


def shape(event: Event, result: Any) -> Any:
    """The result as middleware sees it."""
    return to_response(result) if event.speaks_http else result


def to_response(result: Any) -> Response:
    """dict, list and models as JSON, str as text, bytes as they are, None as 204, `(body, status[, headers])`."""
    if isinstance(result, Response):
        return result
    if isinstance(result, dict | list):
        return Response(dumps(result).decode(), content_type=JSON)
    if result is None:
        return Response(None, 204)
    if isinstance(result, tuple) and not hasattr(result, "_fields"):
        return _from_tuple(result)
    refuse_unawaited(result)
    return Response(result)


def _from_tuple(result: tuple[Any, ...]) -> Response:
    if not (2 <= len(result) <= 3 and type(result[1]) is int):
        raise ConfigurationError("a handler's tuple must be (body, status) or (body, status, headers)")
    response = to_response(result[0])
    if type(result[0]) is not Response:
        response.status = 200 if result[0] is not None else response.status
    response = Response(response.body, result[1], dict(response.headers)) if response.status != result[1] else response
    for name, value in (result[2] if len(result) == 3 else {}).items():
        response.headers[name] = value
    return response


def refuse_unawaited(result: Any) -> None:
    """A sync handler that hands back a coroutine has not done its work."""
    if hasattr(result, "__await__"):
        close = getattr(result, "close", None)
        if close is not None:
            close()
        raise ConfigurationError("the handler returned something that must be awaited; declare it `async def`")
