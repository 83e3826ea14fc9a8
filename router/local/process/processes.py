"""`Processes`: all processes of the application that there are, one of them standing by for the next version."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from router.local.process.running import Running

_PAUSE = 0.3  # seconds; calls that waited for a start come first
_ENDS = 5.0  # seconds


class Processes:
    """Make processes, and end them.

    One that stands by has imported the library already when a file is saved: that is most of the time of a start.

    make: returns one that is not started yet. environment: of the next one. folder: where they run.
    spares: whether one stands by.
    """

    def __init__(
        self,
        make: Callable[[], Running],
        environment: Callable[[], Mapping[str, str]],
        folder: Path,
        *,
        spares: bool,
    ) -> None:
        self._make = make
        self._environment = environment
        self._folder = folder
        self._spares = spares
        self._all: set[Running] = set()
        self._spare: Running | None = None
        self._standing_by: asyncio.Task[None] | None = None

    def take(self) -> Running:
        """Return the process that stands by, or else one that is not started yet."""
        spare, self._spare = self._spare, None
        if spare is not None and not spare.ended.done():
            return spare
        running = self._make()
        self._all.add(running)
        return running

    def stand_by(self) -> None:
        """Have a process stand by, unless one does."""
        if self._spares and self._spare is None and (self._standing_by is None or self._standing_by.done()):
            self._standing_by = asyncio.get_running_loop().create_task(self._start_spare())

    def ended(self, running: Running) -> None:
        """Take note of the end of one."""
        self._all.discard(running)
        if running is self._spare:
            self._spare = None

    async def end(self) -> None:
        """End all of them at once, and wait until they have ended."""
        if self._standing_by is not None:
            self._standing_by.cancel()
            await asyncio.wait([self._standing_by])
        for running in self._all:
            running.kill()
        ends = [running.ended for running in self._all if running.pid is not None]
        if ends:
            await asyncio.wait(ends, timeout=_ENDS)

    async def _start_spare(self) -> None:
        await asyncio.sleep(_PAUSE)
        spare = self._make()
        self._all.add(spare)
        try:
            await spare.start(self._environment(), self._folder)
        except OSError:
            self._all.discard(spare)  # whoever needs one will meet the same, and say so
        else:
            self._spare = spare
