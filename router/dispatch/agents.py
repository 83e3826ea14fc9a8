"""Tools that Bedrock agents call as actions. Loaded when the first action comes."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from enum import Enum
from types import NoneType

from router.convert.kinds import alias_of, is_model, is_pydantic, is_union, plain
from router.dispatch.http_tools import values_of
from router.dispatch.plan import is_event
from router.errors import ConfigurationError
from router.event import Source
from router.routing.tools import as_it_came
from router.sources.bedrock import BedrockEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from router.dispatch.plan import Entry
    from router.event import Event
    from router.routing.route import Route


def finding(find: Callable[[Event], Entry]) -> Callable[[Event], Entry]:
    """Return a search for the route of an action, which may be that of a tool.

    It refuses a tool that wants the event of another agent, and says to the event which of its texts are JSON: a
    function has neither objects nor what is inside of lists.
    """
    known: dict[int, frozenset[str]] = {}

    def find_action(event: Any) -> Entry:
        entry = find(event)
        if entry.route.sources[0] is not Source.TOOL:
            return entry
        names = known.get(id(entry))
        if names is None:
            check_events(entry.route)
            known[id(entry)] = names = structured(entry.route)
        event.structured = names
        as_it_came(event)
        return entry

    return find_action


def structured(route: Route) -> frozenset[str]:
    """Return the arguments of a tool that are never a text: lists, objects, models."""
    found = {
        alias_of(annotation) or name: annotation
        for place, name, annotation, _ in values_of(route)
        if place in ("argument", "body")
    }
    only = next(iter(found.values())) if len(found) == 1 else None
    if only is not None and is_model(plain(only)):
        found = dict(_fields(plain(only)))
    return frozenset(name for name, annotation in found.items() if _is_structure(annotation))


def _fields(kind: Any) -> Iterator[tuple[str, Any]]:
    """Return the fields of a model, by each name that they may come under."""
    if is_pydantic(kind):
        for name, one in kind.model_fields.items():
            for key in (name, one.alias, one.validation_alias):
                if isinstance(key, str):
                    yield key, one.annotation
        return
    from router.convert.introspect import fields_of

    fields = fields_of(kind)
    for one in () if fields is None else fields.fields:
        yield alias_of(one.annotation) or one.name, one.annotation


def _is_structure(annotation: Any) -> bool:
    """Whether a value is a list or an object, and never a text."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    for inner in ("__supertype__", "__value__"):  # of NewType, of `type X = ...`
        if hasattr(annotation, inner):
            return _is_structure(getattr(annotation, inner))
    if is_union(annotation):
        return all(_is_structure(member) for member in annotation.__args__ if member is not NoneType)
    origin = getattr(annotation, "__origin__", annotation)
    if not isinstance(origin, type) or issubclass(origin, str | bytes | Enum):
        return False
    return is_model(annotation) or issubclass(origin, Collection)


def check_events(route: Route) -> None:
    """Refuse a tool whose handler, or a dependency of it, asks for an event that no action of a Bedrock agent is.

    Raises:
        ConfigurationError: naming the argument, and the file and line of the handler.
    """
    pending: list[Any] = [route.handler]
    for function in pending:
        for name, parameter in _parameters(function).items():
            for provide in _provided(parameter):
                if provide not in pending:
                    pending.append(provide)
            if any(_is_foreign(kind) for kind in _kinds(parameter.annotation)):
                raise ConfigurationError(
                    f"{route}: the argument {name!r} is an event that no action of a Bedrock agent is; let it be an "
                    f"Event, or leave it out: {route.where}"
                )


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function, eval_str=True).parameters)


def _kinds(annotation: Any) -> list[Any]:
    """Return the classes of which an argument may be: those of a union, if one of them is that of actions, not."""
    bare = plain(annotation)
    kinds = list(bare.__args__) if is_union(bare) else [bare]
    return [] if any(is_event(kind, False) and not _is_foreign(kind) for kind in kinds) else kinds


def _is_foreign(kind: Any) -> bool:
    return is_event(kind, False) and not (issubclass(BedrockEvent, kind) or issubclass(kind, BedrockEvent))


def _provided(parameter: inspect.Parameter) -> list[Any]:
    """Return the functions that provide an argument: `Annotated[..., Depends(f)]`, or `= Depends(f)`."""
    marks = (*getattr(parameter.annotation, "__metadata__", ()), parameter.default)
    return [mark.provide for mark in marks if getattr(mark, "__router_place__", "") == "depends"]
