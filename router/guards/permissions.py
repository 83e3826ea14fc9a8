"""Permissions that can be combined: `owner | admin & within("limit")`.

    @permission
    def owner(session, order):                # any of session, event and the handler's arguments, by name
        return order.user == session.user

    @resolver.put("/orders/{id}", permission=owner | admin)
    def change(id: str, order: Order): ...

An error in any part that is asked refuses the event, whatever the others say: nobody is let in by a mistake.
"""

from __future__ import annotations

import inspect

from router.dispatch.permission import said_yes
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.event import Event

    Values = dict[str, Any]

# Stands for an argument that a handler does not have: the function's own default counts.
_DEFAULT: Any = object()


class Permission:
    """A function that may let an event in, or a combination of some. Made by `permission`.

    `a | b` lets in what either does, `a & b` what both do, `~a` what a does not. They are asked from left to right, and
    no further than needed.
    """

    def __init__(self, name: str, parameters: dict[str, bool], ask: Callable[[Values], Any]) -> None:
        """Make a permission.

        parameters: what it asks for by name, and whether it has to be there.
        ask: answers by the values of these.
        """
        self.__name__ = name
        self._parameters = parameters
        self._ask = ask
        kind, empty = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
        # Those that may be missing stand last, as a signature has to have them.
        names = sorted(parameters, key=lambda one: not parameters[one])
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(one, kind, default=empty if parameters[one] else _DEFAULT) for one in names]
        )

    def __call__(self, *values: Any) -> Any:
        return self._ask(dict(zip(self.__signature__.parameters, values, strict=True)))

    def __repr__(self) -> str:
        return self.__name__

    def __or__(self, other: Permission) -> Permission:
        return _joined(self, other, "|", stops_at=True)

    def __and__(self, other: Permission) -> Permission:
        return _joined(self, other, "&", stops_at=False)

    def __ror__(self, other: Any) -> Permission:
        return _joined(other, self, "|", stops_at=True)

    def __rand__(self, other: Any) -> Permission:
        return _joined(other, self, "&", stops_at=False)

    def __invert__(self) -> Permission:
        def ask(values: Values) -> bool:
            return not self._ask(values)

        async def ask_async(values: Values) -> bool:
            return not await self._ask(values)

        name = f"~{self.__name__}" if self.__name__.isidentifier() else f"~({self.__name__})"
        kind = type(self)
        return kind(name, self._parameters, ask_async if kind is AsyncPermission else ask)


class AsyncPermission(Permission):
    """A permission that has to be awaited, since one of its parts has."""

    async def __call__(self, *values: Any) -> Any:
        return await self._ask(dict(zip(self.__signature__.parameters, values, strict=True)))


def permission(function: Callable[..., Any]) -> Permission:
    """Make a permission of a function, sync or async; a decorator.

    function: takes any of `session`, `event` and the arguments of the handlers that it is for, by name.

    Raises:
        ConfigurationError: it is no function, or takes arguments that have no name of their own.
    """
    if isinstance(function, Permission):
        return function
    if not callable(function) or isinstance(function, type):
        raise ConfigurationError(f"permission takes a function, not {function!r:.80}")
    found = inspect.signature(function).parameters.values()
    if any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD, one.POSITIONAL_ONLY) for one in found):
        raise ConfigurationError(f"permission {function!r:.80}: name each argument; they are given by name")
    parameters = {one.name: one.default is one.empty for one in found}
    name = getattr(function, "__name__", type(function).__name__)

    def call(values: Values) -> Any:
        return function(**{name: values[name] for name in parameters if values[name] is not _DEFAULT})

    def ask(values: Values) -> bool:
        return said_yes(call(values), f"permission {name}")

    async def ask_async(values: Values) -> bool:
        return said_yes(await call(values), f"permission {name}")

    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        return AsyncPermission(name, parameters, ask_async)
    return Permission(name, parameters, ask)


@permission
def anyone() -> bool:
    """Let everybody in: for routes of a `Resolver(deny_by_default=True)` that are open on purpose."""
    return True


def _joined(first: Any, second: Any, sign: str, *, stops_at: bool) -> Permission:
    """Return two permissions as one.

    stops_at: the answer of the first that decides, so that the second is not asked.
    """
    if not (isinstance(first, Permission) and isinstance(second, Permission)):
        raise ConfigurationError(f"{first!r:.80} {sign} {second!r:.80}: decorate the function with @permission")
    both = (*first._parameters.items(), *second._parameters.items())
    parameters = {one: any(needed for other, needed in both if other == one) for one, _ in both}
    name = f"{_inside(first, sign)} {sign} {_inside(second, sign)}"

    def ask(values: Values) -> bool:
        decided = bool(first._ask(values))
        return decided if decided is stops_at else bool(second._ask(values))

    async def answer(one: Permission, values: Values) -> bool:
        given = one._ask(values)
        return bool(await given if isinstance(one, AsyncPermission) else given)

    async def ask_async(values: Values) -> bool:
        decided = await answer(first, values)
        return decided if decided is stops_at else await answer(second, values)

    if isinstance(first, AsyncPermission) or isinstance(second, AsyncPermission):
        return AsyncPermission(name, parameters, ask_async)
    return Permission(name, parameters, ask)


def _inside(one: Permission, sign: str) -> str:
    """Return the name of a part: in parentheses where `&` would otherwise bind it differently."""
    return f"({one.__name__})" if sign == "&" and " | " in one.__name__ else one.__name__


def unlisted(event: Event) -> bool:
    """Let nobody in: what `Resolver(deny_by_default=True)` puts on a route that has no permission."""
    from logging import getLogger

    getLogger("router").warning("%s has no permission=, and deny_by_default lets nobody in", event.route)
    return False
