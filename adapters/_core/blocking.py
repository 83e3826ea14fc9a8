"""Whether an event loop runs here, which the verbs for sync code would block."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar

from adapters.errors import EventLoopBlocked
from router.background import loop_runs
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from router.event import Event

    class Blocking(Protocol):
        """An adapter; `_blocking` is what its settings say of a sync verb on a running event loop."""

        @property
        def _blocking(self) -> str: ...


MODES = ("error", "warn")
IN_A_THREAD = "await asyncio.to_thread(...)"
_allowed: ContextVar[bool] = ContextVar("adapters_blocking_allowed", default=False)


def refuse_blocking(adapter: Blocking, verb: str, instead: str = "") -> None:
    """Refuse a sync verb on a running event loop, which would stand still meanwhile.

    A `def` handler that runs on a loop, as others of its source are async, cannot await: there it is a warning.

    adapter: has the verb, and the setting.
    verb: its name.
    instead: what to write in its place; by default its twin.

    Raises:
        EventLoopBlocked: in async code, unless the settings say "warn".
    """
    if loop_runs():
        name = f"{type(adapter).__name__}.{verb}"
        _refuse(name, instead or f"await {name}_async(...)", adapter._blocking)


def refuse_blocking_call(name: str, mode: str, instead: str = IN_A_THREAD) -> None:
    """Refuse a function on a running event loop.

    name: of the function, for the message.
    mode: what the settings say, "error" or "warn".
    instead: what to write in its place.

    Raises:
        EventLoopBlocked: in the mode "error".
    """
    if loop_runs():
        _refuse(name, instead, mode)


@contextmanager
def blocking_allowed() -> Iterator[None]:
    """Let sync verbs block the event loop here, where there is nobody to await anything."""
    token = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(token)


def checked_mode(mode: object, what: str) -> str:
    """Return a setting of what a sync verb on a running event loop does. Raises ConfigurationError, naming `what`."""
    if mode not in MODES:
        raise ConfigurationError(f'{what}(blocking={mode!r}): use "error" or "warn"')
    return str(mode)


def _refuse(name: str, instead: str, mode: str) -> None:
    if _allowed.get():
        return
    text = f"{name} blocks the event loop; use {instead}"
    if mode == "error" and not _in_sync_handler():
        raise EventLoopBlocked(text)
    from logging import getLogger

    getLogger("adapters").warning("%s", text)


def has_async_handler(event: Event | None) -> bool:
    """Return whether an event is handled by a coroutine function, so that what is returned there is awaited."""
    from inspect import iscoroutinefunction, unwrap

    handler = getattr(getattr(event, "route", None), "handler", None)
    if handler is None:
        return False
    handler = unwrap(handler)
    return iscoroutinefunction(handler) or iscoroutinefunction(type(handler).__call__)


def _in_sync_handler() -> bool:
    """Return whether an event is being handled by a plain function."""
    from router.session import current_event

    event = current_event()
    return event is not None and event.route is not None and not has_async_handler(event)
