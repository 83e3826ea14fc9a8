"""Make ids of names, and addresses of names that hold wildcards or come from the environment."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from router.contract.interface.reading import identifier
from router.env import Env

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

_STAR = "*"


def distinct(wanted: Mapping[Hashable, tuple[str, str]]) -> dict[Hashable, str]:
    """Return an id for each key: the wanted one, and where several want the same, one with a digest behind it.

    An id depends on its own text and on whether it is shared, never on the order or on what else is there. Those that
    differ in case alone are the same: they would be on pages, whose links are in lower case.

    wanted: the id, and a text that tells the key from all others.
    """
    counted = Counter(name.lower() for name, _ in wanted.values())
    return {
        key: name if counted[name.lower()] == 1 else f"{name}_{sha256(text.encode()).hexdigest()[:8]}"
        for key, (name, text) in wanted.items()
    }


def address_of(name: str) -> tuple[str, dict[str, Any]]:
    """Return the address for the name of a route, and its parameters.

    name: as the route has it: `orders`, `orders-*`, `Env("ORDERS_QUEUE")`.
    """
    if isinstance(name, Env):
        parameter = identifier(name.variable)
        told: dict[str, Any] = {"description": f"The name in the environment variable {name.variable}."}
        if name.default:
            told["default"] = name.default
        return f"{{{parameter}}}", {parameter: told}
    pieces = name.split(_STAR)
    parameters = [f"any{number or ''}" for number in _numbers(len(pieces) - 1)]
    told_of_star = {"description": f"Any text: the name is `{name}` in the route."}
    address = pieces[0] + "".join(f"{{{one}}}{piece}" for one, piece in zip(parameters, pieces[1:], strict=True))
    return address, dict.fromkeys(parameters, told_of_star)


def channel_address(path: str) -> tuple[str, dict[str, Any]]:
    """Return the address for the channel of an Event API, where a star stands for whole segments."""
    segments = ["", _STAR] if path == _STAR else path.split("/")
    parameters: dict[str, Any] = {}
    for position, segment in enumerate(segments):
        if segment != _STAR:
            continue
        last = position == len(segments) - 1
        name = "rest" if last else f"segment{position}"
        segments[position] = f"{{{name}}}"
        parameters[name] = {"description": "One segment or more." if last else "One segment."}
    return "/".join(segments), parameters


def _numbers(many: int) -> list[int]:
    """Return what tells wildcards apart: nothing for a single one."""
    return [0] if many == 1 else list(range(1, many + 1))
