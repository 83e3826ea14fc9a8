"""`load`: import an application as the command line does, and say what it is made of."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from router.errors import ConfigurationError
from router.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from router.contract import Stack
    from router.routing.route import Route


class CannotLoad(ConfigurationError):
    """The name of the application stands for nothing that can run."""


@dataclass(frozen=True, slots=True)
class Application:
    """An application that was imported.

    name: `package.module:resolver`.
    handler: what takes events: the resolver, or the function that a stack names.
    routes: each as data, for the console.
    functions: timeout and memory of each function that is declared; those of "main" count for the others.
    plan: what the emulator of AWS has to make; None where nothing of it can be told.
    problem: why not.
    notes: what else is to be said, such as what is left out of the plan.
    stack: what it declares; None where it declares nothing.
    """

    name: str
    resolver: Resolver
    handler: Callable[[Any, Any], Any]
    routes: list[dict[str, Any]]
    functions: dict[str, dict[str, Any]]
    plan: Any
    problem: str
    notes: list[str]
    stack: Stack | None


def load(name: str, names: Mapping[str, Any], fixed: Mapping[str, str]) -> Application:
    """Import an application, and return it.

    The current folder comes first on the path. Of a stack, the variables of what it declares are set in `os.environ`
    before its application is imported.

    name: `package.module:resolver`, or `package.module:stack`.
    names: the fields of `router.local.aws.names.Names`.
    fixed: variables that stay as they are.

    Raises:
        CannotLoad: nothing that can run has this name.
        BaseException: what a module raised while it was imported, SystemExit among it.
    """
    if sys.path[:1] not in ([""], [os.getcwd()]):
        sys.path.insert(0, os.getcwd())
    notes: list[str] = []
    found = _with_secrets(lambda: _found(name), names, notes)
    if isinstance(found, Resolver):
        return _described(name, found, found, None, names, notes)
    stack = _stack(name, found)
    os.environ.update(_variables(stack, names, fixed))
    resolver = _with_secrets(lambda: _found(stack.application), names, notes)
    if not isinstance(resolver, Resolver):
        raise CannotLoad(f"{stack.application} is not a Resolver (got {type(resolver).__name__})")
    from router.runtime.start import load_handler

    return _described(stack.application, resolver, load_handler(stack.handler), stack, names, notes)


def _with_secrets(find: Callable[[], Any], names: Mapping[str, Any], notes: list[str]) -> Any:
    """Import something; a secret that it wants in the environment and that nobody gave is made up.

    find: imports it. notes: takes what was made up.
    """
    while True:
        try:
            return find()
        except KeyError as error:
            from router.local.aws.names import Names, secret_wanted

            variable = secret_wanted(error)
            if variable is None or variable in os.environ:
                raise
            os.environ[variable] = Names(**names).random(variable)
            notes.append(f"{variable} has a random value for this run: set it to keep what it protects")


def _variables(stack: Stack, names: Mapping[str, Any], fixed: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a stack tells. fixed: those that stay as they are."""
    from router.local.aws.names import Names
    from router.local.aws.plan import variables_of

    told = variables_of(stack, Names(**names))
    return {name: value for name, value in told.items() if name not in fixed}


def _found(name: str) -> Any:
    """Return what `package.module:attribute` stands for."""
    module_name, colon, attributes = name.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module_name.split("."), *attributes.split("."))):
        raise CannotLoad(f"{name!r}: write it as package.module:resolver or package.module:stack")
    try:
        found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            from router.cli.loading import missing

            raise CannotLoad(missing(module_name, error.name, attributes)) from None
        raise
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            from router.cli.loading import hint

            file = getattr(found, "__file__", None)
            place = f" ({_relative(file)})" if file else ""
            raise CannotLoad(f"{module_name}{place} has no {attribute!r}{hint(found)}")
        found = getattr(found, attribute)
    return found


def _stack(name: str, found: Any) -> Stack:
    # An application without a stack does not pay for its import.
    contract = sys.modules.get(f"{__name__.rpartition('.local.')[0]}.contract")
    if contract is None or not isinstance(found, contract.Stack):
        from router.cli.loading import hint

        module = sys.modules[name.partition(":")[0]]
        raise CannotLoad(f"{name!r} is neither a Resolver nor a Stack (got {type(found).__name__}){hint(module)}")
    return found  # type: ignore[no-any-return]


def _described(
    name: str,
    resolver: Resolver,
    handler: Callable[[Any, Any], Any],
    stack: Stack | None,
    names: Mapping[str, Any],
    notes: list[str],
) -> Application:
    routes = [_as_data(resolver, route) for route in resolver.every_route()]
    from router.contract import Stack as Declared
    from router.local.aws.names import Names
    from router.local.aws.plan import plan_of
    from router.local.process.lacking import left_out, unset

    try:
        infrastructure, problems = (Declared(name) if stack is None else stack).outline()
    except ConfigurationError as error:
        return Application(name, resolver, handler, routes, _functions(stack), None, str(error), notes, stack)
    plan = plan_of(infrastructure, Names(**names))
    missing = unset(resolver, {**os.environ, **plan["variables"]}, has_stack=stack is not None)
    # Without an emulator nothing is made, so nothing is left out either.
    out = left_out(infrastructure, problems, has_stack=stack is not None) if names.get("endpoint") else ()
    notes = list(dict.fromkeys([*notes, *plan["notes"], *out, *missing]))
    # Where nobody declared a limit, that of the command line counts.
    parts = () if stack is None else tuple(part.function for part in infrastructure.parts)
    functions = {one.name: {"timeout": one.timeout, "memory": one.memory} for one in parts}
    return Application(name, resolver, handler, routes, functions, plan, "", notes, stack)


def _functions(stack: Stack | None) -> dict[str, dict[str, Any]]:
    """Return the functions that a stack declares, where nothing more can be told of it."""
    if stack is None:
        return {}
    from router.contract import Function

    declared = [one for one in stack.declared if isinstance(one, Function)]
    return {one.name: {"timeout": one.timeout, "memory": one.memory} for one in declared}


def _as_data(resolver: Resolver, route: Route) -> dict[str, Any]:
    """Return a route as data."""
    from router.local.durable.routes import is_durable
    from router.routing.functions import function_of

    handler = route.handler
    code = getattr(getattr(handler, "of_class", handler), "__code__", None)
    module = getattr(handler, "__module__", "") or ""
    auth = resolver.auth_of(route)
    return {
        "source": "http" if route.methods else route.sources[0].value,
        "sources": [source.value for source in route.sources],
        "route": str(route),
        "match": str(route.match),
        "name": route.name,
        "handler": f"{module}.{getattr(handler, '__qualname__', route.name)}".lstrip("."),
        "file": None if code is None else _relative(code.co_filename),
        "line": None if code is None else code.co_firstlineno,
        "function": function_of(route),
        "methods": list(route.methods),
        "path": str(route.match) if route.methods else None,
        "summary": route.summary,
        "tags": list(route.tags),
        "durable": is_durable(route),
        "batch": route.batch,
        "concurrency": route.concurrency,
        "pattern": route.pattern is not None,
        "auth": None if auth is None else str(auth),
        "permission": route.permission is not None,
        "requires": {variable: list(actions) for variable, actions in resolver.requires_of(route).items()},
    }


def _relative(file: str) -> str:
    here = os.getcwd() + os.sep
    return file.removeprefix(here)
