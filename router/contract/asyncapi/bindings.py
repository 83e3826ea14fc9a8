"""Write bindings: what a protocol has beside address and message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.contract.declarations import Kafka, Queue, Topic

if TYPE_CHECKING:
    from router.contract.asyncapi.kinds import Place
    from router.contract.resources import Resources

_SQS, _SNS, _KAFKA, _WS = "0.2.0", "0.1.0", "0.5.0", "0.1.0"


def channel_bindings(place: Place, address: str, resources: Resources) -> dict[str, Any]:
    """Return the bindings of a channel.

    address: with its parameters. resources: those that the stack declares.
    """
    if place.kind == "queue":
        return {"sqs": _queue(place, address, resources)}
    if place.kind == "topic":
        named = resources.named(Topic, place.name)
        is_fifo = bool(named[0].fifo) if len(named) == 1 else address.endswith(".fifo")
        ordering = {"type": "FIFO" if is_fifo else "standard"}
        return {"sns": {"name": address, "ordering": ordering, "bindingVersion": _SNS}}
    if place.kind == "kafka":
        return {"kafka": {"topic": address, "bindingVersion": _KAFKA}}
    return {}


def _queue(place: Place, address: str, resources: Resources) -> dict[str, Any]:
    named = resources.named(Queue, place.name)
    declared = named[0] if len(named) == 1 else None
    is_fifo = bool(declared.fifo) if declared else address.endswith(".fifo")
    queue: dict[str, Any] = {"name": address, "fifoQueue": is_fifo}
    made: dict[str, Any] = {"queue": queue, "bindingVersion": _SQS}
    if declared is None or declared.exists:
        return made
    if declared.visibility is not None:
        queue["visibilityTimeout"] = declared.visibility
    queue["messageRetentionPeriod"] = declared.retention
    if declared.dead_letter and declared.name:  # the stack makes the other names when it is deployed
        dead = f"{address.removesuffix('.fifo')}-dead{'.fifo' if is_fifo else ''}"
        queue["redrivePolicy"] = {"deadLetterQueue": {"name": dead}, "maxReceiveCount": declared.dead_letter}
        made["deadLetterQueue"] = {"name": dead, "fifoQueue": is_fifo}
    return made


def socket_bindings(query: dict[str, Any] | None, headers: dict[str, Any] | None) -> dict[str, Any]:
    """Return the bindings of a WebSocket API: what its clients send when they connect."""
    made: dict[str, Any] = {"method": "GET"}
    if query:
        made["query"] = query
    if headers:
        made["headers"] = headers
    return {"ws": {**made, "bindingVersion": _WS}}


def receiving_bindings(place: Place, resources: Resources) -> dict[str, Any]:
    """Return the bindings of an operation that receives: of Kafka the consumer group."""
    named = resources.named(Kafka, place.name) if place.kind == "kafka" else []
    if len(named) != 1 or not named[0].group:
        return {}
    return {"kafka": {"groupId": {"type": "string", "enum": [named[0].group]}, "bindingVersion": _KAFKA}}


def sending_bindings(place: Place, address: str, resources: Resources) -> dict[str, Any]:
    """Return the bindings of an operation that sends: of a topic the queues that are subscribed to it."""
    queues = [one for one in resources.of(Queue) if address in one.topics] if place.kind == "topic" else []
    if not queues:
        return {}
    consumers = [
        {"protocol": "sqs", "endpoint": {"name": one.name or one.variable}, "rawMessageDelivery": one.raw}
        for one in sorted(queues, key=lambda one: one.name or one.variable)
    ]
    return {"sns": {"topic": {"name": address}, "consumers": consumers, "bindingVersion": _SNS}}
