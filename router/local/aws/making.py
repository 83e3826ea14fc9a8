"""Make what a plan says in an emulator. A second plan makes what is new, and takes away what calls no longer."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from json import dumps
from typing import TYPE_CHECKING, Any

from router.local.aws.delivering import Deliveries
from router.local.aws.resources import MAKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from router.local.aws.clients import Clients
    from router.local.aws.shapes import Plan

_AT_ONCE = 8
_DATA = ("queues", "topics", "tables", "streams", "buckets", "buses", "secrets")
_ONE = {"queues": "queue", "topics": "topic", "tables": "table", "streams": "stream", "buckets": "bucket"}
_ONE |= {"buses": "bus", "secrets": "secret"}
Key = tuple[str, str]


@dataclass(slots=True)
class Made:
    """Tell what came of a plan. Each is a list of names such as `queue orders`.

    made: what is new. changed: what has other settings now. removed: what no longer calls.
    kept: what is in the plan no more, and stays with its data. problems: what cannot be made, and why.
    ms: how long it took.
    """

    made: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    ms: float = 0.0


class Making:
    """Makes plans in one emulator, and remembers what it has made.

    clients: of the emulator.
    deliveries: bring events to the gateway.
    """

    def __init__(self, clients: Clients, deliveries: Deliveries) -> None:
        self._clients = clients
        self._deliveries = deliveries
        self._held: dict[Key, str] = {}  # what was made, with its settings as text
        self._gone: set[Key] = set()  # what was said to be kept

    def forget(self) -> None:
        """Take it that nothing is there: the emulator began anew."""
        self._held.clear()
        self._gone.clear()

    def prepare(self, plan: Plan) -> Made:
        """Make what a plan says, and return what came of it. What cannot be made keeps nothing else from it."""
        began = time.perf_counter()
        made = Made()
        wanted = _wanted(plan)
        calls = self._deliveries.wanted(plan)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="junction-aws-make") as pool:
            # A queue names its dead-letter queue, which has to be there; all else waits for nobody.
            last = {key: held for key, held in wanted.items() if key[0] == "queues" and held["dead_letters"]}
            first = {key: held for key, held in wanted.items() if key not in last}
            for some in (first, last):
                self._make(pool, some, lambda key, held, before: MAKERS[key[0]](self._clients, held, before), made)
            self._remove(calls.keys(), made)
            functions = {key: held for key, held in calls.items() if key[0] == "function"}
            others = {key: held for key, held in calls.items() if key[0] != "function"}
            for some in (functions, others):
                self._make(pool, some, lambda key, held, before: self._deliveries.make(key[0], held, before), made)
        for key in self._held.keys() - wanted.keys() - calls.keys() - self._gone:
            if key[0] in _DATA:
                self._gone.add(key)
                made.kept.append(_named(key))
        self._gone -= wanted.keys()
        made.ms = (time.perf_counter() - began) * 1000
        return made

    def _make(
        self,
        pool: ThreadPoolExecutor,
        wanted: dict[Key, Any],
        make: Callable[[Key, Any, bool], str | None],
        made: Made,
    ) -> None:
        """Make what is not there yet, or is there with other settings."""

        def one(key: Key) -> str | None:
            try:
                return make(key, wanted[key], key in self._held)
            except Exception as error:  # whatever an emulator answers to one must not keep the others from being made
                return str(error) or type(error).__name__

        texts = {key: dumps(held, sort_keys=True) for key, held in wanted.items()}
        todo = [key for key, text in texts.items() if self._held.get(key) != text]
        for key, problem in zip(todo, pool.map(one, todo), strict=True):
            if problem is not None:
                made.problems.append(f"{_named(key)}: {problem}")
                continue
            (made.changed if key in self._held else made.made).append(_named(key))
            self._held[key] = texts[key]

    def _remove(self, wanted: Iterable[Key], made: Made) -> None:
        """Take away what would call the application and is in the plan no more."""
        for key in self._held.keys() - set(wanted):
            if key[0] in _DATA:
                continue
            try:
                self._deliveries.remove(key[0], key[1])
            except Exception as error:  # it is said, and tried again after the next change
                made.problems.append(f"{_named(key)} cannot be removed: {error}")
                continue
            del self._held[key]
            made.removed.append(_named(key))


def _wanted(plan: Plan) -> dict[Key, Any]:
    """Return what holds data, by kind and name."""
    found: dict[Key, Any] = {}
    for kind in _DATA:
        for one in plan[kind]:  # type: ignore[literal-required]
            name = one if isinstance(one, str) else one["name"]
            # The notifications of a bucket are made when there is something to call.
            found[kind, name] = {**one, "notifications": []} if kind == "buckets" else one
    return found


def _named(key: Key) -> str:
    return f"{_ONE.get(key[0], key[0])} {key[1]}"
