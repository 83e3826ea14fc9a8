"""Permissions: whether an event may reach its handler. Anything but a true answer is a 403."""

from __future__ import annotations

from router.dispatch.plan import is_async
from router.errors import Forbidden, HTTPError, SessionError
from router.response import refuse_unawaited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.event import Event
    from router.routing.route import Route

    Call = Callable[[Any], Any]


def guarded(call: Call, asynchronous: bool, route: Route, check: Callable[[Event], None] | None) -> tuple[Call, bool]:
    """Return the call behind the permission of its route, and whether that returns a coroutine.

    call, asynchronous: the call, and whether it returns a coroutine.
    check: refuses an event whose arguments cannot be made. It is asked first: a malformed body is a 422, not a 403.
    """
    if is_async(route.permission):

        async def ask_and_call(event: Event) -> Any:
            if check is not None:
                check(event)
            await ask_async(route, event)
            result = call(event)
            return await result if asynchronous else result

        return ask_and_call, True

    def check_and_call(event: Event) -> Any:
        if check is not None:
            check(event)
        ask(route, event)
        return call(event)

    return check_and_call, asynchronous


def ask(route: Route, event: Event) -> None:
    """Ask a sync permission.

    Raises:
        Forbidden: it does not let the event in, or fails.
        HTTPError, SessionError: what it raised itself, or what reading the session raised.
    """
    try:
        allowed: Any = route.permission(event.session, event)  # type: ignore[misc]
    except Exception as error:
        raise _denial(route, error) from error
    refuse_unawaited(allowed, f"{route}: permission=")  # it would be true, whatever it came to
    if not allowed:
        raise Forbidden


async def ask_async(route: Route, event: Event) -> None:
    """Ask a permission that may be async; see `ask`."""
    if not is_async(route.permission):
        return ask(route, event)
    try:
        allowed: Any = route.permission(event.session, event)  # type: ignore[misc]
        if hasattr(allowed, "__await__"):
            allowed = await allowed
    except Exception as error:
        raise _denial(route, error) from error
    if not allowed:
        raise Forbidden
    return None


def _denial(route: Route, error: Exception) -> Exception:
    """Return the error of a permission that raised: nobody is let in by a mistake, and the log has it."""
    if isinstance(error, HTTPError | SessionError):
        return error
    from router.dispatch.tracebacks import log_error

    log_error("%s: permission= failed, and the event is refused", error, route)
    return Forbidden()
