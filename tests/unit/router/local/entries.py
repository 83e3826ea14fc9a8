"""Make entries as the application's process reports them."""

from __future__ import annotations

from typing import Any

from router.local.entries import AwsCall, Entry

NOW = 1_796_000_000.0


def entry(**values: Any) -> Entry:
    """Return an entry of an HTTP request that went well, with other values."""
    made: dict[str, Any] = {
        "kind": "event",
        "source": "http",
        "route": "POST /orders",
        "name": "POST /orders",
        "event_id": None,
        "attempt": 1,
        "function": "main",
        "origin": "http",
        "sent": None,
        "started": NOW,
        "ms": 4.0,
        "outcome": "done",
        "links": [],
        "calls": [],
        "logs": [],
        **values,
    }
    return made  # type: ignore[return-value]


def call(action: str, resource: str, *links: str, at: float = NOW + 0.001, covered: bool | None = True) -> AwsCall:
    """Return a call of AWS."""
    service, operation = action.split(":")
    return {
        "at": at,
        "ms": 1.0,
        "service": service,
        "operation": operation,
        "action": action,
        "resource": resource,
        "covered": covered,
        "error": None,
        "fault": None,
        "links": list(links),
    }
