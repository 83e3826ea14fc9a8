"""Know what the application and its declarations say of the APIs in front of it: routes, stages, authorizers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from router.event import Source
from router.routing.functions import MAIN
from router.routing.paths import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

KINDS: Mapping[Source, str] = {
    Source.REST: "rest-api",
    Source.HTTP: "http-api",
    Source.URL: "function-url",
    Source.WEBSOCKET: "websocket-api",
}
CONNECT, DISCONNECT, DEFAULT = "$connect", "$disconnect", "$default"
_EXPRESSION = "$request.body."


@dataclass(frozen=True, slots=True)
class Api:
    """Hold what is declared of one API; the defaults where nothing is. See `router.contract.apis`.

    is_declared: whether anything is.
    """

    is_declared: bool = False
    stage: str = ""
    authorizer: str = ""
    identity: str = "header:authorization"
    cached: int = 0
    origins: tuple[str, ...] = ()
    issuer: str = ""
    audience: tuple[str, ...] = ()
    binary: tuple[str, ...] = ()
    user_pools: tuple[str, ...] = ()
    public: bool = True
    streams: bool = True
    selection: str = f"{_EXPRESSION}action"

    @property
    def is_guarded(self) -> bool:
        """Whether something is asked before a call."""
        return bool(self.authorizer or self.issuer or self.user_pools)


@dataclass(slots=True)
class _Step:
    """One place in the tree of paths: what may follow, and the routes by method that end here."""

    static: dict[str, _Step] = field(default_factory=dict)
    one: _Step | None = None
    ends: dict[str, _End] = field(default_factory=dict)
    rest: dict[str, _End] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _End:
    function: str
    path: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Tell which function takes a request, and what the API knows of its path.

    path: as API Gateway writes it, `/things/{name}`; None where the catch-all resource takes it.
    """

    function: str = MAIN
    path: str | None = None
    parameters: Mapping[str, str] | None = None


_CATCH_ALL = Target()


class Surroundings:
    """The APIs and routes of the application, as they are after its last start."""

    def __init__(
        self, routes: Sequence[Mapping[str, Any]] | None = None, apis: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        """Take what is known.

        routes: of all functions: `source` or `sources`, `methods`, `match`, `function`; None while nothing is known.
        apis: as `router.local.aws.shapes.ApiPlan` has them: `kind`, and `settings`, the fields of its declaration.
        """
        held = {api["kind"]: api["settings"] for api in apis}
        self.apis = {source: _api(held.get(kind)) for source, kind in KINDS.items()}
        self.apis[Source.ALB] = Api()
        self.authorizers: dict[str, str] = {}
        self._tree: _Step | None = None
        self.socket_keys: dict[str, str] | None = None
        if routes is not None:
            self._take(routes)

    def _take(self, routes: Sequence[Mapping[str, Any]]) -> None:
        keys: dict[str, str] = {}
        web: list[Mapping[str, Any]] = []
        for route in routes:
            sources = route.get("sources") or (route.get("source", ""),)
            if "websocket" in sources:
                keys.setdefault(DEFAULT if route["match"] == "*" else route["match"], route.get("function") or MAIN)
            elif "authorizer" in sources:
                self.authorizers.setdefault(route["match"], route.get("function") or MAIN)
            elif route.get("methods"):
                web.append(route)
        if keys:  # as templates have it: the application is asked about these two in any case
            first = next(iter(keys.values()))
            keys.setdefault(CONNECT, first)
            keys.setdefault(DISCONNECT, first)
        self.socket_keys = keys
        if any((route.get("function") or MAIN) != MAIN for route in web):
            self._tree = _tree_of(web)

    def target_of(self, method: str, path: str) -> Target:
        """Return which function takes a request. API Gateway knows no types of parameters.

        path: as it was sent.
        """
        if self._tree is None:
            return _CATCH_ALL
        segments = path.strip("/").split("/") if path.strip("/") else []
        found = _find(self._tree, segments, 0, method)
        if found is None or found[0].function == MAIN:
            return _CATCH_ALL
        end, values = found
        return Target(end.function, end.path, dict(zip(end.names, map(unquote, values), strict=True)) or None)

    def socket_function(self, key: str) -> str | None:
        """Return the function that takes a route key of the WebSocket API; None where no route has it."""
        return MAIN if self.socket_keys is None else self.socket_keys.get(key)

    def authorizer_of(self, source: Source) -> str:
        """Return the function that is asked before calls of an API."""
        keys = (CONNECT, "*") if source is Source.WEBSOCKET else ("*",)
        return next((self.authorizers[key] for key in keys if key in self.authorizers), MAIN)

    def route_key(self, message: Any) -> str:
        """Return the route key that the selection expression finds in a message; `$default` where it finds none.

        message: its body as JSON, or None.
        """
        expression = self.apis[Source.WEBSOCKET].selection.strip()
        if expression.startswith("${") and expression.endswith("}"):
            expression = f"${expression[2:-1]}"
        if not expression.startswith(_EXPRESSION):
            return DEFAULT
        value = message
        for name in expression.removeprefix(_EXPRESSION).split("."):
            if type(value) is not dict:
                return DEFAULT
            value = value.get(name)
        if type(value) is bool or type(value) not in (str, int, float):
            return DEFAULT
        key = str(value)
        return DEFAULT if key in (CONNECT, DISCONNECT, "") else key


def _api(declared: Mapping[str, Any] | None) -> Api:
    if declared is None:
        return Api()
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in declared.items()
        if name in Api.__dataclass_fields__
    }
    return Api(**{**fields, "is_declared": True})


def _tree_of(routes: Iterable[Mapping[str, Any]]) -> _Step:
    root = _Step()
    for route in routes:
        step, names, parts, is_greedy = root, [], [], False
        for kind, text in parse(route["match"]):
            if kind == "static":
                step = step.static.setdefault(text, _Step())
                parts.append(text)
                continue
            names.append(text)
            if kind == "greedy":
                is_greedy = True
                parts.append(f"{{{text}+}}")
                break
            if step.one is None:
                step.one = _Step()
            step = step.one
            parts.append(f"{{{text}}}")
        end = _End(route.get("function") or MAIN, "/" + "/".join(parts), tuple(names))
        held = step.rest if is_greedy else step.ends
        for method in route["methods"]:
            held.setdefault(method, end)
        if "GET" in held:
            held.setdefault("HEAD", held["GET"])
        held.setdefault("OPTIONS", end)
    return root


def _find(step: _Step, segments: list[str], position: int, method: str) -> tuple[_End, list[str]] | None:
    """Return the route of the most specific path, and the values of its parameters."""
    if position == len(segments):
        end = step.ends.get(method)
        return None if end is None else (end, [])
    segment = segments[position]
    if segment in step.static:
        found = _find(step.static[segment], segments, position + 1, method)
        if found is not None:
            return found
    if step.one is not None and segment:
        found = _find(step.one, segments, position + 1, method)
        if found is not None:
            return found[0], [segment, *found[1]]
    end = step.rest.get(method)
    return None if end is None else (end, ["/".join(segments[position:])])
