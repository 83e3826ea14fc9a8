"""Tell events of a replay from real ones, where a replay reaches an application that runs."""

from __future__ import annotations

from os import environ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOCAL = "JUNCTION_LOCAL"
"""The variable that the processes of a local run have."""
HEADER = "x-junction-replay"
"""The header of a call of Lambda's Invoke that is a replay."""
ATTRIBUTE = "is_replay"
"""The attribute of the context of such a call."""


def is_local() -> bool:
    """Whether this is a process of a local run, which a saved file replaces."""
    return LOCAL in environ


def is_replay(context: Any) -> bool:
    """Whether a call sends again what was sent before. context: of Lambda."""
    return getattr(context, ATTRIBUTE, False) is True
