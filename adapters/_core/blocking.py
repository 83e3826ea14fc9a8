"""Whether an event loop runs here, which the verbs for sync code would block."""

from __future__ import annotations

from sys import modules


def loop_runs() -> bool:
    """Return whether this is async code: an event loop runs in this thread."""
    asyncio = modules.get("asyncio")  # not imported for the question: without it no loop runs
    return asyncio is not None and asyncio._get_running_loop() is not None


def warn_if_blocking(adapter: object, verb: str, instead: str = "") -> None:
    """A sync verb on a running event loop blocks it, so say so. instead: what to write where there is no twin."""
    if loop_runs():
        from logging import getLogger

        name = f"{type(adapter).__name__}.{verb}"
        instead = instead or f"await {name}_async(...)"
        getLogger("adapters").warning("%s blocks the event loop; use %s", name, instead)
