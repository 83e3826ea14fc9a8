"""Note what a stack declares in vain, and what belongs to others and is theirs to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.apis import Api
from router.contract.compute import Task
from router.contract.declarations import Bucket, Bus, Kafka, Queue, Resource, Schedule, Stream, Table, Topic
from router.contract.model import Note, named
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from router.contract.model import Part, Trigger
    from router.contract.resources import Resources
    from router.resolver import Resolver

_FOR_ROUTES = (Queue, Topic, Stream, Kafka, Bus, Schedule, Task)  # a table or bucket may be used by its name alone


def notes_of(
    resolver: Resolver, declared: Iterable[object], resources: Resources, parts: Iterable[Part]
) -> Iterator[Note]:
    """Return notes on the resources that somebody declared.

    resolver: whose routes they are for. resources: of the stack, with those that routes name.
    parts: the functions, with what triggers them.
    """
    held, mine = list(parts), [one for one in declared if isinstance(one, Resource)]
    used = {id(trigger.resource) for part in held for trigger in part.triggers}
    variables = {name for route in resolver.every_route() for name in resolver.requires_of(route)}
    topics = {topic for one in mine if isinstance(one, Queue) for topic in one.topics}
    for one in mine:
        is_named = one.variable in variables or (isinstance(one, Topic) and one.name in topics)
        if isinstance(one, _FOR_ROUTES) and id(one) not in used and not is_named:
            yield Note(f"{one} is declared, and no route takes it, nor does a requires= name its variable")
    for topic in sorted(topics - {one.name for one in resources.of(Topic)}):
        yield Note(f'topic {topic} is nowhere declared: it has to exist, or declare Topic("{topic}")')
    for part in held:
        yield from (note for trigger in part.triggers for note in _of_others(trigger))


def _of_others(trigger: Trigger) -> Iterator[Note]:
    """Note what the owner of a resource has to do, since a template changes nothing that is not its own."""
    resource, route = trigger.resource, named(trigger.routes[0])
    if not resource.exists:
        return
    if isinstance(resource, Bucket):
        yield Note(
            f"{resource} belongs to somebody else: have its notifications call the function, as permitted", route
        )
    elif isinstance(resource, Table):
        text = f"{resource} belongs to somebody else, and its stream has the moment in its ARN: add the mapping by hand"
        yield Note(text, route)
    elif isinstance(resource, Schedule):
        yield Note(f"{resource} belongs to somebody else: have it call the function, as permitted", route)
    elif isinstance(resource, Api):
        yield Note(f"{resource} belongs to somebody else: add its routes and the permission by hand", route)


def sources_of_others(declared: Iterable[object]) -> set[str]:
    """Return the sources whose events may be brought by something that a template does not hold."""
    found: set[Source] = set()
    for one in declared:
        if not isinstance(one, Resource) or not one.exists:
            continue
        found |= {
            source
            for kind, source in ((Bucket, Source.S3), (Table, Source.DYNAMODB), (Schedule, Source.SCHEDULE))
            if isinstance(one, kind)
        }
        if isinstance(one, Api):
            found |= {Source.HTTP, Source.WEBSOCKET}
    return {str(source.value) for source in found}
