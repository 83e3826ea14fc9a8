"""Expressions of pipelines, such as `{"$multiply": ["$price", "$quantity"]}`.

There are no variables of the client's own (`$let`, `$map`, `$filter`, `$reduce`): what they do with lists, `$unwind`
does in sight of the time limit. Nor is there what makes much out of little (`$range`, `$concatArrays`, `$zip`), names
fields by values (`$getField`, `$arrayToObject`), runs code (`$function`) or patterns (`$regexMatch`).
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.mongo.proxy.extended_json import extended, is_extended, value_of
from adapters.mongo.proxy.refusal import QueryRefused
from adapters.mongo.proxy.visible_fields import checked_name, checked_path, inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters.mongo.proxy.scope import Scope


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


EXPRESSIONS = _names(
    # arithmetic
    "$abs $add $ceil $divide $exp $floor $ln $log $log10 $mod $multiply $pow $round $sqrt $subtract $trunc "
    # comparison, truth, choice
    "$cmp $eq $gt $gte $lt $lte $ne $and $not $or $cond $ifNull $switch $literal "
    # text
    "$concat $indexOfCP $ltrim $rtrim $split $strcasecmp $strLenCP $substrCP $toLower $toUpper $trim "
    # dates
    "$dateAdd $dateDiff $dateFromString $dateSubtract $dateToString $dateTrunc $dayOfMonth $dayOfWeek $dayOfYear "
    "$hour $isoDayOfWeek $isoWeek $isoWeekYear $millisecond $minute $month $second $week $year "
    # types
    "$convert $isNumber $toBool $toDate $toDecimal $toDouble $toInt $toLong $toString $type "
    # lists and sets
    "$allElementsTrue $anyElementTrue $arrayElemAt $first $in $indexOfArray $isArray $last $reverseArray "
    "$setDifference $setIntersection $setIsSubset $setUnion $size $slice "
    # objects, and accumulators of lists
    "$mergeObjects $avg $max $min $stdDevPop $stdDevSamp $sum"
)
"""The operators that are known here, and so may be allowed."""

ACCUMULATORS = _names("$addToSet $avg $count $first $last $max $mergeObjects $min $push $stdDevPop $stdDevSamp $sum")
"""Accumulators: `$group` and `$bucket` may make these of the documents of a group."""

_VARIABLES = frozenset(("ROOT", "CURRENT", "NOW", "REMOVE"))


@dataclass(slots=True)
class Expressions:
    """Reads expressions at one point of a pipeline. weight: of all that was read so far."""

    scope: Scope
    operators: frozenset[str]
    weight: int = 0

    def read(self, value: Any, at: str) -> Any:
        """Return an expression. Raises QueryRefused."""
        if type(value) is str and value.startswith("$"):
            return self._reference(value, at)
        if type(value) is list:
            return [self.read(held, f"{at}[{index}]") for index, held in enumerate(value)]
        if type(value) is not dict:
            return value
        if is_extended(value):
            return extended(value, at)
        for name in value:
            if name.startswith("$"):
                return {name: self._operand(name, value, at)}
        return {checked_name(name, inside(at, name)): self.read(held, inside(at, name)) for name, held in value.items()}

    def _operand(self, name: str, value: dict[str, Any], at: str) -> Any:
        """Return the operand of an operator. Named arguments are expressions like those in a list."""
        place = inside(at, name)
        if len(value) > 1:
            raise QueryRefused(at, "an operator stands alone in its object")
        if name not in self.operators:
            raise QueryRefused(place, "is not an operator that is allowed here")
        return value_of(value[name], place) if name == "$literal" else self.read(value[name], place)

    def _reference(self, value: str, at: str) -> str:
        """Return the path of a field, or a variable of the system with or without one."""
        if not value.startswith("$$"):
            path = checked_path(value[1:], at)
            self._bear(self.scope.weight(path, at), at)
            return value
        variable, _, path = value[2:].partition(".")
        if variable not in _VARIABLES:
            raise QueryRefused(at, "is not a variable that is allowed here")
        if path or value.endswith("."):
            if variable not in ("ROOT", "CURRENT"):
                raise QueryRefused(at, "has no fields")
            self._bear(self.scope.weight(checked_path(path, at), at), at)
        elif variable in ("ROOT", "CURRENT"):
            self._bear(self.scope.whole(), at)
        return value

    def _bear(self, weight: int, at: str) -> None:
        self.weight += weight
        if self.weight > self.scope.most:
            raise QueryRefused(at, f"is made of more than {self.scope.most} fields")
