"""What a repository writes beside a document's own fields: audit stamps, the mark of a deletion, the version."""

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
        """All of them."""
        return (self.created_at, self.created_by, self.updated_at, self.updated_by)


DELETED_AT = "deleted_at"
DELETED_BY = "deleted_by"


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)


class Marks:
    """The marks of one repository.

    stamps: their names, or None. soft_delete: whether a deleted document is kept, with a mark. version: the field that
    counts its changes, or None. clock: gives an aware datetime.
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
        """The time of a write, in milliseconds, which is what BSON keeps."""
        moment = self._clock()
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def alive(self, where: dict[str, Any], *, deleted: bool = False) -> dict[str, Any]:
        """A filter that leaves out what is deleted."""
        if not self.soft_delete or deleted:
            return where
        # A second condition on the field, in an operator of its own, must not replace this one.
        return {"$and": [where, {DELETED_AT: None}]} if DELETED_AT in where else {**where, DELETED_AT: None}

    def of_new(self) -> dict[str, Any]:
        """The marks of a new document."""
        marks: dict[str, Any] = {}
        if self.stamps is not None:
            now, user = self.now(), get_session().user
            marks = dict(zip(self.stamps.fields, (now, user, now, user), strict=True))
        if self.version is not None:
            marks[self.version] = 1
        return marks

    def creating(self, update: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """An update with the stamps that are set only if it makes the document."""
        if self.stamps is None:
            return update
        made = {self.stamps.created_at: self.now(), self.stamps.created_by: get_session().user}
        return {**update, "$setOnInsert": made}

    def of_change(self) -> dict[str, Any]:
        """The stamps of a change."""
        if self.stamps is None:
            return {}
        return {self.stamps.updated_at: self.now(), self.stamps.updated_by: get_session().user}

    def of_deletion(self) -> dict[str, Any]:
        """The mark of a deletion."""
        return {DELETED_AT: self.now(), DELETED_BY: get_session().user}

    def changing(self, update: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """An update with the marks of a change."""
        stamps = self.of_change()
        if stamps:
            update = {**update, "$set": {**update.get("$set", {}), **stamps}}
        if self.version is not None:
            update = {**update, "$inc": {**update.get("$inc", {}), self.version: 1}}
        return update
