"""Put the AsyncAPI 3.0.0 document together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.contract.asyncapi.channels import Channels
from router.contract.asyncapi.kinds import SOURCES
from router.contract.asyncapi.messages import JSON
from router.contract.asyncapi.operations import Operations
from router.contract.checks import Faults
from router.contract.declarations import Resource
from router.contract.interface.reading import refuse_same_names
from router.contract.resources import Resources
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.contract.compute import Function
    from router.contract.interface.model import Info, Interface, Operation

VERSION = "3.0.0"
_LIFE = ("$connect", "$disconnect")


def asyncapi(interface: Interface, declared: Iterable[Resource | Function] = ()) -> dict[str, Any]:
    """Return the document of everything that an application receives and sends as messages.

    interface: of the application.
    declared: what its stack declares: names, dead-letter queues, brokers.

    Raises:
        ConfigurationError: two operations have one name, or types have no schema; it names each route with file and
            line.
    """
    resources = Resources(one for one in declared if isinstance(one, Resource))
    receiving = [one for one in interface.operations if one.source in SOURCES]
    refuse_same_names(one for one in receiving if not _is_of_life(one))
    channels = Channels(interface, resources, receiving)
    operations = Operations(channels)
    faults = Faults()
    for one in receiving:
        with faults.collected():
            if not _is_of_life(one):
                operations.receive(one)
            elif one.route.match == "$connect":
                channels.connect(one)
    for one in interface.operations:
        if one.route.request is None:  # else it is the tool of an HTTP route, which is told of itself
            with faults.collected():
                operations.publish(one)
    faults.refuse()
    made_channels, made_operations = channels.all(), operations.all()
    return {
        "asyncapi": VERSION,
        "info": _info(interface.info, made_operations.values(), interface.operations),
        "defaultContentType": JSON,
        "servers": channels.servers.all(),
        "channels": made_channels,
        "operations": made_operations,
        "components": channels.components(),
    }


def _is_of_life(operation: Operation) -> bool:
    """Return whether an operation is the begin or end of a connection, and brings no message."""
    return operation.source is Source.WEBSOCKET and operation.route.match in _LIFE


def _info(info: Info, made: Iterable[dict[str, Any]], operations: Iterable[Operation]) -> dict[str, Any]:
    told: dict[str, Any] = {"title": info.title, "version": info.version}
    if info.description:
        told["description"] = info.description
    if info.contact:
        told["contact"] = {"email" if "@" in info.contact and "/" not in info.contact else "url": info.contact}
    if info.license:
        told["license"] = {"name": info.license}
    used = sorted({tag["name"] for one in made for tag in one.get("tags", ())})
    if used:
        told["tags"] = [
            {"name": name, **({"description": info.tags[name]} if info.tags.get(name) else {})} for name in used
        ]
    return told
