"""Telemetry: logs, metrics, traces and usage of each dispatch. Names are loaded when they are first used."""

from __future__ import annotations

from router.dispatch.invocation import Invocation as Invocation
from router.dispatch.invocation import current_invocation as current_invocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HOMES: dict[str, tuple[str, ...]] = {}
_WHERE = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # noqa: PLE0604  # as _HOMES has them
    *("Invocation", "current_invocation"),
    *_WHERE,
]


def __getattr__(name: str) -> Any:
    home = _WHERE.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
