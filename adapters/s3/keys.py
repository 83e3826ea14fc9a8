"""Keys: what a caller calls an object, what it is called in the bucket, and who may reach it."""

from __future__ import annotations

from adapters._core.characters import check_line
from adapters.errors import InvalidMessage
from adapters.s3.objects import InvalidObjectKey
from router.errors import SessionError, SessionIncomplete
from router.session import get_session

_LONGEST = 1024  # bytes (S3 user guide, naming objects)


def checked(key: object, *, what: str = "the key") -> str:
    """Return a key, or a prefix of keys. Raises InvalidObjectKey.

    Segments `.` and `..` mean nothing to S3, but browsers, proxies and file systems resolve them: no key may have one.
    """
    if not isinstance(key, str) or not key:
        raise InvalidObjectKey(f"s3: {what} must be a text that is not empty, not {key!r}")
    try:
        check_line(key, f"s3: {what} {key[:60]!r}")  # S3 deletes and lists by XML, which cannot name such a key
    except InvalidMessage as error:
        raise InvalidObjectKey(str(error)) from None
    if any(segment in (".", "..") for segment in key.split("/")):
        raise InvalidObjectKey(f"s3: {what} {key[:60]!r} has a segment '.' or '..'")
    return key


def within(prefix: str, key: str) -> str:
    """Return the key in the bucket. Raises InvalidObjectKey."""
    whole = prefix + checked(key)
    if len(whole.encode()) > _LONGEST:
        raise InvalidObjectKey(f"s3: the key {key[:60]!r} comes to more than {_LONGEST} bytes")
    return whole


def tenant_prefix() -> str:
    """`tenants/<tenant>/` of the current session. Raises SessionError: without a tenant there is nothing to reach.

    A tenant with a slash in its name could be reached from the tenant before the slash.
    """
    tenant = get_session().tenant
    if not tenant:
        raise SessionIncomplete("tenant", "S3(tenant_prefix=True): the session has no tenant")
    if "/" in tenant:
        raise SessionError("S3(tenant_prefix=True): a tenant with a slash in its name has no prefix of its own")
    try:
        return f"tenants/{checked(tenant, what='the tenant')}/"
    except InvalidObjectKey as error:
        raise SessionError(f"S3(tenant_prefix=True): {error}") from None
