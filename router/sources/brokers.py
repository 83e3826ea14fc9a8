"""ActiveMQ, RabbitMQ and DocumentDB: one Event a record. If one fails the call fails, and all come again."""

from __future__ import annotations

import re

from router.event import Source
from router.sources._records import (
    DocumentEvent,
    RecordEvent,
    java_text,
    placed,
    placed_in_groups,
    since_epoch,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any, ClassVar

    from router.event import Event, MaybeNone

# Headers of RabbitMQ may hold tables and lists of their own; no client nests them deeper.
_DEEPEST = 32


class BrokerEvent(RecordEvent):
    """The base of the events of both message brokers."""

    __slots__ = ()
    _correlation: ClassVar[tuple[str, ...]]  # where the broker carries a correlation id beside the message

    def _body(self) -> bytes:
        return self._decoded("data")

    def _attempt(self) -> int:
        return 2 if self._find("redelivered") is True else 1

    def _correlation_id(self) -> str:
        own = self._find(*self._correlation)
        return self.session.correlation_id or (own if type(own) is str and own else self.id)


class ActiveMqEvent(BrokerEvent):
    """One JMS message; `attributes` are its properties."""

    __slots__ = ()
    _correlation = ("correlationId",)

    def _name(self) -> str:
        return self._need(str, "destination", "physicalName")

    def _id(self) -> str:
        return self._need(str, "messageID")

    def _attributes(self) -> dict[str, Any]:
        return {} if self._find("properties") is None else dict(self._need(dict, "properties"))

    def _session_wire(self, attribute: str) -> Any:
        return self._find("properties", attribute)

    def _timestamp(self) -> datetime | None:
        return since_epoch(self._find("timestamp"), "milliseconds")


class RabbitMqEvent(BrokerEvent):
    """One message of a queue; `attributes` are its headers."""

    __slots__ = ()
    _correlation = ("basicProperties", "correlationId")

    def _id(self) -> str:
        """Return the message id, if the publisher gave one; else made of where the message stood and what it is.

        Two messages without an id that are alike in everything cannot be told apart: publishers should give one.
        """
        id = self._find("basicProperties", "messageId")
        if type(id) is str and id:
            return id
        from hashlib import sha256
        from json import dumps

        try:
            content = dumps([self._place, self._find("basicProperties"), self._find("data")], sort_keys=True)
        except RecursionError:
            self._fail("basicProperties", "nested too deep")
        return f"{self.name}-{sha256(content.encode()).hexdigest()[:32]}"

    def _attributes(self) -> dict[str, Any]:
        if self._find("basicProperties", "headers") is None:
            return {}
        headers = self._need(dict, "basicProperties", "headers")
        return {name: self._header(name, value) for name, value in headers.items()}

    def _session_wire(self, attribute: str) -> Any:
        return self._header(attribute, self._find("basicProperties", "headers", attribute))

    def _header(self, name: str, value: Any) -> Any:
        return _plain(self, f"basicProperties.headers.{name}", value, 0)

    def _attempt(self) -> int:
        # Quorum queues count deliveries; others only tell that it is not the first.
        count = self._find("basicProperties", "headers", "x-delivery-count")
        return count + 1 if type(count) is int and count >= 0 else super()._attempt()

    def _timestamp(self) -> datetime | None:
        return _clock(self._find("basicProperties", "timestamp"))


class DocumentDbEvent(DocumentEvent):
    """One change of a collection, in MongoDB's extended JSON. `json()` is the document as it is, or as it was deleted.

    Images that the change stream does not carry are None.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        keys: dict[str, Any] | MaybeNone
        old: dict[str, Any] | MaybeNone
        new: dict[str, Any] | MaybeNone

    def _name(self) -> str:
        """Return `database.collection`, with `*` for what a change is not confined to: dropDatabase, invalidate."""
        if self._find("event", "ns") is None and self._find("event", "operationType") == "invalidate":
            return "*.*"
        collection = self._find("event", "ns", "coll")
        return f"{self._need(str, 'event', 'ns', 'db')}.{collection if type(collection) is str else '*'}"

    def _id(self) -> str:
        return self._need(str, "event", "_id", "_data")

    def _change(self) -> str:
        return self._need(str, "event", "operationType")

    def _image(self, part: str) -> dict[str, Any] | None:
        return None if self._find("event", part) is None else self._need(dict, "event", part)

    def _keys(self) -> dict[str, Any] | None:
        return self._image("documentKey")

    def _old(self) -> dict[str, Any] | None:
        return self._image("fullDocumentBeforeChange")

    def _new(self) -> dict[str, Any] | None:
        return self._image("fullDocument")

    def _document(self) -> Any:
        return self.old if self.change == "delete" else self.new

    def _timestamp(self) -> datetime | None:
        return since_epoch(self._find("event", "clusterTime", "$timestamp", "t"))


def _plain(event: RecordEvent, place: str, value: Any, depth: int) -> Any:
    """Return a header of RabbitMQ. Text comes as `{"bytes": [...]}`, also in tables and lists; the rest is plain."""
    if depth > _DEEPEST:
        event._fail(place[:200], f"nested deeper than {_DEEPEST} levels")
    if type(value) is list:
        return [_plain(event, f"{place}[{index}]", held, depth + 1) for index, held in enumerate(value)]
    if type(value) is not dict:
        return value
    if value.keys() == {"bytes"}:
        return java_text(event, f"{place}.bytes", value["bytes"])
    return {name: _plain(event, f"{place}.{name}", held, depth + 1) for name, held in value.items()}


# Java's way to write a date: "Jan 1, 1970, 12:33:41 AM", from Java 20 on with a narrow space before AM.
_CLOCK = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d{2}):(\d{2})\s([AP])M")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _clock(text: Any) -> datetime | None:
    """Return a date in Java's way, taken as UTC; None for anything else."""
    found = _CLOCK.fullmatch(text) if type(text) is str else None
    if found is None or found[1] not in _MONTHS:
        return None
    from datetime import UTC, datetime

    day, year, hour, minute, second = (int(found[index]) for index in range(2, 7))
    try:
        month = _MONTHS.index(found[1]) + 1
        return datetime(year, month, day, hour % 12 + (12 if found[7] == "P" else 0), minute, second, tzinfo=UTC)
    except ValueError:
        return None


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return one Event a record or message."""
    if source is Source.RABBITMQ:
        return _read_queues(source, raw, context)
    if source is Source.ACTIVEMQ:
        return [ActiveMqEvent(source, raw, context, record, place) for place, record in placed(source, raw)]
    return [DocumentDbEvent(source, raw, context, record, place) for place, record in placed(source, raw)]


def _read_queues(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return one Event a message; they stand under `queue::virtual host`."""
    events: list[Event] = []
    for queue, place, record in placed_in_groups(source, raw):
        event = RabbitMqEvent(source, raw, context, record, place)
        event.name = queue.partition("::")[0]
        events.append(event)
    return events


def ordering_key(event: Event) -> str | None:
    """Return what must stay in order: a collection of DocumentDB. Queues promise none."""
    if isinstance(event, DocumentDbEvent):
        return f"{event._find('event', 'ns', 'db')}.{event._find('event', 'ns', 'coll')}"
    return None
