"""Plan what is made in an emulator: the infrastructure of an application as JSON data, with local names and values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from os import environ
from typing import TYPE_CHECKING, Any

from router.contract.apis import Api
from router.contract.compute import Function, Task
from router.contract.declarations import Bus, Kafka, Resource, Schedule, Secret
from router.contract.names import physical, value
from router.contract.sam.functions import physical_name
from router.contract.variables import parameter
from router.event import Source
from router.local.aws.planning import Planning
from router.local.durable.routes import is_durable
from router.routing.functions import MAIN

if TYPE_CHECKING:
    from router.contract.model import Infrastructure, Part
    from router.contract.stack import Stack
    from router.local.aws.names import Names
    from router.local.aws.shapes import ApiPlan, FunctionPlan, Plan, TaskPlan

_YEAR = 31_622_400  # seconds; Lambda allows no more
_SPLIT = ("JUNCTION_FUNCTION", "JUNCTION_SPLIT")  # one process serves all functions here
_ASYNCHRONOUS = frozenset({"topic", "bucket", "bus", "schedule"})


def variables_of(stack: Stack, names: Names) -> dict[str, str]:
    """Return the variables that a stack's declarations tell, which the application may read while it is imported.

    A queue and a topic are told by their ARN, everything else by its name, as in a template of the stack.
    """
    found: dict[str, str] = {}
    for one in stack.declared:
        if isinstance(one, Function):
            told = {name: names.filled(held, stack.name) for name, held in one.variables.items()}
            found |= {name: held for name, held in told.items() if "${" not in held}
        elif one.variable:
            found[one.variable] = _value(one, stack.name, names)
    return found


def plan_of(infrastructure: Infrastructure, names: Names, given: Mapping[str, str] | None = None) -> Plan:
    """Plan an emulator for an application.

    infrastructure: of the application.
    names: where the emulator is.
    given: variables that have a value already; by default the environment.
    """
    making = _Making(infrastructure, names, environ if given is None else given)
    variables = making.variables()
    planning = Planning(infrastructure, names, variables)
    planning.add_all()
    return {
        "stack": infrastructure.name,
        "region": names.region,
        "account": names.account,
        "functions": [making.function(part) for part in infrastructure.parts],
        "queues": planning.queues,
        "topics": planning.topics,
        "subscriptions": planning.subscriptions,
        "tables": planning.tables,
        "streams": planning.streams,
        "buckets": planning.buckets,
        "buses": [making.name(one) for one in infrastructure.of_kind("bus") if making.name(one) != "default"],
        "rules": planning.rules,
        "schedules": planning.schedules,
        "secrets": [
            {"name": making.name(one), "value": names.random(making.name(one))}
            for one in infrastructure.resources
            if isinstance(one, Secret)
        ],
        "mappings": planning.mappings,
        "apis": making.apis(),
        "tasks": making.tasks(),
        "variables": variables,
        "random": making.random,
        "notes": making.notes(),
    }


class _Making:
    """Make the parts of a plan that no event comes by. given: variables that have a value already."""

    def __init__(self, infrastructure: Infrastructure, names: Names, given: Mapping[str, str]) -> None:
        self._infrastructure = infrastructure
        self._names = names
        self._given = given
        self.random: list[str] = []
        self._told: list[str] = []

    def name(self, resource: Resource) -> str:
        """Return the name of a resource in the emulator."""
        return self._names.filled(physical(resource), self._infrastructure.name)

    def variables(self) -> dict[str, str]:
        """Return the environment that all functions share, sorted by name."""
        parameters = self._parameters()
        found: dict[str, str] = {}
        for part in self._infrastructure.parts:
            for variable, text in part.variables.items():
                if variable in _SPLIT:
                    continue
                told = self._variable(variable, text, parameters)
                if told is None:
                    continue
                if found.setdefault(variable, told) != told:
                    self._told.append(
                        f"{variable}: the function {part.name} has another value than the others, and all of them run "
                        f"in one process here: it is {found[variable]!r:.80} for all"
                    )
        return dict(sorted(found.items()))

    def _variable(self, variable: str, text: str, parameters: Mapping[str, str]) -> str | None:
        """Return the value of a variable; None for one that nobody knows here."""
        resource = next((one for one in self._infrastructure.resources if one.variable == variable), None)
        if resource is not None:
            return _value(resource, self._infrastructure.name, self._names)
        told = self._names.filled(text, self._infrastructure.name, parameters)
        if "${" not in told:
            return told
        return self._given.get(variable)

    def _parameters(self) -> dict[str, str]:
        """Return the values of the template's parameters that are known; a secret that nobody gave is made up."""
        found: dict[str, str] = {}
        for one in self._infrastructure.parameters:
            name = parameter(one.variable)
            if one.variable in self._given:
                found[name] = self._given[one.variable]
            elif one.is_secret:
                found[name] = self._names.random(one.variable)
            if one.is_secret and found[name] == self._names.random(one.variable):
                self.random.append(one.variable)
                self._told.append(f"{one.variable} has a random value for this run: set it to keep what it protects")
        return found

    def function(self, part: Part) -> FunctionPlan:
        """Return what a part is as a function."""
        fails = any(trigger.resource.kind in _ASYNCHRONOUS for trigger in part.triggers)
        return {
            "part": part.name,
            "name": self._names.filled(physical_name(part), self._infrastructure.name),
            "timeout": part.function.timeout,
            "memory": part.function.memory,
            "durable": part.function.durable or _longest_execution(part),
            "reserved": part.function.reserved,
            "failures": self._names.filled(self._infrastructure.fails_to(), self._infrastructure.name)
            if fails
            else None,
            "routes": [str(route) for route in part.routes],
            "http": [(method, str(route.match)) for route in part.routes for method in route.methods],
        }

    def apis(self) -> list[ApiPlan]:
        """Return the APIs in front of the application, in the order of their routes."""
        found: dict[int, ApiPlan] = {}
        for part, trigger in self._infrastructure.triggers:
            api = trigger.resource
            if not isinstance(api, Api):
                continue
            held = found.setdefault(
                id(api),
                {
                    "kind": api.kind,
                    "settings": {one.name: _plain(getattr(api, one.name)) for one in fields(api)},
                    "parts": [],
                    "authorizer": self._authorizer(api),
                },
            )
            if part.name not in held["parts"]:
                held["parts"].append(part.name)
        return list(found.values())

    def _authorizer(self, api: Api) -> str | None:
        """Return the part with the authorizer of an API; None without."""
        if not api.authorizer:
            return None
        for part in self._infrastructure.parts:
            if any(Source.AUTHORIZER in route.sources for route in part.routes):
                return part.name
        self._told.append(f"{api}: the authorizer {api.authorizer!r} has no @on_authorize() route: nobody comes in")
        return MAIN

    def tasks(self) -> list[TaskPlan]:
        """Return the tasks of ECS."""
        return [
            {
                "name": self.name(task),
                "part": part.name,
                "cpu": task.cpu,
                "memory": task.memory,
                "command": list(task.command),
            }
            for part, trigger in self._infrastructure.triggers
            if isinstance(task := trigger.resource, Task)
        ]

    def notes(self) -> list[str]:
        """Return what is not as it would be in AWS."""
        found = list(self._told)
        for one in self._infrastructure.resources if self._names.endpoint else ():
            if isinstance(one, Kafka):
                found.append(f"{one}: there is no Kafka here: send samples of its records")
            elif isinstance(one, Schedule) and not one.expression:
                found.append(f"{one}: nothing declared says when it is due: send samples of it")
            elif one.exists and not isinstance(one, Api | Bus):
                found.append(f"{one} belongs to somebody else: it is made here, and empty")
        return list(dict.fromkeys(found))


def _longest_execution(part: Part) -> int:
    """Return how long an execution may take, in seconds, where nobody says it; 0 without durable routes."""
    return _YEAR if any(map(is_durable, part.routes)) else 0


def _value(resource: Resource, stack: str, names: Names) -> str:
    """Return the value of a resource's variable."""
    if resource.kind == "websocket-api":
        return names.socket
    return names.filled(value(resource), stack)


def _plain(held: Any) -> Any:
    """Return a setting as JSON data."""
    return list(held) if isinstance(held, tuple) else dict(held) if isinstance(held, Mapping) else held
