"""Filters from outside: a client's filter becomes a new one that holds allowed fields and operators only."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.mongo.proxy.extended_json import is_extended, value_of
from adapters.mongo.proxy.refusal import QueryRefused
from adapters.mongo.proxy.regexes import checked_pattern
from adapters.mongo.proxy.visible_fields import checked_path, inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters.mongo.proxy.request_limits import Limits
    from adapters.mongo.proxy.visible_fields import VisibleFields

_LOGICAL = frozenset(("$and", "$or", "$nor"))
_COMPARING = frozenset(("$eq", "$ne", "$gt", "$gte", "$lt", "$lte"))
_LISTING = frozenset(("$in", "$nin", "$all"))
OPERATORS = _LOGICAL | _COMPARING | _LISTING | {"$not", "$exists", "$size", "$elemMatch", "$regex"}
"""The operators that are known here, and so may be allowed. Each is checked by what it does with its operand."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Reads filters. fields: those that may be asked about. operators: those of `OPERATORS` that are allowed."""

    fields: VisibleFields
    operators: frozenset[str]
    limits: Limits

    def read(self, value: Any, at: str) -> dict[str, Any]:
        """Return the filter; an empty one matches all. Raises QueryRefused."""
        return self._clauses(value, at, "") if value != {} else {}

    def _clauses(self, value: Any, at: str, above: str) -> dict[str, Any]:
        """Conditions by field, and logical operators. above: what the fields are under, with a dot at its end."""
        if type(value) is not dict:
            raise QueryRefused(at, "a filter is an object")
        if not value:
            raise QueryRefused(at, "an empty filter has no place here")
        clauses: dict[str, Any] = {}
        for name, held in value.items():
            place = inside(at, name)
            if name.startswith("$"):
                if name not in _LOGICAL:
                    raise QueryRefused(place, "is not an operator that is allowed here")
                clauses[self._allowed(name, place)] = self._each(held, place, above)
            else:
                path = above + checked_path(name, place)
                clauses[name] = self._condition(held, place, path)
        return clauses

    def _each(self, value: Any, at: str, above: str) -> list[dict[str, Any]]:
        if type(value) is not list or not value:
            raise QueryRefused(at, "a list of filters is expected")
        return [self._clauses(held, f"{at}[{index}]", above) for index, held in enumerate(value)]

    def _condition(self, value: Any, at: str, path: str) -> dict[str, Any]:
        """Return the condition on one field: operators, or a value that it equals."""
        if type(value) is dict and any(key.startswith("$") for key in value) and not is_extended(value):
            return self._operators(value, at, path)
        self.fields.require(path, at)
        return {"$eq": value_of(value, at)}  # said outright, so that no value is ever taken for something else

    def _operators(self, value: dict[str, Any], at: str, path: str) -> dict[str, Any]:
        # $elemMatch, or what is not so, may ask about fields below one that is not open as a whole.
        if not value.keys() <= {"$elemMatch", "$not"} or not self.fields.leads(path):
            self.fields.require(path, at)
        result: dict[str, Any] = {}
        for name, operand in value.items():
            place = inside(at, name)
            if name == "$options" and "$regex" in value:
                continue
            self._allowed(name, place)
            if name in _LOGICAL:
                raise QueryRefused(place, "stands before fields, not after one")
            result |= self._operator(name, operand, place, path, value)
        return result

    def _operator(self, name: str, operand: Any, at: str, path: str, among: dict[str, Any]) -> dict[str, Any]:
        """Return one operator with its operand. among: all of its object."""
        if name in _COMPARING:
            return {name: value_of(operand, at)}
        if name in _LISTING:
            if type(operand) is not list:
                raise QueryRefused(at, "a list of values is expected")
            return {name: value_of(operand, at)}
        if name == "$exists":
            if type(operand) is not bool:
                raise QueryRefused(at, "true or false is expected")
            return {name: operand}
        if name == "$size":
            if type(operand) is not int or operand < 0:
                raise QueryRefused(at, "a whole number from 0 is expected")
            return {name: operand}
        if name == "$elemMatch":
            return {name: self._element(operand, at, path)}
        if name == "$not":
            if type(operand) is not dict or not operand:
                raise QueryRefused(at, "an object of operators is expected")
            return {name: self._operators(operand, at, path)}
        return checked_pattern(operand, among.get("$options", ""), at, self.limits.pattern)

    def _element(self, value: Any, at: str, path: str) -> dict[str, Any]:
        """Return the condition on one element of a list: operators on itself, or a filter on its fields."""
        if type(value) is not dict or not value:
            raise QueryRefused(at, "an object of conditions is expected")
        if all(key.startswith("$") and key not in _LOGICAL for key in value):
            return self._operators(value, at, self.fields.require(path, at))
        return self._clauses(value, at, f"{path}.")

    def _allowed(self, name: str, at: str) -> str:
        if name not in self.operators:
            raise QueryRefused(at, "is not an operator that is allowed here")
        return name
