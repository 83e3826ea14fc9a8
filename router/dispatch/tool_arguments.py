"""Getters of what the call of a tool brings, by the names of the handler's arguments.

Loaded when the first signature of a tool is read.
"""

from __future__ import annotations

from router.convert.compile import compile_converter
from router.convert.kinds import alias_of, is_model, is_pydantic, plain, takes_none, wants_many
from router.convert.scalars import mistake, refusal, shown
from router.dispatch.absent import absent_of
from router.dispatch.plan import REQUIRED, itself
from router.errors import ConfigurationError
from router.sources.tool import arguments_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from router.convert.scalars import Converter, Where
    from router.dispatch.plan import Offer
    from router.event import Event

_NOTHING = object()


class ToolArgument:
    """One argument of a call, converted to its annotation.

    name: its name in the call. annotation, default: those of the handler.
    is_all: whether it is all the arguments at once, in one model.
    """

    __slots__ = ("absent", "annotation", "at", "convert", "is_all", "name", "takes_none")

    def __init__(self, name: str, annotation: Any, default: Any) -> None:
        self.annotation = annotation
        self.name = alias_of(annotation) or name
        self.at: Where = ("arguments", self.name)
        self.is_all = False
        self.absent = absent_of(annotation, default)
        self.takes_none = takes_none(annotation) or annotation is object or repr(annotation) == "typing.Any"
        self.convert = compile_converter(annotation, text=False)

    def __call__(self, event: Event) -> Any:
        held = arguments_of(event)
        value = (held or _NOTHING) if self.is_all else held.get(self.name, _NOTHING)
        if self.absent is not None and (value is _NOTHING or (value is None and not self.takes_none)):
            return self.absent()  # models write null for what they leave out
        if value is _NOTHING:
            if not self.is_all:
                raise mistake(self.at, "is missing")
            value = {}
        return self.convert(value, self.at)


def of_argument(name: str, annotation: Any, default: Any, where: str, offer: Offer) -> ToolArgument:
    """Return a getter of an argument of a call. Raises ConfigurationError for what JSON cannot be converted to."""
    if offer.seen is not None:
        offer.seen.append(("argument", name, annotation, default))
    try:
        return ToolArgument(name, annotation, default)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: the argument {name!r}: {error}") from None


def of_request(place: str, name: str, annotation: Any, default: Any, where: str, offer: Offer) -> ToolArgument:
    """Return a getter of an argument that is a part of the request where the tool is called over HTTP.

    place: "path", "query" or "body" there.

    Raises:
        ConfigurationError: JSON cannot be converted to it.
    """
    if place == "path":
        made = offer.route.request.type_of(alias_of(annotation) or name)
        if annotation is REQUIRED or annotation is object or repr(annotation) == "typing.Any":
            annotation = made
        getter = of_argument(name, annotation, default, where, offer)
        getter.convert = _unless_empty(getter.convert)
        return getter
    if place == "query" and default is REQUIRED and wants_many(annotation) and not is_model(plain(annotation)):
        default = []  # as many as were sent
    return of_argument(name, annotation, default, where, offer)


def _unless_empty(convert: Converter) -> Converter:
    """Return a converter that refuses an empty text, which no path can hold as a parameter."""

    def converted(value: Any, where: Where) -> Any:
        if value == "":
            raise mistake(where, "must not be empty")
        return convert(value, where)

    return converted


def check_place(place: str, name: str, annotation: Any, default: Any) -> None:
    """Check an argument of a tool that comes from the headers, which agents do not choose.

    Raises:
        ConfigurationError: it has to be there.
    """
    if absent_of(annotation, default) is None and _has_to_be_there(plain(annotation)):
        raise ConfigurationError(
            f"the {place} {name!r} has to be sent, and agents send arguments alone; give it a default"
        )


def _has_to_be_there(kind: Any) -> bool:
    """Whether it needs any header: a model whose fields all have a default does not."""
    if not is_model(kind):
        return True
    if is_pydantic(kind):
        return any(field.is_required() for field in kind.model_fields.values())
    from router.convert.introspect import fields_of

    fields = fields_of(kind)
    return fields is None or bool(fields.required)


def settle(getters: Iterable[Any], offer: Offer) -> None:
    """Let a model that is the only argument of a call be all of its arguments, as it is the body elsewhere.

    getters: of all arguments of a handler and its dependencies.
    offer: of the handler; it is told which arguments a call may bring.
    """
    getters, request = list(getters), offer.route.request
    taken = [get for get in getters if isinstance(get, ToolArgument)]
    names = dict.fromkeys([*(request.parameters if request is not None else ()), *(get.name for get in taken)])
    if request is not None and not request.is_all:
        offer.names = tuple(names)  # also where the path has parameters that the handler does not take
        return
    if len(names) == 1 and all(is_model(plain(get.annotation)) for get in taken):
        for get in taken:
            get.is_all, get.at = True, "arguments"
    elif offer.route.pattern is None and not any(get is itself or hasattr(get, "model") for get in getters):
        # The event, a model and a pattern may read others.
        offer.names = tuple(names)


def refusing_others(call: Callable[[Any], Any], names: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return a call of a tool that refuses arguments which nothing takes: a model that misspells one is told.

    names: of those that there are.
    """
    known = frozenset(names)

    def checked(event: Event) -> Any:
        held = arguments_of(event)
        if not known.issuperset(held):
            raise refusal([_unknown(name, names) for name in held if name not in known])
        return call(event)

    return checked


def _unknown(name: str, names: tuple[str, ...]) -> dict[str, str]:
    there_are = f"it has {', '.join(names)}" if names else "it has none"
    return {"at": "arguments", "message": f"there is no argument {shown(name)}; {there_are}"}
