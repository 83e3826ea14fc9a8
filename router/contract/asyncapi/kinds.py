"""Tell the kinds of channels apart: what their ids begin with, where they are, and how routes name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.contract.declarations import Bus, Stream, Table
from router.contract.interface.reading import identifier
from router.env import Env
from router.event import Source

if TYPE_CHECKING:
    from router.contract.interface.model import Operation
    from router.contract.resources import Resources


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Name a channel.

    kind: what its id begins with. name: as routes have it, perhaps an `Env` or with `*`.
    servers: where it is, ids of `router.contract.asyncapi.servers`.
    """

    kind: str
    name: str
    servers: tuple[str, ...]

    @property
    def wanted_id(self) -> str:
        """Return its id, which another channel may want, too."""
        if self.kind == "websocket":
            return self.kind
        return f"{self.kind}_{identifier(self.name.replace('*', '-any-'))}"

    @property
    def title(self) -> str:
        """Return what readers see: `Queue orders`."""
        name = f"in {self.name.variable}" if isinstance(self.name, Env) else self.name
        return f"{_TITLES[self.kind]} {name}".strip()


_PLAIN = {
    Source.SQS: ("queue", "sqs"),
    Source.SNS: ("topic", "sns"),
    Source.KAFKA: ("kafka", "kafka"),
    Source.ACTIVEMQ: ("activemq", "activemq"),
    Source.RABBITMQ: ("rabbitmq", "rabbitmq"),
    Source.APPSYNC_EVENTS: ("channel", "appsync"),
}
_STREAMS = {Source.DYNAMODB: "dynamodb", Source.KINESIS: "kinesis"}
_TITLES = {
    "activemq": "ActiveMQ destination",
    "bus": "Bus",
    "channel": "Channel",
    "kafka": "Kafka topic",
    "queue": "Queue",
    "rabbitmq": "RabbitMQ queue",
    "stream": "Stream",
    "topic": "Topic",
    "websocket": "WebSocket API",
}
_PUBLISHED = {"queue": "sqs", "topic": "sns"}
SOURCES = frozenset({*_PLAIN, *_STREAMS, Source.WEBSOCKET, Source.EVENTBRIDGE})
"""Sources that bring messages. Calls, requests, schedules and notices are not among them."""


def place_of(operation: Operation, resources: Resources) -> Place:
    """Return the channel that an operation is about."""
    route, source = operation.route, operation.source
    if source is Source.WEBSOCKET:
        return Place("websocket", "", ("websocket",))
    if source is Source.EVENTBRIDGE:
        buses = resources.of(Bus)
        name = "*" if len(buses) > 1 else next((one.name or one.variable for one in buses), "default")
        return Place("bus", name, ("eventbridge",))
    name = _name(route.match, resources)
    if source in _STREAMS:
        return Place("stream", name, tuple(_STREAMS[one] for one in stream_sources(operation, resources)))
    kind, server = _PLAIN[source]
    return Place(kind, name, (server,))


def _name(match: str, resources: Resources) -> str:
    """Return the name of a route; of an `Env` that of the resource which the stack declares for its variable."""
    declared = resources.with_variable(match.variable) if isinstance(match, Env) else None
    return declared.name if declared is not None and declared.name else match


def published_place(kind: str, name: str) -> Place:
    """Return the channel of a typed topic or queue."""
    return Place(kind, name, (_PUBLISHED[kind],))


def stream_sources(operation: Operation, resources: Resources) -> tuple[Source, ...]:
    """Return whose stream a route takes: one source where it says `events=` or the resource is declared, else both."""
    route = operation.route
    if len(route.sources) == 1:
        return route.sources
    declared = [
        source
        for source, kind in ((Source.DYNAMODB, Table), (Source.KINESIS, Stream))
        if resources.named(kind, route.match)
    ]
    return tuple(declared) or (Source.DYNAMODB, Source.KINESIS)
