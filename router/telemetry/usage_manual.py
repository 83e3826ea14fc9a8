"""Usage that is measured by hand: of work inside of a handler, or outside of any.

    with usage.track("render", user="u1") as tracking:
        tracking.result = render()

The rows are those of dispatches. Inside of a call of the function they are written with its rows, and share its cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter, time_ns

from router.dispatch.invocation import current_invocation
from router.errors import ConfigurationError
from router.session import get_session
from router.telemetry.usage_ledger import Span
from router.telemetry.usage_rows import fail, label, manual_row, quietly, says_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.telemetry.usage_rows import Row


class Metrics(dict[str, "Any"]):
    """The row of what was measured by hand. It is filled in when it is written."""

    __slots__ = ("tracking",)

    tracking: Tracking


class Tracking:
    """Work that is measured: a context manager, for `with` and `async with`.

    result: what the work came to; with `failure_in_results=True` a `{"success": False}` counts as failed.
    error_type: why it failed; None for success. An error that leaves the block is noted by itself.
    claims: `account` (or `tenant`) and `sub` of them are taken where nothing else names them.
    """

    __slots__ = ("_context", "_fields", "_recorded", "_span", "_usage", "claims", "error_type", "metrics", "result")

    def __init__(self, usage: Manual, fields: dict[str, Any], context: Any) -> None:
        self._usage = usage
        self._fields = fields
        self._context = context
        self._span = Span()
        self._recorded = False
        self.result: Any = None
        self.error_type: str | None = None
        self.claims: Mapping[str, Any] | None = None
        self.metrics: Metrics | None = None

    def __enter__(self) -> Tracking:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if kind is not None:
            self.error_type = kind.__name__
        self._usage.record_metrics(self._usage.end_tracking(self))

    async def __aenter__(self) -> Tracking:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        self.__exit__(kind, error, traceback)


class Manual:
    """The part of `Usage` that measures by hand."""

    if TYPE_CHECKING:
        _failure_in_results: bool

        def _expires(self, at: int) -> int | None: ...
        def _is_drawn(self) -> bool: ...
        def _enter(self, span: Span, context: Any = None) -> None: ...

    def track(
        self,
        operation: str,
        *,
        user: str | None = None,
        account: str | None = None,
        endpoint: str | None = None,
        api_key_id: str | None = None,
        api_accessed: bool = False,
        event_source: str | None = None,
        context: Any = None,
    ) -> Tracking:
        """Return what measures a block of work: `with usage.track("render"): ...`, or `async with`.

        operation: what is done.
        user, account: by default those of the current session.
        endpoint: where it was asked for.
        api_key_id: the key that asked for it.
        api_accessed: whether it was asked for with an API key, and not by a user.
        event_source: what set it off; by default the source of the call that is running, else "Manual".
        context: Lambda's, in a function without a resolver: then the work is taken for the whole call, and its cost.
        """
        session = quietly(get_session)
        fields = {
            "account": account,
            "user": user,
            "api_key_id": api_key_id,
            "operation": operation,
            "endpoint": endpoint,
            "event_source": event_source or _source(),
            "correlation_id": getattr(session, "correlation_id", None),
            "credential": "api-key" if api_accessed or api_key_id else None,
        }
        return Tracking(self, fields, context)

    def start_tracking(
        self,
        user: str | None,
        operation: str,
        endpoint: str | None = None,
        api_accessed: bool = False,
        context: Any = None,
        **options: Any,
    ) -> Tracking:
        """Begin to measure, for work that is no block. Its arguments, and further ones, are those of `track`."""
        return self.track(
            operation, user=user, endpoint=endpoint, api_accessed=api_accessed, context=context, **options
        )

    def end_tracking(
        self,
        tracking: Tracking,
        result: Any = None,
        claims: Mapping[str, Any] | None = None,
        error_type: str | None = None,
    ) -> Metrics:
        """End what `start_tracking` began, and return its row, for `record_metrics`. The second time changes nothing.

        tracking: what was begun.
        result: what the work came to.
        claims: of the token that asked for it; see `Tracking`.
        error_type: why it failed; None for success.
        """
        if tracking.metrics is not None:
            return tracking.metrics
        span = tracking._span
        span.extend()
        result = tracking.result if result is None else result
        error_type = error_type or tracking.error_type
        fields = _whose(dict(tracking._fields), claims or tracking.claims)
        tracking.metrics = metrics = Metrics(manual_row(fields, span.at, self._expires(span.at)))
        metrics.tracking = tracking
        metrics["duration_ms"] = round((span.ended - span.began) * 1000, 3)
        if error_type is not None:
            fail(metrics, error_type)
        elif self._failure_in_results and says_failure(result):
            fail(metrics, "OperationFailure")
        return metrics

    def record_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write a row: at the end of the call that is running, else at once. What was written is not written again.

        metrics: what `end_tracking` returned, or a mapping with fields of one's own; what is missing is filled in.

        Raises:
            ConfigurationError: it is no mapping.
        """
        if isinstance(metrics, Metrics):
            tracking = metrics.tracking
            if tracking._recorded:
                return
            tracking._recorded = True
            span, context, row = tracking._span, tracking._context, metrics
        elif isinstance(metrics, Mapping):
            span, context = Span(), None
            span.began = perf_counter() - (quietly(lambda: float(metrics["duration_ms"])) or 0.0) / 1000
            span.at = time_ns()
            row = Metrics(manual_row(_whose(dict(metrics), None), span.at, self._expires(span.at)))
        else:
            raise ConfigurationError(f"record_metrics() takes a mapping of fields, not {type(metrics).__name__}")
        if self._wants(row):
            span.row = row
        self._enter(span, context)

    def _wants(self, row: Row) -> bool:
        return self._is_drawn() or (not row["success"] and bool(getattr(self, "_keep_errors", True)))


def _source() -> str | None:
    invocation = current_invocation()
    return None if invocation is None else label(invocation.source)


def _whose(fields: dict[str, Any], claims: Mapping[str, Any] | None) -> dict[str, Any]:
    """Fill in whose usage it is: as was said, else by the claims, else by the current session."""
    session = quietly(get_session)
    claims = claims or {}
    if not fields.get("account"):
        fields["account"] = claims.get("account") or claims.get("tenant") or getattr(session, "tenant", None)
    if not fields.get("user"):
        fields["user"] = claims.get("sub") or getattr(session, "user", None)
    return fields
