"""`Faults`: things that go wrong on purpose, with a probability, so that "nothing is lost" can be watched and tested.

    faults = Faults([Fault("throttle", service="dynamodb", probability=0.3), Fault("duplicate", service="sqs")])

The local gateway, its console and the pytest fixture `faults` (`router.testing.pytest_plugin`) apply the same rules.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from random import Random
from typing import Literal, get_args

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

Kind = Literal["latency", "throttle", "fail", "lost answer", "duplicate", "reorder", "kill"]

KINDS: tuple[str, ...] = get_args(Kind)

_LONGEST_MS = 900_000
_MOST_TIMES = 1_000_000
_OF_JSON = ("id", "kind", "probability", "service", "operation", "route", "ms", "times", "hits")
# How else a service is called: by botocore, by IAM, and by people.
_ALSO = {
    "states": ("stepfunctions", "sfn"),
    "events": ("eventbridge",),
    "execute-api": ("apigatewaymanagementapi", "websocket"),
    "monitoring": ("cloudwatch",),
    "bedrock": ("bedrock-runtime",),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule: what goes wrong, how often, and where.

    kind: "latency", "throttle" (the service refuses with a ThrottlingException), "fail" (it answers with 500, or not in
        time), "lost answer" (it was done, and the answer does not arrive), "duplicate" (a delivery comes twice),
        "reorder" (its records come in another order) or "kill" (the process ends in the middle of a handler).
    service: of AWS, `dynamodb`; of a delivery the source of its events, `sqs`. With `*` as wildcard, as the next two;
        empty for any.
    operation: of AWS, `PutItem`. With it, a lost answer and a latency are those of calls of AWS.
    route: as `str(route)` has it: `sqs orders`, `POST /orders`.
    probability: above 0 and at most 1.
    times: after how many hits it ends; None for never.
    ms: of a latency how long; of "fail" after how long there is no answer, where 0 is an answer with 500 at once.
    id: names it in entries; made of the rest unless given.

    Raises:
        ConfigurationError: a value is not one that it can have.
    """

    kind: Kind
    service: str = ""
    operation: str = ""
    route: str = ""
    probability: float = 1.0
    times: int | None = None
    ms: float = 0.0
    id: str = ""

    def __post_init__(self) -> None:
        _check(self)
        if not self.id:
            where = [part for part in (self.service, self.operation, self.route) if part]
            object.__setattr__(self, "id", " ".join([self.kind, *where]))

    @classmethod
    def from_json(cls, value: Any) -> Fault:
        """Return the rule of a JSON object; what it leaves out is as usual.

        Raises:
            ConfigurationError: it is not an object, or a field is unknown or wrong.
        """
        if not isinstance(value, dict):
            raise ConfigurationError(
                f"a fault is an object such as {{'kind': 'latency', 'ms': 200}}, not {value!r:.80}"
            )
        if unknown := [name for name in value if name not in _OF_JSON]:
            raise ConfigurationError(
                f"a fault has no field {', '.join(map(repr, unknown))}; it has {', '.join(_OF_JSON)}"
            )
        if value.get("kind") is None:
            raise ConfigurationError(f"a fault needs a kind: {', '.join(KINDS)}")
        return cls(**{name: held for name, held in value.items() if name != "hits" and not _is_default(name, held)})

    def to_json(self) -> dict[str, Any]:
        """Return the rule as a JSON object."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @property
    def is_of_aws(self) -> bool:
        """Whether it hits calls of AWS; else it hits deliveries of events."""
        if self.kind in ("throttle", "fail"):
            return True
        return bool(self.operation) or (self.kind == "latency" and bool(self.service))

    def takes_call(self, names: Iterable[str], operation: str, route: str) -> bool:
        """Whether it is about a call of AWS. names: of the service."""
        return (
            self.is_of_aws
            and (not self.service or any(_fits(self.service, name) for name in names))
            and _fits(self.operation, operation)
            and _fits(self.route, route)
        )

    def takes_delivery(self, source: str, routes: Iterable[str]) -> bool:
        """Whether it is about a delivery. routes: those that its events may go to."""
        if self.is_of_aws or not _fits(self.service, source):
            return False
        return not self.route or any(_fits(self.route, route) for route in routes)


def _fits(pattern: str, name: str) -> bool:
    return not pattern or fnmatchcase(name.lower(), pattern.lower().replace("[", "[[]"))


def _is_default(name: str, value: Any) -> bool:
    """Whether a field of JSON says nothing: a form leaves it empty."""
    return value is None or (name == "id" and value == "")


def _check(fault: Fault) -> None:
    """Refuse values that a rule cannot have."""
    if fault.kind not in KINDS:
        raise ConfigurationError(f"a fault has no kind {fault.kind!r:.80}; use {', '.join(KINDS)}")
    for name in ("service", "operation", "route", "id"):
        held = getattr(fault, name)
        if not isinstance(held, str) or len(held) > 500:
            raise ConfigurationError(f"{fault.kind}: {name} is a text with * as wildcard, not {held!r:.80}")
    probability, times, ms = fault.probability, fault.times, fault.ms
    if not _is_number(probability) or not 0 < probability <= 1:
        raise ConfigurationError(f"{fault.kind}: probability is above 0 and at most 1, not {probability!r:.80}")
    if times is not None and (type(times) is not int or not 1 <= times <= _MOST_TIMES):
        raise ConfigurationError(f"{fault.kind}: times is a whole number from 1, or None for ever, not {times!r:.80}")
    if not _is_number(ms) or not 0 <= ms <= _LONGEST_MS:
        raise ConfigurationError(f"{fault.kind}: ms is from 0 to {_LONGEST_MS}, not {ms!r:.80}")
    if fault.kind == "latency" and ms == 0:
        raise ConfigurationError("latency: say how long, with ms=")
    if fault.kind in ("duplicate", "reorder", "kill") and fault.operation:
        raise ConfigurationError(f"{fault.kind}: it is about deliveries, which have no operation; name a route")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Effects:
    """The rules that hit a call or a delivery. It is false where none did.

    hit: those rules. ms: how long it is delayed.
    """

    __slots__ = ("hit", "ms")

    def __init__(self, hit: tuple[Fault, ...] = ()) -> None:
        self.hit = hit
        self.ms = sum(one.ms for one in hit if one.kind == "latency")

    def __bool__(self) -> bool:
        return bool(self.hit)

    def __contains__(self, kind: object) -> bool:
        return any(one.kind == kind for one in self.hit)

    def __repr__(self) -> str:
        return f"Effects({', '.join(one.id for one in self.hit)})"

    @property
    def name(self) -> str | None:
        """Return the id of the rule that changes most: any before a latency."""
        ids = sorted(self.hit, key=lambda one: one.kind == "latency")
        return ids[0].id if ids else None

    def rule(self, kind: str) -> Fault | None:
        """Return the rule of a kind that hit."""
        return next((one for one in self.hit if one.kind == kind), None)


_NONE = Effects()


def _hits_in(given: Any) -> int:
    hits = given.get("hits", 0) if isinstance(given, dict) else 0
    return hits if type(hits) is int and hits > 0 else 0


class Faults:
    """Rules, how often each has hit, and the dice. It may be used from several threads.

    rules: `Fault` objects, or JSON objects.
    seed: makes the same run hit the same; None for any.

    Raises:
        ConfigurationError: a rule is none, or two have one id.
    """

    def __init__(self, rules: Iterable[Fault | Mapping[str, Any]] = (), *, seed: int | None = None) -> None:
        self._lock = threading.Lock()
        self._random = Random(seed)  # noqa: S311 - nothing secret is drawn
        self._rules: tuple[Fault, ...] = ()
        self._hits: dict[str, int] = {}
        self.set(rules)

    @property
    def rules(self) -> tuple[Fault, ...]:
        """Return the rules, in order."""
        return self._rules

    def set(self, rules: Iterable[Fault | Mapping[str, Any]]) -> None:
        """Put rules in the place of those that there are.

        One that stays as it was goes on counting; a new one begins at the `hits` that a JSON object tells.

        Raises:
            ConfigurationError: a rule is none, or two have one id; then everything stays.
        """
        given = list(rules)
        new = [one if isinstance(one, Fault) else Fault.from_json(one) for one in given]
        ids = [one.id for one in new]
        if twice := sorted({id for id in ids if ids.count(id) > 1}):
            raise ConfigurationError(f"two faults have the id {', '.join(map(repr, twice))}; give each another one")
        with self._lock:
            told = {one.id: _hits_in(held) for one, held in zip(new, given, strict=True)}
            kept = {one.id: self._hits.get(one.id, 0) if one in self._rules else told[one.id] for one in new}
            self._rules = tuple(new)
            self._hits = kept

    def add(self, *rules: Fault | Mapping[str, Any]) -> None:
        """Add rules.

        Raises:
            ConfigurationError: a rule is none, or has the id of another; then nothing is added.
        """
        self.set((*self._rules, *rules))

    def clear(self) -> None:
        """Take all rules away: from now on nothing goes wrong."""
        self.set(())

    @contextmanager
    def applied(self) -> Iterator[Faults]:
        """Let the rules hit calls of AWS and what `TestClient` delivers, until the `with` block ends."""
        from router.testing import delivering
        from router.testing.aws_calls import listen, unlisten
        from router.testing.faulty_aws import FaultyAws
        from router.testing.faulty_deliveries import FaultyDeliveries

        deliveries, aws = FaultyDeliveries(self), FaultyAws(self)
        listen(deliveries)
        listen(aws)
        delivering.around.append(deliveries)
        try:
            yield self
        finally:
            delivering.around.remove(deliveries)
            unlisten(aws)
            unlisten(deliveries)

    def seed(self, seed: int) -> None:
        """Draw anew from here on."""
        with self._lock:
            self._random = Random(seed)  # noqa: S311

    def hits(self, id: str | None = None) -> int:
        """Return how often a rule has hit, or all of them together."""
        with self._lock:
            return sum(self._hits.values()) if id is None else self._hits.get(id, 0)

    def note(self, id: str) -> None:
        """Count a hit that happened elsewhere, in another process with the same rules."""
        with self._lock:
            if any(one.id == id for one in self._rules):
                self._hits[id] = self._hits.get(id, 0) + 1

    def to_json(self) -> list[dict[str, Any]]:
        """Return the rules as JSON objects, each with its hits."""
        with self._lock:
            return [{**one.to_json(), "hits": self._hits.get(one.id, 0)} for one in self._rules]

    def draw(self) -> float:
        """Return a number from 0 to below 1, of the same dice."""
        with self._lock:
            return self._random.random()

    def shuffled(self, values: Iterable[Any]) -> list[Any]:
        """Return values in another order, where there are two that differ."""
        held = list(values)
        with self._lock:
            mixed = held[:]
            for _ in range(10):
                self._random.shuffle(mixed)
                if mixed != held:
                    break
        return mixed

    def on_aws(self, service: str, operation: str, route: str = "", *, also: str = "") -> Effects:
        """Throw the dice for one try of a call of AWS.

        service: as IAM calls it; also: as botocore does. operation: as the API calls it. route: the one that makes it.
        """
        if not self._rules:
            return _NONE
        names = (service, also or service, *_ALSO.get(service, ()))
        return self._thrown([one for one in self._rules if one.takes_call(names, operation, route)])

    def on_call(self, source: str, routes: Iterable[str] = ()) -> Effects:
        """Throw the dice for one delivery of events.

        source: of the events. routes: those that they may go to.
        """
        if not self._rules:
            return _NONE
        held = tuple(routes)
        return self._thrown([one for one in self._rules if one.takes_delivery(source, held)])

    def _thrown(self, rules: list[Fault]) -> Effects:
        """Return those of some rules that hit, and count them."""
        if not rules:
            return _NONE
        hit = []
        with self._lock:
            for one in rules:
                so_far = self._hits.get(one.id, 0)
                if one.times is not None and so_far >= one.times:
                    continue
                if one.probability < 1 and self._random.random() >= one.probability:
                    continue
                self._hits[one.id] = so_far + 1
                hit.append(one)
        return Effects(tuple(hit)) if hit else _NONE
