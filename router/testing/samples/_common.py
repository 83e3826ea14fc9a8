"""Share code between all sample builders: fixed defaults, ids made from content, times, and checks of arguments."""

from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import UTC, datetime

import orjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

ACCOUNT = "123456789012"
REGION = "us-east-1"
AT = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
"""When a sample happens unless its builder is given a `timestamp`."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


# Ids are made from content, so that a test sees the same ones in every run and in any order.


def digest(*parts: object) -> str:
    """64 hexadecimal digits that depend on `parts` alone."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def hex_id(length: int, *parts: object) -> str:
    """An id of `length` (at most 64) hexadecimal digits."""
    return digest(*parts)[:length]


def uuid_id(*parts: object) -> str:
    """An id in the form of a random UUID."""
    return str(uuid.UUID(digest(*parts)[:32], version=4))


def alphanumeric_id(length: int, *parts: object) -> str:
    """An id of `length` (at most 50) upper-case letters and digits."""
    return base64.b32encode(bytes.fromhex(digest(*parts))).decode()[:length]


def base64_id(size: int, *parts: object) -> str:
    """`size` bytes in base64, as handles, signatures and gateway ids look."""
    block = bytes.fromhex(digest(*parts))
    return base64.b64encode((block * (size // len(block) + 1))[:size]).decode()


def arn(service: str, region: str, account: str, resource: str) -> str:
    """An ARN of the standard partition."""
    return f"arn:aws:{service}:{region}:{account}:{resource}"


# Times


def moment(timestamp: datetime | None) -> datetime:
    """The instant of a sample in UTC: `timestamp`, which must know its zone, or the default."""
    if timestamp is None:
        return AT
    if timestamp.tzinfo is None:
        raise ValueError(f"timestamp must carry a time zone, got {timestamp!r}")
    return timestamp.astimezone(UTC)


def iso_seconds(at: datetime) -> str:
    """2024-05-01T12:00:00Z"""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_millis(at: datetime, zone: str = "Z") -> str:
    """2024-05-01T12:00:00.000Z"""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}{zone}"


def epoch_millis(at: datetime) -> int:
    """Milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def month_name(at: datetime) -> str:
    """May, whatever the locale of the machine."""
    return _MONTHS[at.month - 1]


def gateway_time(at: datetime) -> str:
    """01/May/2024:12:00:00 +0000"""
    return f"{at.day:02d}/{month_name(at)}/{at.year}:{at.hour:02d}:{at.minute:02d}:{at.second:02d} +0000"


def mail_time(at: datetime) -> str:
    """Wed, 01 May 2024 12:00:00 +0000"""
    return f"{_DAYS[at.weekday()]}, {at.day:02d} {month_name(at)} {at:%Y %H:%M:%S} +0000"


# Content


def as_text(value: Any, what: str) -> str:
    """Text as it is, bytes decoded as UTF-8, anything else as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            raise ValueError(f"{what} must be text; encode binary content, for example in base64") from None
    return _dumped(value, what).decode()


def as_bytes(value: Any, what: str) -> bytes:
    """Bytes as they are, text as UTF-8, anything else as compact JSON."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str):
        return value.encode()
    return _dumped(value, what)


def as_base64(value: Any, what: str) -> str:
    """`as_bytes` in base64, the way streams and brokers carry data."""
    return base64.b64encode(as_bytes(value, what)).decode()


def as_json(value: Any, what: str) -> Any:
    """A copy of `value` as Lambda would deliver it: nothing but JSON, and nothing shared with the caller."""
    return orjson.loads(_dumped(value, what))


def _dumped(value: Any, what: str) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise ValueError(f"{what} cannot be written as JSON: {error}") from None


def session_text(session: Mapping[str, Any] | str) -> str:
    """A session where only text fits: a string as it is (it may be signed), a mapping as compact JSON."""
    return as_text(session, "session")


# Checks


def one_of(value: str, allowed: Iterable[str], what: str) -> str:
    """`value` if it is one of `allowed`, otherwise an error that lists them."""
    choices = sorted(allowed)
    if value not in choices:
        raise ValueError(f"{what} must be one of {', '.join(choices)}; got {value!r}")
    return value


def items(values: Sequence[Any], what: str) -> list[Any]:
    """A batch as a list. A lone string or mapping is refused: it would make a record of each character or key."""
    if isinstance(values, str | bytes | bytearray | dict):
        raise ValueError(f"{what} must be a list, got a lone {type(values).__name__}")
    batch = list(values)
    if not batch:
        raise ValueError(f"{what} must hold at least one item: no service delivers an empty batch")
    return batch


def one_each(value: str | Sequence[str], count: int, what: str) -> list[str]:
    """One string for each of `count` records: the same for all, or a sequence of that length."""
    values = [value] * count if isinstance(value, str) else list(value)
    if len(values) != count:
        raise ValueError(f"{what} must be one string or {count} of them, got {len(values)}")
    return values
