"""Tell what clients of a WebSocket API show of themselves when they connect, in AsyncAPI's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.contract.openapi.security import Security

if TYPE_CHECKING:
    from router.contract.interface import Operation
    from router.resolver import Resolver


def schemes_of(connect: Operation, resolver: Resolver) -> dict[str, dict[str, Any]]:
    """Return the security schemes of the route that takes connections, by name; any of them will do.

    Raises:
        ConfigurationError: a credential has no scheme that is known; it names the route with file and line.
    """
    security = Security(resolver, guarded=True)
    security.of(connect)
    return {name: _written(security.schemes[name]) for name in sorted(security.schemes)}


def _written(scheme: dict[str, Any]) -> dict[str, Any]:
    """Return a scheme of OpenAPI as AsyncAPI has it."""
    kind = scheme["type"]
    if kind == "apiKey":
        return {**scheme, "type": "httpApiKey"}
    if kind == "mutualTLS":
        return {**scheme, "type": "X509"}
    if kind == "oauth2":
        flows = {name: _flow(one) for name, one in scheme.get("flows", {}).items()}
        return {**scheme, "flows": flows}
    return dict(scheme)


def _flow(flow: Any) -> Any:
    if not isinstance(flow, dict):
        return flow
    return {"availableScopes" if name == "scopes" else name: held for name, held in flow.items()}
