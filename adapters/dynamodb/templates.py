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
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    Compute: TypeAlias = Callable[..., Any]

_FIELD = re.compile(r"\{([^{}]*)\}")
_INSIDE = re.compile(r"([^\W\d]\w*)(?::0([1-9]\d?)d?)?")
_ESCAPES = {code: f"%{code:02X}" for code in range(ord("%") + 1)}
_HIGHEST = "\U0010ffff"


class Part:
    """A field of a template, with the literal text in front of it.

    width: digits that a whole number is padded to.
    compute: makes its value of other fields, `needs`; None for a field of the class.
    """

    __slots__ = ("compute", "field", "literal", "needs", "width")

    def __init__(self, literal: str, field: str, width: int, compute: Compute | None = None) -> None:
        self.literal = literal
        self.field = field
        self.width = width
        self.compute = compute
        self.needs = (field,) if compute is None else arguments_of(field, compute)

    def is_known(self, values: Mapping[str, Any]) -> bool:
        """Return whether its value is among the values, or can be made of them."""
        return self.field in values or all(need in values for need in self.needs)

    def value(self, values: Mapping[str, Any]) -> Any:
        """Return its value."""
        if self.compute is not None and all(need in values for need in self.needs):
            return self.compute(*[values[need] for need in self.needs])
        return values[self.field]


def arguments_of(name: str, compute: Compute) -> tuple[str, ...]:
    """Return the names of the arguments of a function that computes a part of a key. Raises ConfigurationError."""
    from inspect import signature

    try:
        arguments = signature(compute).parameters.values()
    except (TypeError, ValueError):
        raise ConfigurationError(f"@item(parts=...): {name}: give a function of fields") from None
    if not arguments or any(one.kind is not one.POSITIONAL_OR_KEYWORD for one in arguments):
        raise ConfigurationError(f"@item(parts=...): {name}: name the fields as arguments, such as lambda placed: ...")
    return tuple(one.name for one in arguments)


class Template:
    """A key made of literal text and fields: `user#{id}`, `line#{number:06}`, `profile`.

    computed: functions of fields, by the names that stand for them in the text.
    raw: values stand in the key as they are, so that keys of another program can be made.

    Raises ConfigurationError for one that could make the same key of different values, unless it is raw.
    """

    __slots__ = ("_pattern", "fields", "names", "parts", "raw", "tail", "text")

    def __init__(self, text: str, computed: Mapping[str, Compute] | None = None, *, raw: bool = False) -> None:
        self.text = text
        self.raw = raw
        self.parts: list[Part] = []
        self._pattern: re.Pattern[str] | None = None
        position = 0
        for match in _FIELD.finditer(text):
            inside = _INSIDE.fullmatch(match[1])
            if inside is None:
                raise ConfigurationError(
                    f"key template {text!r}: {match[0]} is no field; write {{name}} or {{name:06}}"
                )
            compute = (computed or {}).get(inside[1])
            literal = self._literal(position, match.start())
            self.parts.append(Part(literal, inside[1], int(inside[2] or 0), compute))
            position = match.end()
        self.tail = self._literal(position, len(text))
        self.names = tuple(part.field for part in self.parts)
        # The fields of the class that it is made of.
        self.fields = tuple(dict.fromkeys(need for part in self.parts for need in part.needs))
        self._check()

    @property
    def head(self) -> str:
        """The text that every key of it begins with."""
        return self.parts[0].literal if self.parts else self.tail

    def fits(self, key: str) -> bool:
        """Return whether a key may be one of it."""
        if self._pattern is None:
            inside = ".*" if self.raw else "[^#]*"
            text = "".join(f"{re.escape(part.literal)}{inside}" for part in self.parts) + re.escape(self.tail)
            self._pattern = re.compile(text, re.DOTALL)
        return self._pattern.fullmatch(key) is not None

    def _literal(self, start: int, end: int) -> str:
        literal = self.text[start:end]
        if "{" in literal or "}" in literal:
            raise ConfigurationError(f"key template {self.text!r}: a brace without its partner")
        return literal

    def _check(self) -> None:
        if not self.text:
            raise ConfigurationError("key template '': DynamoDB has no empty keys")
        if len(set(self.names)) != len(self.names):
            raise ConfigurationError(f"key template {self.text!r}: a field is in it twice")
        if self.raw:
            return
        for literal in [part.literal for part in self.parts[1:]] + ([self.tail] if self.parts and self.tail else []):
            if not literal.startswith("#"):
                raise ConfigurationError(f"key template {self.text!r}: a field must be followed by # or by the end")

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the key of some values.

        Raises InvalidKey for one that is missing, InvalidKeyValue for one that is None or empty.
        """
        key = ""
        for part in self.parts:
            if not part.is_known(values):
                raise InvalidKey(f"key {self.text}: {part.field} is missing")
            key += part.literal + self.piece(part, part.value(values))
        return key + self.tail

    def is_filled(self, values: Mapping[str, Any]) -> bool:
        """Return whether no part of it is None."""
        return all(part.value(values) is not None for part in self.parts)

    def piece(self, part: Part, value: Any) -> str:
        """Return the text of one value in a key. Raises InvalidKeyValue."""
        if value == "" and part.compute is not None:
            return ""  # what a function makes is meant so
        try:
            text = _text(value, part.width)
        except Unstorable as error:
            raise InvalidKeyValue(f"key {self.text}: {part.field} {error}") from None
        return text if self.raw or (text.isalnum() and text.isascii()) else text.translate(_ESCAPES)

    def started(self, values: Mapping[str, Any]) -> tuple[str, int]:
        """Return the key up to the first field that is not among the values, and the index of that field."""
        key = ""
        for index, part in enumerate(self.parts):
            key += part.literal
            if not part.is_known(values):
                return key, index
            key += self.piece(part, part.value(values))
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
