"""Filters: what documents a verb is about, so written that JSON from outside never brings an operator along.

A filter is a mapping of fields to the values they equal. Operators are what `raw` marks, or one of the functions here:

    orders.find({"status": body["status"], "total": gt(100), "placed": raw({"$type": "date"})})

Were `body["status"]` `{"$ne": None}`, the filter would be refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.mongo.document_errors import InvalidFilter
from adapters.mongo.naming import has_utf8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    Where: TypeAlias = "Mapping[str, Any] | Raw | Either | None"

_DEEPEST = 100  # levels of nesting in a document (BSON limits, MongoDB manual)


class Raw:
    """A filter, or a value in one, that is taken as it is, operators included."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"raw({self.value!r})"


class Comparison(Raw):
    """Operators that the functions here make: their values are checked, and ids become those that are stored."""

    __slots__ = ()


def raw(value: Any) -> Raw:
    """Mark a filter, or a value in one, as written by you: it may hold operators. Never mark what came from outside."""
    return Raw(value)


def gt(value: Any) -> Comparison:
    """Greater than."""
    return Comparison({"$gt": _literal(value, "gt")})


def gte(value: Any) -> Comparison:
    """Greater than or equal."""
    return Comparison({"$gte": _literal(value, "gte")})


def lt(value: Any) -> Comparison:
    """Less than."""
    return Comparison({"$lt": _literal(value, "lt")})


def lte(value: Any) -> Comparison:
    """Less than or equal."""
    return Comparison({"$lte": _literal(value, "lte")})


def between(low: Any, high: Any) -> Comparison:
    """From low to high, both included."""
    return Comparison({"$gte": _literal(low, "between"), "$lte": _literal(high, "between")})


def ne(value: Any) -> Comparison:
    """Not equal; a field that is not there is not equal, either."""
    return Comparison({"$ne": _literal(value, "ne")})


def one_of(values: Iterable[Any]) -> Comparison:
    """Equal to one of them."""
    return Comparison({"$in": _several(values, "one_of")})


def none_of(values: Iterable[Any]) -> Comparison:
    """Equal to none of them; a field that is not there is equal to none."""
    return Comparison({"$nin": _several(values, "none_of")})


def exists(there: bool = True) -> Comparison:
    """Return whether the field is there at all, be it None."""
    return Comparison({"$exists": bool(there)})


def begins_with(text: str) -> Comparison:
    """Text that begins with this text; an index on the field is used."""
    if not isinstance(text, str):
        raise InvalidFilter(f"begins_with: text is expected, not {type(text).__name__}")
    import re

    # MongoDB refuses a NUL in the text of an expression, and not its escape.
    return Comparison({"$regex": "^" + re.escape(text).replace("\0", r"\x00")})


class Either:
    """Filters of which one is enough."""

    __slots__ = ("filters",)

    def __init__(self, filters: tuple[Where, ...]) -> None:
        self.filters = filters


def either(*filters: Where) -> Either:
    """Match one of several filters: `either({"status": "open"}, {"total": gt(100)})`."""
    if not filters:
        raise InvalidFilter("either: give at least one filter")
    return Either(filters)


def leaves_all(where: Where) -> bool:
    """Return whether a filter leaves nothing out, without `raw` saying that this is meant."""
    if isinstance(where, Either):
        return any(map(leaves_all, where.filters))
    return where is None or (isinstance(where, Mapping) and not where)


def filter_document(
    where: Where, rename: Callable[[str], str], stored: Callable[[str, Any, bool], Any]
) -> dict[str, Any]:
    """Return the filter as MongoDB takes it. Raises InvalidFilter.

    rename: checks a field, and returns its name in the database.
    stored: returns a field's value as the database has it; its last argument says whether it is taken as it is.
    """
    if where is None:
        return {}
    if isinstance(where, Comparison):
        raise InvalidFilter("a filter names the field that is compared: {'total': gt(100)}")
    if isinstance(where, Raw):
        if not isinstance(where.value, Mapping):
            raise InvalidFilter(f"a filter is a mapping, not {type(where.value).__name__}")
        return {name: stored(name, held, True) for name, held in where.value.items()}
    if isinstance(where, Either):
        return {"$or": [filter_document(one, rename, stored) for one in where.filters]}
    if not isinstance(where, Mapping):
        raise InvalidFilter(f"a filter is a mapping, not {type(where).__name__}")
    return {field: condition for name, held in where.items() for field, condition in [_one(name, held, rename, stored)]}


def _one(
    name: Any, held: Any, rename: Callable[[str], str], stored: Callable[[str, Any, bool], Any]
) -> tuple[str, Any]:
    field = rename(checked_field(name))
    if isinstance(held, Either):
        raise InvalidFilter(f"{field}: either(...) is a whole filter; for one of several values there is one_of(...)")
    if isinstance(held, Raw):
        return field, stored(field, held.value, not isinstance(held, Comparison))
    value = stored(field, _literal(held, name), False)
    # Said outright: a mapping without operators is one to compare with.
    return field, {"$eq": value} if isinstance(value, dict) else value


def checked_field(name: Any) -> str:
    """Return a field's name, or path. Raises InvalidFilter for one that could be taken for an operator, or is none."""
    if not isinstance(name, str):
        raise InvalidFilter(f"the name of a field is text, not {type(name).__name__}")
    if any(not part or part.startswith("$") or "\0" in part for part in name.split(".")):
        raise InvalidFilter(
            "a field has a name that begins with $, is empty or holds NUL: mark operators with raw(...)"
        )
    if not has_utf8(name):
        raise InvalidFilter("a field has a name with half of a surrogate pair, which has no UTF-8 form")
    return name


def _literal(value: Any, where: str, depth: int = 0) -> Any:
    """Return a value that holds no operator. Raises InvalidFilter."""
    if depth > _DEEPEST:
        raise InvalidFilter(f"{where}: is nested too deeply")
    if isinstance(value, Raw):
        raise InvalidFilter(f"{where}: raw(...) marks the whole value of a field")
    if isinstance(value, Mapping):
        for key, held in value.items():
            if isinstance(key, str) and key.startswith("$"):
                raise InvalidFilter(f"{where}: holds an operator ($...): mark your own with raw(...)")
            _literal(held, where, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset):
        for held in value:
            _literal(held, where, depth + 1)
    return value


def _several(values: Iterable[Any], where: str) -> list[Any]:
    if isinstance(values, str | bytes | Mapping):
        raise InvalidFilter(f"{where}: give a list of values")
    if isinstance(values, set | frozenset):
        values = sorted(values, key=repr)  # the same in every process: page tokens are about the filter
    return [_literal(value, where) for value in values]
