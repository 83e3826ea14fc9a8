"""`RedisStore`: which events were begun and done, in Redis or Valkey, for `router.guards.Idempotent`."""

from __future__ import annotations

from math import ceil

from adapters.errors import AdapterError
from adapters.redis.connection import Redis
from adapters.redis.driver_errors import FOREIGN, SERVICE, unreadable
from adapters.redis.scripts import Script, as_bytes, as_text
from router.errors import ConfigurationError
from router.idempotency import Stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.idempotency import Claim

# Times are those of the server, in milliseconds: however the clocks of processes differ, nobody takes over too early.
_BEGIN = Script(f"""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'owner', 'fingerprint', 'done', 'until', 'result')
if held[1] then
    local left = tonumber(held[4]) - now
    if held[3] ~= '0' or (left > 0 and held[1] ~= ARGV[1]) then
        return {{held[2], held[3], left, held[5]}}
    end
elseif redis.call('EXISTS', KEYS[1]) == 1 then
    return redis.error_reply('{FOREIGN} value')
end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'fingerprint', ARGV[2], 'done', '0',
    'until', string.format('%.0f', now + ARGV[3]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return false
""")
_FINISH = Script("""
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
    return 0
end
redis.call('HSET', KEYS[1], 'done', '1')
if ARGV[2] then
    redis.call('HSET', KEYS[1], 'result', ARGV[2])
end
return 1
""")
_FORGET = Script("""
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
return 1
""")


class RedisStore:
    """Keeps claims and results in a server, or a cluster, that all processes share.

    Time is the server's. Keys expire by themselves. What the server has confirmed it may lose all the same: see the
    docs.

    redis: makes the calls; by default that of `REDIS_URL`.
    prefix: begins each key; applications that share a server have one each.
    """

    def __init__(self, redis: Redis | None = None, *, prefix: str = "junction:once:") -> None:
        self.redis = Redis() if redis is None else redis
        self._prefix = checked_prefix(prefix, "RedisStore")

    def begin(self, key: str, claim: Claim) -> Stored | None:
        """Claim a key; see `router.idempotency.Store`.

        Raises:
            AdapterError: the server does not answer, or the key holds something else.
        """
        verb = "RedisStore.begin"
        answer = self.redis.run(_BEGIN, self._key(key), *_claimed(claim), verb=verb, waits=True)
        return self._stored(answer, claim, verb)

    async def begin_async(self, key: str, claim: Claim) -> Stored | None:
        """Do as `begin` does, without blocking the event loop."""
        verb = "RedisStore.begin_async"
        answer = await self.redis.run_async(_BEGIN, self._key(key), *_claimed(claim), verb=verb, waits=True)
        return self._stored(answer, claim, verb)

    def finish(self, key: str, owner: str, result: bytes | None) -> None:
        """Keep the result of a claim, if the key is still its own.

        Raises:
            AdapterError: the server does not answer, or somebody else has the key by now.
        """
        verb = "RedisStore.finish"
        self._kept(self.redis.run(_FINISH, self._key(key), *_result(owner, result), verb=verb), verb)

    async def finish_async(self, key: str, owner: str, result: bytes | None) -> None:
        """Do as `finish` does, without blocking the event loop."""
        verb = "RedisStore.finish_async"
        self._kept(await self.redis.run_async(_FINISH, self._key(key), *_result(owner, result), verb=verb), verb)

    def forget(self, key: str, owner: str) -> None:
        """Give a key back, if it is still the claim's own.

        Raises:
            AdapterError: the server does not answer.
        """
        self.redis.run(_FORGET, self._key(key), as_bytes(owner), verb="RedisStore.forget")

    async def forget_async(self, key: str, owner: str) -> None:
        """Do as `forget` does, without blocking the event loop."""
        await self.redis.run_async(_FORGET, self._key(key), as_bytes(owner), verb="RedisStore.forget_async")

    def _key(self, key: str) -> bytes:
        return self._prefix + as_bytes(key)

    def _stored(self, answer: Any, claim: Claim, verb: str) -> Stored | None:
        if answer is None:
            return None
        try:
            fingerprint, done, left, result = answer
            if result is not None and not isinstance(result, bytes):
                raise TypeError(result)
            return Stored(as_text(fingerprint), done == b"1", result, claim.now + int(left) / 1000)
        except (TypeError, ValueError, AttributeError) as error:
            raise unreadable(verb, self.redis.place, type(error).__name__) from None

    def _kept(self, answer: Any, verb: str) -> None:
        if answer != 1:
            raise AdapterError(
                f"redis {self.redis.place}: {verb}: somebody else has the key by now, or it has expired",
                service=SERVICE,
                operation=verb,
                resource=self.redis.place,
            )


def _claimed(claim: Claim) -> tuple[bytes, bytes, int, int]:
    running, kept = (max(1, ceil((until - claim.now) * 1000)) for until in (claim.running_until, claim.expires_at))
    return as_bytes(claim.owner), as_bytes(claim.fingerprint), running, max(running, kept)


def _result(owner: str, result: bytes | None) -> tuple[bytes, ...]:
    return (as_bytes(owner),) if result is None else (as_bytes(owner), result)


def checked_prefix(prefix: object, what: str) -> bytes:
    """Return a prefix of keys as bytes. Raises ConfigurationError, naming `what`."""
    if not isinstance(prefix, str) or not prefix or "{" in prefix:
        # In braces stands what chooses the node of a cluster: all keys would be on one.
        raise ConfigurationError(f"{what}(prefix={prefix!r:.80}): give a text without the character {{")
    return as_bytes(prefix)
