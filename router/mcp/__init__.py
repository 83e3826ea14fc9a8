"""The Model Context Protocol: the tools of an application, served to agents over HTTP.

Names are loaded when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.mcp.event import McpToolEvent as McpToolEvent
    from router.mcp.serving import serve_mcp as serve_mcp
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(__name__, {"event": "McpToolEvent", "serving": "serve_mcp"})
