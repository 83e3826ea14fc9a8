"""`junction export`: what the routes say, as files for others."""

from __future__ import annotations

import json
import sys
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.cli.loading import load, refuse
from router.errors import ConfigurationError
from router.resolver import Resolver

if TYPE_CHECKING:
    from router.contract.model import Infrastructure

app = typer.Typer(help="Write what the routes say: templates, policies, documents.", no_args_is_help=True)

Stack = Annotated[
    str,
    typer.Argument(
        metavar="STACK",
        help="`package.module:stack`, or the application itself where no route needs more.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write there in place of the terminal.", show_default=False),
]
Diff = Annotated[bool, typer.Option("--diff", metavar="", help="Write nothing; show what would change.")]
Split = Annotated[
    str,
    typer.Option(metavar="HOW", help="As the routes say (function), or by group, source or route."),
]
Check = Annotated[
    bool, typer.Option("--check", metavar="", help="Write nothing; status 1 where the file is not current.")
]


def infrastructure_of(name: str, split: str = "function") -> Infrastructure:
    """Return the infrastructure of a stack, or of an application alone; end the process where it cannot be told."""
    from router.contract import Stack as Declared

    found = load(name, "STACK", "package.module:stack")
    try:
        if isinstance(found, Resolver):
            found = Declared(name)
        if not isinstance(found, Declared):
            refuse(f"STACK {name!r} is neither a Stack nor a Resolver (got {type(found).__name__})")
        return found.infrastructure(split)
    except ConfigurationError as error:
        for line in str(error).splitlines():
            typer.echo(f"error: {line}" if not line.startswith("-") else line, err=True)
        raise typer.Exit(2) from None


@app.command()
def sam(
    stack: Stack,
    output: Output = None,
    split: Split = "function",
    diff: Diff = False,
    check: Check = False,
    force: Annotated[bool, typer.Option("--force", metavar="", help="Write over what was edited by hand.")] = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="JSON, for Terraform and CDK.")] = False,
) -> None:
    """Write a template of SAM: functions, triggers, resources, permissions, alarms.

    A file that is there keeps what is not of this export, comments included. Exit status: 0 when it is done or current,
    1 when --check finds it is not, 2 when the template cannot be made or was edited by hand.
    """
    from router.contract import merging, yaml_text
    from router.contract.sam import template

    held = infrastructure_of(stack, split)
    try:
        ours = merging.marked(template(held))
        before = _text_of(output)
        if as_json:
            text = json.dumps(ours, indent=2) + "\n"
        elif before.strip():
            text = yaml_text.write(merging.merged_into(yaml_text.read(before), ours, force=force))
        else:
            text = yaml_text.write(ours)
    except ConfigurationError as error:
        refuse(error)
    _tell_notes(held)
    _finish(text, before, output, diff=diff, check=check)


@app.command()
def iam(
    stack: Stack,
    output: Output = None,
    split: Split = "function",
    diff: Diff = False,
    check: Check = False,
    explain: Annotated[
        bool, typer.Option("--explain", metavar="", help="Say which route asks for each statement.")
    ] = False,
    function: Annotated[str, typer.Option(metavar="NAME", help="Of which function.")] = "main",
) -> None:
    """Write the policy of a function: least privilege, from `requires=` and from what triggers it.

    ARNs have `${AWS::Region}` and the like, as CloudFormation fills them in.
    """
    from router.contract.policies import explained, policy

    held = infrastructure_of(stack, split)
    part = next((part for part in held.parts if part.name == function), None)
    if part is None:
        refuse(f"--function {function!r}: there is {', '.join(part.name for part in held.parts)}")
    text = explained(held, part) if explain else json.dumps(policy(held, part), indent=2) + "\n"
    _finish(text, _text_of(output), output, diff=diff, check=check)


def _text_of(output: Path | None) -> str:
    if output is None or not output.exists():
        return ""
    try:
        return output.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"{output} cannot be read: {error}")


def _finish(text: str, before: str, output: Path | None, *, diff: bool, check: bool) -> None:
    """Write a file whole or not at all; or show what would change."""
    name = str(output or "the terminal")
    if diff:
        lines = unified_diff(before.splitlines(keepends=True), text.splitlines(keepends=True), name, f"{name} (new)")
        sys.stdout.writelines(lines)
        raise typer.Exit(0)
    if check:
        if text == before:
            raise typer.Exit(0)
        typer.echo(f"{name} is not current: run the export again", err=True)
        raise typer.Exit(1)
    if output is None:
        sys.stdout.write(text)
        return
    if text == before:
        typer.echo(f"{output} is current")
        return
    beside = output.with_name(f".{output.name}.new")
    try:
        beside.write_text(text, "utf-8")
        beside.replace(output)
    except OSError as error:
        beside.unlink(missing_ok=True)
        refuse(f"{output} cannot be written: {error}")
    typer.echo(f"wrote {output}")


def _tell_notes(held: Any) -> None:
    for note in held.notes:
        typer.echo(f"note: {note}", err=True)


@app.command()
def filters(
    stack: Stack,
    split: Split = "function",
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="JSON, for programs.")] = False,
) -> None:
    """Show what AWS filters before it calls a function, what stays in the function and why, and what would vanish.

    Filters are written by `junction export sam` where a resource is declared with `filters=True`.
    """
    from router.contract.filter_report import report, text

    held = infrastructure_of(stack, split)
    sys.stdout.write(json.dumps(report(held), indent=2) + "\n" if as_json else text(held))
