"""`Plan`: how a function is called; `Entry`: a route with its plan; what tells and runs sync and async kinds."""

from __future__ import annotations

import inspect

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from router.routing.route import Route


class Plan:
    """How to call a function: `call(event)` gives its result, or a coroutine when `is_async`.

    For a batch route the argument is the list of Events.
    """

    __slots__ = ("call", "is_async")

    def __init__(self, call: Callable[[Any], Any], is_async: bool) -> None:
        self.call = call
        self.is_async = is_async


class Entry:
    """A route with the plan of its handler and, once it has been used, its chain."""

    __slots__ = ("call", "is_async", "parameters", "plan", "ready", "route")

    def __init__(self, route: Route, plan: Plan) -> None:
        self.route = route
        self.plan = plan
        self.parameters: tuple[str, ...] = ()
        self.ready = False
        self.call: Callable[[Any], Any]
        self.is_async = False


def is_async(function: Any) -> bool:
    """Whether calling it gives a coroutine; an object with an async `__call__` counts."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def generator_kind(function: Any) -> str | None:
    """Which kind of generator calling it gives; None for none."""
    for called in (function, type(function).__call__):
        if inspect.isgeneratorfunction(called):
            return "generator"
        if inspect.isasyncgenfunction(called):
            return "async generator"
    return None


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never has to wait: the one code for sync and async chains, without a loop for sync ones."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise ConfigurationError("something in a sync route had to wait; declare the handler or middleware `async def`")
