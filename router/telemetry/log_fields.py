"""`LogFields`: every log line says which event it is about.

    resolver.use(LogFields())

    logging.getLogger(__name__).info("paid")    # route, source, event_id, tenant, correlation_id, ...

The fields are read from the context of the dispatch at the moment of the line. So they are right in threads, in async
handlers and for each record, and there is nothing that would have to be reset.
"""

from __future__ import annotations

import logging

from router.dispatch.chain import Middleware
from router.errors import ConfigurationError
from router.telemetry.fields import BESIDE_POWERTOOLS, LONGEST, READERS, named, running, safe
from router.telemetry.json_lines import JsonLines
from router.telemetry.logger_keys import RecordKeys, held_keys, is_of_powertools
from router.telemetry.redacted_records import redact_record
from router.telemetry.redaction import Redact
from router.telemetry.sampling import DebugShares

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from typing import Any

    from router.dispatch.chain import Around
    from router.dispatch.invocation import Invocation
    from router.event import Event
    from router.telemetry.fields import Reader

    Readers = tuple[tuple[str, Reader], ...]

_OF_LAMBDA = "awslambdaric"  # whose handlers write a line as it is, without an end


class LogFields(Middleware, logging.Filter):
    """Give each log record the fields of the event that is being handled, and take secrets out of it.

    It is middleware, and a filter on the handlers of the root logger (Lambda's own among them) and of `loggers`; they
    are looked for at the start of each call. `install()` does it at once, for lines before the first event.

    loggers: of Powertools, or of `logging`, which have handlers of their own.
    fields: which ones, or the name that each is written by (`OTEL_FIELDS`); the usual ones unless given.
    redact: names of fields whose values are masked, or a `Redact`.
    read_session: whether tenant, user and correlation id are read from a session that nothing else has read yet.
    json: whether lines are written as JSON, except by handlers that do so already.
    debug: loggers that write DEBUG lines too in a share of the calls: `{"shop": 0.01}`.

    Raises:
        ConfigurationError: a field is not known, a rule names none, or a share is not between 0 and 1.
    """

    # It stands outside of what authenticates, and says nothing to anybody.
    outside_auth = True

    def __init__(
        self,
        *loggers: Any,
        fields: Iterable[str] | Mapping[str, str] | None = None,
        redact: Iterable[str] | Redact | None = None,
        read_session: bool = False,
        json: bool = False,
        debug: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        names = named(fields)
        self._readers: Readers = tuple((name, READERS[field]) for field, name in names.items())
        self._of_lambda = names.get("request_id")  # which Lambda's handler writes by itself
        self._redact = redact if redact is None or isinstance(redact, Redact) else Redact(redact)
        self._read_session = read_session
        self._json = json
        self._debug = DebugShares(debug) if debug else None
        self._keys: dict[int, RecordKeys] = {}  # by formatter
        self._sparse = _Sparse(self, self._readers)
        beside = tuple((name, BESIDE_POWERTOOLS[field]) for field, name in names.items())
        self._beside_powertools = _Sparse(self, beside)
        self._seen: list[logging.Handler] | None = None
        for logger in loggers:
            if not (hasattr(logger, "handlers") and hasattr(logger, "name")):
                raise ConfigurationError(f"LogFields({logger!r:.80}): give loggers; names go to debug=")
        # That of Powertools stands around one of logging, and asking it for handlers is slow.
        self._loggers = [one if isinstance(one, logging.Logger) else logging.getLogger(one.name) for one in loggers]
        again = "refresh_sample_rate_calculation"  # which the first versions of Powertools 3 have not
        self._drawn = [one for one in loggers if getattr(one, "sampling_rate", None) and hasattr(one, again)]

    @property
    def fields(self) -> LogFields:
        """Return itself: what the filters on handlers have in common."""
        return self

    # ---- around events -------------------------------------------------------------------------------------------

    def __call__(self, event: Event) -> Around:
        if not self._keys:
            return
        token = held_keys.set({})
        try:
            yield
        finally:
            held_keys.reset(token)

    def around_invocation(self, invocation: Invocation) -> Generator[None, None, None]:
        """Find the handlers of this call, and let some calls write DEBUG lines."""
        self.install()
        if not invocation.cold_start:
            for logger in self._drawn:  # of Powertools, which draws its share when it is made, and in its decorator
                logger.refresh_sample_rate_calculation()
        if self._debug is None:
            yield
            return
        drawn = self._debug.begin()
        try:
            yield
        finally:
            self._debug.end(drawn)

    def install(self) -> LogFields:
        """Add the filter to the handlers that there are now."""
        root = logging.getLogger()
        if self._json and not root.handlers:
            root.addHandler(logging.StreamHandler())
        handlers = [*root.handlers]
        for logger in self._loggers:
            handlers += logger.handlers
        if handlers != self._seen:  # a look at each call: it must cost next to nothing
            self._seen = handlers
            for handler in handlers:
                self._add_to(handler)
        return self

    def _add_to(self, handler: logging.Handler) -> None:
        formatter = handler.formatter
        if any(getattr(one, "fields", None) is self for one in handler.filters):
            return
        if is_of_powertools(formatter):
            keys = self._keys.get(id(formatter))
            if keys is None:
                self._keys[id(formatter)] = keys = RecordKeys(formatter, self._redact)
            handler.addFilter(keys)
        elif self._json and not _writes_json(formatter) and not type(handler).__module__.startswith("_pytest"):
            handler.setFormatter(JsonLines("\n" if type(handler).__module__.startswith(_OF_LAMBDA) else ""))
            formatter = handler.formatter
        if is_of_powertools(formatter):
            handler.addFilter(self._beside_powertools)
        else:  # what writes all attributes needs none that says nothing; a text format needs those that it names
            handler.addFilter(self._sparse if _writes_json(formatter) else self)

    # ---- for each line -------------------------------------------------------------------------------------------

    def filter(self, record: logging.LogRecord) -> bool:
        """Give a log record its fields; what cannot be told is None, so that a text format may name any of them."""
        held = record.__dict__
        self._fill(held, self._readers)
        for name, _ in self._readers:
            if name not in held:
                held[name] = None
        if self._redact is not None:
            redact_record(record, self._redact)
        return True

    def _fill(self, held: dict[str, Any], readers: Readers) -> None:
        """Add the fields that can be told. Nothing about the event can fail a log line."""
        try:
            now = running(self._read_session)
        except Exception:
            now = None
        if now is None:
            return
        of_lambda = self._of_lambda if "aws_request_id" in held else None
        for name, read in readers:
            if name in held or name == of_lambda:
                continue  # the line says it
            try:
                value = read(now)
            except Exception:  # a record that cannot be read
                value = None
            if value is not None:
                if type(value) is str and not (value.isprintable() and len(value) <= LONGEST):
                    value = safe(value)
                held[name] = value


class _Sparse(logging.Filter):
    """The filter of `LogFields` for handlers that write all attributes: without those that say nothing."""

    def __init__(self, fields: LogFields, readers: Readers) -> None:
        super().__init__()
        self.fields = fields
        self._readers = readers

    def filter(self, record: logging.LogRecord) -> bool:
        """Give a log record the fields that can be told."""
        self.fields._fill(record.__dict__, self._readers)
        if self.fields._redact is not None:
            redact_record(record, self.fields._redact)
        return True


def _writes_json(formatter: Any) -> bool:
    """Whether a formatter writes JSON already: ours, or the one of Lambda's JSON log format."""
    return isinstance(formatter, JsonLines) or type(formatter).__name__ == "JsonFormatter"
