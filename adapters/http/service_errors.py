"""Errors of calls to a sister service."""

from __future__ import annotations

from adapters.errors import AdapterError, ConnectionFailed
from router.http.headers import is_json_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters.http.request import Outline

# Statuses that say "not now": the request was not carried out, or may be made again.
PASSING = frozenset((408, 425, 429, 502, 503, 504))


class ServiceFailed(AdapterError):
    """A sister service answered with an error, or sent the call elsewhere.

    status: of its answer. response: the answer itself, whose body is not part of the message.
    problem: the members of the problem document that it answered (RFC 9457); of any other answer the object that its
        JSON is, else empty.
    title, detail, errors: of the problem; empty where it has none. Each error has its place in `at`.
    app_code: the member `code` of its JSON, such as that of a `router.AppError`; empty where it has none.
    """

    def __init__(self, outline: Outline, response: Any, why: str = "") -> None:
        self.status: int = response.status_code
        self.response = response
        super().__init__(
            f"{outline.service} {outline}: it answered {self.status}{why}",
            service=outline.service,
            operation=str(outline),
            resource=outline.origin,
            code=str(self.status),
            retryable=self.status in PASSING or self.status == 500,
        )
        self.problem: dict[str, Any] = _problem(response)
        self.title, self.detail, self.app_code = (self._text(name) for name in ("title", "detail", "code"))
        errors = self.problem.get("errors")
        listed = errors if isinstance(errors, list) else ()
        self.errors: tuple[dict[str, Any], ...] = tuple(one for one in listed if isinstance(one, dict))

    def _text(self, name: str) -> str:
        held = self.problem.get(name)
        return held if isinstance(held, str) else ""


def _problem(response: Any) -> dict[str, Any]:
    """Return the JSON object of an error; an empty one where the answer is anything else."""
    if not is_json_type(response.headers.get("content-type", "")):
        return {}
    try:
        document = response.json()
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def unreachable(outline: Outline, error: Exception) -> ConnectionFailed:
    """Return the error for a request that did not arrive, or an answer that did not come."""
    what = type(error).__name__
    return ConnectionFailed(
        f"{outline.service} {outline}: {what}; check its URL, DNS, security groups and timeout; it may also be passing",
        service=outline.service,
        operation=str(outline),
        resource=outline.origin,
        code=what,
        retryable=True,
    )
