"""`RateLimit`: how often a tenant, a user or an address may call.

    resolver.use(RateLimit(RateLimitTable(), rate=100, per=60, by="user"))

It is a token bucket, kept as the one moment when it will be full again (GCRA): one number for each key.
"""

from __future__ import annotations

import threading
from math import ceil
from time import time

from router.dispatch.chain import Middleware
from router.durations import seconds
from router.errors import ConfigurationError, ServiceUnavailable, TooManyRequests
from router.event import Source
from router.guards.digests import digest
from router.guards.log import ERROR, log
from router.signals import Retry
from router.snapshots import renewed
from router.sources._registry import RECORD_SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal, Protocol

    from router.dispatch.chain import Around, AsyncAround
    from router.durations import Duration
    from router.event import Event

    class Buckets(Protocol):
        """Keeps the buckets. Times are seconds since 1970; one with a clock of its own does not need the caller's."""

        def take(self, key: str, interval: float, slack: float, now: float, /) -> float:
            """Take one token out of a bucket, atomically.

            interval: the seconds in which one token comes back.
            slack: the seconds by which the bucket may be ahead: those in which all but one of its tokens come back.

            Returns the seconds until there is a token: 0 where one was taken.
            """

        async def take_async(self, key: str, interval: float, slack: float, now: float, /) -> float: ...


_DAY = 86_400
_FASTEST = 1_000_000
_MOST = 10**9
_SUBNET = 64  # bits of an IPv6 address: what one customer has at least, to choose any address of


def _network(address: str | None) -> str | None:
    """Return what one client cannot change of its address: all of IPv4, the subnet of IPv6."""
    if address is None or ":" not in address:
        return address
    from ipaddress import IPv6Address

    try:
        held = IPv6Address(address)
    except ValueError:
        return address
    return str(held.ipv4_mapped or f"{int(held) >> (128 - _SUBNET):x}::/{_SUBNET}")


_BY: dict[str, Callable[[Event], str | None]] = {
    "tenant": lambda event: event.session.tenant,
    "user": lambda event: event.session.user,
    "address": lambda event: _network(event.source_ip),
}


class RateLimit(Middleware):
    """Middleware that refuses events beyond a rate: over HTTP 429 with `Retry-After`; a record comes again then.

    buckets: where they are kept, such as `adapters.rate_limits.RateLimitTable`. `MemoryBuckets` count for one process
        alone, and Lambda runs many.
    rate, per: so many events in so many seconds (or a timedelta).
    burst: how many may come at once; `rate` by default.
    by: whose bucket: that of the "tenant", the "user" or the "address" (of IPv6 its /64, which one client has for
        itself), or what a function of the event returns. Clients of whom that says nothing share one bucket, and
        messages, schedules and calls share another. By "address" those are not counted: they have none.
    name: tells limits apart that share buckets; by default the rate and `by`.
    when_down: what happens while the buckets do not answer: "refuse" (503; the record fails), or "run".

    By "tenant" and "user" it has to stand inside of what authenticates; `auth=` stands outside by itself. By "address"
    `auth=` stands inside, so that bad credentials are counted, too.
    """

    once = True

    def __init__(
        self,
        buckets: Buckets,
        *,
        rate: int,
        per: Duration = 60,
        burst: int | None = None,
        by: Literal["tenant", "user", "address"] | Callable[[Event], str | None] = "user",
        name: str = "",
        when_down: Literal["refuse", "run"] = "refuse",
    ) -> None:
        has_verbs = all(callable(getattr(buckets, verb, None)) for verb in ("take", "take_async"))
        if isinstance(buckets, type) or not has_verbs:
            raise ConfigurationError(f"RateLimit(): {buckets!r:.80} keeps no buckets; give an instance with both verbs")
        for option, value in (("rate", rate), ("burst", rate if burst is None else burst)):
            if type(value) is not int or not 1 <= value <= _MOST:
                raise ConfigurationError(f"RateLimit({option}={value!r:.80}): give an integer from 1 to {_MOST:,}")
        if not callable(by) and by not in _BY:
            raise ConfigurationError(f"RateLimit(by={by!r:.80}): use {', '.join(_BY)} or a function of the event")
        if when_down not in ("refuse", "run"):
            raise ConfigurationError(f"RateLimit(when_down={when_down!r:.80}): use refuse or run")
        window = seconds(per, "RateLimit(per=...)", least=0.001, most=_DAY)
        self._buckets = buckets
        if rate > window * _FASTEST:
            raise ConfigurationError(f"RateLimit(rate={rate}): at most {_FASTEST:,} in a second can be counted")
        self._interval = window / rate
        held = rate if burst is None else burst
        # Each token that is taken moves a moment by an interval, and buckets may round it to the microsecond: without
        # room for that the last token of a bucket is refused. Never as much as a token.
        self._slack = (held - 1) * self._interval + min(held / 1_000_000, self._interval / 2)
        self.inside_auth = by in ("tenant", "user")
        self.outside_auth = by == "address"  # so that bad credentials are counted, too
        self._whose = by if callable(by) else _BY[by]
        self._name = name or f"{rate}/{window:g}/{by if isinstance(by, str) else getattr(by, '__qualname__', 'own')}"
        self._runs_without = when_down == "run"
        self._by_address = by == "address"

    def __call__(self, event: Event) -> Around:
        key = None if _is_free(event) else self._key(event)
        if key is None:
            return
        try:
            wait = self._buckets.take(key, self._interval, self._slack, time())
        except Exception as error:
            wait = self._down(event, error)
        if wait > 0:
            self._refuse(event, wait)
        yield

    async def call_async(self, event: Event) -> AsyncAround:
        """Do the same in an async chain, without blocking its event loop."""
        key = None if _is_free(event) else self._key(event)
        if key is None:
            return
        try:
            wait = await self._buckets.take_async(key, self._interval, self._slack, time())
        except Exception as error:
            wait = self._down(event, error)
        if wait > 0:
            self._refuse(event, wait)
        yield

    def _key(self, event: Event) -> str | None:
        """Return the key of the event's bucket; None where it is not counted."""
        whose = self._whose(event)
        if whose is not None and not isinstance(whose, str):
            raise ConfigurationError(f"RateLimit(by=...) returned {whose!r:.80}; give text, or None")
        if whose is None and self._by_address and not event._from_client:
            return None  # a queue has no address: one bucket for all messages would hold up the application itself
        # Clients whom nobody knows have a bucket apart: they could empty that of a schedule otherwise.
        unknown = "nobody" if event._from_client else "no client"
        return digest(self._name, unknown if whose is None else "of:" + whose)

    def _refuse(self, event: Event, wait: float) -> None:
        after = min(ceil(wait), 43_200)
        if event.source in RECORD_SOURCES and not event._from_client:
            raise Retry(after, "over the rate limit")
        raise TooManyRequests("too many requests", headers={"retry-after": after})

    def _down(self, event: Event, error: Exception) -> float:
        if isinstance(error, ConfigurationError):
            raise error  # they can never answer; nobody is let through
        log(ERROR, "%s: the buckets of a rate limit do not answer: %s", event.route, error)
        if not self._runs_without:
            raise ServiceUnavailable("rate limits cannot be checked at the moment") from error
        return 0


def _is_free(event: Event) -> bool:
    """Whether nothing is counted: of the end of a WebSocket, and of an execution that goes on, which was counted."""
    ended = event.source is Source.WEBSOCKET and event.name == "$disconnect"
    return ended or getattr(event.context, "is_replay", False) is True


class MemoryBuckets:
    """Keep buckets in this process: for tests, and against a client that floods one process.

    most: how many are kept; the one that was made first goes first.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._full_at: dict[str, float] = {}
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._lock, self._full_at = threading.Lock(), {}

    def take(self, key: str, interval: float, slack: float, now: float) -> float:
        """Take one token; see `Buckets`."""
        with self._lock:
            full_at = max(self._full_at.get(key, now), now)
            if full_at - now > slack:
                # Later than an empty bucket is full: the clock was set back.
                self._full_at[key] = full_at = min(full_at, now + slack + interval)
                return full_at - now - slack
            while key not in self._full_at and len(self._full_at) >= self._most:
                del self._full_at[next(iter(self._full_at))]
            self._full_at[key] = full_at + interval
            return 0

    async def take_async(self, key: str, interval: float, slack: float, now: float) -> float:
        """Take one token in async code."""
        return self.take(key, interval, slack, now)
