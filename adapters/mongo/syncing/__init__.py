"""Indexes: makes those that repositories declare, in the database of every tenant, and drops the others on request.

    from adapters.mongo.syncing import sync_indexes

    report = sync_indexes(mongo, prune=True)
    print(report)
    sys.exit(report.exit_code)

`junction indexes package.module:resolver` does the same. A second run changes nothing. Needs the extra `mongo`;
the user of the connection string may list, create and drop indexes (`readWrite` on the databases), and list the
databases where tenants are neither given nor known.
"""

from __future__ import annotations

from adapters.mongo.syncing.sync import Interrupted, Step, sync_indexes
from adapters.mongo.syncing.sync_report import Change, Failure, Orphan, SyncReport

__all__ = ["Change", "Failure", "Interrupted", "Orphan", "Step", "SyncReport", "sync_indexes"]
