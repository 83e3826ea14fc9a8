"""Helpers of the reply sources: looking into a payload, answers in plain JSON, how much of an error is told."""

from __future__ import annotations

from router.encode import dumps
from router.errors import AnswerTooLarge, EncodeError, HTTPError, InvalidEvent, NoRoute, RouterError, SessionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from router.event import Event
    from router.http.headers import Headers
    from router.response import Response

# Lambda's limit for a synchronous answer (Lambda quotas).
LIMIT = 6 * 1024 * 1024


def dig(value: Any, *keys: str) -> Any:
    """Return a value inside a payload; None where the way to it ends."""
    for key in keys:
        if type(value) is not dict:
            return None
        value = value.get(key)
    return value


def text_at(value: Any, *keys: str) -> str | None:
    """Return the text inside a payload; None for anything else, the empty text included."""
    found = dig(value, *keys)
    return found if type(found) is str and found else None


def object_at(value: Any, *keys: str) -> dict[str, Any]:
    """Return the object inside a payload; an empty one for anything else."""
    found = dig(value, *keys)
    return found if type(found) is dict else {}


def headers_in(event: Event, part: Any, *keys: str) -> Headers:
    """Return the headers that an object inside a part of the payload holds. A value that is no text is refused."""
    from router.http.headers import Headers

    held = object_at(part, *keys)
    for name, value in held.items():
        if type(value) is not str:
            event._refuse(f"{event.source} {'.'.join(keys)}.{name}: must be text, not {type(value).__name__}")
    return Headers([(name, [value]) for name, value in held.items()])


def json_bytes(event: Event, value: Any, what: str) -> bytes:
    """Return a part of the payload, `what`, as JSON. What cannot be written (a lone surrogate) is refused."""
    try:
        return dumps(value)
    except EncodeError as error:
        event._refuse(f"{event.source} {what}: {error}")


def text_bytes(event: Event, text: str, what: str) -> bytes:
    """Return a text of the payload, `what`, as UTF-8. Lone surrogates are refused."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        event._refuse(f"{event.source} {what}: not valid text (character {error.start})")


def plain_answer(result: Any, limit: int = LIMIT) -> Any:
    """Return the result as the runtime client can write it: plain JSON values, whatever the handler returned.

    Raises AnswerTooLarge over `limit` bytes, EncodeError for what has no JSON form.
    """
    if result is None or type(result) is bool:
        return result
    written = dumps(result)
    if len(written) > limit:
        raise AnswerTooLarge(f"the answer has {len(written):,} bytes; this source takes {limit:,}")
    from json import loads

    return loads(written)  # orjson would make a float of an integer over 64 bits


def told(error: BaseException) -> tuple[str, str]:
    """Return the type and message of an error as a caller may see them; neither of an error that is not ours."""
    if isinstance(error, HTTPError):
        from router.response import reason

        return type(error).__name__, error.detail or reason(error.status)
    if isinstance(error, NoRoute):
        return "NoRoute", "nothing is registered for this"  # its own message names what is: that is for the log
    if isinstance(error, RouterError):
        return type(error).__name__, str(error)
    return "InternalError", "an internal error; the log has its cause"


def raise_told(error: Exception) -> NoReturn:
    """Fail the call with no more of an error than a caller may see: its message is shown to the client."""
    if isinstance(error, RouterError) and not isinstance(error, NoRoute):
        raise error
    raise RouterError(told(error)[1]) from error


def problem_of(error: Exception) -> Response:
    """Return the problem document of an error: what an HTTPError says for the client, and little about the rest."""
    from router.response import problem

    if isinstance(error, HTTPError):
        # The document's own members cannot be replaced.
        members = {name: value for name, value in error.members.items() if name not in ("status", "title", "detail")}
        return problem(error.status, error.detail, error.headers, **members)
    if isinstance(error, InvalidEvent | SessionError):
        return problem(400, str(error))
    return problem(404 if isinstance(error, NoRoute) else 500)
