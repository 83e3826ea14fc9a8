"""Alerts: errors that nothing expected, reported to a queue or topic.

    resolver.on_error(Alerts(topic="alerts", service="orders", stage="prod"))

An alert says what failed and where to look: the error's class, the route, the ids. It holds no message of the error, no
traceback and nothing of the request, as these quote what a client sent; the log has them, under the same ids.
"""

from __future__ import annotations

import threading
import time

from adapters._core.blocking import blocking_allowed, has_async_handler, loop_runs
from adapters.aws.aws import Aws
from adapters.aws.settings import Settings
from adapters.errors import AdapterError
from router.durations import seconds
from router.errors import ConfigurationError, HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import Any

    from router.durations import Duration
    from router.event import Event

_LONGEST = 200  # characters of a field: names and ids may come from a client
_MOST_KINDS = 1000


class Alerts:
    """Reports errors to a queue or a topic: what `resolver.on_error` takes.

    queue, topic: one of them, as of `Sqs` and `Sns`.
    aws: makes the calls; by default one made of the environment, with timeouts so short that a dead queue does not use
        up an invocation.
    service, stage: say where it was.
    ignore: classes of errors, statuses of HTTPError, codes of AdapterError that make no alert.
    every: seconds, or a timedelta, in which errors of the same class on the same route make one alert; the next one
        says how many there were. 0: one for each.

    It never raises: what goes wrong with an alert is logged, and the dispatch goes on. In an async route it is
    awaited; in a sync one it has been sent on return.
    """

    def __init__(
        self,
        *,
        queue: str | None = None,
        topic: str | None = None,
        aws: Aws | None = None,
        service: str | None = None,
        stage: str | None = None,
        ignore: Iterable[type[BaseException] | int | str] = (),
        every: Duration = 60,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if (queue is None) == (topic is None):
            raise ConfigurationError("Alerts: give queue=... or topic=..., one of them")
        ignored = list(ignore)
        self._classes = tuple(one for one in ignored if isinstance(one, type))
        self._codes = frozenset(str(one) for one in ignored if not isinstance(one, type))
        self._queue = queue
        self._topic = topic
        self._aws = aws
        self._sender: Any = None
        self._service = service
        self._stage = stage
        self._every = seconds(every, "Alerts(every=...)")
        self._clock = clock
        self._lock = threading.Lock()
        self._reported: dict[tuple[str, str], tuple[float, int]] = {}  # by kind: when, and how many since

    def __call__(self, error: BaseException, event: Event | None = None) -> Awaitable[None] | None:
        """Report an error."""
        try:
            alert = self._alert(error, event)
            if alert is None:
                return None
            if loop_runs() and has_async_handler(event):
                return self._send_async(alert)
            with blocking_allowed():  # an alert is worth it, and what a sync route returns is not awaited
                self._send(alert)
        except Exception as failure:
            _log_failure(failure)
        return None

    # ---- what is sent ------------------------------------------------------------------------------------------

    def _alert(self, error: BaseException, event: Event | None) -> dict[str, Any] | None:
        """Return the alert, or None when nothing is to be sent."""
        if isinstance(error, self._classes) or not self._codes.isdisjoint(_codes(error)):
            return None
        name = type(error).__qualname__
        where = _origin(event)
        repeated = self._repeated(name, str(where.get("route", "")))
        if repeated is None:
            return None
        alert: dict[str, Any] = {
            "error": f"{type(error).__module__}.{name}",
            # What the service called it says more than the status that it has over HTTP.
            "codes": sorted(_service_codes(error) or _codes(error)) or None,
            "service": self._service,
            "stage": self._stage,
            **where,
            "repeated": repeated or None,
        }
        return {field: value for field, value in alert.items() if value is not None}

    def _repeated(self, name: str, route: str) -> int | None:
        """Return how many of its kind were left out since the last that was sent; None to leave this one out, too."""
        if self._every == 0:
            return 0
        now = self._clock()
        with self._lock:
            when, count = self._reported.get((name, route), (-float("inf"), 0))
            if now - when < self._every:
                self._reported[name, route] = when, count + 1
                return None
            if len(self._reported) >= _MOST_KINDS:
                self._reported.clear()
            self._reported[name, route] = now, 0
            return count

    # ---- how ---------------------------------------------------------------------------------------------------

    def _send(self, alert: dict[str, Any]) -> None:
        if self._topic is not None:
            self._sns().publish(self._topic, alert, subject=_subject(alert), session=None)
        else:
            self._sqs().send(self._queue, alert, session=None)

    async def _send_async(self, alert: dict[str, Any]) -> None:
        try:
            if self._topic is not None:
                await self._sns().publish_async(self._topic, alert, subject=_subject(alert), session=None)
            else:
                await self._sqs().send_async(self._queue, alert, session=None)
        except Exception as failure:
            _log_failure(failure)

    def _sns(self) -> Any:
        if self._sender is None:
            from adapters.sns import Sns

            self._sender = Sns(self._aws_of_alerts())
        return self._sender

    def _sqs(self) -> Any:
        if self._sender is None:
            from adapters.sqs import Sqs

            self._sender = Sqs(self._aws_of_alerts())
        return self._sender

    def _aws_of_alerts(self) -> Aws:
        if self._aws is not None:
            return self._aws
        return Aws(Settings.from_env(connect_timeout=1, read_timeout=3, attempts=2))


def _origin(event: Event | None) -> dict[str, Any]:
    """Return where it happened. What cannot be read of a malformed event is left out."""
    if event is None:
        return {}
    fields: dict[str, Callable[[], Any]] = {
        "source": lambda: event.source.value,
        "route": lambda: event.route and str(event.route),
        "name": lambda: event.name,
        "event_id": lambda: event.id,
        "correlation_id": lambda: event.correlation_id,
        "tenant": lambda: event.session.tenant,
        "attempt": lambda: event.attempt,
        "function": lambda: getattr(event.context, "function_name", None),
        "request_id": lambda: getattr(event.context, "aws_request_id", None),
    }
    held: dict[str, Any] = {}
    for field, read in fields.items():
        try:
            value = read()
        except Exception:
            value = None
        if value not in (None, ""):
            held[field] = value if type(value) is int else str(value)[:_LONGEST]
    return held


def _codes(error: BaseException) -> set[str]:
    """Return what services and statuses call the error: words of a fixed set, never of a client."""
    statuses = {str(error.status)} if isinstance(error, HTTPError) else set()
    return _service_codes(error) | statuses


def _service_codes(error: BaseException) -> set[str]:
    return {error.code[:_LONGEST]} if isinstance(error, AdapterError) and error.code else set()


def _subject(alert: dict[str, Any]) -> str:
    """Return one line for mails: 1 to 100 characters (SNS API reference, Publish)."""
    parts = (alert.get("service"), alert.get("stage"), alert["error"].rpartition(".")[2], alert.get("route"))
    line = " ".join(part for part in parts if part)
    return "".join(one if one.isprintable() and one.isascii() else "?" for one in line)[:100]


def _log_failure(failure: Exception) -> None:
    from logging import getLogger

    getLogger("adapters").error("an alert could not be sent", exc_info=failure)
