"""`Sender`: the way of a message from a handler to the service; SNS and SQS fill in what differs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial

from adapters._core import message_attributes as attributes
from adapters._core.adapter import Adapter
from adapters._core.batches import Delivery, Entry, cut
from adapters._core.message import as_message, text_of
from adapters._core.outgoing import CURRENT, named_session
from adapters._core.rate_limit import Bucket
from adapters._core.steps import BlockingCall, Wait
from adapters.errors import InvalidMessage, MessageTooLarge, NotFoundError
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar, TypeAlias

    from adapters._core.message import Message
    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from adapters.offload import ClaimCheck
    from router.session import Policy

    Session: TypeAlias = tuple[str, str]  # the name of the attribute, and the wire form

# What a group or deduplication id may hold (SQS API reference, SendMessage).
_ID = frozenset(map(chr, range(33, 127)))


@dataclass(frozen=True, slots=True)
class Target:
    """A topic or queue. id: its ARN or URL. region: where it is, when that is not the region of the settings."""

    id: str
    region: str | None = None

    @property
    def fifo(self) -> bool:
        """Whether it keeps an order."""
        return self.id.endswith(".fifo")


@dataclass(frozen=True, slots=True)
class Sent:
    """What the audit hook is told of one message, once it is decided.

    id: of the message; None when it was not taken, and `error` is then the code. size: bytes that count for the limit.
    claim: whether the body went by claim check. body: only where `Sns(audit_bodies=True)` asks for it.
    """

    service: str
    resource: str
    id: str | None
    size: int
    attributes: tuple[str, ...]
    group: str | None
    claim: bool
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

    def __init__(
        self,
        aws: Aws | None = None,
        *,
        policy: Policy | None = None,
        claims: ClaimCheck | None = None,
        rate: float | None = None,
        burst: float | None = None,
        content_deduplication: bool = False,
        on_message: Callable[[Sent], object] | None = None,
        audit_bodies: bool = False,
    ) -> None:
        super().__init__(aws)
        self.policy = policy
        self.claims = claims
        self._rate = rate
        self._burst = burst
        if rate is not None:
            Bucket(rate, burst)  # refuses what makes no sense, now and not at the first message
        elif burst is not None:
            raise ConfigurationError(f"{type(self).__name__}(burst=...) needs rate=, messages a second")
        self._content_deduplication = content_deduplication
        self._on_message = on_message
        self._audit_bodies = audit_bodies
        self._targets: dict[str, Target] = {}
        self._buckets: dict[str, Bucket] = {}

    @property
    def max_bytes(self) -> int:
        """The largest message with its attributes, and the largest batch."""
        size: int = getattr(self.settings, self.limit)
        return size

    # ---- what differs ------------------------------------------------------------------------------------------

    @abstractmethod
    def _resolve(self, name: str) -> Target:
        """The topic or queue of a name; may call AWS."""

    @abstractmethod
    def _options(self, target: Target, message: Message, body: str) -> dict[str, Any]:
        """The parameters of a message besides body, attributes and ids. Raises InvalidMessage."""

    # ---- one, many ---------------------------------------------------------------------------------------------

    def _one(self, name: str, message: Message, operation: str) -> Steps[str]:
        sessions = self._sessions([message])
        target = yield from self._target(name)
        entry = yield from self._now_or_later([message], partial(self._entry, target, 0, message, message, sessions[0]))
        yield from self._pace(target, 1)
        try:
            parameters = {self.id_parameter: target.id, **entry.request}
            answer = yield self.aws.step(self.service, operation, region=target.region, parameters=parameters)
        except Exception as error:
            self._forget(name, error)
            self._tell(target, entry, None, str(getattr(error, "code", "")) or type(error).__name__)
            raise
        id = str(answer["MessageId"])
        self._tell(target, entry, id, "")
        return id

    def _many(self, name: str, given: Iterable[Any]) -> Steps[list[str]]:
        given = list(given)
        if not given:
            return []
        messages = [as_message(one) for one in given]
        sessions = self._sessions(messages)
        target = yield from self._target(name)
        entries = yield from self._now_or_later(messages, partial(self._entries, target, given, messages, sessions))
        delivery = Delivery(
            partial(self._send_batch, target),
            ordered=target.fifo,
            attempts=self.settings.attempts,
            base=self.settings.backoff,
            told=partial(self._tell, target),
        )
        try:
            return (
                yield from delivery.run(
                    list(cut(entries, self.max_bytes)),
                    service=self.service,
                    operation=self.operation,
                    resource=target.id,
                )
            )
        except Exception as error:
            self._forget(name, error)
            raise

    def _send_batch(self, target: Target, batch: list[Entry]) -> Steps[Any]:
        yield from self._pace(target, len(batch))
        requests = [{"Id": str(entry.position), **entry.request} for entry in batch]
        parameters = {self.id_parameter: target.id, self.entries_parameter: requests}
        return (yield self.aws.step(self.service, self.operation, region=target.region, parameters=parameters))

    # ---- making an entry ---------------------------------------------------------------------------------------

    def _sessions(self, messages: list[Message]) -> list[Session | None]:
        """Each message's session as it travels; read here, in the context of the caller."""
        current = named_session(CURRENT, self.policy) if any(one.session is CURRENT for one in messages) else None
        return [
            current if message.session is CURRENT else named_session(message.session, self.policy)
            for message in messages
        ]

    def _now_or_later(self, messages: list[Any], prepare: Callable[[], Any]) -> Steps[Any]:
        """Prepare messages: few of them at once, many (or those that may go to S3) as a step, off the event loop."""
        if self.claims is None and len(messages) <= 10:
            return prepare()
        return (yield BlockingCall(prepare))

    def _entries(
        self, target: Target, given: list[Any], messages: list[Message], sessions: list[Session | None]
    ) -> list[Entry]:
        """All of them, so that what cannot be sent is told before anything is sent."""
        return [
            self._entry(target, position, one, message, session)
            for position, (one, message, session) in enumerate(zip(given, messages, sessions, strict=True))
        ]

    def _entry(self, target: Target, position: int, given: Any, message: Message, session: Session | None) -> Entry:
        try:
            return self._checked(target, position, given, message, session)
        except InvalidMessage as error:
            # Said again with its place; what the message holds stays out of it.
            raise type(error)(
                f"{target.id} message #{position}: {error}",
                errors=error.errors,
                service=self.service,
                operation=self.operation,
                resource=target.id,
            ) from None

    def _checked(self, target: Target, position: int, given: Any, message: Message, session: Session | None) -> Entry:
        body = text_of(message.content)
        encoded = attributes.encode(message.attributes or {})
        if session is not None:
            name, wire = session
            encoded[name] = {"DataType": "String", "StringValue": wire}
        options = self._options(target, message, body)
        self._identify(target, message, body, options)
        size = len(body.encode()) + attributes.size_of(encoded)
        if self.claims is not None and self.claims.wants(size, self.max_bytes):
            body, pointer = self.claims.check_in(body, self.aws)
            encoded.update(attributes.encode(pointer))
            size = len(body.encode()) + attributes.size_of(encoded)
        self._check(encoded, size)
        request: dict[str, Any] = {self.body_parameter: body, **options}
        if encoded:
            request["MessageAttributes"] = encoded
        return Entry(position, given, body, request, size, message.group)

    def _check(self, encoded: dict[str, Any], size: int) -> None:
        if len(encoded) > attributes.MOST:
            raise InvalidMessage(
                f"it has {len(encoded)} attributes, the session's included; SQS takes ten, and SNS discards a message "
                "with more for a subscription with raw delivery"
            )
        if size > self.max_bytes:
            raise MessageTooLarge(
                f"it has {size:,} bytes with its attributes, and {self.max_bytes:,} are the most; shorten it, or give "
                "claims=ClaimCheck(...) so that the body travels through S3"
            )

    def _identify(self, target: Target, message: Message, body: str, options: dict[str, Any]) -> None:
        """The group and deduplication id of FIFO; a group on a standard queue makes it a fair one."""
        for name, value in (("group", message.group), ("deduplication", message.deduplication)):
            if value is not None and not (isinstance(value, str) and 0 < len(value) <= 128 and _ID.issuperset(value)):
                raise InvalidMessage(f"{name}= must be 1 to 128 printable ASCII characters without spaces")
        deduplication = message.deduplication
        if target.fifo:
            if message.group is None:
                raise InvalidMessage("a FIFO topic or queue needs group=, within which messages keep their order")
            if deduplication is None and self._content_deduplication:
                from hashlib import sha256

                deduplication = sha256(body.encode()).hexdigest()
        elif deduplication is not None:
            raise InvalidMessage("deduplication= is for FIFO topics and queues, whose names end in .fifo")
        if message.group is not None:
            options["MessageGroupId"] = message.group
        if deduplication is not None:
            options["MessageDeduplicationId"] = deduplication

    # ---- around it ---------------------------------------------------------------------------------------------

    def _target(self, name: str) -> Steps[Target]:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"{self.service}: give the name, ARN or URL, not {name!r}")
        target = self._targets.get(name)
        if target is None:
            target = yield BlockingCall(self._resolve, name)
            self._targets[name] = target
        return target

    def _elsewhere(self, region: str | None) -> str | None:
        """A region, when it is another one than that of the settings. A given endpoint serves every region."""
        if region is None or region == self.settings.region or self.settings.endpoint_of(self.service) is not None:
            return None
        return region

    def _forget(self, name: str, error: Exception) -> None:
        """A topic or queue that is gone may be made again, perhaps elsewhere: look it up the next time."""
        if isinstance(error, NotFoundError):
            self._targets.pop(name, None)

    def _pace(self, target: Target, count: int) -> Steps[None]:
        if self._rate is None:
            return
        bucket = self._buckets.setdefault(target.id, Bucket(self._rate, self._burst))
        seconds = bucket.take(count)
        if seconds > 0:
            yield Wait(seconds)

    def _tell(self, target: Target, entry: Entry, id: str | None, error: str) -> None:
        """The audit hook: it cannot make a message fail that has been sent."""
        if self._on_message is None:
            return
        held = entry.request.get("MessageAttributes", {})
        record = Sent(
            service=self.service,
            resource=target.id,
            id=id,
            size=entry.size,
            attributes=tuple(held),
            group=entry.group,
            claim=self.claims is not None and self.claims.attribute in held,
            error=error,
            body=entry.body if self._audit_bodies else None,
        )
        try:
            self._on_message(record)
        except Exception:
            from logging import getLogger

            getLogger("adapters").exception("the on_message hook failed")
