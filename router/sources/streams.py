"""DynamoDB and Kinesis streams: one Event a record, in order; the first that failed is reported by its sequence number.

A call of a tumbling window carries a state: `event.window.state` is what the records before have made of it, and the
dict that a handler returns takes its place. The window ends with one more event, which may be without a record.

Data that producers aggregated (KPL) is left as it is, unless a route says `aggregated=True`: see `_aggregates.py`.
"""

from __future__ import annotations

import orjson

from router.errors import InvalidEvent, RecordsFailed
from router.event import Source
from router.signals import Retry
from router.sources._records import DocumentEvent, RecordEvent, after, iso_moment, kind_of, placed, since_epoch
from router.sources._replies import text_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from router.event import MaybeNone
    from router.sources import Outcome

_MARKS = {Source.DYNAMODB: ":table/", Source.KINESIS: ":stream/"}
# Where a record has the number that a failure is reported by.
_SEQUENCE = {Source.DYNAMODB: ("dynamodb", "SequenceNumber"), Source.KINESIS: ("kinesis", "sequenceNumber")}


class Window:
    """The tumbling window of a call, as one of its events sees it.

    start, end: when it opened and closes. shard: the shard it adds up. terminated_early: Lambda ended it before its
    time, because its state grew over 1 MB. final: this is the last event of the window; act on the state now.
    """

    __slots__ = ("_carried", "_state", "end", "final", "shard", "start", "terminated_early")

    def __init__(self, raw: dict[str, Any], carried: _Carried, final: bool) -> None:
        self.start: datetime | MaybeNone = iso_moment(raw["window"].get("start"))
        self.end: datetime | MaybeNone = iso_moment(raw["window"].get("end"))
        self.shard: str = raw["shardId"] if type(raw.get("shardId")) is str else ""
        self.terminated_early: bool = raw.get("isWindowTerminatedEarly") is True
        self.final = final
        self._carried = carried
        self._state: dict[str, Any] | None = None

    @property
    def state(self) -> dict[str, Any]:
        """Return the state that earlier events built up: a copy, free to be changed and returned."""
        if self._state is None:
            self._state = self._carried.copy()
        return self._state


class _Carried:
    """The state of a window as it goes from event to event. It is kept as JSON, which no handler can change."""

    __slots__ = ("given", "left")

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given  # by Lambda, with the call
        self.left: bytes | None = None  # by the handler that was called last

    def copy(self) -> dict[str, Any]:
        from json import loads

        from router.encode import dumps

        # Not orjson: it would make a float of an integer over 64 bits.
        state: dict[str, Any] = loads(dumps(self.given) if self.left is None else self.left)
        return state


class StreamEvent(RecordEvent):
    """One record of a stream: a change of an item, which has `keys`, `old` and `new`, or a record of Kinesis.

    What the record does not have is None: an image that the stream's view leaves out, `old` of an INSERT, `window`
    outside of a tumbling window.
    """

    __slots__ = ("_number", "window")

    if TYPE_CHECKING:
        _number: str  # as it was read: a handler may change the payload
        keys: dict[str, Any] | MaybeNone
        old: dict[str, Any] | MaybeNone
        new: dict[str, Any] | MaybeNone
        window: Window | MaybeNone

    def _name(self) -> str:
        return after(_MARKS[self.source], self._need(str, "eventSourceARN"))

    def _id(self) -> str:
        return self._need(str, "eventID")

    @property
    def sequence_number(self) -> str:
        """Where in its shard the record stands; failures are reported by it."""
        try:
            return self._number
        except AttributeError:  # the end of a window has none
            return self._need(str, *_SEQUENCE[self.source])

    @property
    def partition_key(self) -> str | None:
        """Return the key within which order is kept: the partition key, or the item's keys as text."""
        return None

    @property
    def subsequence_number(self) -> int | None:
        """Return the place in the aggregate that this was split from; None for any other record."""
        return None

    @property
    def shard(self) -> str | None:
        """The shard of a Kinesis stream. A record of DynamoDB does not name its own."""
        return None


class DynamoDbEvent(StreamEvent, DocumentEvent):
    """One change of an item. `json()` is the item as it now is; of a REMOVE, as it was."""

    __slots__ = ()

    @property
    def partition_key(self) -> str | None:
        keys = self._find("dynamodb", "Keys")
        if type(keys) is not dict:
            return None
        try:
            return orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()
        except orjson.JSONEncodeError:
            return None

    def _change(self) -> str:
        return self._need(str, "eventName")

    def _keys(self) -> dict[str, Any] | None:
        return self._image("Keys")

    def _old(self) -> dict[str, Any] | None:
        return self._image("OldImage")

    def _new(self) -> dict[str, Any] | None:
        return self._image("NewImage")

    def _image(self, part: str) -> dict[str, Any] | None:
        """Return a part of the record in plain values; None when the stream's view leaves it out."""
        from router.sources._dynamodb_json import plain_item

        image = self._find("dynamodb", part)
        if image is None:
            return None
        try:
            return plain_item(image, part)
        except InvalidEvent as error:
            self._refuse(f"{self.source} {self._place}.dynamodb.{error}")

    def _document(self) -> Any:
        return self.old if self.change == "REMOVE" else self.new

    def _name(self) -> str:
        # The table's own change data in a Kinesis stream names it, and has no ARN.
        table = self._find("tableName")
        return table if type(table) is str and "eventSourceARN" not in self.record else super()._name()

    def _timestamp(self) -> datetime | None:
        unit = "seconds"
        if "tableName" in self.record:
            fine = self._find("dynamodb", "ApproximateCreationDateTimePrecision") == "MICROSECOND"
            unit = "microseconds" if fine else "milliseconds"
        return since_epoch(self._find("dynamodb", "ApproximateCreationDateTime"), unit)


class KinesisEvent(StreamEvent):
    """One record that was put into a stream."""

    __slots__ = ()

    @property
    def partition_key(self) -> str | None:
        key = self._find("kinesis", "partitionKey")
        return key if type(key) is str else None

    @property
    def shard(self) -> str | None:
        """The shard of the stream: it stands in front of the sequence number in the record's id."""
        id = self._find("eventID")
        return id.partition(":")[0] if type(id) is str and ":" in id else None

    def _body(self) -> bytes:
        return self._decoded("kinesis", "data")

    def _timestamp(self) -> datetime | None:
        return since_epoch(self._find("kinesis", "approximateArrivalTimestamp"))


class WindowClosed(StreamEvent):
    """The end of a tumbling window, when it comes without a record: `record` is empty, `window.state` is the result."""

    __slots__ = ()
    _ends_window = True

    def _name(self) -> str:
        return after(_MARKS[self.source], self._need_of_payload("eventSourceARN"))

    def _id(self) -> str:
        return f"{self.name}:{self.window.shard}:{self.raw['window'].get('start')}"

    def _body(self) -> bytes:
        return b""

    def _parsed(self) -> None:
        return None

    def _records(self) -> list[Any]:
        return []

    def _timestamp(self) -> datetime | None:
        return self.window.end


_EVENTS: dict[Source, type[StreamEvent]] = {Source.DYNAMODB: DynamoDbEvent, Source.KINESIS: KinesisEvent}


def read(source: Source, raw: Any, context: Any) -> list[StreamEvent]:
    """Return one Event a record; of the last call of a tumbling window, which may be without records, at least one."""
    where = _SEQUENCE[source]
    events: list[StreamEvent] = []
    for place, record in placed(source, raw):
        event = _EVENTS[source](source, raw, context, record, place)
        event._number = event._need(str, *where)
        if not event._number:
            # Without it a failure could not be reported, and the record would be skipped: fail the call instead.
            event._fail(".".join(where), "is empty")
        event.window = None
        events.append(event)
    if _in_window(raw):
        if not events:
            events.append(WindowClosed(source, raw, context, {}))
        _open_window(raw, events)
    return events


def _in_window(raw: Any) -> bool:
    return type(raw.get("window")) is dict


def _open_window(raw: Any, events: list[StreamEvent]) -> None:
    """Give each event the window of its call. The last event of the last call is the window's last."""
    carried = _Carried(window_state(raw))
    closes = raw.get("isFinalInvokeForWindow") is True
    for event in events:
        event.window = Window(raw, carried, closes and event is events[-1])


def window_state(raw: Any) -> dict[str, Any]:
    """Return the state that a call of a tumbling window starts from. Raises InvalidEvent when it is no object."""
    state = raw.get("state")
    if state is None:
        return {}
    if type(state) is not dict:
        raise InvalidEvent(f"state: must be an object, not {kind_of(state)}")
    return state


def ordering_key(event: StreamEvent) -> str | None:
    """Return what must stay in order: the shard. A call from DynamoDB is one shard, which its records do not name."""
    return event.shard if isinstance(event, KinesisEvent) else None


def partition_key(event: StreamEvent) -> str | None:
    """Return what must stay in order within a shard: records of one partition key. In a window, all of them."""
    return event.partition_key if event.window is None else None


def keep_state(events: Sequence[StreamEvent], result: Any) -> None:
    """Hand what a call of a handler left of the window's state to the events that follow.

    events: those of the call. result: what the handler returned; a dict is the new state, anything else changes
    nothing. Raises EncodeError when the state cannot be written as JSON: then the call has failed.
    """
    window = events[0].window
    if window is not None and isinstance(result, dict):
        from router.encode import dumps

        window._carried.left = dumps(result)


def answer(raw: Any, events: Sequence[StreamEvent], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the first failure of each shard: Lambda delivers again from there. In a window also the state till then.

    Raises RecordsFailed when the end of a window failed: it has no sequence number to be reported by.
    """
    lowest: dict[str | None, str] = {}
    for event, outcome in zip(events, outcomes, strict=True):
        if outcome.failed:
            if isinstance(event, WindowClosed):
                error = outcome.error or Retry(reason="the deadline came before its turn")
                raise RecordsFailed([(event.id, error)], 1) from error
            number, shard = event.sequence_number, ordering_key(event)
            text_bytes(event, number, "the sequence number")
            if shard not in lowest or _order(number) < _order(lowest[shard]):
                lowest[shard] = number
    response: dict[str, Any] = {"batchItemFailures": [{"itemIdentifier": number} for number in lowest.values()]}
    if _in_window(raw):
        response["state"] = _state_left(raw, events, outcomes)
    return response


def _order(number: str) -> tuple[int, str]:
    """Return what sequence numbers are compared by: they are numbers, of any length."""
    digits = number.lstrip("0")
    return len(digits), digits


def _state_left(raw: Any, events: Sequence[StreamEvent], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the state passed to `keep_state` last, or else the last one returned before the first failure."""
    if not events or events[0].window is None:
        return window_state(raw)
    carried = events[0].window._carried
    if carried.left is None:
        returned: object = None
        for outcome in outcomes:
            if outcome.failed:
                break
            if isinstance(outcome.result, dict):
                returned = outcome.result
        keep_state(events, returned)
    return window_state(raw) if carried.left is None else carried.copy()
