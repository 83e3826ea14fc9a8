"""Write parsed event patterns as the JSON of a filter, or say why the filter would not mean the same.

The router's language is EventBridge's. Filters of event source mappings and of SNS know fewer operators, and where the
same word means less in them (letters whose case only Unicode knows, addresses of IPv6) the pattern is not written.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from router.routing.pattern_grammar import NUMERIC_DECIMALS, NUMERIC_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.routing.pattern_grammar import Leaf, Test, Tree


class Inexact(Exception):
    """Raised where a filter cannot say what a pattern says; the message tells why, as the end of a sentence."""


class Target(NamedTuple):
    """The rules of one kind of filter.

    Attributes:
        title: The name for messages.
        operators: The tests it knows, named as `pattern_grammar` names them.
        negates: The tests that `anything-but` may hold.
        limit: The largest number it compares, of either sign.
        decimals: The decimal places of a number.
        characters: The longest text of one filter.
        closed: Whether a range has to name both ends and include them. Elsewhere AWS says nothing of numbers in records
            that are larger than the limit or have more decimals.
    """

    title: str
    operators: frozenset[str]
    negates: frozenset[str]
    limit: int
    decimals: int
    characters: int
    closed: bool = False


_VALUES = frozenset(("string", "number", "boolean", "null"))
_COMMON = _VALUES | {"prefix", "suffix", "equals-ignore-case", "numeric", "exists"}
# Lambda Developer Guide, "Control which events Lambda sends to your function"; API of EventSourceMapping (4,096).
MAPPING = Target(
    "a filter of an event source mapping",
    _COMMON | {"anything-but"},
    frozenset(("string", "number")),
    NUMERIC_LIMIT,
    NUMERIC_DECIMALS,
    4096,
)
# SNS Developer Guide, "Filter policy constraints". Its anything-but means something else over an array, and attributes
# are text or numbers by a type of their own: there only tests that nothing but text passes are alike.
BODY = Target("a filter policy of SNS", _COMMON, frozenset(), 1_000_000_000, 5, 262_144, closed=True)
ATTRIBUTES = BODY._replace(operators=frozenset(("string", "prefix", "suffix")))
# EventBridge User Guide, "Comparison operators for use in event patterns" and its quotas (2,048 by default).
RULE = Target(
    "a rule of EventBridge",
    MAPPING.operators | {"wildcard"},
    MAPPING.negates | {"prefix", "suffix", "equals-ignore-case", "wildcard"},
    NUMERIC_LIMIT,
    NUMERIC_DECIMALS,
    2048,
)

_INFINITY = float("inf")
# Unicode folds other characters to these letters as well: the Kelvin sign, the long s, ligatures.
_FOLDED = re.compile("[ks]|f[fil]|[^\x00-\x7f]")


def written(tree: Tree, target: Target, objects: int = 1) -> dict[str, Any]:
    """Return one object of a pattern, its keys in order. Raises `Inexact`.

    Args:
        tree: The object, parsed.
        target: The kind of filter.
        objects: How many levels, this one included, are objects in each event, and never an array of them.
    """
    found: dict[str, Any] = {}
    for key, node in sorted(tree.items()):
        if isinstance(node, dict):
            found[_key(key)] = written(node, target, objects - 1)
        elif objects < 1 and ("exists", False) in node:
            # AWS: no object of the array has the field. The router: the one that matches otherwise has not.
            raise Inexact(f"a missing {key} means something else in AWS where it is asked of an array of objects")
        else:
            found[_key(key)] = written_leaf(node, target)
    return found


def written_leaf(leaf: Leaf, target: Target) -> list[Any]:
    """Return the values and operators of one field, in order. Raises `Inexact`."""
    return sorted((_written_test(test, target) for test in leaf), key=_text)


def joined(alternatives: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one object that asks for any of these."""
    distinct = {_text(alternative): alternative for alternative in alternatives}
    first, *others = distinct.values()
    return {"$or": list(distinct.values())} if others else first


def text_of(pattern: dict[str, Any], target: Target) -> str:
    """Return a whole filter as text. Raises `Inexact` where it is longer than AWS takes or no text."""
    text = json.dumps(pattern, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Inexact("a lone surrogate in it is no text") from None
    if len(text) > target.characters:
        raise Inexact(f"{target.title} has {target.characters} characters at most, and this one {len(text)}")
    return text


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _key(key: str) -> str:
    if not key or "." in key:
        raise Inexact(f"a dot stands for nesting in AWS, and the key {key!r} has one at an end")
    return key


def _written_test(test: Test, target: Target) -> Any:
    name, argument = test
    if name not in target.operators:
        raise Inexact(f"{target.title} has no {_WORDS.get(name, name)} that means the same")
    if name == "number":
        return _number(argument, target)
    if name in _VALUES:
        return argument
    if name == "anything-but":
        return {"anything-but": _negated(argument, target)}
    if name == "numeric":
        return {"numeric": _range(argument, target)}
    return {name: _argument(name, argument)}


def _argument(name: str, argument: Any) -> Any:
    """Return what stands beside a test of a string, or `exists`."""
    if name in ("prefix", "suffix") and '"' in argument:
        raise Inexact(f"AWS takes an empty text for one with the {name} of a quotation mark")
    if name == "wildcard":
        return "*".join(part.replace("\\", "\\\\").replace("*", "\\*") for part in argument)
    if name == "equals-ignore-case":
        found = _FOLDED.search(argument)
        if found:
            raise Inexact(
                f"AWS ignores the case of {found[0]!r} in {argument!r} for fewer characters than Unicode does"
            )
    return argument


def _negated(tests: Leaf, target: Target) -> Any:
    names = {name for name, _ in tests}
    if len(names) > 1 or not names <= target.negates:
        raise Inexact(f"{target.title} has no anything-but of {' and '.join(sorted(names))}")
    (name,) = names
    if name == "number":
        return sorted(_number(argument, target) for _, argument in tests)
    arguments = sorted(_argument(name, argument) for _, argument in tests)
    return arguments if name == "string" else {name: arguments}


def _range(argument: tuple[str, float, str, float], target: Target) -> list[Any]:
    above, low, below, high = argument
    if target.closed and not (above == ">=" and below == "<=" and low > -_INFINITY and high < _INFINITY):
        raise Inexact(f"{target.title} may round numbers: name both ends of a range, and include them")
    bounds: list[Any] = [] if low == -_INFINITY else [above, _number(low, target)]
    return bounds if high == _INFINITY else [*bounds, below, _number(high, target)]


def _number(number: float, target: Target) -> float:
    if abs(number) > target.limit or round(number, target.decimals) != number:
        most = f"numbers up to {target.limit:,} with {target.decimals} decimal places"
        raise Inexact(f"{target.title} compares {most}, not {number}")
    return number


_WORDS = {
    "string": "test of a string",
    "number": "test of a number",
    "boolean": "test of true or false",
    "null": "test of null",
    "prefix-ignore-case": "prefix without case",
    "suffix-ignore-case": "suffix without case",
}
