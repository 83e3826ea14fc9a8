"""Permissions: whether an event may reach its handler. Anything but a true answer is a 403."""

from __future__ import annotations

import inspect

from router.dispatch.plan import is_async, itself, session_of
from router.errors import ConfigurationError, Forbidden, HTTPError, SessionError
from router.response import Response, refuse_unawaited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.dispatch.plan import Getter, Plan
    from router.event import Event
    from router.routing.route import Route

    Call = Callable[[Any], Any]

_ALWAYS: dict[str, Getter] = {"session": session_of, "event": itself}


def questions(route: Route, offered: dict[str, Getter], others: list[Getter]) -> Callable[[Event], list[Any]]:
    """Return what makes the arguments of a route's permission: `session`, `event`, and those of the handler by name.

    offered: the arguments of the handler that are made of the event; a dependency is not.
    others: those that may refuse an event: they are made first, so that a malformed body is a 422 and not a 403.

    Raises:
        ConfigurationError: the permission asks for something else.
    """
    getters: list[Getter] = []
    for name, parameter in _parameters(route).items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            getters.extend(_ALWAYS.values())
        elif name in _ALWAYS or name in offered:
            getters.append(_ALWAYS.get(name) or offered[name])
        elif parameter.kind is parameter.VAR_KEYWORD:
            continue
        elif parameter.default is not parameter.empty:
            getters.append(_always(parameter.default))  # in its place: those after it are given by position, too
        else:
            known = ", ".join(dict.fromkeys((*_ALWAYS, *offered)))
            raise ConfigurationError(f"{route}: permission= asks for {name!r}; there are {known}")
    first = [get for get in others if get not in getters]

    def asked(event: Event) -> list[Any]:
        for get in first:
            get(event)
        return [get(event) for get in getters]

    return asked


def _always(value: Any) -> Getter:
    return lambda event: value


def _parameters(route: Route) -> dict[str, inspect.Parameter]:
    try:
        found = inspect.signature(route.permission).parameters  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{route}: permission= has no signature that can be read: {error}") from None
    for name, parameter in found.items():
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise ConfigurationError(f"{route}: permission= takes {name!r} by keyword alone; leave out the `*`")
    return {name: parameter for name, parameter in found.items() if parameter.kind is not parameter.KEYWORD_ONLY}


def guarded(call: Call, asynchronous: bool, route: Route, plan: Plan) -> tuple[Call, bool]:
    """Return the call behind the permission of its route, and whether that returns a coroutine.

    call, asynchronous: the call, and whether it returns a coroutine.
    """
    if is_async(route.permission):

        async def ask_and_call(event: Event) -> Any:
            await ask_async(route, plan, event)
            result = call(event)
            return await result if asynchronous else result

        return ask_and_call, True

    def check_and_call(event: Event) -> Any:
        ask(route, plan, event)
        return call(event)

    return check_and_call, asynchronous


def ask(route: Route, plan: Plan, event: Event) -> None:
    """Ask a sync permission.

    Raises:
        Forbidden: it does not let the event in, or fails.
        HTTPError, SessionError: what it raised itself, or what reading the session raised.
    """
    values = plan.asked(event)  # type: ignore[misc]
    try:
        allowed = said_yes(route.permission(*values), "permission=")  # type: ignore[misc]
    except Exception as error:
        raise _denial(route, error) from error
    if not allowed:
        raise Forbidden


async def ask_async(route: Route, plan: Plan, event: Event) -> None:
    """Ask a permission that may be async; see `ask`."""
    if not is_async(route.permission):
        return ask(route, plan, event)
    values = plan.asked(event)  # type: ignore[misc]
    try:
        answer: Any = route.permission(*values)  # type: ignore[misc]
        if hasattr(answer, "__await__"):
            answer = await answer
        allowed = said_yes(answer, "permission=")
    except Exception as error:
        raise _denial(route, error) from error
    if not allowed:
        raise Forbidden
    return None


def said_yes(answer: Any, what: str) -> bool:
    """Return whether the answer of a permission is a true one.

    what: the permission, for the error.

    Raises:
        ConfigurationError: it is one that is true whatever the permission meant.
    """
    if answer is True or not answer:
        return answer is True
    refuse_unawaited(answer, what)
    if callable(answer) or isinstance(answer, tuple | Response) or answer is NotImplemented or answer is ...:
        # A function that nobody called, an answer as a handler gives it, `return False,`.
        raise ConfigurationError(
            f"{what} returned a {type(answer).__name__}, which is always true; return True or False"
        )
    return True


def _denial(route: Route, error: Exception) -> Exception:
    """Return the error of a permission that raised: nobody is let in by a mistake, and the log has it."""
    if isinstance(error, HTTPError | SessionError):
        return error
    from router.dispatch.tracebacks import log_error

    log_error("%s: permission= failed, and the event is refused", error, route)
    return Forbidden()
