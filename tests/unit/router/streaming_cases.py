"""What a runtime that streams does with an answer, without the runtime."""

from __future__ import annotations

from typing import Any

from router import Resolver
from router.dispatch.loop import run
from router.dispatch.plan import drive
from router.streaming import ClientGone, Stream
from router.testing.context import Context


class StreamingContext(Context):
    """The context of a runtime that streams."""

    streamed_sources = frozenset({"rest", "url"})


class Sent:
    """An answer as such a runtime would send it."""

    def __init__(self, resolver: Resolver, payload: Any, *, hang_up_after: int | None = None) -> None:
        self.answer = resolver.resolve(payload, StreamingContext())
        self.body = self.answer["body"]
        self.chunks: list[bytes] = []
        self.error: Exception | None = None
        self._most = hang_up_after
        if isinstance(self.body, Stream):
            work = self.body.send(self._take)
            try:
                run(work) if self.body.waits else drive(work)
            except Exception as error:
                self.error = error

    def _take(self, chunk: bytes) -> None:
        if len(self.chunks) == self._most:
            raise ClientGone
        self.chunks.append(chunk)
