"""`Identity`: the owner of a credential, as what checks credentials tells it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """The owner of a credential.

    user: None where it names none, as that of a service.
    tenants: those that the credential is valid for.
    claims: what else is vouched for.
    """

    user: str | None
    tenants: Collection[str] = ()
    claims: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
