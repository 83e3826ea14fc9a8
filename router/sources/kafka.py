"""Kafka: one Event a record, in the order of its partition, of which nothing is handled after a failure.

If one fails the call fails, and all come again. Where the event source mapping reports item failures, and the routes
say so (`partial=True`), the answer names where each partition has to start again. A share group (`queue=True`) has no
order.
"""

from __future__ import annotations

from binascii import a2b_base64

from orjson import loads

from router.errors import ConfigurationError, InvalidEvent, RouterError, text_of
from router.event import SHORT, TO_NOUGHTS, TO_TELL, Event
from router.sources._records import RecordEvent, java_text, kind_of, readable, since_epoch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from typing import Any

    from router.decoders import Schema
    from router.event import Source
    from router.http.headers import Headers
    from router.routing.route import Route
    from router.sources import Outcome

_TO_TELL = TO_TELL.encode()


class KafkaEvent(RecordEvent):
    """One record of a partition. A tombstone (a record without a value) has an empty `body`, and None as `json()`."""

    __slots__ = ("_index", "_log", "_options", "_position")

    if TYPE_CHECKING:
        _options: Route | None  # a route of its topic, for how its records are read
        _index: int  # among the records of its partition in the payload
        _log: str  # the partition as the payload names it, `orders-0`; as it was read: a handler may change the payload
        _position: int | None  # the offset as it was read; None where it is no offset

    def __init__(self, source: Source, raw: Any, context: Any, record: Any, log: str, index: int) -> None:
        Event.__init__(self, source, raw, context, record)  # that of RecordEvent would write out the place of each
        self._log, self._index, self._options = log, index, None
        topic, offset = record.get("topic"), record.get("offset")
        self._position = offset if type(offset) is int and offset >= 0 else None
        if type(topic) is str:  # else the error comes where the name is read
            self.name = topic

    def _in_payload(self) -> str:
        return f"records.{self._log}[{self._index}]"

    @property
    def partition(self) -> int:
        """Return the number of the partition."""
        return self._need(int, "partition")

    @property
    def offset(self) -> int:
        """Return the offset of the record in its partition."""
        return self._need(int, "offset")

    @property
    def identifier(self) -> dict[str, Any]:
        """Return what a failure of this record is reported by: `{"partition": "orders-0", "offset": 15}`."""
        return {"partition": self._log, "offset": self._position}

    def _name(self) -> str:
        return self._need(str, "topic")

    def _id(self) -> str:
        return f"{self.name}-{self._need(int, 'partition')}-{self._need(int, 'offset')}"

    @property
    def partition_key(self) -> str | bytes | None:
        """The record's key: text where it is UTF-8, else bytes; None when it has none."""
        return None if self._find("key") is None else readable(self._decoded("key"))

    @property
    def schema(self) -> Schema | None:
        """The schema of the value in the registry of the event source mapping; None where there is none."""
        return self._schema_in("valueSchemaMetadata")

    @property
    def key_schema(self) -> Schema | None:
        """The schema of the key, as above."""
        return self._schema_in("keySchemaMetadata")

    @property
    def key_body(self) -> bytes | None:
        """The record's key as bytes; None when it has none. A decoder takes it with `key_schema`."""
        return None if self._find("key") is None else self._decoded("key")

    def _schema_in(self, name: str) -> Schema | None:
        held = self._find(name)
        if type(held) is not dict:
            return None
        from router.decoders import Schema

        kind, id = held.get("dataFormat"), held.get("schemaId")
        known = id if type(id) is str else str(id) if type(id) is int else ""
        return Schema(kind if type(kind) is str else "", known)

    _json_is_text_too = True

    def _body(self) -> bytes:
        return b"" if self._find("value") is None else self._decoded("value")

    def _text(self) -> str:
        decoder = None if self._options is None else self._options.decoder
        if decoder is None or self._find("value") is None:
            return super()._text()
        from router.encode import dumps

        try:
            return dumps(decoder(self.body, self.schema)).decode()
        except ConfigurationError:
            raise
        except RouterError as error:
            self._fail("value", text_of(error))
        except Exception as error:
            # The text of another library may quote the record.
            own = f": {error}" if type(error) is ValueError else ""
            self._fail("value", f"cannot be decoded: {type(error).__name__}{own[:200]}")

    def _parsed(self) -> Any:
        value = self.record.get("value")
        if value is None:
            return None
        if self._options is None and self._offloaded is None and type(value) is str:
            try:  # most records in one step; the others, and all errors, take those below
                data = a2b_base64(value, strict_mode=True)
                parsed = loads(data)
            except ValueError:
                pass
            else:
                if len(data) <= SHORT and _TO_TELL not in data[::6].translate(TO_NOUGHTS):
                    return parsed
        try:
            return super()._parsed()
        except InvalidEvent as error:
            decoded = self._options is not None and self._options.decoder is not None
            kind = None if decoded or self.schema is None else self.schema.format
            if kind in (None, "", "JSON"):
                raise
            raise InvalidEvent(f"{error}; its schema is of {kind}: give its route a decoder=") from None

    def _named_values(self) -> Iterator[tuple[str, str, Any]]:
        """Return each header: name, place, value as delivered. A name may occur more than once."""
        headers = self._find("headers")
        if headers is None:
            return
        if type(headers) is not list:
            self._fail("headers", f"must be a list, not {kind_of(headers)}")
        for position, header in enumerate(headers):
            place = f"headers[{position}]"
            if type(header) is not dict:
                self._fail(place, f"must be an object, not {kind_of(header)}")
            for name, value in header.items():
                yield name, f"{place}.{name}", value

    def _attributes(self) -> dict[str, Any]:
        # The last of a name counts, as in Kafka's own lastHeader().
        return {name: java_text(self, place, value) for name, place, value in self._named_values()}

    def _headers(self) -> Headers:
        from router.http.headers import Headers

        texts = ((name, java_text(self, place, value)) for name, place, value in self._named_values())
        return Headers((name, [text]) for name, text in texts if isinstance(text, str))

    def _session_wire(self, attribute: str) -> Any:
        wire = None
        for name, place, value in self._named_values():
            if name == attribute:
                wire = java_text(self, place, value)
        return wire

    def _timestamp(self) -> datetime | None:
        return since_epoch(self._find("timestamp"), "milliseconds")


KafkaEvent._computed["_place"] = KafkaEvent._in_payload  # for messages alone


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return one Event a record; they stand under `topic-partition`."""
    groups = raw.get("records")
    if type(groups) is not dict:
        raise InvalidEvent(f"{source} records: must be an object, not {kind_of(groups)}")
    events: list[Event] = []
    for partition, records in groups.items():
        if type(records) is not list:
            raise InvalidEvent(f"{source} records.{partition}: must be a list, not {kind_of(records)}")
        for index, record in enumerate(records):
            if type(record) is not dict:
                raise InvalidEvent(f"{source} records.{partition}[{index}]: must be an object, not {kind_of(record)}")
            events.append(KafkaEvent(source, raw, context, record, partition, index))
    return events


def ordering_key(event: Any) -> str | None:
    """Return what must stay in order: a partition; None for a record of a share group, which keeps none."""
    options = event._options
    log: str = event._log
    return log if options is None or not options.queue else None


def partition_key(event: Event) -> None:
    """Return what must stay in order within a partition: all of it."""


def reports_items(events: Sequence[Event], outcomes: Sequence[Outcome]) -> bool:
    """Return whether Lambda may be told which records failed: else the call fails as a whole.

    A mapping that does not report item failures would take the answer for success, so the routes have to say that
    theirs does. A record that no route took, or whose turn never came, goes with the others.
    """
    if not any(route is not None and route.partial for route in {event.route for event in events}):
        return False
    if not any(outcome.failed for outcome in set(outcomes)):  # those that are done share one
        return True
    failed = [event for event, outcome in zip(events, outcomes, strict=True) if outcome.failed]
    return all(event.route is None or event.route.partial for event in failed) and all(
        isinstance(event, KafkaEvent) and event._position is not None for event in failed
    )


def answer(raw: Any, events: Sequence[Event], outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """Return the first failure of each partition: Lambda delivers again from there.

    Of a share group each failure is named.
    """
    if not reports_items(events, outcomes):
        return None
    named: dict[Any, KafkaEvent] = {}
    for event, outcome in zip(events, outcomes, strict=True):
        if outcome.failed and isinstance(event, KafkaEvent):
            where: Any = ordering_key(event) or (event._log, event._position)
            known = named.setdefault(where, event)
            if (event._position or 0) < (known._position or 0):
                named[where] = event
    return {"batchItemFailures": [{"itemIdentifier": event.identifier} for event in named.values()]}
