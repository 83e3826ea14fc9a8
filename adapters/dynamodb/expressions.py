"""Expressions of DynamoDB: paths, conditions and filters. Names and values are always placeholders.

    attr("status") == "open"
    attr("address.city").begins_with("L") & ~attr("labels", "a.b").exists()

A condition is inert until a request is made of it: then its fields are checked against the model. Own code rather than
boto3's `conditions`: those import boto3 where routes are defined, know no Enum, datetime or float, and split every name
at its dots.
"""

from __future__ import annotations

import re

from adapters._codec.fields import Unstorable
from adapters.dynamodb.attribute_values import encode
from adapters.dynamodb.item_errors import InvalidRequest, InvalidValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any, TypeAlias

    Path: TypeAlias = tuple[str | int, ...]
    Values: TypeAlias = Mapping[str, Any] | Mapping[Path, Any] | Mapping[str | Path, Any]

_STEP = re.compile(r"([^.\[\]]+)((?:\[\d+\])*)")
_MOST_IN = 100  # operands of IN (condition expressions, DynamoDB developer guide)


def path_of(name: str | Path) -> Path:
    """Return the path that a text such as `lines[0].sku` names; a tuple is a path already. Raises InvalidRequest."""
    if isinstance(name, str):
        if name.isidentifier():
            return (name,)
        steps: list[str | int] = []
        for part in name.split("."):
            match = _STEP.fullmatch(part)
            if match is None:
                raise InvalidRequest(f"{name[:100]!r} is no path; write a.b[0], or attr('a', 'any.name')")
            steps.append(match[1])
            steps.extend(int(index) for index in re.findall(r"\d+", match[2]))
        return tuple(steps)
    if not name or not isinstance(name[0], str):
        raise InvalidRequest("a path begins with the name of a field")
    for step in name:
        named = isinstance(step, str) and step != ""
        counted = isinstance(step, int) and not isinstance(step, bool) and step >= 0
        if not named and not counted:
            raise InvalidRequest(f"a path is made of names and of indexes from 0, not {step!r:.50}")
    return tuple(name)


class Placeholders:
    """The names and values of one request, each under a placeholder of its own.

    fields: the names that a path of the user's may begin with. owner: whose fields they are, for messages.
    """

    __slots__ = ("_fields", "_owner", "names", "values")

    def __init__(self, fields: Collection[str], owner: str) -> None:
        self._fields = fields
        self._owner = owner
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def copy(self) -> Placeholders:
        """Return the same once more, for another request."""
        other = Placeholders(self._fields, self._owner)
        other.names, other.values = dict(self.names), dict(self.values)
        return other

    def name(self, attribute: str) -> str:
        """Return the placeholder of an attribute's name."""
        placeholder = self.names.get(attribute)
        if placeholder is None:
            placeholder = self.names[attribute] = f"#n{len(self.names)}"
        return placeholder

    def path(self, path: Path) -> str:
        """Return a path of the user's with placeholders.

        Raises InvalidRequest for a field that the model does not have.
        """
        if path[0] not in self._fields:
            raise InvalidRequest(f"{self._owner} has no field {path[0]!r:.100}")
        text = self.name(str(path[0]))
        for step in path[1:]:
            text += f"[{step}]" if isinstance(step, int) else f".{self.name(step)}"
        return text

    def value(self, value: Any) -> str:
        """Return the placeholder of a value."""
        try:
            return self.raw(encode(value))
        except Unstorable as error:
            raise InvalidValue(f"{self._owner}: a value {error}") from None

    def raw(self, attribute: dict[str, Any]) -> str:
        """Return the placeholder of a value that is encoded already."""
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = attribute
        return placeholder

    def parameters(self) -> dict[str, Any]:
        """Return the names and values as parameters of a request, which may not be empty."""
        found: dict[str, Any] = {}
        if self.names:
            found["ExpressionAttributeNames"] = {placeholder: name for name, placeholder in self.names.items()}
        if self.values:
            found["ExpressionAttributeValues"] = self.values
        return found


class Condition:
    """A condition of a write, or a filter of results. Combine with `&`, `|` and `~`."""

    __slots__ = ("render",)

    def __init__(self, render: Callable[[Placeholders], str]) -> None:
        self.render = render

    def __and__(self, other: Condition) -> Condition:
        return _joined("AND", (self, _condition(other)))

    def __or__(self, other: Condition) -> Condition:
        return _joined("OR", (self, _condition(other)))

    def __invert__(self) -> Condition:
        return Condition(lambda names: f"(NOT {self.render(names)})")

    def __bool__(self) -> bool:
        raise TypeError("a condition is neither true nor false here; combine with &, | and ~, not and, or, not")

    def __repr__(self) -> str:
        names = Placeholders(_Anything(), "")
        text = self.render(names)
        for name, placeholder in reversed(names.names.items()):
            text = text.replace(placeholder, name)
        return f"Condition({text})"  # the values stay out, as they may be anybody's


class _Anything(frozenset[str]):
    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return True


def _condition(value: Any) -> Condition:
    if not isinstance(value, Condition):
        raise InvalidRequest(f"a condition is expected, such as attr('status') == 'open', not {type(value).__name__}")
    return value


def _joined(word: str, conditions: Iterable[Condition]) -> Condition:
    parts = tuple(conditions)
    return Condition(lambda names: "(" + f" {word} ".join([part.render(names) for part in parts]) + ")")


def every(conditions: Iterable[Condition | None]) -> Condition | None:
    """Return the conjunction of several conditions; None for none."""
    operands = [_condition(one) for one in conditions if one is not None]
    if len(operands) < 2:
        return operands[0] if operands else None
    return _joined("AND", operands)


class Operand:
    """One side of a comparison. render: returns its text in an expression."""

    __slots__ = ("render",)
    __hash__ = None  # type: ignore[assignment]  # == makes a condition

    def __init__(self, render: Callable[[Placeholders], str]) -> None:
        self.render = render

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return self._compared("=", other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return self._compared("<>", other)

    def __lt__(self, other: Any) -> Condition:
        return self._compared("<", other)

    def __le__(self, other: Any) -> Condition:
        return self._compared("<=", other)

    def __gt__(self, other: Any) -> Condition:
        return self._compared(">", other)

    def __ge__(self, other: Any) -> Condition:
        return self._compared(">=", other)

    def between(self, low: Any, high: Any) -> Condition:
        """From low to high, both included."""
        return Condition(
            lambda names: f"({self.render(names)} BETWEEN {_operand(low, names)} AND {_operand(high, names)})"
        )

    def is_in(self, values: Iterable[Any]) -> Condition:
        """Equal to one of the values; of no values, never."""
        choices = list(values)

        def render(names: Placeholders) -> str:
            path = self.render(names)
            if not choices:  # DynamoDB has no word for false
                return f"({path} = {names.value(True)} AND {path} = {names.value(False)})"
            cuts = [choices[start : start + _MOST_IN] for start in range(0, len(choices), _MOST_IN)]
            parts = [f"{path} IN ({', '.join([_operand(one, names) for one in cut])})" for cut in cuts]
            return f"({' OR '.join(parts)})"

        return Condition(render)

    def _compared(self, operator: str, other: Any) -> Condition:
        return Condition(lambda names: f"({self.render(names)} {operator} {_operand(other, names)})")


def _operand(value: Any, names: Placeholders) -> str:
    return value.render(names) if isinstance(value, Operand) else names.value(value)


class Attribute(Operand):
    """A field, or something inside of one."""

    __slots__ = ()

    def exists(self) -> Condition:
        """It is there. A field that holds None is there; an empty set is not."""
        return self._asked("attribute_exists")

    def missing(self) -> Condition:
        """It is not there."""
        return self._asked("attribute_not_exists")

    def begins_with(self, prefix: str | bytes) -> Condition:
        """Text (or bytes) that begins with this."""
        return self._asked("begins_with", prefix)

    def contains(self, value: Any) -> Condition:
        """Text that contains this, or a set or list that has it as a member."""
        return self._asked("contains", value)

    def size(self) -> Operand:
        """Return the length of text or bytes, or the number of members."""
        return Operand(lambda names: f"size({self.render(names)})")

    def _asked(self, function: str, *arguments: Any) -> Condition:
        def render(names: Placeholders) -> str:
            operands = [self.render(names), *(_operand(argument, names) for argument in arguments)]
            return f"{function}({', '.join(operands)})"

        return Condition(render)


def attr(name: str, *inside: str | int) -> Attribute:
    """Return a field by its name or path: `attr("status")`, `attr("lines[0].sku")`.

    inside: names and indexes below it, taken as they are, so that they may hold dots: `attr("labels", "a.b")`.
    """
    path = path_of((name, *inside) if inside else name)
    return Attribute(lambda names: names.path(path))


def stored(attribute: str) -> Attribute:
    """Return an attribute that this package itself stores: a key, the type, the expiry."""
    return Attribute(lambda names: names.name(attribute))
