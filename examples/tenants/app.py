"""The application: who may come in, what stands around every route, and what errors mean."""

from __future__ import annotations

from typing import Annotated, Any, NoReturn

from examples.tenants.admin import admin
from examples.tenants.audit import Audit
from examples.tenants.notes import NewNote, notes
from examples.tenants.storage import QuotaExceeded, Work, unit_of_work
from router import Depends, Discard, Event, Resolver, SessionPolicy, TooManyRequests

resolver = Resolver(
    session=SessionPolicy(
        # Vouched for by the authorizer of the API; `role` is kept, because permissions ask for it.
        tenant_claim="custom:tenant",
        user_claim="sub",
        claims=("role",),
        # Without a tenant nothing runs: a request is answered with 400, a record fails.
        require=("tenant",),
    )
)
resolver.use(Audit())
resolver.include(notes)
resolver.include(admin)


@resolver.on_queue("notes-import", batch=True)
def import_notes(events: list[Event], work: Annotated[Work, Depends(unit_of_work)]) -> None:
    """One call for each distinct session of a batch, so that one unit of work takes in all notes of that user."""
    for event in events:
        work.add(NewNote(**event.json()).text)


@resolver.catch(QuotaExceeded)
def over_quota(error: QuotaExceeded, event: Event) -> NoReturn:
    """To a client too many notes are a 429; on a queue another try would not help, so the message is let go."""
    if event.speaks_http:
        raise TooManyRequests(str(error))
    raise Discard(str(error))


def handler(event: Any, context: Any) -> Any:
    """What Lambda calls."""
    return resolver.resolve(event, context)
