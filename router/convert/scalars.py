"""Turns outside values (text of a request, parsed JSON) into what a handler's annotation asks for.

Here are the plain types; `compile` finds the converter of any annotation, when a route is registered.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from uuid import UUID

from router.errors import UnprocessableContent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # The place of a value: "body", or what holds it and the key or index in there. Written out only for an error.
    Where = str | tuple["Where", str | int]
    Converter = Callable[[Any, Where], Any]

MOST_ERRORS = 50  # listed in one answer
_VALUE = 60  # characters shown of a value that was sent
_TEXT = 200  # characters shown of a place or of another library's message


# ---- errors -----------------------------------------------------------------------------------------------------


def invalid(where: Where, expected: str, value: Any) -> UnprocessableContent:
    """The error that says what was expected in a place, and what kind of value came.

    The value may be a password, or a token: it is in no answer, and in no log of a record.
    """
    return mistake(where, f"{expected} is expected, not {_kind(value)}")


def mistake(where: Where, message: str) -> UnprocessableContent:
    """The error of one place."""
    return refusal([{"at": place(where), "message": message}])


def refusal(errors: list[dict[str, str]]) -> UnprocessableContent:
    """One error for all that is wrong; the problem document lists each with its place, up to fifty."""
    first, more = errors[0], len(errors) - 1
    if more >= MOST_ERRORS - 1:
        also = " (and more)"
    else:
        also = f" (and {more} more)" if more else ""
    return UnprocessableContent(f"{first['at']}: {first['message']}{also}", errors=errors[:MOST_ERRORS])


def collect(errors: list[dict[str, str]], error: UnprocessableContent) -> None:
    """Add what an error lists. Raises when the list is full, or when the error is the application's own."""
    listed = error.members.get("errors")
    if type(listed) is not list:
        raise error
    errors.extend(listed)
    if len(errors) >= MOST_ERRORS:
        raise refusal(errors) from None


def place(where: Where) -> str:
    """A place in words: `body.items[0].price`."""
    keys: list[str | int] = []
    while isinstance(where, tuple):
        where, key = where
        keys.append(key)
    written = where + "".join([_step(key) for key in reversed(keys)])
    return written if len(written) <= _TEXT else f"{written[: _TEXT // 2]}…{written[-_TEXT // 2 :]}"


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if key.isidentifier() and len(key) <= _VALUE else f"[{shown(key)}]"


def shown(value: Any) -> str:
    """A value as an error may show it: short, on one line, and always possible to encode."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _VALUE else f"{value[:_VALUE]!r}…"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        # Python refuses to write out integers of several thousand digits.
        return str(value) if value.bit_length() <= 128 else "a very large integer"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "this text"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "this number" if is_number else shown(value)


def printable(message: str) -> str:
    """Another library's message on one line, shortened, as it may repeat what was sent."""
    if len(message) > _TEXT:
        message = f"{message[:_TEXT]}…"
    return message if message.isprintable() else repr(message)[1:-1]


# ---- text -------------------------------------------------------------------------------------------------------

EXPECTED: dict[Any, str] = {
    str: "a text",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    UUID: "a UUID such as 123e4567-e89b-12d3-a456-426614174000",
    datetime: "a date and time with its offset, such as 2025-03-01T12:00:00Z,",
    date: "a date such as 2025-03-01",
    time: "a time such as 12:30:00",
}

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
NUMERIC = frozenset("0123456789+-.eE")  # float and Decimal also take "nan", "1_000" and digits of other scripts
_INFINITY = float("inf")


def _string(value: Any, where: Where) -> str:
    if type(value) is not str:
        raise invalid(where, EXPECTED[str], value)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            # A lone surrogate can come through JSON escapes; no answer and no log could be written with it.
            raise invalid(where, "a text of Unicode characters", value) from None
    return value


def _integer_of_text(value: Any, where: Where) -> int:
    if type(value) is str:
        digits = value.removeprefix("-")
        # ASCII alone: "١" is a digit to str.isdigit, too.
        if digits.isascii() and digits.isdigit():
            try:
                return int(value)
            except ValueError:
                pass  # more digits than Python converts
    raise invalid(where, EXPECTED[int], value)


def _float_of_text(value: Any, where: Where) -> float:
    if type(value) is str and NUMERIC.issuperset(value):
        try:
            number = float(value)
        except ValueError:
            number = _INFINITY
        if abs(number) != _INFINITY:
            return number
    raise invalid(where, EXPECTED[float], value)


def _boolean_of_text(value: Any, where: Where) -> bool:
    found = _BOOLEANS.get(value.lower()) if type(value) is str else None
    if found is None:
        raise invalid(where, EXPECTED[bool], value)
    return found


# ---- JSON -------------------------------------------------------------------------------------------------------


def _integer(value: Any, where: Where) -> int:
    if type(value) is not int:  # True is an int to isinstance
        raise invalid(where, EXPECTED[int], value)
    return value


def _float(value: Any, where: Where) -> float:
    if type(value) is float and abs(value) < _INFINITY:
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            pass
    raise invalid(where, EXPECTED[float], value)


def _boolean(value: Any, where: Where) -> bool:
    if type(value) is not bool:
        raise invalid(where, EXPECTED[bool], value)
    return value


# ---- strings in both --------------------------------------------------------------------------------------------


def parsing(parse: Callable[[str], Any], expected: str) -> Converter:
    """A converter of strings by a function that raises ValueError or an arithmetic error for a wrong one."""

    def convert(value: Any, where: Where) -> Any:
        if type(value) is str:
            try:
                return parse(value)
            except (ValueError, ArithmeticError):
                pass
        raise invalid(where, expected, value)

    return convert


def _uuid(text: str) -> UUID:
    found = UUID(text)
    # UUID() drops braces, "urn:uuid:" and misplaced hyphens, so that many spellings would mean one thing.
    if str(found) != text.lower():
        raise ValueError
    return found


def _datetime(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    # fromisoformat also takes weeks, ordinals and any character between date and time.
    if moment.tzinfo is None or text[:10] != moment.date().isoformat() or text[10] not in "T ":
        raise ValueError
    moment.astimezone(UTC)  # within a day of the years 1 and 9999 this overflows, and would in the handler
    return moment


def _date(text: str) -> date:
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError
    return day


def _time(text: str) -> time:
    moment = time.fromisoformat(text)
    if text[2:3] != ":":
        raise ValueError
    return moment


_PARSED: dict[Any, Converter] = {
    kind: parsing(parse, EXPECTED[kind])
    for kind, parse in ((UUID, _uuid), (datetime, _datetime), (date, _date), (time, _time))
}
_OF_TEXT: dict[Any, Converter] = {
    str: _string,
    int: _integer_of_text,
    float: _float_of_text,
    bool: _boolean_of_text,
    **_PARSED,
}
_OF_JSON: dict[Any, Converter] = {str: _string, int: _integer, float: _float, bool: _boolean, **_PARSED}


def plain_converter(kind: type, text: bool) -> Converter | None:
    """The converter of a plain type, or None for another class."""
    return (_OF_TEXT if text else _OF_JSON).get(kind)
