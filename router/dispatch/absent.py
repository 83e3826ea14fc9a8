"""The value of an argument that nobody sent."""

from __future__ import annotations

from router.convert.kinds import takes_none
from router.dispatch.plan import REQUIRED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def absent_of(annotation: Any, default: Any) -> Callable[[], Any] | None:
    """Return what gives the value of an absent argument; None where it must be there."""
    if default is REQUIRED:
        return (lambda: None) if takes_none(annotation) else None
    if type(default) in (list, dict, set):
        return default.copy  # type: ignore[no-any-return]  # one that a handler changes must not reach the next call
    return lambda: default
