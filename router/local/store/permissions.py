"""Sum up the calls of AWS that handlers made: by route, action and resource."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from router.local.entries import Entry

MOST = 5000
"""Different rows that are kept."""
_OBJECTS = "arn:aws:s3:::"


@dataclass(frozen=True, slots=True)
class Seen:
    """Count calls of one action on one resource by one route.

    covered: whether `requires=` and the adapters in use allow it, as of the last one; None where nothing can be said.
    count: how many there were. entry: the number of the last entry with one.
    """

    route: str
    action: str
    resource: str
    covered: bool | None
    count: int
    entry: int


class Permissions:
    """Count calls. The writer adds, others read."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: dict[tuple[str, str, str], tuple[bool | None, int, int]] = {}
        self._left_out = 0

    def add(self, number: int, entry: Entry) -> None:
        """Count the calls of an entry. What it says of a permission holds from now on: the code may be newer."""
        needs: list[Any] = []
        for call in entry.get("calls") or ():
            needs += call.get("needs") or [call]
        judged: dict[tuple[str, str, str], list[bool | None]] = {}
        for need in needs:
            key = entry.get("route") or "", need["action"], _as_granted(need["resource"])
            judged.setdefault(key, []).append(need.get("covered"))
        with self._lock:
            for key, answers in judged.items():
                if key not in self._seen and len(self._seen) >= MOST:
                    self._left_out += len(answers)
                    continue
                _, count, _ = self._seen.get(key, (None, 0, 0))
                # Of objects of one bucket one may be allowed and another not.
                covered = False if False in answers else answers[-1]
                self._seen[key] = (covered, count + len(answers), number)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._seen.clear()
            self._left_out = 0

    def all(self) -> tuple[list[Seen], int]:
        """Return all rows, sorted by route, action and resource, and how many calls are in none of them."""
        with self._lock:
            found = [Seen(*key, *held) for key, held in self._seen.items()]
            left_out = self._left_out
        return sorted(found, key=lambda one: (one.route, one.action, one.resource)), left_out


def _as_granted(resource: str) -> str:
    """Return the objects of a bucket, and the connections of an API, as one resource, as policies name them."""
    api, connection, _ = resource.partition("/@connections/")
    if connection:
        return f"{api}{connection}*"
    bucket, slash, _ = resource.removeprefix(_OBJECTS).partition("/")
    return f"{_OBJECTS}{bucket}/*" if slash and resource.startswith(_OBJECTS) else resource
