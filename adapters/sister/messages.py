"""Send to the queues and topics of a sister service, and publish the events that it waits for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Generic, TypeVar

from adapters.eventbridge import Bus
from adapters.messaging import Queue, Topic
from adapters.sister.calls import given
from router.wire_fields import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from adapters._core.message import Message
    from adapters.eventbridge import EventOptions
    from adapters.messaging import Parts

T = TypeVar("T")


class SisterQueue(Queue[T], Generic[T]):
    """A queue that a sister service reads: `adapters.messaging.Queue`, with the names of the fields as in JSON."""

    def _message(self, message: Message, parts: Parts) -> Message:
        held = super()._message(message, parts)
        return replace(held, content=written(held.content))


class SisterTopic(Topic[T], Generic[T]):
    """A topic that a sister service reads: `adapters.messaging.Topic`, with the names of the fields as in JSON."""

    def _message(self, message: Message, parts: Parts) -> Message:
        held = super()._message(message, parts)
        return replace(held, content=written(held.content))


class BusCalls:
    """The events that a sister service waits for.

    bus: publishes them; None where none is published.
    """

    def __init__(self, bus: Bus | None) -> None:
        self._bus = bus

    def _publish(self, detail_type: str, detail: Any, options: EventOptions) -> str:
        return given(self._bus, "bus=").publish(detail_type, written(detail), **options)

    async def _publish_async(self, detail_type: str, detail: Any, options: EventOptions) -> str:
        return await given(self._bus, "bus=").publish_async(detail_type, written(detail), **options)
