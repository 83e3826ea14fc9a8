"""`Role`: a role of IAM to assume."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from types import MappingProxyType

from router.durations import seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from router.durations import Duration


@dataclass(frozen=True, slots=True)
class Role:
    """A role to assume.

    external_id: the one that the role's owner demands.
    session_name: shown by CloudTrail.
    duration: of its credentials, 15 minutes to 12 hours; seconds, or a timedelta.
    policy: JSON that narrows what the role may do.
    tags: session tags, such as the tenant.
    """

    arn: str
    external_id: str | None = field(default=None, repr=False)
    session_name: str = "junction"
    duration: Duration | None = None
    policy: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = self.arn.split(":") if isinstance(self.arn, str) else []
        if len(parts) < 6 or parts[0] != "arn" or not parts[5].startswith("role/"):
            raise ConfigurationError(
                f"Role({self.arn!r:.200}): give an ARN such as arn:aws:iam::123456789012:role/name"
            )
        if self.duration is not None:
            whole = ceil(seconds(self.duration, f"Role({self.arn!r}, duration=...)", least=900, most=43_200))
            object.__setattr__(self, "duration", whole)
        object.__setattr__(self, "tags", MappingProxyType(dict(self.tags)))

    def __hash__(self) -> int:
        return hash((self.arn, self.external_id, self.session_name, self.policy, tuple(sorted(self.tags.items()))))

    def request(self) -> dict[str, Any]:
        """Return the further parameters of AssumeRole."""
        parameters: dict[str, Any] = {
            "RoleSessionName": self.session_name,
            "ExternalId": self.external_id,
            "DurationSeconds": self.duration,
            "Policy": self.policy,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }
        return {name: value for name, value in parameters.items() if value}
