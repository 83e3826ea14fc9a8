"""The driver: which class a client is of, and the options it is made with. Nothing else here imports it."""

from __future__ import annotations

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters.redis.connection import Redis

CLOSE = "aclose"  # the verb of an async client


def sync_client(redis: Redis) -> Any:
    """Return a client for sync code."""
    from redis import BlockingConnectionPool
    from redis import Redis as Client
    from redis.backoff import NoBackoff
    from redis.cluster import RedisCluster
    from redis.exceptions import ConnectionError as Ended
    from redis.retry import Retry

    return _made(redis, Client, BlockingConnectionPool, RedisCluster, Retry(NoBackoff(), 1, (Ended,)))


def async_client(redis: Redis) -> Any:
    """Return a client that belongs to the running event loop."""
    from redis.asyncio import BlockingConnectionPool
    from redis.asyncio import Redis as Client
    from redis.asyncio.cluster import RedisCluster
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as Ended

    return _made(redis, Client, BlockingConnectionPool, RedisCluster, Retry(NoBackoff(), 1, (Ended,)))


def _made(redis: Redis, client: Any, pool: Any, cluster: Any, retry: Any) -> Any:
    """Return a client of the kind that is asked for.

    retry: once, and only what ended with its connection; who waited for an answer in vain does not wait again.
    """
    url = redis.url
    options = {
        "socket_timeout": redis.timeout,
        "socket_connect_timeout": redis.timeout,
        "socket_keepalive": True,
        "retry": retry,
        "protocol": 2,  # known to every server, and made without a greeting
        "max_connections": redis.connections,
        **redis.options,
    }
    try:
        if redis.cluster:
            return cluster.from_url(url, **options)
        return client.from_pool(pool.from_url(url, timeout=redis.timeout, **options))
    except (TypeError, ValueError) as error:
        # Its text may quote a part of a password.
        raise ConfigurationError(
            f"Redis: the driver takes neither the URL nor the options ({type(error).__name__}); is the password "
            "percent-encoded?"
        ) from None


def place_of(url: str) -> str:
    """Return where a URL leads to, without the credentials, for messages."""
    authority, *further = url.partition("://")[2].replace("?", "/").split("/", 1)
    if any("@" in part for part in further):
        # Perhaps a password that was not percent-encoded; then what is left of it may stand where a host should.
        return "(place not shown)"
    return authority.rpartition("@")[2] or "(local)"
