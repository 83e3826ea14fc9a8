"""An ECS task: its environment is the payload, its exit code the answer."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager

from router.errors import NoRoute, text_of
from router.event import Source
from router.sources import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType
    from typing import Any

    from router.dispatch.engine import Engine
    from router.resolver import Resolver
    from router.routing.route import Route


def run_task(resolver: Resolver, environ: Mapping[str, str] | None, require_env: tuple[str, ...]) -> int:
    """Run the route of a task. 0: success; 1: it failed; 2: it could not start; 143: SIGTERM stopped it."""
    log = _log()
    given = os.environ if environ is None else environ
    missing = [name for name in require_env if not given.get(name)]
    if missing and resolver._engine.declared is None:
        log.error("the task cannot start: set %s", ", ".join(missing))
        return 2
    if not given.get("TASK_NAME"):
        log.error("the task cannot start: set TASK_NAME to the name of an @on_task route")
        return 2
    with _terminable():
        try:
            if not _has_environment(resolver, given, require_env):
                return 2
            result = resolver._start_task(given)
        except SystemExit as stopped:
            return _stopped(stopped.code)
        except Exception:
            return 1  # the dispatch has logged it
    return _code(result)


def _has_environment(resolver: Resolver, environ: Mapping[str, str], further: tuple[str, ...]) -> bool:
    """Resolve what the task's own route needs. Return whether all of it is there; the log says what is not."""
    engine = resolver._engine
    if engine.declared is None:
        return True
    try:
        engine.declared.load_task(_routes_of(engine, environ), environ, further)
    except Exception as error:
        _log().error("the task cannot start: %s", text_of(error))
        return False
    return True


def _routes_of(engine: Engine, environ: Mapping[str, str]) -> list[Route]:
    """Return the route that an environment starts; all of tasks where that cannot be told yet."""
    try:
        [event] = load(Source.TASK).read(Source.TASK, environ, None)
        return [engine.table.find_record(event).route]
    except NoRoute:
        return []  # the dispatch says so
    except Exception:  # such as a name that a variable is still to tell (Env)
        return [entry.route for entry in engine.table.entries_of(Source.TASK)]


def _stopped(code: Any) -> int:
    """As Python itself takes `sys.exit(...)`: None is success, a number the code, anything else the reason of a 1."""
    if code is None or type(code) is int:
        return (code or 0) & 0xFF
    _log().error("the task stopped: %s", code)
    return 1


def _code(result: Any) -> int:
    """A handler may return its exit code; anything else it returns is success."""
    if type(result) is int:
        return result & 0xFF
    return 0 if result is not False else 1


@contextmanager
def _terminable() -> Iterator[None]:
    """Turn SIGTERM into SystemExit, so that `finally` blocks run. Only the main thread may do that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _log() -> Any:
    from logging import getLogger

    return getLogger("router")
