"""`junction export tools`: what agents may call, in the form that each kind of agent wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from router.cli.described import Application, document_text, interface_of
from router.cli.files import DOCUMENTS, check_ending, finish, text_of
from router.cli.loading import refuse
from router.cli.options import Check, Diff, Output
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from router.contract.interface import Interface
    from router.contract.tools.exports import Export

_FORMATS = ("mcp", "bedrock", "bedrock-openapi", "agentcore")


def tools(
    application: Application,
    output: Output = None,
    form: Annotated[
        str,
        typer.Option("--format", metavar="FORM", help="mcp, bedrock, bedrock-openapi or agentcore."),
    ] = "mcp",
    diff: Diff = False,
    check: Check = False,
) -> None:
    """Write the tools of an application: for clients of MCP, agents of Bedrock, or a gateway of AgentCore.

    mcp: the catalogue that MCP lists. bedrock: an action group of functions. bedrock-openapi: the API schema of an
    action group, of HTTP routes with tool=. agentcore: the tool schema of a Lambda target. Exit status: 0 when it is
    done or current, 1 when --check finds it is not, 2 when a tool has no place in such a document.
    """
    if form not in _FORMATS:
        refuse(f"--format {form!r:.40}: give {', '.join(_FORMATS)}")
    check_ending(output, DOCUMENTS, "the document")
    before = text_of(output)
    interface = interface_of(application)
    try:
        made = _exported(interface, form)
    except ConfigurationError as error:
        refuse(error)
    for note in made.notes:
        typer.echo(f"note: {note}", err=True)
    finish(document_text(made.document, output), before, output, diff=diff, check=check)


def _exported(interface: Interface, form: str) -> Export:
    """Return the document of a form, with all notes. Raises ConfigurationError."""
    from router.contract.tools import catalogue, left_out
    from router.contract.tools.agentcore import agentcore
    from router.contract.tools.bedrock import api, functions
    from router.contract.tools.exports import mcp

    listed, info = catalogue(interface), interface.info
    made = {
        "mcp": lambda: mcp(listed),
        "agentcore": lambda: agentcore(listed),
        "bedrock": lambda: functions(listed, info),
        "bedrock-openapi": lambda: api(listed, info),
    }[form]()
    return made._replace(notes=(*left_out(interface), *made.notes))
