"""`junction invoke`: hand one event to an application in this process, and show the answer."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.cli.loading import load_application, refuse
from router.cli.options import Application
from router.cli.output import AsJson, apart, print_json
from router.sources.invoke import is_task

if TYPE_CHECKING:
    from router.testing.context import Context

_CONTEXT = {
    "request_id": str,
    "remaining": (int, float),
    "tenant_id": str,
    "client_context": dict,
    "function_arn": str,
}


def invoke(
    application: Application,
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="The event, as JSON; `-` is standard input.", show_default=False),
    ],
    context: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help="Of Lambda: `request_id`, `remaining` (seconds), `tenant_id`, `client_context`, `function_arn`.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hand an event to the application in this process, and print the answer.

    Of a request the status, the headers and the body; with `--json` what Lambda would get. Errors come with the lines
    of the application's own code. The environment of a task (`junction sample task`) runs the task, and its exit code
    is the answer. Exit status: 0 when it is handled, 1 when it failed (an error, a record that failed,
    a status of 500 and above, an exit code), 2 for wrong arguments.
    """
    event, held = _event(file), _context(context)
    log = logging.getLogger("router")
    shown = _Shown()
    log.addHandler(shown)
    try:
        with apart(as_json):
            resolver = load_application(application)
            answer = {"exitCode": resolver.run_task(event)} if is_task(event) else resolver.resolve(event, held)
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        sys.stderr.write(own_traceback(error))
        if as_json:
            print_json({"errorType": type(error).__name__, "errorMessage": str(error)})
        raise typer.Exit(1) from None
    finally:
        log.removeHandler(shown)
    if as_json:
        print_json(answer)
    else:
        _show(answer)
    failed = answer["exitCode"] != 0 if is_task(event) else _failed(answer)
    raise typer.Exit(1 if failed else 0)


def _event(file: str) -> Any:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        refuse(f"FILE {file!r}: {error.strerror}")
    name = "standard input" if file == "-" else f"FILE {file!r}"
    if not data.strip():
        refuse(f"{name}: it is empty")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        refuse(f"{name}: it is not JSON: {error}")


def _context(given: str | None) -> Context:
    from router.testing.context import Context

    if given is None:
        return Context(request_id="invoke")
    try:
        held = json.loads(given)
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, dict):
        refuse(f'--context: give a JSON object, such as {{"tenant_id": "acme"}}, with {", ".join(_CONTEXT)}')
    for name, value in held.items():
        if name not in _CONTEXT:
            refuse(f"--context: {name!r:.80} is not known; there are {', '.join(_CONTEXT)}")
        if not isinstance(value, _CONTEXT[name]) or isinstance(value, bool):  # type: ignore[arg-type]
            refuse(f"--context: {name} is of another kind: {value!r:.80}")
    arn = held.pop("function_arn", None)
    made = Context(**{"request_id": "invoke", **held})
    if arn is not None:
        made.invoked_function_arn = arn
    return made


def _failed(answer: Any) -> bool:
    if not isinstance(answer, dict):
        return False
    status = answer.get("statusCode")
    return bool(answer.get("batchItemFailures")) or (isinstance(status, int) and status >= 500)


def _show(answer: Any) -> None:
    """Print an answer as a person reads it."""
    from router.testing.replay.views import readable

    seen = readable(answer)
    if seen is None:
        print_json(answer)
        return
    from router.http.statuses import reason

    status, headers, body = seen
    typer.echo(f"{status} {reason(status)}".rstrip())
    for name, value in headers:
        typer.echo(f"{name}: {value}")
    if body is not None:
        typer.echo()
        typer.echo(body) if isinstance(body, str) else print_json(body)


# ---- errors --------------------------------------------------------------------------------------------------------


class _Shown(logging.Handler):
    """Shows the errors that the library logs, with the lines of the application's own code."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            return
        sys.stderr.write(f"{record.levelname.lower()}: {record.getMessage()}\n")
        if record.exc_info and record.exc_info[1] is not None:
            sys.stderr.write(own_traceback(record.exc_info[1]))


def own_traceback(error: BaseException) -> str:
    """Return the traceback of an error, of which the frames of libraries are left out; all where none is its own."""
    from traceback import TracebackException

    from router.testing.own_code import is_own

    told = TracebackException(type(error), error, error.__traceback__, compact=True)
    one: TracebackException | None = told
    while one is not None:
        own = [frame for frame in one.stack if is_own(frame.filename)]
        if own:
            one.stack[:] = own
        one = one.__cause__ or one.__context__
    return "".join(told.format())
