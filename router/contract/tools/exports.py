"""Make the documents of tools that protocols and services want, each with notes on what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from router.contract.tools.catalogue import Tool


class Export(NamedTuple):
    """A document, as what JSON can hold, and what its reader has to know beside it."""

    document: Any
    notes: tuple[str, ...] = ()


def mcp(tools: tuple[Tool, ...]) -> Export:
    """Return the tools as `tools/list` of the Model Context Protocol answers with them."""
    return Export({"tools": [listed(tool) for tool in tools]})


def listed(tool: Tool) -> dict[str, Any]:
    """Return a tool as the Model Context Protocol lists it."""
    made: dict[str, Any] = {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.input_schema,
    }
    if tool.output_schema is not None:
        made["outputSchema"] = tool.output_schema
    if tool.hints:
        made["annotations"] = tool.hints
    return made
