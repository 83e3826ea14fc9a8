"""EventBridge: publish events to a bus, with the session attached.

    bus = Bus(name="shop", source="orders")
    bus.publish("OrderPlaced", {"id": "1"})
    await bus.publish_many_async([OutgoingEvent("OrderPlaced", {"id": "2"}), OutgoingEvent("OrderPaid", {"id": "1"})])

The session travels in `detail.metadata.session`, where `@on_bus` routes find it; what a caller has put there does not
travel. Every verb has an `_async` twin. The role needs `events:PutEvents` on the bus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from adapters._core.adapter import Adapter
from adapters._core.characters import check_line
from adapters._core.delivery import BatchEntry, Delivery, cut
from adapters._core.outgoing import CURRENT, reserved_keys, session_entry
from adapters._core.payloads import as_object, to_json
from adapters._core.steps import BlockingCall
from adapters.errors import InvalidMessage, MessageTooLarge
from router.errors import ConfigurationError
from router.trace_context import current_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, TypedDict, Unpack

    from adapters._core.outgoing import Outgoing
    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from router.session import Policy

    class EventOptions(TypedDict, total=False):
        """The keyword arguments of `Bus.publish`."""

        source: str | None
        resources: Sequence[str]
        time: datetime | None
        session: Outgoing


# EventBridge API reference, PutEvents: a request with ten entries, and what they come to.
_MOST = 10
_LARGEST = 1024 * 1024
_TIME_BYTES = 14
# The codes of an entry that may go through later; every other one says that the entry, or the caller, is wrong.
_PASSING = frozenset(("InternalFailure", "InternalException", "ThrottlingException", "ServiceUnavailable"))


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """One event to publish.

    detail_type: what routes match on.
    detail: a mapping, model or dataclass: it has to be a JSON object.
    source: that of the bus unless another is given.
    resources: ARNs of what it is about.
    time: aware; that of the call by default.
    session: as of `Bus.publish`.
    """

    detail_type: str
    detail: Any = field(repr=False)
    source: str | None = None
    resources: Sequence[str] = ()
    time: datetime | None = None
    session: Outgoing = field(default=CURRENT, repr=False)


class Bus(Adapter):
    """One event bus and what this service publishes to it.

    aws: makes the calls; by default one made of the environment.
    name: of the bus, or its ARN.
    source: the source of the events.
    policy: signs sessions where no resolver runs.
    max_bytes: the largest event, and the largest batch; give 262144 where targets or regions still have the limit of
        256 KB.
    """

    def __init__(
        self,
        aws: Aws | None = None,
        *,
        name: str = "default",
        source: str,
        policy: Policy | None = None,
        max_bytes: int = _LARGEST,
    ) -> None:
        super().__init__(aws)
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"Bus(name={name!r}): give a name or an ARN")
        if not isinstance(source, str) or not source or source.startswith("aws."):
            raise ConfigurationError(f"Bus(source={source!r}): give the name of this service; 'aws.' is of AWS alone")
        if not 1 <= max_bytes <= _LARGEST:
            raise ConfigurationError(f"Bus(max_bytes={max_bytes!r}): give 1 to {_LARGEST}")
        self.name = name
        self.source = source
        self.policy = policy
        self.max_bytes = max_bytes

    def __repr__(self) -> str:
        return f"Bus(name={self.name!r}, source={self.source!r})"

    def publish(self, detail_type: str, detail: Any, **options: Unpack[EventOptions]) -> str:
        """Publish one event and return its id.

        detail: a mapping, model or dataclass: it has to be a JSON object.
        options: `source`, in place of that of the bus; `resources`: ARNs of what it is about; `time`: aware, that of
            the call by default; `session`: the current one unless another is given, None attaches none.

        Raises:
            InvalidMessage: the event cannot be sent as it is.
            AdapterError: EventBridge refused it.
        """
        return self._run(self._send_many([OutgoingEvent(detail_type, detail, **options)]), "publish")[0]

    async def publish_async(self, detail_type: str, detail: Any, **options: Unpack[EventOptions]) -> str:
        """`publish` from async code, without blocking its loop."""
        return (await self.aws.run_async(self._send_many([OutgoingEvent(detail_type, detail, **options)])))[0]

    def publish_many(self, events: Iterable[OutgoingEvent]) -> list[str]:
        """Publish events in batches of ten, and return their ids in order.

        All are checked before the first is sent. What EventBridge refuses for a passing reason is sent again, with
        pauses.

        Raises:
            InvalidMessage: one of them cannot be sent as it is; nothing was sent.
            PartialFailure: some were not taken; it says which.
        """
        return self._run(self._send_many(events), "publish_many")

    async def publish_many_async(self, events: Iterable[OutgoingEvent]) -> list[str]:
        """`publish_many` from async code, without blocking its loop."""
        return await self.aws.run_async(self._send_many(events))

    # ---- how ---------------------------------------------------------------------------------------------------

    def _send_many(self, events: Iterable[OutgoingEvent]) -> Steps[list[str]]:
        events = list(events)
        if not events:
            return []
        # Read here, in the context of the caller.
        sessions = [self._session(_checked_event(event)) for event in events]

        def prepare() -> list[BatchEntry]:
            each = zip(events, sessions, strict=True)
            return [self._entry(position, event, *session) for position, (event, session) in enumerate(each)]

        entries = prepare() if len(events) <= _MOST else (yield BlockingCall(prepare))
        batches = list(cut(entries, _MOST, self.max_bytes))
        where = {"service": "events", "operation": "put_events", "resource": self.name}
        return (yield from Delivery(self._put, self.settings).run(batches, **where))

    def _session(self, event: OutgoingEvent) -> tuple[tuple[str, ...], str | None]:
        """Return the keys that only a session may have, the one of ours first, and its wire form."""
        key, wire = session_entry(event.session, self.policy, purpose="message")
        return (key, *(reserved_keys(event.session, self.policy, key) - {key})), wire

    def _put(self, batch: list[BatchEntry]) -> Steps[Any]:
        """Send a batch, and return the answer in the form of SQS: EventBridge answers by position."""
        answer = yield self.aws.step(
            "events", "put_events", resource=self.name, parameters={"Entries": [entry.request for entry in batch]}
        )
        taken, refused = [], []
        for entry, result in zip(batch, answer["Entries"], strict=False):
            id, code = str(entry.position), result.get("ErrorCode")
            if code is None:
                taken.append({"Id": id, "MessageId": result.get("EventId", "")})
            else:
                why = {"Code": code, "Message": result.get("ErrorMessage") or "", "SenderFault": code not in _PASSING}
                refused.append({"Id": id, **why})
        return {"Successful": taken, "Failed": refused}

    def _entry(self, position: int, event: OutgoingEvent, keys: tuple[str, ...], wire: str | None) -> BatchEntry:
        try:
            request = self._request(event, keys, wire)
            size = _size(request)
            if size > self.max_bytes and current_trace() is not None:
                _, bare = session_entry(event.session, self.policy, purpose="message", traced=False)
                request = self._request(event, keys, bare)
                size = _size(request)
            if size > self.max_bytes:
                raise MessageTooLarge(
                    f"it has {size:,} bytes, and {self.max_bytes:,} are the most; put the large part into S3 and "
                    "publish where it is"
                )
        except InvalidMessage as error:
            raise type(error)(
                f"events.put_events {self.name} event #{position}: {error}",
                service="events",
                operation="put_events",
                resource=self.name,
            ) from None
        return BatchEntry(position, event, request, size)

    def _request(self, event: OutgoingEvent, keys: tuple[str, ...], wire: str | None) -> dict[str, Any]:
        source = self.source if event.source is None else event.source
        if not isinstance(source, str) or not source or source.startswith("aws."):
            raise InvalidMessage("the source must be a text that is not empty and does not begin with 'aws.'")
        if not isinstance(event.detail_type, str) or not 0 < len(event.detail_type) <= 128:
            raise InvalidMessage("the detail type must be 1 to 128 characters")
        if not hasattr(event.resources, "__iter__"):
            raise InvalidMessage("the resources must be texts")
        resources = [event.resources] if isinstance(event.resources, str) else list(event.resources)
        if not all(isinstance(one, str) for one in resources):
            raise InvalidMessage("the resources must be texts")
        for what, texts in (
            ("the source", [source]),
            ("the detail type", [event.detail_type]),
            ("a resource", resources),
        ):
            for text in texts:
                check_line(text, what)
        request: dict[str, Any] = {
            "EventBusName": self.name,
            "Source": source,
            "DetailType": event.detail_type,
            "Detail": with_session(event.detail, keys, wire),
        }
        if resources:
            request["Resources"] = resources
        if (trace := current_trace()) is not None and trace.xray is not None:  # which targets see as that of X-Ray
            request["TraceHeader"] = trace.xray
        if event.time is not None:
            if not isinstance(event.time, datetime) or event.time.tzinfo is None:
                raise InvalidMessage("the time must be a datetime with a time zone")
            request["Time"] = event.time
        return request


def with_session(detail: Any, keys: tuple[str, ...], wire: str | None) -> str:
    """Return the detail as JSON, with the session in `metadata`. What it had there goes: `session=` alone decides.

    keys: that of the session, and others under which a receiver looks for one.
    """
    held = as_object(detail, "the detail")
    metadata = held.get("metadata")
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, Mapping):
        raise InvalidMessage("detail.metadata must be an object: the session travels in it")
    if wire is None and not any(key in metadata for key in keys):
        return to_json(held, "the detail")
    others = {name: value for name, value in metadata.items() if name not in keys}
    if wire is not None:
        others[keys[0]] = orjson.Fragment(wire)
    return to_json({**held, "metadata": others}, "the detail")


def _checked_event(event: Any) -> OutgoingEvent:
    if not isinstance(event, OutgoingEvent):
        raise ConfigurationError(f"publish_many takes OutgoingEvents, not {type(event).__name__}")
    return event


def _size(request: dict[str, Any]) -> int:
    """Return the bytes of an entry that count for the limit (EventBridge user guide, event entry size)."""
    texts = (request["Source"], request["DetailType"], request["Detail"], *request.get("Resources", ()))
    return sum(len(text.encode()) for text in texts) + (_TIME_BYTES if "Time" in request else 0)
