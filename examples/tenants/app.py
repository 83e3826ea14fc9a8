"""The application: who may come in, what stands around every route, what it takes beside requests, what errors mean."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from adapters.mongo import DuplicateKey
from examples.tenants.admin import admin
from examples.tenants.audit import Audit
from examples.tenants.notes import NewNote, routes
from examples.tenants.quota import MyPlaces, QuotaExceeded
from examples.tenants.search import search
from examples.tenants.storage import notes, tokens
from examples.tenants.trash import empty_trash
from router import Authenticate, Discard, Event, FromRequest, Resolver, SessionPolicy, Signing, TooManyRequests

resolver = Resolver(
    session=SessionPolicy(
        # A user of several tenants says here which one is meant. It is the token that decides whether it may be.
        request=FromRequest(tenant_header="x-tenant"),
        # Messages and tasks carry their session, signed: who can write to the queue is not therefore any tenant.
        signing=Signing(os.environ["SESSION_SECRET"]),
    )
)
resolver.use(Audit())  # outermost, so that it sees who was refused, too
# Nothing runs without a user and a tenant: a request needs a token that is valid for both, anything else a session.
resolver.use(Authenticate(tokens, mode="full"))
resolver.include(routes)
resolver.include(search)
resolver.include(admin)


@resolver.on_queue("notes-import", batch=True)
async def import_notes(events: list[Event], places: MyPlaces) -> None:
    """One call for each distinct session of a batch: the notes of one user, for all of which there is room, or none."""
    imported = [NewNote(**event.json()) for event in events]
    await places.reserve(len(imported))
    for note in imported:
        try:
            await notes.insert_async(note.made())
        except DuplicateKey:
            continue  # it was imported before: queues deliver more than once. Its place goes back
        places.use()


@resolver.on_task("empty-trash")
async def empty_trash_of_tenant() -> None:
    """Do as `DELETE /admin/trash` does, in a Fargate task with `SESSION` in its environment: it may take its time."""
    await empty_trash()


@resolver.catch(QuotaExceeded)
def over_quota(error: QuotaExceeded, event: Event) -> NoReturn:
    """To a client too many notes are a 429; on a queue another try would not help, so the message is let go."""
    if event._speaks_http:
        raise TooManyRequests(str(error))
    raise Discard(str(error))


def handler(event: Any, context: Any) -> Any:
    """Handle a call of Lambda."""
    return resolver.resolve(event, context)
