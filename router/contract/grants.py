"""Grant what `requires=` names, and what triggers need. Nothing with `*` that has a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.adapters import adapters_of
from router.contract.model import Grant, Reason, merged, named, place_of
from router.contract.polling import polling_of
from router.contract.targets import targets
from router.env import name_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from router.contract.model import Trigger
    from router.contract.resources import Resources
    from router.resolver import Resolver
    from router.routing.route import Route


def grants_of(
    resolver: Resolver,
    routes: Iterable[Route],
    triggers: Iterable[Trigger],
    resources: Resources,
    told: Mapping[str, str],
    problems: list[str],
) -> tuple[Grant, ...]:
    """Return what a function may do.

    resolver: whose routes they are.
    routes, triggers: of the function.
    resources: of the stack.
    told: the variables of the function, with `${...}` as CloudFormation has it.
    problems: takes what cannot be told, with the route that asks for it.
    """
    held = list(routes)
    delays = resolver._engine.delay is not None
    found = [grant for trigger in triggers for grant in polling_of(trigger, delays=delays)]
    found += adapters_of(resolver, held, resources, problems)
    for route in held:
        for variable, operations in resolver.requires_of(route).items():
            if operations:
                found += _required(route, variable, operations, resources, told.get(variable), problems)
    return merged(found)


def _required(
    route: Route,
    variable: str,
    operations: Iterable[str],
    resources: Resources,
    value: str | None,
    problems: list[str],
) -> Iterator[Grant]:
    reason = Reason(f"requires={{{variable!r}: ...}}", str(route), place_of(route))
    resource = resources.with_variable(variable)
    if resource is None and value is None:
        problems.append(
            f"{named(route)}: what {variable} names, a store alone knows: declare it with variable={variable!r}"
        )
        return
    name = value if value is None or value.startswith("arn:") else name_in(value)
    for operation in operations:
        try:
            found = targets(operation, resource, name or "")
        except LookupError as error:
            problems.append(f"{named(route)}: {operation} for {variable}: {error.args[0]}")
            continue
        yield Grant((operation,), tuple(sorted(found)), (reason,))
        if operation == "ecs:RunTask":
            yield Grant(
                ("iam:PassRole",),
                ("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-task*",),
                (reason,),
                {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            )
