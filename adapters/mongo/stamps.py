"""The fields that a repository writes itself: audit stamps, the time of a soft deletion, the version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from router.errors import ConfigurationError
from router.session import get_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """The names of the fields that say who wrote a document and when."""

    created_at: str = "created_at"
    created_by: str = "created_by"
    updated_at: str = "updated_at"
    updated_by: str = "updated_by"

    @property
    def fields(self) -> tuple[str, ...]:
        """Their names."""
        return (self.created_at, self.created_by, self.updated_at, self.updated_by)


DELETED_AT = "deleted_at"
DELETED_BY = "deleted_by"


def utc_now() -> datetime:
    """Return the time now."""
    return datetime.now(UTC)


class ManagedFields:
    """The fields that one repository writes itself.

    stamps: the names of the audit stamps, or None.
    soft_delete: whether a deleted document is kept, with the time of its deletion.
    version: the field that counts the changes of a document, or None.
    clock: returns an aware datetime.
    """

    __slots__ = ("_clock", "reserved", "soft_delete", "stamps", "version")

    def __init__(
        self, stamps: Stamps | None, soft_delete: bool, version: str | None, clock: Callable[[], datetime]
    ) -> None:
        self.stamps = stamps
        self.soft_delete = soft_delete
        self.version = version
        self._clock = clock
        names = [*(stamps.fields if stamps else ()), *((DELETED_AT, DELETED_BY) if soft_delete else ())]
        if version is not None:
            names.append(version)
        if len(set(names)) != len(names) or "_id" in names or any(not n or "." in n or "$" in n for n in names):
            raise ConfigurationError(f"the fields that a repository writes itself need names of their own: {names}")
        self.reserved = frozenset(names)

    def now(self) -> datetime:
        """Return the time of a write, in whole milliseconds, which is what BSON keeps."""
        moment = self._clock()
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def not_deleted(self, where: dict[str, Any], *, deleted: bool = False) -> dict[str, Any]:
        """Return a filter that leaves out what is deleted, unless `deleted`."""
        if not self.soft_delete or deleted:
            return where
        # A second condition on the field, in an operator of its own, must not replace this one.
        return {"$and": [where, {DELETED_AT: None}]} if DELETED_AT in where else {**where, DELETED_AT: None}

    def for_new(self) -> dict[str, Any]:
        """Return the values for a new document."""
        values: dict[str, Any] = {}
        if self.stamps is not None:
            now, user = self.now(), get_session().user
            values = dict(zip(self.stamps.fields, (now, user, now, user), strict=True))
        if self.version is not None:
            values[self.version] = 1
        return values

    def with_creation(self, update: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return an upsert with the stamps that are set only if it creates the document."""
        if self.stamps is None:
            return update
        created = {self.stamps.created_at: self.now(), self.stamps.created_by: get_session().user}
        return {**update, "$setOnInsert": created}

    def for_change(self) -> dict[str, Any]:
        """Return the stamps of a change."""
        if self.stamps is None:
            return {}
        return {self.stamps.updated_at: self.now(), self.stamps.updated_by: get_session().user}

    def for_deletion(self) -> dict[str, Any]:
        """Return the values of a soft deletion."""
        return {DELETED_AT: self.now(), DELETED_BY: get_session().user}

    def with_change(self, update: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return an update with the stamps of a change, and with its version counted."""
        stamps = self.for_change()
        if stamps:
            update = {**update, "$set": {**update.get("$set", {}), **stamps}}
        if self.version is not None:
            update = {**update, "$inc": {**update.get("$inc", {}), self.version: 1}}
        return update
