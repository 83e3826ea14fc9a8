"""The report on filters: for each route what AWS declines before the call, or why it stays, and what would vanish."""

from __future__ import annotations

import json
from textwrap import wrap
from typing import TYPE_CHECKING

from router.contract.filtering import topics_of
from router.contract.model import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from router.contract.declarations import Resource
    from router.contract.filtering import Filtering
    from router.contract.filters import Filtered
    from router.contract.model import Infrastructure, Part, Trigger

_WIDTH = 80
_STATES = {"pushed": "pushed  ", "possible": "possible", "stays": "stays   "}


def report(infrastructure: Infrastructure) -> list[dict[str, Any]]:
    """Return an entry, as JSON data, for each place where AWS can filter what comes to a function.

    `applied` tells whether the template has the filters. The `state` of a route is "pushed", "possible" (it would be
    pushed if the resource were declared with `filters=True`) or "stays".
    """
    return [
        {
            "resource": str(trigger.resource),
            "function": part.name,
            "place": one.place,
            "topics": _topics(trigger) if one.place == "subscription" else [],
            "wanted": one.wanted,
            "applied": one.applies,
            "filters": [json.loads(text) for text in one.found.patterns],
            "scope": one.found.scope,
            "routes": [_route(one, filtered) for filtered in one.found.routes],
            "vanishes": one.found.vanishes,
        }
        for part, trigger, one in _places(infrastructure)
    ]


def text(infrastructure: Infrastructure) -> str:
    """Return the report as text, in lines of 80 columns where words allow it."""
    lines: list[str] = []
    for part, trigger, one in _places(infrastructure):
        lines += [*_wrapped(_title(part, trigger, one), "", "  "), *_body(one), ""]
    return "\n".join(lines) if lines else "no route takes records of a queue, stream or topic\n"


def _places(infrastructure: Infrastructure) -> Iterator[tuple[Part, Trigger, Filtering]]:
    return ((part, trigger, one) for part, trigger in infrastructure.triggers for one in trigger.filters)


def _topics(trigger: Trigger) -> list[str]:
    """Return the topics whose messages a subscription delivers."""
    resource: Any = trigger.resource
    if resource.kind == "topic":
        return [resource.name or resource.variable]
    return [name for name in topics_of(resource, trigger.routes) if "*" not in name]


def _state(one: Filtering, filtered: Filtered) -> str:
    return "stays" if not filtered.pushed else "pushed" if one.applies else "possible"


def _route(one: Filtering, filtered: Filtered) -> dict[str, Any]:
    place = place_of(filtered.route)
    return {
        "route": str(filtered.route),
        "file": place.file if place else None,
        "line": place.line if place else None,
        "state": _state(one, filtered),
        "why": filtered.why,
    }


def _title(part: Part, trigger: Trigger, one: Filtering) -> str:
    resource = trigger.resource
    by = f"the {'rules' if one.place == 'rule' else 'mapping'} to {part.name}"
    if one.place == "subscription":
        to = part.name if resource.kind == "topic" else f"topic {', '.join(_topics(trigger))}"
        by = f"the subscription {'of' if resource.kind == 'topic' else 'to'} {to}"
    if not one.found.patterns:
        return f"{resource}: nothing is filtered by {by}"
    if one.applies:
        return f"{resource}: filtered by {by}"
    return f"{resource}: could be filtered by {by}; declare {_declaration(resource)}"


def _declaration(resource: Resource) -> str:
    name = json.dumps(resource.name) if resource.name else f"variable={json.dumps(resource.variable)}"
    return f"{type(resource).__name__}({name}, filters=True)"


def _body(one: Filtering) -> Iterator[str]:
    for filtered in one.found.routes:
        state = _state(one, filtered)
        where = place_of(filtered.route)
        told = f"{filtered.route}{f' ({where})' if where else ''}"
        if state == "stays":
            told = f"{told}: {filtered.why}"
        yield from _wrapped(told, f"  {_STATES[state]} ", " " * 11)
    for pattern in one.found.patterns:
        yield from _wrapped(pattern, "  filter   ", " " * 11, break_long_words=True)
    if one.found.vanishes:
        yield from _wrapped(one.found.vanishes, "  vanishes ", " " * 11)


def _wrapped(told: str, first: str, further: str, *, break_long_words: bool = False) -> list[str]:
    return wrap(
        told,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=break_long_words,
        break_on_hyphens=False,
    )
