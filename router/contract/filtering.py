"""Tell what AWS may decline in front of a function: by a mapping, a subscription or the rules of a bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.contract.declarations import Mapped, Queue, Table, Topic
from router.contract.filters import Delivery, PushDown, decided
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.contract.declarations import Resource
    from router.routing.route import Route


@dataclass(frozen=True, slots=True)
class Filtering:
    """Tell what can be declined in front of a function at one place, and whether the template says so.

    place: "mapping", "subscription" or "rule".
    wanted: whether the resource is declared with `filters=True`.
    found: the filters, and why each route is pushed down or stays.
    """

    place: str
    wanted: bool
    found: PushDown

    @property
    def applies(self) -> bool:
        """Whether the template has the filters."""
        return self.wanted and bool(self.found.patterns)


def filterings_of(
    source: Source, resource: Resource, routes: tuple[Route, ...], *, offloaded: bool
) -> tuple[Filtering, ...]:
    """Return what AWS may decline of the records of a resource; nothing where it has no filters.

    source: of its records.
    routes: all routes of the function that take them.
    offloaded: whether the application fetches large bodies from S3.
    """
    if isinstance(resource, Queue):
        topics = topics_of(resource, routes)
        wrapped = bool(topics) and not resource.raw
        plain = decided(source, routes, Delivery(offloaded=offloaded, wrapped=wrapped))
        places = [Filtering("mapping", resource.filters, plain)]
        if not resource.exists and any("*" not in topic for topic in topics):
            published = decided(Source.SNS, routes, Delivery(offloaded=offloaded, wrapped=False))
            places.append(Filtering("subscription", resource.filters, published))
        return tuple(places)
    if isinstance(resource, Topic):
        found = decided(source, routes, Delivery(offloaded=offloaded))
        return (Filtering("subscription", resource.filters, found),)
    if isinstance(resource, Mapped) and not (isinstance(resource, Table) and resource.exists):
        types = _types(resource) if isinstance(resource, Table) else {}
        return (Filtering("mapping", resource.filters, decided(source, routes, Delivery(types, offloaded))),)
    return ()


def topics_of(queue: Queue, routes: Iterable[Route]) -> tuple[str, ...]:
    """Return the names of the topics whose messages a queue gets, those with a wildcard included."""
    return tuple(dict.fromkeys([*queue.topics, *(str(topic) for route in routes for topic in route.topics)]))


def _types(table: Table) -> dict[str, str]:
    """Return the types of attributes that are told, and of keys, which DynamoDB enforces."""
    defined = table.layout.get("AttributeDefinitions")
    keys = (
        {one["AttributeName"]: one["AttributeType"] for one in defined}
        if defined
        else {name: "S" for name in (table.pk, table.sk) if name}
    )
    return {**{name: kind for name, kind in keys.items() if kind == "S"}, **table.types}
