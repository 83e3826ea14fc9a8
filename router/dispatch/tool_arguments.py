"""Getters of what the call of a tool brings, by the names of the handler's arguments.

Loaded when the first signature of a tool is read.
"""

from __future__ import annotations

from router.convert.compile import compile_converter
from router.convert.kinds import alias_of, is_model, plain, takes_none
from router.convert.scalars import mistake
from router.dispatch.absent import absent_of
from router.errors import ConfigurationError
from router.sources.tool import arguments_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.convert.scalars import Where
    from router.dispatch.plan import Argument, Offer
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
        if value is not _NOTHING:
            return self.convert(value, self.at)
        if self.is_all:
            return self.convert({}, self.at)
        raise mistake(self.at, "is missing")


def of_argument(name: str, annotation: Any, default: Any, where: str, offer: Offer) -> ToolArgument:
    """Return a getter of an argument of a call. Raises ConfigurationError for what JSON cannot be converted to."""
    if offer.seen is not None:
        offer.seen.append(("argument", name, annotation, default))
    try:
        return ToolArgument(name, annotation, default)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: the argument {name!r}: {error}") from None


def settle(arguments: list[Argument]) -> None:
    """Let a model that is the only argument of a call be all of its arguments, as it is the body elsewhere."""
    taken = [argument.get for argument in arguments if isinstance(argument.get, ToolArgument)]
    if len(taken) == 1 and is_model(plain(taken[0].annotation)):
        taken[0].is_all, taken[0].at = True, "arguments"
