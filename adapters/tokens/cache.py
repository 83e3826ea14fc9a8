"""The cache of `Tokens`: who was let in not long ago."""

from __future__ import annotations

import hmac
import threading
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from adapters.tokens.records import Stored
    from router.identity import Identity

_AT_MOST = 10_000


class TokenCache:
    """Identities by the id of their token, each for some seconds; the oldest goes when there are too many.

    revision: counts what was revoked here. What was read before that is not kept after it.
    """

    def __init__(self, seconds: float, most: int = _AT_MOST) -> None:
        self.revision = 0
        self._seconds = timedelta(seconds=seconds)
        self._most = most
        self._lock = threading.Lock()
        self._held: dict[str, tuple[Stored, datetime, datetime]] = {}
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._lock = threading.Lock()
        self.forget(None)

    def get(self, id: str, digest: bytes, now: datetime) -> Identity | None:
        """Return the identity of a token that was good not long ago."""
        found = self._held.get(id)
        if found is None:
            return None
        stored, since, until = found
        # A clock that was set back must not make it last longer.
        if not since <= now < until or not hmac.compare_digest(digest, stored.digest):
            return None
        return _copy(stored.identity)

    def keep(self, stored: Stored, now: datetime, revision: int) -> None:
        """Keep an identity, until its token expires at most. revision: that before it was read."""
        if not self._seconds:
            return
        until = now + self._seconds
        if stored.expires_at is not None:
            until = min(until, stored.expires_at)
        held = replace(stored, identity=_copy(stored.identity))
        with self._lock:
            if revision != self.revision:
                return
            self._held.pop(stored.identity.credential_id, None)
            while len(self._held) >= self._most:
                del self._held[next(iter(self._held))]
            self._held[stored.identity.credential_id] = held, now, until

    def forget(self, id: str | None) -> None:
        """Drop one token, or with None all of them."""
        with self._lock:
            self.revision += 1
            if id is None:
                self._held.clear()
            else:
                self._held.pop(id, None)


def _copy(identity: Identity) -> Identity:
    """With claims of its own: what a handler does to them must not reach the next request."""
    return replace(identity, claims=deepcopy(dict(identity.claims)))
