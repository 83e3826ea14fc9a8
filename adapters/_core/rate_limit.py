"""A token bucket: how many messages a second this process sends to one topic or queue."""

from __future__ import annotations

import threading
import time

from router.errors import ConfigurationError
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class TokenBucket:
    """`per_second` messages on average, `burst` at once after a quiet time."""

    __slots__ = ("__weakref__", "_burst", "_clock", "_lock", "_per_second", "_tokens", "_when")

    def __init__(
        self, per_second: float, burst: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        burst = max(1.0, per_second) if burst is None else burst
        if not per_second > 0 or not burst >= 1:
            raise ConfigurationError(f"rate limit: give more than 0 a second and a burst from 1, not {per_second!r}")
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._begin()
        renewed(self)

    def _begin(self) -> None:
        self._tokens = self._burst
        self._when = self._clock()
        self._lock = threading.Lock()

    def _renew(self, *, forked: bool) -> None:
        self._begin()

    def take(self, count: int) -> float:
        """Take tokens, and return the seconds to wait until they are there. Later callers wait behind these."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._when) * self._per_second)
            self._when = now
            self._tokens -= count
            return max(0.0, -self._tokens / self._per_second)
