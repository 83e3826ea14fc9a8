"""What every user of a tenant may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from examples.tenants.storage import Work, unit_of_work
from router import Depends, NotFound, Router, Session

notes = Router("/notes", tags=["notes"])
# The tenant's own notes, and what is done to them kept only if the handler succeeds.
MyWork = Annotated[Work, Depends(unit_of_work)]


@dataclass
class NewNote:
    """The body of a request that adds a note."""

    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("the text is empty")  # the client gets it as a 422


@notes.post("/")
def add(note: NewNote, work: MyWork, session: Session) -> tuple[dict[str, Any], int]:
    """Add a note."""
    return {"id": work.add(note.text), "by": session.user}, 201


@notes.get("/")
def list_all(work: MyWork) -> list[dict[str, Any]]:
    """List the notes of the tenant."""
    return [{"id": number, "text": text} for number, text in work.notes.items()]


@notes.get("/{number:int}")
def show(number: int, work: MyWork) -> dict[str, Any]:
    """Show one note."""
    if number not in work.notes:
        raise NotFound(f"there is no note {number}")
    return {"id": number, "text": work.notes[number]}
