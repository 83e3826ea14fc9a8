"""Say what a plan takes for granted, what to know of its figures, and what they say."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING

from router.contract.planning.traffic import HOURS_OF_A_MONTH, ONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from router.contract.planning.plan import Plan
    from router.contract.planning.plans import Figures, Side, Simulated
    from router.contract.planning.traffic import PerFunction

_ACCOUNT = 1000  # calls at a time, the default quota of an account in a region
_LISTED = 6


def title_of(plan: Plan) -> str:
    """Return what a split is called."""
    return "as the routes say" if plan.split == "function" else f"split by {plan.split}"


def assumptions(plan: Plan) -> tuple[str, ...]:
    """Return what the plan takes for granted, a sentence or two for each subject."""
    given = plan.traffic.assumptions
    calls = (
        "Calls: at random and independent (Poisson), at the same rate day and night; those of schedules at even "
        f"intervals. An environment handles one call at a time. {_distributions(plan)}"
    )
    environments = (
        f"Environments: a new one is ready after {_listed(given.init_ms, 'ms')}, and the call waits for it. A free one "
        f"is dropped after {given.idle_timeout_s:g} s; AWS promises no such time. The one that was used last is taken "
        "first. Replacements that AWS makes for other reasons, and deployments, are not counted."
    )
    memory = f"Memory: {_memories(plan)}. {ONE.capitalize()} has as much as its largest route is given with function=."
    figures = (
        f"Figures: a month has {HOURS_OF_A_MONTH} hours. Calls and their times are expected values; cold starts and "
        f"peaks are simulated over {given.hours:g} hours, with the seed {given.seed}. The peak of a total is the sum "
        "of its functions' peaks, which need not fall together."
    )
    return calls, environments, memory, _priced(plan), figures


def notes(plan: Plan) -> tuple[str, ...]:
    """Return what to know of the figures of this plan."""
    found = []
    if plan.several is None:
        found.append(
            "All calls are for one function in this split, so there is nothing to compare. Try another --split: "
            "group, source or route."
        )
    for side in filter(None, (plan.one, plan.several)):
        found.extend(_notes_of(side, ONE if side is plan.one else title_of(plan)))
    found.extend(_shortened(plan))
    if plan.silent:
        found.append(f"Without calls in the file: {_some(plan.silent)}.")
    return tuple(dict.fromkeys(found))


def sentence(plan: Plan) -> str:
    """Return what the figures say, in one sentence."""
    one = plan.one.total
    if one.share is None or (plan.several is not None and plan.several.total.share is None):
        return "No call came in the simulated time, so the figures say nothing of cold starts: raise hours."
    if plan.several is None:
        return (
            f"{percent(one.share)} of the calls wait for a cold start, {count(one.cold_starts)} of "
            f"{count(one.calls)} a month, and the month costs {dollars(one.cost)}."
        )
    several = plan.several.total
    return (
        f"{len(plan.several.functions)} functions ({title_of(plan)}) have {_compared(several, one)} as one function, "
        f"{percent(several.share)} of the calls in place of {percent(one.share)}, and cost "
        f"{_difference(several.cost, one.cost)}: {dollars(several.cost)} in place of {dollars(one.cost)}."
    )


# ---- figures as text -----------------------------------------------------------------------------------------------


def percent(share: float | None) -> str:
    """Return a share with two digits that say something: `12 %`, `0.034 %`; `-` where it is not known."""
    if share is None:
        return "-"
    value = share * 100
    if value == 0 or value >= 9.95:
        return f"{value:.0f} %"
    if value < 0.001:
        return "<0.001 %"
    return f"{value:.{1 - floor(log10(value))}f} %"


def count(number: float) -> str:
    """Return a number of calls: `812`, `12,300`, `4.1 M`; less than 10 with a decimal place."""
    if number < 9.95:
        return f"{number:.1f}".removesuffix(".0")
    if number < 999_500:
        return f"{number:,.0f}"
    return f"{number / 1e6:,.1f} M" if number < 999.95e6 else f"{number / 1e9:,.1f} G"


def dollars(amount: float) -> str:
    """Return an amount with cents; with one more place where it is less than a cent."""
    return f"${amount:,.2f}" if amount >= 0.01 or amount == 0 else f"${amount:.3f}" if amount >= 0.001 else "<$0.001"


def _compared(several: Figures, one: Figures) -> str:
    """Return how many times as many cold starts there are."""
    if several.cold_starts == one.cold_starts:
        return "as many cold starts"
    if not one.cold_starts:
        return f"{count(several.cold_starts)} cold starts a month, and not none"
    times = several.cold_starts / one.cold_starts
    if 0.95 < times < 1.05:
        return "about as many cold starts"
    return f"{times:,.{0 if times >= 10 else 1}f} times as many cold starts"


def _difference(several: float, one: float) -> str:
    more = several - one
    if abs(more) < 0.0005 or abs(more) < one * 0.001:
        return "the same"
    return f"{dollars(abs(more))} a month {'more' if more > 0 else 'less'}"


# ---- parts of the assumptions --------------------------------------------------------------------------------------


def _priced(plan: Plan) -> str:
    prices = plan.traffic.assumptions.prices
    used = {one.function.architecture for one in _functions(plan)}
    named = [(name, prices.of_second(name)) for name in sorted(used)]
    a_second = ", ".join(f"{price or 0:.10f}".rstrip("0") + f" a GB-second on {name}" for name, price in named)
    where = f" of {prices.region}" if prices.region else ""
    return (
        f"Prices: US dollars{where}, {prices.of}: {a_second}, {prices.requests or 0:.2f} a million requests; no free "
        "tier, no discounts, Lambda alone. The init time is billed, as AWS does since August 2025, and a started "
        "millisecond whole."
    )


def _functions(plan: Plan) -> Iterator[Simulated]:
    for side in filter(None, (plan.one, plan.several)):
        yield from side.functions


def _distributions(plan: Plan) -> str:
    kinds = dict.fromkeys(str(load.times) for load in plan.traffic.loads.values())
    said = {
        "exponential": "of mean_ms exponential",
        "log-normal": "of p50_ms and p95_ms log-normal",
        "constant": "constant where both are equal",
    }
    return f"Handling times are {', '.join(said[kind] for kind in said if kind in kinds)}."


def _listed(numbers: PerFunction, unit: str) -> str:
    named = [f"{value:g} {unit} ({name})" for name, value in numbers.named.items()]
    if numbers.default is not None:
        named.insert(0, f"{numbers.default:g} {unit}{' (others)' if named else ''}")
    return ", ".join(named)


def _memories(plan: Plan) -> str:
    by_size: dict[int, list[str]] = {}
    for one in _functions(plan):
        by_size.setdefault(one.function.memory_mb, []).append(one.function.name)
    if len(by_size) == 1:
        return f"{next(iter(by_size))} MB everywhere"
    usual = max(by_size, key=lambda size: len(by_size[size]))
    rest = [f"{size:g} MB ({', '.join(names)})" for size, names in by_size.items() if size != usual]
    return f"{', '.join(rest)}, {usual} MB elsewhere"


def _notes_of(side: Side, name: str) -> Iterator[str]:
    if unknown := [one.function.name for one in side.functions if not one.outcome.calls]:
        yield f"{_some(unknown)}: no call came in the simulated time, so cold starts are not known; raise hours."
    for one in side.functions:
        function, outcome = one.function, one.outcome
        if function.reserved is not None and outcome.peak > function.reserved:
            yield f"{function.name}: {outcome.peak} calls at a time; it is limited to {function.reserved} (reserved=)."
        slow = max(load.times.mean for load in function.loads)
        if slow > function.timeout:
            yield f"{function.name}: calls of {slow:g} s on average; its timeout of {function.timeout} s ends them."
        if function.snap_start:
            yield f"{function.name}: give the time of a restore (SnapStart) as its init_ms. Its price is left out."
    if side.total.peak > _ACCOUNT:
        yield f"{name}: up to {side.total.peak:,} calls at a time; a new account has {_ACCOUNT:,} in a region."


def _shortened(plan: Plan) -> Iterator[str]:
    """Tell of functions of which less time is simulated than was asked for."""
    most = plan.traffic.assumptions.most_calls
    windows = {one.function.name: one.outcome.window for one in _functions(plan)}
    spans: dict[str, list[str]] = {}
    for name, window in windows.items():
        if window.shortened:
            spans.setdefault(_span(window.counted), []).append(name)
    if spans:
        listed = ", ".join(f"{span} of {_some(names)}" for span, names in spans.items())
        yield f"Simulated are {listed}: about {most:,} calls for each side (most_calls)."
    if unsettled := [name for name, window in windows.items() if window.unsettled]:
        yield f"Too short for environments to expire, so cold starts are fewer still: {_some(unsettled)}."


def _some(names: Sequence[str]) -> str:
    """Return the first few of many names."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more}"


def _span(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.2g} seconds" if seconds < 10 else f"{seconds:.0f} seconds"
