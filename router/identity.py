"""`Identity`: the owner of a credential, as what checks credentials tells it; `ALL_TENANTS`: one that may be any."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import Any


class AllTenants(Enum):
    """The type of `ALL_TENANTS`: it holds every name, and cannot be listed, so that nothing takes it for none."""

    ALL = "all tenants"

    def __contains__(self, tenant: object) -> bool:
        return isinstance(tenant, str) and tenant != ""

    def __iter__(self) -> Iterator[str]:
        raise TypeError("ALL_TENANTS has no list of tenants")

    def __len__(self) -> int:
        raise TypeError("ALL_TENANTS has no list of tenants")

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return "ALL_TENANTS"


ALL_TENANTS = AllTenants.ALL
"""The `tenants` of an `Identity` that may work for any tenant: the request alone says for which, and has to say it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The owner of a token, a key or another credential.

    user: None where it names none, as that of a service.
    tenants: those that the credential is valid for; `ALL_TENANTS` for any that a request names.
    claims: what else is vouched for; it goes into the session.
    credential_id: names the credential in logs; it is not secret.
    """

    user: str | None = None
    tenants: Collection[str] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    credential_id: str = ""
