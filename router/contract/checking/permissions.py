"""Check permissions and variables: what routes need and the template does not give, and what nobody needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.adapters import adapters_of, stores_of
from router.contract.checking.allowed import Allowed, may_poll, polls
from router.contract.checking.destinations import of_function, of_mapping
from router.contract.checking.findings import WARNING, Finding, of_route
from router.contract.checking.globs import ANY, holds, may_equal, opened
from router.contract.resources import Resources
from router.contract.targets import targets
from router.env import Env, name_in
from router.routing.route import UNDECLARED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from router.contract.checking.deployed import Delivery, Deployed, Template
    from router.environment.usage import Call
    from router.resolver import Resolver
    from router.routing.route import Route

    Requires = Callable[[Route], Mapping[str, tuple[str, ...]]]

# What a function does itself, or AWS in its name; no route declares it.
_OWN = (
    *("logs:*", "xray:*", "ec2:*NetworkInterface*", "ec2:*PrivateIpAddresses", "execute-api:ManageConnections"),
    *("dynamodb:ListStreams", "iam:PassRole", "kms:*", "kafka:*", "kafka-cluster:*", "lambda:*DurableExecution*"),
    *("secretsmanager:GetSecretValue", "ssm:GetParameter*", "cloudwatch:PutMetricData"),
)


def check_variables(
    template: Template, function: Deployed, routes: Iterable[Route], requires: Requires
) -> Iterator[Finding]:
    """Find variables that routes want and the template does not set."""
    if not function.tells_variables:
        return
    wanted: dict[str, list[Route]] = {}
    for route in routes:
        for name in requires(route):
            wanted.setdefault(name, []).append(route)
        if isinstance(route.match, Env) and route.match.default is None:
            wanted.setdefault(route.match.variable, []).append(route)
    for name, held in wanted.items():
        if name not in function.variables:
            others = f" (so do {len(held) - 1} others)" if len(held) > 1 else ""
            text = f"it wants {name}{others}, which {function.logical} of {template.file} does not set"
            yield of_route("variables", held[0], text)


class Rights:
    """Compare what a function may do with what it needs.

    deliveries: to it. calls: that tests recorded.
    elsewhere: sources that something else than the template may have Lambda poll.
    """

    def __init__(
        self,
        template: Template,
        function: Deployed,
        routes: Iterable[Route],
        resolver: Resolver,
        deliveries: Iterable[Delivery],
        calls: Iterable[Call],
        elsewhere: Iterable[str] = (),
    ) -> None:
        held = list(routes)
        self._template, self._function = template, function
        self._allowed = Allowed(template, function)
        self._needed = [*_needed(template, function, held, resolver, deliveries, calls)]
        self._needed += [
            _Need(action, [ANY], _by_reason(function, action, source), is_sure=False)
            for source in elsewhere
            for action in polls(source)
        ]
        self._are_declared = bool(held) and all(one.requires is not UNDECLARED or one.group_requires for one in held)

    def missing(self) -> Iterator[Finding]:
        """Find operations that no policy of the template allows, and policies that it does not hold."""
        function, file = self._function, self._template.file
        for name in dict.fromkeys(self._allowed.unknown):
            text = f"{function.logical} has {name}, which {file} does not hold: what it allows is not checked"
            yield Finding("policies", text, function.place, WARNING)
        if not self._allowed.unknown:
            yield from _missing(function, self._allowed, self._needed)

    def unused(self, others: Iterable[Rights]) -> Iterator[Finding]:
        """Find actions that are allowed, and that no function with this role needs.

        others: of the application.
        """
        role = self._allowed.role
        sharing = [one for one in others if role is not None and one._allowed.role == role] or [self]
        held = self._template.functions if role is not None else ()
        elsewhere = [one for one in held if self._template.references.logical_of(one.properties.get("Role")) == role]
        if len(elsewhere) <= len(sharing) and all(one._are_declared for one in sharing):
            yield from _unused(self._allowed, [need for one in sharing for need in one._needed])


class _Need:
    """An operation that somebody needs.

    resources: ARNs with `*`. finding: of what is missing. is_sure: whether it is needed in any case.
    """

    def __init__(
        self, action: str, resources: Iterable[str], finding: Callable[[str], Finding], *, is_sure: bool = True
    ) -> None:
        self.action = action
        self.resources = [opened(one) for one in resources]
        self.finding = finding
        self.is_sure = is_sure


def _needed(
    template: Template,
    function: Deployed,
    routes: Iterable[Route],
    resolver: Resolver,
    deliveries: Iterable[Delivery],
    calls: Iterable[Call],
) -> Iterator[_Need]:
    by_label = {str(route): route for route in routes}
    for route in by_label.values():
        for variable, operations in resolver.requires_of(route).items():
            value = template.references.text(function.variables.get(variable, ANY))
            for operation in operations:
                yield _Need(operation, _reached(operation, value), _by_route(route, f"needs {operation} on {variable}"))
    for call in calls:
        if call.route in by_label:
            text = f"calls {call.action}" + (f" on {call.resource}" if call.resource else "")
            finding = _by_route(by_label[call.route], text)
            yield _Need(call.action, _reached(call.action, call.resource or ANY), finding)
    for grant in adapters_of(resolver, by_label.values(), Resources(())):
        for action in grant.actions:
            yield _Need(action, grant.resources, _by_reason(function, action, str(grant.reasons[0])))
    if function.tells_variables:
        wanted = {name: None for route in by_label.values() for name in resolver.requires_of(route)}
        for grant in stores_of(resolver, [name for name in wanted if name not in function.variables], Resources(())):
            for action in grant.actions:
                yield _Need(action, grant.resources, _by_reason(function, action, str(grant.reasons[0])))
    yield from _of_lambda(template, function, deliveries, visibility=resolver._engine.delay is not None)


def _of_lambda(
    template: Template, function: Deployed, deliveries: Iterable[Delivery], *, visibility: bool
) -> Iterator[_Need]:
    """Return what Lambda does in the name of a function: it polls, and hands on what failed.

    visibility: whether the function itself makes messages come again later.
    """
    for delivery in deliveries:
        if delivery.is_mapping and delivery.function in (None, function.logical):
            sure = delivery.function is not None
            again = ["sqs:ChangeMessageVisibility"] if visibility and delivery.source == "sqs" else []
            for action in (*polls(delivery.source), *again):
                yield _Need(action, [ANY], _by_delivery(delivery, action), is_sure=sure)
            for action in may_poll(delivery.source):
                yield _Need(action, [ANY], _by_delivery(delivery, action), is_sure=False)
        for sent in of_mapping(template, delivery):
            yield _Need(sent.action, [sent.resource], _by_delivery(delivery, sent.action))
    for sent in of_function(template, function):
        yield _Need(sent.action, [sent.resource], _by_function(function, sent.action))


def _by_route(route: Route, text: str) -> Callable[[str], Finding]:
    return lambda where: of_route("permissions", route, f"it {text}, and no policy of {where} allows it")


def _by_delivery(delivery: Delivery, action: str) -> Callable[[str], Finding]:
    return lambda where: Finding(
        "permissions",
        f"{delivery.label}: Lambda needs {action} for it, and no policy of {where} allows it",
        delivery.place,
    )


def _by_reason(function: Deployed, action: str, reason: str) -> Callable[[str], Finding]:
    return lambda where: Finding(
        "permissions", f"{reason}: it needs {action}, and no policy of {where} allows it", function.place
    )


def _by_function(function: Deployed, action: str) -> Callable[[str], Finding]:
    return lambda where: Finding(
        "permissions",
        f"no policy of {where} lets events go where they belong after a call ({action})",
        function.place,
    )


def _reached(operation: str, value: str) -> set[str]:
    """Return the ARNs that an operation reaches, when its variable holds a value: a name, a URL or an ARN."""
    if value.startswith("arn:"):
        value = name_in(value) or ANY
    try:
        return targets(operation, None, name_in(value) or ANY)
    except LookupError:
        return {ANY}


def _missing(function: Deployed, allowed: Allowed, needed: Iterable[_Need]) -> Iterator[Finding]:
    # A table without an index needs no permission for one: the ARN of the table itself decides.
    for need in needed:
        wanted = [one for one in need.resources if not one.endswith("/index/*")] or need.resources
        if need.is_sure and not all(allowed.covers(need.action, resource) for resource in wanted):
            yield need.finding(function.logical)


def _unused(allowed: Allowed, needed: list[_Need]) -> Iterator[Finding]:
    for statement in allowed.statements:
        if not statement.is_own:
            continue
        for action in statement.actions:
            lower = action.lower()
            if any(holds(own.lower(), lower) for own in _OWN):
                continue
            if not any(may_equal(lower, need.action.lower()) and _meets(statement.resources, need) for need in needed):
                where = ", ".join(statement.resources[:2])
                yield Finding(
                    "unused-permission",
                    f"{action} on {where} is allowed, and no route declares it",
                    statement.place,
                    WARNING,
                )


def _meets(resources: Iterable[str], need: _Need) -> bool:
    return any(may_equal(one, wanted) for one in resources for wanted in need.resources)
