"""`TokenOwner`: what an authenticator returns to `router.Authenticate`."""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """The owner of a token.

    user: None for a token of a service.
    tenants: those that the token is valid for.
    claims: further facts that the issuer vouches for; they go into the session.
    token_id: names the token in logs; it is not secret.
    """

    user: str | None = None
    tenants: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    token_id: str = ""
