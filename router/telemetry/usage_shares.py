"""How the time and the cost of one call are shared by what ran in it.

Where several records run at once (`concurrency=`, a `batch=True` group, one dispatch inside of another) each has an
equal part of the time. The cost goes by these parts, so that what the call did beside them is paid by them all, and the
rows of a call sum up to exactly what it costs.
"""

from __future__ import annotations

from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# The smallest part of a dollar that a row tells of. Fifteen digits: a float keeps them.
_PARTS = 10**15


def shares_of_time(spans: Sequence[tuple[float, float]]) -> list[float]:
    """Return the seconds of each span, those that several had in common divided by their number.

    spans: when each began and ended.
    """
    if all(earlier[1] <= later[0] for earlier, later in pairwise(spans)):
        return [max(0.0, ended - began) for began, ended in spans]
    edges = sorted(
        [(began, 1, number) for number, (began, _) in enumerate(spans)]
        + [(max(began, ended), -1, number) for number, (began, ended) in enumerate(spans)],
        key=lambda edge: (edge[0], -edge[1]),
    )
    shares = [0.0] * len(spans)
    running, each, last = 0, 0.0, 0.0  # each: the seconds of one that would have run from the first begin on
    for moment, change, number in edges:
        if running:
            each += (moment - last) / running
        last = moment
        running += change
        shares[number] -= change * each
    return [max(0.0, share) for share in shares]


def divide(cost: float, weights: Sequence[float]) -> list[float]:
    """Return the parts of a cost by weight. Their sum is the cost, to 15 decimal places.

    weights: none below 0; where all are 0, the parts are equal.
    """
    whole, sum_of_weights = round(cost * _PARTS), sum(weights)
    if not sum_of_weights > 0:
        weights, sum_of_weights = [1.0] * len(weights), float(len(weights))
    reached, given = 0.0, 0
    parts = []
    for weight in weights[:-1]:
        reached += weight
        upto = min(whole, round(whole * (reached / sum_of_weights)))
        parts.append((upto - given) / _PARTS)
        given = upto
    return [*parts, (whole - given) / _PARTS] if weights else []
