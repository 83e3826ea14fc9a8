"""`start`: bring a process of the application to the point where it takes calls."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from router.errors import text_of
from router.local.process.lambda_environment import lambda_variables, without_foreign
from router.local.process.running import CannotStart
from router.local.watch.failures import failure_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from router.local.process.running import Running
    from router.local.settings import Settings

    Prepare = Callable[[dict[str, Any]], Awaitable[Mapping[str, str]]]


def variables_of_process(settings: Settings, aws: Mapping[str, str], prepared: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process. What the command line says goes before everything else.

    aws: of the emulator. prepared: what it said of resources that it made.
    """
    found = {**without_foreign(dict(os.environ)), **lambda_variables(settings), **aws, **prepared}
    return {**found, **settings.environment}


async def start(
    running: Running,
    settings: Settings,
    *,
    environment: Mapping[str, str],
    names: Mapping[str, Any],
    prepare: Prepare | None,
    threads: int,
    keep_byte_code: bool,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Have a process import the application, have what that needs made, and let it take calls.

    running: the process, which is started here unless it is already.
    environment: of the process. names: of resources. prepare: makes what its plan asks for. threads: of the process.
    keep_byte_code: whether byte code is written for the next start.

    Returns what it told of itself, and the variables of what was made.

    Raises:
        CannotStart: the application cannot be imported, or what it needs cannot be made.
    """
    config = {
        "application": settings.application,
        "path": [path for path in sys.path if path],
        "names": dict(names),
        "fixed": dict(settings.environment),
        "threads": threads,
        "keep_byte_code": keep_byte_code,
        "environment": dict(environment),
    }
    if running.pid is None:
        await running.start(environment, settings.folder)
    running.configure(config)
    told = await running.described
    variables: dict[str, str] = {}
    if prepare is not None and told["plan"] is not None:
        try:
            variables = dict(await prepare(told["plan"]))
        except Exception as error:
            failure = failure_of(error)
            failure["notes"].append(f"AWS cannot be prepared for the application: {text_of(error)}")
            raise CannotStart(failure) from error
    running.go({name: value for name, value in variables.items() if name not in settings.environment})
    await running.ready
    return told, variables
