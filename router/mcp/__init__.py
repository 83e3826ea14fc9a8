"""The Model Context Protocol: the tools of an application, served to agents over HTTP."""

from __future__ import annotations

from router.mcp.event import McpToolEvent
from router.mcp.serving import serve_mcp

__all__ = ["McpToolEvent", "serve_mcp"]
