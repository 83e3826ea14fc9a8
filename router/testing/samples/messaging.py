"""Messages of SQS and SNS, SNS inside SQS included."""

from __future__ import annotations

import base64
import hashlib
import re
from decimal import Decimal

from router.testing.samples._common import (
    ACCOUNT,
    REGION,
    alphanumeric_id,
    arn,
    as_text,
    base64_id,
    epoch_millis,
    hex_id,
    iso_millis,
    items,
    moment,
    one_each,
    session_text,
    uuid_id,
)

__all__ = ["sns", "sns_in_sqs", "sqs", "sqs_record"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    Attributes = Mapping[str, Any]  # of str, int, float, Decimal, bytes or list
    Session = Mapping[str, Any] | str

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}(\.fifo)?")
_FIRST_SEQUENCE = 18849496460467696128
_RAW_DELIVERY_ATTRIBUTES = 10


def sqs(
    queue: str,
    bodies: Sequence[Any],
    *,
    fifo: bool | None = None,
    group: str | Sequence[str] | None = None,
    attributes: Attributes | None = None,
    receive_count: int = 1,
    session: Session | None = None,
    message_ids: Sequence[str] | None = None,
    dead_letter_of: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A batch of SQS messages.

    `bodies` are text, UTF-8 bytes, or anything that JSON can hold. `attributes` and `session` go on every message; for
    different ones, put several `sqs_record`s under "Records". `group` is one message group or one for each message;
    messages of a FIFO queue have "default" unless told otherwise. `dead_letter_of` names the queue a message failed in.
    """
    batch = items(bodies, "bodies")
    if group is None and _is_fifo(queue, fifo):
        group = "default"
    groups = [None] * len(batch) if group is None else one_each(group, len(batch), "group")
    ids = [None] * len(batch) if message_ids is None else one_each(message_ids, len(batch), "message_ids")
    return {
        "Records": [
            sqs_record(
                queue,
                body,
                fifo=fifo,
                group=groups[index],
                attributes=attributes,
                receive_count=receive_count,
                session=session,
                message_id=ids[index],
                position=index,
                dead_letter_of=dead_letter_of,
                region=region,
                account=account,
                timestamp=timestamp,
            )
            for index, body in enumerate(batch)
        ]
    }


def sqs_record(
    queue: str,
    body: Any,
    *,
    fifo: bool | None = None,
    group: str | None = None,
    attributes: Attributes | None = None,
    receive_count: int = 1,
    session: Session | None = None,
    message_id: str | None = None,
    position: int = 0,
    dead_letter_of: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """One SQS message; `position` in the batch tells equal messages apart and orders those of a FIFO queue."""
    if receive_count < 1:
        raise ValueError(f"receive_count counts from 1, got {receive_count}")
    is_fifo = _is_fifo(queue, fifo)
    text = as_text(body, "body")
    sent = epoch_millis(moment(timestamp))
    identity = message_id or uuid_id("sqs", queue, position, text)
    system = {
        "ApproximateReceiveCount": str(receive_count),
        "SentTimestamp": str(sent),
        "SenderId": f"AIDA{alphanumeric_id(17, 'sender', account)}",
        "ApproximateFirstReceiveTimestamp": str(sent + 1),
    }
    if group is not None or is_fifo:
        system["MessageGroupId"] = group or "default"
    if is_fifo:
        system["SequenceNumber"] = str(_FIRST_SEQUENCE + position * 256)
        system["MessageDeduplicationId"] = hashlib.sha256(text.encode()).hexdigest()
    if dead_letter_of is not None:
        system["DeadLetterQueueSourceArn"] = arn("sqs", region, account, dead_letter_of)
    record: dict[str, Any] = {
        "messageId": identity,
        # A message has a new receipt handle each time it is received.
        "receiptHandle": f"AQEB{base64_id(120, identity, receive_count)}",
        "body": text,
        "attributes": system,
        "messageAttributes": {name: _sqs_attribute(*typed) for name, typed in _typed(attributes, session).items()},
        "md5OfBody": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn("sqs", region, account, queue),
        "awsRegion": region,
    }
    if record["messageAttributes"]:
        record["md5OfMessageAttributes"] = _attributes_md5(_typed(attributes, session))
    return record


def _is_fifo(queue: str, fifo: bool | None) -> bool:
    """Whether a queue is FIFO: its name alone decides, so a contradicting `fifo` is refused."""
    _check_name(queue, 80)
    named = queue.endswith(".fifo")
    if fifo is not None and fifo is not named:
        rule = "ends" if fifo else "does not end"
        raise ValueError(f"the name of a {'FIFO' if fifo else 'standard'} queue {rule} in '.fifo', got {queue!r}")
    return named


def _check_name(name: str, longest: int) -> None:
    """Queue and topic names: letters, digits, hyphens, underscores, and .fifo at the end."""
    if len(name) > longest or not _NAME.fullmatch(name):
        raise ValueError(f"a name is 1 to {longest} letters, digits, '-' or '_' (and '.fifo'), got {name!r}")


def _typed(attributes: Attributes | None, session: Session | None) -> dict[str, tuple[str, str | bytes]]:
    """Message attributes as (data type, value); the session is one of them."""
    typed = {name: _typed_value(name, value) for name, value in (attributes or {}).items()}
    if session is not None:
        typed["session"] = ("String", session_text(session))
    return typed


def _typed_value(name: str, value: Any) -> tuple[str, str | bytes]:
    if isinstance(value, str):
        return "String", value
    if isinstance(value, bytes | bytearray | memoryview):
        return "Binary", bytes(value)
    if isinstance(value, list | tuple):
        return "String.Array", as_text(list(value), f"attribute {name!r}")
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return "Number", str(value)
    raise ValueError(f"attribute {name!r} must be a string, a number, bytes or a list, got {type(value).__name__}")


def _sqs_attribute(data_type: str, value: str | bytes) -> dict[str, Any]:
    """A message attribute in the form of a Lambda event of SQS."""
    attribute: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": data_type}
    if isinstance(value, bytes):
        return {"binaryValue": base64.b64encode(value).decode(), **attribute}
    return {"stringValue": value, **attribute}


def _attributes_md5(typed: Mapping[str, tuple[str, str | bytes]]) -> str:
    """The checksum that SQS publishes for message attributes: each part with its length in front, sorted by name."""

    def sized(part: bytes) -> bytes:
        return len(part).to_bytes(4, "big") + part

    encoded = bytearray()
    for name in sorted(typed):
        data_type, value = typed[name]
        encoded += sized(name.encode()) + sized(data_type.encode())
        encoded += b"\x02" + sized(value) if isinstance(value, bytes) else b"\x01" + sized(value.encode())
    return hashlib.md5(encoded, usedforsecurity=False).hexdigest()


def sns(
    topic: str,
    messages: Sequence[Any],
    *,
    subject: str | None = None,
    attributes: Attributes | None = None,
    session: Session | None = None,
    message_ids: Sequence[str] | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """Notifications of an SNS topic. SNS itself puts one in each event; several are for tests of handlers that loop."""
    if topic.endswith(".fifo"):
        raise ValueError("a FIFO topic does not deliver to Lambda, only to queues: use sns_in_sqs")
    batch = items(messages, "messages")
    ids = [None] * len(batch) if message_ids is None else one_each(message_ids, len(batch), "message_ids")
    subscription = _subscription(topic, region, account)
    records = []
    for index, message in enumerate(batch):
        notice = _notification(
            topic,
            message,
            message_id=ids[index],
            position=index,
            region=region,
            account=account,
            timestamp=timestamp,
        )
        notice["Subject"] = subject
        # Lambda events spell these two unlike the envelope that SNS sends to queues.
        notice["SigningCertUrl"] = notice.pop("SigningCertURL")
        notice["UnsubscribeUrl"] = notice.pop("UnsubscribeURL")
        notice["MessageAttributes"] = _sns_attributes(attributes, session)
        records.append(
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription,
                "Sns": notice,
            }
        )
    return {"Records": records}


def sns_in_sqs(
    topic: str,
    messages: Sequence[Any],
    *,
    queue: str | None = None,
    raw: bool = False,
    subject: str | None = None,
    group: str | Sequence[str] | None = None,
    attributes: Attributes | None = None,
    session: Session | None = None,
    receive_count: int = 1,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """SNS messages that arrive through a queue (named as the topic unless told otherwise).

    Without `raw` the SQS body is the SNS envelope with the attributes in it; with raw delivery the body is the message,
    and the attributes are those of the SQS message.
    """
    _check_name(topic, 256)
    batch = items(messages, "messages")
    if raw and len(_typed(attributes, session)) > _RAW_DELIVERY_ATTRIBUTES:
        raise ValueError(f"raw delivery takes at most {_RAW_DELIVERY_ATTRIBUTES} attributes: SNS drops the message")
    envelopes = []
    for index, message in enumerate(() if raw else batch):
        envelope = _notification(
            topic, message, message_id=None, position=index, region=region, account=account, timestamp=timestamp
        )
        if subject is not None:
            envelope["Subject"] = subject
        if attributes or session is not None:
            envelope["MessageAttributes"] = _sns_attributes(attributes, session)
        envelopes.append(envelope)
    return sqs(
        queue or topic,
        envelopes or batch,
        group=group,
        attributes=attributes if raw else None,
        session=session if raw else None,
        receive_count=receive_count,
        region=region,
        account=account,
        timestamp=timestamp,
    )


def _notification(
    topic: str,
    message: Any,
    *,
    message_id: str | None,
    position: int,
    region: str,
    account: str,
    timestamp: datetime | None,
) -> dict[str, Any]:
    """The fields of a notification that the Lambda event and the envelope for queues have in common."""
    _check_name(topic, 256)
    text = as_text(message, "message")
    endpoint = f"https://sns.{region}.amazonaws.com"
    notice = {
        "Type": "Notification",
        "MessageId": message_id or uuid_id("sns", topic, position, text),
        "TopicArn": arn("sns", region, account, topic),
        "Message": text,
        "Timestamp": iso_millis(moment(timestamp)),
        "SignatureVersion": "1",
        "Signature": base64_id(256, "signature", topic, text),
        "SigningCertURL": f"{endpoint}/SimpleNotificationService-{hex_id(32, 'certificate', region)}.pem",
        "UnsubscribeURL": f"{endpoint}/?Action=Unsubscribe&SubscriptionArn={_subscription(topic, region, account)}",
    }
    if topic.endswith(".fifo"):
        notice["SequenceNumber"] = f"{10_000_000_000_000_000_000 + position * 1000}"
    return notice


def _subscription(topic: str, region: str, account: str) -> str:
    return f"{arn('sns', region, account, topic)}:{uuid_id('subscription', topic)}"


def _sns_attributes(attributes: Attributes | None, session: Session | None) -> dict[str, Any]:
    """Message attributes in the form of SNS."""
    return {
        name: {"Type": kind, "Value": base64.b64encode(value).decode() if isinstance(value, bytes) else value}
        for name, (kind, value) in _typed(attributes, session).items()
    }


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "sqs": lambda: sqs("orders", [{"id": 1}, {"id": 2}], attributes={"kind": "new"}),
    "sns": lambda: sns("order-events", [{"id": 1}], subject="Order placed", attributes={"kind": "new"}),
}
