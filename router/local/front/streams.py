"""Send a streamed body chunk by chunk, within the limits of streams, as long as somebody takes it."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Any

from router.local.front.limits import STREAMED, STREAMED_FOR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from router.local.front.request import Receive, Send


async def send_chunks(stream: AsyncIterator[bytes], receive: Receive, send: Send) -> str | None:
    """Send the body of an answer whose head is sent. Return why it is not whole; None where it is.

    A client that leaves ends the stream, and that is no fault.
    """
    gone = asyncio.ensure_future(_left(receive))
    begun, sent = monotonic(), 0
    try:
        async for chunk in stream:
            if gone.done():
                return None
            sent += len(chunk)
            if sent > STREAMED:
                return f"a streamed answer has {STREAMED:,} bytes at most"
            if monotonic() - begun > STREAMED_FOR:
                return f"a streamed answer takes {STREAMED_FOR:g} s at most"
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except Exception as error:  # of the handler's stream: nobody above could do anything with it
        return f"the stream of the handler ended with {type(error).__name__}: {error}"
    finally:
        gone.cancel()
        await closed(stream)
    return None


async def closed(stream: Any) -> None:
    """End a stream that nobody reads on. None, or what cannot be ended, is left alone."""
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()


async def _left(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
