"""Updates: what changes in a document, as keyword arguments. No value is ever taken for an operator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from adapters.mongo.document_errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable


class Changes(TypedDict, total=False):
    """The changes of an update, by field or path (`"customer.city"`).

    set: new values. unset: fields that go. inc, mul: numbers to add or to multiply by. min, max: the value only if it
    is less, or greater, than the present one. push: a value to append to a list. extend: several. pull: a value to
    take out of a list, wherever it stands. add_to_set: a value to append unless it is there.
    """

    set: Mapping[str, Any]
    unset: Iterable[str]
    inc: Mapping[str, Any]
    mul: Mapping[str, Any]
    min: Mapping[str, Any]
    max: Mapping[str, Any]
    push: Mapping[str, Any]
    extend: Mapping[str, Iterable[Any]]
    pull: Mapping[str, Any]
    add_to_set: Mapping[str, Any]


def _one(value: Any) -> Any:
    """Return a value to append: by itself {"$each": ...} would be taken for an operator."""
    return {"$each": [value]} if _has_operators(value) else value


def _equal(value: Any) -> Any:
    """Return a value to take out: by itself a mapping would be taken for a condition."""
    return {"$in": [value]} if isinstance(value, Mapping) else value


def _has_operators(value: Any) -> bool:
    return isinstance(value, Mapping) and any(str(key).startswith("$") for key in value)


_OPERATORS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "set": ("$set", lambda value: value),
    "inc": ("$inc", lambda value: value),
    "mul": ("$mul", lambda value: value),
    "min": ("$min", lambda value: value),
    "max": ("$max", lambda value: value),
    "push": ("$push", _one),
    "extend": ("$push", lambda value: {"$each": value}),
    "pull": ("$pull", _equal),
    "add_to_set": ("$addToSet", _one),
}


def update_document(
    changes: Mapping[str, Any], rename: Callable[[str], str], stored: Callable[[str, str, Any], Any]
) -> dict[str, dict[str, Any]]:
    """Return the changes as MongoDB takes them. Raises InvalidRequest.

    rename: checks a field that may be changed, and returns its name in the database.
    stored: returns a value of a verb as the database has it.
    """
    document: dict[str, dict[str, Any]] = {}
    for verb, arguments in changes.items():
        if verb == "unset":
            if isinstance(arguments, str) or not isinstance(arguments, Iterable):
                raise InvalidRequest("unset: give a list of fields")
            document.setdefault("$unset", {}).update((rename(name), "") for name in arguments)
            continue
        if verb not in _OPERATORS:
            raise InvalidRequest(f"an update has no {verb!r}; it has {', '.join((*_OPERATORS, 'unset'))}")
        if not isinstance(arguments, Mapping):
            raise InvalidRequest(f"{verb}: give fields with their values, not {type(arguments).__name__}")
        operator, wrap = _OPERATORS[verb]
        fields = document.setdefault(operator, {})
        for name, value in arguments.items():
            field = rename(name)
            if field in fields:
                raise InvalidRequest(f"{verb}: {field} is changed twice: push and extend are one operator of MongoDB")
            fields[field] = wrap(stored(verb, name, _checked_list(verb, name, value)))
    if not any(document.values()):
        raise InvalidRequest("an update changes nothing: give set=, inc= or the like")
    return {operator: fields for operator, fields in document.items() if fields}


def _checked_list(verb: str, name: str, value: Any) -> Any:
    if verb != "extend":
        return value
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise InvalidRequest(f"extend: {name}: give a list of values")
    return list(value)
