"""What functions may do: what `requires=` names, and what their triggers need. Nothing with `*` that has a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.adapters import adapters_of
from router.contract.declarations import Queue, Table
from router.contract.model import Grant, Reason, merged, named, place_of
from router.contract.names import arn
from router.contract.targets import targets
from router.contract.variables import parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from router.contract.model import Trigger
    from router.contract.resources import Resources
    from router.resolver import Resolver
    from router.routing.route import Route

# What Lambda's pollers ask for in the name of the function, as its managed policies for execution have it.
_POLLS = {
    "queue": ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
    "stream": (
        *("kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords"),
        *("kinesis:GetShardIterator", "kinesis:ListShards"),
    ),
    "table": ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
}
_MSK = ("kafka-cluster:Connect", "kafka-cluster:DescribeTopic", "kafka-cluster:ReadData")


def grants_of(
    resolver: Resolver,
    routes: Iterable[Route],
    triggers: Iterable[Trigger],
    resources: Resources,
    problems: list[str],
) -> tuple[Grant, ...]:
    """Return what a function may do.

    resolver: whose routes they are.
    routes, triggers: of the function.
    resources: of the stack.
    problems: takes what cannot be told, with the route that asks for it.
    """
    held = list(routes)
    found = [grant for trigger in triggers for grant in _of_trigger(resolver, trigger)]
    found += adapters_of(resolver, held, resources)
    for route in held:
        for variable, operations in resolver.requires_of(route).items():
            if operations:
                found += _required(route, variable, operations, resources, problems)
    return merged(found)


def _of_trigger(resolver: Resolver, trigger: Trigger) -> Iterator[Grant]:
    resource, kind = trigger.resource, trigger.resource.kind
    reason = tuple(Reason(f"reads {resource}", named(route)) for route in trigger.routes)
    if kind not in _POLLS:
        return
    where = f"{arn(resource)}/stream/*" if isinstance(resource, Table) else arn(resource)
    actions = _POLLS[kind]
    if isinstance(resource, Queue) and resolver._engine.delay is not None:
        actions += ("sqs:ChangeMessageVisibility",)
    yield Grant(tuple(sorted(actions)), (where,), reason)
    if isinstance(resource, Table):
        yield Grant(("dynamodb:ListStreams",), ("*",), reason)  # IAM knows no resource for it


def _required(
    route: Route, variable: str, operations: Iterable[str], resources: Resources, problems: list[str]
) -> Iterator[Grant]:
    reason = Reason(f"requires={{{variable!r}: ...}}", str(route), place_of(route))
    resource = resources.with_variable(variable)
    for operation in operations:
        service = operation.partition(":")[0]
        try:
            found = targets(operation, resource, "${" + parameter(variable) + "}")
        except LookupError as error:
            problems.append(f"{named(route)}: {operation} for {variable}: {error.args[0]}")
            continue
        yield Grant((operation,), tuple(sorted(found)), (reason,))
        if service == "ecs" and operation == "ecs:RunTask":
            yield Grant(
                ("iam:PassRole",),
                ("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-task*",),
                (reason,),
                {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            )
