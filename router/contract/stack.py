"""`Stack`: an application with what it declares of its surroundings, and the infrastructure that follows from both."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from router.contract.adapters import stores_of
from router.contract.apis import Api, WebSocketApi
from router.contract.checks import check_name, refuse
from router.contract.compute import Function
from router.contract.declarations import Resource
from router.contract.grants import grants_of
from router.contract.model import Infrastructure, Part, merged
from router.contract.resources import Resources
from router.contract.surroundings import notes_of
from router.contract.triggers import Triggers
from router.contract.variables import Variables
from router.errors import ConfigurationError
from router.event import Source
from router.resolver import Resolver
from router.routing.functions import MAIN, functions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.contract.interface.model import Info
    from router.contract.model import Grant, Trigger
    from router.routing.route import Route


class Stack:
    """Declare what an application needs around it.

        stack = Stack("shop.app:resolver", Function(timeout=60), Queue("orders", dead_letter=3), name="shop")

    application: `package.module:resolver`; it is imported when the infrastructure is asked for.
    declared: resources, functions and APIs of which the routes do not say everything.
    name: of the stack; by default the first word of the application.
    handler: what Lambda calls, `package.module.function`; by default the resolver itself.
    code: the folder of the package, as the template names it.
    info: what the interface documents are called.

    Raises:
        ConfigurationError: a declaration is none, or stands there twice, or `info` is no Info.
    """

    def __init__(
        self,
        application: str,
        *declared: Resource | Function,
        name: str = "",
        handler: str = "",
        code: str = "build/",
        info: Info | None = None,
    ) -> None:
        module, colon, attribute = application.partition(":")
        if not colon or not module or not attribute:
            refuse("Stack", f"write the application as package.module:resolver, not {application!r:.120}")
        self.application = application
        self.name = name or re.sub(r"[^A-Za-z0-9]+", "-", module.partition(".")[0]).strip("-")
        check_name("Stack", "stack", self.name)
        self.handler = handler or f"{module}.{attribute}"
        self.code = code
        if info is not None:
            from router.contract.interface.calls import check_info

            check_info(info, "Stack: info=")
        self.info = info
        self.declared = declared
        _refuse_twice(declared)

    def load(self) -> Resolver:
        """Import the application.

        Raises:
            ConfigurationError: there is no Resolver of that name.
            Exception: what its module raised.
        """
        module, _, attribute = self.application.partition(":")
        found = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part, None)  # type: ignore[assignment]
        if not isinstance(found, Resolver):
            refuse(f"Stack({self.application!r})", f"it is not a Resolver, but {type(found).__name__}")
        return found

    def infrastructure(self, split: str = "function") -> Infrastructure:
        """Return everything that the application needs.

        split: how routes are named after functions: see `router.routing.functions.function_of`.

        Raises:
            ConfigurationError: what cannot be told, all of it at once, with the routes that ask for it.
        """
        found, problems = self.outline(split)
        if problems:
            listed = "\n".join(f"- {one}" for one in problems)
            raise ConfigurationError(f"{self.application}: the infrastructure cannot be told:\n{listed}")
        return found

    def outline(self, split: str = "function") -> tuple[Infrastructure, list[str]]:
        """Return what can be told of the infrastructure, and what cannot, with the routes that ask for it.

        split: as of `infrastructure`.

        Raises:
            ConfigurationError: the application is no Resolver.
        """
        resolver = self.load()
        problems: list[str] = []
        functions = {one.name: one for one in self.declared if isinstance(one, Function)}
        resources = Resources(one for one in self.declared if isinstance(one, Resource))
        by_function = _main_first(functions_of(resolver.every_route(), split))
        idle = sorted(functions.keys() - by_function.keys() - {MAIN})
        problems += [f"Function({name}): no route has function={name!r}" for name in idle]
        making = _Making(resolver, resources, problems)
        parts = []
        for name, routes in by_function.items():
            function = functions.get(name) or _like_main(functions.get(MAIN), name)
            if len(by_function) > 1:
                told = {"JUNCTION_FUNCTION": name, **({} if split == "function" else {"JUNCTION_SPLIT": split})}
                function = replace(function, variables={**told, **function.variables})
            parts.append(making.part(function, routes))
        making.triggers.refuse_shared(parts)
        problems += _unused(resources, parts)
        found = Infrastructure(
            name=self.name,
            handler=self.handler,
            code=self.code,
            parts=tuple(parts),
            resources=resources.all(),
            parameters=making.variables.parameters(),
            notes=tuple(dict.fromkeys([*making.triggers.notes, *notes_of(resolver, self.declared, resources, parts)])),
            application=self.application,
        )
        return found, list(dict.fromkeys(problems))


class _Making:
    """Make the parts of an infrastructure.

    resolver: the application. resources: of the stack. problems: takes what cannot be told.
    """

    def __init__(self, resolver: Resolver, resources: Resources, problems: list[str]) -> None:
        self._resolver = resolver
        self._resources = resources
        self._problems = problems
        self.variables = Variables(resolver, resources)
        self.triggers = Triggers(resources, problems, offloaded=resolver._engine.offload is not None)

    def part(self, function: Function, routes: tuple[Route, ...]) -> Part:
        """Return a function with its triggers, its variables, and what it and its tasks may do."""
        triggers = self.triggers.of(function, routes)
        told = self.variables.of(function, routes)
        tasks = tuple(route for route in routes if Source.TASK in route.sources)
        return Part(
            function,
            routes,
            triggers,
            grants=self._granted(routes, triggers, told),
            variables=told,
            task_grants=self._granted(tasks, (), told) if tasks else (),
        )

    def _granted(
        self, routes: tuple[Route, ...], triggers: tuple[Trigger, ...], told: Mapping[str, str]
    ) -> tuple[Grant, ...]:
        found = grants_of(self._resolver, routes, triggers, self._resources, told, self._problems)
        stored = stores_of(self._resolver, self.variables.stored(routes, told), self._resources)
        return merged((*found, *stored))


def _like_main(main: Function | None, name: str) -> Function:
    """Return the settings of a function that nobody declared: those of the main one.

    Without what divides calls or changes how they are made: a share of the account's concurrency, tenants apart,
    durable executions.
    """
    return replace(main or Function(), name=name, reserved=None, tenant_isolation=False, durable=0)


def _main_first(by_function: Mapping[str, list[Route]]) -> Mapping[str, tuple[Route, ...]]:
    """Return routes by the name of their function, the main one first; an application without routes has one, too."""
    names = sorted(by_function, key=lambda name: name != MAIN)
    return {name: tuple(by_function[name]) for name in names} or {MAIN: ()}


def _unused(resources: Resources, parts: Iterable[Part]) -> list[str]:
    """Return the problem of a WebSocket API whose URL is asked for, and which is not made: no route takes messages."""
    made = {id(trigger.resource) for part in parts for trigger in part.triggers}
    apis = [api for api in resources.of(WebSocketApi) if api.variable and id(api) not in made]
    return [f"WebSocketApi(variable={api.variable!r}): no route takes its messages" for api in apis]


def _refuse_twice(declared: Iterable[Resource | Function]) -> None:
    seen: set[tuple[str, str]] = set()
    variables: dict[str, Resource] = {}
    for one in declared:
        if not isinstance(one, Resource | Function):
            refuse("Stack", f"it takes declarations such as Queue(...), not {type(one).__name__}")
        kind = "function" if isinstance(one, Function) else one.kind
        name = "" if isinstance(one, Api) else one.name or getattr(one, "variable", "")
        if (kind, name) in seen:
            refuse(one, "it is declared twice")
        seen.add((kind, name))
        if isinstance(one, Resource) and one.variable:
            if one.variable in variables:
                refuse(one, f"variable={one.variable!r} is that of {variables[one.variable]}, too")
            variables[one.variable] = one
