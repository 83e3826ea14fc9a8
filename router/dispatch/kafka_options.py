"""Find what the routes of a Kafka topic say of its records before one is chosen: `decoder=` and `queue=`.

A pattern looks into the decoded record, so the decoder cannot be that of the route which the pattern chooses.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from router.routing.route import Route
    from router.routing.table import Table


def with_options(table: Table, events: Iterable[Any]) -> None:
    """Give each record the options of its topic."""
    known: dict[str, Route | None] = {}
    for event in events:
        try:
            name = event.name
        except Exception:  # noqa: S112 - a record without a topic fails in its turn, with its place
            continue
        if name not in known:
            known[name] = table.first_of(event.source, name)
        event._options = known[name]
