"""Do at the start of an environment what its first events would do: import, compose, load the declared environment."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from router.dispatch.engine import Engine

_ROUTER = __name__.rpartition(".")[0].rpartition(".")[0]


def prepare(engine: Engine) -> None:
    """Get everything ready that can be, without calling a handler.

    Middleware and credentials with a method `prepare` are asked to do the same for themselves.

    Raises:
        ConfigurationError: the application cannot start: a variable that it declares is missing, for example.
    """
    if engine.declared is not None:
        engine.declared.load()
    sources = dict.fromkeys(source for route in engine.table.routes for source in route.sources)
    for source in sources:
        engine.runners[source]  # made by asking for it, with the module of the source
        engine.mode(source)
    for entry in engine.table.entries:
        if not entry.ready:
            engine.prepare(entry)
    waits = engine.waits_on_errors or any(entry.is_async for entry in engine.table.entries)
    for module in (*_MODULES, *(_OF_ASYNC if waits else ())):
        import_module(f"{_ROUTER}.{module}")
    if waits:
        import asyncio  # noqa: F401  # the loop is made by the first event: it is of a process, and of no snapshot
    for one in _prepared(engine):
        one.prepare()


def _prepared(engine: Engine) -> Iterator[Any]:
    """Return what can get itself ready, each once."""
    found: list[Any] = list(engine.middleware)
    for route in engine.table.routes:
        found += route.middleware
        auth = None if engine.guard is None else engine.guard.auth_of(route)
        found += () if auth is None else auth.credentials
    for one in list(found):
        if getattr(one, "authenticates", False):  # in Cors the name is that of a flag
            found += getattr(one, "credentials", ())
    found += [one.authenticator for one in found if hasattr(one, "authenticator")]
    for one in {id(one): one for one in found}.values():
        if callable(getattr(one, "prepare", None)):
            yield one


# What a first event imports where it is needed: results, errors, headers, bodies.
_MODULES = (
    "encode",
    "error_kinds",
    "response",
    "signals",
    "dispatch.chain",
    "dispatch.errors",
    "dispatch.tracebacks",
    "http.headers",
    "http.statuses",
)
_OF_ASYNC = ("dispatch.loop",)
