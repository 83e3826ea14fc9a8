"""What a handler writes in its signature to say where an argument comes from."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Annotated, Any, TypeVar

    T = TypeVar("T")
    # To a type checker `Query[int]` is an int; at run time it is a Marked, which also says where the int comes from.
    Body = Annotated[T, "body"]
    Query = Annotated[T, "query"]
    Header = Annotated[T, "header"]
    Cookie = Annotated[T, "cookie"]
    Path = Annotated[T, "path"]


class Marked:
    """`Query[int]`: a place and a type."""

    __slots__ = ("annotation", "place")

    def __init__(self, place: str, annotation: Any) -> None:
        self.place = place
        self.annotation = annotation

    def __repr__(self) -> str:
        return f"{self.place.title()}[{getattr(self.annotation, '__name__', self.annotation)}]"


if not TYPE_CHECKING:

    class _Place:
        __slots__ = ("name",)

        def __init__(self, name: str) -> None:
            self.name = name

        def __getitem__(self, annotation: Any) -> Marked:
            return Marked(self.name, annotation)

        def __repr__(self) -> str:
            return self.name.title()

    Body, Query, Header = _Place("body"), _Place("query"), _Place("header")
    Cookie, Path = _Place("cookie"), _Place("path")


class Alias:
    """Another name on the wire than in the signature: `Query[Annotated[int, Alias("page-size")]]`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Depends:
    """An argument that a function provides: `Annotated[Database, Depends(connect)]`.

    The function's own arguments are bound like a handler's. It runs once a dispatch, however many ask for it
    (`cached=False`: for each). A generator function gives what it yields and is resumed when the handler is done, with
    the error raised inside it if there was one.
    """

    __slots__ = ("cached", "provide")

    def __init__(self, provide: Callable[..., Any], *, cached: bool = True) -> None:
        self.provide = provide
        self.cached = cached
