"""CloudWatch Logs: a subscription filter sends log events, compressed. One Event a payload; `json()` is all of it."""

from __future__ import annotations

from router.event import Source
from router.sources._records import RecordEvent, kind_of, since_epoch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from router.event import Event

# What a payload may unpack to. An asynchronous call brings 256 KB to 1 MB; log text packs about 10 to 1.
LIMIT = 64 * 1024 * 1024
_ATTRIBUTES = ("owner", "logGroup", "logStream", "messageType", "subscriptionFilters")


class LogsEvent(RecordEvent):
    """The log events that matched a filter."""

    __slots__ = ()

    def _body(self) -> bytes:
        import zlib

        packed = self._decoded("awslogs", "data")
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip; some tools that imitate it write zlib
        try:
            data = unpacker.decompress(packed, LIMIT + 1)
        except zlib.error as error:
            self._fail("awslogs.data", f"not valid gzip: {error}")
        if len(data) > LIMIT:
            self._fail("awslogs.data", f"unpacks to more than {LIMIT:,} bytes")
        if not unpacker.eof:
            self._fail("awslogs.data", "not valid gzip: it ends too early")
        if unpacker.unused_data:
            self._fail("awslogs.data", f"not valid gzip: {len(unpacker.unused_data)} bytes follow its end")
        return data

    def _records(self) -> list[Any]:
        return [self.record]

    def _parsed(self) -> Any:
        document = super()._parsed()
        if type(document) is not dict:
            self._fail("awslogs.data", f"must hold an object, not {kind_of(document)}")
        return document

    def _name(self) -> str:
        group = self.json().get("logGroup")
        if type(group) is not str:
            self._fail("awslogs.data: logGroup", f"must be text, not {kind_of(group)}")
        return group

    def _id(self) -> str:
        id = self._first("id")
        return id if type(id) is str and id else super()._id()

    def _attributes(self) -> dict[str, Any]:
        document = self.json()
        return {name: document[name] for name in _ATTRIBUTES if name in document}

    def _timestamp(self) -> datetime | None:
        return since_epoch(self._first("timestamp"), "milliseconds")

    def _first(self, key: str) -> Any:
        """Return a part of the first log event; None when there is no such thing."""
        events = self.json().get("logEvents")
        first = events[0] if type(events) is list and events else None
        return first.get(key) if type(first) is dict else None


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the payload. Nothing of it is unpacked yet."""
    return [LogsEvent(source, raw, context, raw)]
