"""Observe an application while it runs: its events, sessions, log lines, errors and calls of AWS."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.local.watch.watch import Watch as Watch
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(__name__, {"watch": "Watch"})
