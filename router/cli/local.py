"""`junction local`: the application, AWS beside it, and a console, on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.cli.loading import parts_of, refuse
from router.cli.options import flag
from router.errors import ConfigurationError
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SOURCES = ("http", "rest", "url", "alb")
_ENV_FILE = ".env"
_QUICK: dict[str, Any] = {"retry_delays": (1, 2), "skips_time": True}


def local(
    application: Annotated[
        str,
        typer.Argument(
            metavar="APP",
            help="`package.module:resolver`, or the stack that declares what is around it: `package.module:stack`.",
            show_default=False,
        ),
    ],
    port: Annotated[
        int, typer.Option(help="Of the application and the console; 0 for any that is free.", min=0, max=65535)
    ] = 3000,
    aws_port: Annotated[int, typer.Option(help="Of AWS; 0 for any that is free.", min=0, max=65535)] = 4566,
    aws: Annotated[
        str,
        typer.Option(metavar="WHICH", help="`embedded`, `none`, or the URL of an emulator that runs already."),
    ] = "embedded",
    source: Annotated[
        str, typer.Option(metavar="SOURCE", help="In front of the application: http, rest, url or alb.")
    ] = "http",
    stage: Annotated[
        str | None,
        typer.Option(help="Of the API; by default `$default`, and `local` of a REST API.", show_default=False),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            help="The address to listen to; another one opens the console to your network, without a password."
        ),
    ] = ("127.0.0.1"),
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A further name that browsers may use; may be repeated.", show_default=False),
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds of a call, where the application declares none.", min=0.1, max=5400)
    ] = 30,
    env_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Variables of the application; by default `.env`.", show_default=False),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A variable; may be repeated.", show_default=False),
    ] = None,
    keep: Annotated[int, typer.Option(help="Events to keep for the console.", min=100)] = 100_000,
    no_reload: Annotated[bool, flag("--no-reload", help="Do not watch the files.")] = False,
    quick: Annotated[
        bool,
        flag(
            "--quick", help="Try failed asynchronous events again after 1 and 2 seconds, and end durable waits at once."
        ),
    ] = False,
    open_console: Annotated[bool, flag("--open", help="Open the console in a browser.")] = False,
    as_json: Annotated[bool, flag("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Run an application on this machine: HTTP, WebSocket, queues, topics, streams, schedules, and a console.

    Save a file, and the next event runs the new code. Exit status: 0 after Ctrl-C, 2 when a port is taken, AWS cannot
    be started, there is no such application or an argument is wrong, 130 when Ctrl-C came twice.
    """
    parts_of(application, "APP", "package.module:resolver")
    if source not in _SOURCES:
        refuse(f"--source {source!r:.80}: use one of {', '.join(_SOURCES)}")
    variables = _variables(env_file, env or ())
    try:
        from router.local.gateway import run
        from router.local.settings import Settings
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "router":
            raise
        refuse(f'the local gateway needs {error.name}: pip install "lambda-junction[local]"')
    settings = Settings(
        application=application,
        host=host,
        port=port,
        aws_port=aws_port,
        aws=aws,
        source=Source(source),
        stage=stage or ("local" if source == "rest" else "$default"),
        timeout=timeout,
        reload=not no_reload,
        keep=keep,
        **(_QUICK if quick else {}),
        allowed_hosts=tuple(allow_host or ()),
        environment=variables,
    )
    try:
        code = run(settings, as_json=as_json, open_console=open_console)
    except ConfigurationError as error:
        refuse(error)
    raise typer.Exit(code)


def _variables(file: Path | None, given: Iterable[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name.isidentifier():
            refuse(f"--env {one!r:.80}: write it as NAME=value")
        found[name] = value
    if file is None and os.path.isfile(_ENV_FILE):
        file = Path(_ENV_FILE)
    if file is None:
        return found
    from router.local.environment_file import FileVariables

    try:
        return FileVariables(file, found)
    except ConfigurationError as error:
        refuse(f"--env-file {error}")
    except ModuleNotFoundError as error:
        refuse(f'--env-file needs {error.name}: pip install "lambda-junction[local]"')
