"""`Need`: what an adapter in use needs of its surroundings, so that templates and policies can give it.

An adapter that middleware holds says so itself, with a method `needs()`: nobody should have to write `requires=` for
the table of `Idempotent`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@dataclass(frozen=True)
class Need:
    """One resource, and the operations on it.

    operations: of IAM, `dynamodb:GetItem`.
    kind: `table`, `objects` (of a bucket), `parameter`, `secret` or `connections` (of WebSocket APIs).
    name: of the resource; of objects `bucket/key*`; of parameters and secrets the path, with `{name}` for that of the
        variable.
    definition: of a table, the parameters of CreateTable. ttl: the attribute by which its items expire.
    """

    operations: tuple[str, ...]
    kind: str
    name: str = ""
    definition: Mapping[str, Any] = field(default_factory=dict)
    ttl: str = ""
