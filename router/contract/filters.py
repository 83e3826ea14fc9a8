"""Filter push-down: what the patterns of routes can have declined before the function is called.

A filter is made only where AWS means what the router means, and where nothing is lost that the router would have failed
into a dead-letter queue. All routes of one queue, stream or topic share its mapping, so one that cannot be written
keeps the others from it. Templates have the filters of resources that are declared with `filters=True`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from router.contract.filter_grammar import ATTRIBUTES, Inexact, Target, joined, text_of
from router.contract.filter_pieces import BODY_KEYS, Piece, piece_of
from router.contract.model import named
from router.errors import ConfigurationError
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from router.routing.route import Route

MOST_FILTERS = 5  # of one event source mapping, without a higher quota
MOST_KEYS, MOST_COMBINATIONS = 5, 150  # of one filter policy of SNS

VANISHES = {
    Source.SQS: "a message that no filter takes is deleted from the queue, also one whose body is no JSON; it reaches "
    "neither the function nor a dead-letter queue",
    Source.SNS: "a message that the policy declines is not delivered to this subscription",
    Source.EVENTBRIDGE: "an event that the pattern declines does not reach the function",
}
_SKIPPED = "a record that no filter takes is skipped, also one whose data is no JSON; it reaches neither the function "
_SKIPPED += "nor an on-failure destination"


class Filtered(NamedTuple):
    """One route, whether its pattern is pushed down, and why.

    Attributes:
        kept_by: The route that stays and from which a filter would hide records, where nothing else speaks against it.
    """

    route: Route
    pushed: bool
    why: str
    kept_by: Route | None = None

    @property
    def reason(self) -> str:
        """Return why, with the route and the file and line of its handler."""
        return f"{named(self.route)}: {self.why}"


@dataclass(frozen=True, slots=True)
class PushDown:
    """Tell what can be pushed down for the routes of one resource.

    Attributes:
        source: The kind of filter: the event source, or SNS for the subscription of a queue.
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


@dataclass(frozen=True, slots=True)
class Delivery:
    """Tell how records of a resource come.

    Attributes:
        types: Of a table, the types of attributes.
        offloaded: Whether large bodies are sent by way of S3.
        wrapped: Whether bodies come in the envelope of a topic. None where nobody says: then a route that names topics
            may get such bodies, and one that names none does not.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    offloaded: bool = False
    wrapped: bool | None = None


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
    return decided(source, given, Delivery(types or {}, offloaded))


def decided(source: Source, routes: tuple[Route, ...], delivery: Delivery) -> PushDown:
    """Return what can be pushed down for routes that are known to be all of one resource.

    Args:
        source: The kind of filter: SNS for the subscription of a queue, with the routes of the queue.
        routes: All that take its records; one at least.
        delivery: How the records come.
    """
    found: list[Piece | str] = [piece_or_why(source, route, delivery) for route in routes]
    pieces = [piece for piece in found if isinstance(piece, Piece)]
    whys = {route: why for route, why in zip(routes, found, strict=True) if isinstance(why, str)}
    if not whys:
        try:
            texts, scope = _filters(source, routes, pieces)
        except Inexact as error:
            whys = dict.fromkeys(routes, str(error))
        else:
            told = tuple(Filtered(route, True, "AWS says exactly this") for route in routes)
            return PushDown(source, texts, scope, told, VANISHES.get(source, _SKIPPED))
    first = next(iter(whys))
    beside = f"a filter would hide records from {named(first)}, which stays"
    told = tuple(Filtered(route, False, whys.get(route, beside), None if route in whys else first) for route in routes)
    return PushDown(source, (), "", told, "")


def _check(source: Source, routes: tuple[Route, ...]) -> None:
    """Refuse what is no set of routes of one resource. Raises ConfigurationError."""
    if source not in (*BODY_KEYS, Source.DYNAMODB, Source.SNS, Source.EVENTBRIDGE):
        raise ConfigurationError(f"{source} has no filters that patterns could be pushed down to")
    if not routes:
        raise ConfigurationError(f"push_down of {source} needs the routes of one resource, and got none")
    for route in routes:
        if source not in route.sources:
            raise ConfigurationError(f"{named(route)} is no route of {source}")
    exact = [route for route in routes if "*" not in route.match]
    for route in exact[1:]:
        if route.match != exact[0].match:
            raise ConfigurationError(f"{named(route)} and {named(exact[0])} are of two resources; give those of one")


def piece_or_why(source: Source, route: Route, delivery: Delivery) -> Piece | str:
    """Return what a filter asks for a route; or why none can."""
    try:
        _check_route(source, route, delivery)
        return piece_of(source, route, delivery.types)
    except (Inexact, ConfigurationError) as error:
        return str(error)


def _check_route(source: Source, route: Route, delivery: Delivery) -> None:
    """Refuse a route that takes more than a filter could know, or whose declined records must not vanish."""
    if route.unpacks or route.bus_sources or (bool(route.topics) if delivery.wrapped is None else delivery.wrapped):
        raise Inexact("what its pattern sees is inside an envelope, which a filter does not open")
    if delivery.offloaded and source in (*BODY_KEYS, Source.SNS):
        raise Inexact("a body in S3 is read by the router, and a filter sees the pointer alone")
    if route.aggregated or route.decoder is not None:
        raise Inexact("its records are read by a decoder, and a filter reads JSON alone")
    if route.pattern is None and not (source is Source.DYNAMODB and route.events):
        raise Inexact("it has no pattern, and takes every record")
    if route.events and source is not Source.DYNAMODB:
        raise Inexact("events= says nothing of this source")
    if route.pattern is not None and route.others != "ignore":
        raise Inexact('what its pattern declines has to fail, and would vanish; say others="ignore" if it may')


# ---- the texts -------------------------------------------------------------------------------------------------------


def _filters(source: Source, routes: tuple[Route, ...], pieces: list[Piece]) -> tuple[tuple[str, ...], str]:
    """Return the texts of all filters and the scope of SNS. Raises `Inexact` where AWS would refuse them."""
    if source in (Source.SNS, Source.EVENTBRIDGE):
        return _one_filter(source, routes, pieces)
    key = BODY_KEYS.get(source, "")
    by_text: dict[str, Piece] = {}
    for route, piece in zip(routes, pieces, strict=True):
        held = piece if key else Piece([_change(route, piece)], piece.target)
        by_text[_text(key, held)] = held
    return (tuple(by_text) if len(by_text) <= MOST_FILTERS else _packed(key, by_text)), ""


def _change(route: Route, piece: Piece) -> dict[str, Any]:
    """Return what a route asks of a change in a table."""
    inner = joined(piece.alternatives)
    names: dict[str, Any] = {"eventName": sorted(set(route.events))} if route.events else {}
    return {**names, "dynamodb": inner} if inner else names


def _packed(key: str, by_text: Mapping[str, Piece]) -> tuple[str, ...]:
    """Return filters of several routes each, as few as AWS has room for. Raises `Inexact` where they are too many."""
    target = next(iter(by_text.values())).target
    room = target.characters - len(f'{{"{key}":{{"$or":[]}}}}')
    filters: list[list[dict[str, Any]]] = []
    left = 0
    for text, piece in by_text.items():
        left -= len(text) + 1
        if left < 0 or not filters:
            filters.append([])
            left = room - len(text)
        filters[-1] += piece.alternatives
    if len(filters) > MOST_FILTERS:
        most = f"{MOST_FILTERS} filters of {target.characters:,} characters"
        raise Inexact(f"its mapping takes {most}, and the routes would need {len(filters)}")
    return tuple(_text(key, Piece(alternatives, target)) for alternatives in filters)


def _text(key: str, piece: Piece) -> str:
    inner = joined(piece.alternatives)
    return checked({key: inner} if key else inner, piece.target)


def _one_filter(source: Source, routes: tuple[Route, ...], pieces: list[Piece]) -> tuple[tuple[str, ...], str]:
    """Return the policy of a subscription or the pattern of a rule: two of them would deliver an event twice."""
    targets = {piece.target for piece in pieces}
    if len(targets) > 1:
        raise Inexact("a filter policy sees the attributes or the body, and the routes ask for both")
    (target,) = targets
    alternatives = [alternative for piece in pieces for alternative in piece.alternatives]
    whole = joined(alternatives)
    if source is Source.EVENTBRIDGE:
        if any("*" in name for route in routes for name in (route.match, route.bus_source)):
            raise Inexact("a detail-type or source has a wildcard")
        return (checked({"detail-type": [str(routes[0].match)], **whole}, target),), ""
    _check_policy(alternatives, target)
    return (checked(whole, target),), "MessageAttributes" if target is ATTRIBUTES else "MessageBody"


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


def checked(whole: dict[str, Any], target: Target) -> str:
    """Return a whole filter as text. Raises `Inexact` where AWS would refuse it."""
    from router.routing.pattern_grammar import parse

    try:
        parse(whole)  # inside $or AWS takes fewer names of fields
    except ConfigurationError as error:
        raise Inexact(f"as one filter it would be refused: {error}") from None
    return text_of(whole, target)
