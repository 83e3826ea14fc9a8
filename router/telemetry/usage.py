"""`Usage`: one row for each dispatch: whose it was, how long it took, and what it cost.

    resolver.use(Usage(UsageTable(table="usage")))

Rows are written once, at the end of a call of the function. They hold nothing of what was in a request.
"""

from __future__ import annotations

from math import inf
from os import urandom
from time import perf_counter, time_ns

from router.dispatch.chain import Middleware
from router.dispatch.invocation import current_invocation
from router.durations import seconds
from router.errors import ConfigurationError
from router.event import Source
from router.snapshots import renewed
from router.telemetry.usage_ledger import (
    Ledger,
    Place,
    Span,
    billed_of,
    common_fields,
    is_durable_replay,
    lambda_context,
    settle,
)
from router.telemetry.usage_manual import Manual
from router.telemetry.usage_prices import LambdaPrices
from router.telemetry.usage_rows import (
    count_anew,
    end_row,
    end_with_error,
    fail,
    label,
    manual_row,
    row_of,
    says_failure,
)
from router.telemetry.usage_sinks import checked_sinks, deliver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from router.dispatch.chain import Around
    from router.dispatch.invocation import Invocation
    from router.durations import Duration
    from router.event import Event
    from router.telemetry.usage_ledger import Prices
    from router.telemetry.usage_rows import Row

_RESERVE = 0.1  # seconds of the call that are left for its answer
_HUNDRED_YEARS = 100 * 365 * 86_400


class Usage(Manual, Middleware):
    """Middleware that writes a row for each request and each record; `docs/usage.md` lists the fields.

    sinks: where rows go: `adapters.usage.UsageTable`, `UsageMetrics`, `UsageLog`, or a function of a list of rows.
    account: returns whose usage an event is; by default the tenant of its session.
    operation: returns what an event asked for; by default the name of its route.
    prices: returns the cost of a call in US dollars, by what is billed: `LambdaPrices`, `FlatPrice` or a function.
    keep_for: after how long a row expires (its field `ttl`); None for never.
    sample: the part of dispatches that are written, above 0 and at most 1. `sample_weight` says how many a row is for.
    keep_errors: whether what did not succeed is written in any case when others are sampled.
    failure_in_results: whether a result with `"success": false` counts as failed ("OperationFailure").
    budget: the time that sinks have at the end of a call, and never more than is left of it.

    Give it to `use()`, first of all: then it sees each answer, and each of them pays its part of the call.

    Raises:
        ConfigurationError: there is no sink, or an argument is of another kind or out of range.
    """

    answers_errors = True
    outside_auth = True

    def __init__(
        self,
        *sinks: Any,
        account: Callable[[Event], str | None] | None = None,
        operation: Callable[[Event], str | None] | None = None,
        prices: Prices | None = None,
        keep_for: Duration | None = 90 * 86_400,
        sample: float = 1.0,
        keep_errors: bool = True,
        failure_in_results: bool = False,
        budget: Duration = 2.0,
    ) -> None:
        for name, function in (("account", account), ("operation", operation), ("prices", prices)):
            if function is not None and not callable(function):
                raise ConfigurationError(f"Usage({name}=...): give a function")
        if isinstance(sample, bool) or not isinstance(sample, int | float) or not 0 < sample <= 1:
            raise ConfigurationError(f"Usage(sample={sample!r:.80}): give a part above 0, and 1 at most")
        self._sinks = checked_sinks(sinks)
        self._account = account
        self._operation = operation
        self._prices: Prices = prices or LambdaPrices()
        keep = "Usage(keep_for=...)"
        self._keep_for = None if keep_for is None else int(seconds(keep_for, keep, least=1, most=_HUNDRED_YEARS))
        self._sample = sample
        self._below = int(sample * 2**32)
        self._keep_errors = keep_errors
        self._failure_in_results = failure_in_results
        self._budget = seconds(budget, "Usage(budget=...)", most=600)
        self._known_place: Place | None = None
        self._key = f"usage:{id(self):x}"  # in the state of events
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._known_place = None
        count_anew()

    # ---- each dispatch -------------------------------------------------------------------------------------------

    def __call__(self, event: Event) -> Around:
        state = event.state
        if self._key in state:  # it stands around this event further outside already
            yield
            return
        span = state[self._key] = Span()
        try:
            result = yield
        except BaseException as error:
            span.ended = perf_counter()
            self._left(event, span, None, error)
            raise
        span.ended = perf_counter()
        self._left(event, span, result, None)

    def _left(self, event: Event, span: Span, result: Any, error: BaseException | None) -> None:
        """Note how a dispatch ended. Whatever goes wrong here is logged, and is not the event's error."""
        try:
            self._note(event, span, result, error)
        except Exception as failure:
            _log("usage: a dispatch was not counted", failure)

    def _note(self, event: Event, span: Span, result: Any, error: BaseException | None) -> None:
        outer = event.outer
        while outer is not None:
            around = outer.state.get(self._key)
            if around is not None:
                around.has_inner = True
            outer = outer.outer
        if span.has_inner:
            return
        for task in event._tasks or ():
            if not task.done():
                task.add_done_callback(span.extend)
        stream = getattr(result, "chunks", None) if event._speaks_http else None
        if stream is not None:
            stream.then(span.extend)
        span.error = event.error
        if self._is_drawn() or (self._keep_errors and self._failed(event, result, error)):
            span.row = self._row(event, span.at)
            end_row(span.row, event, result, error)
            if span.row["success"] and self._failure_in_results and says_failure(result):
                fail(span.row, "OperationFailure")
        self._enter(span)

    def _failed(self, event: Event, result: Any, error: BaseException | None) -> bool:
        if error is not None or (event._speaks_http and getattr(result, "status", 200) >= 400):
            return True
        return self._failure_in_results and says_failure(result)

    def _row(self, event: Event, at: int) -> Row:
        account = self._asked(self._account, event) if self._account else None
        if self._account is None:
            try:
                account = event.session.tenant
            except Exception:  # the session is refused
                account = None
        operation = self._asked(self._operation, event) if self._operation else None
        return row_of(event, at, account, operation, self._expires(at))

    def _asked(self, function: Callable[[Event], str | None], event: Event) -> str | None:
        try:
            return function(event)
        except Exception as error:
            _log("usage: account= or operation= failed", error)
            return None

    def _expires(self, at: int) -> int | None:
        return None if self._keep_for is None else at // 1_000_000_000 + self._keep_for

    def _is_drawn(self) -> bool:
        # Not of `random`: environments that are restored from one snapshot would all draw the same.
        return self._sample == 1 or int.from_bytes(urandom(4), "big") < self._below

    def _enter(self, span: Span, context: Any = None) -> None:
        """Put a span to the others of its call; where there is none, or it has ended, write it by itself.

        context: Lambda's, where the span is the whole call.
        """
        invocation = current_invocation()
        ledger = None if invocation is None else invocation.state.get(self)
        if ledger is not None and not ledger.closed:
            ledger.spans.append(span)
        else:
            self._write_alone(span, context)

    # ---- the whole call ------------------------------------------------------------------------------------------

    def around_invocation(self, invocation: Invocation) -> Generator[None, None, None]:
        """Collect the rows of a call, and write them at its end."""
        outer = invocation.outer
        held = None if outer is None or outer.source is Source.TASK else outer.state.get(self)
        if held is not None and held.closed:
            held = None
        ledger = invocation.state[self] = held or Ledger()
        yield
        everywhere = any(one is self for one in invocation.middleware)
        for event in invocation.failed:
            self._end_failed(event, ledger, everywhere)
        if is_durable_replay(invocation.context):
            for span in ledger.spans:
                if span.row is not None:
                    span.row["replayed"] = True
        if held is not None:
            return  # the call around it pays, and writes
        if everywhere and not ledger.spans:
            ledger.spans.append(self._of_call(invocation))
        ledger.closed = True
        if ledger.spans:
            self._close(ledger, invocation)

    def _end_failed(self, event: Event, ledger: Ledger, everywhere: bool) -> None:
        """Note the final error of an event; its dispatch may have ended before that was known.

        No middleware saw those that no route took, or whose session was refused before they joined a group.
        """
        span: Span | None = event.state.get(self._key)
        wanted = self._keep_errors
        if span is None:
            if not everywhere or self._is_told_outside(event):
                return
            span = event.state[self._key] = Span()
            ledger.spans.append(span)
            wanted = wanted or self._is_drawn()
        if span.has_inner or event.error is None or (event._speaks_http and event.error is span.error):
            return
        if span.row is None and wanted:
            span.row = self._row(event, span.at)
        if span.row is not None:
            end_row(span.row, event, None, event.error)

    def _is_told_outside(self, event: Event) -> bool:
        """Whether the row of the event that this one came inside tells of it."""
        outer = event.outer
        while outer is not None:
            around = outer.state.get(self._key)
            if around is not None and not around.has_inner:
                return True
            outer = outer.outer
        return False

    def _of_call(self, invocation: Invocation) -> Span:
        """Return the span of a call in which nothing was dispatched: it was refused, or was empty."""
        span = Span()
        span.began, span.at = invocation.started, time_ns() - int((span.ended - invocation.started) * 1e9)
        fields = {"operation": "(call)", "event_source": label(invocation.source)}
        if self._is_drawn() or (self._keep_errors and invocation.error is not None):
            span.row = manual_row(fields, span.at, self._expires(span.at))
            if invocation.error is not None:
                end_with_error(span.row, invocation.error)
        return span

    def _close(self, ledger: Ledger, invocation: Invocation) -> None:
        ended = perf_counter()
        for span in ledger.spans:
            self._weigh(span)
        context = lambda_context(invocation.context)
        common = common_fields(self._place(), context, invocation.source, cold_start=invocation.cold_start)
        cost = self._cost(billed_of(common, ended - invocation.started))
        self._deliver(settle(ledger.spans, common, cost), context)

    def _write_alone(self, span: Span, context: Any) -> None:
        """Write what belongs to no call, or to one that has ended.

        context: Lambda's, where the cost of a call is to be told; None for no cost.
        """
        self._weigh(span)
        context = lambda_context(context)
        common = common_fields(self._place(), context, None)
        cost = None if context is None else self._cost(billed_of(common, span.ended - span.began))
        self._deliver(settle([span], common, cost), context)

    def _weigh(self, span: Span) -> None:
        row = span.row
        if row is not None:
            row["sample_weight"] = 1.0 if self._keep_errors and not row["success"] else 1 / self._sample

    def _cost(self, billed: Any) -> float | None:
        try:
            cost = self._prices(billed)
            if cost is None:
                return None
            cost = float(cost)
            if not 0 <= cost < inf:
                raise ValueError(f"{cost} is not an amount")
            return cost
        except Exception as error:  # or what it returned is no number
            _log("usage: prices= failed", error)
            return None

    def _place(self) -> Place:
        if self._known_place is None:
            self._known_place = Place()
        return self._known_place

    def _deliver(self, rows: list[Row], context: Any) -> None:
        """Give rows to the sinks, within the time that is left."""
        if not rows:
            return
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        left = self._budget if remaining is None else min(self._budget, remaining() / 1000 - _RESERVE)
        deliver(self._sinks, rows, max(0.0, left))


def _log(message: str, error: Exception) -> None:
    from router.dispatch.tracebacks import log_error

    log_error(message, error)
