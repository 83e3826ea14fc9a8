"""Routes for every user of a tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from adapters.mongo import DocumentNotFound
from examples.tenants.quota import MyPlaces
from examples.tenants.storage import Note, notes
from router import NotFound, Query, Router

routes = Router("/notes", tags=["notes"])
LONGEST_PAGE = 100
LATEST_FIRST = ("-created_at", "-id")


@dataclass
class NewNote:
    """The body of a request that adds a note, and of a message that imports one.

    It has what a client may say. Who wrote the note, and when, is not among it.
    """

    title: str
    text: str = ""

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise ValueError("the title is empty")  # the client gets it as a 422

    def made(self) -> Note:
        """The note, which the repository gives an id."""
        return Note(title=self.title, text=self.text)


@dataclass
class Change:
    """The body of a request that changes a note. version: the one that was read, so that nobody's change is lost."""

    text: str
    version: int


@routes.post("/")
async def add(note: NewNote, places: MyPlaces) -> tuple[Note, int]:
    """Add a note. A title that is there already is a 409 (`DuplicateKey`)."""
    await places.reserve(1)
    stored = await notes.insert_async(note.made())
    places.use()
    return stored, 201


@routes.get("/")
async def show_page(
    size: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 20,
    after: str | None = None,
    created_by: Annotated[str | None, Query(alias="by")] = None,
) -> dict[str, Any]:
    """Show the latest notes, a page at a time. after: the token that came with the page before."""
    where = {"created_by": created_by} if created_by else {}
    page = await notes.find(where, sort=LATEST_FIRST).page_async(size, after)
    return {"notes": page.items, "next": page.next}


@routes.get("/{id}")
async def show(id: str) -> Note:
    """Show one note. What cannot be an id is a 400 (`InvalidId`); another tenant's id is a 404 like any other."""
    note = await notes.get_async(id)
    if note is None:
        raise NotFound("there is no such note")
    return note


@routes.put("/{id}")
async def edit(id: str, change: Change) -> Note:
    """Change a note. If somebody else did so in the meantime, it is a 409 (`VersionConflict`)."""
    return await notes.update_async(id, set={"text": change.text}, version=change.version)


@routes.delete("/{id}")
async def delete(id: str) -> None:
    """Move a note to the trash."""
    if not await notes.delete_async(id):
        raise NotFound("there is no such note")


@routes.post("/{id}/restore")
async def restore(id: str) -> Note:
    """Take a note out of the trash."""
    try:
        return await notes.restore_async(id)
    except DocumentNotFound:
        raise NotFound("there is no such note, nor was there") from None
