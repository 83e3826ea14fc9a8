"""One file for one source or family: how its payload is read, and what Lambda expects back.

`_registry.py` holds a row for each source, which names its file. The file is imported when the first event comes, and
answers the same questions:

    read(source, raw, context) -> list[Event]     the request, or one Event a record; never alters raw
    answer(...)     by the kind of delivery:
        reply       answer(event, result) -> what Lambda expects; results of HTTP sources are Response objects
        items, ordered, transform    answer(raw, events, outcomes) -> the same, from one Outcome a record
        notify      no answer: the call succeeds or fails as a whole
    data_class(event) -> str | None    where the payload decides about `event.typed`
"""

from __future__ import annotations

from router.event import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from router.event import Source
    from router.response import StreamResponse


def load(source: Source) -> ModuleType:
    """Return the module of a source. It is imported at the first call."""
    from importlib import import_module

    from router.sources._registry import ROWS

    return import_module(f"{__name__}.{ROWS[source].module}")


def read(raw: Any, context: Any = None) -> list[Event]:
    """Read a payload as Events, without dispatching it. One in the envelope of a durable function is taken out.

    Return the request, or one Event for each record. Raise InvalidEvent, which names what is wrong and where.
    """
    from router.sources._registry import detect

    source = detect(raw, context)
    if source == "invoke":
        from router.sources.durable import Envelope, is_envelope

        if is_envelope(raw):
            raw = Envelope(raw).event
            source = detect(raw)
    events: list[Event] = load(source).read(source, raw, context)
    return events


def _data_class(event: Event) -> Any:
    from router.sources._registry import ROWS
    from router.sources._typed import data_class

    name = ROWS[event.source].data_class
    if name is None:
        choose = getattr(load(event.source), "data_class", None)
        name = None if choose is None else choose(event)
    return data_class(event, name)


def _events_inside(event: Event) -> list[Event]:
    from router.sources._inner import events_inside

    return events_inside(event)


Event._data_class = _data_class
Event._events_inside = _events_inside


class Unsent(Exception):
    """Raised in the place of an answer that cannot be made of a Response yet, since its body is still to be read."""

    def __init__(self, response: StreamResponse) -> None:
        super().__init__("the body of the answer is still to be read")
        self.response = response


class Outcome:
    """The outcome of one record."""

    __slots__ = ("error", "result", "started")

    def __init__(self, result: object = None, error: BaseException | None = None, *, started: bool = False) -> None:
        self.result = result
        self.error = error  # Discard: acknowledged all the same
        self.started = started  # false when the deadline, or a failure before it in its order, kept it from running

    @property
    def failed(self) -> bool:
        """Whether the record must come again."""
        if self.error is None or not self.started:
            return not self.started
        from router.signals import Discard

        return not isinstance(self.error, Discard)
