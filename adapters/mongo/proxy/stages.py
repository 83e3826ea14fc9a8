"""Pipelines from outside: each stage is read into a new one, and says what the next one sees."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.mongo.proxy.extended_json import value_of
from adapters.mongo.proxy.pipeline_expressions import ACCUMULATORS, Expressions
from adapters.mongo.proxy.refusal import QueryRefused
from adapters.mongo.proxy.request_filters import Filters
from adapters.mongo.proxy.visible_fields import checked_name, checked_path, inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from adapters.mongo.proxy.request_limits import Limits
    from adapters.mongo.proxy.scope import Scope
    from adapters.mongo.proxy.visible_fields import VisibleFields

    Stage = dict[str, Any]

_MOST_COUNT = 2**31 - 1  # of documents to skip or to take


@dataclass(frozen=True, slots=True)
class Joined:
    """A collection that `$lookup` may join. pipeline: shows its visible documents with their allowed fields."""

    collection: str
    fields: VisibleFields
    pipeline: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a pipeline. joined: by the names that clients use. most: documents of one result or list."""

    operators: frozenset[str]
    stages: frozenset[str]
    expressions: frozenset[str]
    joined: Mapping[str, Joined]
    most: int
    limits: Limits


class Pipeline:
    """Reads one pipeline, stage by stage. scope: what the first stage sees."""

    def __init__(self, rules: Rules, scope: Scope) -> None:
        self._rules = rules
        self._scope = scope
        self._stages_left = rules.limits.stages
        self._lookups_left = rules.limits.lookups

    def read(self, value: Any, at: str) -> list[Stage]:
        """Return the stages. Raises QueryRefused."""
        if type(value) is not list:
            raise QueryRefused(at, "a list of stages is expected")
        return [self._stage(held, f"{at}[{index}]") for index, held in enumerate(value)]

    def _stage(self, value: Any, at: str) -> Stage:
        if type(value) is not dict or len(value) != 1:
            raise QueryRefused(at, "a stage is an object with one key")
        ((name, operand),) = value.items()
        place = inside(at, name)
        reader = _READERS.get(name)
        if reader is None or name not in self._rules.stages:
            raise QueryRefused(place, "is not a stage that is allowed here")
        self._stages_left -= 1
        if self._stages_left < 0:
            raise QueryRefused(place, f"there are more than {self._rules.limits.stages} stages")
        return {name: reader(self, operand, place)}

    # ---- which documents ----------------------------------------------------------------------------------------

    def _match(self, value: Any, at: str) -> Any:
        # As strict as a filter of `find`, although hidden fields are out of sight already: the server moves a $match to
        # the front where it can, and nothing should depend on how well it does that.
        return Filters(self._scope, self._rules.operators, self._rules.limits).read(value, at)

    def _sort(self, value: Any, at: str) -> Any:
        if type(value) is not dict or not value:
            raise QueryRefused(at, "an object of fields with 1 or -1 is expected")
        for path, held in value.items():
            place = inside(at, path)
            self._scope.require(checked_path(path, place), place)
            if type(held) is not int or held not in (1, -1):
                raise QueryRefused(place, "1 or -1 is expected")
        return dict(value)

    def _limit(self, value: Any, at: str) -> Any:
        return whole_number(value, at, 1, _MOST_COUNT)

    def _skip(self, value: Any, at: str) -> Any:
        return whole_number(value, at, 0, _MOST_COUNT)

    # ---- their fields -------------------------------------------------------------------------------------------

    def _project(self, value: Any, at: str) -> Any:
        """Read fields to keep (1), fields to compute, and whether `_id` is kept; nothing else is left out by name."""
        spec = _fields_in(value, at)
        weights: dict[str, int] = {}
        result = {path: self._kept(path, held, inside(at, path), weights) for path, held in spec.items()}
        if not weights:
            raise QueryRefused(at, "nothing is kept; $unset leaves fields out")
        if "_id" not in spec and (self._scope.shows("_id") or self._scope.leads("_id")):
            weights |= self._scope.under("_id", "_id", at)
        self._scope = self._scope.replaced(weights)
        return result

    def _kept(self, path: str, held: Any, at: str, weights: dict[str, int]) -> Any:
        if path == "_id" and type(held) in (bool, int) and held == 0:
            return 0
        if type(held) in (bool, int) and held == 1:
            weights |= self._scope.under(checked_path(path, at), path, at)
            return 1
        if type(held) in (bool, int, float) or held is None:
            raise QueryRefused(at, 'give 1, "$field", or an object of one operator')
        return self._assigned(path, held, at, weights)

    def _add_fields(self, value: Any, at: str) -> Any:
        weights: dict[str, int] = {}
        result = {
            name: self._assigned(name, held, inside(at, name), weights) for name, held in _fields_in(value, at).items()
        }
        self._scope = self._scope.adding(weights)
        return result

    def _assigned(self, name: str, value: Any, at: str, weights: dict[str, int]) -> Any:
        """Return the value that a field is set to, in place of all that it held.

        Neither a path nor an object of fields is taken: these set a field in each element of a list, and so make the
        square of a list out of a list.
        """
        checked_name(name, at)
        if type(value) is dict and not _is_computed(value):
            raise QueryRefused(at, 'a field such as "$sku", a value, or an object of one operator is expected')
        return self._computed(name, value, at, weights)

    def _unset(self, value: Any, at: str) -> Any:
        paths = [value] if type(value) is str else value
        if type(paths) is not list or not paths:
            raise QueryRefused(at, "a list of fields is expected")
        return [checked_path(path, f"{at}[{index}]") for index, path in enumerate(paths)]

    def _unwind(self, value: Any, at: str) -> Any:
        spec = {"path": value} if type(value) is str else _keys(value, at, ("path",), _UNWIND)
        path = spec["path"]
        if type(path) is not str or not path.startswith("$") or path.startswith("$$"):
            raise QueryRefused(at, 'a path such as "$lines" is expected')
        self._scope.weight(checked_path(path[1:], at), at)
        result: Stage = {"path": path}
        if "preserveNullAndEmptyArrays" in spec:
            result["preserveNullAndEmptyArrays"] = _truth(spec["preserveNullAndEmptyArrays"], at)
        if "includeArrayIndex" in spec:
            name = checked_name(spec["includeArrayIndex"], inside(at, "includeArrayIndex"))
            result["includeArrayIndex"] = name
            self._scope = self._scope.adding({name: 1})
        return result if len(result) > 1 else path

    # ---- groups -------------------------------------------------------------------------------------------------

    def _group(self, value: Any, at: str) -> Any:
        if type(value) is not dict or "_id" not in value:
            raise QueryRefused(at, "an object with _id is expected")
        weights: dict[str, int] = {}
        key = self._computed("_id", value["_id"], inside(at, "_id"), weights)
        result = self._accumulated({name: held for name, held in value.items() if name != "_id"}, at, weights)
        self._scope = self._scope.replaced(weights)
        return {"_id": key, **result}

    def _bucket(self, value: Any, at: str) -> Any:
        spec = _keys(value, at, ("groupBy", "boundaries"), _BUCKET)
        weights: dict[str, int] = {}
        by = self._computed("_id", spec["groupBy"], inside(at, "groupBy"), weights)
        place = inside(at, "boundaries")
        if type(spec["boundaries"]) is not list or len(spec["boundaries"]) < 2:
            raise QueryRefused(place, "a list of two values or more is expected")
        result: Stage = {"groupBy": by, "boundaries": [_constant(held, place) for held in spec["boundaries"]]}
        if "default" in spec:
            result["default"] = _constant(spec["default"], inside(at, "default"))
        if "output" in spec:
            place = inside(at, "output")
            result["output"] = self._accumulated(_fields_in(spec["output"], place), place, weights)
        else:
            weights["count"] = 1
        self._scope = self._scope.replaced(weights)
        return result

    def _accumulated(self, value: dict[str, Any], at: str, weights: dict[str, int]) -> Stage:
        result: Stage = {}
        for name, held in value.items():
            place = inside(at, name)
            checked_name(name, place)
            if type(held) is not dict or len(held) != 1:
                raise QueryRefused(place, 'an accumulator such as {"$sum": 1} is expected')
            ((accumulator, operand),) = held.items()
            place = inside(place, accumulator)
            if accumulator not in ACCUMULATORS:
                raise QueryRefused(place, "is not an accumulator that is allowed here")
            if accumulator == "$count" and operand != {}:
                raise QueryRefused(place, "{} is expected")
            result[name] = {accumulator: self._computed(name, operand, place, weights)}
        return result

    def _sort_by_count(self, value: Any, at: str) -> Any:
        if type(value) is not str and type(value) is not dict:
            raise QueryRefused(at, 'a field such as "$status", or an object of one operator, is expected')
        weights = {"count": 1}
        expression = self._computed("_id", value, at, weights)
        self._scope = self._scope.replaced(weights)
        return expression

    def _count(self, value: Any, at: str) -> Any:
        name = checked_name(value, at)
        self._scope = self._scope.replaced({name: 1})
        return name

    # ---- several collections, several pipelines -----------------------------------------------------------------

    def _lookup(self, value: Any, at: str) -> Any:
        spec = _keys(value, at, _LOOKUP)
        self._lookups_left -= 1
        if self._lookups_left < 0:
            raise QueryRefused(at, f"there are more than {self._rules.limits.lookups} of them")
        asked = spec["from"]
        joined = self._rules.joined.get(asked) if type(asked) is str else None
        if joined is None:
            raise QueryRefused(inside(at, "from"), "is not a collection that may be joined here")
        place = inside(at, "localField")
        local = self._scope.require(checked_path(spec["localField"], place), place)
        # The server looks for equal values in whole documents, before the pipeline leaves out what is hidden.
        place = inside(at, "foreignField")
        foreign = joined.fields.require(checked_path(spec["foreignField"], place), place)
        place = inside(at, "as")
        name = checked_name(spec["as"], place)
        if self._scope.shows(name) or self._scope.leads(name):
            raise QueryRefused(place, "is the name of a field already")
        self._scope = self._scope.adding({f"{name}.{field}": 1 for field in joined.fields.names})
        return {
            "from": joined.collection,
            "localField": local,
            "foreignField": foreign,
            "pipeline": list(joined.pipeline),
            "as": name,
        }

    def _facet(self, value: Any, at: str) -> Any:
        before = self._scope
        weights: dict[str, int] = {}
        result: Stage = {}
        for name, held in _fields_in(value, at).items():
            place = inside(at, name)
            if type(held) is list and any(type(one) is dict and "$facet" in one for one in held):
                raise QueryRefused(place, "a $facet has no place in another one")
            result[checked_name(name, place)] = [*self.read(held, place), {"$limit": self._rules.most}]
            weights[name] = self._scope.whole()
            self._scope = before
        self._scope = before.replaced(weights)
        return result

    def _computed(self, name: str, value: Any, at: str, weights: dict[str, int]) -> Any:
        """Return an expression. What it makes is noted in `weights` under a name."""
        expressions = Expressions(self._scope, self._rules.expressions)
        expression = expressions.read(value, at)
        if type(value) is str and value.startswith("$") and not value.startswith("$$"):
            weights |= self._scope.under(value[1:], name, at)  # the same field under another name
        else:
            weights[name] = max(expressions.weight, 1)
        return expression


_UNWIND = ("includeArrayIndex", "preserveNullAndEmptyArrays")
_BUCKET = ("default", "output")
_LOOKUP = ("from", "localField", "foreignField", "as")

_READERS: dict[str, Callable[[Pipeline, Any, str], Any]] = {
    "$match": Pipeline._match,
    "$project": Pipeline._project,
    "$addFields": Pipeline._add_fields,
    "$set": Pipeline._add_fields,
    "$unset": Pipeline._unset,
    "$group": Pipeline._group,
    "$sort": Pipeline._sort,
    "$limit": Pipeline._limit,
    "$skip": Pipeline._skip,
    "$count": Pipeline._count,
    "$unwind": Pipeline._unwind,
    "$sortByCount": Pipeline._sort_by_count,
    "$bucket": Pipeline._bucket,
    "$facet": Pipeline._facet,
    "$lookup": Pipeline._lookup,
}
STAGES = frozenset(_READERS)
"""The stages that are known here, and so may be allowed."""
DEFAULT_STAGES = STAGES - {"$facet", "$lookup"}


def whole_number(value: Any, at: str, least: int, most: int) -> int:
    """Return a whole number of a range. Raises QueryRefused."""
    if type(value) is not int or not least <= value <= most:
        raise QueryRefused(at, f"a whole number from {least} to {most} is expected")
    return value


def _truth(value: Any, at: str) -> bool:
    if type(value) is not bool:
        raise QueryRefused(at, "true or false is expected")
    return value


def _constant(value: Any, at: str) -> Any:
    """Return a value that stands in the place of an expression."""
    return {"$literal": value_of(value, at)}


def _is_computed(value: dict[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith("$")


def _fields_in(value: Any, at: str) -> dict[str, Any]:
    if type(value) is not dict or not value:
        raise QueryRefused(at, "an object of fields is expected")
    return value


def _keys(value: Any, at: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return an object that has the required keys, and no others than these and the optional ones."""
    if type(value) is not dict:
        raise QueryRefused(at, f"an object with {', '.join(required)} is expected")
    for key in value:
        if key not in required and key not in optional:
            raise QueryRefused(inside(at, key), "is not allowed here")
    for key in required:
        if key not in value:
            raise QueryRefused(at, f"{key} is missing")
    return value
