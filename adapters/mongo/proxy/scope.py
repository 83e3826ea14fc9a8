"""Follow the fields through the stages of a pipeline: which exist at each point, and how they are computed."""

from __future__ import annotations

from adapters.mongo.proxy.refusal import QueryRefused
from adapters.mongo.proxy.visible_fields import VisibleFields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Scope(VisibleFields):
    """Fields at one point of a pipeline, each with its weight.

    The weight is the number of stored fields that a value is made of. Twenty stages that each put a value twice into a
    list make a million of one, which a server walks through without looking at its time limit; so a weight has a limit.
    """

    __slots__ = ("_weights", "most")

    def __init__(self, weights: Mapping[str, int], most: int) -> None:
        super().__init__(weights)
        self._weights = dict(weights)
        self.most = most

    def weight(self, path: str, at: str) -> int:
        """Return the weight of what an expression finds at a path.

        Raises QueryRefused for a path that leads nowhere.
        """
        if not self.shows(path) and not self.leads(path):
            raise QueryRefused(at, "names a field that is not there")
        return sum(weight for known, weight in self._weights.items() if _related(known, path))

    def whole(self) -> int:
        """Return the weight of a whole document."""
        return sum(self._weights.values())

    def under(self, path: str, name: str, at: str) -> dict[str, int]:
        """Return the fields at and below a path, as they are called when it is called otherwise.

        Raises QueryRefused.
        """
        weight = self.weight(path, at)
        if self.shows(path):
            return {name: weight}
        below = f"{path}."
        return {name + known[len(path) :]: held for known, held in self._weights.items() if known.startswith(below)}

    def adding(self, further: Mapping[str, int]) -> Scope:
        """Return the fields with further ones, which take the place of those that had their names."""
        names = {path.partition(".")[0] for path in further}
        kept = {path: held for path, held in self._weights.items() if path.partition(".")[0] not in names}
        return Scope({**kept, **further}, self.most)

    def replaced(self, weights: Mapping[str, int]) -> Scope:
        """Other fields in place of these."""
        return Scope(weights, self.most)


def _related(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
