"""Gather the channels of a document with their messages, and write them once all of them are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.contract.asyncapi.bindings import channel_bindings, socket_bindings
from router.contract.asyncapi.dialect import as_07
from router.contract.asyncapi.kinds import Place
from router.contract.asyncapi.messages import JSON
from router.contract.asyncapi.naming import address_of, channel_address, distinct
from router.contract.asyncapi.samples import NONE, example_of, plain_values
from router.contract.asyncapi.security import schemes_of
from router.contract.asyncapi.servers import Servers
from router.contract.asyncapi.sessions import correlation_id, header_schemas
from router.contract.schemas import Schemas, asked_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.contract.asyncapi.messages import Shape
    from router.contract.interface.model import Interface, Operation
    from router.contract.resources import Resources

_SERVERS_WITH_HEADERS = frozenset({"activemq", "kafka", "rabbitmq", "sns", "sqs"})


class _Channel:
    """A channel with what is known of it so far.

    place: where it is. shapes: its messages by the text that tells them apart.
    sessions: for each operation that receives, whether it asks for a session.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.shapes: dict[str, Shape] = {}
        self.sessions: list[bool] = []

    def settle(self) -> dict[str, Shape]:
        """Return its messages; one of unknown payload only where no other says what it is."""
        typed = {one.key for one in self.shapes.values() if one.is_typed}
        return {text: one for text, one in self.shapes.items() if one.is_typed or one.key not in typed}

    def texts_of(self, shape: Shape) -> list[str]:
        """Return which of its messages a shape is: itself, or all with its key where it says nothing of the payload."""
        settled = self.settle()
        return [shape.text] if shape.text in settled else [t for t, one in settled.items() if one.key == shape.key]


class Channels:
    """The channels of a document.

    interface: of the application. resources: that its stack declares.
    receiving: the operations whose messages are in the document.
    """

    def __init__(self, interface: Interface, resources: Resources, receiving: Iterable[Operation]) -> None:
        self.interface = interface
        self.resources = resources
        self.schemas = Schemas(expected=asked_for(receiving))
        self.servers = Servers(interface.info.servers, resources)
        self.policy = interface.resolver._engine.policy
        self._held: dict[tuple[str, str], _Channel] = {}
        self._connect: Operation | None = None
        self._resolver = interface.resolver
        self._security: dict[str, dict[str, Any]] = {}
        self._ids: dict[Any, str] = {}
        self._message_ids: dict[tuple[str, str], dict[Any, str]] = {}
        self._header_ids: dict[str, str] = {}
        self._components: dict[str, Any] = {}

    # ---- gathering -------------------------------------------------------------------------------------------------

    def at(self, place: Place) -> _Channel:
        """Return a channel, made when it is not there yet. Two routes may know different servers of one stream."""
        found = self._held.setdefault((place.kind, str(place.name)), _Channel(place))
        if len(place.servers) < len(found.place.servers):
            found.place = place
        return found

    def connect(self, operation: Operation) -> None:
        """Take in what clients send when they open a WebSocket."""
        self._connect = operation
        self._security = schemes_of(operation, self._resolver)
        self.servers.secure(self._security)
        self.at(Place("websocket", "", ("websocket",)))

    # ---- references ------------------------------------------------------------------------------------------------

    def reference(self, channel: _Channel) -> dict[str, str]:
        """Return the reference to a channel. Only after `all`."""
        return {"$ref": f"#/channels/{self._ids[_key(channel)]}"}

    def messages(self, channel: _Channel, shapes: list[Shape]) -> list[dict[str, str]]:
        """Return the references to messages of a channel. Only after `all`."""
        texts = dict.fromkeys(text for one in shapes for text in channel.texts_of(one))
        ids = self._message_ids[_key(channel)]
        base = self.reference(channel)["$ref"]
        return [{"$ref": f"{base}/messages/{name}"} for name in sorted(ids[text] for text in texts)]

    # ---- writing ---------------------------------------------------------------------------------------------------

    def all(self) -> dict[str, Any]:
        """Return all channels, by id."""
        self._ids = distinct(
            {key: (one.place.wanted_id, f"{one.place.kind} {one.place.name}") for key, one in self._held.items()}
        )
        socket = self._socket_bindings()
        self._components = {name: as_07(one) for name, one in self.schemas.components().items()}
        self._name_headers()
        by_id = sorted((self._ids[key], one) for key, one in self._held.items())
        return {name: self._written(one, socket) for name, one in by_id}

    def components(self) -> dict[str, Any]:
        """Return what is referred to. Only after `all`."""
        made: dict[str, Any] = {"schemas": {name: self._components[name] for name in sorted(self._components)}}
        if self._header_ids:
            made["correlationIds"] = {"session": correlation_id(self.policy)}
        made["securitySchemes"] = self._security
        return {name: one for name, one in made.items() if one}

    def _name_headers(self) -> None:
        """Take in the schemas of headers, under names that no model has."""
        if not any(_SERVERS_WITH_HEADERS.intersection(one.place.servers) for one in self._held.values()):
            return
        for name, schema in header_schemas(self.policy).items():
            free = name
            while free in self._components:
                free += "_header"
            self._header_ids[name] = free
            self._components[free] = schema

    def _written(self, channel: _Channel, socket: dict[str, Any]) -> dict[str, Any]:
        place = channel.place
        address, parameters = self._address(place)
        shapes = channel.settle()
        ids = distinct({text: (one.wanted_id, text) for text, one in shapes.items()})
        self._message_ids[_key(channel)] = ids
        made: dict[str, Any] = {"address": address, "title": place.title}
        if place.kind == "websocket" and self._connect is not None:
            made["description"] = "\n\n".join(
                part for part in (self._connect.summary, self._connect.description) if part
            )
        if parameters:
            made["parameters"] = parameters
        made["servers"] = self.servers.references(place)
        by_id = sorted((ids[text], one) for text, one in shapes.items())
        made["messages"] = {name: self._message(channel, one) for name, one in by_id}
        bindings = socket if place.kind == "websocket" else channel_bindings(place, address, self.resources)
        if bindings:
            made["bindings"] = bindings
        return {name: one for name, one in made.items() if one or name == "messages"}

    def _address(self, place: Place) -> tuple[str, dict[str, Any]]:
        if place.kind == "websocket":
            return "/", {}
        if place.kind == "channel":
            return channel_address(place.name)
        if place.kind == "bus" and place.name == "*":
            from router.contract.declarations import Bus

            names = sorted(one.name or one.variable for one in self.resources.of(Bus))
            return "{bus}", {"bus": {"description": "One of the buses.", "enum": names}}
        return address_of(place.name)

    def _message(self, channel: _Channel, shape: Shape) -> dict[str, Any]:
        made: dict[str, Any] = {"name": shape.name, "title": shape.title or shape.name}
        description = shape.description
        if channel.place.kind == "bus":
            session = f"The session of the sender, if there is one, is in `detail.metadata.{self.policy.attribute}`."
            description = "\n\n".join(part for part in (description, session) if part)
        if description:
            made["description"] = description
        if shape.content_type != JSON:
            made["contentType"] = shape.content_type
        headers = self._headers(channel, shape)
        if headers:
            made["headers"] = headers
        if self._has_headers(channel):
            made["correlationId"] = {"$ref": "#/components/correlationIds/session"}
        if shape.payload is not None:
            made["payload"] = shape.payload
        examples = self._examples(shape)
        if examples:
            made["examples"] = [{"payload": one} for one in examples]
        if shape.bindings:
            made["bindings"] = shape.bindings
        return made

    def _has_headers(self, channel: _Channel) -> bool:
        return not _SERVERS_WITH_HEADERS.isdisjoint(channel.place.servers)

    def _headers(self, channel: _Channel, shape: Shape) -> dict[str, Any]:
        properties = dict(shape.headers)
        required = sorted(shape.headers)
        if self._has_headers(channel):
            properties |= {name: {"$ref": f"#/components/schemas/{free}"} for name, free in self._header_ids.items()}
            required += [self.policy.attribute] if channel.sessions and all(channel.sessions) else []
        if not properties:
            return {}
        return {"type": "object", **({"required": required} if required else {}), "properties": properties}

    def _examples(self, shape: Shape) -> list[Any]:
        if shape.examples or shape.payload is None or "schemaFormat" in shape.payload:
            return list(shape.examples)
        found = example_of(shape.payload, self._components)
        return [] if found is NONE else [found]

    def _socket_bindings(self) -> dict[str, Any]:
        return socket_bindings(self._sent("query"), self._sent("header"))

    def _sent(self, place: str) -> dict[str, Any] | None:
        """Return the schema of what a client sends in one place when it connects; None for nothing."""
        connect = self._connect
        told = [one for one in connect.parameters if one.place == place] if connect is not None else []
        if connect is None or not told:
            return None
        properties = {}
        for one in told:
            schema = as_07(self.schemas.of(one.annotation, f"{connect.where}, the parameter {one.name}"))
            beside: dict[str, Any] = {"description": one.description} if one.description else {}
            if not one.required and one.default is not None:
                beside |= dict(zip(["default"], plain_values([one.default]), strict=True))
            if one.examples:
                beside["examples"] = plain_values(one.examples)
            properties[one.name] = as_07({**schema, **beside})
        required = [one.name for one in told if one.required]
        return {"type": "object", **({"required": required} if required else {}), "properties": properties}


def _key(channel: _Channel) -> tuple[str, str]:
    return channel.place.kind, str(channel.place.name)
