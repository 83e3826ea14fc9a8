"""`junction export`: what the routes say, as files for others."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.cli.completion import complete_application
from router.cli.export_asyncapi import asyncapi
from router.cli.export_client import client
from router.cli.export_diagram import diagram
from router.cli.export_openapi import openapi
from router.cli.export_tools import tools
from router.cli.files import DOCUMENTS, check_ending, finish, text_of
from router.cli.loading import load, place, refuse
from router.cli.options import Check, Command, Diff, Force, Output
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
        autocompletion=complete_application,
    ),
]
Split = Annotated[
    str,
    typer.Option(metavar="HOW", help="As the routes say (function), or by group, source or route."),
]


def infrastructure_of(name: str, split: str = "function") -> Infrastructure:
    """Return the infrastructure of a stack, or of an application alone; end the process where it cannot be told."""
    from router.contract import Stack as Declared

    found = load(name, "STACK", "package.module:stack")
    try:
        found = Declared(name) if isinstance(found, Resolver) else found
    except ConfigurationError as error:
        refuse(error)
    if not isinstance(found, Declared):
        refuse(f"STACK {name!r} is neither a Stack nor a Resolver (got {type(found).__name__})")
    load(found.application, f"STACK {name!r}: its application", "package.module:resolver")
    try:
        return found.infrastructure(split)
    except ConfigurationError as error:
        for line in str(error).splitlines():
            typer.echo(f"error: {line}" if not line.startswith("-") else line, err=True)
        raise typer.Exit(2) from None
    except Exception as error:  # of a group that is imported when all routes are asked for
        refuse(f"STACK {name!r}: {type(error).__name__}: {error} ({place(error)})")


@app.command(cls=Command)
def sam(
    stack: Stack,
    output: Output = None,
    split: Split = "function",
    diff: Diff = False,
    check: Check = False,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="JSON, for Terraform and CDK.")] = False,
) -> None:
    """Write a template of SAM: functions, triggers, resources, permissions, alarms.

    A file that is there keeps what is not of this export, comments included. Exit status: 0 when it is done or current,
    1 when --check finds it is not, 2 when the template cannot be made or was edited by hand.
    """
    from router.contract import limits, merging, templates, yaml_text
    from router.contract.sam import template

    check_ending(output, (*DOCUMENTS, ".template"), "a template")
    held = infrastructure_of(stack, split)
    before = text_of(output)
    try:
        ours = merging.marked(template(held))
        wants_json = as_json or (output is not None and output.suffix.lower() == ".json")
        if before.strip():
            if as_json and not templates.is_json(before):
                raise ConfigurationError("it is not JSON: leave --json away, or name another file")
            text = templates.merged(before, ours, force=force)
        else:
            text = json.dumps(ours, indent=2) + "\n" if wants_json else yaml_text.write(ours)
            limits.check_template(ours, text)
    except ConfigurationError as error:
        refuse(f"{output}: {error}" if before else error)
    _tell_notes(held)
    finish(text, before, output, diff=diff, check=check)


@app.command(cls=Command)
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
    force: Force = False,
) -> None:
    """Write the policy of a function: least privilege, from `requires=` and from what triggers it.

    ARNs have `${AWS::Region}` and the like, as CloudFormation fills them in. A file that is there keeps the statements
    that are not of this export. Exit status: 0 when it is done or current, 1 when --check finds it is not, 2 when the
    policy cannot be made or was edited by hand.
    """
    from router.contract import json_text, limits, policy_files
    from router.contract.policies import explained, policy

    held = infrastructure_of(stack, split)
    part = next((part for part in held.parts if part.name == function), None)
    if part is None:
        refuse(f"--function {function!r}: there is {', '.join(part.name for part in held.parts)}")
    before = text_of(output)
    if not explain:
        check_ending(output, (".json",), "a policy")
    if explain:
        if before.lstrip().startswith(("{", "[")):
            refuse(f"{output} holds JSON, and --explain writes text: name another file")
        finish(explained(held, part), before, output, diff=diff, check=check)
        return
    try:
        text = policy_files.merged(before, policy_files.marked(policy(held, part)), force=force)
        size = limits.check_policy(part.name, json_text.read(text, "the policy"), held.name)
    except ConfigurationError as error:
        refuse(f"{output}: {error}" if before else error)
    if size > limits.MANAGED_CHARACTERS:
        most = f"{limits.MANAGED_CHARACTERS:,}"
        typer.echo(f"note: {size:,} characters fit into a role, and not into a managed policy ({most})", err=True)
    finish(text, before, output, diff=diff, check=check)


def _tell_notes(held: Any) -> None:
    for note in held.notes:
        typer.echo(f"note: {note}", err=True)


@app.command(cls=Command)
def filters(
    stack: Stack,
    split: Split = "function",
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="JSON, for programs.")] = False,
) -> None:
    """Show what AWS filters before it calls a function, what stays in the function and why, and what would vanish.

    Filters are written by `junction export sam` where a resource is declared with `filters=True`. Exit status: 0 when
    they are shown, 2 when they cannot be told.
    """
    from router.contract.filter_report import report, text

    held = infrastructure_of(stack, split)
    sys.stdout.write(json.dumps(report(held), indent=2) + "\n" if as_json else text(held))


for _document in (asyncapi, client, diagram, openapi, tools):
    app.command(cls=Command)(_document)
