"""Errors of redis-py as those of `adapters.errors`. The originals are not chained: their text may quote values."""

from __future__ import annotations

from adapters.errors import AccessDenied, AdapterError, ConnectionFailed
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SERVICE = "redis"
FOREIGN = "FOREIGN"  # how the scripts here call a value that is not theirs


def translate(error: Exception, verb: str, where: str) -> Exception:
    """Return the typed error for one of the driver's, or for what its parser makes of an answer that is none.

    verb: what was called, for messages.
    where: the server, without credentials.
    """
    if isinstance(error, ModuleNotFoundError):
        return driver_missing() if (error.name or "").partition(".")[0] == "redis" else error
    from redis import exceptions as driver

    kind = type(error).__name__
    named: dict[str, Any] = {"service": SERVICE, "operation": verb, "resource": where, "code": kind}
    what = f"redis {where}: {verb}"
    if isinstance(error, driver.AuthenticationError | driver.AuthorizationError | driver.NoPermissionError):
        return AccessDenied(f"{what}: not allowed; look at the user, the password and the rules of its ACL", **named)
    if isinstance(error, driver.ConnectionError | driver.TimeoutError | driver.ClusterDownError | OSError):
        return ConnectionFailed(f"{what}: no answer ({kind})", retryable=True, **named)
    if isinstance(error, driver.RedisClusterException):
        return ConnectionFailed(f"{what}: no node of a cluster answers ({kind})", retryable=True, **named)
    if isinstance(error, driver.ReadOnlyError):
        return ConnectionFailed(f"{what}: it is a replica now; it is looked up anew", retryable=True, **named)
    if isinstance(error, driver.ResponseError):
        return _of_server(error, what, named)
    return unreadable(verb, where, kind)


def _of_server(error: Exception, what: str, named: dict[str, Any]) -> Exception:
    """Return the error for an answer of the server: its first word is a code, and the rest may quote what was sent."""
    text = str(error)
    # A script's own error has the place in the script before or after it.
    if FOREIGN in text or "WRONGTYPE" in text:
        return AdapterError(
            f"{what}: the key holds a value of another program; give prefix= a text of your own",
            **{**named, "code": "WRONGTYPE"},
        )
    word = text.partition(" ")[0]
    named["code"] = word if word.isupper() and word.isascii() and len(word) < 20 else named["code"]
    return AdapterError(f"{what}: refused: {named['code']}", retryable=named["code"] in ("OOM", "TRYAGAIN"), **named)


def is_unknown_script(error: Exception) -> bool:
    """Return whether the server does not know a script by its name: it was started anew, or is another one."""
    from redis.exceptions import NoScriptError

    return isinstance(error, NoScriptError)


def spoils(error: Exception) -> bool:
    """Return whether an error says that connections are of no use: to a replica, by an old password, out of step."""
    from redis import exceptions as driver

    if isinstance(error, driver.AuthenticationError | driver.NoPermissionError | driver.ReadOnlyError):
        return True
    return not isinstance(error, driver.ResponseError | driver.ConnectionError | driver.TimeoutError | OSError)


def unreadable(verb: str, where: str, kind: str) -> AdapterError:
    """Return the error for an answer that is none of this protocol, or none of these scripts."""
    return AdapterError(
        f"redis {where}: {verb}: it cannot be read as an answer ({kind}); is it a Redis?",
        service=SERVICE,
        operation=verb,
        resource=where,
        code=kind,
    )


def driver_missing() -> ConfigurationError:
    """Return the error for a driver that is not installed."""
    return ConfigurationError('Redis needs its driver: pip install "lambda-junction[redis]"')
