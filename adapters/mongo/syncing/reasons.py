"""Why something failed, for the report: on one line, without credentials and without values of documents."""

from __future__ import annotations

from adapters.errors import safe
from adapters.mongo.document_errors import ClusterUnavailable
from adapters.mongo.mongo_settings import hosts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters.mongo.access import Access

_DUPLICATE_KEY = (11000, 11001)
# Codes whose text is about the index that was asked for, and not about a document: BadValue, FailedToParse,
# TypeMismatch, CannotCreateIndex, InvalidOptions, IndexOptionsConflict, IndexKeySpecsConflict, CommandNotSupported,
# CommandNotSupportedOnView, InvalidIndexSpecificationOption, NotImplemented (error codes, MongoDB manual).
_ABOUT_THE_INDEX = frozenset((2, 9, 14, 67, 72, 85, 86, 115, 166, 197, 238))
# FerretDB has no code of its own for it.
_DUPLICATE_TEXT = "UNIQUE constraint failed"


def reason_of(error: Exception, access: Access, operation: str, namespace: str = "") -> str:
    """Return what the report says of an error of the driver, or of one that is typed already."""
    code, text = _answer(error)
    if code in _DUPLICATE_KEY or _DUPLICATE_TEXT in text:
        return "there are documents with the same value, so it cannot be unique"
    if code in _ABOUT_THE_INDEX:
        return safe(text)
    typed = access.typed(error, operation, namespace)
    if isinstance(typed, ClusterUnavailable):
        return f"no answer from {_hosts(access)} ({typed.code})"
    reason = safe(str(typed))
    return reason.partition(f" on {access!r}: ")[2] or reason


def _answer(error: Exception) -> tuple[int | None, str]:
    """Return the code and the text of a server's answer; None and no text for other errors."""
    from pymongo.errors import OperationFailure

    if not isinstance(error, OperationFailure):
        return None, ""
    details: Any = error.details or {}
    return error.code, str(details.get("errmsg", ""))


def _hosts(access: Access) -> str:
    _, cluster = access.mongo.settings.cluster(access.cluster)
    return access.cluster if callable(cluster.uri) else hosts_of(cluster.uri)
