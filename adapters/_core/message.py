"""`Message`: one message of a batch, when it needs more than its content."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from adapters._core.characters import escaped
from adapters._core.outgoing import CURRENT
from adapters.errors import InvalidMessage
from router.encode import dumps
from router.errors import ConfigurationError, EncodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeAlias

    from adapters._core.outgoing import Outgoing
    from router.durations import Duration

    # The ids of several messages for FIFO; see `as_messages`.
    Group: TypeAlias = str | Callable[[Any], str] | None
    Deduplication: TypeAlias = Callable[[Any], str] | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message with what belongs to it; a bare value is a message without any of it.

    content: text as it is, bytes as UTF-8 text, anything else as JSON.
    attributes: text, numbers, bytes, lists and what JSON has a text for, by name; None leaves one out.
    subject: of SNS.
    group, deduplication: of FIFO topics and queues.
    delay: seconds or a timedelta, of SQS.
    session: the current one unless another is given; None for none.
    """

    content: Any = field(repr=False)
    attributes: Mapping[str, Any] | None = field(default=None, repr=False)
    subject: str | None = None
    group: str | None = None
    deduplication: str | None = None
    delay: Duration | None = None
    session: Outgoing = field(default=CURRENT, repr=False)


def as_message(entry: Any, session: Outgoing = CURRENT, **options: Any) -> Message:
    """Return a value as a Message (a mapping is content like any other value).

    A Message keeps what it has where an option is not given.
    """
    if not isinstance(entry, Message):
        return Message(entry, session=session, **options)
    changes = {name: value for name, value in options.items() if value is not None}
    if session is not CURRENT:
        changes["session"] = session
    return replace(entry, **changes) if changes else entry


def as_messages(entries: Iterable[Any], group: Group, deduplication: Deduplication) -> list[Message]:
    """Return values as Messages, with the ids of FIFO where they have none of their own.

    group: one for all of them, or a function of the content.
    deduplication: a function of the content.

    Raises:
        ConfigurationError: one deduplication id for all: the service would drop all but the first.
    """
    check_deduplication(deduplication)
    messages = [as_message(entry) for entry in entries]
    if group is None and deduplication is None:
        return messages
    return [_with_ids(message, group, deduplication) for message in messages]


def check_deduplication(deduplication: Deduplication) -> None:
    """Raise ConfigurationError for one deduplication id for several messages."""
    if deduplication is not None and not callable(deduplication):
        raise ConfigurationError(
            "deduplication= of several messages is a function of the content: of messages with one id the first is "
            "delivered, and no other"
        )


def _with_ids(message: Message, group: Group, deduplication: Deduplication) -> Message:
    ids: dict[str, Any] = {}
    if group is not None and message.group is None:
        ids["group"] = group(message.content) if callable(group) else group
    if deduplication is not None and message.deduplication is None:
        ids["deduplication"] = deduplication(message.content)
    return replace(message, **ids)


def text_of(content: Any) -> str:
    """Return a message's body. Raises InvalidMessage for what has no text form; the error does not quote it."""
    if isinstance(content, str):
        text = content
    elif isinstance(content, bytes | bytearray | memoryview):
        try:
            text = bytes(content).decode()
        except UnicodeDecodeError as error:
            raise InvalidMessage(
                f"the message is not UTF-8 text (byte {error.start}); send it as base64, or as a bytes attribute"
            ) from None
    else:
        try:
            text = escaped(dumps(content).decode())
        except EncodeError as error:
            raise InvalidMessage(f"the message {error}") from None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidMessage(f"the message is not valid text: half of a surrogate pair at {error.start}") from None
    if not text:
        raise InvalidMessage("the message is empty; SNS and SQS take at least one character")
    return text
