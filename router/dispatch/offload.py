"""Bodies that were too large for their message: they wait elsewhere, and a pointer travels."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from router.event import Event

    class Offload(Protocol):
        """Find the pointer in a message and fetch its body."""

        def pointer(self, event: Event) -> Any: ...
        def fetch(self, pointer: Any) -> bytes: ...
        async def fetch_async(self, pointer: Any) -> bytes: ...


def open_offloaded(offload: Offload, event: Event) -> Any:
    """Let an event that carries a pointer fetch its body when that is read. Gives the pointer, or None."""
    pointer = offload.pointer(event)
    if pointer is not None:
        event._offloaded = lambda: offload.fetch(pointer)
        event._forget_body()  # whatever was read of the pointer itself
    return pointer
