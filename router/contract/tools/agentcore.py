"""Write the tool schema of an AgentCore Gateway's Lambda target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.contract.tools.exports import Export
from router.contract.tools.plain import plain, plain_answer
from router.errors import ConfigurationError
from router.routing.tools import flat_name

if TYPE_CHECKING:
    from router.contract.tools.catalogue import Tool

_BETWEEN = "___"
_LONGEST = 64  # characters that models take of `target___tool`


def agentcore(tools: tuple[Tool, ...]) -> Export:
    """Return the definitions of tools, for `toolSchema` of a Lambda target: `inlinePayload`, or a file in S3.

    A definition knows types, properties and descriptions: what else the schemas say is in the descriptions.

    Raises:
        ConfigurationError: a model holds itself, or two names are one without their targets; it names file and line.
    """
    found: dict[str, Tool] = {}
    for tool in tools:
        name = flat_name(tool.name.rpartition(_BETWEEN)[2])
        other = found.setdefault(name, tool)
        if other is not tool:
            raise ConfigurationError(
                f"{other.where} and {tool.where} are both {name!r} to a target; leave one out with "
                "include_in_schema=False"
            )
    notes = tuple(
        f"{tool.where}: models take {_LONGEST} characters of a name with that of the target before it, and "
        f"{name!r} alone has {len(name)}"
        for name, tool in found.items()
        if len(name) > _LONGEST
    )
    return Export([_definition(name, found[name]) for name in sorted(found)], notes)


def _definition(name: str, tool: Tool) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": name,
        "description": tool.description,
        "inputSchema": plain(tool.input_schema, f"{tool.where}: the arguments"),
    }
    if tool.output_schema is not None:
        made["outputSchema"] = plain_answer(tool.output_schema, f"{tool.where}: the answer")
    return made
