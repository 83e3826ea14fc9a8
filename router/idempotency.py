"""Name what an idempotency store keeps of an event: the contract between `router.guards.Idempotent` and its stores."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Store(Protocol):
        """Keeps which events were begun and done. Each verb is atomic for its key; times are seconds since 1970.

        A store with a clock of its own goes by the differences between the times of a claim.
        """

        def begin(self, key: str, claim: Claim, /) -> Stored | None:
            """Claim a key. None: it is this claim's now. Else what was done, or somebody else is doing, under it.

            A key that its owner has not done yet is claimed anew, from now on: its answer was lost, or it comes back.
            """

        def finish(self, key: str, owner: str, result: bytes | None, /) -> None:
            """Keep the result of a claim, if the key is still its own."""

        def forget(self, key: str, owner: str, /) -> None:
            """Give a key back, if it is still the claim's own: what was begun is not done."""

        async def begin_async(self, key: str, claim: Claim, /) -> Stored | None: ...
        async def finish_async(self, key: str, owner: str, result: bytes | None, /) -> None: ...
        async def forget_async(self, key: str, owner: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt to do something once.

    owner: a random name of this attempt, or the name of who comes back to it.
    fingerprint: of what is asked for; empty where the key says it all.
    now: the time.
    running_until: when the attempt counts as dead, and another may begin.
    expires_at: when the key is forgotten.
    """

    owner: str
    fingerprint: str
    now: float
    running_until: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Stored:
    """Hold what is known under a key.

    fingerprint: of what was asked for.
    done: whether it is done; else somebody is doing it.
    result: its result, where one could be kept.
    running_until: when the attempt that is under way counts as dead.
    """

    fingerprint: str
    done: bool
    result: bytes | None = None
    running_until: float = 0.0
