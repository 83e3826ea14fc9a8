"""Read what a handler and its dependencies take, by the code that binds their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.contract.interface.model import NOTHING, Parameter, Payload
from router.convert.compile import compile_converter
from router.convert.introspect import fields_of
from router.convert.kinds import alias_of, is_model, is_pydantic, plain, takes_none, wants_many, wire_name
from router.dispatch.http_tools import values_of
from router.errors import UnprocessableContent
from router.routing.paths import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.routing.route import Route


_TYPES_OF_PATH = {"int": int, "float": float}
_BODIES: dict[Any, str] = {bytes: "application/octet-stream", str: "text/plain"}


def taken_by(route: Route) -> tuple[tuple[Parameter, ...], Payload | None]:
    """Return the parameters and the payload of a route; dependencies take theirs from the same event.

    Raises:
        ConfigurationError: a signature cannot be read.
    """
    found = list(values_of(route))
    parameters: dict[tuple[str, str], Parameter] = {}
    of_path = {one.name: one for one in _of_path(route)}
    for place, name, annotation, default in found:
        of_template = place == "path" and _bare(annotation) is Any  # `{number:int}`, of an argument that says nothing
        held = of_path[name].annotation if of_template and name in of_path else annotation
        if place != "body":
            for one in _parameters(place, name, held, default):
                parameters.setdefault((one.place, one.name.lower() if place == "header" else one.name), one)
    for one in of_path.values():
        parameters.setdefault((one.place, one.name), one)
    bodies = [(annotation, default) for place, _, annotation, default in found if place == "body"]
    if route.model is not None and not bodies:
        bodies = [(route.model, NOTHING)]
    brought = [one for one in parameters.values() if one.place == "argument"]
    if len(brought) == 1 and not bodies and is_model(plain(brought[0].annotation)):
        # as `router.dispatch.tool_arguments.settle` has it
        others = tuple(one for one in parameters.values() if one.place != "argument")
        return others, _payload(brought[0].annotation, brought[0].default)
    return tuple(parameters.values()), _payload(*bodies[0]) if bodies else None


def _parameters(place: str, name: str, annotation: Any, default: Any) -> Iterator[Parameter]:
    """Return the parameter of an argument, or those of the fields of its model."""
    if place in ("query", "header", "cookie") and is_model(plain(annotation)):
        yield from _of_fields(place, annotation, optional=default is not NOTHING or takes_none(annotation))
        return
    told = _told(annotation)
    if default is NOTHING and place != "path":
        default = _absent(annotation, is_text=place != "argument")
    wire = wire_name(place, name, alias_of(annotation))
    yield Parameter(wire, place, name, _bare(annotation), default, **told)


def _absent(annotation: Any, *, is_text: bool) -> Any:
    """Return what a handler gets where nobody sent a value; NOTHING where that is refused.

    is_text: whether values come as texts, of which none at all is an empty list.
    """
    if takes_none(annotation):
        return None
    if not is_text or not wants_many(annotation):
        return NOTHING
    try:
        compile_converter(annotation, text=True)([], "")
    except UnprocessableContent:
        return NOTHING  # it has a least length
    return []


def _of_fields(place: str, annotation: Any, *, optional: bool) -> Iterator[Parameter]:
    kind = plain(annotation)
    if is_pydantic(kind):
        for name, field in kind.model_fields.items():
            default = NOTHING if field.is_required() and not optional else _made_default(field.default_factory, field)
            yield Parameter(
                wire_name(place, name, field.validation_alias or field.alias),
                place,
                name,
                _of_pydantic(field),
                default,
                field.description or "",
                _several(field.examples),
                bool(field.deprecated),
            )
        return
    fields = fields_of(kind)
    for one in fields.fields if fields is not None else ():
        default = NOTHING if one.required and not optional else _default_of(kind, one.name)
        wire = wire_name(place, one.name, alias_of(one.annotation))
        yield Parameter(wire, place, one.name, _bare(one.annotation), default, **_told(one.annotation))


def _of_pydantic(field: Any) -> Any:
    """Return the annotation of a field of pydantic with its limits."""
    from typing import Annotated

    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _default_of(kind: Any, name: str) -> Any:
    from dataclasses import MISSING

    field = kind.__dataclass_fields__[name]
    if field.default is not MISSING:
        return field.default
    return None if field.default_factory is MISSING else _made_default(field.default_factory, field)


def _made_default(factory: Any, field: Any) -> Any:
    """Return the default of a field; None where it is made in a way that may differ each time, such as an id."""
    if factory is None:
        return None if field.is_required() else field.default
    return factory() if factory in (list, dict, set, frozenset, tuple) else None


def _of_path(route: Route) -> Iterator[Parameter]:
    """Return the parameters of the path, also those that no argument takes."""
    if route.request is not None:
        for name in route.request.parameters:
            yield Parameter(name, "argument", name, route.request.type_of(name))
    for kind, name in parse(route.match) if route.methods else ():
        if kind != "static":
            yield Parameter(name, "path", name, _type_of(kind))


def _type_of(kind: str) -> Any:
    if kind == "uuid":
        from uuid import UUID

        return UUID
    return _TYPES_OF_PATH.get(kind, str)


def _payload(annotation: Any, default: Any) -> Payload:
    told = _told(annotation)
    told.pop("deprecated")
    kind = plain(annotation)
    media = _BODIES.get(kind) if isinstance(kind, type) else None
    required = default is NOTHING and not takes_none(annotation) and not _takes_nothing(annotation, media)
    return Payload(_bare(annotation), (media or "application/json",), required, **told)


def _takes_nothing(annotation: Any, media: str | None) -> bool:
    """Return whether an empty body is one of its values: of text and bytes without a least length."""
    markers = getattr(annotation, "__metadata__", ())
    limits = [
        getattr(one, name, None) for one in markers if not isinstance(one, type) for name in ("min_length", "pattern")
    ]
    return media is not None and not any(limits)


def _told(annotation: Any) -> dict[str, Any]:
    """Return what Annotated says of a value beside its type: description, examples, whether it is deprecated."""
    found: dict[str, Any] = {"description": "", "examples": (), "deprecated": False}
    for one in getattr(annotation, "__metadata__", ()):
        if isinstance(one, type):
            continue  # Query of Query[int], whose attributes are those of the class
        for name, least in (("description", ""), ("deprecated", False)):
            found[name] = getattr(one, name, None) or found[name] or least
        examples = getattr(one, "examples", None)
        if examples is not None:
            found["examples"] = _several(examples)
    found["deprecated"] = bool(found["deprecated"])
    return found


def _bare(annotation: Any) -> Any:
    """Return an annotation that any reader of types knows: NOTHING and object are Any."""
    if annotation is NOTHING or annotation is object:
        return Any
    origin = getattr(annotation, "__origin__", None)
    if type(annotation).__name__ == "Marked" and all(isinstance(one, type) for one in annotation.__metadata__):
        return origin  # Query[int], which says no more than the place
    return annotation


def _several(examples: Any) -> tuple[Any, ...]:
    """Return examples as they were given: what is no list is the only one."""
    if examples is None:
        return ()
    return tuple(examples) if isinstance(examples, list | tuple) else (examples,)
