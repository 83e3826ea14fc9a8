"""Write what one route asks of its records as part of a filter, or say why that would not mean the same."""

from __future__ import annotations

from typing import NamedTuple

from router.contract.filter_grammar import (
    ATTRIBUTES,
    BODY,
    MAPPING,
    RULE,
    Inexact,
    Target,
    written,
    written_leaf,
)
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from router.routing.pattern_grammar import Leaf, Tree
    from router.routing.route import Route

# Under which key a filter finds the body of a record.
BODY_KEYS = {
    Source.SQS: "body",
    Source.KINESIS: "data",
    Source.KAFKA: "value",
    Source.ACTIVEMQ: "data",
    Source.RABBITMQ: "data",
}
_IMAGES = {"keys": "Keys", "new": "NewImage", "old": "OldImage"}
_ONLY_TEXT = frozenset(("string", "prefix", "suffix", "equals-ignore-case"))
_BUS_KEYS = frozenset(("account", "detail", "id", "region", "resources", "source", "time", "version"))


class Piece(NamedTuple):
    """The part of one route in a filter."""

    alternatives: list[dict[str, Any]]
    target: Target


def piece_of(source: Source, route: Route, types: Mapping[str, str]) -> Piece:
    """Return the part of one route in a filter.

    Args:
        source: Of the filter: SNS for the subscription of a queue, whatever the route is of.
        route: Its pattern is written; without one, its changes alone.
        types: The types of attributes in a table.

    Raises:
        Inexact: a filter cannot say what the pattern says.
        ConfigurationError: the pattern is none.
    """
    from router.routing.pattern_grammar import parse

    trees: list[Tree] = [{}] if route.pattern is None else parse(route.pattern)
    if source is Source.DYNAMODB:
        return Piece([_change(tree, types) for tree in trees], MAPPING)
    if source is Source.EVENTBRIDGE:
        return Piece([_bus_event(tree, route) for tree in trees], RULE)
    if source is Source.SNS and all(tree.keys() == {"attributes"} for tree in trees):
        return Piece([_inner(tree, "attributes", ATTRIBUTES) for tree in trees], ATTRIBUTES)
    target = BODY if source is Source.SNS else MAPPING
    return Piece([_inner(tree, "body", target) for tree in trees], target)


def _inner(tree: Tree, key: str, target: Target) -> dict[str, Any]:
    """Return what a pattern says of the body or the attributes, when it says nothing else."""
    others = sorted(tree.keys() - {key})
    if others:
        raise Inexact(f"{target.title} does not see {', '.join(others)}" + (f" beside {key}" if key in tree else ""))
    node = tree[key]
    if not isinstance(node, dict):
        raise Inexact(f"it asks for {key} as a whole, which may be text or JSON")
    if target is ATTRIBUTES:
        if any(isinstance(leaf, dict) for leaf in node.values()):
            raise Inexact("attributes do not nest")
        texts = [test[1] for leaf in node.values() for test in leaf if isinstance(test[1], str)]
        if any('"' in text or "\\" in text for text in texts):
            raise Inexact("SNS reads quotes and backslashes in attributes in a way of its own")
    # A body may be an array of objects, in which a missing field means something else.
    return written(node, target, objects=0)


def _bus_event(tree: Tree, route: Route) -> dict[str, Any]:
    if type(route.match) is not str or type(route.bus_source) is not str:
        raise Inexact("its detail-type or source comes from the environment")
    unknown = sorted(tree.keys() - _BUS_KEYS)
    if unknown:
        raise Inexact(f"a rule for its detail-type cannot ask for {', '.join(unknown)} in this way")
    if route.bus_source and "source" in tree:
        raise Inexact("source= and its pattern both ask for the source")
    found = written(tree, RULE, objects=2)
    return {**found, "source": [matcher(route.bus_source)]} if route.bus_source else found


def matcher(name: str) -> Any:
    """Return the test for the name of a source or a detail-type in an event pattern; `*` stands for any text."""
    return {"wildcard": name} if "*" in name else name


def _change(tree: Tree, types: Mapping[str, str]) -> dict[str, Any]:
    unknown = sorted(tree.keys() - _IMAGES.keys())
    if unknown:
        raise Inexact(f"{MAPPING.title} does not see {', '.join(unknown)}")
    found: dict[str, Any] = {}
    for key, node in sorted(tree.items()):
        if not isinstance(node, dict):
            raise Inexact(f"it asks for {key} as a whole")
        found[_IMAGES[key]] = _image(node, "", types, of_keys=key == "keys")
    return found


def _image(tree: Tree, above: str, types: Mapping[str, str], *, of_keys: bool) -> dict[str, Any]:
    """Return the fields of an item with their types spelled out, as a stream has them."""
    found: dict[str, Any] = {}
    for name, node in sorted(tree.items()):
        place = f"{above}{name}"
        written({name: frozenset()}, MAPPING)  # for the check of the key
        if isinstance(node, dict):
            if of_keys:
                raise Inexact(f"the key attribute {place} is no map")
            found[name] = {"M": _image(node, f"{place}.", types, of_keys=False)}
        else:
            kind = _kind(place, node, types, of_keys)
            found[name] = {kind: written_leaf(node, MAPPING)}
    return found


def _kind(place: str, leaf: Leaf, types: Mapping[str, str], of_keys: bool) -> str:
    """Return the type under which a stream has an attribute, checked against what is asked of it."""
    tests = {name for name, _ in leaf}
    for name, argument in leaf:
        if name == "anything-but":
            tests |= {inner for inner, _ in argument}
    if tests & {"number", "numeric"}:
        raise Inexact(f"{place} is compared as a number, and a stream has numbers as text")
    if of_keys and tests <= _ONLY_TEXT:
        return "S"  # a key attribute is one string, number or binary value, and only a string passes these
    kind = types.get(place)
    if kind is None:
        raise Inexact(f'the type of {place} is not known; give types={{"{place}": "S"}} if each item has text there')
    allowed = {"S": _ONLY_TEXT, "BOOL": frozenset(("boolean",))}.get(kind)
    if allowed is None:
        raise Inexact(f"{place} has the type {kind!r}, and only S and BOOL are compared as the router does")
    wrong = sorted(tests - allowed - {"exists", "anything-but"})
    if wrong:
        raise Inexact(f"{place} has the type {kind}, and is asked for a {' and a '.join(wrong)}")
    return kind
