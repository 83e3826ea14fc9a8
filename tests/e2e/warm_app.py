"""What the runtime client runs for a thousand calls: sync and async routes, and a client that belongs to one loop."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import httpx

from router import Event, FromRequest, Resolver, Session, SessionPolicy, get_session

resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))


class OnTheLoop:
    """Made by the first async handler and never again; whatever it holds is worthless on any other loop."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        # Whatever proxy the environment names has no way to this machine's loopback address.
        self.http = httpx.AsyncClient(base_url=os.environ["UPSTREAM"], trust_env=False)


_held: OnTheLoop | None = None


def held() -> OnTheLoop:
    """The one that all calls share."""
    global _held
    if _held is None:
        _held = OnTheLoop()
    return _held


@resolver.get("/sync/{number:int}")
def sync_route(number: int, session: Session) -> dict[str, Any]:
    """A sync request: whose it is by argument and by context."""
    return {"number": number, "tenant": session.tenant, "current": get_session().tenant}


@resolver.get("/async/{number:int}")
async def async_route(number: int) -> dict[str, Any]:
    """An async request, which waits in between: the session must be the same on both sides."""
    mine = held()
    async with mine.lock:
        before = get_session().tenant
        answer = await mine.http.get(f"/{number}")
        return {"number": int(answer.text), "tenant": before, "current": get_session().tenant}


@resolver.on_queue("jobs")
async def job(event: Event, session: Session) -> None:
    """A record, which fails when it is not the session's own."""
    await held().queue.put(event.text)
    if await held().queue.get() != session.tenant or get_session() is not session:
        raise ValueError(f"{session.tenant} was given the job of {event.text}")


@resolver.on_queue("mixed")
def mixed(event: Event) -> None:
    """A sync record; some fail."""
    if event.json()["fails"]:
        raise ValueError("as it should")


@resolver.on_invoke("whoami")
def whoami(session: Session) -> dict[str, Any]:
    """A direct invoke."""
    return {"tenant": session.tenant, "user": session.user}


def handler(event: Any, context: Any) -> Any:
    """What the runtime client calls."""
    return resolver.resolve(event, context)
