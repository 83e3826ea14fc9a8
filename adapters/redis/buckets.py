"""`RedisBuckets`: the buckets of rate limits, in Redis or Valkey, for `router.guards.RateLimit`."""

from __future__ import annotations

from adapters.redis.connection import Redis
from adapters.redis.driver_errors import FOREIGN, unreadable
from adapters.redis.scripts import Script, as_bytes
from adapters.redis.store import checked_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A bucket is the moment when it is full again, in microseconds of the server's clock, and gone by then. One that is
# further ahead than an empty bucket ever is was written before the clock was put back: it is empty from now on.
_TAKE = Script(f"""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, slack = tonumber(ARGV[1]), tonumber(ARGV[2])
local function keep(ahead)
    redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', string.format('%.0f', math.ceil(ahead / 1000)))
end
local ahead = 0
local held = redis.call('GET', KEYS[1])
if held then
    if not string.match(held, '^%d+$') then
        return redis.error_reply('{FOREIGN} value')
    end
    ahead = math.max(tonumber(held) - now, 0)
    if ahead > slack + interval + 1 then
        ahead = slack + interval
        keep(ahead)
    end
end
if ahead > slack then
    return string.format('%.0f', math.max(ahead - slack, 1))
end
keep(ahead + interval)
return '0'
""")


class RedisBuckets:
    """Keeps buckets in a server, or a cluster, that all processes share. An event costs one call.

    Time is the server's, whatever the caller's clock says. A call whose answer was lost is sent once more, and may take
    two tokens.

    redis: makes the calls; by default that of `REDIS_URL`.
    prefix: begins each key; applications that share a server have one each.
    """

    def __init__(self, redis: Redis | None = None, *, prefix: str = "junction:rate:") -> None:
        self.redis = Redis() if redis is None else redis
        self._prefix = checked_prefix(prefix, "RedisBuckets")

    def take(self, key: str, interval: float, slack: float, now: float) -> float:
        """Take one token out of a bucket; see `router.guards.rate_limit.Buckets`.

        Raises:
            AdapterError: the server does not answer, or the key holds something else.
        """
        verb = "RedisBuckets.take"
        return self._wait(self.redis.run(_TAKE, *self._asked(key, interval, slack), verb=verb, waits=True), verb)

    async def take_async(self, key: str, interval: float, slack: float, now: float) -> float:
        """Do as `take` does, without blocking the event loop."""
        verb = "RedisBuckets.take_async"
        answer = await self.redis.run_async(_TAKE, *self._asked(key, interval, slack), verb=verb, waits=True)
        return self._wait(answer, verb)

    def _asked(self, key: str, interval: float, slack: float) -> tuple[bytes, bytes, bytes]:
        return (
            self._prefix + as_bytes(key),
            f"{interval * 1_000_000:.3f}".encode(),
            f"{slack * 1_000_000:.3f}".encode(),
        )

    def _wait(self, answer: Any, verb: str) -> float:
        try:
            return int(answer) / 1_000_000
        except (TypeError, ValueError) as error:
            raise unreadable(verb, self.redis.place, type(error).__name__) from None
