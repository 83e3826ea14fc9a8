"""Keep the components of a document that stand for no class of the application."""

from __future__ import annotations

import itertools
from typing import Any

_REFERENCE = "#/components/schemas/"


class Own:
    """Components that get their names when those of the application's classes are known."""

    def __init__(self) -> None:
        self._wanted: dict[Any, str] = {}
        self._schemas: dict[Any, dict[str, Any]] = {}
        self._references: list[tuple[dict[str, Any], Any, str]] = []

    def add(self, key: Any, name: str, schema: dict[str, Any]) -> None:
        """Add a component.

        key: tells it from all others. name: what it is called where nothing else is.
        """
        self._wanted.setdefault(key, name)
        self._schemas.setdefault(key, schema)

    def reference(self, key: Any, rest: str = "", into: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return a reference to a component, whose target is set by `finish`.

        rest: the way into the component, `/properties/x`. into: what becomes the reference, with what it has beside.
        """
        made: dict[str, Any] = {} if into is None else into
        made["$ref"] = ""
        self._references.append((made, key, rest))
        return made

    def finish(self, components: dict[str, Any]) -> dict[str, Any]:
        """Return the components of a document with those that are used, by name.

        components: those of the application's own classes.
        """
        found, names = dict(components), {}
        used = {key for _, key, _ in self._references}
        for key, wanted in self._wanted.items():
            if key in used:
                numbered = (f"{wanted}{number}" for number in itertools.count(2))
                names[key] = next(one for one in (wanted, *itertools.islice(numbered, 10_000)) if one not in found)
                found[names[key]] = self._schemas[key]
        for reference, key, rest in self._references:
            reference["$ref"] = f"{_REFERENCE}{names[key]}{rest}"
        return {name: found[name] for name in sorted(found)}
