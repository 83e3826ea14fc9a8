"""SQS: one Event a message; what failed is reported by message id, so that the rest is deleted.

A body that is the envelope of an SNS notification is opened: `body`, `text` and `json()` are the message that was
published, `attributes` its attributes, `topic` its topic. With raw delivery SNS sends no envelope, and all is the same.
"""

from __future__ import annotations

import orjson

from router.errors import InvalidEvent
from router.event import SHORT, TO_NOUGHTS, TO_TELL, Event, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from typing import Any

    from router.sources import Outcome

# A look before the parser: a body without this is no envelope of SNS.
_MARK = '"TopicArn"'


class QueueEvent(Event):
    """One message of a queue."""

    __slots__ = ("_envelope",)
    _json_is_text_too = True

    if TYPE_CHECKING:
        record: dict[str, Any]
        _envelope: dict[str, Any] | None  # of SNS, when the body is one

    def _name(self) -> str:
        return text_of(self, "eventSourceARN").rpartition(":")[2]

    def _records(self) -> list[Any]:
        return list(self.raw["Records"])

    @property
    def group(self) -> str | None:
        """The message group; None on a standard queue, unless the sender gave one for fair queues."""
        group = self.system("MessageGroupId")
        return group if type(group) is str else None

    @property
    def subject(self) -> str | None:
        """The subject line of an SNS notification, where the publisher gave one."""
        envelope = self._envelope
        subject = None if envelope is None else envelope.get("Subject")
        return subject if type(subject) is str else None

    def system(self, name: str) -> Any:
        """Return an attribute that SQS itself sets, such as ApproximateReceiveCount; None when it is not there."""
        attributes = self.record.get("attributes")
        return attributes.get(name) if type(attributes) is dict else None

    def _opened(self) -> dict[str, Any] | None:
        body = self.record.get("body")
        if type(body) is not str or _MARK not in body:
            return None
        try:
            held = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        if type(held) is dict and held.get("Type") == "Notification" and type(held.get("Message")) is str:
            return held if type(held.get("TopicArn")) is str else None
        return None

    def _text(self) -> str:
        if self._offloaded is not None:
            return Event._text(self)
        envelope = self._envelope
        return envelope["Message"] if envelope is not None else text_of(self, "body")

    def _parsed(self) -> Any:
        if self._offloaded is None:
            body = self.record.get("body", "")
            try:
                value = orjson.loads(body)
            except orjson.JSONDecodeError:
                pass  # said with its position below
            else:
                if type(value) is not dict or "TopicArn" not in value:  # no envelope
                    if len(body) > SHORT or TO_TELL in body[::6].encode().translate(TO_NOUGHTS).decode():
                        value = self._checked(body, value)
                    return value
        return super()._parsed()

    def _body(self) -> bytes:
        if self._offloaded is not None:
            return self._offloaded()
        try:
            return self.text.encode()
        except UnicodeEncodeError as error:
            self._refuse(f"{self.source} record: body is not valid text (character {error.start})")

    def _attributes(self) -> dict[str, Any]:
        envelope = self._envelope
        published = {} if envelope is None else plain_attributes(self, envelope.get("MessageAttributes"))
        return {**published, **plain_attributes(self, self.record.get("messageAttributes"))}

    def _topic(self) -> str | None:
        envelope = self._envelope
        return None if envelope is None else str(envelope["TopicArn"]).rpartition(":")[2]

    def _session_wire(self, attribute: str) -> Any:
        own = self.record.get("messageAttributes")
        if type(own) is dict and attribute in own:
            held = own[attribute]
            if type(held) is dict and held.get("dataType") == "String" and type(held.get("stringValue")) is str:
                return held["stringValue"]
            return _plain(self, attribute, held)
        return self._enclosed_wire(attribute)

    def _enclosed_wire(self, attribute: str) -> Any:
        """Return the session inside the body: of the envelope of SNS, or of a bus event."""
        envelope = self._envelope
        published = None if envelope is None else envelope.get("MessageAttributes")
        if type(published) is dict and attribute in published:
            from router.sources._envelopes import TOPICS, is_believed

            wire = _plain(self, attribute, published[attribute])
            return wire if is_believed(self, TOPICS, str(self.topic), wire) else None
        body = self.record.get("body")
        if type(body) is not str or "detail-type" not in body:
            return None
        from router.sources._envelopes import bus_session

        return bus_session(self, attribute)

    def _check_pointer(self, attribute: str) -> None:
        own = self.record.get("messageAttributes")
        if (type(own) is dict and attribute in own) or self._envelope is None:
            return
        from router.sources._envelopes import check_pointer

        check_pointer(self, self, str(self.topic))

    def _attempt(self) -> int:
        return _count(self.system("ApproximateReceiveCount")) or 1

    def _timestamp(self) -> datetime | None:
        from router.sources.http import moment

        return moment(_count(self.system("SentTimestamp")))

    def _trace_id(self) -> str | None:
        trace = self.system("AWSTraceHeader")
        return trace if type(trace) is str else super()._trace_id()


QueueEvent._computed["_envelope"] = QueueEvent._opened


def _count(text: Any) -> int | None:
    """Return a count or a time that came as decimal digits; None for anything else."""
    return int(text) if type(text) is str and text.isascii() and text.isdigit() and len(text) <= 20 else None


def text_of(event: Event, key: str) -> str:
    """Return a part of a record that its source promises as text. Raises InvalidEvent, which names it."""
    value = event.record.get(key)
    if type(value) is not str:
        raise InvalidEvent(f"{event.source} record: {key} must be text, got {type(value).__name__}")
    return value


def plain_attributes(event: Event, held: Any) -> dict[str, Any]:
    """Return message attributes as plain values: text, int or Decimal, bytes; SNS's String.Array as a list.

    Reads both spellings: `stringValue`/`binaryValue` of SQS and `Value` of SNS.
    """
    if held is None:
        return {}
    if type(held) is not dict:
        event._refuse(f"{event.source} record: message attributes must be an object, not {type(held).__name__}")
    return {name: _plain(event, name, attribute) for name, attribute in held.items()}


def _plain(event: Event, name: str, attribute: Any) -> Any:
    if type(attribute) is not dict:
        event._refuse(f"{event.source} record: the attribute {name!r} must be an object")
    kind = attribute.get("dataType", attribute.get("Type"))
    kind = kind if type(kind) is str else "String"
    binary = kind.startswith("Binary")
    value = attribute.get("Value")
    if value is None:
        value = attribute.get("binaryValue" if binary else "stringValue")
    if type(value) is not str:
        event._refuse(f"{event.source} record: the attribute {name!r} has no {'binary' if binary else 'string'} value")
    try:
        if binary:
            from base64 import b64decode

            return b64decode(value, validate=True)
        if kind.startswith("Number"):
            return number(value)
        if kind != "String.Array":
            return value
        from router.numbers import loads

        return loads(value)
    except ValueError as error:
        event._refuse(f"{event.source} record: the attribute {name!r} is no {kind}: {error}")


def number(text: str) -> Any:
    """Return an exact number: int where it is whole, else Decimal. Raises ValueError."""
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 130:
        return int(text)
    from decimal import Decimal, InvalidOperation

    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:60]!r} is no number") from None
    if not value.is_finite():
        raise ValueError(f"{text[:60]!r} is no finite number")
    return value


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return one Event a message."""
    return list(each(source, raw, context))


def each(source: Source, raw: Any, context: Any) -> Iterator[Event]:
    """Yield what `read` returns: an event that is made just before it is handled is still in the processor's cache."""
    records = list(raw["Records"])  # each has its turn, whatever a handler does to the payload
    for position, record in enumerate(records):
        id = record.get("messageId") if type(record) is dict else None
        if type(id) is not str or not id:
            # Without an id a failure could not be reported, and the message would be deleted: fail the call instead.
            raise InvalidEvent(f"sqs Records[{position}]: it has no messageId")
    return _events(source, raw, context, records)


def _events(source: Source, raw: Any, context: Any, records: list[Any]) -> Iterator[Event]:
    names: dict[str, str] = {}  # of queues, by ARN: in a batch from Lambda there is one
    for record in records:
        event = QueueEvent(source, raw, context, record)
        event.id = record["messageId"]
        arn = record.get("eventSourceARN")
        if type(arn) is str:
            name = names.get(arn)
            if name is None:
                names[arn] = name = arn.rpartition(":")[2]
            event.name = name
        yield event


def is_ordered(raw: Any) -> bool:
    """Return whether the messages of this batch have an order to keep; Lambda takes a batch from one queue."""
    arn = raw["Records"][0].get("eventSourceARN") if raw["Records"] else None
    return type(arn) is str and arn.endswith(".fifo")


def ordering_key(event: Event) -> str | None:
    """Return what must stay in order: the message group of a FIFO queue."""
    arn = event.record.get("eventSourceARN")
    is_fifo = type(arn) is not str or arn.endswith(".fifo")  # without a name it is of its batch's queue
    return event.group if is_fifo and isinstance(event, QueueEvent) else None


def answer(raw: Any, events: Sequence[Event | None], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the failed messages by id. An unknown or empty id would make Lambda take the whole batch as failed."""
    records = raw["Records"]
    # As it was read, where it was: a handler may have changed the payload.
    failed = [
        records[position]["messageId"] if event is None else event.id
        for position, (event, outcome) in enumerate(zip(events, outcomes, strict=True))
        if outcome.failed
    ]
    try:
        "".join(failed).encode()
    except UnicodeEncodeError:
        raise InvalidEvent("sqs: a messageId is not valid text, so that its failure cannot be reported") from None
    return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}
