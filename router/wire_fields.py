"""Dataclasses whose fields are called differently in JSON, as those of a generated client are.

    from_: str = field(metadata=wire("from"))
    note: str | None = field(default=None, metadata=wire(left_out=True))      # None is not sent at all

`written` makes of an instance what is sent; `router.convert` reads the names, too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_NAME = "junction-name"
_LEFT_OUT = "junction-left-out"


def wire(name: str = "", *, left_out: bool = False) -> dict[str, Any]:
    """Return the metadata of a field.

    name: in JSON; that of the field by default.
    left_out: whether a field with None is not sent.
    """
    return ({_NAME: name} if name else {}) | ({_LEFT_OUT: True} if left_out else {})


def name_of(name: str, metadata: Mapping[Any, Any]) -> str:
    """Return what a field is called in JSON."""
    found: str = metadata.get(_NAME, name)
    return found


def written(value: Any) -> Any:
    """Return a value with an object in the place of each dataclass in it."""
    if isinstance(value, dict):
        return {name: written(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [written(held) for held in value]
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return {
            name_of(name, one.metadata): written(held)
            for name, one in value.__dataclass_fields__.items()
            if (held := getattr(value, name)) is not None or not one.metadata.get(_LEFT_OUT)
        }
    return value
