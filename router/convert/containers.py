"""Converters made of other converters: lists, objects, choices, unions, classes. `annotations` puts them together.

All of them look at every part of a value before they give up, so that one answer tells all that is wrong with it.
"""

from __future__ import annotations

import warnings

from router.convert.scalars import MOST_ERRORS, NUMERIC, collect, invalid, mistake, place, printable, refusal, shown
from router.encode import dumps
from router.errors import ConfigurationError, EncodeError, UnprocessableContent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import Enum
    from typing import Any

    from router.convert.introspect import Fields
    from router.convert.scalars import Converter, Where
    from router.event import Event

_ABSENT: Any = object()
_MOST_CHOICES = 12  # named in a message
_LARGEST_EXPONENT = 6144  # of decimal128; int(Decimal("1e999999999")) would keep a processor busy for hours


def anything(value: Any, where: Where) -> Any:
    """Any: the value as it came."""
    return value


def null(value: Any, where: Where) -> None:
    """None: JSON's null."""
    if value is not None:
        raise invalid(where, "null", value)


def guarded(convert: Converter) -> Converter:
    """For a class that holds itself: values nested beyond what Python can follow are refused."""

    def guard(value: Any, where: Where) -> Any:
        try:
            return convert(value, where)
        except RecursionError:
            raise mistake(where, "is nested too deeply") from None

    return guard


# ---- containers -------------------------------------------------------------------------------------------------


def sequence(item: Converter, build: Callable[[list[Any]], Any], text: bool) -> Converter:
    """A list of any length, turned into what `build` makes of it."""

    def convert(value: Any, where: Where) -> Any:
        made: list[Any] = []
        errors: list[dict[str, str]] = []
        for index, held in enumerate(_listed(value, where, text)):
            try:
                made.append(item(held, (where, index)))
            except UnprocessableContent as error:
                collect(errors, error)
        if errors:
            raise refusal(errors)
        if build is list:
            return made
        try:
            return build(made)
        except TypeError:
            raise mistake(where, "a set cannot hold lists or objects") from None

    return convert


def fixed(items: list[Converter], text: bool) -> Converter:
    """A tuple with a type for each position."""
    expected = f"a list of {len(items)}"

    def convert(value: Any, where: Where) -> tuple[Any, ...]:
        values = _listed(value, where, text)
        if len(values) != len(items):
            raise mistake(where, f"{expected} is expected, not of {len(values)}")
        made: list[Any] = []
        errors: list[dict[str, str]] = []
        for index, (item, held) in enumerate(zip(items, values, strict=True)):
            try:
                made.append(item(held, (where, index)))
            except UnprocessableContent as error:
                collect(errors, error)
        if errors:
            raise refusal(errors)
        return tuple(made)

    return convert


def _listed(value: Any, where: Where, text: bool) -> list[Any]:
    if type(value) is list:
        return value
    if text and type(value) is str:
        return [value]
    raise invalid(where, "a list", value)


def mapping(convert_key: Converter, convert_value: Converter) -> Converter:
    """An object with names that are not fixed."""

    def convert(value: Any, where: Where) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        errors: list[dict[str, str]] = []
        for key, held in _object(value, where).items():
            inside = (where, key)
            try:
                made[convert_key(key, inside)] = convert_value(held, inside)
            except UnprocessableContent as error:
                collect(errors, error)
        if errors:
            raise refusal(errors)
        return made

    return convert


def _object(value: Any, where: Where) -> dict[str, Any]:
    if type(value) is not dict:
        raise invalid(where, "an object", value)
    return value


# ---- classes ----------------------------------------------------------------------------------------------------


def instance(
    plan: list[tuple[str, Converter, bool]], build: Callable[..., Any] | None, positions: list[str] | None
) -> Converter:
    """An object with known fields; others are ignored.

    plan: name, converter and whether it has to be there. build: the class, or None where the dict itself is wanted.
    positions: the names of the fields where a list is taken as well.
    """
    expected = "an object" if positions is None else f"an object or a list of at most {len(positions)}"

    def convert(value: Any, where: Where) -> Any:
        if positions is not None and type(value) is list and len(value) <= len(positions):
            value = dict(zip(positions, value, strict=False))
        if type(value) is not dict:
            raise invalid(where, expected, value)
        made: dict[str, Any] = {}
        errors: list[dict[str, str]] = []
        for name, convert_field, required in plan:
            held = value.get(name, _ABSENT)
            try:
                if held is not _ABSENT:
                    made[name] = convert_field(held, (where, name))
                elif required:
                    raise mistake((where, name), "is missing")
            except UnprocessableContent as error:
                collect(errors, error)
        if errors:
            raise refusal(errors)
        return made if build is None else built(build, made, where)

    return convert


def built(build: Callable[..., Any], values: dict[str, Any], where: Where) -> Any:
    """Return an instance of a class; what its own code refuses is the error of its place."""
    try:
        return build(**values)
    except (ValueError, AssertionError) as error:  # what a __post_init__ checks
        raise _told_by(error, where) from None


def pydantic_model(kind: Any) -> Converter:
    """A pydantic model, which validates itself in JSON mode: a strict one takes its dates, ids and sets from there."""
    validate = kind.model_validate_json

    def convert(value: Any, where: Where) -> Any:
        try:
            return validate(dumps(value))
        except EncodeError as error:  # a lone surrogate, or nested too deeply
            raise mistake(where, printable(str(error))) from None
        except ValueError as error:  # pydantic's ValidationError is one
            raise _told_by(error, where) from None

    return convert


def pydantic_body(kind: Any) -> Callable[[Event], Any]:
    """Return a function of an event: the model of its body, read from the text once, where every digit still is."""
    validate, convert = kind.model_validate_json, pydantic_model(kind)

    def of(event: Event) -> Any:
        if not event._json_is_text:
            return convert(event.json(), "body")
        try:
            return validate(event.text)
        except ValueError as error:
            refused = error
        event.json()  # what is no JSON at all is another error, with its place; a byte order mark is taken away
        try:
            return validate(event.text)
        except ValueError:
            raise _told_by(refused, "body") from None

    return of


def limited(convert: Converter, annotation: Any) -> Converter:
    """A converter whose values pydantic checks against limits such as `Field(ge=1)`."""
    try:
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError
    except ImportError:
        raise ConfigurationError(
            'the limits in Annotated are checked by pydantic: pip install "lambda-junction[validation]"'
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an alias in a Field(...), which is read elsewhere
            validate = TypeAdapter(annotation).validate_python
    except (PydanticUserError, TypeError) as error:
        raise ConfigurationError(f"{annotation!r}: these limits cannot be checked: {printable(str(error))}") from None

    def check(value: Any, where: Where) -> Any:
        value = convert(value, where)
        try:
            return validate(value)
        except (ValueError, TypeError) as error:  # a TypeError where a limit does not fit the type
            raise _told_by(error, where) from None

    return check


def _told_by(error: Exception, where: Where) -> UnprocessableContent:
    """Our form of a ValueError; a ValidationError of pydantic is known by its `errors()`."""
    details = getattr(error, "errors", None)
    if not callable(details):
        return mistake(where, printable(str(error)) or "is not valid")
    listed = []
    for detail in details()[:MOST_ERRORS]:
        at = where
        for key in detail["loc"]:
            at = (at, key)
        listed.append({"at": place(at), "message": printable(detail["msg"])})
    return refusal(listed)


def like(name: str) -> str:
    """An object of a class in words."""
    return f"an object with the fields of {name}"


def best_of(converters: list[Converter], classes: list[Fields], names: list[str]) -> Converter:
    """The one of several classes with fields that an object fits best."""
    from router.convert.introspect import best_fit

    expected = " or ".join([like(name) for name in names])

    def convert(value: Any, where: Where) -> Any:
        best = best_fit(_object(value, where), classes)
        if best is None:
            raise mistake(where, f"{expected} is expected")
        return converters[best](value, where)

    return convert


# ---- unions and choices -----------------------------------------------------------------------------------------


def or_null(convert: Converter) -> Converter:
    """T | None."""
    return lambda value, where: None if value is None else convert(value, where)


def first_of(alternatives: list[Converter], expected: list[str]) -> Converter:
    """The first alternative that takes the value. expected: each of them in words."""

    def convert(value: Any, where: Where) -> Any:
        refused = []
        for alternative in alternatives:
            try:
                return alternative(value, where)
            except UnprocessableContent as error:
                refused.append(error)
        # The alternative that took the value as such and stumbled inside it is the one that was meant.
        here = place(where)
        inside = [error for error in refused if not _is_about(error, here)]
        if len(inside) == 1:
            raise inside[0]
        if inside:
            raise mistake(where, f"is none of these: {', '.join(expected)}")
        raise invalid(where, " or ".join(expected), value)

    return convert


def _is_about(error: UnprocessableContent, at: str) -> bool:
    listed = error.members.get("errors")
    return type(listed) is list and listed[0]["at"] == at


def choice(pairs: list[tuple[Any, Any]], text: bool) -> Converter:
    """One of a few values. pairs: what JSON has, and what the handler gets for it."""
    expected = one_of([value for value, _ in pairs])
    # Where two are the same the first counts, as in a Literal["1", 1] that is read from text.
    if text:
        table: dict[Any, Any] = {_as_text(value): given for value, given in reversed(pairs)}

        def convert_text(value: Any, where: Where) -> Any:
            found = table.get(value, _ABSENT) if type(value) is str else _ABSENT
            if found is _ABSENT:
                raise invalid(where, expected, value)
            return found

        return convert_text
    # The type belongs to the key, since 1, 1.0 and True are equal.
    typed = {(type(value), value): given for value, given in reversed(pairs)}

    def convert(value: Any, where: Where) -> Any:
        found = _ABSENT if isinstance(value, dict | list) else typed.get((type(value), value), _ABSENT)
        if found is _ABSENT:
            raise invalid(where, expected, value)
        return found

    return convert


def one_of(values: list[Any]) -> str:
    """A choice in words."""
    listed = ", ".join([shown(value) for value in values[:_MOST_CHOICES]])
    more = f" and {len(values) - _MOST_CHOICES} others" if len(values) > _MOST_CHOICES else ""
    return f"one of {listed}{more}" if len(values) > 1 else listed


def _as_text(value: Any) -> str:
    return str(value) if not isinstance(value, bool) else "true" if value else "false"


def enumeration(kind: type[Enum], by_value: Converter) -> Converter:
    """An Enum whose own `_missing_` knows more spellings."""

    def convert(value: Any, where: Where) -> Any:
        try:
            return by_value(value, where)
        except UnprocessableContent as error:
            refused = error
        if type(value) is str:
            try:
                return kind(value)
            except ValueError:
                pass
        raise refused

    return convert


# ---- decimals ---------------------------------------------------------------------------------------------------


def decimal_of_text(value: Any, where: Where) -> Any:
    """A Decimal, with every digit that was written."""
    if type(value) is str and NUMERIC.issuperset(value):
        number = _decimal(value)
        if number is not None:
            return number
    raise invalid(where, "a decimal number", value)


def decimal_of_json(value: Any, where: Where) -> Any:
    """A Decimal of a number or, since a float has 17 digits at most, of a string."""
    if type(value) is int or type(value) is float:
        number = _decimal(repr(value) if type(value) is float else value)
        if number is not None:
            return number
        raise invalid(where, "a decimal number", value)
    return decimal_of_text(value, where)


def _decimal(value: Any) -> Any:
    from decimal import Decimal

    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _LARGEST_EXPONENT else None
