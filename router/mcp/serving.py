"""`serve_mcp`: a server of the Model Context Protocol as a route of the application."""

from __future__ import annotations

from typing import Any

from router.durations import seconds
from router.errors import ConfigurationError, RouterError, Unauthorized
from router.event import Event
from router.router import Router
from router.routing.route import Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Unpack

    from router.contract.interface.model import Info
    from router.dispatch.engine import Engine
    from router.dispatch.plan import Plan
    from router.durations import Duration
    from router.mcp.endpoint import Endpoint
    from router.mcp.listing import Listing
    from router.mcp.metadata import Metadata
    from router.resolver import Resolver
    from router.routing.options import Options

_DAY = 86_400
_UNTOLD = ("include_in_schema", "name", "tool")


def serve_mcp(
    resolver: Resolver,
    info: Info,
    *,
    path: str = "/mcp",
    origins: str | Iterable[str] = (),
    instructions: str = "",
    ttl: Duration = 300,
    authorization_servers: str | Iterable[str] = (),
    resource: str | None = None,
    scopes: str | Iterable[str] = (),
    **options: Unpack[Options],
) -> None:
    """Serve the tools of an application to agents: POST of a path takes the Model Context Protocol.

    resolver: the application. info: the name and version of the server.
    path: where it answers.
    origins: the origins of pages that may call, `https://app.example`; "*" for every page. What sends no `Origin`, as
        programs do, may call.
    instructions: for the model, on how the tools belong together.
    ttl: the seconds (or a timedelta) for which a client may keep the list of tools.
    authorization_servers: the issuers of tokens for this server; by default those of each `Jwt` that lets its requests
        in. Where there is one, `/.well-known/oauth-protected-resource` says so, and answers of 401 name it.
    resource: the URL of the server as clients have it; by default that of each request.
    scopes: the scopes that tokens may be asked for.
    options: of the route, as of any other: `auth=`, `permission=`, `require=`, `middleware=`, `function=`.

    A call runs through the chain of its tool's own route, with the session of the request.

    Raises:
        ConfigurationError: an option makes no sense.
    """
    from router.contract.interface.calls import called, check_call

    if untold := [name for name in _UNTOLD if name in options]:
        raise ConfigurationError(f"serve_mcp() sets {untold[0]}= by itself")
    check_call(serve_mcp, resolver, info, [name for name in options if name not in Route.__slots__])
    if not isinstance(instructions, str):
        raise ConfigurationError(f"serve_mcp(instructions={instructions!r:.80}): give a text")
    kept = seconds(ttl, "serve_mcp(ttl=...)", least=0, most=_DAY)
    server = _Server(resolver, info, instructions, _checked_origins(origins), round(1000 * kept))
    group = Router()
    closed: dict[str, Any] = {**options, "include_in_schema": False, "name": "mcp"}
    called(server, "serve_mcp(path=...)")
    group.post(path, **closed)(server)
    # Whom the server lets in is told that there is no more; a client of the handshake tries it.
    other: dict[str, Any] = {**closed, "name": "mcp_post_only", "require": (), "permission": _everybody}
    refused = _Refused()
    called(refused, "serve_mcp(path=...)")
    group.route(path, ("GET", "DELETE"), **other)(refused)
    servers = _texts(authorization_servers, "authorization_servers") or _issuers(resolver, options.get("auth"))
    asked = _texts(scopes, "scopes")
    if servers:
        from router.mcp.metadata import WELL_KNOWN, Metadata

        metadata = Metadata(path, resource, servers, asked, info.title)
        has_root = any(route.match == WELL_KNOWN for route in resolver.routes)  # of a server at another path
        places = [WELL_KNOWN + path] if has_root else [WELL_KNOWN + path, WELL_KNOWN]
        called(_describe(group, metadata, places, options), "serve_mcp(path=...)")
    elif resource is not None or asked:
        raise ConfigurationError("serve_mcp(): resource= and scopes= need authorization_servers=, or a Jwt in auth=")
    resolver.include(group)


class _Server:
    """The handler of the route. What it needs is imported with the first request to it: records have no use for it."""

    def __init__(self, resolver: Resolver, info: Info, instructions: str, origins: frozenset[str], ttl_ms: int) -> None:
        self._told = info, instructions, origins, ttl_ms
        self._resolver = resolver
        self._endpoint: Endpoint | None = None

    def __call__(self, event: Event) -> Any:
        """Stand for the handler of the route; what runs is the plan."""
        raise RouterError("the route of an MCP server has a plan of its own")

    @property
    def served(self) -> Listing:
        """Return the list of tools as it is served, for `junction check`."""
        from router.mcp.listing import Listing

        return Listing(self._resolver, self._told[0])

    def plan_in(self, engine: Engine, around: tuple[Any, ...], plan: Plan) -> Plan:
        """Return the plan of the route, made when its chain is composed: by then all tools are known.

        around: the middleware around the route. plan: of this object as a handler.
        """
        from router.mcp.calls import Calls

        if self._endpoint is None:
            from router.mcp.endpoint import Endpoint

            info, instructions, origins, ttl_ms = self._told
            self._endpoint = Endpoint(info, instructions, origins, ttl_ms, self.served)
        return Calls(engine, self._endpoint, around).plan(plan)


def _describe(
    group: Router, metadata: Metadata, places: Iterable[str], options: Mapping[str, Any]
) -> Callable[..., Any]:
    """Add what says where tokens come from, to everybody: who has none yet asks for it. Return the handler."""
    public: dict[str, Any] = {"include_in_schema": False, "auth": "off", "require": (), "permission": _everybody}
    if "function" in options:
        public["function"] = options["function"]

    def described(event: Event) -> Any:
        return metadata.answer(event)

    # A client looks at the place of the path first, and then at the root (RFC 9728 §3.1).
    for number, place in enumerate(places):
        group.get(place, name=f"mcp_resource_{number}", **public)(described)

    @group.catch(Unauthorized)
    def challenged(error: Unauthorized, event: Event) -> Any:
        raise metadata.challenge(error, event)

    return described


class _Refused:
    """Say that there is no stream to listen to, and no session to end."""

    def __call__(self, event: Event) -> Any:
        """Answer a request that is no POST."""
        from router.response import Response

        return Response(None, 405, {"allow": "POST"})


def _everybody(event: Event) -> bool:
    return True


def _texts(given: str | Iterable[str], option: str) -> tuple[str, ...]:
    """Return the texts of an option; one alone is a tuple of one."""
    texts: tuple[Any, ...] = (given,)
    if hasattr(given, "__iter__") and not isinstance(given, str):
        texts = tuple(given)
    for one in texts:
        if not isinstance(one, str) or not one:
            raise ConfigurationError(f"serve_mcp({option}=...): give texts, not {one!r:.80}")
    return texts


def _checked_origins(origins: str | Iterable[str]) -> frozenset[str]:
    given = _texts(origins, "origins")
    for one in given:
        scheme, _, host = one.partition("://")
        if one != "*" and (scheme not in ("http", "https") or not host or "/" in host or one != one.lower()):
            raise ConfigurationError(f"serve_mcp(origins=...): {one!r:.100} is no origin; write https://app.example")
    return frozenset(given)


def _issuers(resolver: Resolver, auth: Any) -> tuple[str, ...]:
    """Return the issuers of the tokens that let requests in, as far as the guards tell."""
    from router.guards.auth import auth_of

    guard = resolver._engine.guard
    own = None if auth is None else auth_of(auth, "serve_mcp")
    default = None if guard is None else guard.default
    counts = default if own is None else own.inside(default)
    credentials = [] if counts is None else list(counts.credentials)
    asking: list[Any] = [one for one in resolver.middleware if getattr(one, "authenticates", False)]
    credentials += [credential for one in asking for credential in getattr(one, "credentials", ())]
    issuers = (getattr(getattr(one, "authenticator", None), "issuer", None) for one in credentials)
    return tuple(dict.fromkeys(one for one in issuers if isinstance(one, str)))
