"""Templates of keys: `order#{placed}#{id}` as text that cannot be mistaken for any other key, and that keeps order.

Every character of a value up to `%` is written as `%XX`, so that `#` ends a value, and keys sort as their values do:
`#` is lower than all that a value can hold, and what is escaped sorts among itself as it did before.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from adapters._codec.fields import Unstorable, checked_text
from adapters.dynamodb.attribute_values import utc_text
from adapters.dynamodb.item_errors import InvalidKey, InvalidKeyValue
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_FIELD = re.compile(r"\{([^{}]*)\}")
_INSIDE = re.compile(r"([^\W\d]\w*)(?::0([1-9]\d?)d?)?")
_ESCAPES = {code: f"%{code:02X}" for code in range(ord("%") + 1)}
_HIGHEST = "\U0010ffff"


class Part:
    """A field of a template, with the literal text in front of it. width: digits that a whole number is padded to."""

    __slots__ = ("field", "literal", "width")

    def __init__(self, literal: str, field: str, width: int) -> None:
        self.literal = literal
        self.field = field
        self.width = width


class Template:
    """A key made of literal text and fields: `user#{id}`, `line#{number:06}`, `profile`.

    Raises ConfigurationError for one that could make the same key of different values.
    """

    __slots__ = ("fields", "parts", "tail", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.parts: list[Part] = []
        position = 0
        for match in _FIELD.finditer(text):
            inside = _INSIDE.fullmatch(match[1])
            if inside is None:
                raise ConfigurationError(
                    f"key template {text!r}: {match[0]} is no field; write {{name}} or {{name:06}}"
                )
            self.parts.append(Part(self._literal(position, match.start()), inside[1], int(inside[2] or 0)))
            position = match.end()
        self.tail = self._literal(position, len(text))
        self.fields = tuple(part.field for part in self.parts)
        self._check()

    def _literal(self, start: int, end: int) -> str:
        literal = self.text[start:end]
        if "{" in literal or "}" in literal:
            raise ConfigurationError(f"key template {self.text!r}: a brace without its partner")
        return literal

    def _check(self) -> None:
        if not self.text:
            raise ConfigurationError("key template '': DynamoDB has no empty keys")
        if len(set(self.fields)) != len(self.fields):
            raise ConfigurationError(f"key template {self.text!r}: a field is in it twice")
        for literal in [part.literal for part in self.parts[1:]] + ([self.tail] if self.parts and self.tail else []):
            if not literal.startswith("#"):
                raise ConfigurationError(f"key template {self.text!r}: a field must be followed by # or by the end")

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the key of some values.

        Raises InvalidKey for one that is missing, InvalidKeyValue for one that is None or empty.
        """
        key = ""
        for part in self.parts:
            if part.field not in values:
                raise InvalidKey(f"key {self.text}: {part.field} is missing")
            key += part.literal + self.piece(part, values[part.field])
        return key + self.tail

    def piece(self, part: Part, value: Any) -> str:
        """Return the escaped text of one value. Raises InvalidKeyValue."""
        try:
            text = _text(value, part.width)
        except Unstorable as error:
            raise InvalidKeyValue(f"key {self.text}: {part.field} {error}") from None
        return text if text.isalnum() and text.isascii() else text.translate(_ESCAPES)

    def started(self, values: Mapping[str, Any]) -> tuple[str, int]:
        """Return the key up to the first field that is not among the values, and the index of that field."""
        key = ""
        for index, part in enumerate(self.parts):
            key += part.literal
            if part.field not in values:
                return key, index
            key += self.piece(part, values[part.field])
        return key + self.tail, len(self.parts)


def escaped(value: str) -> str:
    """Return a value as it stands in a key."""
    return value.translate(_ESCAPES)


def after(prefix: str) -> str | None:
    """Return the lowest text above all that begin with the prefix; None where there is none."""
    stem = prefix.rstrip(_HIGHEST)
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    # Halves of surrogate pairs are no characters.
    return stem[:-1] + chr(0xE000 if following == 0xD800 else following)


def _text(value: Any, width: int) -> str:
    """Return a value as text whose order is that of the values. Raises Unstorable."""
    if isinstance(value, Enum):
        value = value.value
    if width:
        return _padded(value, width)
    if isinstance(value, str):
        if not value:
            raise Unstorable("is empty")
        return value if value.isascii() else checked_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int.__repr__(value)
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise Unstorable("is a datetime without a time zone, whose place among others is not known")
        return utc_text(value)
    if isinstance(value, UUID | date):
        return str(value)
    raise Unstorable("is None" if value is None else f"is a {type(value).__name__}, and a key is made of text")


def _padded(value: Any, width: int) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unstorable(f"is a {type(value).__name__}, and only whole numbers are padded")
    if not 0 <= value < 10**width:
        raise Unstorable(f"is a number that does not fit into {width} digits")
    return f"{value:0{width}}"
