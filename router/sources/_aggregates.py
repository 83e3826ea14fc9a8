"""Records that the Kinesis Producer Library (KPL) packed into one: each user record becomes an event of its own.

A record of Kinesis that is an aggregate begins with four bytes of magic; then comes a protobuf message, then its MD5:

    AggregatedRecord: partition_key_table = 1 (texts), explicit_hash_key_table = 2 (texts), records = 3
    Record:           partition_key_index = 1, explicit_hash_key_index = 2, data = 3 (bytes), tags = 4

Failures are reported by the sequence number of the record of Kinesis, which is all that Lambda knows.
"""

from __future__ import annotations

from router.errors import InvalidEvent
from router.event import Source
from router.sources.streams import KinesisEvent, StreamEvent, WindowClosed, _in_window, _open_window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn

MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST = 16  # bytes of an MD5
# Few bytes make a user record, and each becomes an event. So many of one call: what is beyond comes again.
_MOST = 100_000


class UserRecord(KinesisEvent):
    """One record of an aggregate. `record` is the record of Kinesis, `body` the data of this one."""

    __slots__ = ("_key", "_subsequence")

    _key: str
    _subsequence: int

    @property
    def partition_key(self) -> str | None:
        """Return the partition key of this record, not that of the aggregate."""
        return self._key

    @property
    def subsequence_number(self) -> int | None:
        """Return the place of this record in the aggregate, from 0."""
        return self._subsequence

    def _id(self) -> str:
        return f"{super()._id()}:{self._subsequence}"


class BrokenAggregate(KinesisEvent):
    """An aggregate that cannot be split: it fails when its turn comes, whatever its route."""

    __slots__ = ("_problem",)

    _problem: str

    def __repr__(self) -> str:
        return f"<Event {self.source.value} {self._place}: broken aggregate>"

    def _name(self) -> str:
        self._fail("kinesis.data", self._problem)


def split(raw: Any, events: list[Any], is_split: Callable[[str], bool]) -> list[Any]:
    """Return the events of a call, with those of user records in the place of each aggregate.

    raw: the payload. events: as `read` made them. is_split: whether the records of a stream of this name are split.
    """
    found: list[Any] = []
    for event in events:
        if type(event) is KinesisEvent and _asks(event, is_split):
            found += _user_records(event, _MOST - len(found))
        else:
            found.append(event)
    if _in_window(raw):
        if not found:
            found.append(WindowClosed(Source.KINESIS, raw, events[0].context if events else None, {}))
        _open_window(raw, found)
    return found


def _asks(event: KinesisEvent, is_split: Callable[[str], bool]) -> bool:
    try:
        return is_split(event.name)
    except InvalidEvent:
        return False  # told when its turn comes


def _user_records(event: KinesisEvent, most: int) -> list[StreamEvent]:
    """Return the events of an aggregate; the event itself, where it is none or its data is not even base64."""
    try:
        data = event.body
    except InvalidEvent:
        return [event]  # its handler is told
    if not data.startswith(MAGIC):
        return [event]
    try:
        return [_event(event, key, place, held) for place, (key, held) in enumerate(_opened(data, most))]
    except _BrokenError as error:
        return [_of(event, BrokenAggregate, "_problem", f"the aggregate of the producer library {error}")]


def _event(outer: KinesisEvent, key: str, place: int, data: bytes) -> StreamEvent:
    event: UserRecord = _of(outer, UserRecord, "_subsequence", place)
    event._key = key
    event.body = data
    event.name = outer.name
    return event


def _of(outer: KinesisEvent, kind: type[Any], field: str, value: object) -> Any:
    event = kind(outer.source, outer.raw, outer.context, outer.record, outer._place)
    event._number = outer._number
    event.window = None
    setattr(event, field, value)
    return event


# ---- the message ---------------------------------------------------------------------------------------------------


class _BrokenError(Exception):
    """An aggregate is malformed; the text says how."""


def _opened(data: bytes, most: int) -> Iterator[tuple[str, bytes]]:
    """Yield the partition key and the data of each user record, once all of the aggregate is known to be right."""
    if len(data) < len(MAGIC) + _DIGEST:
        _broken("is cut off")
    message = data[len(MAGIC) : -_DIGEST]
    from hashlib import md5

    if md5(message, usedforsecurity=False).digest() != data[-_DIGEST:]:
        _broken("has another MD5 than it says: it was cut off or altered")
    keys: list[bytes] = []
    records: list[bytes] = []
    for field, value in _fields(message):
        if field == 1:
            keys.append(_bytes(value))
        elif field == 3:
            records.append(_bytes(value))
            if len(records) > most:
                _broken(f"holds more records than fit into a call of {_MOST}")
    texts = [_text(key) for key in keys]
    return iter([_user_record(record, texts) for record in records])


def _user_record(record: bytes, keys: list[str]) -> tuple[str, bytes]:
    index: int | None = None
    data: bytes | None = None
    for field, value in _fields(record):
        if field == 1 and type(value) is int:
            index = value
        elif field == 3:
            data = _bytes(value)
    if index is None or data is None:
        _broken("holds a record without a partition key or data")
    if index >= len(keys):
        _broken("names a partition key that it does not hold")
    return keys[index], data


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field of a protobuf message: whole numbers and bytes, the rest as bytes."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            number, at = _varint(message, at)
            yield tag >> 3, number
            continue
        size = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            size, at = _varint(message, at)
        if size is None or size > end - at:
            _broken("is not a valid message")
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a whole number in base 128, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):  # ten bytes hold 64 bits
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise _BrokenError("is not a valid message")


def _bytes(value: int | bytes) -> bytes:
    if type(value) is int:
        _broken("is not a valid message")
    return value  # type: ignore[return-value]


def _text(key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError:
        _broken("holds a partition key that is not UTF-8")


def _broken(problem: str) -> NoReturn:
    raise _BrokenError(problem)
