"""Notes that were deleted are kept, with a mark, until the trash is emptied."""

from __future__ import annotations

from adapters.mongo import ne
from examples.tenants.quota import free
from examples.tenants.storage import notes

_DELETED = {"deleted_at": ne(None)}


async def count_trash() -> int:
    """How many notes of the tenant are in the trash."""
    return await notes.count_async(_DELETED, deleted=True)


async def empty_trash() -> int:
    """Remove the notes in the trash for good, which makes room for others. Gives how many there were."""
    removed = 0
    # A cursor: the documents are read as they are needed, however many there are.
    async for note in notes.find(_DELETED, deleted=True, only=["id"]):
        if await notes.purge_async(note["id"]):
            await free(1)
            removed += 1
    return removed
