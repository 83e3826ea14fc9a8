"""Note the steps of durable executions: those that a call makes, and those that an earlier call has made."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.local.watch.seen import Span

_MOST = 1000  # steps of one call
_HIDDEN = "junction-session"  # a step of this library: it keeps the session
_OUTCOMES = {
    "SUCCEEDED": "done",
    "FAILED": "failed",
    "CANCELLED": "failed",
    "STOPPED": "failed",
    "TIMED_OUT": "timed out",
}


class Steps:
    """Make plugins of AWS's SDK for durable functions, one for each call of an execution.

    current: returns what runs here.
    """

    def __init__(self, current: Callable[[], Span | None]) -> None:
        self._current = current

    def create_plugin(self, _info: Any, /) -> Any:
        """Return a plugin, as the SDK asks for it."""
        from aws_durable_execution_sdk_python.plugin import DurableInstrumentationPlugin

        current = self._current

        class Noting(DurableInstrumentationPlugin):
            """Note operations. The SDK calls these in the thread that makes them."""

            def __init__(self) -> None:
                self._began: dict[str, float] = {}

            def on_invocation_start(self, info: Any) -> None:
                for one in info.operations.values():
                    _note(current(), one, replayed=True, ms=None)

            def on_operation_start(self, info: Any) -> None:
                self._began[info.operation_id] = perf_counter()

            def on_operation_end(self, info: Any) -> None:
                began = self._began.pop(info.operation_id, None)
                if not info.is_replayed and began is not None:
                    _note(current(), info, replayed=False, ms=round((perf_counter() - began) * 1000, 3))

        return Noting()


def _note(span: Span | None, operation: Any, *, replayed: bool, ms: float | None) -> None:
    kind = operation.operation_type.value.lower()
    if span is None or kind == "execution" or operation.name == _HIDDEN or len(span.seen.steps) >= _MOST:
        return
    status = operation.status.value
    span.seen.steps.append(
        {
            "name": operation.name,
            "kind": kind,
            "replayed": replayed,
            "ms": ms,
            "outcome": _OUTCOMES.get(status, "running"),
            "attempt": operation.attempt,
        }
    )
