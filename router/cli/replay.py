"""`junction replay`: run recordings of real events against the current code, and show what changed."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import router
from router.cli.completion import complete_application
from router.cli.loading import load_application, refuse
from router.cli.options import flag
from router.cli.output import AsJson, apart, print_json, progress
from router.cli.values import pairs
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from router.testing.replay.running import Replay
    from router.testing.replay.sending import Target
    from router.testing.replay.settings import Settings


def replay(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of recordings, or one of them.", show_default=False)
    ],
    application: Annotated[
        str | None,
        typer.Argument(
            metavar="APP",
            help="`package.module:resolver`, or a `Stack`; by default what `replay.json` in DIR names.",
            show_default=False,
            autocompletion=complete_application,
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Send them to a local gateway, to Lambda's Invoke, or to the base URL of an application.",
            show_default=False,
        ),
    ] = None,
    update: Annotated[bool, flag("--update", help="Write the answers of now into the recordings.")] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="PLACE", help="What does not count: `body.id`; may be repeated.", show_default=False),
    ] = None,
    fill: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A value in the place of a mask: `authorization=$TOKEN`; may be repeated.",
            show_default=False,
        ),
    ] = None,
    unmatched: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE", help="A rule of the recorder that may find nothing; may be repeated.", show_default=False
        ),
    ] = None,
    network: Annotated[bool, flag("--network", help="Allow calls of other machines.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run recordings against the current code, and show what changed.

    Answers are compared without secrets on both sides. Nothing leaves this machine unless `--network` is given: a call
    that wants out is an error that names it. `replay.json` in DIR may hold `application`, `ignore`, `fill` and
    `unmatched`. Exit status: 0 when all answers are the same, 1 when one differs, 2 for wrong arguments, a file that is
    not a recording, or a rule that has met nothing.
    """
    from router.middleware.recording.form import read_all
    from router.testing.replay.running import check_rules, run
    from router.testing.replay.settings import settings_of

    try:
        settings = settings_of(folder).also(ignore or (), pairs(fill, "--fill"), unmatched or ())
        found = read_all(folder)
        check_rules(found, settings)
        with apart(as_json):
            target = _target(application, against, settings, network=network)
        logging.getLogger("router").propagate = False  # what it logs is a part of the differences
        with apart(as_json), progress("replaying", len(found)) as tell:
            whole = folder.is_dir()
            made = run(target, found, settings, network=network, whole=whole, tell=tell)
    except ConfigurationError as error:
        refuse(error)
    finally:
        logging.getLogger("router").propagate = True
    _show(made, as_json=as_json, update=update)
    if made.problems:
        raise typer.Exit(2)
    raise typer.Exit(1 if made.changed and not update else 0)


def _target(application: str | None, against: str | None, settings: Settings, *, network: bool) -> Target:
    from router.testing.replay.sending import Here, target_of

    if against is not None:
        if application is not None:
            refuse("give APP or --against, not both")
        return target_of(against, network=network)
    name = application or settings.application
    if not name:
        refuse('name the APP, in replay.json ("application"), or a running one with --against')
    return Here(load_application(name))


def _show(made: Replay, *, as_json: bool, update: bool) -> None:
    from router.testing.replay.running import update as write

    written = [one for one in made.changed if update and one.differences and not one.refused]
    for outcome in written:
        write(outcome, router.__version__)
    if as_json:
        print_json({**made.data(), "updated": len(written)})
        return
    typer.echo(str(made))
    for outcome in made.left_out:
        typer.echo(f"left out: {outcome.recording}: {outcome.left_out}", err=True)
    if written:
        typer.echo(f"{len(written)} updated")
