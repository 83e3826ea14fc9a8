"""`DispatchMetrics`: what became of events, and how long it took, as metrics of CloudWatch.

    metrics = Metrics(namespace="Shop", service="orders")     # of aws_lambda_powertools
    resolver.use(DispatchMetrics(metrics))

A call writes them at its end, in one line of the embedded metric format for each set of dimensions.
"""

from __future__ import annotations

from time import perf_counter

from router.dispatch.chain import Middleware
from router.dispatch.invocation import current_invocation
from router.errors import ConfigurationError, HTTPError
from router.signals import Discard, Retry, is_suspension
from router.telemetry.dimensions import MOST_VALUES, NONE, OTHER, dimension
from router.telemetry.emf import Set, here, provider_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from typing import Any

    from router.dispatch.chain import Around
    from router.dispatch.invocation import Invocation
    from router.event import Event
    from router.telemetry.emf import Pending

    Key = tuple[str, ...]  # the values of the dimensions

_OF_SESSION = ("tenant", "user")


def _route_of(event: Event) -> str:
    """Return the name of the route: as it was declared, and never what a client wrote."""
    route = event.route
    return NONE if route is None or route.name == "unrouted" else str(route)


_DIMENSIONS: dict[str, Callable[[Event], str]] = {"source": lambda event: event.source.value, "route": _route_of}


class DispatchMetrics(Middleware):
    """Count what became of events, measure how long it took, and write the handlers' own metrics with it.

    Give it to `use()` first, so that it sees what other middleware refuses.

    metrics: the Metrics object of Powertools that handlers use; a new one unless given.
    dimensions: of `source` and `route`, beside `service`.
    also: further dimensions, "tenant" or "user", with the values that count; or how many each process tells apart. The
        others are one. Each value is a metric that CloudWatch charges for.
    durations: whether the duration of each event is written, beside the counts.

    Raises:
        ConfigurationError: Powertools is not there, there is no namespace, or a dimension is not known.
    """

    answers_errors = True
    outside_auth = True

    def __init__(
        self,
        metrics: Any = None,
        *,
        dimensions: Iterable[str] = ("source", "route"),
        also: Mapping[str, int | Iterable[str]] | None = None,
        durations: bool = True,
    ) -> None:
        self._provider = provider_of(metrics)
        self._dimensions = tuple(dimensions)
        unknown = [name for name in self._dimensions if name not in _DIMENSIONS]
        unknown += [name for name in also or () if name not in _OF_SESSION]
        if unknown:
            raise ConfigurationError(
                f"DispatchMetrics: no dimension {', '.join(unknown)}; dimensions= takes {', '.join(_DIMENSIONS)}, "
                f"and also= takes {', '.join(_OF_SESSION)}"
            )
        self._also = {name: Capped(name, values) for name, values in (also or {}).items()}
        self._durations = durations

    # ---- around events -------------------------------------------------------------------------------------------

    def __call__(self, event: Event) -> Around:
        started = perf_counter()
        response: Any = None
        raised: BaseException | None = None
        own = self._provider.new_set()
        token = here.set(own)
        try:
            response = yield
        except BaseException as error:
            raised = error
            raise
        finally:
            here.reset(token)
            try:
                self._note(event, perf_counter() - started, response, raised, own)
            except Exception as failure:  # what looks on fails nothing
                from router.dispatch.tracebacks import log_error

                log_error("the metrics of an event failed", failure)

    def around_invocation(self, invocation: Invocation) -> Generator[None, None, None]:
        """Write at the end of a call what became of its events."""
        tally = invocation.state[self] = Tally()
        yield
        for own in tally.streams:
            if own.metric_set:
                self._provider.keep(own, tally.pending)
        failed = [event for event in invocation.failed if self._is_around(event, invocation)]
        tally.settle(failed, _status_of(invocation.answer), self._key, broken=invocation.error is not None)
        self._write(tally)
        if invocation.cold_start:
            self._write_cold_start(invocation.context)

    def _is_around(self, event: Event, invocation: Invocation) -> bool:
        """Whether an event is one of its own: where it stands around a group of routes, the others are not."""
        if any(one is self for one in invocation.middleware):
            return True
        return event.route is not None and any(one is self for one in event.route.middleware)

    def _note(self, event: Event, elapsed: float, response: Any, raised: BaseException | None, own: Set) -> None:
        invocation = current_invocation()
        assert invocation is not None  # noqa: S101 - its own around_invocation has seen to it
        tally: Tally = invocation.state[self]
        tally.add(event, self._key(event), elapsed, response, raised)
        if event._speaks_http and hasattr(response, "chunks"):
            tally.streams.append(own)
        elif own.metric_set:
            self._provider.keep(own, tally.pending)

    def _key(self, event: Event) -> Key:
        """Return the values of the dimensions that an event belongs to."""
        values = [_DIMENSIONS[name](event) for name in self._dimensions]
        if self._also:
            session = event._own_session  # of one that nothing has read, nothing is told
            for name, capped in self._also.items():
                values.append(capped.value(None if session is None else getattr(session, name)))
        return tuple(values)

    # ---- at the end of a call ------------------------------------------------------------------------------------

    def _write(self, tally: Tally) -> None:
        provider = self._provider
        names = (*self._dimensions, *self._also)
        for key, counts in tally.by_key.items():
            dimensions = {name: dimension(value) for name, value in zip(names, key, strict=True)}
            metrics = provider.new_set()
            metrics.dimension_set.update(dimensions)
            for name, count in counts.outcomes.items():
                if count:
                    metrics.metric_set[name] = _metric("Count", [float(count)])
            durations = counts.durations if self._durations else []
            for start in range(0, len(durations), MOST_VALUES):
                metrics.metric_set["Duration"] = _metric("Milliseconds", durations[start : start + MOST_VALUES])
                again = Set(dict(metrics.dimension_set))
                provider.write(metrics)
                metrics = again
            provider.write(metrics)
        provider.write_all(tally.pending)
        provider.write(provider.everywhere)  # what was added outside of a record, or through another object of Metrics

    def _write_cold_start(self, context: Any) -> None:
        """Write the metric that Powertools' `capture_cold_start_metric` writes, by the name of the function."""
        name = self._provider.function_name or getattr(context, "function_name", None)
        if name:
            metrics = Set({"function_name": str(name)})
            metrics.metric_set["ColdStart"] = _metric("Count", [1.0])
            self._provider.write(metrics)


class Capped:
    """The values of a dimension that count.

    name: of the dimension. values: those values, or how many of those that come first.
    """

    def __init__(self, name: str, values: int | Iterable[str]) -> None:
        if isinstance(values, str) or (isinstance(values, int) and not 1 <= values <= 1000):
            raise ConfigurationError(f"DispatchMetrics(also={{{name!r}: {values!r}}}): give values, or from 1 to 1000")
        self._left = values if isinstance(values, int) else 0
        self._known = set() if isinstance(values, int) else set(values)

    def value(self, value: str | None) -> str:
        """Return the value that stands for one."""
        if value is None:
            return NONE
        if value in self._known:
            return value
        if self._left <= 0:
            return OTHER
        self._left -= 1
        self._known.add(value)
        return value


class Counts:
    """The outcomes of the events with the same dimensions. durations: in milliseconds."""

    __slots__ = ("durations", "outcomes")

    def __init__(self) -> None:
        self.outcomes: dict[str, int] = {"Handled": 0}
        self.durations: list[float] = []

    def add(self, outcome: str, count: int = 1) -> None:
        """Count an outcome."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + count


class Tally:
    """The outcomes of the events of one call, by dimensions."""

    __slots__ = ("by_key", "open", "pending", "streams")

    def __init__(self) -> None:
        self.by_key: dict[Key, Counts] = {}
        self.pending: Pending = {}  # the handlers' own metrics
        self.streams: list[Set] = []  # those of handlers that answered with a stream, which may add more
        # The events that may still fail, or whose status is not known: with their key and the status so far.
        self.open: dict[int, tuple[Event, Key, int | None, bool]] = {}

    def of(self, key: Key) -> Counts:
        """Return the counts of a key."""
        counts = self.by_key.get(key)
        if counts is None:
            self.by_key[key] = counts = Counts()
        return counts

    def add(self, event: Event, key: Key, elapsed: float, response: Any, raised: BaseException | None) -> None:
        """Count an event whose chain has ended.

        elapsed: how long that took, in seconds. response: the result. raised: the error that it ended with, if any.
        """
        counts = self.of(key)
        if raised is not None and is_suspension(raised):
            counts.add("Suspended")  # it goes on in another call, and is counted there
            return
        counts.durations.append(round(elapsed * 1000, 3))
        if raised is None and response is None and not event._tasks:
            counts.outcomes["Handled"] += 1
            return
        status = getattr(response, "status", None) if event._speaks_http else None
        self.open[id(event)] = event, key, status, raised is not None

    def settle(
        self, failed: list[Event], status: int | None, key_of: Callable[[Event], Key], *, broken: bool = False
    ) -> None:
        """Count the events whose end is known only now.

        failed: those that ended with an error; some of them no middleware saw.
        status: of the answer that went out, None where it has none.
        broken: whether that is a stream that an error has ended.
        """
        ended = {id(event): event for event in failed}
        for place, (event, key, own, raised) in self.open.items():
            wrong = ended.pop(place, None) is not None or (raised and event.route is not None and event.route.unpacks)
            of_http = event._speaks_http and status is not None
            self._count(event, key, status if of_http else own, wrong, broken=broken and of_http)
        for event in ended.values():
            self._count(event, key_of(event), status if event._speaks_http else None, True)
        self.open.clear()

    def _count(self, event: Event, key: Key, status: int | None, wrong: bool, *, broken: bool = False) -> None:
        counts = self.of(key)
        if status is None and wrong and event._from_client and isinstance(event.error, HTTPError):
            status = event.error.status
        if status is not None:
            counts.add(f"Status{status // 100}xx")
            counts.add("Failed" if status >= 500 or broken else "Handled")
        else:
            counts.add(_outcome(event) if wrong else "Handled")


def _outcome(event: Event) -> str:
    if isinstance(event.error, Discard):
        return "Discarded"
    return "Retried" if isinstance(event.error, Retry) else "Failed"


def _status_of(answer: Any) -> int | None:
    """Return the HTTP status of an answer as Lambda gets it; None where it has none."""
    status = answer.get("statusCode", answer.get("status")) if isinstance(answer, dict) else None
    try:
        return int(status) if status is not None else None
    except (TypeError, ValueError):
        return None


def _metric(unit: str, values: list[float]) -> dict[str, Any]:
    return {"Unit": unit, "StorageResolution": 60, "Value": values}
