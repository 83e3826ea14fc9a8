"""`MemoryStore`: idempotency within one process, for tests and for a laptop."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from router.idempotency import Stored
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.idempotency import Claim


@dataclass(slots=True)
class _Held:
    claim: Claim
    done: bool = False
    result: bytes | None = None

    def is_taken(self, claim: Claim) -> bool:
        """Whether it has not expired, and is done, or still being done by somebody else."""
        if self.claim.expires_at <= claim.now:
            return False
        return self.done or (self.claim.running_until > claim.now and self.claim.owner != claim.owner)


class MemoryStore:
    """Keeps claims in this process. Lambda runs many processes: two of them do not know of each other.

    most: how many keys are kept; the oldest goes first.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._lock, self._held = threading.Lock(), {}

    def begin(self, key: str, claim: Claim) -> Stored | None:
        """Claim a key; see `router.idempotency.Store`."""
        with self._lock:
            held = self._held.get(key)
            if held is not None and held.is_taken(claim):
                return Stored(held.claim.fingerprint, held.done, held.result, held.claim.running_until)
            self._held.pop(key, None)
            while len(self._held) >= self._most:
                del self._held[next(iter(self._held))]
            self._held[key] = _Held(claim)
            return None

    def finish(self, key: str, owner: str, result: bytes | None) -> None:
        """Keep the result of a claim."""
        with self._lock:
            held = self._held.get(key)
            if held is not None and held.claim.owner == owner:
                held.done, held.result = True, result

    def forget(self, key: str, owner: str) -> None:
        """Give a key back."""
        with self._lock:
            held = self._held.get(key)
            if held is not None and held.claim.owner == owner:
                del self._held[key]

    async def begin_async(self, key: str, claim: Claim) -> Stored | None:
        """Claim a key from async code."""
        return self.begin(key, claim)

    async def finish_async(self, key: str, owner: str, result: bytes | None) -> None:
        """Keep the result of a claim from async code."""
        self.finish(key, owner, result)

    async def forget_async(self, key: str, owner: str) -> None:
        """Give a key back from async code."""
        self.forget(key, owner)
