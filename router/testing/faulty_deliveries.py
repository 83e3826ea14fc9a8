"""`FaultyDeliveries`: applies the rules of `Faults` to what `TestClient` delivers, and delivers again as AWS would."""

from __future__ import annotations

from contextvars import ContextVar
from time import sleep

from router.sources import read
from router.sources._registry import ROWS, detect
from router.testing.aws_calls import Listener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Source
    from router.resolver import Resolver
    from router.testing.aws_calls import ApiCall
    from router.testing.faults import Effects, Faults

_MOMENT = 0.4  # the chance that a process ends right before a call of AWS, and that it ends right after

_doomed: ContextVar[bool] = ContextVar("doomed", default=False)


class ProcessKilled(BaseException):
    """End a handler as the end of its process would. No `except Exception` holds it up; `finally` runs all the same."""


class NoAnswer(Exception):
    """Say that a caller got no answer, because of a fault on purpose. Whether it was done is not known to it."""


class FaultyDeliveries(Listener):
    """Let deliveries of `TestClient` go wrong, by some rules.

    What reads records is redelivered, with a higher count of receives, as a queue or a stream does it. Whoever waits
    for an answer that does not come, as over HTTP, gets `NoAnswer`.

    faults: the rules.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def __call__(self, resolver: Resolver, raw: Any, context: Any) -> Any:
        """Deliver a payload."""
        source = detect(raw, context)
        effects = self._faults.on_call(source.value, _routes_of(resolver, raw, context))
        if not effects:
            return resolver.resolve(raw, context)
        if effects.ms:
            sleep(effects.ms / 1000)
        if "reorder" in effects:
            raw = self._reordered(raw)
        if "duplicate" in effects:
            self._once(resolver, raw, context, doomed=False)
            raw = again(source, raw)
        if "kill" in effects or "lost answer" in effects:
            self._once(resolver, raw, context, doomed="kill" in effects)
            if ROWS[source].kind == "reply":
                raise NoAnswer(_why(effects))
            raw = again(source, raw)
        return resolver.resolve(raw, context)

    def _once(self, resolver: Resolver, raw: Any, context: Any, *, doomed: bool) -> None:
        """Deliver a payload whose answer nobody hears; AWS delivers it again whatever came of it."""
        token = _doomed.set(doomed)
        try:
            resolver.resolve(raw, context)
        except (Exception, ProcessKilled):  # noqa: S110 - it is redelivered
            pass
        finally:
            _doomed.reset(token)

    def _reordered(self, raw: Any) -> Any:
        """Return a payload with its records in another order."""
        records = raw.get("Records") if isinstance(raw, dict) else None
        if not isinstance(records, list):
            return raw
        return {**raw, "Records": self._faults.shuffled(records)}

    def sending(self, call: ApiCall, request: Any) -> Any:
        """End a process that is doomed right before its handler changes something."""
        self._perhaps_end()
        return None

    def sent(self, call: ApiCall) -> None:
        """End a process that is doomed right after its handler changed something."""
        self._perhaps_end()

    def _perhaps_end(self) -> None:
        if _doomed.get() and self._faults.draw() < _MOMENT:
            raise ProcessKilled


def again(source: Source, raw: Any) -> Any:
    """Return a payload as it is redelivered: a queue counts its receives."""
    if source != "sqs":
        return raw
    return {**raw, "Records": [_received(record) for record in raw["Records"]]}


def _received(record: Any) -> Any:
    attributes = record.get("attributes") or {}
    count = str(attributes.get("ApproximateReceiveCount", "1"))
    number = int(count) + 1 if count.isdigit() else 2
    return {**record, "attributes": {**attributes, "ApproximateReceiveCount": str(number)}}


def _routes_of(resolver: Resolver, raw: Any, context: Any) -> list[str]:
    """Return the routes that take the events of a payload, as text; none where nothing can be read."""
    engine = resolver._engine
    found: dict[str, None] = {}
    try:
        for event in read(raw, context):
            table = engine.table
            entry = table.find_request(event) if ROWS[event.source].by_path else table.find_record(event)
            if entry is not None:
                found[str(entry.route)] = None
    except Exception:
        return list(found)
    return list(found)


def _why(effects: Effects) -> str:
    return f"no answer came (a fault on purpose: {effects.name})"
