"""Names of tools: `find_order`, `*`; and `orders___find_order`, `orders___*` with the target of a gateway in front."""

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


class Tools(Names):
    """The routes of tools, by name. Those that name a target come first."""

    __slots__ = ("_with_target",)

    def __init__(self) -> None:
        super().__init__()
        self._with_target = Names()

    def place(self, name: str) -> Slot:
        """The slot of a name or pattern, made when it is not there yet."""
        if type(name) is str and _BETWEEN in name:
            return self._with_target.place(name)
        return super().place(name)

    def find(self, name: str, event: Event) -> Any:
        """The entry for the call of a tool of this name, or None."""
        if self._pending:
            self._settle()
        for asked in (getattr(event, "full_name", name), name):  # a tool's own name may hold the mark, too
            entry = self._with_target.find(asked, event)
            if entry is not None:
                return entry
        return super().find(name, event)

    def has(self, name: str) -> bool:
        """Whether any route has this name, whatever it asks of an event beside it."""
        return super().has(name) or self._with_target.has(name)

    def known(self) -> list[str]:
        """The names that are registered, for messages."""
        return [*super().known(), *self._with_target.known()]
