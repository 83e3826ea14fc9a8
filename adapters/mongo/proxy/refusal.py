"""The error for a query from outside that is refused."""

from __future__ import annotations

from adapters.mongo.document_errors import ClientError
from router.errors import BadRequest


class QueryRefused(ClientError, BadRequest):
    """A query that the proxy does not let through.

    at: the place in the request, such as `filter.status.$where`; it is a member of the problem document, too. The
    message says what is wrong there, and never holds a value of the request or of the database.
    """

    def __init__(self, at: str, reason: str, *, code: str = "") -> None:
        super().__init__(f"{at}: {reason}", operation="query", code=code)
        self.at = at
        self.members = {"at": at}
