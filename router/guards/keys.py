"""`KeySet`: the public keys of an issuer, fetched when they are needed and kept for a while (JWKS, RFC 7517 §5).

A key set is replaced as a whole: a key that the issuer took back is gone after `max_age`. A failed fetch changes
nothing but the time of the next one. So neither an issuer that is down nor tokens with made-up key ids log anybody out.
"""

from __future__ import annotations

import random
import threading
from time import monotonic

from router.durations import seconds
from router.errors import ConfigurationError, ServiceUnavailable
from router.guards.fetching import checked_url, fetch
from router.guards.jwks import PublicKeys, read_keys
from router.guards.log import WARNING, log
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from router.durations import Duration

_DAY = 86_400
# Seconds between attempts while the issuer is down: doubled each time, up to the second number.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


class WouldWait(Exception):
    """Keys have to be fetched, and the caller must not be blocked meanwhile."""


class KeySet:
    """The keys of one issuer. Threads share it; one of them fetches, the others wait or use what is there.

    Durations are seconds, or a timedelta.

    url: of the key set, by https; by http only from this machine.
    issuer: in place of `url`: the key set is found by OpenID Connect Discovery, whose document must name this issuer.
    max_age: how old keys may become before they are fetched anew.
    unknown_every: how often a key id that is not in the set may lead to a fetch.
    budget: the time that one check may wait for fetching, all requests together.
    stale_for: how long beyond `max_age` the last keys count while the issuer does not answer.
    get: makes the HTTP request: `get(url, seconds)` returns the body as bytes.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        issuer: str | None = None,
        max_age: Duration = 300.0,
        unknown_every: Duration = 300.0,
        budget: Duration = 3.0,
        stale_for: Duration = 3600.0,
        get: Callable[[str, float], bytes] = fetch,
    ) -> None:
        if (url is None) == (issuer is None):
            raise ConfigurationError("KeySet: give the url of the key set, or the issuer that has it")
        self.url = None if url is None else checked_url(url, "KeySet(url=...)")
        self.issuer = None if issuer is None else checked_url(issuer, "KeySet(issuer=...)")
        self.max_age = seconds(max_age, "KeySet(max_age=...)", least=1, most=_DAY)
        self.unknown_every = seconds(unknown_every, "KeySet(unknown_every=...)", least=1, most=_DAY)
        self.budget = seconds(budget, "KeySet(budget=...)", least=0.1, most=60)
        self.stale_for = seconds(stale_for, "KeySet(stale_for=...)", least=0, most=7 * _DAY)
        self._get = get
        self._fetches = 0  # never begun anew: a fetch from before would be taken for a later one
        self._changed = threading.Condition()
        self._begin()
        renewed(self)

    def _begin(self) -> None:
        """Know no keys, and nothing of the issuer."""
        self._keys: PublicKeys | None = None
        self._fetched = 0.0  # when these keys came
        self._url = self.url
        self._running: int | None = None  # the number of the fetch that is under way
        self._started = 0.0
        self._failures = 0
        self._not_before = 0.0  # by the monotonic clock, as all of these
        self._last_unknown: float | None = None

    def _renew(self, *, forked: bool) -> None:
        """Begin anew: keys from before a snapshot look young by a clock that stood still, and a fork leaves threads."""
        if forked:
            self._changed = threading.Condition()
        with self._changed:
            self._begin()
            self._changed.notify_all()  # who waits for a fetch of before begins another one

    def find(self, id: str | None, algorithm: str, *, wait: bool = True) -> Any:
        """Return the one key that fits, as PyJWT takes it; None where there is none, or more than one.

        id: the key id of the token's header; None where it names none.
        algorithm: the one that the token says, already known to be allowed.
        wait: whether to wait for fetching.

        Raises:
            ServiceUnavailable: there are no keys to tell by, since the issuer does not answer.
            WouldWait: keys have to be fetched first, and `wait` is false.
        """
        if not wait and self._would_wait(id):
            raise WouldWait
        give_up, held = monotonic() + self.budget, self._keys
        keys = self._current(give_up)
        # Keys that came just now need no second look.
        if id is not None and keys is held and not keys.has(id) and self._may_look_again():
            keys = self._current(give_up, newer_than=keys)
        return keys.fitting(id, algorithm)

    def _would_wait(self, id: str | None) -> bool:
        now, keys = monotonic(), self._keys
        return keys is None or self._is_old(now) or (id is not None and not keys.has(id) and self._is_due(now))

    # ---- which keys ----------------------------------------------------------------------------------------------

    def _current(self, give_up: float, newer_than: PublicKeys | None = None) -> PublicKeys:
        """Return keys that are young enough, fetched if need be; older ones while the issuer does not answer.

        newer_than: keys that are known not to have what is looked for.
        """
        with self._changed:
            while True:
                now = monotonic()
                if self._keys is not None and self._keys is not newer_than and not self._is_old(now):
                    return self._keys
                if not self._is_fetching(now) and not self._start(now):
                    break  # one failed just now
                if now >= give_up:
                    break
                self._changed.wait(give_up - now)
                if self._running is None and self._failures:
                    break
            return self._last_known(monotonic())

    def _last_known(self, now: float) -> PublicKeys:
        if self._keys is not None and now - self._fetched <= self.max_age + self.stale_for:
            return self._keys
        wait = max(1, round(self._not_before - now))
        raise ServiceUnavailable("tokens cannot be checked at the moment", headers={"retry-after": wait})

    def _is_old(self, now: float) -> bool:
        return now - self._fetched > self.max_age

    def _may_look_again(self) -> bool:
        """Whether an unknown key id may lead to a fetch; it then counts as looked for, whatever comes of it."""
        with self._changed:
            now = monotonic()
            if not self._is_due(now):
                return False
            self._last_unknown = now
            return True

    def _is_due(self, now: float) -> bool:
        return self._last_unknown is None or now - self._last_unknown >= self.unknown_every

    # ---- fetching ------------------------------------------------------------------------------------------------

    def _is_fetching(self, now: float) -> bool:
        """Whether a fetch is under way. One that takes too long counts as failed, and what it brings as nothing."""
        if self._running is not None and now - self._started > self.budget:
            self._running = None
            self._pause(now)
        return self._running is not None

    def _start(self, now: float) -> bool:
        if now < self._not_before:
            return False
        self._fetches += 1
        self._running, self._started = self._fetches, now
        # A thread, since nothing else ends the wait for a name server or a body that drips.
        threading.Thread(target=self._fetch, args=(self._fetches,), name="junction-keys", daemon=True).start()
        return True

    def _fetch(self, number: int) -> None:
        keys, failure = None, None
        try:
            keys = self._read()
        except Exception as error:
            failure = error
        with self._changed:
            if self._running == number:
                self._running = None
                now = monotonic()
                if keys is not None:
                    self._keys, self._fetched, self._failures = keys, now, 0
                else:
                    self._url = self.url  # the issuer may have moved it
                    self._pause(now)
            self._changed.notify_all()
        if failure is not None:
            where = self.issuer or self.url
            log(WARNING, "the keys of %s cannot be fetched: %s", where, failure)

    def _pause(self, now: float) -> None:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._failures, 10))
        self._failures += 1
        self._not_before = now + longest * random.uniform(0.75, 1)  # noqa: S311  # it spreads, and guards nothing

    def _read(self) -> PublicKeys:
        if self._url is None:
            from router.guards.fetching import discover

            self._url = discover(str(self.issuer), self._get, self.budget)
        return read_keys(self._get(self._url, self.budget))


class FixedKeys:
    """Keys that an application brings along, as a parsed key set: for tests, and where no network is.

    Raises:
        ConfigurationError: it is no key set, or has no key.
    """

    def __init__(self, keys: Mapping[str, Any]) -> None:
        from router.encode import dumps
        from router.guards.fetching import FetchFailed

        try:
            self._keys = read_keys(dumps(dict(keys)))
        except (FetchFailed, TypeError, ValueError) as error:
            raise ConfigurationError(f"Jwt(keys=...): {error}") from None

    def find(self, id: str | None, algorithm: str, *, wait: bool = True) -> Any:
        """Return the one key that fits; see `KeySet.find`. It never waits."""
        return self._keys.fitting(id, algorithm)
