"""Helpers of the reply sources: looking into a payload, answers in plain JSON, how much of an error is told."""

from __future__ import annotations

from router.encode import dumps
from router.errors import (
    AnswerTooLarge,
    AppError,
    EncodeError,
    HTTPError,
    InvalidEvent,
    NoRoute,
    RecordsFailed,
    RouterError,
    SessionError,
    text_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
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


def written(answer: Any) -> Any:
    """Return an answer that repeats parts of the payload. Raises EncodeError for what cannot be sent."""
    dumps(answer)
    return answer


# About what the client sent, or what it would have got. The texts of other errors name handlers, files and resources.
_ABOUT_THE_CLIENT = (InvalidEvent, SessionError, AnswerTooLarge)


def told(error: BaseException) -> tuple[str, str]:
    """Return the type and message of an error as a client may see them, as over HTTP; neither of any other error.

    The type of an `AppError` is its code, which says more to a client than the name of a class.
    """
    if isinstance(error, HTTPError):
        from router.http.statuses import reason

        kind = error.code if isinstance(error, AppError) else type(error).__name__
        return kind, error.detail or reason(error.status)
    if isinstance(error, NoRoute):
        return "NoRoute", "nothing is registered for this"  # its own message names what is: that is for the log
    if isinstance(error, _ABOUT_THE_CLIENT):
        return type(error).__name__, text_of(error)
    return "InternalError", "an internal error; the log has its cause"


def raise_told(error: Exception) -> NoReturn:
    """Fail the call with no more of an error than a client may see: its message is shown to the client."""
    message = told(error)[1]
    if isinstance(error, HTTPError):
        if str(error) == message or type(error).__str__ is AppError.__str__:  # which adds the code to the message
            raise error
        raise HTTPError(error.status, message) from error  # its own text is for the log
    if isinstance(error, _ABOUT_THE_CLIENT):
        raise error
    raise RouterError(message) from error


def reported(error: BaseException) -> str:
    """Return what a report for operators says of an error: of one that is not the library's, the class alone.

    `RecordsFailed` quotes the errors of others.
    """
    if isinstance(error, RouterError) and not isinstance(error, RecordsFailed):
        return f"{type(error).__name__}: {text_of(error)}"
    return type(error).__name__


def answered(error: Exception, answer: Callable[[Response], Any]) -> Any:
    """Return the answer that an error makes; where its detail, headers or members cannot be sent, that of a 500.

    answer: makes an answer of a problem document.
    """
    try:
        return answer(problem_of(error))
    except RouterError as unsent:
        from logging import getLogger

        getLogger("router").error("%s cannot be answered: %a", type(error).__name__, text_of(unsent))  # noqa: TRY400 - no traceback: its messages may be a client's
        return answer(problem_of(RouterError()))


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
