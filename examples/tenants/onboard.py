"""A new customer: `python -m examples.tenants.onboard acme ann` prints a token for Ann, an administrator of acme.

A script has nothing else to do while it waits, so it is sync: the same repositories, by the verbs without `_async`.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from adapters.mongo import sync_indexes
from examples.tenants.storage import Tenant, mongo, tenants, tokens

MOST_NOTES = 1000
TOKEN_LIFETIME = timedelta(days=90)


def add_tenant(name: str, most_notes: int = MOST_NOTES) -> Tenant:
    """Let a tenant be known. Raises InvalidTenant for a name that no database can have, DuplicateKey for one known."""
    mongo.settings.tenants.database(name)
    return tenants.insert(Tenant(id=name, most_notes=most_notes))


def issue_token(tenant: str, user: str, role: str = "member") -> str:
    """A token by which a user gets into a tenant. It is stored nowhere, and so can be shown only now."""
    issued = tokens.issue(user, [tenant], expires_in=TOKEN_LIFETIME, claims={"role": role}, name=f"{user} of {tenant}")
    return issued.token


def main() -> int:
    """Make the tenant, the indexes in its database, and a token."""
    if len(sys.argv) != 3:
        print("usage: python -m examples.tenants.onboard TENANT USER", file=sys.stderr)
        return 2
    _, tenant, user = sys.argv
    add_tenant(tenant)
    followers = [repository for repository in mongo.repositories if repository.database is None]
    report = sync_indexes(followers, tenants=[tenant])
    print(report, file=sys.stderr)
    print(issue_token(tenant, user, role="admin"))
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
