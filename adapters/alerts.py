"""Alerts: errors, reported to a queue, a topic or a webhook.

    resolver.on_error(Alerts(topic="alerts", service="orders", stage="prod"))

An alert says what failed and where to look: the error's class and codes, the route, the ids. It holds no message of the
error, no traceback and nothing of the request, as these quote what a client sent; the log has them, under the same ids.
"""

from __future__ import annotations

import time

from adapters._core.blocking import blocking_allowed, has_async_handler
from adapters.aws.aws import Aws
from adapters.aws.settings import Settings
from router.background import loop_runs
from router.error_kinds import ErrorKinds, Repeats, codes_of, words_of
from router.errors import ConfigurationError, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from adapters.webhook import Webhook
    from router.durations import Duration
    from router.error_kinds import Kinds
    from router.event import Event

_LONGEST = 200  # characters of a field: names and ids may come from a client
_LONGEST_TEXT = 8000  # characters of a message or traceback that was asked for


class Alerts:
    """Reports errors to a queue, a topic or a webhook: what `on_error` of resolvers, groups and routes takes.

    queue, topic, webhook: one of them; a queue and a topic as of `Sqs` and `Sns`, a `Webhook` or its URL.
    aws: makes the calls; by default one made of the environment, with timeouts so short that a dead queue does not use
        up an invocation.
    service, stage, severity: say where it was, and how bad such errors are.
    ignore: classes of errors, statuses of HTTPError, codes of AppError and AdapterError that make no alert.
    also: in the same words, refusals that are no errors of the application otherwise: `(AppError, 404)`.
    every: seconds, or a timedelta, in which errors of the same class and codes on the same route make one alert; the
        next one says how many there were. 0: one for each.
    message, traceback: put the error's text, its traceback, into the alert, too. Both may quote what a client sent, and
        secrets.

    It never raises: what goes wrong with an alert is logged, and the dispatch goes on. In an async route it is
    awaited; in a sync one it has been sent on return.
    """

    def __init__(
        self,
        *,
        queue: str | None = None,
        topic: str | None = None,
        webhook: Webhook | str | None = None,
        aws: Aws | None = None,
        service: str | None = None,
        stage: str | None = None,
        severity: str | None = None,
        ignore: Kinds = (),
        also: Kinds = (),
        every: Duration = 60,
        message: bool = False,
        traceback: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if sum(place is not None for place in (queue, topic, webhook)) != 1:
            raise ConfigurationError("Alerts: give queue=..., topic=... or webhook=..., one of them")
        self.also = also  # read by the dispatcher, which calls it for these as well
        self._ignored = ErrorKinds(ignore, "Alerts(ignore=...)")
        self._queue = queue
        self._topic = topic
        self._webhook = None if webhook is None else _webhook(webhook)
        self._aws = aws
        self._sender: Any = None
        self._fixed = {"service": service, "stage": stage, "severity": severity}
        self._repeats = Repeats(every, "Alerts(every=...)", clock)
        self._tells_message = message
        self._tells_traceback = traceback

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
        if self._ignored.has(error):
            return None
        name = type(error).__qualname__
        where = _origin(event)
        codes = codes_of(error)
        repeated = self._repeats.count(name, str(where.get("route", "")), *sorted(codes))
        if repeated is None:
            return None
        alert: dict[str, Any] = {
            "error": f"{type(error).__module__}.{name}",
            # What the application or a service called it says more than the status that it has over HTTP.
            "codes": sorted(codes or words_of(error)) or None,
            **self._fixed,
            **where,
            "repeated": repeated or None,
        }
        if self._tells_message:
            alert["message"] = text_of(error)[:_LONGEST_TEXT]
        if self._tells_traceback:
            alert["traceback"] = _traceback_of(error)
        return {field: _sendable(value) for field, value in alert.items() if value is not None}

    # ---- how ---------------------------------------------------------------------------------------------------

    def _send(self, alert: dict[str, Any]) -> None:
        if self._webhook is not None:
            self._webhook._post(alert)
        elif self._topic is not None:
            self._sns().publish(self._topic, alert, subject=_subject(alert), session=None)
        else:
            self._sqs().send(self._queue, alert, session=None)

    async def _send_async(self, alert: dict[str, Any]) -> None:
        try:
            if self._webhook is not None:
                await self._webhook._post_async(alert)
            elif self._topic is not None:
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
        # Of a request the route says where: a name may be its path, with numbers and names that a client wrote.
        "name": lambda: None if event._from_client else event.name,
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


def _webhook(given: Any) -> Webhook:
    from adapters.webhook import Webhook

    return given if isinstance(given, Webhook) else Webhook(given)


def _sendable(value: Any) -> Any:
    """Return a value that JSON can have: half a character in a client's words must not cost the alert."""
    return value.encode(errors="replace").decode() if type(value) is str and not value.isascii() else value


def _traceback_of(error: BaseException) -> str:
    """Return the end of a traceback, which says most."""
    from traceback import format_exception

    try:
        text = "".join(format_exception(error))
    except Exception:  # an error whose own text fails
        text = type(error).__qualname__
    return text[-_LONGEST_TEXT:]


def _subject(alert: dict[str, Any]) -> str:
    """Return one line for mails: 1 to 100 characters (SNS API reference, Publish)."""
    parts = (alert.get("service"), alert.get("stage"), alert["error"].rpartition(".")[2], alert.get("route"))
    line = " ".join(part for part in parts if part)
    return "".join(one if one.isprintable() and one.isascii() else "?" for one in line)[:100]


def _log_failure(failure: Exception) -> None:
    from logging import getLogger

    getLogger("adapters").error("an alert could not be sent", exc_info=failure)
