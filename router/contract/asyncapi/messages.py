"""Read from an operation what its message is like: its payload in the form that its source delivers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from router.contract.apis import WebSocketApi
from router.contract.asyncapi.decoded import decoded_payload
from router.contract.asyncapi.dialect import as_07
from router.contract.asyncapi.kinds import stream_sources
from router.contract.asyncapi.samples import plain_values
from router.contract.interface.model import NOTHING
from router.contract.interface.reading import identifier
from router.convert.kinds import plain
from router.env import Env
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.contract.interface.model import Operation
    from router.contract.resources import Resources
    from router.contract.schemas import Schemas
    from router.routing.route import Route

JSON = "application/json"
_BODY = "$request.body."
_SPECIAL = frozenset(".^$*+?()[]{}|\\")


@dataclass(frozen=True, slots=True)
class Shape:
    """Describe a message, as one route takes it.

    name: what it is called: the model, the route key, the detail type. label: for its id, where that is another text.
    key: what tells it from other messages of its channel, on the wire; "" where only its payload does.
    payload: its schema; None where nothing is known of it.
    is_typed: whether a model says what is in it.
    content_type: of the payload. examples: payloads. headers: beside those of the session.
    """

    name: str
    key: str = ""
    payload: dict[str, Any] | None = None
    is_typed: bool = False
    content_type: str = JSON
    title: str = ""
    description: str = ""
    examples: tuple[Any, ...] = ()
    label: str = ""
    headers: dict[str, Any] = field(default_factory=dict)
    bindings: dict[str, Any] = field(default_factory=dict)

    @property
    def wanted_id(self) -> str:
        """Return its id, which another message of the channel may want, too."""
        return identifier((self.label or self.name).replace("*", "-any-"))

    @property
    def text(self) -> str:
        """Return what tells it from all others of its channel."""
        return f"{self.key}\n{self.name}\n{self.payload}\n{self.description}"


def shape_of(operation: Operation, schemas: Schemas, resources: Resources) -> Shape:
    """Return the message that an operation receives.

    Raises:
        ConfigurationError: a type has no schema.
    """
    return _BY_SOURCE.get(operation.source, _of_record)(operation, schemas, resources)


def schema_of(annotation: Any, schemas: Schemas, where: str, *, output: bool = False) -> dict[str, Any] | None:
    """Return the schema of a payload; None where nobody said its type."""
    if annotation is NOTHING or annotation is None or annotation is Any:
        return None
    made: dict[str, Any] = as_07(schemas.of(annotation, where, output=output))
    return made or None


def name_of(annotation: Any, otherwise: str) -> str:
    """Return what a message of a type is called: the model; else the given name."""
    kind = plain(annotation)
    is_class = isinstance(kind, type) and kind.__module__ != "builtins"
    return kind.__name__ if is_class else otherwise


def _of_record(operation: Operation, schemas: Schemas, resources: Resources) -> Shape:
    """Return the message of a queue, a topic or a channel, which is the body itself."""
    payload = operation.payload
    if payload is None:
        return Shape(operation.name)
    schema = schema_of(payload.annotation, schemas, f"{operation.where}, the message")
    return Shape(
        name_of(payload.annotation, operation.name),
        payload=schema,
        is_typed=schema is not None,
        content_type=payload.media_types[0],
        description=payload.description,
        examples=tuple(plain_values(payload.examples)),
    )


def _of_kafka(operation: Operation, schemas: Schemas, resources: Resources) -> Shape:
    """Return the record of a topic, in the format that its decoder reads."""
    bindings = {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}}
    decoded = decoded_payload(operation.route.decoder)
    if decoded is not None:
        return Shape(
            decoded.name,
            payload=decoded.payload,
            is_typed=True,
            content_type=decoded.content_type,
            description=decoded.description,
            bindings=bindings,
        )
    found = _of_record(operation, schemas, resources)
    if operation.route.decoder is not None:  # of the application: only it knows the bytes
        return Shape(found.name, content_type="application/octet-stream", bindings=bindings)
    return replace(found, bindings=bindings)


def _of_stream(operation: Operation, schemas: Schemas, resources: Resources) -> Shape:
    """Return the record of a stream: the item of a table, or the data of Kinesis."""
    found = _of_record(operation, schemas, resources)
    if stream_sources(operation, resources) != (Source.DYNAMODB,):
        return found
    events = operation.route.events or ("INSERT", "MODIFY", "REMOVE")
    told = operation.route.events
    return replace(
        found,
        name="_".join((found.name, *(one.lower() for one in told))),
        key=",".join(told),
        title=f"{found.name}: {', '.join(told)}" if told else found.name,
        description=_told(
            found.description,
            "The item after the change, or before it where it was removed; the record has both as far as the view of "
            "the stream holds them, with the type of each attribute.",
        ),
        headers={"eventName": {"type": "string", "enum": list(events), "description": "What happened to the item."}},
    )


def _of_bus(operation: Operation, schemas: Schemas, resources: Resources) -> Shape:
    """Return the event of a bus, whose detail the handler takes."""
    route, found = operation.route, _of_record(operation, schemas, resources)
    detail = found.payload or {}
    payload = {
        "type": "object",
        "required": ["detail-type", "source", "detail"],
        "properties": {
            "version": {"type": "string"},
            "id": {"type": "string"},
            "detail-type": _named(route.match),
            "source": _named(route.bus_source or "*"),
            "account": {"type": "string"},
            "time": {"type": "string", "format": "date-time"},
            "region": {"type": "string"},
            "resources": {"type": "array", "items": {"type": "string"}},
            "detail": detail,
        },
    }
    return replace(
        found,
        name=route.match,
        label=f"{route.bus_source} {route.match}",
        key=f"{route.match}\n{route.bus_source}",
        title=route.match,
        payload=payload,
        examples=tuple(one for detail in found.examples for one in _eventsreplace(route, detail)),
    )


def _eventsreplace(route: Route, detail: Any) -> list[dict[str, Any]]:
    """Return the event with a detail, where the route says detail type and source in full."""
    names = (route.match, route.bus_source or "*")
    if any("*" in name or isinstance(name, Env) for name in names):
        return []
    return [{"detail-type": names[0], "source": names[1], "detail": detail}]


def _of_socket(operation: Operation, schemas: Schemas, resources: Resources) -> Shape:
    """Return the message of a WebSocket, with what its API reads the route key from."""
    key, found = operation.route.match, _of_record(operation, schemas, resources)
    selection = next((one.selection for one in resources.of(WebSocketApi)), WebSocketApi().selection)
    if key.startswith("$") or "*" in key:
        title = "Any other message" if key == "$default" else key
        return replace(found, name=key, key=key, title=title)
    chosen = _chosen(selection, key)
    if chosen is None or found.content_type != JSON:
        return replace(found, name=key, key=key, title=key)
    payload = chosen if found.payload is None else {"allOf": [found.payload, chosen]}
    examples = tuple({**_nested(selection, key), **one} for one in found.examples if isinstance(one, dict))
    return replace(found, name=key, key=key, title=key, payload=payload, examples=examples)


def _chosen(selection: str, key: str) -> dict[str, Any] | None:
    """Return the schema of the part of a message that names its route; None where it is not in the body."""
    if not selection.startswith(_BODY):
        return None
    schema: dict[str, Any] = {"type": "string", "const": key, "description": "Names what the message is about."}
    for step in reversed(selection.removeprefix(_BODY).split(".")):
        schema = {"type": "object", "required": [step], "properties": {step: schema}}
    return schema


def _nested(selection: str, key: str) -> dict[str, Any]:
    made: Any = key
    for step in reversed(selection.removeprefix(_BODY).split(".")):
        made = {step: made}
    return dict(made)


def _named(pattern: str) -> dict[str, Any]:
    """Return the schema of a name that a route may give with wildcards."""
    if isinstance(pattern, Env):
        return {"type": "string", "description": f"The text in the environment variable {pattern.variable}."}
    if pattern == "*":
        return {"type": "string"}
    if "*" not in pattern:
        return {"type": "string", "const": pattern}
    parts = ("".join(f"\\{one}" if one in _SPECIAL else one for one in part) for part in pattern.split("*"))
    return {"type": "string", "pattern": f"^{'.*'.join(parts)}$"}


def _told(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


_BY_SOURCE: dict[Source, Callable[[Operation, Schemas, Resources], Shape]] = {
    Source.KAFKA: _of_kafka,
    Source.DYNAMODB: _of_stream,
    Source.KINESIS: _of_stream,
    Source.EVENTBRIDGE: _of_bus,
    Source.WEBSOCKET: _of_socket,
}
