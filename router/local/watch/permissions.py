"""Tell whether a route may make a call: by its `requires=`, the adapters around it, and what every function has."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from router.contract.adapters import stores_of
from router.contract.compute import Function
from router.contract.declarations import Resource
from router.contract.grants import grants_of
from router.contract.model import Infrastructure, Part, merged
from router.contract.policies import policy
from router.contract.resources import Resources
from router.contract.triggers import Triggers
from router.environment.actions import holds
from router.environment.usage import declared_by
from router.local.watch.needs import ANY, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.contract import Stack
    from router.resolver import Resolver
    from router.routing.route import Route

    Statement = tuple[tuple[str, ...], tuple[str, ...]]  # patterns of actions and of resources


class Permissions:
    """Tell what the routes of an application may do, as the policy says that `junction export iam` writes for them.

    resolver: the application.
    account: of AWS.
    stack: what the application declares of its surroundings.
    environ: the variables that hold the names of resources.
    """

    def __init__(
        self,
        resolver: Resolver,
        account: str,
        stack: Stack | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._resolver = resolver
        self._place = Place(ANY, account)  # a client may be of another region than the function
        self._declared = () if stack is None else tuple(one for one in stack.declared if isinstance(one, Resource))
        self._stack = ANY if stack is None else stack.name
        self._environ = environ
        self._statements: dict[Route, list[Statement]] = {}

    def covers(self, route: Route | None, action: str, resource: str) -> bool | None:
        """Whether a route may do something; None where no route does it.

        action: `dynamodb:GetItem`. resource: an ARN; `*` in it stands for what is not known.
        """
        if route is None:
            return None
        held = self._statements.get(route)
        if held is None:
            self._statements[route] = held = self._of(route)
        return any(
            any(meets(one.lower(), action.lower()) for one in actions)
            and any(meets(one, resource) for one in resources)
            for actions, resources in held
        )

    def variables(self, service: str, resource: str) -> list[str]:
        """Return the variables that hold the name of a resource: the declared ones, else any that do."""
        if resource == ANY:
            return []
        name = _name_of(service, resource)
        held = {variable: value for variable, value in self._environ.items() if value and holds(service, value, name)}
        declared = [variable for variable in declared_by(self._resolver).wanted_by() if variable in held]
        return sorted(declared or held)

    def _of(self, route: Route) -> list[Statement]:
        """Return the statements of the policy of a function that had this route alone."""
        problems: list[str] = []  # they are for `junction check`; here the rest counts
        resources = Resources(self._declared)
        resolver = self._resolver
        function = Function()
        triggers = Triggers(resources, problems).of(function, [route])
        grants = grants_of(resolver, [route], triggers, resources, self._environ, problems)
        stored = stores_of(resolver, resolver.requires_of(route), resources)
        part = Part(function, (route,), triggers, merged((*grants, *stored)), {})
        whole = Infrastructure("", "", "", (part,), (), (), ())
        return [
            (tuple(one["Action"]), tuple(self._place.filled(target, self._stack) for target in one["Resource"]))
            for one in policy(whole, part)["Statement"]
        ]


def _name_of(service: str, resource: str) -> str:
    """Return the name in an ARN, as a variable may hold it."""
    last = resource.split(":", 5)[-1]
    if service == "s3":
        return last.partition("/")[0]
    if service in ("dynamodb", "kinesis", "events", "firehose"):
        return last.partition("/")[2].partition("/")[0]
    if service == "ssm":
        return "/" + last.partition("/")[2]
    if service == "secretsmanager":
        return last.removeprefix("secret:").removesuffix("-??????")
    if service == "ecs":
        return last.partition("/")[2].partition(":")[0]
    return resource


@lru_cache(maxsize=4096)
def meets(pattern: str, other: str) -> bool:
    """Whether two patterns with `*` and `?`, as IAM has them, have a text in common.

    Beside a text without wildcards this is IAM's own match. `other` has some where a part of it is not known.
    """
    reached = {0}  # places in `other` that the pattern so far can end at
    reached = _through_stars(other, reached)
    for sign in pattern:
        if sign == "*":
            reached = set(range(min(reached, default=len(other) + 1), len(other) + 1))
        else:
            reached = _after(sign, other, reached)
        reached = _through_stars(other, reached)
    return len(other) in reached


def _after(sign: str, other: str, reached: set[int]) -> set[int]:
    """Return where one sign leads: past an equal one, past `?`, or within a `*`."""
    found = set()
    for place in reached:
        if place > 0 and other[place - 1] == "*":
            found.add(place)
        if place < len(other) and (other[place] == "?" or sign in ("?", other[place])):
            found.add(place + 1)
    return found


def _through_stars(other: str, reached: set[int]) -> set[int]:
    """Return places with those behind a `*`, which may stand for nothing."""
    found = set(reached)
    for place in sorted(reached):
        after = place
        while after < len(other) and other[after] == "*":
            after += 1
            found.add(after)
    return found
