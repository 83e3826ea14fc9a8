"""`junction indexes`: whose indexes are meant, how far it is, and what was done."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from router.cli.loading import load, name_of_type, refuse
from router.cli.output import print_json
from router.cli.shadowing import needs_adapters
from router.errors import ConfigurationError
from router.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from adapters.mongo.repository import Repository
    from adapters.mongo.syncing import Step, SyncReport

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it

_PHASES = {"connect": "connecting to clusters", "create": "creating indexes", "drop": "dropping indexes"}
_DRY_PHASES = {**_PHASES, "create": "comparing indexes", "drop": "listing what would go"}


def run_indexes(
    application: str, tenants: Sequence[str] | None, *, prune: bool, dry_run: bool, parallel: int, as_json: bool = False
) -> int:
    """Do what the command says, print the report, and return the exit status."""
    found = load(application, "APP", "package.module:resolver")
    if problem := needs_adapters("indexes"):
        refuse(problem)
    from adapters.mongo.document_errors import InvalidTenant, UnknownTenant
    from adapters.mongo.syncing import Interrupted, sync_indexes

    repositories = _repositories(application, found)
    names = _names(tenants)
    try:
        with _progress(_DRY_PHASES if dry_run else _PHASES) as progress:
            report = sync_indexes(
                repositories, tenants=names, prune=prune, dry_run=dry_run, parallel=parallel, progress=progress
            )
    except (ConfigurationError, InvalidTenant, UnknownTenant) as error:
        refuse(error)
    except Interrupted as interrupted:
        return _interrupted(interrupted.report, as_json=as_json)
    finally:
        for mongo in {repository.mongo for repository in repositories}:
            mongo.close()
    _print(report, as_json=as_json)
    return report.exit_code


def _print(report: SyncReport, *, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(report), "ok": report.ok})
    else:
        typer.echo(report)


def _repositories(application: str, found: object) -> tuple[Repository[Any], ...]:
    """Return the repositories of what APP names; end the process with one line when there are none."""
    from adapters.mongo.mongo import Mongo, all_repositories
    from adapters.mongo.repository import Repository

    if isinstance(found, Repository):
        return (found,)
    if isinstance(found, Resolver):
        made = all_repositories()
    elif isinstance(found, Mongo):
        made = found.repositories
    else:
        refuse(f"APP {application!r} is not a Resolver, Mongo or Repository (got {name_of_type(found)})")
    if not made:
        refuse(f"APP {application!r}: no repository is made where it is imported, so there are no indexes")
    return made


def _names(tenants: Sequence[str] | None) -> list[str] | None:
    """The names of `--tenants a,b --tenants c`; None where the option was not used."""
    if not tenants:
        return None
    names = [name.strip() for given in tenants for name in given.split(",")]
    if not all(names):
        refuse(f"--tenants {','.join(tenants)!r}: a name is empty")
    return names


def _interrupted(report: SyncReport, *, as_json: bool) -> int:
    """Say what was done until Ctrl-C."""
    _print(report, as_json=as_json)
    typer.echo("interrupted: run it again to do the rest", err=True)
    if report.unfinished:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)  # a thread may still wait for a server; leaving in the usual way would wait for it
    return INTERRUPTED


# ---- how far it is -------------------------------------------------------------------------------------------------


@contextmanager
def _progress(phases: dict[str, str]) -> Iterator[Callable[[Step], object]]:
    """Tells of steps on standard error: with a bar on a terminal, in some lines otherwise."""
    if not sys.stderr.isatty():
        yield lambda step: _tell_line(step, phases[step.phase])
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError:
        refuse('the progress bar needs rich: pip install "lambda-junction[cli]"')
    columns = (
        TextColumn("{task.description:<24}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[place]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(step: Step) -> None:
            if step.phase not in tasks:
                tasks[step.phase] = bar.add_task(phases[step.phase], total=step.total, place="")
            bar.update(tasks[step.phase], completed=step.done, place=step.place)

        yield tell


def _tell_line(step: Step, phase: str) -> None:
    """A line at the beginning of a phase, and about ten on the way."""
    if 0 < step.done == step.total or (step.total >= 20 and step.done % (step.total // 10) == 0):
        typer.echo(f"{phase}: {step.done} of {step.total}", err=True)
