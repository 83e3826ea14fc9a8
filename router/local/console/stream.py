"""Stream changes of entries and of the state, as server-sent events."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import StreamingResponse

from router.encode import loggable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from router.local.store import Store, Subscription, Update

KEEP_ALIVE = 15.0
"""Seconds after which a comment is sent where nothing happens, so that a connection that broke is noticed."""
_RETRY = b"retry: 1000\n\n"


class Live:
    """Answer with a stream that ends with the client or the gateway."""

    def __init__(self, store: Store, state: Callable[[], dict[str, Any]], keep_alive: float = KEEP_ALIVE) -> None:
        self._store = store
        self._state = state
        self._keep_alive = keep_alive

    async def __call__(self, request: Request) -> StreamingResponse:
        """Subscribe, and send `state` at once, then `entries`, `state` and `reload` as they come."""
        return StreamingResponse(
            self._messages(self._store.subscribe()),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _messages(self, subscription: Subscription) -> AsyncIterator[bytes]:
        try:
            yield _RETRY + self._message("state", self._state())
            while (update := await subscription.next(self._keep_alive)) is not None:
                yield self._text(update)
        finally:
            subscription.close()

    def _text(self, update: Update) -> bytes:
        text = b""
        if update.state:
            text += self._message("state", self._state())
        if update.reload:
            text += self._message("reload", {"history": asdict(self._store.kept())})
        elif update.entries:
            # In the order of their ids, as JSON that was made once for all clients.
            entries = b",".join(update.entries[number] for number in sorted(update.entries))
            history = json.dumps(asdict(self._store.kept())).encode()
            text += b'event: entries\ndata: {"entries":[' + entries + b'],"history":' + history + b"}\n\n"
        return text or b": still here\n\n"

    def _message(self, event: str, data: Any) -> bytes:
        text = json.dumps(data, default=loggable)
        return f"event: {event}\ndata: {text}\n\n".encode()
