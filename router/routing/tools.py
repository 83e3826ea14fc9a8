"""Names of tools: `find_order`, `*`; and `orders___find_order`, `orders___*` with the target of a gateway in front.

Agents whose names hold less (neither dots nor `__`) know a tool by its flat name.
"""

from __future__ import annotations

import re

from router.routing.names import Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event
    from router.routing.slots import Slot

_BETWEEN = "___"
_NOT_OF_AGENTS = re.compile(r"[^0-9A-Za-z_-]+")
_RUNS = re.compile(r"[_-]{2,}")


def flat_name(name: str) -> str:
    """Return the name under which agents of Bedrock know a tool, whose names have neither dots nor `__`."""
    parts = _NOT_OF_AGENTS.sub("_", name)
    return _RUNS.sub(lambda run: run[0][0], parts).strip("_-")


def as_it_came(event: Event) -> None:
    """Forget what a search for a route has read of a call: with the route it looks as a request."""
    event._forget_body()
    for field in ("method", "params", "path", "query"):
        try:
            delattr(event, field)
        except AttributeError:
            pass  # it was not read


class Tools(Names):
    """The routes of tools, by name. Those that name a target come first."""

    __slots__ = ("_flat", "_with_target")

    def __init__(self) -> None:
        super().__init__()
        self._with_target = Names()
        self._flat: dict[str, str] = {}  # names by what agents call them, where that differs

    def place(self, name: str) -> Slot:
        """The slot of a name or pattern, made when it is not there yet."""
        if type(name) is not str:
            return super().place(name)
        target, between, own = name.rpartition(_BETWEEN)
        flat = target + between + flat_name(own)
        if flat != name and "*" not in name:
            self._flat.setdefault(flat, name)
        return self._with_target.place(name) if between else super().place(name)

    def find(self, name: str, event: Event) -> Any:
        """The entry for the call of a tool of this name, or None."""
        if self._pending:
            self._settle()
        entry = None
        for asked in (getattr(event, "full_name", name), name):  # a tool's own name may hold the mark, too
            entry = self._with_target.find(self._named(asked), event)
            if entry is not None:
                break
        else:
            entry = super().find(self._named(name), event)
        if entry is not None and entry.route.request is not None:
            as_it_came(event)
        return entry

    def _named(self, name: str) -> str:
        """Return the name of the tool that is meant: its own before the flat one of another."""
        if name in self._exact or name in self._with_target._exact:
            return name
        return self._flat.get(name, name)

    def has(self, name: str) -> bool:
        """Whether any route has this name, whatever it asks of an event beside it."""
        return super().has(name) or self._with_target.has(name)

    def known(self) -> list[str]:
        """The names that are registered, for messages."""
        return [*super().known(), *self._with_target.known()]
