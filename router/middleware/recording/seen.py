"""`Seen`: what is seen of a call while it runs."""

from __future__ import annotations

from time import perf_counter, time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.dispatch.invocation import Invocation
    from router.event import Event


class Seen:
    """A call that may be recorded. payload: its JSON text. at: when it began, in nanoseconds since 1970."""

    __slots__ = ("at", "is_text", "payload", "routes", "started", "stream_size", "streams")

    def __init__(self, invocation: Invocation) -> None:
        self.payload = written(invocation.raw)
        self.at = time_ns()
        self.started = perf_counter()
        self.routes: dict[str, None] = {}
        self.streams: list[bytes] | None = None
        self.stream_size = 0
        self.is_text = True

    def took(self, event: Event) -> None:
        """Note which route took an event."""
        if event.route is not None and event.outer is None:
            self.routes[str(event.route)] = None

    def answered(self, response: Any, most: int) -> None:
        """Look at what an answer streams, while it does.

        most: the bytes of a stream that are kept.
        """
        stream = getattr(response, "chunks", None)
        if stream is not None and self.streams is None:
            self.streams = chunks = []

            def look(chunk: Any) -> None:
                if not isinstance(chunk, str | bytes | bytearray | memoryview):
                    return  # it ends the stream, which says so
                data = chunk.encode("utf-8", "replace") if isinstance(chunk, str) else bytes(chunk)
                self.is_text = self.is_text and isinstance(chunk, str)
                self.stream_size += len(data)
                if self.stream_size <= most:
                    chunks.append(data)

            stream.watch(look)

    def failed(self, invocation: Invocation) -> bool:
        """Whether a call failed, one of its events, or it answered that something is broken."""
        if invocation.error is not None:
            return True
        answer = invocation.answer
        status = answer.get("statusCode", answer.get("status")) if isinstance(answer, dict) else None
        if status is not None and str(status).isdecimal():
            return int(status) >= 500
        return bool(invocation.failed)


def written(value: Any) -> bytes:
    """Return JSON data as text. What orjson does not write, such as half a character, Python's own module does."""
    import orjson

    try:
        return orjson.dumps(value)
    except TypeError:
        from json import dumps

        return dumps(value, default=str).encode()
