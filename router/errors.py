"""Every error the library raises, all from `RouterError`.

HTTP errors become RFC 9457 `application/problem+json`; on any other source they fail the record or the call.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def text_of(error: BaseException) -> str:
    """Return the text of an error; where the error itself fails to make one, something that says so."""
    try:
        return str(error)
    except Exception:
        return f"({type(error).__name__} has no text)"


class RouterError(Exception):
    """The root of the library's errors."""


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
