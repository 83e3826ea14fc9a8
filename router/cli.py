"""The command line: `python -m router --help`. Needs the extra `cli`; the worker needs `aws` besides."""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from router.errors import ConfigurationError
from router.event import Source
from router.resolver import Resolver
from router.routing.names import matches

try:
    import typer
except ImportError:
    raise ConfigurationError('the command line needs typer and rich: pip install "lambda-junction[cli]"') from None

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adapters.worker import Worker
    from router.routing.route import Route

USAGE_ERROR = 2

Application = Annotated[
    str, typer.Argument(metavar="APP", help="The application: `package.module:resolver`.", show_default=False)
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log more: each batch, each retry.")]

app = typer.Typer(
    help="Run an application outside of Lambda, and look at it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def main() -> None:
    """Run the command that was asked for, and end the process with its exit code."""
    app(prog_name="python -m router")


# ---- commands ------------------------------------------------------------------------------------------------------


@app.command()
def worker(
    application: Application,
    queues: Annotated[
        list[str], typer.Argument(metavar="QUEUE", help="Names, URLs or ARNs of queues.", show_default=False)
    ],
    concurrency: Annotated[int, typer.Option(help="Calls of handlers at a time, for each queue.")] = 4,
    batch: Annotated[int, typer.Option(help="The most messages in a call, 1 to 10.")] = 10,
    visibility: Annotated[
        float, typer.Option(help="Seconds for which messages are invisible to others; renewed while they are handled.")
    ] = 60,
    wait: Annotated[float, typer.Option(help="Seconds of a long poll, 1 to 20.")] = 20,
    drain: Annotated[float, typer.Option(help="Seconds after SIGTERM until what still runs is given up.")] = 25,
    metrics: Annotated[
        str | None,
        typer.Option(metavar="MODULE:NAME", help="A callable that is told of each batch (`adapters.worker.Report`)."),
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Handle the messages of queues with the `@on_queue` routes, until SIGTERM or SIGINT.

    What a handler did is deleted; what failed comes again, as it would in Lambda. AWS is found by the usual environment
    variables. Exit code: 0 after an orderly end, 1 when something was given up or a queue is not there, 2 for wrong
    arguments.
    """
    resolver = load_application(application)
    hook = None if metrics is None else _load_hook(metrics)
    _start_log(verbose)
    try:
        from adapters.worker import Worker

        made = Worker(
            queues,
            concurrency=concurrency,
            batch=batch,
            visibility=visibility,
            wait=wait,
            drain=drain,
            on_report=hook,
        )
        _check_routes(application, resolver, made)
    except ConfigurationError as error:
        _refuse(error)
    code = _run(made, resolver)
    if made.left_behind:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)  # a thread still waits for something; leaving in the usual way would wait for it
    raise typer.Exit(code)


@app.command()
def task(
    application: Application,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="The task; by default the variable `TASK_NAME`.", show_default=False),
    ] = None,
    require_env: Annotated[
        list[str] | None, typer.Option(metavar="VARIABLE", help="A variable that must be set; may be repeated.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Run an `@on_task` route, as an ECS task does: the environment is its event, its result the exit code.

    The session is read from the variable `SESSION`. Exit code: 0 for success, 1 when it failed, 2 when it could not
    start, 143 when SIGTERM stopped it; a handler may return its own.
    """
    resolver = load_application(application)
    _start_log(verbose)
    if name is not None:
        os.environ["TASK_NAME"] = name
    raise typer.Exit(resolver.run_task(require_env=tuple(require_env or ())))


@app.command()
def routes(application: Application) -> None:
    """List the routes of an application as a table."""
    resolver = load_application(application)
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        _refuse('the table needs rich: pip install "lambda-junction[cli]"')
    table = Table("source", "route", "handler", "options", title=application, title_justify="left")
    for route in resolver.routes:
        # As Text: a name with [brackets] is no markup.
        table.add_row(*(Text(text, overflow="fold") for text in _described(route)))
    # Into a file or another program it goes whole, whatever the width of a terminal.
    Console(width=None if sys.stdout.isatty() else 1000).print(table)


def _described(route: Route) -> tuple[str, str, str, str]:
    sources = "http" if route.methods else ", ".join(route.sources)
    what = f"{' '.join(route.methods)} {route.match}".lstrip()
    module = getattr(route.handler, "__module__", "")
    handler = f"{module}.{getattr(route.handler, '__qualname__', route.name)}".lstrip(".")
    options = {
        "events": ", ".join(route.events),
        "from": route.sender,
        "prefix": route.prefix,
        "suffix": route.suffix,
        "batch": "yes" if route.batch else "",
        "concurrency": str(route.concurrency) if route.concurrency > 1 else "",
        "pattern": "yes" if route.pattern else "",
        "permission": getattr(route.permission, "__name__", "yes") if route.permission else "",
        "tags": ", ".join(route.tags),
    }
    return sources, what, handler, "; ".join(f"{name}: {value}" for name, value in options.items() if value)


# ---- the worker ----------------------------------------------------------------------------------------------------


def _check_routes(application: str, resolver: Resolver, worker: Worker) -> None:
    """Each queue needs a route: without one every message of it would fail, again and again."""
    patterns = [route.match for route in resolver.routes if Source.SQS in route.sources]
    for queue in worker.queues:
        name = worker.sqs.settings.queue(queue).replace("/", ":").rpartition(":")[2]
        if not any(matches(pattern, name) for pattern in patterns):
            there_is = f"there is {', '.join(patterns)}" if patterns else "it has none at all"
            raise ConfigurationError(f"{application} has no @on_queue route for {name!r}; {there_is}")


def _run(worker: Worker, resolver: Resolver) -> int:
    return worker.run(resolver, asynchronous=resolver.is_async(Source.SQS))


# ---- loading -------------------------------------------------------------------------------------------------------


def load_application(name: str) -> Resolver:
    """The Resolver that `package.module:attribute` names; ends the process with one line when there is none."""
    found = _load(name, "APP", "package.module:resolver")
    if not isinstance(found, Resolver):
        _refuse(f"APP {name!r} is no Resolver, but of type {type(found).__name__}")
    return found


def _load_hook(name: str) -> Callable[[Any], object]:
    found = _load(name, "--metrics", "package.module:function")
    if not callable(found):
        _refuse(f"--metrics {name!r} cannot be called: it is of type {type(found).__name__}")
    hook: Callable[[Any], object] = found
    return hook


def _load(name: str, what: str, form: str) -> Any:
    module_name, colon, attributes = name.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module_name.split("."), *attributes.split("."))):
        _refuse(f"{what} {name!r}: write it as {form}")
    if os.getcwd() not in sys.path:  # as with `python -m`, whatever started this
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            _refuse(f"{what} {name!r}: there is no module {error.name!r} here")
        _refuse(f"{what} {name!r}: {module_name} cannot be imported: {error}")
    except Exception as error:
        _refuse(f"{what} {name!r}: {module_name} cannot be imported: {type(error).__name__}: {error} ({_place(error)})")
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            resolvers = _resolvers(found)
            hint = f"; it has the resolver {', '.join(resolvers)}" if resolvers else ""
            _refuse(f"{what} {name!r}: {module_name} has no {attribute!r}{hint}")
        found = getattr(found, attribute)
    return found


def _place(error: BaseException) -> str:
    """The last line of the application's own on the way to an error; where there is none, the line that raised it."""
    from traceback import extract_tb

    frames = extract_tb(error.__traceback__)
    own = [
        frame for frame in frames if frame.filename.startswith(os.getcwd()) and "site-packages" not in frame.filename
    ]
    last = (own or frames)[-1]
    return f"{last.filename.removeprefix(os.getcwd() + os.sep)}:{last.lineno}"


def _resolvers(module: Any) -> Sequence[str]:
    return [name for name, value in vars(module).items() if isinstance(value, Resolver)]


def _refuse(why: object) -> NoReturn:
    """End with one line that says what is wrong."""
    typer.echo(f"error: {' '.join(str(why).split())}", err=True)
    raise typer.Exit(USAGE_ERROR)


def _start_log(verbose: bool) -> None:
    """Log to standard error, unless the application has set up its own log while it was imported."""
    logging.basicConfig(format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", level=logging.INFO)
    for name in ("adapters", "router"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
