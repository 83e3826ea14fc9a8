"""Errors that Lambda itself makes up, with the types and messages of the real service."""

from __future__ import annotations

from typing import Any


def too_large(limit: int) -> dict[str, Any]:
    """The answer has more bytes than the service takes."""
    return {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": f"Response payload size exceeded maximum allowed payload size ({limit} bytes).",
    }


def broken() -> dict[str, Any]:
    """The runtime closed the connection in the middle of an answer."""
    return {"errorType": "Runtime.TruncatedResponse", "errorMessage": "the response ended before its end"}


def timed_out(request_id: str, timeout_s: float) -> dict[str, Any]:
    """The handler took too long."""
    return {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds",
    }
