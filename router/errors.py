"""Every error the library raises, all from `RouterError`.

HTTP errors become RFC 9457 `application/problem+json`; on any other source they fail the record or the call.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from enum import Enum
    from typing import Any


def text_of(error: BaseException) -> str:
    """Return the text of an error; where the error itself fails to make one, something that says so."""
    try:
        return str(error)
    except Exception:
        return f"({type(error).__name__} has no text)"


class RouterError(Exception):
    """The root of the library's errors. They can be copied and pickled, whatever arguments a class takes."""

    def __reduce__(self) -> tuple[Any, ...]:
        # By default a copy is made by calling the class with the text alone: not what most take.
        return _copied, (type(self), self.args), vars(self)


def _copied(kind: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    """Return an error without calling its `__init__`; its attributes are set by who copies."""
    made: BaseException = kind.__new__(kind, *args)
    made.args = args
    return made


class ConfigurationError(RouterError, ValueError):
    """The application is put together wrongly; told when it starts, not in production."""


class RouteConflict(ConfigurationError):
    """Two routes that no event could ever tell apart."""


class InvalidEvent(RouterError, ValueError):
    """A payload, or one record of it, lacks what its source promises; the message names the place."""


class SessionError(RouterError, ValueError):
    """A session that is missing, malformed, unsigned, altered or expired."""


class EncodeError(RouterError, TypeError):
    """An answer that cannot be written as JSON; the message names the type."""


class NoRoute(RouterError, LookupError):
    """Nothing is registered for this event. On a record: it fails, so that it reaches the dead-letter queue."""


class WrongFunction(NoRoute):
    """The event belongs to another function of the same application, which the message names. It is never ignored."""


class AnswerTooLarge(RouterError, ValueError):
    """An answer over what the source takes: 6 MB for Lambda, 1 MB for an ALB, 128 KB for a WebSocket message."""


class RecordsFailed(RouterError):
    """Some records of a source that cannot acknowledge one by one failed; the whole call fails so that Lambda retries.

    `failures` holds `(event id, error)` in the order of the records.
    """

    def __init__(self, failures: Sequence[tuple[str, BaseException]], total: int) -> None:
        self.failures = list(failures)
        self.total = total
        shown = "; ".join(f"{id}: {type(error).__name__}: {text_of(error)}" for id, error in self.failures[:5])
        more = f"; and {len(self.failures) - 5} more" if len(self.failures) > 5 else ""
        text = f"{len(self.failures)} of {total} records failed: {shown}{more}"
        # Ids and messages may be a client's; the runtime client ends over what cannot be encoded.
        super().__init__(text.encode(errors="backslashreplace").decode())


class HTTPError(RouterError):
    """An answer with an error status. `detail` is shown to the client; nothing else of the error is.

    `headers` are sent with it; further keyword arguments become members of the problem document (RFC 9457 §3.2).
    """

    status = 500

    def __init__(
        self,
        status: int | None = None,
        detail: str | None = None,
        *,
        headers: Mapping[str, str | int] | None = None,
        **members: Any,
    ) -> None:
        if status is not None:
            if type(status) is not int or not 400 <= status <= 599:
                raise ConfigurationError(f"HTTPError({status!r}): give a status from 400 to 599")
            self.status = status
        self.detail = detail
        self.headers: dict[str, str] = {}
        for name, value in (headers or {}).items():
            self.headers[name] = str(value) if type(value) is int else value  # type: ignore[assignment]  # checked when sent
        self.members = members
        super().__init__(detail or f"HTTP {self.status}")


class _Fixed(HTTPError):
    """An HTTPError whose class fixes the status: `NotFound("no such order")`."""

    def __init__(
        self, detail: str | None = None, *, headers: Mapping[str, str | int] | None = None, **members: Any
    ) -> None:
        super().__init__(None, detail, headers=headers, **members)


class AppError(HTTPError):
    """An error of the application, with a code of its own: `AppError("B00001", "the order is closed")`.

    It is an HTTP error like the others, and its problem document has the member `code`. A class may fix the code, the
    message and the status; then it takes the message alone: `SoldOut()`, `SoldOut("three are left")`.

        class SoldOut(AppError):
            code = "B00017"
            message = "the article is sold out"
            status = 409

    code: text, or a member of an Enum whose value is the code.
    message: shown to the client, as the `detail` of other HTTP errors is.
    status: over HTTP, from 400 to 599.
    headers, members: as of `HTTPError`.

    Raises:
        ConfigurationError: there is no code, or the status is no error.
    """

    status = 400
    code: str = ""
    message: str | None = None

    def __init__(
        self,
        code: str | Enum | None = None,
        message: str | None = None,
        *,
        status: int | None = None,
        headers: Mapping[str, str | int] | None = None,
        **members: Any,
    ) -> None:
        fixed = type(self).code
        if fixed and isinstance(code, str) and message is None and not hasattr(code, "value"):
            code, message = None, code  # `SoldOut("three are left")`
        self.code = _code(fixed if code is None else code, type(self).__name__)
        self.message = type(self).message if message is None else message
        super().__init__(status, self.message, headers=headers, **{**members, "code": self.code})

    def __init_subclass__(cls) -> None:
        if type(cls.status) is not int or not 400 <= cls.status <= 599:
            raise ConfigurationError(f"{cls.__name__}: status = {cls.status!r}; give a status from 400 to 599")
        if cls.code:
            _code(cls.code, cls.__name__)

    def __str__(self) -> str:
        """Return code and message as a caller of a function sees them: `[B00001] the order is closed`."""
        return f"[{self.code}] {self.message}" if self.message else f"[{self.code}]"


def _code(code: Any, name: str) -> str:
    """Return the text of an application's code: that of the member of an Enum is its value."""
    held = getattr(code, "value", code)  # no text has a `value`
    text = str(held) if held is not code else held
    if not isinstance(text, str) or not text or any(one.isspace() for one in text):
        raise ConfigurationError(f"{name}: give a code such as 'B00001', without spaces, not {code!r:.80}")
    return str(text)


class BadRequest(_Fixed):
    status = 400


class SessionIncomplete(SessionError, BadRequest):
    """A session without the tenant or the user that is needed: a 400 over HTTP; elsewhere the record or the call fails.

    field: "tenant" or "user".
    message: what the log says.
    detail: what a client is told.
    """

    def __init__(self, field: str, message: str | None = None, *, detail: str | None = None) -> None:
        super().__init__(detail or f"the {field} is missing")
        self.field = field
        self.message = message or self.detail

    def __str__(self) -> str:
        return str(self.message)


class Unauthorized(_Fixed):
    status = 401


class Forbidden(_Fixed):
    status = 403


class NotFound(_Fixed):
    status = 404


class MisdirectedRequest(NotFound):
    """The request belongs to another function of the same application."""

    status = 421


class MethodNotAllowed(_Fixed):
    status = 405


class NotAcceptable(_Fixed):
    status = 406


class Conflict(_Fixed):
    status = 409


class Gone(_Fixed):
    status = 410


class PreconditionFailed(_Fixed):
    status = 412


class ContentTooLarge(_Fixed):
    status = 413


class UnsupportedMediaType(_Fixed):
    status = 415


class UnprocessableContent(_Fixed):
    status = 422


class TooManyRequests(_Fixed):
    status = 429


class ServiceUnavailable(_Fixed):
    status = 503


class HandlerTimeout(_Fixed, TimeoutError):
    """A handler that a time limit has stopped: the record fails, and is delivered again; over HTTP it is a 504."""

    status = 504
