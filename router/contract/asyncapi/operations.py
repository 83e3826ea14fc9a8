"""Gather who receives and who sends messages, and write it once all channels are known."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from router.contract.asyncapi.bindings import receiving_bindings, sending_bindings
from router.contract.asyncapi.kinds import place_of, published_place
from router.contract.asyncapi.messages import Shape, name_of, schema_of, shape_of
from router.contract.asyncapi.naming import address_of, distinct
from router.contract.asyncapi.replies import replies_of
from router.contract.asyncapi.sessions import WITH_HEADERS, required_of
from router.contract.interface.reading import identifier
from router.errors import ConfigurationError
from router.event import Source

if TYPE_CHECKING:
    from router.contract.asyncapi.channels import Channels, _Channel
    from router.contract.interface.model import Operation
    from router.routing.options import Published

_VERBS = {"queue": "send", "topic": "publish"}
_REPLYING = (Source.WEBSOCKET, Source.APPSYNC_EVENTS)


@dataclass(slots=True)
class _Received:
    """One operation that receives: of which channel, its message, and what it answers."""

    operation: Operation
    channel: _Channel
    shape: Shape | None
    replies: list[Shape] = field(default_factory=list)


@dataclass(slots=True)
class _Sent:
    """Collect what routes send to one channel."""

    channel: _Channel
    shapes: list[Shape] = field(default_factory=list)
    by: list[Operation] = field(default_factory=list)


class Operations:
    """The operations of a document. channels: where they send and receive."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._received: list[_Received] = []
        self._sent: dict[tuple[str, str], _Sent] = {}
        self._models: dict[tuple[str, str], list[tuple[Any, Shape]]] = {}

    def receive(self, operation: Operation) -> None:
        """Take in an operation that receives messages, or, of an Event API, lets clients listen."""
        place = place_of(operation, self._channels.resources)
        channel = self._channels.at(place)
        if operation.source is Source.APPSYNC_EVENTS and operation.route.events == ("SUBSCRIBE",):
            self._received.append(_Received(operation, channel, None))
            return
        shape = shape_of(operation, self._channels.schemas, self._channels.resources)
        channel.shapes[shape.text] = shape
        channel.sessions.append(_asks(operation, self._channels))
        replies = list(replies_of(operation, self._channels.schemas)) if operation.source in _REPLYING else []
        # A handler that answers with the model it took: one message, since both look alike.
        replies = [shape if one.payload == shape.payload and one.is_typed else one for one in replies]
        channel.shapes |= {one.text: one for one in replies}
        self._received.append(_Received(operation, channel, shape, replies))
        if operation.payload is not None and shape.is_typed:
            held = self._models.setdefault((place.kind, str(place.name)), [])
            held.append((operation.payload.annotation, shape))

    def publish(self, operation: Operation) -> None:
        """Take in what a route publishes.

        Raises:
            ConfigurationError: the name of a topic or queue cannot be told, or its model has no schema.
        """
        for target in operation.route.publishes:
            name = _name_of(target, operation)
            place = published_place(target.kind, name)
            key = (place.kind, str(place.name))
            sent = self._sent.setdefault(key, _Sent(self._channels.at(place)))
            sent.by.append(operation)
            shape = self._shape_of(target, key, operation)
            sent.channel.shapes[shape.text] = shape
            sent.shapes.append(shape)

    def _shape_of(self, target: Published, key: tuple[str, str], operation: Operation) -> Shape:
        """Return the message of a typed topic or queue: the one that routes receive there, where it is the same."""
        known = self._models.setdefault(key, [])
        found = next((shape for annotation, shape in known if annotation is target.model), None)
        if found is not None:
            return found
        where = f"{operation.where}, what it sends to the {target.kind} {key[1]}"
        schema = schema_of(target.model, self._channels.schemas, where, output=True)
        shape = Shape(name_of(target.model, key[1]), payload=schema, is_typed=schema is not None)
        known.append((target.model, shape))
        return shape

    # ---- writing ---------------------------------------------------------------------------------------------------

    def all(self) -> dict[str, Any]:
        """Return all operations, by id. Only after `Channels.all`.

        Raises:
            ConfigurationError: a route has the name of what is sent; it names both.
        """
        made = {one.operation.name: self._receiving(one) for one in self._received}
        names = distinct({key: (f"{_VERBS[key[0]]}_{identifier(key[1])}", " ".join(key)) for key in self._sent})
        by_name = {one.operation.name: one.operation for one in self._received}
        for key, one in self._sent.items():
            name = names[key]
            if name in made:
                raise ConfigurationError(
                    f"{by_name[name].where} is named {name!r}, and so is what {one.by[0].where} sends to the {key[0]} "
                    f"{key[1]}; give the route another name="
                )
            made[name] = self._sending(key, one)
        return {name: made[name] for name in sorted(made)}

    def _receiving(self, one: _Received) -> dict[str, Any]:
        operation, channel = one.operation, one.channel
        listens = one.shape is None
        shapes = [one.shape] if one.shape is not None else self._forwarded(channel)
        made: dict[str, Any] = {
            "action": "send" if listens else "receive",
            "channel": self._channels.reference(channel),
            "summary": operation.summary,
            "description": _prose(operation, self._channels),
            "tags": [{"name": name} for name in operation.tags],
            "messages": self._channels.messages(channel, shapes),
            "bindings": receiving_bindings(channel.place, self._channels.resources),
        }
        if one.replies:
            made["reply"] = {
                "channel": self._channels.reference(channel),
                "messages": self._channels.messages(channel, one.replies),
            }
        if operation.deprecated:
            made["x-deprecated"] = True
        return {name: value for name, value in made.items() if value}

    def _forwarded(self, channel: _Channel) -> list[Shape]:
        """Return what those who listen to a channel of an Event API get: what its routes make of each event."""
        found: list[Shape] = []
        for one in self._received:
            if one.channel is channel and one.shape is not None:
                found += one.replies or [one.shape]
        return found

    def _sending(self, key: tuple[str, str], one: _Sent) -> dict[str, Any]:
        by = sorted({str(operation.route) for operation in one.by})
        address, _ = address_of(key[1])
        tags = sorted({name for operation in one.by for name in operation.tags})
        made = {
            "action": "send",
            "channel": self._channels.reference(one.channel),
            "summary": f"Send to the {key[0]} {key[1]}",
            "description": f"Sent by {', '.join(f'`{text}`' for text in by)}.",
            "tags": [{"name": name} for name in tags],
            "messages": self._channels.messages(one.channel, one.shapes),
            "bindings": sending_bindings(one.channel.place, address, self._channels.resources),
        }
        return {name: value for name, value in made.items() if value}


def _prose(operation: Operation, channels: Channels) -> str:
    """Return the description of an operation: its docstring, and what its route asks for."""
    route = operation.route
    parts = ["Deprecated." if operation.deprecated else "", operation.description]
    if route.pattern is not None:
        text = json.dumps(route.pattern, indent=2, sort_keys=True, ensure_ascii=False)
        parts.append(f"Takes what fits the pattern:\n\n```json\n{text}\n```")
    if _asks(operation, channels):
        fields = " and ".join(f"a {field}" for field in required_of(route, channels.policy))
        parts.append(f"The session has to have {fields}.")
    return "\n\n".join(part for part in parts if part)


def _asks(operation: Operation, channels: Channels) -> bool:
    """Return whether a message needs a session."""
    if operation.route.require is not None:
        return bool(operation.route.require)
    return operation.source in (*WITH_HEADERS, Source.EVENTBRIDGE) and bool(channels.policy.require)


def _name_of(target: Published, operation: Operation) -> str:
    try:
        return target.route
    except Exception as error:
        raise ConfigurationError(f"{operation.where}, publishes=: {error}") from None
