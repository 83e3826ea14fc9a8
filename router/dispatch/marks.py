"""Marks: what a decorator such as `@auth` leaves on a handler, for others to find. A mark must never be lost.

A decorator above a mark hands it on with `functools.wraps`. One that does not hides the marked function: what was
asked for a handler (a token, say) would silently not hold.
"""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from router.routing.route import Route

AUTH = "__auth_mode__"
# Each mark with the decorator that leaves it. A lost one is refused, whichever it is.
MARKS = {AUTH: "@auth"}
_DEEPEST = 8  # wrappers around wrappers that are looked into


def mark(handler: Any, name: str, value: str) -> None:
    """Leave a mark on a handler.

    name: one of MARKS. value: what it says.

    Raises:
        ConfigurationError: the handler has this mark already, or is nothing that can be marked.
    """
    label = f"{MARKS[name].removeprefix('@')}({value!r})"
    if marked(handler, name) is not None:
        raise ConfigurationError(f"{label}: the handler has a mode already; give one")
    try:
        setattr(handler, name, value)
    except AttributeError:
        raise ConfigurationError(f"{label}: {type(handler).__name__} cannot be marked; use a def") from None


def marked(handler: Any, name: str) -> str | None:
    """Return the value of a mark on a handler, or on what the handler is made of; None where there is none."""
    for function in _made_of(handler):
        value = _own(function, name)
        if value is not None:
            return value
    return None


def _own(function: Any, name: str) -> str | None:
    value = getattr(function, name, None)
    return value if type(value) is str else None  # an object may answer to any name


def refuse_lost(route: Route, routes: Iterable[Route]) -> None:
    """Refuse a handler that hides a marked function.

    A marked function that is the handler of another route is no part of this one: it is only called from here.

    route: the route whose chain is composed. routes: all routes of the application.

    Raises:
        ConfigurationError: a decorator without `functools.wraps` stands between the mark and the route.
    """
    hidden = [
        (function, name)
        for function in _held(route.handler, _DEEPEST)
        for name in MARKS
        if _own(function, name) is not None and marked(route.handler, name) is None
    ]
    if not hidden:
        return
    handlers = {id(_bare(function)) for one in routes for function in _made_of(one.handler)}
    for function, name in hidden:
        if id(_bare(function)) not in handlers:
            raise ConfigurationError(
                f"{route}: the handler {route.where} hides {getattr(function, '__qualname__', function)!s}, and "
                f"{MARKS[name]}({_own(function, name)!r}) on it would be lost; let the decorator in between use "
                f"functools.wraps, or put {MARKS[name]} above it"
            )


def _made_of(handler: Any) -> Iterator[Any]:
    """Yield a handler, and what it says that it stands for: by `__wrapped__`, as a partial, as a callable object."""
    for _ in range(100):  # a __wrapped__ that leads back to itself ends, too
        if handler is None:
            return
        yield handler
        if isinstance(handler, partial):
            handler = handler.func
            continue
        inner = getattr(handler, "__wrapped__", None)
        if inner is None and not isinstance(handler, FunctionType | MethodType):
            inner = type(handler).__call__ if isinstance(type(handler).__call__, FunctionType) else None
        handler = inner


def _held(handler: Any, depth: int) -> Iterator[Any]:
    """Yield the functions that a handler holds and may call without saying so: in closures, defaults, attributes."""
    for function in _made_of(handler):
        for value in _values(function):
            if depth and callable(value) and not isinstance(value, type):
                yield value
                yield from _held(value, depth - 1)


def _values(function: Any) -> Iterator[Any]:
    if isinstance(function, partial):
        yield from (*function.args, *function.keywords.values())
    elif isinstance(function, FunctionType | MethodType):
        function = _bare(function)
        yield from (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
        for cell in function.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:
                pass  # not defined yet
    else:  # an instance of a class that is a decorator
        yield from (value for value in getattr(function, "__dict__", {}).values() if _is_code(value))


def _is_code(value: Any) -> bool:
    return isinstance(value, FunctionType | MethodType | partial)


def _bare(function: Any) -> Any:
    """Return the function of a bound method, which is another object each time."""
    return getattr(function, "__func__", function)
