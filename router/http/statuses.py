"""The phrases of HTTP statuses."""

from __future__ import annotations

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    421: "Misdirected Request",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def reason(status: int) -> str:
    """The standard phrase of a status."""
    title = _TITLES.get(status)
    if title is None:
        from http import HTTPStatus

        title = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    return title
