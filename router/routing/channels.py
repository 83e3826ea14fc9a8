"""Channels of an Event API: `/chat/room-1`, `/chat/*`. A star stands for whole segments, never for a part of one.

The last segment of a route may be a star, for one segment or more; one in between is for exactly one. A client may
subscribe to `/chat/*`, which is every channel below: only a route that covers all of them is asked, and none is where
another route guards one of them.
"""

from __future__ import annotations

from router.errors import ConfigurationError
from router.routing.names import Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event
    from router.routing.route import Route
    from router.routing.slots import Slot

_ALL = "/*"
_STAR = "*"


def check_channel(path: str) -> str:
    """Return the channel or pattern of a route; `*` alone is short for `/*`.

    Raises:
        ConfigurationError: it is none, and could match nothing.
    """
    if path == _STAR:
        return _ALL
    first, *segments = path.split("/")
    if type(path) is str and not first and segments and not all(segments):
        raise ConfigurationError(f"channel {path!r:.100}: a segment is empty: there is a slash too many")
    if type(path) is not str or first or not segments:
        raise ConfigurationError(f"channel {path!r:.100}: write it with a slash in front, '/chat/room-1' or '/chat/*'")
    if any(_STAR in segment and segment != _STAR for segment in segments):
        raise ConfigurationError(f"channel {path!r:.100}: a star stands for a whole segment, as in '/chat/*'")
    if "{" in path:
        raise ConfigurationError(
            f"channel {path!r:.100}: channels have no parameters; write a star, read event.segments"
        )
    return path


def check_route(route: Route) -> None:
    """Check what only routes of channels have.

    Raises:
        ConfigurationError: its path is no channel, or an option makes no sense.
    """
    try:
        check_channel(route.match)
    except ConfigurationError as error:
        raise ConfigurationError(f"{route}: {error}") from None
    if route.others != "fail":
        raise ConfigurationError(f"{route}: others= is for records that may be passed over; here each is answered")
    if route.batch and route.events == ("SUBSCRIBE",):
        raise ConfigurationError(f"{route}: a subscription comes alone; leave batch= out")


class Channels(Names):
    """The routes of Event APIs, by channel."""

    __slots__ = ()

    def place(self, name: str) -> Slot:
        """The slot of a channel or pattern, made when it is not there yet."""
        return super().place(check_channel(name))

    def find(self, name: str, event: Event) -> Any:
        """The entry for an event of this channel, or None."""
        if name.endswith(_ALL) and self._is_guarded(name, event.change):
            return None
        return super().find(name, event)

    def ignores(self, name: str, event: Event) -> bool:
        """Nothing is of no interest: to let an event or a subscription pass is an answer, which a route must give."""
        return False

    def _fitting(self, name: str) -> list[str]:
        segments = name.split("/")[1:]
        fitting = [pattern for pattern in self._wild if _covers(pattern.split("/")[1:], segments)]
        # From the left: the first fixed segment where another has a star is the better match.
        return sorted(fitting, key=lambda pattern: [segment == _STAR for segment in pattern.split("/")] + [2])

    def _is_guarded(self, name: str, change: str) -> bool:
        """Whether a route for the same operation is about some of the channels of a subscription, but not all."""
        asked = name.split("/")[1:]
        return any(
            _touches(pattern.split("/")[1:], asked)
            and not _covers(pattern.split("/")[1:], asked)
            and any(not entry.route.events or change in entry.route.events for _, entry in slot.choices)
            for pattern, slot in [*self._exact.items(), *self._wild.items()]
        )


def _covers(pattern: list[str], asked: list[str]) -> bool:
    """Whether a pattern takes a channel, or each channel of a subscription that ends with a star."""
    if pattern[-1] != _STAR:
        return len(pattern) == len(asked) and all(map(_same, pattern, asked))
    return len(pattern) <= len(asked) and all(map(_same, pattern[:-1], asked))


def _same(part: str, segment: str) -> bool:
    return part == segment or (part == _STAR and segment != _STAR)


def _touches(pattern: list[str], asked: list[str]) -> bool:
    """Whether a pattern takes at least one of the channels of a subscription that ends with a star."""
    fixed = asked[:-1]
    if pattern[-1] == _STAR and len(pattern) <= len(fixed):
        fixed = fixed[: len(pattern) - 1]
    elif len(pattern) < len(asked):
        return False
    return all(part in (_STAR, segment) for part, segment in zip(pattern, fixed, strict=False))
