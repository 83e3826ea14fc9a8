"""Upserts that meet one another: both find nothing, both insert, and one of them is refused as a duplicate."""

from __future__ import annotations

from time import sleep

from adapters._core.delivery import backoff
from adapters.errors import WriteConflict
from adapters.mongo.document_errors import SERVICE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.mongo.access import Access

DUPLICATE_KEY = (11000, 11001)
_TRIES = 5
_PAUSE = 0.05  # seconds: the first bound of the back-off


def once(request: Callable[[], Any]) -> Steps[Any]:
    """Make a request."""
    return (yield request())


def upserting(access: Access, collection: Any, where: dict[str, Any], request: Callable[[], Any]) -> Steps[Any]:
    """Make a request that inserts where nothing matches; again where another inserted meanwhile, to change that one.

    A duplicate where still nothing matches is one: a deleted document with the id, or a value under a unique index.

    Raises:
        WriteConflict: it was refused at every try, and each time something was there after that.
    """
    for attempt in range(_TRIES):
        if attempt:
            yield _pause(access, backoff(attempt - 1, _PAUSE))
        try:
            return (yield request())
        except Exception as error:
            if getattr(error, "code", None) not in DUPLICATE_KEY:
                raise
            if (yield collection.find_one(where, {"_id": True})) is None:
                raise
    name = getattr(collection, "full_name", "")
    raise WriteConflict(
        f"mongodb.upsert {name} on {access}: others made and removed the document at every try",
        service=SERVICE,
        operation="upsert",
        resource=name,
        code="DuplicateKey",
        retryable=True,
    )


def _pause(access: Access, seconds: float) -> Any:
    if access.asynchronous:
        from asyncio import sleep as sleep_async

        return sleep_async(seconds)
    return sleep(seconds)
