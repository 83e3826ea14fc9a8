"""Errors of calls to a sister service."""

from __future__ import annotations

from adapters.errors import AdapterError, ConnectionFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters.http.request import Outline

# Statuses that say "not now": the request was not carried out, or may be made again.
PASSING = frozenset((408, 425, 429, 502, 503, 504))


class ServiceFailed(AdapterError):
    """A sister service answered with an error, or sent the call elsewhere.

    status: of its answer. response: the answer itself, whose body is not part of the message.
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
        self.app_code = _app_code(response)


def _app_code(response: Any) -> str:
    """Return the code in a JSON document of an error, whatever else the answer holds."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not (kind == "application/json" or kind.endswith("+json")):
        return ""
    try:
        document = response.json()
    except (ValueError, RecursionError):
        return ""
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) else ""


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
