"""What goes wrong with MongoDB, beside what every adapter may raise (`adapters.errors`).

Those that a client's input causes are HTTP errors as well, so that a bad id is a 400 and not a 500. Messages name the
cluster, the database, the collection and the field; never values, and never credentials.
"""

from __future__ import annotations

from adapters.errors import AccessDenied, AdapterError, ConnectionFailed, FailedEntry, PartialFailure, ResourceNotFound
from router.errors import (
    BadRequest,
    ConfigurationError,
    Conflict,
    ContentTooLarge,
    Forbidden,
    NotFound,
    ServiceUnavailable,
    SessionIncomplete,
    UnprocessableContent,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SERVICE = "mongodb"
_PACKAGES = ("pymongo", "bson", "motor")  # of the driver

# Codes of the server (error codes, MongoDB manual).
_UNAUTHORIZED = (13, 18)  # Unauthorized, AuthenticationFailed
_ATLAS = 8000  # AtlasError: of its proxies, whatever went wrong there
_OUT_OF_TIME = (50, 64, 262)  # MaxTimeMSExpired, WriteConcernTimeout, ExceededTimeLimit
_TOO_LARGE = 10334  # BSONObjectTooLarge
_DUPLICATE_KEY = (11000, 11001)


class TenantMissing(SessionIncomplete):
    """The session has no tenant, and what was asked for is in the tenant's database."""

    def __init__(self, what: str) -> None:
        super().__init__("tenant", f"{what} belongs to a tenant, and the session has none")


class ClientError(AdapterError):
    """The base of those that are HTTP errors, too. `told` is what a client is told; the message is for the log."""

    told = ""

    def __init__(self, message: str, **where: Any) -> None:
        super().__init__(message, **{"service": SERVICE, **where})
        self.detail: str | None = self.told or message  # read by the HTTPError that a subclass is as well


class InvalidTenant(ClientError, BadRequest):
    """A tenant's name that is not of the form of `Tenants(pattern=...)`, or whose database would be another's."""

    told = "the tenant's name is not valid"


class UnknownTenant(ClientError, Forbidden):
    """The tenant is not one of the known ones."""

    told = "the tenant is not known"


class InvalidId(ClientError, BadRequest):
    """An id that no document can have, such as text that is no ObjectId."""


class InvalidFilter(ClientError, BadRequest):
    """A filter with operators that are not marked by `raw`, such as those of a JSON body, or with an unknown field."""

    told = "the filter is not valid"


class InvalidPageSize(ClientError, BadRequest):
    """A page of no documents, or of more than a server gives."""

    told = "the size of a page is a whole number from 1"


class InvalidPageToken(ClientError, BadRequest):
    """A page token that was altered, or belongs to another query, collection or tenant."""

    told = "the page token does not belong to this list; start again without one"


class DuplicateKey(ClientError, Conflict):
    """There is a document with the same value under a unique index. index: its name, where the server tells it."""

    told = "it exists already"

    def __init__(self, message: str, *, index: str = "", **where: Any) -> None:
        super().__init__(message, **where)
        self.index = index


class VersionConflict(ClientError, Conflict):
    """Somebody else changed the document since it was read: read it again, and decide again."""

    told = "it was changed in the meantime; read it again"


class DocumentNotFound(ClientError, ResourceNotFound, NotFound):
    """There is no document with this id, or it is deleted."""

    told = "it does not exist"


class DocumentTooLarge(ClientError, ContentTooLarge):
    """A document over 16 MiB, the most that MongoDB stores."""

    told = "it is too large to be stored"


class InvalidDocument(ClientError, UnprocessableContent, ValueError):
    """A document, or a value, that cannot be stored as it is; the message names the field."""

    told = "it cannot be stored as it is"


class UnreadableDocument(AdapterError, ValueError):
    """A stored document that does not fit its class: it was written by something else, or the class has changed."""


class InvalidRequest(AdapterError, ValueError):
    """A request that makes no sense: an unknown field, or what MongoDB itself refuses as not valid."""


class ClusterUnavailable(ConnectionFailed, ServiceUnavailable):
    """No server of the cluster answered in time. What was sent may have arrived."""

    def __init__(self, message: str, **where: Any) -> None:
        super().__init__(message, **{"service": SERVICE, "retryable": True, **where})
        self.detail = "the database cannot be reached"


class BulkFailed(PartialFailure):
    """Some operations of `bulk` or `insert_many` were not done.

    failed: a FailedEntry for each, with what was given and the server's code. sent: the positions of those that were
    done, with the ids of new documents.
    """

    entries = "operations"

    def __init__(
        self, failed: Sequence[FailedEntry], done: Mapping[int, str], *, operation: str, resource: str
    ) -> None:
        super().__init__(
            failed, done, service=SERVICE, operation=operation, resource=resource, code=failed[0].code if failed else ""
        )


# ---- errors of the driver -------------------------------------------------------------------------------------------


def translate(error: Exception, operation: str, cluster: str, place: str = "") -> Exception:
    """The typed error for one of PyMongo's or bson's; any other error comes back as it is.

    cluster: how messages name it, with its hosts. place: database and collection.
    """
    if isinstance(error, ModuleNotFoundError) and error.name in _PACKAGES:
        return driver_missing()
    if type(error).__module__.partition(".")[0] not in _PACKAGES:
        return error
    from bson.errors import BSONError
    from pymongo import errors as driver

    where: dict[str, Any] = {"service": SERVICE, "operation": operation, "resource": place or cluster}
    what = f"mongodb.{operation} {place} on {cluster}" if place else f"mongodb.{operation} on {cluster}"
    if isinstance(error, driver.DocumentTooLarge):
        return DocumentTooLarge(f"{what}: the document is over 16 MiB", **where)
    if isinstance(error, driver.InvalidOperation) and "after close" in str(error):
        # By `close` in another task or thread, or since the server refused its credentials.
        return ClusterUnavailable(f"{what}: the client was closed meanwhile", code="ClientClosed", **where)
    if isinstance(error, BSONError | driver.InvalidOperation | driver.InvalidName | driver.CollectionInvalid):
        return InvalidRequest(f"{what}: {_without_values(error)}", **where)
    if isinstance(error, driver.OperationFailure):
        return _of_server(error, what, where)
    if isinstance(error, driver.ConfigurationError):
        looked_up = failed_lookup(error)
        if looked_up:
            return ClusterUnavailable(f"{what}: its hosts cannot be looked up ({looked_up})", code=looked_up, **where)
        return ConfigurationError(f"{cluster}: the settings are refused: {type(error).__name__}")
    if isinstance(error, driver.ConnectionFailure):
        return ClusterUnavailable(f"{what}: no answer ({type(error).__name__})", code=type(error).__name__, **where)
    return AdapterError(f"{what}: {type(error).__name__}", code=type(error).__name__, **where)


def failed_lookup(error: Exception) -> str:
    """The kind of the DNS error that the driver reports as one of settings (mongodb+srv); empty for any other."""
    reason = error.__cause__ or error.__context__
    return type(reason).__name__ if type(reason).__module__.partition(".")[0] == "dns" else ""


def driver_missing() -> ConfigurationError:
    """The driver is not installed."""
    return ConfigurationError('MongoDB needs its driver: pip install "lambda-junction[mongo]"')


def _of_server(error: Any, what: str, where: dict[str, Any]) -> Exception:
    """What the server answered. Its text may quote values; its code and code name do not."""
    details: Mapping[str, Any] = error.details or {}
    code, name = error.code, str(details.get("codeName") or type(error).__name__)
    if code == _ATLAS and "bad auth" in str(details.get("errmsg", "")):
        code, name = _UNAUTHORIZED[-1], "AuthenticationFailed"
    where["code"] = name
    if code in _DUPLICATE_KEY:
        index = duplicate_index(details)
        under = f" under the index {index}" if index else ""
        return DuplicateKey(f"{what}: the value is there already{under}", index=index, **where)
    if code in _UNAUTHORIZED:
        return AccessDenied(f"{what}: not allowed: {name}", **where)
    if code == _TOO_LARGE:
        return DocumentTooLarge(f"{what}: the document is over 16 MiB", **where)
    if code in _OUT_OF_TIME:
        return ClusterUnavailable(f"{what}: the server gave up for its time limit", **where)
    retryable = error.has_error_label("RetryableWriteError") or error.has_error_label("TransientTransactionError")
    if retryable:
        return AdapterError(f"{what}: {name}", retryable=True, **where)
    return InvalidRequest(f"{what}: refused with code {code}: {name}", **where)


def duplicate_index(details: Mapping[str, Any]) -> str:
    """The fields or the name of the index of a duplicate-key error, as far as the server tells."""
    pattern = details.get("keyPattern")
    if pattern:
        return ", ".join(map(str, pattern))
    import re

    found = re.search(r"index: (\S+) dup key", str(details.get("errmsg", "")))
    return found[1] if found else ""


def _without_values(error: Exception) -> str:
    """The kind of an error of bson or of the driver's own checks, with its text where this cannot quote a value."""
    from bson.errors import BSONError

    text = str(error)
    if isinstance(error, BSONError):
        return f"the document cannot be written as BSON ({type(error).__name__})"
    return text if len(text) < 200 else type(error).__name__
