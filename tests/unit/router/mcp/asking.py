"""Send messages of the Model Context Protocol as requests of an HTTP API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from router import Resolver
from router.contract import Info
from router.mcp import serve_mcp
from router.testing import samples
from router.testing.client import Answer

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
SENT = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
STATELESS = "2026-07-28"
REVISIONS = (STATELESS, "2025-11-25", "2025-06-18", "2025-03-26")


def served(*tools: Callable[..., Any], resolver: Resolver | None = None, **options: Any) -> Resolver:
    """Return an application that serves functions as tools of their names."""
    resolver = resolver or Resolver()
    for tool in tools:
        resolver.tool(tool.__name__)(tool)
    serve_mcp(resolver, Info("The shop", "1.4.0"), **options)
    return resolver


def request(
    method: str,
    params: Mapping[str, Any] | None = None,
    *,
    revision: str | None = STATELESS,
    headers: Mapping[str, str | None] | None = None,
    id: Any = 1,
    source: Callable[..., Any] = samples.http,
    **options: Any,
) -> Any:
    """Return the payload of a request. headers: over the usual ones; None takes one away."""
    held = {"mcp-protocol-version": revision, **SENT}
    message = {"jsonrpc": "2.0", "id": id, "method": method, "params": dict(params or {})}
    if revision == STATELESS:
        message["params"]["_meta"] = META
        held |= {"mcp-method": method, "mcp-name": (params or {}).get("name")}
    held |= headers or {}
    return raw(json.dumps(message), held, source=source, **options)


def raw(
    body: Any,
    headers: Mapping[str, str | None] | None = None,
    *,
    source: Callable[..., Any] = samples.http,
    **options: Any,
) -> Any:
    """Return the payload of a request with a body of any kind."""
    held = {name: value for name, value in (SENT if headers is None else headers).items() if value is not None}
    return source("POST", options.pop("path", "/mcp"), body=body, headers=held, **options)


def ask(resolver: Resolver, method: str, params: Mapping[str, Any] | None = None, **options: Any) -> Answer:
    """Send a request, and return the answer."""
    return Answer(resolver(request(method, params, **options)))


def call(resolver: Resolver, name: str, arguments: Any = None, **options: Any) -> Any:
    """Call a tool, and return the result."""
    answer = ask(resolver, "tools/call", {"name": name, "arguments": arguments or {}}, **options)
    assert answer.status == 200, answer
    return answer.json()["result"]


def said(result: Any) -> str:
    """Return the text of a result."""
    return "".join(part["text"] for part in result["content"])
