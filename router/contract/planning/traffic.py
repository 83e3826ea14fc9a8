"""Read a file of traffic: how often each route is called, how long it takes, and what the plan takes for granted."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from router.contract.planning.fields import Fields, is_number
from router.contract.planning.naming import Naming, is_task, names_of
from router.contract.planning.prices import Prices, read_prices
from router.contract.planning.simulation import Load
from router.contract.planning.times import Times
from router.errors import ConfigurationError
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from router.routing.route import Route

ONE = "one function"  # how the file and the output call the function that takes every route
OTHERS = "*"  # every function that is not named
HOURS_OF_A_MONTH = 730
_LARGEST_FILE = 1_000_000  # bytes
_MOST_RATE = 1_000_000  # events a second
_LEAST_RATE = 1e-9  # one event in 30 years
_MOST_MS = 1_800_000  # a function of Lambda has 30 minutes
_SECONDS = {"per_second": 1, "per_minute": 60, "per_hour": 3600, "per_day": 86_400}
_TIMES = ("mean_ms", "p50_ms", "p95_ms")


@dataclass(frozen=True, slots=True)
class PerFunction:
    """A number for each function. default: of those that are not in `named`; None where nothing is said of them."""

    default: float | None = None
    named: Mapping[str, float] = field(default_factory=dict)

    def of(self, function: str) -> float | None:
        """Return the number of a function."""
        return self.named.get(function, self.default)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Everything that the plan takes for granted.

    init_ms: until a new environment is ready. idle_timeout_s: without a call until an environment is dropped.
    hours: that are simulated. seed: of the random numbers. most_calls: that are simulated for each side.
    memory_mb: of functions, where the stack is not to decide. prices: of Lambda.
    """

    init_ms: PerFunction = PerFunction(500.0)
    idle_timeout_s: float = 300.0
    hours: float = HOURS_OF_A_MONTH
    seed: int = 1
    most_calls: int = 1_000_000
    memory_mb: PerFunction = PerFunction()
    prices: Prices = field(default_factory=Prices)


@dataclass(frozen=True, slots=True)
class Traffic:
    """The content of a file. loads: the calls of each route that has some. file: its name, for messages."""

    file: str
    assumptions: Assumptions
    loads: Mapping[Route, Load]


def read_traffic(path: Path, routes: Iterable[Route], functions: Iterable[str]) -> Traffic:
    """Read a file of traffic, YAML or JSON.

    path: of the file.
    routes: of the application; keys of the file name them.
    functions: the names that functions may have, in any split.

    Raises:
        ConfigurationError: it cannot be read, or all that is wrong with it, each with its key.
    """
    problems: list[str] = []
    top = Fields(_loaded(path), "", problems)
    top.refuse_others(("assumptions", "routes"))
    assumptions = _assumptions(top.below("assumptions"), [ONE, *functions])
    below = top.below("routes")
    if not below.held and not problems:
        problems.append("routes: say how often at least one route is called")
    loads = _loads(below, tuple(routes))
    if problems:
        listed = "\n".join(f"- {one}" for one in dict.fromkeys(problems))
        raise ConfigurationError(f"{path}:\n{listed}" if len(problems) > 1 else f"{path}: {problems[0]}")
    return Traffic(str(path), assumptions, loads)


def _loaded(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            held = file.read(_LARGEST_FILE + 1)
        if len(held) > _LARGEST_FILE:
            raise ConfigurationError(f"{path}: it is larger than {_LARGEST_FILE:,} bytes")
        text = held.decode("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"{path}: it cannot be read: {why}") from None
    try:
        return _json(text) if path.suffix == ".json" else _yaml(text)
    except ConfigurationError:
        raise
    except (Exception, RecursionError) as error:  # libraries have errors of many classes
        raise ConfigurationError(f"{path}: it cannot be read: {' '.join(str(error).split())[:400]}") from None


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands there twice")
        return found

    return json.loads(text, object_pairs_hook=once)


def _yaml(text: str) -> Any:
    try:
        from ruamel.yaml import YAML
    except ImportError:
        raise ConfigurationError('YAML needs ruamel.yaml: pip install "lambda-junction[deploy]"') from None
    return YAML(typ="safe", pure=True).load(text)


# ---- assumptions -------------------------------------------------------------------------------------------------


def _assumptions(found: Fields, functions: list[str]) -> Assumptions:
    default = Assumptions()
    found.refuse_others(Assumptions.__dataclass_fields__)
    return Assumptions(
        init_ms=_per_function(found, "init_ms", default.init_ms, functions, (0, _MOST_MS, "milliseconds")),
        idle_timeout_s=found.number("idle_timeout_s", default.idle_timeout_s, 1, 86_400, "seconds"),
        hours=found.number("hours", default.hours, 0.01, 8760, "hours"),
        seed=found.whole("seed", default.seed, 0, 2**63, "any size"),
        most_calls=found.whole("most_calls", default.most_calls, 1000, 5_000_000, "calls"),
        memory_mb=_per_function(found, "memory_mb", default.memory_mb, functions, (128, 10_240, "MB")),
        prices=read_prices(found.below("prices")),
    )


def _per_function(
    found: Fields, name: str, default: PerFunction, functions: list[str], limits: tuple[float, float, str]
) -> PerFunction:
    """Return a number for all functions, or one for each of those that are named."""
    value = found.held.get(name)
    if value is None and name not in found.held:
        return default
    if not isinstance(value, dict):
        return PerFunction(found.number(name, 0, *limits))
    below = found.below(name)
    below.refuse_others([OTHERS, *functions])
    others = below.number(OTHERS, 0, *limits) if OTHERS in value else default.default
    return PerFunction(others, {key: below.number(key, 0, *limits) for key in value if key != OTHERS})


# ---- routes ------------------------------------------------------------------------------------------------------


def _loads(found: Fields, routes: tuple[Route, ...]) -> dict[Route, Load]:
    problems: defaultdict[object, list[str]] = defaultdict(list)
    chosen = Naming(routes).assign(found.held, problems)
    for key, mistakes in problems.items():
        for mistake in mistakes:
            found.refuse(key, mistake)
    loads: dict[Route, Load] = {}
    names: defaultdict[str, int] = defaultdict(int)
    for route in routes:
        if route not in chosen:
            continue
        key = chosen[route]
        if is_task(route):
            found.refuse(key, "a task runs on ECS, not in a function: leave it out")
            continue
        name = names_of(route)[0]
        names[name] += 1  # two routes of one queue have patterns that tell them apart, and calls of their own
        load = _load(found.below(key), route, name if names[name] == 1 else f"{name} #{names[name]}")
        if load is not None:
            loads[route] = load
    return loads


def _load(found: Fields, route: Route, name: str) -> Load | None:
    """Return the calls of a route; None where it has none, or where the file is wrong."""
    if not found.is_mapping:
        return None
    found.refuse_others((*_SECONDS, *_TIMES, "batch_size", "arrivals"))
    units = [unit for unit in _SECONDS if unit in found.held]
    if len(units) != 1:
        found.problems.append(f"{found.path}: say how often, with one of {', '.join(_SECONDS)}")
        return None
    [unit] = units
    rate = found.number(unit, 0, 0, _MOST_RATE * _SECONDS[unit], "a number") / _SECONDS[unit]
    batch = found.whole("batch_size", 1, 1, 10_000, "events")
    usual = "even" if route.sources[0] is Source.SCHEDULE and not route.methods else "poisson"
    even = found.word("arrivals", usual, ("poisson", "even")) == "even"
    times = _times(found)
    if rate and rate < _LEAST_RATE:
        found.refuse(unit, f"it is less than an event in 30 years: {found.held[unit]!r:.60}; use 0 for none")
    if times is None or rate < _LEAST_RATE:
        return None
    return Load(name, rate / batch, times, even)


def _times(found: Fields) -> Times | None:
    given = tuple(name for name in _TIMES if name in found.held)
    if given not in (("mean_ms",), ("p50_ms", "p95_ms")):
        found.problems.append(f"{found.path}: say how long a call takes, with mean_ms, or with p50_ms and p95_ms")
        return None
    numbers = [found.number(name, 0, 0.001, _MOST_MS, "milliseconds") for name in given]
    if not all(is_number(found.held[name]) and number for name, number in zip(given, numbers, strict=True)):
        return None
    if len(numbers) == 1:
        return Times.of_mean(numbers[0])
    if numbers[1] < numbers[0]:
        found.refuse("p95_ms", f"it is less than p50_ms: {numbers[1]:g} < {numbers[0]:g}")
        return None
    times = Times.of_percentiles(*numbers)
    if times.mean * 1000 > _MOST_MS:
        found.refuse("p95_ms", f"with p50_ms it makes {times.mean:,.3g} s on average; a function has 1,800 s")
        return None
    return times
