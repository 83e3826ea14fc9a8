"""HTTP routes that agents call as tools, too: `@resolver.get("/orders/{order_id}", tool=True)`.

The handler is bound a second time, for calls that bring its arguments by name. What stands around it stays: to
middleware and permissions a call looks as the request that it is in the place of. Loaded with the first such route.
"""

from __future__ import annotations

from router.dispatch.plan import Offer, itself
from router.dispatch.signature import read_signature
from router.errors import ConfigurationError, RouteConflict
from router.event import Source
from router.routing.paths import parse
from router.routing.route import path_parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from router.convert.scalars import Converter
    from router.dispatch.plan import Argument
    from router.routing.route import Route

    Seen = tuple[str, str, Any, Any]

_TYPES: dict[str, Any] = {"int": int, "float": float}
_BROUGHT = ("path", "query", "body")  # what a call brings as arguments; headers come beside them


class AsRequest:
    """Tell how the calls of a tool look as requests to the HTTP route that it is, too.

    route: the HTTP route. written: its path as OpenAPI writes it. parameters: of the path.
    query: the arguments that are query parameters on HTTP. body: the argument that is the body; "" for none.
    is_all: whether the arguments are those of one model, which is the body, or holds the query parameters.

    Raises:
        ConfigurationError: two arguments are the body.
    """

    __slots__ = ("_fields", "_typed", "body", "is_all", "method", "parameters", "query", "route", "written")

    def __init__(self, route: Route) -> None:
        seen = list(values_of(route))
        taken = {(place, _argument(name, annotation)) for place, name, annotation, _ in seen if place in _BROUGHT}
        self.route = route
        self.method = route.methods[0]
        self.parameters = path_parameters(route)
        steps = (name if kind == "static" else f"{{{name}}}" for kind, name in parse(route.match))
        self.written = "/" + "/".join(steps)
        self.query = tuple(sorted(name for place, name in taken if place == "query"))
        # Those of a model, by the name of its argument: nothing else of that may pass for a query parameter.
        self._fields = {_argument(one[1], one[2]): _names_of(one[2]) for one in seen if _is_query_model(*one)}
        self._typed: dict[str, Converter] | None = None
        self.body = _only_body(route, [name for place, name in sorted(taken) if place == "body"])
        models = [_is_model(annotation) for place, _, annotation, _ in seen if place in _BROUGHT]
        self.is_all = len(taken) == 1 and not self.parameters and all(models)

    def is_action(self, name: str) -> bool:
        """Whether an action of a Bedrock agent means this route: `GET /orders/{order_id}`, as OpenAPI writes it."""
        method, _, path = name.partition(" ")
        return method == self.method and path.rstrip("/") == self.written.rstrip("/")

    def type_of(self, name: str) -> Any:
        """Return what the path itself makes of a parameter: `{id:int}` a number."""
        kind = next(kind for kind, held in parse(self.route.match) if held == name and kind != "static")
        if kind == "uuid":
            from uuid import UUID

            return UUID
        return _TYPES.get(kind, str)

    def part(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Return a part of the request that a call with these arguments is in the place of.

        name: "method", "path", "params", "query" or "body", which is JSON data, and None for none.

        Raises:
            UnprocessableContent: a parameter of the path is missing.
        """
        if name == "method":
            return self.method
        if name == "body":
            return None if not self.body else arguments if self.is_all else arguments.get(self.body)
        if name == "query":
            from router.http.headers import QueryParams

            return QueryParams(dict(self._query_of(arguments)))
        return self._path_of(arguments) if name == "path" else self._params_of(arguments)

    def _params_of(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of the path: a text each, or what the path itself makes of it."""
        from router.convert.scalars import mistake

        if self._typed is None:
            from router.convert.compile import compile_converter

            kinds = {name: self.type_of(name) for name in self.parameters}
            self._typed = {name: compile_converter(kind, text=False) for name, kind in kinds.items() if kind is not str}
        params: dict[str, Any] = {}
        for name in self.parameters:
            value = arguments.get(name)
            if value in (None, ""):
                raise mistake(("arguments", name), "is missing")
            convert = self._typed.get(name)
            params[name] = _text(value) if convert is None else convert(value, ("arguments", name))
        return params

    def _path_of(self, arguments: Mapping[str, Any]) -> str:
        """Return the path of the request."""
        from urllib.parse import quote

        steps = []
        for kind, name in parse(self.route.match):
            value = name if kind == "static" else _text(arguments.get(name, ""))
            steps.append(quote(value, safe="/" if kind == "greedy" else ""))
        return "/" + "/".join(steps)

    def _query_of(self, arguments: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
        """Return the query parameters, as texts. Those of a model come one by one.

        Raises:
            UnprocessableContent: two arguments say different values of one parameter, which has one in a request.
        """
        from router.convert.scalars import mistake

        found: dict[str, list[str]] = {}
        for name in self.query:
            value = arguments if self.is_all else arguments.get(name)
            fields = self._fields.get(name)
            pairs = ((name, value),) if fields is None else value.items() if isinstance(value, dict) else ()
            for key, held in pairs:
                texts = [_text(one) for one in (held if isinstance(held, list) else [held]) if one is not None]
                if not texts or (fields is not None and key not in fields):
                    continue
                if found.setdefault(key, texts) != texts:
                    raise mistake(("arguments", name), f"differs from another argument in {key}")
        return list(found.items())


def register_tool(route: Route, register: Callable[[Route], object]) -> None:
    """Register the tool that an HTTP route is, too.

    register: takes the route of the tool.

    Raises:
        ConfigurationError: a call cannot bring what the handler takes; the error names file and line.
        RouteConflict: another tool has the name.
    """
    try:
        register(as_tool(route))
    except RouteConflict:
        raise
    except ConfigurationError as error:
        raise ConfigurationError(f"{error}. {route} is a tool, too, since it has tool=: {route.where}") from None


def as_tool(route: Route) -> Route:
    """Return the route of the tool that an HTTP route is, too.

    Raises:
        ConfigurationError: it has several methods, a pattern, or a signature that cannot be read.
    """
    if len(route.methods) > 1:
        raise ConfigurationError(f"{route}: tool= takes one method: nothing in a call says which of several is meant")
    if route.pattern is not None:
        raise ConfigurationError(f"{route}: tool= and pattern= do not go together: a call is no request to choose by")
    name = route.tool if isinstance(route.tool, str) else route.name
    return route.replace(
        sources=(Source.TOOL,),
        match=name,
        methods=(),
        tool=False,
        envelope=None,
        unsigned_from=None,
        request=AsRequest(route),
    )


def values_of(route: Route) -> Iterator[Seen]:
    """Return each value that the arguments of a handler and its dependencies are made of.

    Each is place, name, annotation and default.
    """
    for told, _ in _signatures(route):
        yield from told.seen or ()


def takes_event(route: Route) -> bool:
    """Whether a handler or a dependency of it takes the event, and may read whatever it holds."""
    return any(argument.get is itself for _, arguments in _signatures(route) for argument in arguments)


def _signatures(route: Route) -> Iterator[tuple[Offer, list[Argument]]]:
    """Return what a handler and its dependencies take, each with the offer that has seen it."""
    offer = Offer(route, path_parameters(route))
    pending = [(route.handler, str(route), offer, route.model)]
    done: set[Any] = set()
    while pending:
        function, where, told, model = pending.pop(0)
        told.seen = []
        arguments = read_signature(function, where, told, model)
        for argument in arguments:
            provide = None if argument.dependency is None else argument.dependency.provide
            if provide is not None and provide not in done:
                done.add(provide)
                inner = f"{where}, dependency {getattr(provide, '__qualname__', provide)}"
                pending.append((provide, inner, Offer(route, offer.parameters, shared=True), None))
        yield told, arguments


def _argument(name: str, annotation: Any) -> str:
    from router.convert.kinds import alias_of

    return alias_of(annotation) or name


def _is_model(annotation: Any) -> bool:
    from router.convert.kinds import is_model, plain

    return is_model(plain(annotation))


def _is_query_model(place: str, name: str, annotation: Any, default: Any) -> bool:
    return place == "query" and _is_model(annotation)


def _names_of(model: Any) -> set[str]:
    """Return the names of the parameters that a model is filled from."""
    from router.convert.parameters import compile_model

    return compile_model(model, "query").names


def _only_body(route: Route, names: list[str]) -> str:
    """Return the name of the argument that is the body; "" for none.

    Raises:
        ConfigurationError: there are several. Over HTTP they are one body, and what checks that sees one alone.
    """
    if len(names) > 1:
        several = " and ".join(repr(name) for name in names)
        raise ConfigurationError(f"{route}: {several} are both the body, and a call could bring two")
    return names[0] if names else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
