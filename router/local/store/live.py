"""Tell who watches what has changed, in batches that a slow reader can skip."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BETWEEN = 0.1
"""Seconds between two batches for one reader."""
MOST = 2000
"""Entries that wait for one reader; beyond that it is told to load anew."""


@dataclass(slots=True)
class Update:
    """Say what has changed since the last one.

    entries: summaries as JSON, by their numbers. state: whether the state has changed.
    reload: whether changes were left out, so that the reader has to load anew.
    """

    entries: dict[int, bytes] = field(default_factory=dict)
    state: bool = False
    reload: bool = False


class Subscription:
    """Wait for changes. Made by `Feed.subscribe`; all but `offer` is for its event loop."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._loop = asyncio.get_running_loop()
        self._pending = Update()
        self._something = asyncio.Event()
        self._ended = False
        self._next = 0.0

    async def next(self, patience: float) -> Update | None:
        """Return what has changed, or an empty update after a while; None at the end.

        patience: in seconds.
        """
        try:
            async with asyncio.timeout(patience):
                await self._something.wait()
                # Together, so that a burst makes few messages; the first of them goes at once.
                await asyncio.sleep(self._next - self._loop.time())
        except TimeoutError:
            return Update()
        if self._ended:
            return None
        self._something.clear()
        self._next = self._loop.time() + BETWEEN
        update, self._pending = self._pending, Update()
        return update

    def close(self) -> None:
        """End it: nothing is kept for it any more."""
        self._feed.leave(self)

    def offer(self, update: Update) -> None:
        """Take changes, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._take, update)
        except RuntimeError:  # its loop has ended
            self._feed.leave(self)

    def end(self) -> None:
        """Have `next` return None, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._end)
        except RuntimeError:
            pass

    def _end(self) -> None:
        self._ended = True
        self._next = 0.0
        self._something.set()

    def _take(self, update: Update) -> None:
        pending = self._pending
        pending.state |= update.state
        pending.reload |= update.reload
        if not pending.reload:
            pending.entries |= update.entries
            pending.reload = len(pending.entries) > MOST
        if pending.reload:
            pending.entries.clear()
        self._something.set()


class Feed:
    """Hand changes to all subscriptions."""

    def __init__(self) -> None:
        self._all: frozenset[Subscription] = frozenset()
        self._closed = False

    @property
    def watched(self) -> bool:
        """Tell whether anybody reads."""
        return bool(self._all)

    def subscribe(self) -> Subscription:
        """Return a subscription for the event loop that runs."""
        made = Subscription(self)
        self._all |= {made}
        if self._closed:
            made.end()
        return made

    def leave(self, one: Subscription) -> None:
        """Take a subscription away."""
        self._all -= {one}

    def publish(self, entries: Mapping[int, bytes]) -> None:
        """Tell of entries that are new or have changed."""
        self._offer(Update(entries=dict(entries)))

    def publish_state(self) -> None:
        """Tell that the state has changed."""
        self._offer(Update(state=True))

    def publish_reload(self) -> None:
        """Tell that everything is to be loaded anew."""
        self._offer(Update(reload=True))

    def close(self) -> None:
        """End all subscriptions."""
        self._closed = True
        for one in self._all:
            one.end()

    def _offer(self, update: Update) -> None:
        for one in self._all:
            one.offer(update)
