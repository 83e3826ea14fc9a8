"""Errors of the driver as those of `adapters.mongo`. The originals are not chained: their text may quote values."""

from __future__ import annotations

from adapters.errors import AccessDenied, AdapterError, WriteConflict
from adapters.mongo.document_errors import SERVICE, ClusterUnavailable, DocumentTooLarge, DuplicateKey, InvalidRequest
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PACKAGES = ("pymongo", "bson", "motor")  # of the driver

# Codes of the server (error codes, MongoDB manual).
_UNAUTHORIZED = (13, 18)  # Unauthorized, AuthenticationFailed
_ATLAS = 8000  # AtlasError: of its proxies, whatever went wrong there
_OUT_OF_TIME = (50, 64, 262)  # MaxTimeMSExpired, WriteConcernTimeout, ExceededTimeLimit
_TOO_LARGE = 10334  # BSONObjectTooLarge
_DUPLICATE_KEY = (11000, 11001)
_WRITE_CONFLICT = 112


def translate(error: Exception, operation: str, cluster: str, namespace: str = "") -> Exception:
    """Return the typed error for one of PyMongo's or bson's; any other error as it is.

    operation: the verb.
    cluster: its name and hosts, for messages.
    namespace: database and collection, where it is about one.
    """
    if isinstance(error, ModuleNotFoundError) and error.name in _PACKAGES:
        return driver_missing()
    if type(error).__module__.partition(".")[0] not in _PACKAGES:
        return error
    from bson.errors import BSONError
    from pymongo import errors as driver

    where: dict[str, Any] = {"service": SERVICE, "operation": operation, "resource": namespace or cluster}
    what = f"mongodb.{operation} {namespace} on {cluster}" if namespace else f"mongodb.{operation} on {cluster}"
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
    """Return the kind of the DNS error that the driver reports as one of settings (mongodb+srv), else an empty text."""
    reason = error.__cause__ or error.__context__
    return type(reason).__name__ if type(reason).__module__.partition(".")[0] == "dns" else ""


def driver_missing() -> ConfigurationError:
    """Return the error for a driver that is not installed."""
    return ConfigurationError('MongoDB needs its driver: pip install "lambda-junction[mongo]"')


def _of_server(error: Any, what: str, where: dict[str, Any]) -> Exception:
    """Return the error for an answer of the server. Its text may quote values; its code and code name do not."""
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
    if code == _WRITE_CONFLICT:
        return WriteConflict(f"{what}: another write of it was under way; try again", retryable=True, **where)
    if code in _OUT_OF_TIME:
        return ClusterUnavailable(f"{what}: the server gave up for its time limit", **where)
    retryable = error.has_error_label("RetryableWriteError") or error.has_error_label("TransientTransactionError")
    if retryable:
        return AdapterError(f"{what}: {name}", retryable=True, **where)
    return InvalidRequest(f"{what}: refused with code {code}: {name}", **where)


def duplicate_index(details: Mapping[str, Any]) -> str:
    """Return the fields or the name of the index of a duplicate-key error, as far as the server tells."""
    pattern = details.get("keyPattern")
    if pattern:
        return ", ".join(map(str, pattern))
    import re

    found = re.search(r"index: (\S+) dup key", str(details.get("errmsg", "")))
    return found[1] if found else ""


def _without_values(error: Exception) -> str:
    """Return the kind of an error of bson or of the driver's checks, with its text where that cannot quote a value."""
    from bson.errors import BSONError

    text = str(error)
    if isinstance(error, BSONError):
        return f"the document cannot be written as BSON ({type(error).__name__})"
    return text if len(text) < 200 else type(error).__name__
