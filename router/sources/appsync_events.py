"""AppSync Events: what clients publish to a channel, one Event each, and the question whether one may subscribe.

Every published event is answered by its id, with the payload that subscribers get or with an error. A subscription is
allowed with null, and refused with an error. Clients see the text of both, so of errors that are not the library's
they are told nothing.
"""

from __future__ import annotations

from json import loads

from router.encode import dumps
from router.errors import EncodeError, InvalidEvent
from router.event import Event, Source
from router.signals import Discard
from router.sources._decisions import Decision, undecided
from router.sources._records import RecordEvent, kind_of, placed
from router.sources._replies import LIMIT, json_bytes, text_at, told
from router.sources.appsync import ClientEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from router.sources import Outcome

PUBLISH, SUBSCRIBE = "PUBLISH", "SUBSCRIBE"
# Bytes of one event (AppSync Events developer guide, concepts).
LARGEST = 240 * 1024
_REFUSED = "not allowed"
_NOT_STARTED = "the time of the call was over before its turn"


class ChannelEvent(ClientEvent, RecordEvent):
    """One event that a client published, or its wish to subscribe: `change` is PUBLISH or SUBSCRIBE.

    `name` is the channel. A published event's body is its payload; a subscription has none.
    """

    __slots__ = ()

    @property
    def channel(self) -> str:
        """The channel, `/chat/room-1`; `/chat/*` of a subscription to all below."""
        return self.name

    @property
    def segments(self) -> list[str]:
        """The parts of the channel: `["chat", "room-1"]`."""
        return self.name.split("/")[1:]

    @property
    def namespace(self) -> str:
        """The channel's namespace, which is its first part."""
        return self.segments[0]

    def _context(self) -> Any:
        return self.raw

    def _name(self) -> str:
        """Return the channel. One with an empty part, or with a star where none can be, is refused."""
        path = text_at(self.raw, "info", "channel", "path") or ""
        first, *parts = path.split("/")
        fixed = parts[:-1] if self.change == SUBSCRIBE and parts[-1:] == ["*"] and len(parts) > 1 else parts
        if first or not parts or any(not part or "*" in part for part in fixed):
            self._refuse(f"{self.source} info.channel.path: {path!r:.100} is no channel")
        return path

    def _id(self) -> str:
        return self._need(str, "id") if self._place else Event._id(self)

    def _change(self) -> str:
        return text_at(self.raw, "info", "operation") or ""

    def _records(self) -> list[Any]:
        return super()._records() if self._place else [self.raw]

    def _parsed(self) -> Any:
        if not self._place:
            return None
        if "payload" not in self.record:
            self._fail("payload", "is missing")
        return self.record["payload"]

    def _body(self) -> bytes:
        return json_bytes(self, self.json(), "payload") if self._place else b""

    def _typed(self) -> Any:
        return Event._data_class(Event(self.source, self.raw, self.context, self.raw))  # it knows the payload alone


def read(source: Source, raw: Any, context: Any) -> list[ChannelEvent]:
    """Return one Event for each that is published, or the one subscription.

    Raises:
        InvalidEvent: the operation is unknown, or an id is missing or there twice: then no answer could be told apart.
    """
    operation = text_at(raw, "info", "operation")
    if operation == SUBSCRIBE:
        return [ChannelEvent(source, raw, context, raw)]
    if operation != PUBLISH:
        raise InvalidEvent(f"{source} info.operation: must be {PUBLISH} or {SUBSCRIBE}, not {operation!r:.40}")
    events, known = [], set()
    for place, record in placed(source, raw):
        event = ChannelEvent(source, raw, context, record, place)
        _check_id(event)
        if event.id in known:
            event._fail("id", "is that of another event")
        known.add(event.id)
        events.append(event)
    return events


def _check_id(event: ChannelEvent) -> None:
    if not event.id:
        event._fail("id", "is empty")
    try:
        event.id.encode()
    except UnicodeEncodeError:
        event._fail("id", "is not valid text")


def answer(raw: Any, events: Sequence[ChannelEvent], outcomes: Sequence[Outcome]) -> Any:
    """Return the payload or the error of each event by its id; of a subscription null, or the error that refuses it.

    An event whose handler raised Discard is left out: AppSync drops it.
    """
    pairs = zip(events, outcomes, strict=True)
    if text_at(raw, "info", "operation") == SUBSCRIBE:
        refusals = [_refusal(event, outcome) for event, outcome in pairs]
        return None if refusals == [None] else {"error": "".join(text or "" for text in refusals)}
    answers, room = [], LIMIT
    for event, outcome in pairs:
        if outcome.failed or outcome.error is None:
            answered, size = _answered(event, outcome, room)
            room -= size
            answers.append(answered)
    return {"events": answers}


def _answered(event: ChannelEvent, outcome: Outcome, room: int) -> tuple[dict[str, Any], int]:
    """Return the answer for one published event, and how many bytes of the room it takes."""
    if outcome.failed:
        text = _told(outcome)
    else:
        try:
            written = dumps(event.json() if outcome.result is None else outcome.result)
            payload = loads(written)  # orjson refuses whole numbers of over 308 digits
            size = _size(written, payload)
            if len(written) <= LARGEST and size <= room:
                return {"id": event.id, "payload": payload}, size
            text = f"the payload has {len(written):,} bytes; an event takes {LARGEST:,}, and all together {LIMIT:,}"
        except (EncodeError, InvalidEvent) as error:
            text = str(error)
        _log().error("%s %s: the result of its handler: %s", event.source.value, ascii(event.id), ascii(text))
    return {"id": event.id, "error": _printable(text)}, 0


def _size(written: bytes, payload: Any) -> int:
    """Return how many bytes the runtime client makes of a payload: it escapes what is not ASCII."""
    if written.isascii():
        return len(written)
    from json import dumps

    return len(dumps(payload))


def _refusal(event: ChannelEvent, outcome: Outcome) -> str | None:
    """Return why a subscription is refused; None where it is allowed. In doubt it is refused."""
    result = outcome.result
    if outcome.failed or outcome.error is not None:
        return _printable(_told(outcome))
    if event.route is None:  # which unrouted="ignore" acknowledges elsewhere: here that would let anyone listen
        return "nothing is registered for this"
    if result is None or result is True or (isinstance(result, Decision) and result.allows):
        return None
    if type(result) is dict and type(result.get("error")) is str and result["error"]:
        return _printable(result["error"])
    if result is not False and not isinstance(result, Decision):
        undecided(event.source, event.name, f"returned {kind_of(result)}, which is no decision")
    return _REFUSED


def _told(outcome: Outcome) -> str:
    """Return as much of an error as a client may see."""
    if outcome.error is None:
        return _NOT_STARTED
    if isinstance(outcome.error, Discard):
        return str(outcome.error)  # why a subscription is refused, in the handler's words
    return told(outcome.error)[1]


def _printable(text: str) -> str:
    """Return text that can be sent: a lone surrogate would end the process."""
    return text.encode(errors="backslashreplace").decode()


def _log() -> Any:
    from logging import getLogger

    return getLogger("router")
