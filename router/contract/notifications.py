"""Find what a bucket has to tell for some routes. S3 refuses two notifications of one event that share a key."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from router.contract.model import Notification

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.routing.route import Route

_ALL = ("ObjectCreated:*", "ObjectRemoved:*")  # what a route takes that names no events, and S3 can tell


def notifications_of(routes: Iterable[Route]) -> tuple[Notification, ...]:
    """Return the notifications that routes need, where two overlap one that is wide enough for both."""
    found: list[Notification] = []
    for route in routes:
        events = (f"s3:{event.removeprefix('s3:')}" for event in route.events or _ALL)
        found.extend(Notification(event, route.prefix, route.suffix) for event in events)
    kept: list[Notification] = []
    while found:
        one = found.pop()
        other = next((held for held in kept if _clash(held, one)), None)
        if other is None:
            kept.append(one)
            continue
        kept.remove(other)
        found.append(_wide(one, other))
    return tuple(sorted(kept, key=lambda one: (one.event, one.prefix, one.suffix)))


def _clash(one: Notification, other: Notification) -> bool:
    """Whether S3 would refuse both. `ObjectCreated:*` holds `ObjectCreated:Put`."""
    event = one.event if _holds(one.event, other.event) else other.event if _holds(other.event, one.event) else None
    return event is not None and Notification(event, one.prefix, one.suffix).overlaps(
        Notification(event, other.prefix, other.suffix)
    )


def _wide(one: Notification, other: Notification) -> Notification:
    """Return a notification of all that two tell."""
    event = one.event if _holds(one.event, other.event) else other.event
    suffix = _shared(one.suffix[::-1], other.suffix[::-1])[::-1]
    return Notification(event, _shared(one.prefix, other.prefix), suffix)


def _shared(one: str, other: str) -> str:
    """Return the characters with which two texts begin."""
    return "".join(mine for mine, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _holds(event: str, other: str) -> bool:
    return event == other or (event.endswith("*") and other.startswith(event[:-1]))
