"""The EventBridge event-pattern language, compiled to closures.

The grammar is the one Amazon publishes (EventBridge User Guide, "Comparison operators for use in event patterns"), with
nothing added to it. What the guide leaves open, or a Python event adds:

- Numbers are equal as numbers: 300, 300.0 and `Decimal("3E2")` match each other; true is never 1.
- The bounds in `numeric` keep EventBridge's limits, -5e9 to 5e9 with six decimal places. The numbers of an event are
  compared as they are, without limit or rounding.
- Case is ignored by Unicode case folding. A dot in a key stands for nesting, in a pattern and in an event:
  `{"a.b": [1]}` and `{"a": {"b": [1]}}` are the same.
- A field that holds an array matches by any element; arrays in arrays count as one. Fields inside the objects of an
  array must match within the same object.
- An object, an empty array and a missing key are no value: `exists: false` holds for them and nothing else does. Over
  the objects of an array it means that none has the field, or that the one which matches otherwise has not.
- A wildcard may hold any number of `*`: EventBridge refuses those that are complex for it, here each costs one pass.
- A network with host bits set (10.0.0.1/24) and a field asked for twice, beside `$or` and in it, are refused as slips.
- An event that is not an object matches nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping

from router.routing.pattern_grammar import ARRAYS, parse, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from typing import Any, TypeAlias

    from router.routing.pattern_grammar import Leaf, Test, Tree

    Accepts: TypeAlias = Callable[[Any], bool]  # of one scalar
    Match: TypeAlias = Callable[[Any], int]  # of whatever a key holds: NO, ABSENT or PRESENT


# How a part of a pattern holds. ABSENT: by nothing but missing fields, so it must hold for a whole array.
NO, ABSENT, PRESENT = 0, 1, 2

_MISSING: Any = object()
_SCALARS = frozenset((str, int, float, bool, type(None)))
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LONGEST_ADDRESS = 45  # an IPv6 address that ends in an IPv4 one


def compile_pattern(pattern: Mapping[str, Any]) -> Callable[[Any], bool]:
    """The predicate of an event pattern. It takes an event as plain Python data and never raises.

    Raises `ConfigurationError`, naming the place in the pattern, if the pattern is malformed.
    """
    first, *others = trees = parse(pattern)
    # What all combinations of $or alternatives ask for alike is looked at once.
    common = {key: node for key, node in first.items() if all(tree.get(key) == node for tree in others)}
    required = _compile_fields(common)

    def matches_required(event: Any) -> bool:
        return (type(event) is dict or isinstance(event, Mapping)) and required(event) != NO

    if not others:
        return matches_required
    alternatives = [_compile_fields({key: tree[key] for key in tree if key not in common}) for tree in trees]

    def matches_any(event: Any) -> bool:
        return matches_required(event) and any(alternative(event) for alternative in alternatives)

    return matches_any


def canonical(pattern: Mapping[str, Any]) -> Hashable:
    """A value that is equal for two patterns that say the same in another order of keys, values or alternatives.

    Raises `ConfigurationError` as `compile_pattern` does.
    """
    return frozenset(_frozen(tree) for tree in parse(pattern))


def _frozen(tree: Tree) -> Hashable:
    # The tag keeps an object apart from a leaf that holds the same words.
    return ("object", frozenset((key, _frozen(node) if isinstance(node, dict) else node) for key, node in tree.items()))


# Compiling: from trees to closures.


def _compile_fields(tree: Tree) -> Match:
    """All the fields of an object have to match; the first that does not ends the search."""
    tests = [
        (key, _compile_object(node), tuple(_dotted(key, node)))
        if isinstance(node, dict)
        else (key, _compile_leaf(node), ())
        for key, node in tree.items()
    ]

    def match(fields: Any) -> int:
        level = ABSENT
        for key, test, dotted in tests:
            value = fields.get(key, _MISSING)
            found = test(value)
            if dotted and (not found or value is _MISSING):
                spread = {name[len(key) + 1 :]: fields[name] for name in dotted if name in fields}
                if spread:
                    found = test(spread)
            if not found:
                return NO
            if found > level:
                level = found
        return level

    return match


def _dotted(key: str, tree: Tree) -> Iterator[str]:
    """Return the names under which an event may hold what is inside a key: `a.b` and `a.b.c` in place of objects."""
    for inner, node in tree.items():
        yield f"{key}.{inner}"
        if isinstance(node, dict):
            for name in _dotted(inner, node):
                yield f"{key}.{name}"


def _compile_object(tree: Tree) -> Match:
    """Test the value of a key when the pattern goes on inside it: an object, or an array with one that matches."""
    match_fields = _compile_fields(tree)
    absent = match_fields({})

    def match(value: Any) -> int:
        if type(value) is dict or isinstance(value, Mapping):
            return match_fields(value)
        if not isinstance(value, ARRAYS):
            return absent
        level = absent
        for element in _elements(value):
            if isinstance(element, Mapping):
                found = match_fields(element)
                if found == PRESENT:
                    return PRESENT
                level = min(level, found)
        return level

    return match


def _compile_leaf(tests: Leaf) -> Match:
    """Test the value of a key when the pattern ends there: a scalar, or an array with one that is accepted."""
    accepts = _compile_tests(tests)
    absent = ABSENT if ("exists", False) in tests else NO

    def match(value: Any) -> int:
        if type(value) in _SCALARS:
            return PRESENT if accepts(value) else NO
        if value is _MISSING or isinstance(value, Mapping):
            return absent
        if not isinstance(value, ARRAYS):
            return PRESENT if accepts(plain(value)) else NO
        level = absent
        for element in _elements(value):
            if not isinstance(element, Mapping):
                if accepts(plain(element)):
                    return PRESENT
                level = NO
        return level

    return match


def _elements(array: Any) -> Iterator[Any]:
    """The elements of an array, those of arrays in it in their place; by a stack, for arrays of any depth."""
    pending = [iter(array)]
    while pending:
        for element in pending[-1]:
            if isinstance(element, ARRAYS):
                pending.append(iter(element))
                break
            yield element
        else:
            pending.pop()


def _compile_tests(tests: Iterable[Test]) -> Accepts:
    """Whether one of the tests accepts a scalar; the tests of one operator are made one."""
    grouped: dict[str, list[Any]] = {}
    for name, argument in tests:
        grouped.setdefault("exact" if name in _EXACT else name, []).append(argument)
    accepts = [_COMPILERS[name](arguments) for name, arguments in grouped.items()]
    if len(accepts) == 1:
        return accepts[0]
    return lambda value: any(accept(value) for accept in accepts)


_EXACT = ("string", "number", "boolean", "null")


def _compile_exact(values: list[Any]) -> Accepts:
    """One look-up in a frozenset, or in one of two where Python would take true for 1 or false for 0."""
    booleans = frozenset(value for value in values if isinstance(value, bool))
    others = frozenset(value for value in values if not isinstance(value, bool))
    if not booleans and 0 not in others and 1 not in others:
        return others.__contains__
    return lambda value: value in (booleans if isinstance(value, bool) else others)


def _compile_prefix(prefixes: list[str]) -> Accepts:
    starts = tuple(prefixes)
    return lambda value: isinstance(value, str) and value.startswith(starts)


def _compile_suffix(suffixes: list[str]) -> Accepts:
    ends = tuple(suffixes)
    return lambda value: isinstance(value, str) and value.endswith(ends)


def _ignoring_case(compiler: Callable[[list[str]], Accepts]) -> Callable[[list[str]], Accepts]:
    """Return the test on the folded string; the arguments were folded when they were read."""

    def compile_folded(folded: list[str]) -> Accepts:
        accepts = compiler(folded)
        return lambda value: isinstance(value, str) and accepts(value.casefold())

    return compile_folded


def _compile_wildcard(patterns: list[tuple[str, ...]]) -> Accepts:
    accepts = [_wildcard(parts) for parts in patterns]
    return lambda value: isinstance(value, str) and any(accept(value) for accept in accepts)


def _wildcard(parts: tuple[str, ...]) -> Accepts:
    """Each part is taken where it first occurs after the one before; that is never wrong, so nothing is tried twice."""
    start, *middle, end = parts
    shortest = sum(map(len, parts))

    def accepts(text: str) -> bool:
        if len(text) < shortest or not text.startswith(start) or not text.endswith(end):
            return False
        position, stop = len(start), len(text) - len(end)
        for part in middle:
            found = text.find(part, position, stop)
            if found < 0:
                return False
            position = found + len(part)
        return True

    return accepts


def _compile_anything_but(alternatives: list[Leaf]) -> Accepts:
    """True for every scalar, null and booleans too, that one of the sets of tests does not accept."""
    accepts = [_compile_tests(tests) for tests in alternatives]
    return lambda value: not all(accept(value) for accept in accepts)


def _compile_numeric(ranges: list[tuple[str, float, str, float]]) -> Accepts:
    bounds = [(_SIGNS[above], low, _SIGNS[below], high) for above, low, below, high in ranges]

    def accepts(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return any(above(value, low) and below(value, high) for above, low, below, high in bounds)

    return accepts


def _compile_exists(expected: list[bool]) -> Accepts:
    """Asked about values that are there; a missing one is the leaf's own matter."""
    answer = True in expected
    return lambda value: answer


def _compile_cidr(networks: list[tuple[int, int, int]]) -> Accepts:
    from ipaddress import ip_address

    def accepts(value: Any) -> bool:
        if not isinstance(value, str) or len(value) > _LONGEST_ADDRESS:
            return False
        try:
            address = ip_address(value)
        except ValueError:
            return False
        number = int(address)
        return any(version == address.version and low <= number <= high for version, low, high in networks)

    return accepts


_COMPILERS: dict[str, Callable[[list[Any]], Accepts]] = {
    "exact": _compile_exact,
    "prefix": _compile_prefix,
    "prefix-ignore-case": _ignoring_case(_compile_prefix),
    "suffix": _compile_suffix,
    "suffix-ignore-case": _ignoring_case(_compile_suffix),
    "equals-ignore-case": _ignoring_case(_compile_exact),
    "wildcard": _compile_wildcard,
    "anything-but": _compile_anything_but,
    "numeric": _compile_numeric,
    "exists": _compile_exists,
    "cidr": _compile_cidr,
}
