"""Store documents: a database for each tenant, and one for what belongs to none.

Nothing is connected before the first call. Each repository without `database=` is in the database of whoever is asking:
the tenant of the session, at the time of the call. There is no argument by which a handler could name another's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime

from adapters.mongo import Index, Mongo, MongoSettings, Repository, TenantList, Tenants
from adapters.tokens import MongoTokenStore, Tokens

PLATFORM = os.environ.get("NOTES_DATABASE", "notes")
"""The database of what belongs to no tenant; those of tenants are called `notes_acme` and so on."""

mongo = Mongo(
    replace(
        MongoSettings.from_env(),  # MONGODB_URI
        # A name that is not in the collection of tenants is refused, whoever vouches for it.
        tenants=Tenants(f"{PLATFORM}_{{tenant}}", known=TenantList("tenants", database=PLATFORM)),
    )
)


@dataclass
class Note:
    """A note. From `version` on, the repository fills in the fields itself."""

    title: str
    text: str
    id: str | None = None
    version: int = 0
    created_by: str | None = None
    created_at: datetime | None = None
    updated_by: str | None = None
    updated_at: datetime | None = None


@dataclass
class Usage:
    """How many notes a tenant has, those in the trash included, and those that are just being written."""

    id: str
    notes: int = 0


@dataclass
class Tenant:
    """A customer. The id is the name that sessions and tokens know it by."""

    id: str
    most_notes: int


notes = Repository(
    mongo,
    "notes",
    Note,
    indexes=[
        # Also of those in the trash, so that each of them can be restored.
        Index("title", unique=True),
        # What pages are sorted by, with the id, since two notes may be of the same millisecond.
        Index("-created_at", "-_id"),
        Index("created_by", "-created_at", "-_id"),
    ],
    stamps=True,
    soft_delete=True,
    version=True,
)
usage = Repository(mongo, "usage", Usage, ids="str")

# For all tenants together.
tenants = Repository(mongo, "tenants", Tenant, database=PLATFORM, ids="str")
tokens = Tokens(MongoTokenStore(mongo, database=PLATFORM))
