"""`Sender`: the way of a message from a handler to the service; SNS and SQS fill in what differs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial

from adapters._core.adapter import Adapter
from adapters._core.characters import escaped, sendable
from adapters._core.delivery import BatchEntry, Delivery, cut
from adapters._core.message import as_messages, text_of
from adapters._core.message_attributes import MOST, AttributeRules, encode, size_of
from adapters._core.outgoing import CURRENT, session_forms
from adapters._core.rate_limit import TokenBucket
from adapters._core.steps import BlockingCall, Wait
from adapters.errors import InvalidMessage, MessageTooLarge, ResourceNotFound
from router.errors import ConfigurationError
from router.trace_context import current_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar, TypeAlias

    from adapters._core.message import Deduplication, Group, Message
    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from adapters.offload import Offload
    from router.session import Policy

    SessionForms: TypeAlias = tuple[tuple[str, str], ...]  # the names of the attributes, and the wire forms

# What a group or deduplication id may hold (SQS API reference, SendMessage).
_ID_CHARACTERS = frozenset(map(chr, range(33, 127)))
_PREPARED_AT_ONCE = 10  # more messages than these are prepared off the event loop


@dataclass(frozen=True, slots=True)
class Destination:
    """A topic or queue. id: its ARN or URL. region: where it is, when that is not the region of the settings."""

    id: str
    region: str | None = None

    @property
    def fifo(self) -> bool:
        """Whether it keeps an order."""
        return self.id.endswith(".fifo")


@dataclass(frozen=True, slots=True)
class Sent:
    """The audit record of one message, made after it was sent or refused.

    service, resource: `sns` or `sqs`, and the ARN or URL.
    id: of the message; None when it was not taken, and `error` is then the code.
    size: bytes that count for the limit.
    attributes: the names of its attributes.
    group: its message group.
    offloaded: whether the body went by S3.
    body: only where `Sns(audit_bodies=True)` asks for it.
    """

    service: str
    resource: str
    id: str | None
    size: int
    attributes: tuple[str, ...]
    group: str | None
    offloaded: bool
    error: str
    body: str | None


class Sender(Adapter, ABC):
    """Base of `Sns` and `Sqs`."""

    service: ClassVar[str]
    operation: ClassVar[str]  # sends a batch
    id_parameter: ClassVar[str]  # names the topic or queue in a request
    body_parameter: ClassVar[str]
    entries_parameter: ClassVar[str]
    limit: ClassVar[str]  # the setting that says how large a message, or a batch, may be
    one_line: ClassVar[bool] = False  # whether attributes may not have control characters

    def __init__(
        self,
        aws: Aws | None = None,
        *,
        policy: Policy | None = None,
        offload: Offload | None = None,
        rate: float | None = None,
        burst: float | None = None,
        content_deduplication: bool = False,
        attribute_text: Callable[[Any], str] | None = None,
        on_sent: Callable[[Sent], object] | None = None,
        audit_bodies: bool = False,
    ) -> None:
        super().__init__(aws)
        self.policy = policy
        self.offload = offload
        self._rate = rate
        self._burst = burst
        if rate is not None:
            TokenBucket(rate, burst)  # refuses what makes no sense, now and not at the first message
        elif burst is not None:
            raise ConfigurationError(f"{type(self).__name__}(burst=...) needs rate=, messages a second")
        self._content_deduplication = content_deduplication
        self._rules = AttributeRules(attribute_text, self.one_line)
        self._on_sent = on_sent
        self._audit_bodies = audit_bodies
        self._destinations: dict[str, Destination] = {}
        self._buckets: dict[str, TokenBucket] = {}

    @property
    def max_bytes(self) -> int:
        """The largest message with its attributes, and the largest batch."""
        size: int = getattr(self.settings, self.limit)
        return size

    # ---- what differs ------------------------------------------------------------------------------------------

    @abstractmethod
    def _resolve(self, name: str) -> Destination:
        """Return the topic or queue of a name; may call AWS."""

    @abstractmethod
    def _options(self, destination: Destination, message: Message, body: str) -> dict[str, Any]:
        """Return the parameters of a message besides body, attributes and ids. Raises InvalidMessage."""

    # ---- one, many ---------------------------------------------------------------------------------------------

    def _send_one(self, name: str, message: Message, operation: str) -> Steps[str]:
        sessions = self._sessions([message])
        destination = yield from self._destination(name)
        [entry] = yield from self._entries(destination, [message], [message], sessions)
        yield from self._pace(destination, 1)
        try:
            answer = yield self._step(destination, operation, entry.request)
        except Exception as error:
            self._forget(name, error)
            self._audit(destination, entry, None, str(getattr(error, "code", "")) or type(error).__name__)
            raise
        id = str(answer["MessageId"])
        self._audit(destination, entry, id, "")
        return id

    def _send_many(
        self, name: str, values: Iterable[Any], group: Group, deduplication: Deduplication
    ) -> Steps[list[str]]:
        values = list(values)
        messages = as_messages(values, group, deduplication)
        if not values:
            return []
        sessions = self._sessions(messages)
        destination = yield from self._destination(name)
        entries = yield from self._entries(destination, values, messages, sessions)
        delivery = Delivery(
            partial(self._send_batch, destination),
            self.settings,
            ordered=destination.fifo,
            on_settled=partial(self._audit, destination),
        )
        batches = list(cut(entries, max_bytes=self.max_bytes))
        where = {"service": self.service, "operation": self.operation, "resource": destination.id}
        try:
            return (yield from delivery.run(batches, **where))
        except Exception as error:
            self._forget(name, error)
            raise

    def _send_batch(self, destination: Destination, batch: list[BatchEntry]) -> Steps[Any]:
        yield from self._pace(destination, len(batch))
        entries = {self.entries_parameter: [entry.with_id for entry in batch]}
        return (yield self._step(destination, self.operation, entries))

    def _step(self, destination: Destination, operation: str, parameters: dict[str, Any]) -> BlockingCall:
        named = {self.id_parameter: destination.id, **parameters}
        return self.aws.step(self.service, operation, region=destination.region, parameters=named)

    # ---- from messages to entries ------------------------------------------------------------------------------

    def _sessions(self, messages: list[Message]) -> list[SessionForms]:
        """Return the session of each message as it travels; called before the first step, in the caller's context."""
        current = (
            session_forms(CURRENT, self.policy, purpose="message")
            if any(one.session is CURRENT for one in messages)
            else ()
        )
        return [
            current if message.session is CURRENT else session_forms(message.session, self.policy, purpose="message")
            for message in messages
        ]

    def _entries(
        self,
        destination: Destination,
        values: list[Any],
        messages: list[Message],
        sessions: list[SessionForms],
    ) -> Steps[list[BatchEntry]]:
        """Prepare all messages, so that one that cannot be sent is refused before anything is sent.

        Few of them at once, many (or those that may go to S3) as a step, off the event loop.
        """

        def prepare() -> list[BatchEntry]:
            each = zip(values, messages, sessions, strict=True)
            return [self._entry(destination, position, *one) for position, one in enumerate(each)]

        if self.offload is None and len(messages) <= _PREPARED_AT_ONCE:
            return prepare()
        entries: list[BatchEntry] = yield BlockingCall(prepare)
        return entries

    def _entry(
        self, destination: Destination, position: int, value: Any, message: Message, session: SessionForms
    ) -> BatchEntry:
        try:
            try:
                request, size = self._request(destination, message, session)
            except MessageTooLarge:
                if not session or current_trace() is None:
                    raise
                bare = session_forms(message.session, self.policy, purpose="message", traced=False)
                request, size = self._request(destination, message, bare)
        except InvalidMessage as error:
            # Raised again with its place; what the message holds stays out of it.
            raise type(error)(
                f"{destination.id} message #{position}: {error}",
                errors=error.errors,
                service=self.service,
                operation=self.operation,
                resource=destination.id,
            ) from None
        return BatchEntry(position, value, request, size, message.group)

    def _request(self, destination: Destination, message: Message, session: SessionForms) -> tuple[dict[str, Any], int]:
        """Return the parameters of a message, and the bytes that count for the limit. Raises InvalidMessage."""
        body = sendable(text_of(message.content), "the message")
        attributes = encode(message.attributes or {}, self._rules)
        for name, wire in session:
            attributes[name] = {"DataType": "String", "StringValue": escaped(wire)}
        options = {**self._options(destination, message, body), **self._ids(destination, message, body)}
        size = len(body.encode()) + size_of(attributes)
        if self.offload is not None and self.offload.wants(size, self.max_bytes):
            body, pointer = self.offload.store(body, self.aws)
            attributes.update(encode(pointer))
            size = len(body.encode()) + size_of(attributes)
        _check_limits(len(attributes), size, self.max_bytes)
        if attributes:
            options["MessageAttributes"] = attributes
        return {self.body_parameter: body, **options}, size

    def _ids(self, destination: Destination, message: Message, body: str) -> dict[str, str]:
        """Return the group and deduplication id of FIFO; a group on a standard queue makes it a fair one."""
        for name, value in (("group", message.group), ("deduplication", message.deduplication)):
            if value is not None and not _is_id(value):
                raise InvalidMessage(f"{name}= must be 1 to 128 printable ASCII characters without spaces")
        deduplication = message.deduplication
        if destination.fifo:
            if message.group is None:
                raise InvalidMessage("a FIFO topic or queue needs group=, within which messages keep their order")
            if deduplication is None and self._content_deduplication:
                from hashlib import sha256

                deduplication = sha256(body.encode()).hexdigest()
        elif deduplication is not None:
            raise InvalidMessage("deduplication= is for FIFO topics and queues, whose names end in .fifo")
        ids = {"MessageGroupId": message.group, "MessageDeduplicationId": deduplication}
        return {name: value for name, value in ids.items() if value is not None}

    # ---- around it ---------------------------------------------------------------------------------------------

    def _destination(self, name: str) -> Steps[Destination]:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"{self.service}: give the name, ARN or URL, not {name!r}")
        destination = self._destinations.get(name)
        if destination is None:
            destination = yield BlockingCall(self._resolve, name)
            self._destinations[name] = destination
        return destination

    def _elsewhere(self, region: str | None) -> str | None:
        """Return a region if it is not that of the settings, else None. A given endpoint serves every region."""
        if region is None or region == self.settings.region or self.settings.endpoint_of(self.service) is not None:
            return None
        return region

    def _forget(self, name: str, error: Exception) -> None:
        """Look a topic or queue that is gone up the next time: it may be made again, perhaps elsewhere."""
        if isinstance(error, ResourceNotFound):
            self._destinations.pop(name, None)

    def _pace(self, destination: Destination, count: int) -> Steps[None]:
        if self._rate is None:
            return
        bucket = self._buckets.get(destination.id)
        if bucket is None:
            bucket = self._buckets.setdefault(destination.id, TokenBucket(self._rate, self._burst))
        seconds = bucket.take(count)
        if seconds > 0:
            yield Wait(seconds)

    def _audit(self, destination: Destination, entry: BatchEntry, id: str | None, error: str) -> None:
        """Call the audit hook, which cannot make a message fail that has been sent."""
        if self._on_sent is None:
            return
        attributes = entry.request.get("MessageAttributes", {})
        record = Sent(
            service=self.service,
            resource=destination.id,
            id=id,
            size=entry.size,
            attributes=tuple(attributes),
            group=entry.group,
            offloaded=self.offload is not None and self.offload.attribute in attributes,
            error=error,
            body=entry.request[self.body_parameter] if self._audit_bodies else None,
        )
        try:
            self._on_sent(record)
        except Exception:
            from logging import getLogger

            getLogger("adapters").exception("the on_sent hook failed")


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 128 and _ID_CHARACTERS.issuperset(value)


def _check_limits(attributes: int, size: int, max_bytes: int) -> None:
    if attributes > MOST:
        raise InvalidMessage(
            f"it has {attributes} attributes, the session's included; SQS takes ten, and SNS discards a message "
            "with more for a subscription with raw delivery"
        )
    if size > max_bytes:
        raise MessageTooLarge(
            f"it has {size:,} bytes with its attributes, and {max_bytes:,} are the most; shorten it, or give "
            "offload=Offload(...) so that the body travels through S3"
        )
