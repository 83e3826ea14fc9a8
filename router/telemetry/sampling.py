"""Loggers that write DEBUG lines in a share of the calls."""

from __future__ import annotations

from logging import DEBUG, getLogger
from random import random
from threading import Lock

from router.errors import ConfigurationError
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class DebugShares:
    """Draw for each call which loggers write DEBUG lines in it. Several calls may run at once, as in a worker.

    shares: the share of calls, from 0 to 1, by the name of the logger.

    Raises:
        ConfigurationError: a share is not between 0 and 1, or is one of the root logger.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        for name, share in shares.items():
            if not name or name == "root":
                raise ConfigurationError("LogFields(debug=...): not the root logger: clients would log credentials")
            if not 0 <= share <= 1:
                raise ConfigurationError(f"LogFields(debug=...): {name} needs a share from 0 to 1, not {share}")
        self._shares = dict(shares)
        self._lock = Lock()
        self._running: dict[str, list[int]] = {}  # how many calls have drawn a logger, and its level before
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._lock = Lock()

    def begin(self) -> list[str]:
        """Return the loggers that write DEBUG lines in a call that begins."""
        drawn = [name for name, share in self._shares.items() if random() < share]  # noqa: S311
        with self._lock:
            for name in drawn:
                held = self._running.setdefault(name, [0, getLogger(name).level])
                held[0] += 1
                getLogger(name).setLevel(DEBUG)
        return drawn

    def end(self, drawn: list[str]) -> None:
        """Put the levels back, once no call needs them."""
        with self._lock:
            for name in drawn:
                held = self._running[name]
                held[0] -= 1
                if not held[0]:
                    getLogger(name).setLevel(held[1])
                    del self._running[name]
