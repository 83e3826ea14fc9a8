"""Filter push-down: what the patterns of routes can have declined before the function is called.

A filter is made only where AWS means exactly what the router means, and where nothing is lost that the router would
have failed into a dead-letter queue. All routes of one queue, stream or topic share its mapping, so one that cannot be
written keeps the others from it. Nothing here is applied by itself: `push_down` is a report with the texts to deploy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from router.contract.filter_grammar import (
    ATTRIBUTES,
    BODY,
    MAPPING,
    RULE,
    Inexact,
    Target,
    joined,
    text_of,
    written,
    written_leaf,
)
from router.errors import ConfigurationError
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from router.routing.pattern_grammar import Leaf, Tree
    from router.routing.route import Route

MOST_FILTERS = 5  # of one event source mapping, without a higher quota
MOST_KEYS, MOST_COMBINATIONS = 5, 150  # of one filter policy of SNS

# Under which key a filter finds the body of a record.
_BODY_KEYS = {
    Source.SQS: "body",
    Source.KINESIS: "data",
    Source.KAFKA: "value",
    Source.ACTIVEMQ: "data",
    Source.RABBITMQ: "data",
}
_IMAGES = {"keys": "Keys", "new": "NewImage", "old": "OldImage"}
_ONLY_TEXT = frozenset(("string", "prefix", "suffix", "equals-ignore-case"))
_BUS_KEYS = frozenset(("account", "detail", "id", "region", "resources", "source", "time", "version"))

_VANISHES = {
    Source.SQS: "a message that no filter takes is deleted from the queue, also one whose body is no JSON; it reaches "
    "neither the function nor a dead-letter queue",
    Source.SNS: "a message that the policy declines is not delivered to this subscription",
    Source.EVENTBRIDGE: "an event that the pattern declines does not reach the function",
}
_SKIPPED = "a record that no filter takes is skipped, also one whose data is no JSON; it reaches neither the function "
_SKIPPED += "nor an on-failure destination"


class Filtered(NamedTuple):
    """One route, whether its pattern is pushed down, and why, as a sentence that names its file and line."""

    route: Route
    pushed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class PushDown:
    """What can be pushed down for the routes of one resource.

    Attributes:
        source: The event source.
        patterns: The texts to deploy, one a filter; of SNS the policy, of EventBridge the rule's pattern. Empty where
            nothing is pushed.
        scope: Of SNS, the policy's `FilterPolicyScope`; else empty.
        routes: The routes, each with what becomes of it.
        vanishes: What AWS does with what the filters decline; empty where nothing is pushed.
    """

    source: Source
    patterns: tuple[str, ...]
    scope: str
    routes: tuple[Filtered, ...]
    vanishes: str

    @property
    def criteria(self) -> dict[str, list[dict[str, str]]]:
        """Return the `FilterCriteria` of an event source mapping; without filters for SNS, EventBridge and nothing."""
        texts = () if self.source in (Source.SNS, Source.EVENTBRIDGE) else self.patterns
        return {"Filters": [{"Pattern": text} for text in texts]}

    def lines(self) -> list[str]:
        """Return the report: a line for each route, then what would vanish."""
        told = [f"{'pushed' if filtered.pushed else 'stays'}: {filtered.reason}" for filtered in self.routes]
        return [*told, f"vanishes: {self.vanishes}"] if self.vanishes else told


class _Piece(NamedTuple):
    """The part of one route in a filter."""

    alternatives: list[dict[str, Any]]
    target: Target


def push_down(
    source: Source | str,
    routes: Iterable[Route],
    *,
    types: Mapping[str, str] | None = None,
    offloaded: bool = False,
) -> PushDown:
    """Tell what of the routes of one queue, stream, topic or detail-type can be declined by AWS.

    Args:
        source: SQS, DynamoDB, Kinesis, Kafka, ActiveMQ, RabbitMQ, SNS or EventBridge.
        routes: All routes that take records of the resource, those with a wildcard or of every name included.
        types: Of DynamoDB, the type of each attribute that patterns on `new` and `old` ask for, with dots into maps:
            `{"status": "S", "address.city": "S"}`; "S" or "BOOL". Each item must have that type there, or none.
        offloaded: Whether large bodies are sent by way of S3, so that a filter would see the pointer.

    Raises:
        ConfigurationError: the source has no filters, a route is not of it, or there is no route.
    """
    source, given = Source(source), tuple(routes)
    _check(source, given)
    found: list[_Piece | str] = [_piece_or_why(source, route, types or {}, offloaded) for route in given]
    pieces = [piece for piece in found if isinstance(piece, _Piece)]
    whys = {route: why for route, why in zip(given, found, strict=True) if isinstance(why, str)}
    if not whys:
        try:
            texts, scope = _filters(source, given, pieces)
        except Inexact as error:
            whys = dict.fromkeys(given, str(error))
        else:
            told = tuple(Filtered(route, True, f"{_named(route)}: AWS says exactly this") for route in given)
            return PushDown(source, texts, scope, told, _VANISHES.get(source, _SKIPPED))
    first = next(iter(whys))
    beside = f"a filter would hide records from {_named(first)}, which stays"
    told = tuple(Filtered(route, False, f"{_named(route)}: {whys.get(route, beside)}") for route in given)
    return PushDown(source, (), "", told, "")


def _check(source: Source, routes: tuple[Route, ...]) -> None:
    """Refuse what is no set of routes of one resource. Raises ConfigurationError."""
    if source not in (*_BODY_KEYS, Source.DYNAMODB, Source.SNS, Source.EVENTBRIDGE):
        raise ConfigurationError(f"{source} has no filters that patterns could be pushed down to")
    if not routes:
        raise ConfigurationError(f"push_down of {source} needs the routes of one resource, and got none")
    for route in routes:
        if source not in route.sources:
            raise ConfigurationError(f"{_named(route)} is no route of {source}")
    exact = [route for route in routes if "*" not in route.match]
    for route in exact[1:]:
        if route.match != exact[0].match:
            raise ConfigurationError(f"{_named(route)} and {_named(exact[0])} are of two resources; give those of one")


def _named(route: Route) -> str:
    return f"{route} of {route.where}"


def _piece_or_why(source: Source, route: Route, types: Mapping[str, str], offloaded: bool) -> _Piece | str:
    try:
        _check_route(source, route, offloaded)
        return _piece(source, route, types)
    except (Inexact, ConfigurationError) as error:
        return str(error)


def _check_route(source: Source, route: Route, offloaded: bool) -> None:
    """Refuse a route that takes more than a filter could know, or whose declined records must not vanish."""
    if "*" in route.match or route.match == "$default":
        raise Inexact("it takes records of every name that fits, whatever is in them")
    if route.unpacks or route.topics or route.bus_sources:
        raise Inexact("what its pattern sees is inside an envelope, which a filter does not open")
    if offloaded and source in (*_BODY_KEYS, Source.SNS):
        raise Inexact("a body in S3 is read by the router, and a filter sees the pointer alone")
    if route.aggregated or route.decoder is not None:
        raise Inexact("its records are read by a decoder, and a filter reads JSON alone")
    if route.pattern is None and not (source is Source.DYNAMODB and route.events):
        raise Inexact("it has no pattern, and takes every record")
    if route.events and source is not Source.DYNAMODB:
        raise Inexact("events= says nothing of this source")
    if route.pattern is not None and route.others != "ignore":
        raise Inexact('what its pattern declines has to fail, and would vanish; say others="ignore" if it may')


def _piece(source: Source, route: Route, types: Mapping[str, str]) -> _Piece:
    from router.routing.pattern_grammar import parse

    trees: list[Tree] = [{}] if route.pattern is None else parse(route.pattern)
    if source is Source.DYNAMODB:
        return _Piece([_change(tree, types) for tree in trees], MAPPING)
    if source is Source.EVENTBRIDGE:
        return _Piece([_bus_event(tree, route) for tree in trees], RULE)
    if source is Source.SNS and all(tree.keys() == {"attributes"} for tree in trees):
        return _Piece([_inner(tree, "attributes", ATTRIBUTES) for tree in trees], ATTRIBUTES)
    target = BODY if source is Source.SNS else MAPPING
    return _Piece([_inner(tree, "body", target) for tree in trees], target)


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
    found = written(node, target)
    _check_presence(found)
    return found


def _check_presence(pattern: dict[str, Any]) -> None:
    """Refuse what a record without any of the fields matches: the router takes text as well then."""
    from router.routing.patterns import compile_pattern

    if compile_pattern(pattern)({}):
        raise Inexact("it also takes bodies that are no JSON object, and AWS drops those")


def _bus_event(tree: Tree, route: Route) -> dict[str, Any]:
    if "*" in route.bus_source:
        raise Inexact("its source= has a wildcard")
    if type(route.match) is not str or type(route.bus_source) is not str:
        raise Inexact("its detail-type or source comes from the environment")
    unknown = sorted(tree.keys() - _BUS_KEYS)
    if unknown:
        raise Inexact(f"a rule for its detail-type cannot ask for {', '.join(unknown)} in this way")
    if route.bus_source and "source" in tree:
        raise Inexact("source= and its pattern both ask for the source")
    found = written(tree, RULE, objects=2)
    return {**found, "source": [route.bus_source]} if route.bus_source else found


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


def _filters(source: Source, routes: tuple[Route, ...], pieces: list[_Piece]) -> tuple[tuple[str, ...], str]:
    """Return the texts of all filters and the scope of SNS. Raises `Inexact` where AWS would refuse them."""
    if source in (Source.SNS, Source.EVENTBRIDGE):
        return _one_filter(source, routes, pieces)
    texts = []
    for route, piece in zip(routes, pieces, strict=True):
        inner = joined(piece.alternatives)
        if source is Source.DYNAMODB:
            names: dict[str, Any] = {"eventName": sorted(set(route.events))} if route.events else {}
            whole = {**names, "dynamodb": inner} if inner else names
        else:
            whole = {_BODY_KEYS[source]: inner}
        texts.append(_checked(whole, piece.target))
    texts = list(dict.fromkeys(texts))
    if len(texts) > MOST_FILTERS:
        raise Inexact(f"its mapping takes {MOST_FILTERS} filters, and the routes would need {len(texts)}")
    return tuple(texts), ""


def _one_filter(source: Source, routes: tuple[Route, ...], pieces: list[_Piece]) -> tuple[tuple[str, ...], str]:
    """Return the policy of a subscription or the pattern of a rule: two of them would deliver an event twice."""
    targets = {piece.target for piece in pieces}
    if len(targets) > 1:
        raise Inexact("a filter policy sees the attributes or the body, and the routes ask for both")
    (target,) = targets
    alternatives = [alternative for piece in pieces for alternative in piece.alternatives]
    whole = joined(alternatives)
    if source is Source.EVENTBRIDGE:
        return (_checked({"detail-type": [str(routes[0].match)], **whole}, target),), ""
    _check_policy(alternatives, target)
    return (_checked(whole, target),), "MessageAttributes" if target is ATTRIBUTES else "MessageBody"


def _check_policy(alternatives: list[dict[str, Any]], target: Target) -> None:
    keys: set[str] = set()
    total = 0
    for alternative in alternatives:
        combinations = 1
        for place, values in _leaves(alternative):
            keys.add(".".join(place))
            combinations *= len(values) * len(place)
        total += combinations
    if len(keys) > MOST_KEYS:
        raise Inexact(f"{target.title} has {MOST_KEYS} keys at most, and this one {len(keys)}")
    if total > MOST_COMBINATIONS:
        raise Inexact(f"{target.title} makes {MOST_COMBINATIONS} combinations at most, and this one {total}")


def _leaves(pattern: dict[str, Any], above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], list[Any]]]:
    found: list[tuple[tuple[str, ...], list[Any]]] = []
    for key, value in pattern.items():
        place = (*above, key)
        found += _leaves(value, place) if isinstance(value, dict) else [(place, value)]
    return found


def _checked(whole: dict[str, Any], target: Target) -> str:
    from router.routing.pattern_grammar import parse

    try:
        parse(whole)  # inside $or AWS takes fewer names of fields
    except ConfigurationError as error:
        raise Inexact(f"as one filter it would be refused: {error}") from None
    return text_of(whole, target)
