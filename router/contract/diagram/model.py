"""Hold a picture before it is drawn: nodes on both sides, groups of routes between them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A source, or something that routes use.

    key: tells it from all others. kind: `queue`, `table`. name: as it is shown. note: what else is said of it.
    """

    key: str
    kind: str
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """Say what a route does with a node. node: its key. operations: `GetItem`, sorted; none where nobody says."""

    node: str
    operations: tuple[str, ...]
    reads_only: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A route.

    method: of HTTP; several with `|`. name: a path, an action or the name of the handler.
    note: its summary. handler: the name of its function.
    sources: keys of the nodes that bring its events; none for what is around every route.
    guarded: whether callers have to say who they are.
    """

    key: str
    method: str
    name: str
    note: str
    handler: str
    sources: tuple[str, ...]
    uses: tuple[Use, ...]
    guarded: bool = False
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Routes that are drawn together. title: above them; "" for a route that stands alone."""

    key: str
    title: str
    rows: tuple[Row, ...]

    @property
    def source(self) -> str:
        """Return the node that brings the events of all its routes; "" where they differ."""
        first = self.rows[0].sources
        return first[0] if len(first) == 1 and all(row.sources == first for row in self.rows) else ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is drawn, each part in the order in which it is."""

    title: str
    sources: tuple[Node, ...]
    groups: tuple[Group, ...]
    uses: tuple[Node, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return all routes, and what is around them."""
        return tuple(row for group in self.groups for row in group.rows)
