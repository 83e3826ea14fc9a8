"""The table of routes, as `junction routes` shows it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.resolver import Resolver
    from router.routing.route import Route


def of_functions(resolver: Resolver, split: str | None) -> tuple[tuple[str, ...], tuple[Route, ...]]:
    """Return the function of each route, and the routes of all functions. Without a split, none where all are `main`.

    Raises:
        ConfigurationError: the split is unknown, or two routes clash in it.
        Exception: whatever importing a group of another function raised.
    """
    from router.routing.functions import MAIN, function_of, functions_of

    routes = resolver.every_route()
    parts = resolver._engine.parts
    wanted = split or ("function" if parts is None else parts.split)
    functions_of(routes, wanted)
    names = tuple(function_of(route, wanted) for route in routes)
    return (names if split or parts is not None or set(names) - {MAIN} else ()), routes


def access(resolver: Resolver, route: Route) -> tuple[str, str, str, str]:
    """Return who may call a route: the credentials and the mode that count on it, and its permission."""
    source, what, _, _ = described(resolver, route)
    permission = route.permission
    if permission is None:
        allowed = "anybody"
    elif _is_unlisted(route):
        allowed = "nobody: it has no permission="
    else:
        allowed = getattr(permission, "__name__", type(permission).__name__)
    return source, what, _credentials(resolver, route), allowed


def _credentials(resolver: Resolver, route: Route) -> str:
    """Return what lets events of a route in: credentials of clients, or the session that a message brings."""
    from router.dispatch.plan import event_class
    from router.guards.auth import MODES

    auth, checks = resolver.auth_of(route), resolver.checks_of(route)
    if not checks:
        return "none" if auth is None else str(auth)
    texts = []
    for check in checks:
        kinds = " or ".join(dict.fromkeys(credential.kind for credential in check.credentials))
        if check.mode == "off":
            texts.append("off")
        elif any(event_class(source)._from_client for source in route.sources):
            texts.append(f"{kinds}, {check.mode}")
        else:
            texts.append(f"session with {' and '.join(MODES[check.mode])}")
    return "; ".join(texts)


def _is_unlisted(route: Route) -> bool:
    """Whether `deny_by_default` refuses all events of a route."""
    permission: Any = route.permission
    own = getattr(permission, "__module__", "").endswith(".guards.permissions")
    return own and getattr(permission, "__name__", "") == "unlisted"


def _permission(route: Route) -> str:
    if route.permission is None or _is_unlisted(route):
        return "" if route.permission is None else "nobody"
    return getattr(route.permission, "__name__", "yes")


def data_of(resolver: Resolver, route: Route, function: str) -> dict[str, Any]:
    """Return a route as JSON data. function: the one that it is a part of."""
    from router.contract.model import place_of

    place = place_of(route)
    _, _, credentials, permission = access(resolver, route)
    return {
        "route": str(route),
        "sources": [str(source) for source in route.sources],
        "methods": list(route.methods),
        "match": route.match,
        "name": route.name,
        "handler": _handler(route),
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "function": function,
        "credentials": credentials,
        "permission": permission,
        "requires": {name: list(operations) for name, operations in resolver.requires_of(route).items()},
        "batch": route.batch,
        "concurrency": route.concurrency,
        "events": list(route.events),
        "bus_source": route.bus_source,
        "prefix": route.prefix,
        "suffix": route.suffix,
        "pattern": route.pattern,
        "tags": list(route.tags),
    }


def _handler(route: Route) -> str:
    module = getattr(route.handler, "__module__", "")
    return f"{module}.{getattr(route.handler, '__qualname__', route.name)}".lstrip(".")


def described(resolver: Resolver, route: Route) -> tuple[str, str, str, str]:
    """Return a row of the table: sources, path or name, handler, options."""
    sources = "http" if route.methods else ", ".join(route.sources)
    what = f"{' '.join(route.methods)} {route.match}".lstrip()
    options = {
        "events": ", ".join(route.events),
        "bus_source": route.bus_source,
        "prefix": route.prefix,
        "suffix": route.suffix,
        "batch": "yes" if route.batch else "",
        "concurrency": str(route.concurrency) if route.concurrency > 1 else "",
        "pattern": "yes" if route.pattern else "",
        "auth": "" if route.auth is None else str(route.auth),
        "requires": ", ".join(resolver.requires_of(route)),
        "permission": _permission(route),
        "tags": ", ".join(route.tags),
    }
    return sources, what, _handler(route), "; ".join(f"{name}: {value}" for name, value in options.items() if value)
