"""From routes to what triggers them: a mapping for a queue, a rule for a bus, an API for paths."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, TypeVar

from router.contract.apis import Api, FunctionUrl, HttpApi, RestApi, WebSocketApi
from router.contract.checks import printable
from router.contract.compute import Task
from router.contract.declarations import Bucket, Bus, Kafka, Queue, Resource, Schedule, Stream, Table, Topic
from router.contract.filtering import Filtering, filterings_of
from router.contract.model import Note, Trigger, named
from router.contract.notifications import notifications_of
from router.contract.rules import rules_of
from router.env import Env
from router.errors import ConfigurationError
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from router.contract.compute import Function
    from router.contract.model import Part
    from router.contract.resources import Resources
    from router.routing.route import Route

R = TypeVar("R", bound=Resource)

# What somebody calls, or starts: nothing of the template brings it.
_CALLED = frozenset({Source.INVOKE, Source.TOOL, Source.AUTHORIZER})
_MAPPED = (Queue, Stream, Table, Kafka)
_ALONE = (*_MAPPED, Bucket)  # each of them has one function


class Triggers:
    """Finds the triggers of functions.

    resources: of the stack; those that routes name and nobody declared are added.
    problems: takes what cannot be told, with the route that asks for it.
    offloaded: whether the application fetches large bodies from S3.
    """

    def __init__(self, resources: Resources, problems: list[str], *, offloaded: bool = False) -> None:
        self._resources = resources
        self._problems = problems
        self._offloaded = offloaded
        self.notes: list[Note] = []

    def of(self, function: Function, routes: Iterable[Route]) -> tuple[Trigger, ...]:
        """Return the triggers of a function, in the order of its routes."""
        by_resource: dict[tuple[Source, int], list[Route]] = {}
        found: dict[tuple[Source, int], Resource] = {}
        routes = tuple(routes)
        # A name with a wildcard stands for all resources of the function, also those that later routes name.
        brought = {route: self._brought_by(route) for route in sorted(routes, key=lambda route: "*" in route.match)}
        for route in routes:
            for source, resource in brought[route]:
                key = (source, id(resource))
                found[key] = resource
                by_resource.setdefault(key, []).append(route)
        made = tuple(self._trigger(key[0], found[key], tuple(held)) for key, held in by_resource.items())
        if function.tenant_isolation:
            self._refuse_tenants(function, made)
        return made

    def refuse_shared(self, parts: Iterable[Part]) -> None:
        """Note each queue, stream or bucket that two functions want: one of them would miss what the other takes."""
        owners: dict[int, tuple[Part, Trigger]] = {}
        for part in parts:
            for trigger in part.triggers:
                if not isinstance(trigger.resource, _ALONE):
                    continue
                first, other = owners.setdefault(id(trigger.resource), (part, trigger))
                if first is not part:
                    self._problems.append(
                        f"{trigger.resource} has one function, and two want it: {first.name} with "
                        f"{named(other.routes[0])}, {part.name} with {named(trigger.routes[0])}"
                    )

    # ---- by source -------------------------------------------------------------------------------------------------

    def _brought_by(self, route: Route) -> list[tuple[Source, Resource]]:
        """Return what brings the events of a route, with the source of each."""
        if route.methods:
            return self._requests(route)
        first = route.sources[0]
        if first in _CALLED:
            return []
        if first is Source.WEBSOCKET:
            apis = self._resources.of(WebSocketApi) or [self._resources.add(WebSocketApi())]
            return [(first, api) for api in apis]
        if first in (Source.DYNAMODB, Source.KINESIS):
            return self._streams(route)
        find = _BY_SOURCE.get(first)
        if find is None:
            self.notes.append(
                Note(
                    f"the template has no trigger for {first.value}: add it by hand, or to your own template",
                    named(route),
                )
            )
            return []
        return [(first, one) for one in find(self, route)]

    def _requests(self, route: Route) -> list[tuple[Source, Resource]]:
        apis: list[Api] = [*self._resources.of(HttpApi), *self._resources.of(RestApi), *self._resources.of(FunctionUrl)]
        if not apis:
            apis = [self._resources.add(HttpApi())]
        kinds: list[tuple[Source, type[Api]]] = [
            (Source.HTTP, HttpApi),
            (Source.REST, RestApi),
            (Source.URL, FunctionUrl),
        ]
        return [
            (source, api) for api in apis for source, kind in kinds if isinstance(api, kind) and source in route.sources
        ]

    def _streams(self, route: Route) -> list[tuple[Source, Resource]]:
        found: list[tuple[Source, Resource]] = [
            (source, one)
            for source, kind in ((Source.DYNAMODB, Table), (Source.KINESIS, Stream))
            if source in route.sources
            for one in self._resources.named(kind, route.match)
        ]
        if found or not self._is_one(route):
            return found
        if len(route.sources) > 1:
            self._problems.append(
                f"{named(route)}: whose stream is {printable(route.match)}? Declare Table({route.match!r}) or "
                f"Stream({route.match!r})"
            )
            return []
        kind = Table if route.sources[0] is Source.DYNAMODB else Stream
        return [(route.sources[0], one) for one in self._made(kind, route, route.match)]

    def _some(self, kind: type[R], route: Route) -> list[R]:
        """Return the declared resources that a route names; or one made of its name."""
        found = self._resources.named(kind, route.match)
        if found or not self._is_one(route):
            return found
        return self._made(kind, route, route.match)

    def _queues(self, route: Route) -> list[Queue]:
        found = self._some(Queue, route)
        for topic in route.topics:
            if "*" not in topic and not self._resources.named(Topic, topic):
                self._made(Topic, route, topic)
        return found

    def _declared(self, kind: type[R], route: Route, example: str) -> list[R]:
        """Return the resources that a route names; note a problem where there are none, since a name is not enough."""
        found = self._resources.named(kind, route.match)
        if not found and self._is_one(route):
            what = route.match.variable if isinstance(route.match, Env) else route.match
            self._problems.append(f"{named(route)}: declare it, such as {example.format(dumps(str(what)))}")
        return found

    def _schedules(self, route: Route) -> list[Schedule]:
        return self._declared(Schedule, route, 'Schedule({}, "rate(1 day)")')

    def _kafka(self, route: Route) -> list[Kafka]:
        return self._declared(Kafka, route, 'Kafka({}, cluster="arn:aws:kafka:...")')

    def _topics(self, route: Route) -> list[Topic]:
        return self._some(Topic, route)

    def _buckets(self, route: Route) -> list[Bucket]:
        return self._some(Bucket, route)

    def _tasks(self, route: Route) -> list[Task]:
        return self._some(Task, route)

    def _buses(self, route: Route) -> list[Bus]:
        return self._resources.of(Bus) or [self._resources.add(Bus("default", exists=True))]

    def _is_one(self, route: Route) -> bool:
        """Whether the name of a route is that of one resource; of a pattern that takes none, the notes tell."""
        if "*" not in route.match or isinstance(route.match, Env):
            return True
        self.notes.append(
            Note(f"{printable(route.match)} names nothing that is declared: declare what triggers it", named(route))
        )
        return False

    def _made(self, kind: type[R], route: Route, name: str) -> list[R]:
        """Return a resource of a route's name; note a problem, and return none, where AWS takes no such name."""
        try:
            made = kind(variable=name.variable) if isinstance(name, Env) else kind(str(name))
        except ConfigurationError as error:
            self._problems.append(f"{named(route)}: {error}")
            return []
        return [self._resources.add(made)]

    # ---- what each needs beside its name -----------------------------------------------------------------------------

    def _trigger(self, source: Source, resource: Resource, routes: tuple[Route, ...]) -> Trigger:
        if isinstance(resource, Bucket):
            return Trigger(source, resource, routes, notifications=notifications_of(routes))
        if isinstance(resource, Kafka):
            self._check_topic(resource, routes)
        rules: tuple[Mapping[str, object], ...] = ()
        if isinstance(resource, Bus):
            rules, found = rules_of(routes, filters=resource.filters)
            filters: tuple[Filtering, ...] = (Filtering("rule", resource.filters, found),)
        else:
            filters = filterings_of(source, resource, routes, offloaded=self._offloaded)
        if any(one.wanted for one in filters) and not any(one.applies for one in filters):
            self.notes.append(Note(f"filters=True does nothing: {_first_why(filters)}", str(resource)))
        return Trigger(source, resource, routes, rules=rules, filters=filters)

    def _check_topic(self, topic: Kafka, routes: tuple[Route, ...]) -> None:
        """Note routes that want one mapping in two ways, or in one that its cluster has not."""
        first = routes[0]
        other = next((route for route in routes if route.partial is not first.partial), None)
        if other is not None:
            self._problems.append(
                f"{named(first)}, {named(other)}: {topic} has one mapping, and partial=True stands on one of them alone"
            )
        if first.queue and topic.cluster:
            self._problems.append(
                f"{named(first)}: queue=True is for servers= of one's own: Amazon MSK has no such mode"
            )

    def _refuse_tenants(self, function: Function, triggers: Iterable[Trigger]) -> None:
        """Refuse what calls a function with tenant isolation and cannot name the tenant.

        AWS Lambda Developer Guide, "Invoking Lambda functions with tenant isolation": REST APIs and direct calls alone.
        """
        for trigger in triggers:
            route, begin = named(trigger.routes[0]), f"{function.name} has tenant isolation, and"
            if isinstance(trigger.resource, RestApi):
                why = f"{begin} the template maps no tenant: have the REST API send the header X-Amz-Tenant-Id"
                self.notes.append(Note(why, route))
                continue
            if isinstance(trigger.resource, Task):
                continue
            what = "event source mapping" if isinstance(trigger.resource, _MAPPED) else f"{trigger.resource}"
            can = f"no {what} can call" if isinstance(trigger.resource, _MAPPED) else f"{what} names no tenant to"
            self._problems.append(f"{route}: {begin} {can} such a function: give the route one of its own")


def _first_why(filters: tuple[Filtering, ...]) -> str:
    """Return the first reason that keeps filters from a resource, with the route that it is about."""
    told = [one for filtering in filters for one in filtering.found.routes]
    return next(one for one in told if one.kept_by is None).reason


_BY_SOURCE: dict[Source, Callable[[Triggers, Route], Iterable[Resource]]] = {
    Source.SQS: Triggers._queues,
    Source.SNS: Triggers._topics,
    Source.S3: Triggers._buckets,
    Source.EVENTBRIDGE: Triggers._buses,
    Source.SCHEDULE: Triggers._schedules,
    Source.KAFKA: Triggers._kafka,
    Source.TASK: Triggers._tasks,
}
