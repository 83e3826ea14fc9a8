"""Envelopes inside a message: of SNS in SQS, of EventBridge in a queue, topic or stream; and who may write them.

Whoever can write to a queue can write any body, one that imitates an envelope included. So an unsigned session (or a
pointer to a body elsewhere) inside a body counts only when the route says that such envelopes come its way.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event

# The options of a route that name whose envelopes it takes, and what they name.
TOPICS, BUS_SOURCES = "topics", "bus_sources"
_WHAT = {TOPICS: "topic", BUS_SOURCES: "bus source"}
_told: set[tuple[str, str]] = set()  # which queues and topics the log has been told of


def is_envelope(value: dict[str, Any]) -> bool:
    """Whether a JSON object is the envelope that SNS puts around a notification."""
    return (
        value.get("Type") == "Notification" and type(value.get("Message")) is str and type(value.get("TopicArn")) is str
    )


def is_bus_event(value: Any) -> bool:
    """Return whether a JSON value is an event as EventBridge delivers it to a target."""
    return (
        type(value) is dict
        and type(value.get("detail-type")) is str
        and type(value.get("source")) is str
        and type(value.get("detail")) is dict
    )


def bus_session(event: Event, attribute: str) -> Any:
    """Return the session of a bus event whose rule targets the queue; None where there is none, or it proves nothing.

    event: the message. attribute: the key in `detail.metadata` that holds the session.
    """
    try:
        held = event.json()
    except event._unreadable:
        return None
    if not is_bus_event(held):
        return None
    metadata = held["detail"].get("metadata")
    wire = metadata.get(attribute) if type(metadata) is dict else None
    return wire if wire is not None and is_believed(event, BUS_SOURCES, held["source"], wire) else None


def is_believed(event: Event, option: str, name: str, wire: Any, carrier: Event | None = None) -> bool:
    """Return whether a session that stands in an envelope counts: it must be signed, or the route names its origin.

    event: the event whose session is asked for; it remembers why that was ignored.
    option, name: TOPICS or BUS_SOURCES, and the topic or `source` that the envelope names.
    wire: the session. carrier: the event whose body holds the envelope, where it is another one.
    """
    carrier = event if carrier is None else carrier
    policy: Any = event._policy
    if (policy.signing is not None and policy.proves(event, wire)) or is_named(carrier, option, name):
        return True
    _ignore(event, option, name, "the session", carrier)
    return False


def _ignore(event: Event, option: str, name: str, what: str, carrier: Event) -> None:
    """Note in the event, and once in the log, that something in an envelope does not count."""
    event._ignored = (
        f"{what} in its body was ignored: whoever can write to {carrier.source} {carrier.name} can write that it is of "
        f"the {_WHAT[option]} {name[:200]!a}; sign sessions, or name it: {option}=[...]"
    )
    if (carrier.source, carrier.name) not in _told:
        _told.add((carrier.source, carrier.name))
        from logging import getLogger

        getLogger("router").warning("%s %a: %s", carrier.source.value, carrier.id, event._ignored)


def check_pointer(event: Event, carrier: Event, topic: str) -> None:
    """Refuse a pointer to a body elsewhere that stands in an envelope which anyone may have written.

    event: whose body it is. carrier: the message that holds the envelope. topic: what the envelope names.
    """
    if is_named(carrier, TOPICS, topic):
        return
    policy: Any = event._policy
    if policy.signing is None:
        _ignore(event, TOPICS, topic, "the pointer to a body in S3", carrier)
        event._refuse(f"{event.source} record: {event._ignored}")
    wire = event._session_wire(policy.attribute)
    if wire is None or not policy.proves(event, wire):
        event._refuse(f"{event.source} record: its envelope points to a body in S3, and holds no signed session")
    _ = event.session  # refused unless it is signed


def is_named(event: Event, option: str, name: str) -> bool:
    """Return whether the route of an event names a topic or a bus source; names may hold `*`."""
    return event.route is not None and bool(event.route.takes(option, name))
