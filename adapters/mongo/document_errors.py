"""Errors of MongoDB, beside those that every adapter may raise (`adapters.errors`).

Those that a client's input causes are HTTP errors as well, so that a bad id is a 400 and not a 500. Messages name the
cluster, the database, the collection and the field; never values, and never credentials.
"""

from __future__ import annotations

from adapters.errors import AdapterError, ConnectionFailed, FailedEntry, PartialFailure, ResourceNotFound
from router.errors import (
    BadRequest,
    Conflict,
    ContentTooLarge,
    Forbidden,
    NotFound,
    SessionIncomplete,
    UnprocessableContent,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SERVICE = "mongodb"


class TenantMissing(SessionIncomplete):
    """The session has no tenant, and what was asked for is in the tenant's database."""

    def __init__(self, what: str) -> None:
        super().__init__("tenant", f"{what} belongs to a tenant, and the session has none")


class ClientError(AdapterError):
    """The base of those that are HTTP errors, too. Without an `answer` a client is told the message."""

    def __init__(self, message: str, **where: Any) -> None:
        super().__init__(message, **{"service": SERVICE, **where})
        self.detail: str | None = self.answer or message  # read by the HTTPError that a subclass is as well


class InvalidTenant(ClientError, BadRequest):
    """A tenant's name that is not of the form of `Tenants(pattern=...)`, or whose database would be another's."""

    answer = "the tenant's name is not valid"


class UnknownTenant(ClientError, Forbidden):
    """The tenant is not one of the known ones."""

    answer = "the tenant is not known"


class InvalidId(ClientError, BadRequest):
    """An id that no document can have, such as text that is no ObjectId."""


class InvalidFilter(ClientError, BadRequest):
    """A filter with operators that are not marked by `raw`, such as those of a JSON body, or with an unknown field."""

    answer = "the filter is not valid"


class InvalidPageSize(ClientError, BadRequest):
    """A page of no documents, or of more than a server gives."""

    answer = "the size of a page is a whole number from 1"


class InvalidPageToken(ClientError, BadRequest):
    """A page token that was altered, or belongs to another query, collection or tenant."""

    answer = "the page token does not belong to this list; start again without one"


class DuplicateKey(ClientError, Conflict):
    """There is a document with the same value under a unique index. index: its name, where the server tells it."""

    answer = "it exists already"

    def __init__(self, message: str, *, index: str = "", **where: Any) -> None:
        super().__init__(message, **where)
        self.index = index


class VersionConflict(ClientError, Conflict):
    """Somebody else changed the document since it was read: read it again, and decide again."""

    answer = "it was changed in the meantime; read it again"


class DocumentNotFound(ClientError, ResourceNotFound, NotFound):
    """There is no document with this id, or it is deleted."""

    answer = "it does not exist"


class DocumentTooLarge(ClientError, ContentTooLarge):
    """A document over 16 MiB, the most that MongoDB stores."""

    answer = "it is too large to be stored"


class InvalidDocument(ClientError, UnprocessableContent, ValueError):
    """A document, or a value, that cannot be stored as it is; the message names the field."""

    answer = "it cannot be stored as it is"


class UnreadableDocument(AdapterError, ValueError):
    """A stored document that does not fit its class: it was written by something else, or the class has changed."""


class InvalidRequest(AdapterError, ValueError):
    """A request that makes no sense: an unknown field, or what MongoDB itself refuses as not valid."""


class ClusterUnavailable(ConnectionFailed):
    """No server of the cluster answered in time. What was sent may have arrived."""

    answer = "the database cannot be reached"

    def __init__(self, message: str, **where: Any) -> None:
        super().__init__(message, **{"service": SERVICE, "retryable": True, **where})


class BulkFailed(PartialFailure, Conflict):
    """Some operations of `bulk` or `insert_many` were not done. Over HTTP it is a 409 for duplicates alone, else a 500.

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
        duplicates = {entry.code for entry in failed} - {"NotTried"} == {"DuplicateKey"}
        self.status, self.detail = (DuplicateKey.status, DuplicateKey.answer) if duplicates else (500, None)
