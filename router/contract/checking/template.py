"""Check a template against the routes of an application: function by function, by the routes that each serves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from router.contract.checking.calling import check_calling
from router.contract.checking.deliveries import by_function, deliveries_of
from router.contract.checking.findings import Finding, of_route
from router.contract.checking.globs import ANY
from router.contract.checking.mappings import check_function
from router.contract.checking.permissions import Rights, check_variables
from router.errors import ConfigurationError
from router.routing.functions import MAIN, SPLITS, functions_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from router.contract.checking.deployed import Deployed, Template
    from router.environment.usage import Call
    from router.resolver import Resolver
    from router.routing.route import Route


def functions_of_application(template: Template, application: str, handler: str = "") -> list[Deployed]:
    """Return the functions of a template that run an application.

    application: `package.module:resolver`.
    handler: of a stack that declares it; by default any of the module of the application counts.

    Raises:
        ConfigurationError: there is none, or several that may be it.
    """
    module = application.partition(":")[0]
    found = [
        one
        for one in template.functions
        if one.handler == handler or one.handler.rpartition(".")[0].replace("/", ".") == module
    ]
    if found:
        return found
    if len(template.functions) == 1:
        return list(template.functions)
    named = ", ".join(f"{one.logical} ({one.handler or 'an image'})" for one in template.functions)
    raise ConfigurationError(
        f"{template.file}: no function has a handler in {module}; "
        + (f"there is {named}: name one with --function" if named else "it has no functions at all")
    )


def check_template(
    template: Template,
    functions: Sequence[Deployed],
    resolver: Resolver,
    calls: Iterable[Call] = (),
    elsewhere: Collection[str] = (),
) -> Iterator[Finding]:
    """Check the functions of an application.

    functions: of the template, those that run it.
    calls: that tests recorded.
    elsewhere: sources whose events something else than the template may bring.

    Raises:
        ConfigurationError: a function is told a split that does not exist.
    """
    made, found = tuple(calls), deliveries_of(template)
    routes = resolver.every_route()
    stores = resolver._engine.declaring().environment.has_stores
    served: set[int] = set()
    rights: list[Rights] = []
    for function in functions:
        yield from _handler(template, function)
        own = _routes_of(template, function, routes)
        served.update(map(id, own))
        deliveries = by_function(template, function, found)
        yield from check_function(template, function, own, deliveries, elsewhere)
        yield from check_calling(template, function, deliveries)
        if not stores:  # they may know what the template leaves out
            yield from check_variables(template, function, own, resolver.requires_of)
        rights.append(Rights(template, function, own, resolver, deliveries, made, elsewhere))
        yield from rights[-1].missing()
    for one in rights:
        yield from one.unused(rights)
    for route in routes:
        if id(route) not in served:
            yield of_route("no-function", route, f"no function of {template.file} serves it")


def _handler(template: Template, function: Deployed) -> Iterator[Finding]:
    """Find a handler that its module does not have; the application has imported that."""
    name, _, attribute = function.handler.replace("/", ".").rpartition(".")
    module = sys.modules.get(name)
    if module is not None and ANY not in attribute and not callable(getattr(module, attribute, None)):
        text = f"{function.logical}: its handler is {function.handler}, and {name} has no {attribute} to call"
        yield Finding("handler", text, function.place)


def _routes_of(template: Template, function: Deployed, routes: Sequence[Route]) -> list[Route]:
    """Return the routes that a function serves, by what its environment tells it."""
    name = _told(template, function, "JUNCTION_FUNCTION")
    if not name or name == ANY:
        return list(routes)
    split = _told(template, function, "JUNCTION_SPLIT") or "function"
    if split not in SPLITS:
        raise ConfigurationError(f"{function.place}: JUNCTION_SPLIT is {split!r:.80}: use one of {', '.join(SPLITS)}")
    held = functions_of(routes, split)
    if name not in held and name != MAIN:
        raise ConfigurationError(
            f"{function.place}: JUNCTION_FUNCTION is {name!r:.80}, and the routes know {', '.join(sorted(held))}"
        )
    return held.get(name, [])


def _told(template: Template, function: Deployed, variable: str) -> str:
    value = function.variables.get(variable)
    return "" if value is None else template.references.text(value)
