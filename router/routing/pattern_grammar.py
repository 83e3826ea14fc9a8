"""Reading event patterns: from what the user wrote to trees whose leaves are sets of tests.

A malformed pattern is refused with its place in it. See `patterns` for what the language means here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    Test: TypeAlias = tuple[str, Any]  # an operator and its argument, hashable and in one form for one meaning
    Leaf: TypeAlias = frozenset[Test]
    Tree: TypeAlias = dict[str, "Leaf | Tree"]

MAX_DEPTH = 100
# The limits of EventBridge itself; those of `numeric` are its documented range and precision.
MAX_COMBINATIONS = 1000
NUMERIC_LIMIT = 5_000_000_000
NUMERIC_DECIMALS = 6

OPAQUE: Any = object()  # a value of a type that JSON does not have: it is there, and equals nothing
ARRAYS = (list, tuple, set, frozenset)  # a set is what DynamoDB's set types become
_INFINITY = float("inf")
_LISTS = (list, tuple)
NEGATABLE = ("prefix", "suffix", "equals-ignore-case", "wildcard")
_ALIKE = f"only strings, only numbers or an object with one of {', '.join(NEGATABLE)}"
_SIGNS = ("<", "<=", ">", ">=")


def parse(pattern: Any) -> list[Tree]:
    if not isinstance(pattern, Mapping):
        raise _malformed("", f"is {_shown(pattern)}; a pattern is an object of fields")
    return _parse_object(pattern, "", depth=1, in_or=False)


def _parse_object(pattern: Mapping[Any, Any], path: str, *, depth: int, in_or: bool) -> list[Tree]:
    """One object of the pattern as a tree for each combination of the `$or` alternatives in it."""
    if not pattern:
        raise _malformed(path, "is an empty object; name at least one field")
    if depth > MAX_DEPTH:
        raise _malformed(path, f"is nested deeper than {MAX_DEPTH} levels")
    trees: list[Tree] = [{}]
    for key, value in pattern.items():
        if not isinstance(key, str):
            raise _malformed(path, f"has the key {_shown(key)}; keys are strings")
        place = _join(path, key)
        choices: list[Tree]
        if key == "$or":
            choices = _parse_or(value, place, depth=depth + 1)
        elif in_or and key in _PARSERS:
            raise _malformed(place, "is the name of an operator, which cannot be a field inside $or")
        else:
            # A dot stands for nesting, as in EventBridge; a key that a dot begins or ends has no such meaning.
            *above, last = key.split(".") if all(key.split(".")) else [key]
            if isinstance(value, Mapping):
                inner = _parse_object(value, place, depth=depth + len(above) + 1, in_or=in_or)
                choices = [{last: tree} for tree in inner]
            elif depth + len(above) > MAX_DEPTH:
                raise _malformed(place, f"is nested deeper than {MAX_DEPTH} levels")
            else:
                choices = [{last: _parse_leaf(key, value, place)}]
            for part in reversed(above):
                choices = [{part: tree} for tree in choices]
        trees = _combine(trees, choices, place)
    return trees


def _parse_or(value: Any, path: str, *, depth: int) -> list[Tree]:
    if not isinstance(value, _LISTS) or len(value) < 2 or not all(isinstance(choice, Mapping) for choice in value):
        raise _malformed(path, "give a list of two or more objects, one of which has to match")
    trees: list[Tree] = []
    for index, choice in enumerate(value):
        trees += _parse_object(choice, f"{path}[{index}]", depth=depth, in_or=True)
    return trees


def _combine(trees: list[Tree], choices: list[Tree], path: str) -> list[Tree]:
    if len(trees) * len(choices) > MAX_COMBINATIONS:
        raise _malformed(path, f"makes more than {MAX_COMBINATIONS} combinations of $or alternatives")
    return [_merge(tree, choice, path) for tree in trees for choice in choices]


def _merge(left: Tree, right: Tree, path: str) -> Tree:
    """Both trees at once. Two objects under one key become one: in an array, the same element must match both."""
    merged = dict(left)
    for key, node in right.items():
        other = left.get(key)
        if other is None:
            merged[key] = node
        elif isinstance(node, dict) and isinstance(other, dict):
            merged[key] = _merge(other, node, path)
        else:
            # EventBridge would silently forget the first of them.
            raise _malformed(path, f"asks a second time for the field {key!r}; say all of it in one place")
    return merged


def _parse_leaf(key: str, value: Any, path: str) -> Leaf:
    if not isinstance(value, _LISTS):
        hint = f'; an operator is an object in that list: [{{"{key}": ...}}]' if key in _PARSERS else ""
        raise _malformed(path, f"is {_shown(value)}; give a list of values and operators, or an object of fields{hint}")
    if not value:
        raise _malformed(path, "is an empty list; give at least one value or operator")
    return frozenset(_parse_test(item, f"{path}[{index}]") for index, item in enumerate(value))


def _parse_test(item: Any, path: str) -> Test:
    if isinstance(item, Mapping):
        name, argument = _only_item(item, path, _PARSERS)
        return _PARSERS[name](argument, f"{path}.{name}")
    if item is None:
        return ("null", None)
    if isinstance(item, bool):
        return ("boolean", item)
    if isinstance(item, str):
        return ("string", item)
    return ("number", _number(item, path, "a string, a finite number, true, false, null or an object with an operator"))


def _affix_parser(name: str) -> Callable[[Any, str], Test]:
    """Reads `prefix` or `suffix`: a string, or a string whose case does not matter."""

    def parse(argument: Any, path: str) -> Test:
        if isinstance(argument, Mapping):
            inner, text = _only_item(argument, path, ("equals-ignore-case",))
            return (f"{name}-ignore-case", _string(text, f"{path}.{inner}").casefold())
        return (name, _string(argument, path, 'a string or {"equals-ignore-case": a string}'))

    return parse


def _parse_ignore_case(argument: Any, path: str) -> Test:
    return ("equals-ignore-case", _string(argument, path).casefold())


def _parse_exists(argument: Any, path: str) -> Test:
    if not isinstance(argument, bool):
        raise _malformed(path, f"is {_shown(argument)}; give true or false")
    return ("exists", argument)


def _parse_wildcard(argument: Any, path: str) -> Test:
    """Splits the text at each `*`; the simplest test that does the same as the parts is taken."""
    parts = [""]
    characters = iter(_string(argument, path))
    for character in characters:
        if character == "\\":
            escaped = next(characters, "")
            if escaped not in ("*", "\\"):
                raise _malformed(path, "has a \\ with neither * nor \\ after it; write \\\\ for the character itself")
            parts[-1] += escaped
        elif character != "*":
            parts[-1] += character
        elif len(parts) > 1 and not parts[-1]:
            raise _malformed(path, "has two * in a row; one is enough, and \\* is the character itself")
        else:
            parts.append("")
    match parts:
        case [whole]:
            return ("string", whole)
        case [start, ""]:
            return ("prefix", start)
        case ["", end]:
            return ("suffix", end)
    return ("wildcard", tuple(parts))


def _parse_cidr(argument: Any, path: str) -> Test:
    import ipaddress  # only for those who use it: it takes longer to load than this module

    text = _string(argument, path)
    try:
        if not text.partition("/")[2].isdecimal():  # ipaddress would take a mask or a lone address too
            raise ValueError("a slash and the number of bits are missing")
        network = ipaddress.ip_network(text)
    except ValueError as error:
        problem = f"is {_shown(text)}; give an IPv4 or IPv6 network such as 10.0.0.0/24 ({error})"
        raise _malformed(path, problem) from None
    return ("cidr", (network.version, int(network.network_address), int(network.broadcast_address)))


def _parse_numeric(argument: Any, path: str) -> Test:
    """One comparison, or a lower bound followed by an upper one."""
    if not isinstance(argument, _LISTS) or len(argument) not in (2, 4):
        raise _malformed(path, 'give one comparison or a range: ["=", 5], ["<", 10] or [">", 0, "<=", 5]')
    match [(argument[at], _bound(argument, at, path)) for at in range(0, len(argument), 2)]:
        case [("=", number)]:
            return ("number", number)
        case [(">" | ">=" as sign, number)]:
            return ("numeric", (sign, number, "<=", _INFINITY))
        case [("<" | "<=" as sign, number)]:
            return ("numeric", (">=", -_INFINITY, sign, number))
        case [(">" | ">=" as above, low), ("<" | "<=" as below, high)]:
            if low >= high:
                raise _malformed(path, f"no number lies between {low} and {high}")
            return ("numeric", (above, low, below, high))
    raise _malformed(path, "in a range, > or >= with the lower bound comes first, then < or <= with the upper one")


def _bound(comparisons: Any, at: int, path: str) -> int | float:
    """The number after the sign at this index of `numeric`, both checked."""
    sign = comparisons[at]
    if sign not in ("=", *_SIGNS):
        raise _malformed(f"{path}[{at}]", f"is {_shown(sign)}; allowed are =, <, <=, > and >=")
    number = _number(comparisons[at + 1], f"{path}[{at + 1}]", "a finite number")
    if abs(number) > NUMERIC_LIMIT or round(number, NUMERIC_DECIMALS) != number:
        raise _malformed(
            f"{path}[{at + 1}]",
            f"is {_shown(number)}; EventBridge compares numbers from -5e9 to 5e9 with up to 6 decimal places",
        )
    return number


def _parse_anything_but(argument: Any, path: str) -> Test:
    if isinstance(argument, Mapping):
        name, value = _only_item(argument, path, NEGATABLE)
        path = f"{path}.{name}"
        texts = _one_or_more(value, path)
        for place, text in texts:
            if not _string(text, place, "a string, or only strings") and name in ("prefix", "suffix"):
                raise _malformed(place, f"is empty, and every string has an empty {name}")
        return ("anything-but", frozenset(_PARSERS[name](text, place) for place, text in texts))
    values = _one_or_more(argument, path)
    if isinstance(values[0][1], str):
        return ("anything-but", frozenset(("string", _string(value, place, _ALIKE)) for place, value in values))
    return ("anything-but", frozenset(("number", _number(value, place, _ALIKE)) for place, value in values))


def _one_or_more(value: Any, path: str) -> list[tuple[str, Any]]:
    """The values of a list, or the one that stands without a list, each with its place."""
    if not isinstance(value, _LISTS):
        return [(path, value)]
    if not value:
        raise _malformed(path, "is an empty list; give at least one value")
    return [(f"{path}[{index}]", item) for index, item in enumerate(value)]


def _only_item(argument: Mapping[Any, Any], path: str, allowed: Iterable[str]) -> tuple[str, Any]:
    """The operator of an object that may hold one alone, and its argument."""
    if len(argument) != 1:
        raise _malformed(path, f"holds {len(argument)} operators; give one of {', '.join(allowed)}")
    ((name, value),) = argument.items()
    if name not in allowed:
        raise _malformed(path, f"{_shown(name)} is no operator here; allowed are {', '.join(allowed)}")
    return name, value


def _string(value: Any, path: str, expected: str = "a string") -> str:
    if not isinstance(value, str):
        raise _malformed(path, f"is {_shown(value)}; give {expected}")
    return value


def _number(value: Any, path: str, expected: str) -> int | float:
    number = None if isinstance(value, bool) else plain(value)
    if not isinstance(number, (int, float)) or not -_INFINITY < number < _INFINITY:  # not a number is in no range
        raise _malformed(path, f"is {_shown(value)}; give {expected}")
    return number


def _join(path: str, key: str) -> str:
    """The path of a key; one that would not read as a single step is quoted."""
    if not key or any(character in '.[]"' or not character.isprintable() for character in key):
        return f"{path}[{_shown(key)}]"
    return f"{path}.{key}" if path else key


def _shown(value: Any) -> str:
    """A value of the pattern in an error message: short, on one line, and never too big to write out."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, ARRAYS):
        return "a list"
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _malformed(path: str, problem: str) -> ConfigurationError:
    place = f"event pattern, {path}" if path else "event pattern"
    return ConfigurationError(f"{place}: {problem}")


_PARSERS: dict[str, Callable[[Any, str], Test]] = {
    "prefix": _affix_parser("prefix"),
    "suffix": _affix_parser("suffix"),
    "equals-ignore-case": _parse_ignore_case,
    "wildcard": _parse_wildcard,
    "anything-but": _parse_anything_but,
    "numeric": _parse_numeric,
    "exists": _parse_exists,
    "cidr": _parse_cidr,
}


def plain(value: Any) -> Any:
    """A scalar as JSON would hold it: a `Decimal` as int or float, a type JSON does not have as `OPAQUE`."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    # No value can be a Decimal before something else has imported that module, and this one does not.
    decimal = getattr(sys.modules.get("decimal"), "Decimal", ())
    if not isinstance(value, decimal) or not value.is_finite():
        return OPAQUE
    number = float(value)
    # An int keeps all 38 digits of a DynamoDB number; what no float can hold would make an int of any size.
    return int(value) if abs(number) != _INFINITY and value == value.to_integral_value() else number
