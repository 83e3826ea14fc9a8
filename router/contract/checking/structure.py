"""Read the structure of a template, where conditions, loops and mistakes make it another than it looks.

`plain` goes over the sections once, so that a condition never stands where a list or a mapping is wanted; what one
holds is taken from all of its branches. `mapping`, `listed` and `entries` then read what may be anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.checking.globs import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_NOTHING = {"Ref": "AWS::NoValue"}
_LOOP = "Fn::ForEach::"


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping as it is, and an empty one for what is none, or is told by a function of CloudFormation."""
    return value if isinstance(value, dict) and not is_function(value) else {}


def listed(value: Any) -> list[Any]:
    """Return a list as it is; one value as a list of it, and nothing for none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def entries(value: Any) -> list[Mapping[str, Any]]:
    """Return the mappings of a list; one alone stands for a list of it."""
    return [held for one in listed(value) if (held := mapping(one))]


def is_function(value: Any) -> bool:
    """Whether a value is told by a function of CloudFormation: `!Ref`, `!Sub`, `!If`."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and (name := next(iter(value)))
        and (name == "Ref" or name.startswith("Fn::"))
    )


def is_included(value: Any) -> bool:
    """Whether a value, or a part of it, is fetched when the template is deployed, or told by a function."""
    return isinstance(value, dict) and ("Fn::Transform" in value or is_function(value))


def plain(value: Any) -> Any:
    """Return a value of a template with its conditions moved inwards, to where they choose between texts.

    A list has what each branch may add to it, a mapping each name that a branch has.
    """
    return _Plain().of(value)


def expanded(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return resources with those of loops (`Fn::ForEach`), each once for what the template tells to loop over."""
    found: dict[str, Any] = {}
    for name, one in resources.items():
        if not name.startswith(_LOOP):
            found[name] = one
        elif isinstance(one, list) and len(one) == 3 and isinstance(one[2], dict):
            told = [str(each) for each in one[1]] if _is_told(one[1]) else [ANY]
            for each in told:
                found |= expanded(_filled(one[2], str(one[0]), each))
    found.pop("Fn::Transform", None)
    return found


def _is_told(collection: Any) -> bool:
    return isinstance(collection, list) and all(isinstance(one, str) for one in collection)


def _filled(value: Any, name: str, each: str) -> Any:
    if isinstance(value, str):
        return each.join(each.join(value.split(f"${{{name}}}")).split(f"&{{{name}}}"))
    if isinstance(value, list):
        return [_filled(one, name, each) for one in value]
    if isinstance(value, dict):
        if value == {"Ref": name}:
            return each
        return {_filled(key, name, each): _filled(one, name, each) for key, one in value.items()}
    return value


class _Plain:
    """Makes values plain, each once: an alias may name one in many places."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def of(self, value: Any) -> Any:
        """Return a value made plain."""
        if not isinstance(value, list | dict):
            return value
        if id(value) not in self._made:
            self._made[id(value)] = self._of(value)
        return self._made[id(value)]

    def _of(self, value: Any) -> Any:
        if isinstance(value, list):
            return [held for one in value for held in self._items(one)]
        branches = self._branches(value)
        if branches is not None:
            return _chosen(branches)
        if is_function(value):
            return value
        return {name: held for name, one in value.items() if (held := self.of(one)) != _NOTHING}

    def _branches(self, value: Any) -> list[Any] | None:
        """Return what a condition chooses between, made plain; None for what is no condition."""
        held = value.get("Fn::If") if isinstance(value, dict) and len(value) == 1 else None
        return [self.of(one) for one in held[1:]] if isinstance(held, list) and len(held) == 3 else None

    def _items(self, value: Any) -> Iterator[Any]:
        """Yield what stands in a list for one of its values: of a condition each branch."""
        branches = self._branches(value)
        for one in [self.of(value)] if branches is None else branches:
            if one != _NOTHING:
                yield one


def _chosen(branches: list[Any]) -> Any:
    """Return what a condition comes to."""
    first, second = branches
    if first == second:
        return first
    there = [one for one in branches if one != _NOTHING]
    if there and all(isinstance(one, list) for one in there):
        return [one for held in there for one in held]
    if there and all(isinstance(one, dict) and not is_function(one) for one in there):
        names = dict.fromkeys(name for one in there for name in one)
        return {name: _chosen([mapping(one).get(name, _NOTHING) for one in branches]) for name in names}
    return {"Fn::If": ["", first, second]}
