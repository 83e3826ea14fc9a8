"""Close what belongs to an event loop when the loop ends."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from typing import Any


def closed_with_loop(close: Callable[[], Any]) -> AsyncGenerator[None, None]:
    """Have the running loop call a function before it is closed itself; `aclose()` of the result calls it earlier.

    A loop closes the async generators that were begun on it (`shutdown_asyncgens`, which asyncio.run and the loop of
    the router call), and there is no other hook for that.

    close: may return something to await.
    """
    guard = _until_shutdown(close)
    try:
        guard.__anext__().send(None)
    except StopIteration:
        pass  # it stands at its yield
    return guard


async def _until_shutdown(close: Callable[[], Any]) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        closing = close()
        if closing is not None:
            await closing
