"""Read what the routes take and answer: signatures, options and docstrings, as the dispatcher reads them."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from router.contract.checks import Faults
from router.contract.interface.answers import answers_of
from router.contract.interface.calls import check_info
from router.contract.interface.model import Interface, Operation
from router.contract.interface.taking import taken_by
from router.contract.model import place_of
from router.errors import ConfigurationError
from router.event import Source
from router.routing.paths import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from router.contract.interface.model import Info
    from router.resolver import Resolver
    from router.routing.route import Route

_NOT_OF_NAMES = re.compile(r"[^A-Za-z0-9]+")


def describe(resolver: Resolver, info: Info) -> Interface:
    """Return what an application takes and answers; routes with `include_in_schema=False` are left out.

    resolver: the application. Routes of all its functions are read.
    info: what the documents are called.

    Raises:
        ConfigurationError: a signature cannot be read, or `info` is no Info.
    """
    check_info(info, "describe(): its second argument")
    routes = (route for route in resolver.every_route() if route.include_in_schema and not route.unpacks)
    operations: list[Operation] = []
    faults = Faults()
    for route in routes:
        with faults.collected():
            operations += _operations(resolver, route)
    faults.refuse()
    return Interface(info, tuple(operations), resolver)


def refuse_same_names(operations: Iterable[Operation]) -> None:
    """Refuse two operations of one document with one name.

    Raises:
        ConfigurationError: it names the routes with file and line.
    """
    by_name: dict[str, Operation] = {}
    for one in operations:
        other = by_name.setdefault(one.name, one)
        if other is not one:
            raise ConfigurationError(
                f"{other.where} and {one.where} are both named {one.name!r}; give one of them another name="
            )


def identifier(text: str) -> str:
    """Return a text as a name of letters, digits and `_`: `$connect` becomes `connect`, `a.b` becomes `a_b`."""
    return _NOT_OF_NAMES.sub("_", text).strip("_") or "_"


def _operations(resolver: Resolver, route: Route) -> Iterator[Operation]:
    """Return the operations of a route, one for each of its methods."""
    is_http = bool(route.methods)
    parameters, payload = taken_by(route)
    auth = resolver.auth_of(route)
    checks = [check for check in resolver.checks_of(route) if check.mode != "off"]
    answers = answers_of(route, takes=bool(parameters or payload), auth=next(iter(checks), auth))
    summary, description = _prose(route)
    for method in route.methods or ("",):
        several = len(route.methods) > 1
        yield Operation(
            name=f"{identifier(route.name)}_{method.lower()}" if several else identifier(route.name),
            route=route,
            source=Source.HTTP if is_http else route.sources[0],
            method=method,
            path=_path(route.match) if is_http else "",
            summary=summary,
            description=description,
            tags=tuple(dict.fromkeys(route.tags)),
            deprecated=route.deprecated,
            parameters=parameters,
            payload=payload,
            answers=answers,
            auth=auth,
            place=place_of(route),
            greedy=next((name for kind, name in parse(route.match) if kind == "greedy"), "") if is_http else "",
        )


def _path(template: str) -> str:
    """Return a path as OpenAPI writes it: `{id:int}` and `{rest+}` are `{id}` and `{rest}`."""
    steps = [name if kind == "static" else f"{{{name}}}" for kind, name in parse(template)]
    return "/" + "/".join(steps)


def _prose(route: Route) -> tuple[str, str]:
    """Return summary and description: `summary=` or the first sentence of the docstring, and the rest of it."""
    doc = inspect.getdoc(route.handler) if hasattr(route.handler, "__code__") else ""
    first, _, rest = (doc or "").strip().partition("\n")
    if (route.summary and not doc) or route.summary != first.strip():
        return " ".join(route.summary.split()), (doc or "").strip()
    sentence, stop, more = first.partition(". ")
    return sentence.strip().removesuffix("."), "\n".join(part for part in (more, rest) if stop or part).strip()
