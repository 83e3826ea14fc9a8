"""How many notes a tenant may have: a dependency that holds something for the handler, and lets go of it afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from examples.tenants.storage import tenants, usage
from router import Depends, Session

_COUNTER = "notes"


class QuotaExceeded(Exception):
    """A tenant has as many notes as it may have."""


class Places:
    """Places for notes of a tenant, reserved before the notes are written: only one of two requests gets the last."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._unused = 0

    async def reserve(self, number: int) -> None:
        """Reserve places for so many notes. Raises QuotaExceeded when there are not enough."""
        customer = await tenants.get_async(self._tenant)
        most = 0 if customer is None else customer.most_notes
        counted = await usage.update_async(_COUNTER, inc={"notes": number}, upsert=True)
        self._unused += number
        if counted.notes > most:
            raise QuotaExceeded(f"{self._tenant} may have {most} notes")

    def use(self) -> None:
        """A note was stored: its place does not go back."""
        self._unused -= 1

    async def give_back(self) -> None:
        """Let go of what was reserved and not used."""
        if self._unused:
            await free(self._unused)


async def free(number: int) -> None:
    """There are so many notes less."""
    await usage.update_async(_COUNTER, inc={"notes": -number}, upsert=True)


async def taken() -> int:
    """How many places of the session's tenant are taken."""
    counted = await usage.get_async(_COUNTER)
    return 0 if counted is None else counted.notes


async def places(session: Session) -> AsyncIterator[Places]:
    """A dependency that is torn down: after the handler it goes on behind the `yield`, whether that failed or not."""
    held = Places(session.require_tenant())
    try:
        yield held
    finally:
        await held.give_back()


MyPlaces = Annotated[Places, Depends(places)]
