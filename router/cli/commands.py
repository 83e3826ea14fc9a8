"""The commands: what their arguments are, and what they start."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import router
from router.cli import library, shadowing
from router.cli.check import check
from router.cli.completion import completion
from router.cli.export import app as export_app
from router.cli.invoke import invoke
from router.cli.loading import load, load_application, refuse
from router.cli.local import local
from router.cli.options import DATA, DEPLOY, DEVELOP, RUN, SET_UP, Application, Command, Group, Verbose, flag
from router.cli.output import AsJson, apart, print_json
from router.cli.plan import plan
from router.cli.replay import replay
from router.cli.sample import sample
from router.cli.table import access, data_of, described, of_functions
from router.cli.tokens import app as tokens_app
from router.errors import ConfigurationError
from router.event import Source
from router.routing.functions import MAIN
from router.routing.slots import matches

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.worker import Worker
    from router.resolver import Resolver


app = typer.Typer(
    help="Run an application outside of Lambda, and look at it.",
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def main(program: str) -> None:
    """Run the command that was asked for, and end the process with its exit status."""
    if "_JUNCTION_COMPLETE" in os.environ:  # a shell asks, by the script of `junction completion`
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    app(prog_name=program)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"junction {router.__version__}{f', a copy: {library.PACKAGE}' if library.IS_COPY else ''}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        flag("--version", help="Show the version and exit.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    pass


# ---- commands ------------------------------------------------------------------------------------------------------


_COLUMNS = ("source", "route", "handler", "options")  # of the table of routes


@app.command(cls=Command, rich_help_panel=RUN)
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
    variables. Exit status: 0 after an orderly end, 1 when something was given up or a queue is not there, 2 for wrong
    arguments.
    """
    resolver = load_application(application)
    if problem := shadowing.needs_adapters("worker"):
        refuse(problem)
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
        refuse(error)
    code = _run(made, resolver)
    if made.left_behind:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)  # a thread still waits for something; leaving in the usual way would wait for it
    raise typer.Exit(code)


@app.command(cls=Command, rich_help_panel=RUN)
def task(
    application: Application,
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The task; by default the variable `TASK_NAME`.", show_default=False),
    ] = None,
    require_env: Annotated[
        list[str] | None, typer.Option(metavar="VARIABLE", help="A variable that must be set; may be repeated.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Run an `@on_task` route, as an ECS task does: the environment is its event, its result the exit status.

    The session is read from the variable `SESSION`. Exit status: 0 for success, 1 when it failed, 2 when it could not
    start, 143 when SIGTERM stopped it; a handler may return its own.
    """
    resolver = load_application(application)
    _start_log(verbose)
    if name is not None:
        os.environ["TASK_NAME"] = name
    raise typer.Exit(resolver.run_task(require_env=tuple(require_env or ())))


@app.command(cls=Command, rich_help_panel=DEVELOP)
def routes(
    application: Application,
    permissions: Annotated[bool, flag("--permissions", help="Show who may call each route.")] = False,
    split: Annotated[
        str | None,
        typer.Option(help="Show the function of each route: function, group, source or route.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the routes of an application as a table, those of all its functions.

    Options that a group or the resolver adds, such as `requires=`, are in it. Exit status: 0 when they are listed, 2
    for wrong arguments.
    """
    with apart(as_json):
        resolver = load_application(application)
        try:
            functions, found = of_functions(resolver, split)
        except Exception as error:
            refuse(error)
    if as_json:
        names = functions or (MAIN,) * len(found)
        print_json([data_of(resolver, route, name) for route, name in zip(found, names, strict=True)])
        return
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        refuse('the table needs rich: pip install "lambda-junction[cli]"')
    columns = ("source", "route", "credentials", "permission") if permissions else _COLUMNS
    table = Table(*(("function",) if functions else ()), *columns, title=application, title_justify="left")
    for number, route in enumerate(found):
        row = functions[number : number + 1] + (access if permissions else described)(resolver, route)
        # As Text: a name with [brackets] is no markup.
        table.add_row(*(Text(text, overflow="fold") for text in row))
    # Into a file or another program it goes whole, whatever the width of a terminal.
    Console(width=None if sys.stdout.isatty() else 1000).print(table)


@app.command(cls=Command, rich_help_panel=DATA)
def indexes(
    application: Annotated[
        str,
        typer.Argument(
            metavar="APP",
            help="The application, `package.module:resolver`; or a `Mongo` or a `Repository` of it.",
            show_default=False,
        ),
    ],
    prune: Annotated[bool, flag("--prune", help="Drop indexes that no repository declares.")] = False,
    dry_run: Annotated[bool, flag("--dry-run", help="Change nothing, and say what would be done.")] = False,
    tenants: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B",
            help="The tenants whose databases are meant; may be repeated. By default all that are known, or found.",
            show_default=False,
        ),
    ] = None,
    parallel: Annotated[int, typer.Option(help="Collections at a time.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Make the MongoDB indexes that repositories declare, in the databases of all tenants.

    First every create is tried, everywhere; with `--prune` what nothing declares is dropped then, if each of them
    worked. A second run changes nothing. Exit status: 0 when all is as declared, 1 when something failed, 2 for wrong
    arguments, 130 after Ctrl-C.
    """
    from router.cli.indexes import run_indexes

    raise typer.Exit(
        run_indexes(application, tenants, prune=prune, dry_run=dry_run, parallel=parallel, as_json=as_json)
    )


@app.command(cls=Command, rich_help_panel=RUN)
def runtime(
    application: Annotated[
        str | None,
        typer.Argument(
            metavar="APP",
            help="`package.module:resolver`, or a handler. By default the handler in the function's configuration.",
            show_default=False,
        ),
    ] = None,
    stream: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
            help="`url` or `rest`: what calls the function and takes streams; may be repeated. By default `url`, or "
            "what the variable `JUNCTION_STREAM` names.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Handle the events of a Lambda function in the place of AWS's runtime client, and stream answers.

    A script that `AWS_LAMBDA_EXEC_WRAPPER` names starts it inside of Lambda, where it needs no extra. Exit status: 0
    after SIGTERM, 1 when the handler cannot be loaded or the Runtime API has gone, 2 outside of Lambda.
    """
    from router.runtime.start import main as run_runtime

    arguments = [] if application is None else [application]
    raise typer.Exit(run_runtime([*arguments, *(f"--stream={source}" for source in stream or ())]))


@app.command(cls=Command, rich_help_panel=SET_UP)
def vendor(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of the copy, such as `src/shop/_junction`.")
    ],
    package: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The package that DIR is. By default its name below those of the packages around it.",
            show_default=False,
        ),
    ] = None,
    check: Annotated[bool, flag("--check", help="Write nothing; say whether the copy is current.")] = False,
    force: Annotated[bool, flag("--force", help="Overwrite what was edited in the copy by hand.")] = False,
) -> None:
    """Copy the library into a package of your own, for an application that has its own `router` or `adapters`.

    Imports are rewritten: `from shop._junction.router import Resolver`. A second run updates the copy. Exit status: 0
    when it is done or current, 1 when it is not current, was edited by hand or cannot be written, 2 for wrong
    arguments.
    """
    from router.cli.vendor import run_vendor

    raise typer.Exit(run_vendor(folder, package, check=check, force=force))


app.command(cls=Command, rich_help_panel=DEVELOP)(invoke)
app.command(cls=Command, rich_help_panel=DEVELOP)(sample)
app.command(cls=Command, rich_help_panel=DEVELOP)(local)
app.command(cls=Command, rich_help_panel=DEVELOP)(replay)
app.command(cls=Command, rich_help_panel=DEPLOY)(check)
app.command(cls=Command, rich_help_panel=DEPLOY)(plan)
app.add_typer(export_app, name="export", cls=Group, rich_help_panel=DEPLOY)
app.add_typer(tokens_app, name="tokens", cls=Group, rich_help_panel=DATA)
app.command(cls=Command, rich_help_panel=SET_UP)(completion)


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
    return worker.run(resolver)


def _load_hook(name: str) -> Callable[[Any], object]:
    found = load(name, "--metrics", "package.module:function")
    if not callable(found):
        refuse(f"--metrics {name!r} cannot be called: it is of type {type(found).__name__}")
    hook: Callable[[Any], object] = found
    return hook


def _start_log(verbose: bool) -> None:
    """Log to standard error, unless the application has set up its own log while it was imported."""
    logging.basicConfig(format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", level=logging.INFO)
    for name in ("adapters", "router"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
