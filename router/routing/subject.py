"""What a route's `pattern=` is held against: the event as plain data, only as much of it as the pattern names."""

from __future__ import annotations

from router.errors import HTTPError, InvalidEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from router.event import Event


def subject_keys(pattern: Mapping[str, Any]) -> frozenset[str]:
    """The top-level keys a well-formed pattern names, those inside `$or` included."""
    keys: set[str] = set()
    for key, value in pattern.items():
        if key == "$or":
            for branch in value:
                keys |= subject_keys(branch)
        else:
            keys.update((key, key.partition(".")[0]))
    return frozenset(keys)


def subject_of(event: Event, keys: frozenset[str]) -> dict[str, Any]:
    """`body`, `attributes`, `headers` and the other fields of an event, and the payload's own top-level keys.

    A body that is JSON is held against the pattern as data, any other as text. What an event does not have is absent,
    so that `exists` means what it says.
    """
    subject: dict[str, Any] = {}
    record = event.record
    for key in keys:
        field = _FIELDS.get(key)
        if type(record) is dict and key in record and (field is None or event.bus_source):
            subject[key] = record[key]  # an EventBridge event is its own subject: source, detail-type, detail
        elif field is not None:
            value = field(event)
            if value is not None:
                subject[key] = value
    return subject


def _body(event: Event) -> Any:
    try:
        return event.json()
    except (InvalidEvent, HTTPError):
        pass
    try:
        return event.text
    except (InvalidEvent, HTTPError):
        return None


_FIELDS: dict[str, Callable[[Event], Any]] = {
    "body": _body,
    "attributes": lambda event: event.attributes,
    "headers": lambda event: dict(event.headers),
    "query": lambda event: {name: event.query.getall(name) for name in event.query},
    "path": lambda event: event.path or None,
    "method": lambda event: event.method or None,
    "name": lambda event: event.name,
    "keys": lambda event: event.keys,
    "old": lambda event: event.old,
    "new": lambda event: event.new,
    "source": lambda event: event.source.value,
}
