"""Markers for a handler's signature: each says where an argument comes from.

`Query[int]` and `Annotated[int, Query(ge=1)]` say the same place; the second form takes options. `limit: int =
Query(20, ge=1)` is the second form with a default.
"""

from __future__ import annotations

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Annotated, Any

    from typing_extensions import TypeVar

    # To a type checker `Query[int]` is an int, and `Query(20, ge=1)` is Any, which fits every annotation. The alias of
    # an alias and the bound are for pyright, which refuses to call a plain alias of Annotated; mypy asks for the
    # default.
    T = TypeVar("T", bound=Any, default=Any)
    _Place = Annotated[T, "a place"]
    Body = _Place[T]
    Query = _Place[T]
    Header = _Place[T]
    Cookie = _Place[T]
    Path = _Place[T]

_OPTIONS = (
    "alias",
    "ge",
    "gt",
    "le",
    "lt",
    "multiple_of",
    "min_length",
    "max_length",
    "pattern",
    "description",
    "examples",
    "deprecated",
)
_TOLD = (("description", str, "a text"), ("deprecated", bool, "True or False"))


class Marked:
    """`Query[int]`: a type and the place it comes from. It reads like `Annotated[int, Query]`, without typing."""

    __slots__ = ("__metadata__", "__origin__")

    def __init__(self, annotation: Any, marker: Any) -> None:
        self.__origin__ = annotation
        self.__metadata__ = (marker,)

    def __or__(self, other: Any) -> Marked:
        """`Query[int] | None` means `Query[int | None]`."""
        return Marked(self.__origin__ | other, self.__metadata__[0])

    def __repr__(self) -> str:
        origin = self.__origin__
        inside = repr(origin) if hasattr(origin, "__args__") else getattr(origin, "__qualname__", repr(origin))
        return f"{getattr(self.__metadata__[0], '__name__', self.__metadata__[0])}[{inside}]"


class Marker:
    """A place with its options. Each option is an attribute; None where it was not given.

    default: the value of an absent argument, where the marker itself is written as the default.
    alias: the name on the wire, as it is written there; the argument's own name by default.
    ge, gt, le, lt, multiple_of: limits of numbers; the first four of dates and times, too.
    min_length, max_length: limits of a text, or of the number of values in a list, set or tuple.
    pattern: a regular expression that has to be found in a text; `^` and `$` are its ends.
    description, examples, deprecated: for the documents that are made of the routes.
    """

    __router_place__ = ""
    __slots__ = ("default", *_OPTIONS)

    if TYPE_CHECKING:
        alias: str | None
        ge: Any
        gt: Any
        le: Any
        lt: Any
        multiple_of: Any
        min_length: int | None
        max_length: int | None
        pattern: str | None
        description: str | None
        examples: Any
        deprecated: bool | None

    def __init__(self, default: Any = ..., **options: Any) -> None:
        known = _OPTIONS if self.__router_place__ != "body" else _OPTIONS[1:]  # a body has no name
        unknown = options.keys() - set(known)
        if unknown:
            raise ConfigurationError(
                f"{type(self).__name__}() has no option {', '.join(sorted(unknown))}; it has {', '.join(known)}"
            )
        self.default = default  # `...` for none, as in other frameworks
        for name in _OPTIONS:
            setattr(self, name, options.get(name))
        if self.alias is not None and (type(self.alias) is not str or not self.alias):
            raise ConfigurationError(f"{type(self).__name__}(alias={self.alias!r}): give the name on the wire")
        for name, kinds, words in _TOLD:
            told = getattr(self, name)
            if told is not None and not isinstance(told, kinds):
                raise ConfigurationError(f"{type(self).__name__}({name}={told!r:.80}): give {words}")

    def __class_getitem__(cls, annotation: Any) -> Marked:
        return Marked(annotation, cls)

    def __repr__(self) -> str:
        given = [] if self.default is ... else [repr(self.default)]
        given += [f"{name}={getattr(self, name)!r}" for name in _OPTIONS if getattr(self, name) is not None]
        return f"{type(self).__name__}({', '.join(given)})"


if not TYPE_CHECKING:

    class Body(Marker):
        """The body, parsed and converted; `Body[bytes]` and `Body[str]` take it as it is."""

        __router_place__ = "body"
        __slots__ = ()

    class Query(Marker):
        """A query parameter, or a model of all of them."""

        __router_place__ = "query"
        __slots__ = ()

    class Header(Marker):
        """A header, or a model of several; the argument x_trace is the header x-trace."""

        __router_place__ = "header"
        __slots__ = ()

    class Cookie(Marker):
        """A cookie, or a model of several."""

        __router_place__ = "cookie"
        __slots__ = ()

    class Path(Marker):
        """A path parameter."""

        __router_place__ = "path"
        __slots__ = ()


if TYPE_CHECKING:

    def Depends(provide: Callable[..., Any], *, cached: bool = True) -> Any:  # noqa: N802
        """Let a function provide an argument, also as a default: `db: Database = Depends(connect)`."""

else:

    class Depends:
        """An argument that a function provides: `Annotated[Database, Depends(connect)]`.

        The function's own arguments are bound like a handler's. It runs once a dispatch, however many ask for it
        (`cached=False`: for each). A generator function provides what it yields and is resumed when the handler is
        done, with the error raised inside it if there was one.
        """

        __router_place__ = "depends"
        __slots__ = ("cached", "provide")

        def __init__(self, provide: Callable[..., Any], *, cached: bool = True) -> None:
            self.provide = provide
            self.cached = cached
