"""SnapStart: what a resolver does before the snapshot of its environment, and after a restore.

Before: load the declared environment, import what first events need, compose the chains, run the application's hooks.
After: begin anew, load what stores hold of that environment once more, run the application's hooks.
Outside of SnapStart hooks are kept, and nothing is run.
"""

from __future__ import annotations

import inspect
import sys
from time import perf_counter

from router.dispatch.plan import generator_kind
from router.errors import ConfigurationError, RouterError, text_of
from router.snapshots import attach, begin_again, drop, renewed, takes_snapshots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from router.dispatch.engine import Engine

    Hook = Callable[[], Any]

BEFORE, AFTER = "before_snapshot", "after_restore"
_SLOW = 5.0  # seconds, half of what Lambda gives a restore with its hooks
_PACKAGE = __name__.rpartition(".")[0]


class SnapshotHookFailed(RouterError):
    """A hook has raised. Lambda's runtime client reports it, and ends the process: 64 before a snapshot, 65 after."""


class Snapshots:
    """The hooks of one resolver.

    engine: its routes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hooks: dict[str, list[Hook]] = {BEFORE: [], AFTER: []}
        if takes_snapshots():
            attach(self.take, self.restore)

    def add(self, moment: str, hook: Hook) -> None:
        """Keep a hook.

        Raises:
            ConfigurationError: it is not a function that can be called without arguments.
        """
        kind = generator_kind(hook) if callable(hook) else type(hook).__name__
        if kind is not None or isinstance(hook, type):
            raise ConfigurationError(f"@{moment} takes a function, not {kind or 'a class'}")
        try:
            inspect.signature(hook).bind()
        except TypeError as error:
            raise ConfigurationError(f"@{moment}: {_name(hook)} is called without arguments: {error}") from None
        self._hooks[moment].append(hook)

    def take(self) -> None:
        """Get ready, and run the hooks before a snapshot: the last one that was registered first.

        Raises:
            SnapshotHookFailed: one of them raised.
            ConfigurationError: the application cannot start, as a variable is missing.
        """
        from router.dispatch.preparing import prepare

        prepare(self._engine)
        self._run(BEFORE, reversed(self._hooks[BEFORE]))
        if self._engine.declared is not None:
            self._engine.declared.forget()

    def restore(self) -> None:
        """Load the declared environment again, and run the hooks after a restore, in the order of registration.

        Raises:
            SnapshotHookFailed: one of them raised.
            Exception: what a store of variables raised.
        """
        started = perf_counter()
        if self._engine.declared is not None:
            self._engine.declared.load()
        self._run(AFTER, self._hooks[AFTER])
        taken = perf_counter() - started
        if taken > _SLOW:
            from logging import getLogger

            getLogger("router").warning("the hooks after a restore took %.1f s; Lambda ends a restore at 10 s", taken)

    def _run(self, moment: str, hooks: Iterable[Hook]) -> None:
        for hook in hooks:
            try:
                result = hook()
                if hasattr(result, "send"):
                    from router.dispatch.loop import run

                    run(result)
            except Exception as error:
                said = f"{type(error).__name__}: {text_of(error)}"
                raise SnapshotHookFailed(f"{moment}: the hook {_name(hook)} failed: {said}") from error

    def go_through(self) -> None:
        """Do all that SnapStart does, for tests: get ready, drop connections, begin again."""
        self.take()
        drop()
        begin_again()
        self.restore()


class _Dispatch:
    """Begin anew with what this package keeps between events. Nothing is loaded for it."""

    def _renew(self, *, forked: bool) -> None:
        if forked:
            return  # they compare the process by themselves
        loop = sys.modules.get(f"{_PACKAGE}.loop")
        if loop is not None:
            loop.close_loop()  # and with it the clients that belong to it
        invocation = sys.modules.get(f"{_PACKAGE}.invocation")
        if invocation is not None:
            invocation.begin_again()


def _name(hook: Hook) -> str:
    return f"{getattr(hook, '__module__', '?')}.{getattr(hook, '__qualname__', type(hook).__qualname__)}"


_dispatch = _Dispatch()
renewed(_dispatch)
