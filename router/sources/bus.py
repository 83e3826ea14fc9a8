"""EventBridge: rules on a bus by detail-type, schedules (of rules and of the Scheduler) by name."""

from __future__ import annotations

from router.event import Event, Source
from router.sources._replies import dig, json_bytes, text_at, text_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any


class BusEvent(Event):
    """One event of a bus. Its body is the `detail`."""

    __slots__ = ()

    @property
    def detail(self) -> Any:
        """The detail, the same as `json()`."""
        return self.json()

    def _id(self) -> str:
        return text_at(self.raw, "id") or super()._id()

    def _name(self) -> str:
        return text_at(self.raw, "detail-type") or ""

    def _bus_source(self) -> str:
        return text_at(self.raw, "source") or ""

    def _timestamp(self) -> datetime | None:
        from router.sources._records import iso_moment

        return iso_moment(self.raw.get("time"))

    def _trace_id(self) -> str | None:
        return text_at(self.raw, "trace-header") or super()._trace_id()

    def _body(self) -> bytes:
        detail = self.raw.get("detail")
        if type(detail) is str:
            return text_bytes(self, detail, "detail")
        return json_bytes(self, detail, "detail")

    def _parsed(self) -> Any:
        """Return the detail; one that is text is parsed when it is JSON, and else stays what it is."""
        detail = self.raw.get("detail")
        if type(detail) is not str:
            return detail
        from router.numbers import loads

        try:
            return loads(detail)
        except ValueError:
            return detail

    def _session_wire(self, attribute: str) -> Any:
        wire = dig(self.json(), "metadata", attribute)
        if wire is None:
            return None
        if self.outer is not None:
            from router.sources._envelopes import BUS_SOURCES, is_believed

            return wire if is_believed(self, BUS_SOURCES, self.bus_source, wire, self.outer) else None
        if self.source is Source.EVENTBRIDGE and self.bus_source.startswith("aws.") and self._policy.signing is None:
            # Nothing of ours publishes under such a source. Services of AWS know no sessions; a partner can write one.
            self._ignored = f"the session in its detail was ignored: {self.bus_source[:200]!a} is not a source of yours"
            return None
        return wire


class ScheduleEvent(BusEvent):
    """A rule or a schedule that is due. The Scheduler delivers the `detail` as text; JSON in it is parsed."""

    __slots__ = ()

    def _name(self) -> str:
        return _schedule(self.raw.get("resources")) or super()._name()


def _schedule(resources: Any) -> str | None:
    """Return the name in `rule/NAME`, `rule/BUS/NAME` or `schedule/GROUP/NAME`, the resource of the first ARN."""
    if type(resources) is not list or not resources or type(resources[0]) is not str:
        return None
    kind, slash, rest = resources[0].rpartition(":")[2].partition("/")
    return rest.rpartition("/")[2] or None if slash and kind in ("rule", "schedule") else None


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the event."""
    return [(ScheduleEvent if source is Source.SCHEDULE else BusEvent)(source, raw, context, raw)]


def data_class(event: Event) -> str:
    """Return the class of an event: those of S3 have one of their own."""
    if event.bus_source == "aws.s3":
        return "s3_event.S3EventBridgeNotificationEvent"
    return "event_bridge_event.EventBridgeEvent"
