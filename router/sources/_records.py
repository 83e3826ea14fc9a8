"""Helpers of the record sources: an Event that knows its place in the payload, decoders that name the place."""

from __future__ import annotations

from binascii import a2b_base64

from router.errors import EncodeError, InvalidEvent
from router.event import Event, Source
from router.sources._registry import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any, NoReturn, TypeVar

    Kind = TypeVar("Kind")

_KINDS: dict[type, str] = {
    str: "text",
    dict: "an object",
    list: "a list",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null or missing",
}


class RecordEvent(Event):
    """One record of a payload. Its errors say where: `kinesis Records[3].kinesis.data: not valid base64`."""

    __slots__ = ("_place",)

    _place: str  # Records[3]; empty where the payload itself is the record

    def __init__(self, source: Source, raw: Any, context: Any, record: Any, place: str = "") -> None:
        super().__init__(source, raw, context, record)
        self._place = place

    def _records(self) -> list[Any]:
        held = self.raw[ROWS[self.source].records]
        return [record for records in held.values() for record in records] if type(held) is dict else list(held)

    def _fail(self, path: str, problem: str) -> NoReturn:
        """Raise the error that says what is wrong with a part of this record, and where it is."""
        where = ".".join(part for part in (self._place, path) if part)
        self._refuse(f"{self.source} {where}: {problem}")

    def _find(self, *keys: str) -> Any:
        """Return a value inside the record; None where the way to it ends."""
        value: Any = self.record
        for key in keys:
            if type(value) is not dict:
                return None
            value = value.get(key)
        return value

    def _need(self, kind: type[Kind], *keys: str) -> Kind:
        """Return a value inside the record that its source promises. Raises InvalidEvent when it is of another kind."""
        value = self._find(*keys)
        if type(value) is not kind:
            self._fail(".".join(keys), f"must be {_KINDS[kind]}, not {kind_of(value)}")
        return value

    def _need_of_payload(self, key: str) -> str:
        """Return a text that stands at the top of the payload, for all records. Raises InvalidEvent when it is none."""
        value = self.raw.get(key)
        if type(value) is not str:
            self._refuse(f"{self.source} {key}: must be text, not {kind_of(value)}")
        return value

    def _decoded(self, *keys: str) -> bytes:
        """Return a value inside the record that is promised to be base64, as bytes."""
        text = self._need(str, *keys)
        try:
            return a2b_base64(text, strict_mode=True)
        except ValueError as error:
            self._fail(".".join(keys), f"not valid base64: {error}")

    def _object_key(self, *keys: str) -> str:
        """Return an S3 object key inside the record: it stands there URL-encoded, with `+` for a space."""
        from urllib.parse import unquote_plus

        try:
            return unquote_plus(self._need(str, *keys), errors="strict")
        except UnicodeDecodeError:
            self._fail(".".join(keys), "has a percent-encoding that is not UTF-8")


class DocumentEvent(RecordEvent):
    """A record that has no body beside itself: `json()` is it, or a part of it, and `body` and `text` are its JSON."""

    __slots__ = ()

    def _document(self) -> Any:
        """Return what `json()` gives."""
        return self.record

    def _parsed(self) -> Any:
        return self._document()

    def _body(self) -> bytes:
        from router.encode import dumps

        try:
            return dumps(self.json())
        except EncodeError as error:  # such as a lone surrogate, which has no place in UTF-8
            self._fail("", str(error))


def kind_of(value: object) -> str:
    """Return the kind of a JSON value, for messages."""
    return _KINDS.get(type(value), type(value).__name__)


def placed(source: Source, raw: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return each record of a payload that holds a list of them, with its place.

    Raises:
        InvalidEvent: It holds no list, or what is no record.
    """
    key = str(ROWS[source].records)
    records = raw.get(key)
    if type(records) is not list:
        raise InvalidEvent(f"{source} {key}: must be a list, not {kind_of(records)}")
    yield from _each(source, key, records)


def placed_in_groups(source: Source, raw: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return each record of a payload that holds an object of lists: the name of its list, its place, the record.

    Raises:
        InvalidEvent: It holds no such object, or what is no record.
    """
    key = str(ROWS[source].records)
    groups = raw.get(key)
    if type(groups) is not dict:
        raise InvalidEvent(f"{source} {key}: must be an object, not {kind_of(groups)}")
    for group, records in groups.items():
        if type(records) is not list:
            raise InvalidEvent(f"{source} {key}.{group}: must be a list, not {kind_of(records)}")
        for place, record in _each(source, f"{key}.{group}", records):
            yield group, place, record


def _each(source: Source, where: str, records: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for position, record in enumerate(records):
        if type(record) is not dict:
            raise InvalidEvent(f"{source} {where}[{position}]: must be an object, not {kind_of(record)}")
        yield f"{where}[{position}]", record


def after(mark: str, arn: str) -> str:
    """Return the name that follows a mark in an ARN (`:stream/`), up to the next slash; without the mark, the ARN."""
    _, found, rest = arn.partition(mark)
    return rest.partition("/")[0] if found else arn


def readable(data: bytes) -> str | bytes:
    """Return text where the bytes are UTF-8, else the bytes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def java_text(event: RecordEvent, place: str, value: Any) -> str | bytes | None:
    """Return a header that came as a list of Java bytes, which run from -128 to 127."""
    if value is None:
        return None
    if type(value) is not list:
        event._fail(place, f"must be a list of bytes, not {kind_of(value)}")
    if not all(type(byte) is int and -128 <= byte <= 255 for byte in value):
        event._fail(place, "holds what is no byte")
    return readable(bytes(byte & 255 for byte in value))


def since_epoch(value: Any, unit: str = "seconds") -> datetime | None:
    """Return seconds (or milliseconds) since the epoch as an aware datetime; None for anything else."""
    if type(value) is not int and type(value) is not float:
        return None
    from datetime import UTC, datetime, timedelta

    try:
        # A timedelta rounds to the microsecond that was meant, where fromtimestamp() would pass on the float's error.
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(**{unit: value})
    except (OverflowError, ValueError):
        return None


def iso_moment(value: Any) -> datetime | None:
    """Return an ISO 8601 time as an aware datetime (UTC unless it says otherwise); None for anything else."""
    if type(value) is not str:
        return None
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
