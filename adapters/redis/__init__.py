"""Redis or Valkey (extra `redis`): the places of `Idempotent` and `RateLimit` that many processes share.

    redis = Redis("rediss://cache.example:6379")         # or Redis(), which reads REDIS_URL
    once = Idempotent(RedisStore(redis))
    limit = RateLimit(RedisBuckets(redis), rate=100, per=60)

Each verb is one script on one key, so it is atomic on a cluster, too. Names here are imported when they are first used,
and the driver, redis-py, at the first call.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from adapters.redis.buckets import RedisBuckets as RedisBuckets
    from adapters.redis.connection import Redis as Redis
    from adapters.redis.store import RedisStore as RedisStore
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__, {"buckets": "RedisBuckets", "connection": "Redis", "store": "RedisStore"}
    )
