"""The one place through which `TestClient` hands a payload to an application."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.resolver import Resolver

    Deliver = Callable[[Resolver, Any, Any], Any]

around: list[Deliver] = []
"""What delivers in the place of a plain call; the last one counts."""


def deliver(resolver: Resolver, raw: Any, context: Any) -> Any:
    """Hand a payload to an application, and return its answer."""
    if around:
        return around[-1](resolver, raw, context)
    return resolver.resolve(raw, context)
