"""`Chunks`: the body of a streamed answer, as the gateway takes it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable


class BrokenOff(ConnectionError):
    """A streamed answer ended before its end: its handler failed, took too long, or its process ended."""


class Chunks:
    """Iterate over chunks as they come.

    credit: is told of bytes that were taken, so that as many more may come.
    gone: is called when nobody takes the rest.
    """

    def __init__(self, credit: Callable[[int], None], gone: Callable[[], None]) -> None:
        self._credit = credit
        self._gone = gone
        self._held: deque[bytes] = deque()
        self._came = asyncio.Event()
        self._is_over = False
        self._failure: str | None = None

    def add(self, chunk: bytes) -> None:
        """Take a chunk from the wire."""
        self._held.append(chunk)
        self._came.set()

    def finish(self, failure: str | None) -> None:
        """Take the end. failure: why it came before its time."""
        self._is_over = True
        self._failure = failure
        self._came.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk.

        Raises:
            BrokenOff: the answer ended before its end.
        """
        while not self._held:
            if self._is_over:
                if self._failure is not None:
                    raise BrokenOff(self._failure)
                raise StopAsyncIteration
            self._came.clear()
            await self._came.wait()
        chunk = self._held.popleft()
        self._credit(len(chunk))
        return chunk

    async def aclose(self) -> None:
        """Say that nobody takes the rest."""
        if not self._is_over:
            self._gone()
