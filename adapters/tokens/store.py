"""`TokenStore`: what `Tokens` needs of a database."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any, Protocol, TypeAlias

    # `id`, `hash`, `name`, `user`, `tenants` (a list), `claims` (a dict of JSON values); moments, aware and in
    # milliseconds, or None: `created_at`, `expires_at`, `last_used_at`, `revoked_at`. After a rotation `replaced_by`;
    # `disabled` where somebody wrote it by hand.
    Record: TypeAlias = dict[str, Any]

    class TokenStore(Protocol):
        """Keeps records of tokens. Each verb has a twin for async code; an error of the database is raised.

        Readers see what was written before, also by another process.
        """

        def insert(self, record: Record, /) -> None:
            """Keep a new record; one of the same id is not overwritten, it is an error."""

        async def insert_async(self, record: Record, /) -> None:
            """Do as `insert` does, without blocking the event loop."""

        def get(self, id: str, /) -> Record | None:
            """Return a record as it is, with whatever else it has; None for an unknown id."""

        async def get_async(self, id: str, /) -> Record | None:
            """Do as `get` does, without blocking the event loop."""

        def update(self, id: str, changes: Mapping[str, Any], expected: Mapping[str, Any], /) -> bool:
            """Change fields of a record in one step, if it is there and has what is expected.

            changes: the new values.
            expected: the values that the fields must have; None also fits a field that is not there.

            Returns whether it was done.
            """

        async def update_async(self, id: str, changes: Mapping[str, Any], expected: Mapping[str, Any], /) -> bool:
            """Do as `update` does, without blocking the event loop."""

        def revoke_all(self, user: str | None, tenant: str | None, at: datetime, /) -> int:
            """Set `revoked_at` where it is None, in the records of a user and of a tenant; one of both is given.

            Returns in how many.
            """

        async def revoke_all_async(self, user: str | None, tenant: str | None, at: datetime, /) -> int:
            """Do as `revoke_all` does, without blocking the event loop."""

        def find(self, user: str | None, tenant: str | None, /) -> list[Record]:
            """Return the records of a user and of a tenant, all for None, the oldest first. `hash` may be missing."""

        async def find_async(self, user: str | None, tenant: str | None, /) -> list[Record]:
            """Do as `find` does, without blocking the event loop."""
