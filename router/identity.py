"""`Identity`: the owner of a credential, as what checks credentials tells it."""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """The owner of a token, a key or another credential.

    user: None where it names none, as that of a service.
    tenants: those that the credential is valid for.
    claims: what else is vouched for; it goes into the session.
    credential_id: names the credential in logs; it is not secret.
    """

    user: str | None = None
    tenants: Collection[str] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    credential_id: str = ""
