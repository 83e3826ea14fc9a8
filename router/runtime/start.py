"""The start: find the handler, set up path and log, and run the loop. It needs no extra: it runs inside of Lambda."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from router.errors import ConfigurationError
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

STREAMING = (Source.URL, Source.REST)
"""The sources whose callers can stream."""

_VARIABLE = "JUNCTION_STREAM"
_LAYERS = "/opt/python"


class CannotStart(ConfigurationError):
    """The handler cannot be loaded, or the environment is one that this runtime does not serve."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.lambda_type = f"Runtime.{kind}"


def main(arguments: Sequence[str]) -> int:
    """Run the handler of the function, until the process is ended. Return the exit status of a start that failed.

    arguments: the application (`package.module:resolver`, or a handler; by default the handler of the function's
        configuration), and `--stream SOURCE`, as often as there are sources.
    """
    address = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    if not address:
        print("error: this runs inside of Lambda, which sets AWS_LAMBDA_RUNTIME_API", file=sys.stderr)  # noqa: T201
        return 2
    import logging
    from http.client import HTTPException

    from router.runtime import logs
    from router.runtime.api import RuntimeApi
    from router.runtime.loop import Loop, described
    from router.runtime.termination import Termination

    termination = Termination()
    api, log = RuntimeApi(address, termination), logs.start()
    try:
        name, sources = parsed(arguments)
        _refuse_environment()
        _extend_path()
        handler = load_handler(name or os.environ.get("_HANDLER", ""))
    except Exception as error:
        from traceback import format_tb

        stack = [] if isinstance(error, CannotStart) else format_tb(error.__traceback__)
        result = described(error, stack)
        log.sink.failure(result)
        api.fail_init(result)
        return 1
    try:
        Loop(api, handler, log, sources).run()
    except (OSError, HTTPException) as error:
        logging.getLogger("router.runtime").error("the Runtime API cannot be reached: %s", error)  # noqa: TRY400 - it has no more to say
        return 1
    finally:
        _close_loop()


def parsed(arguments: Sequence[str]) -> tuple[str | None, frozenset[Source]]:
    """Return the name of the application and the sources that stream. Raises CannotStart for anything else."""
    rest = list(arguments)
    name: str | None = None
    chosen: list[str] = []
    while rest:
        word = rest.pop(0)
        if word.startswith("--stream="):
            chosen.append(word.removeprefix("--stream="))
        elif word == "--stream" and rest:
            chosen.append(rest.pop(0))
        elif word.startswith("-") or name is not None:
            raise CannotStart("InvalidArgument", f"runtime: {word!r} is not known; write [APP] [--stream SOURCE]")
        else:
            name = word
    if not chosen:
        chosen = [os.environ.get(_VARIABLE, Source.URL.value)]
    return name, _sources(",".join(chosen).split(","))


def _sources(names: Iterable[str]) -> frozenset[Source]:
    known = {source.value: source for source in STREAMING}
    given = {name.strip() for name in names} - {""}
    if unknown := sorted(given - known.keys()):
        raise CannotStart(
            "InvalidArgument", f"{unknown[0]!r} cannot stream; --stream and {_VARIABLE} take {' and '.join(known)}"
        )
    return frozenset(known[name] for name in given)


def _refuse_environment() -> None:
    """Refuse what needs more of a runtime than this one does, before an event is lost in it. Raises CannotStart."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        raise CannotStart("Unsupported", "junction runtime does not know SnapStart: turn it off, or use AWS's runtime")
    if os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY"):
        raise CannotStart("Unsupported", "junction runtime does not know Managed Instances: use AWS's runtime there")


def _extend_path() -> None:
    """Search modules where Lambda's own runtime does: in the function's folder, in layers, and in the runtime's."""
    root = os.environ.get("LAMBDA_TASK_ROOT")
    if root is None:
        return
    import site

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    layers = [f"{_LAYERS}/lib/python{version}/site-packages", _LAYERS]
    own = os.environ.get("LAMBDA_RUNTIME_DIR")
    if os.environ.get("PYTHONPATH") in (None, own):
        sys.path[:0] = [root, *filter(os.path.isdir, layers)]
    else:  # what it names goes before layers
        sys.path.insert(0, root)
        sys.path.extend(filter(os.path.isdir, layers))
    for folder in filter(os.path.isdir, [root, *layers]):
        site.addsitedir(folder)  # for its .pth files
    if own is not None and own not in sys.path:
        sys.path.append(own)


def load_handler(name: str) -> Callable[[Any, Any], Any]:
    """Return the handler that a name stands for.

    name: `module.function` or `folder/module.function`, as Lambda has it, or `package.module:attribute`.

    Raises:
        CannotStart: there is none.
        Exception: what its module raised while it was imported.
    """
    module, mark, attribute = name.partition(":")
    if not mark:
        module, mark, attribute = name.rpartition(".")
    if not mark or not module or not attribute:
        raise CannotStart("MalformedHandlerName", f"Bad handler {name!r}: write module.function or module:attribute")
    module = module.replace("/", ".")
    try:
        found: Any = import_module(module)
    except ImportError as error:
        raise CannotStart("ImportModuleError", f"Unable to import module '{module}': {error}") from error
    except SyntaxError as error:
        raise CannotStart("UserCodeSyntaxError", f"Syntax error in module '{module}': {error}") from error
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise CannotStart("HandlerNotFound", f"Handler '{attribute}' missing on module '{module}'")
    return found  # type: ignore[no-any-return]


def _close_loop() -> None:
    """Close the event loop of async handlers, and so the clients that live on it, if there is one."""
    loop = sys.modules.get(f"{__name__.rpartition('.runtime.')[0]}.dispatch.loop")
    if loop is not None:
        loop.close_loop()
