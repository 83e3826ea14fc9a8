"""Let calls of the function go wrong on purpose: late, twice, in another order, unanswered, or with a dead process."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from router.env import name_in
from router.local.calls import Outcome
from router.routing.slots import matches
from router.sources import read
from router.sources._registry import ROWS, detect
from router.testing.faulty_deliveries import again

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from typing import Any

    from router.event import Event
    from router.local.calls import Call
    from router.testing.faults import Effects, Faults

    Invoke = Callable[[Call], Awaitable[Outcome]]

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PLACE = re.compile(r"\{[^{}]*\}")


def hit(faults: Faults, call: Call, routes: Iterable[Mapping[str, Any]], variables: Mapping[str, str]) -> Effects:
    """Throw the dice for a call.

    routes: of the application, as its process tells of them. variables: of the application.
    """
    names = routes_of(call, routes, variables) if any(rule.route for rule in faults.rules) else ()
    return faults.on_call(detect(call.event).value, names)


async def deliver(invoke: Invoke, call: Call, effects: Effects, faults: Faults) -> Outcome:
    """Make a call as the rules say that hit it.

    invoke: makes a call.
    """
    if effects.ms:
        await asyncio.sleep(effects.ms / 1000)
    call.fault = effects.name
    if "reorder" in effects:
        call.event = _reordered(call.event, faults)
    if "duplicate" in effects:
        await invoke(replace(call, request_id=str(uuid4()), streams=False))
        call.event = again(detect(call.event), call.event)
    call.is_doomed = "kill" in effects
    call.loses_answer = "lost answer" in effects
    outcome = await invoke(call)
    if not call.loses_answer or outcome.became != "answered":
        return outcome
    if outcome.stream is not None:
        async for _ in outcome.stream:
            pass  # the handler is done when its stream is
    error = {"errorType": "LostAnswer", "errorMessage": f"a fault on purpose: {effects.name}"}
    return Outcome("lost answer", None, error, None, outcome.ms, outcome.logs)


def _reordered(event: Any, faults: Faults) -> Any:
    records = event.get("Records") if isinstance(event, dict) else None
    return {**event, "Records": faults.shuffled(records)} if isinstance(records, list) else event


# ---- which routes --------------------------------------------------------------------------------------------------


def routes_of(call: Call, routes: Iterable[Mapping[str, Any]], variables: Mapping[str, str]) -> list[str]:
    """Return the routes that the events of a call go to, as far as their names say it."""
    found: dict[str, None] = {}
    held = list(routes)
    with suppress(Exception):  # a payload that is not as its source sends it
        for event in read(call.event):
            fitting = [one for one in held if event.source.value in one["sources"] and _fits(one, event, variables)]
            if ROWS[event.source].by_path:
                # Of several paths that fit, the one with the fewest parameters is the nearest.
                fitting = sorted(fitting, key=lambda one: str(one["path"]).count("{"))[:1]
            found.update(dict.fromkeys(str(one["route"]) for one in fitting))
    return list(found)


def _fits(route: Mapping[str, Any], event: Event, variables: Mapping[str, str]) -> bool:
    if ROWS[event.source].by_path:
        path = str(route["path"])
        parts = [re.escape(part) for part in _PLACE.split(path)]
        places = [".+" if place.endswith("+}") else "[^/]+" for place in _PLACE.findall(path)]
        pattern = "".join(part + place for part, place in zip(parts, [*places, ""], strict=True))
        return event.method in route["methods"] and re.fullmatch(pattern, event.path) is not None
    match = _VARIABLE.sub(lambda one: name_in(variables.get(one[1], one[0])), str(route["match"]))
    return matches(match, event.name)
