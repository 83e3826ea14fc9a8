"""`Identity`: who a token belongs to, as authenticators of adapters tell it to `router.Authenticate`."""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token belongs to.

    user: None for a token of a service. tenants: those that it is valid for. claims: what else is vouched for; they go
    into the session. token_id: names the token in logs; it is no secret.
    """

    user: str | None = None
    tenants: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    token_id: str = ""
