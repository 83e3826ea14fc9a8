"""Read what a function answered to a batch, take records out by filters, and cut batches at Lambda's limits."""

from __future__ import annotations

from json import dumps, loads
from typing import TYPE_CHECKING, Any

from router.routing.patterns import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

LARGEST = 6 * 1024 * 1024
"""Bytes of a payload, at most."""
_ENVELOPE = 64


def failed_ids(answer: Any, known: Collection[str]) -> set[str] | None:
    """Return the identifiers that an answer names as failed; None where it counts as a failure of the whole batch.

    An answer that is not as it should be is that, since nobody can tell what it means (AWS Lambda Developer Guide,
    "Implementing partial batch responses").

    answer: as JSON data.
    known: the identifiers of the batch.
    """
    if not answer:
        return set()
    if not isinstance(answer, dict):
        return None
    failures = answer.get("batchItemFailures")
    if not failures:
        return set()
    if not isinstance(failures, list):
        return None
    found: set[str] = set()
    for one in failures:
        failed = one.get("itemIdentifier") if isinstance(one, dict) else None
        if not isinstance(failed, str) or failed not in known:
            return None
        found.add(failed)
    return found


def filter_of(patterns: Sequence[str] | None) -> Callable[[Any], bool] | None:
    """Return whether filters take a record; None where every record is taken.

    patterns: as JSON text, of which one has to match.
    """
    if patterns is None:
        return None
    tests = [compile_pattern(loads(one)) for one in patterns]

    def takes(record: Any) -> bool:
        return any(test(record) for test in tests)

    return takes


def weight(records: Iterable[dict[str, Any]]) -> int:
    """Return how many bytes records take in a payload."""
    return sum(len(dumps(record, separators=(",", ":")).encode()) + 1 for record in records)


def cut(records: Sequence[dict[str, Any]], most: int) -> int:
    """Return how many of the first records make a batch: no more than `most`, nor than a payload takes, but one."""
    size = _ENVELOPE
    for number, record in enumerate(records[:most]):
        size += weight([record])
        if size > LARGEST and number:
            return number
    return min(len(records), most)
