"""Queues as the console shows them: what is in them, what their messages are, redrive, and sending."""

from __future__ import annotations

import time
from json import loads
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlencode

from router.local.aws.clients import LOOPBACK
from router.local.aws.resources import code_of, url_of

if TYPE_CHECKING:
    from router.local.aws.clients import Clients

_MOST = 10
_SHOWN = 100  # messages, at most
_WORDS = {
    "visible": "ApproximateNumberOfMessages",
    "in_flight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}


class QueueState(TypedDict):
    """A queue. visible, in_flight, delayed: how many messages are so.

    dead_letter_of: the queues whose dead letters come here. dead_letters: the queue that takes those of this one.
    """

    name: str
    url: str
    visible: int
    in_flight: int
    delayed: int
    fifo: bool
    dead_letter_of: list[str]
    dead_letters: str | None


class Message(TypedDict):
    """A message, as it lies in its queue.

    sent: in epoch seconds. received: how often. visible: whether it could be received now.
    attributes: by name, the type and the text of each; binary ones have none.
    """

    id: str
    body: str
    sent: float
    received: int
    visible: bool
    group: str | None
    attributes: dict[str, Any]


class Redriven(TypedDict):
    """Tell what a redrive did. moved: messages by the queue that they went to. left: those that stay, and `why`."""

    moved: dict[str, int]
    left: int
    why: str


class Queues:
    """Shows and changes the queues of the emulator. clients: of the emulator."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def all(self) -> list[QueueState]:
        """Return the queues, by name."""
        sqs = self._clients("sqs")
        found: dict[str, QueueState] = {}
        urls = [url for page in sqs.get_paginator("list_queues").paginate() for url in page.get("QueueUrls", ())]
        for url in urls:
            try:
                held = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            except sqs.exceptions.ClientError as error:
                if "Exist" in code_of(error):  # deleted meanwhile
                    continue
                raise
            name = url.rpartition("/")[2]
            redrive = loads(held.get("RedrivePolicy") or "{}")
            target = redrive.get("deadLetterTargetArn", "").rpartition(":")[2]
            found[name] = {
                "name": name,
                "url": url,
                "visible": int(held.get(_WORDS["visible"], 0)),
                "in_flight": int(held.get(_WORDS["in_flight"], 0)),
                "delayed": int(held.get(_WORDS["delayed"], 0)),
                "fifo": name.endswith(".fifo"),
                "dead_letter_of": [],
                "dead_letters": target or None,
            }
        for queue in found.values():
            if queue["dead_letters"] in found:
                found[queue["dead_letters"]]["dead_letter_of"].append(queue["name"])
        return [found[name] for name in sorted(found)]

    def messages(self, name: str) -> list[Message]:
        """Return the first messages of a queue, and leave all of them as they are.

        MiniStack shows them. Another emulator has to be asked to hand them out: they are visible again at once, and
        have been received once more. Those that are in flight are not seen there.

        Raises:
            LookupError: there is no such queue.
        """
        url = self._url(name)
        shown = self._shown(url)
        if shown is not None:
            return [_shown(one) for one in shown[:_SHOWN]]
        held: list[dict[str, Any]] = []
        try:
            while len(held) < _SHOWN and (fresh := self._receive(url, visibility=30)):
                held += fresh
        finally:
            self._release(url, held)
        return [_message(one) for one in held]

    def _shown(self, url: str) -> list[dict[str, Any]] | None:
        """Return what MiniStack shows of a queue; None where the emulator is another one."""
        where = f"{self._clients.endpoint}/_ministack/sqs/messages?{urlencode({'QueueUrl': url})}"
        try:
            with LOOPBACK.open(where, timeout=10) as answer:
                told = loads(answer.read())["messages"]
        except (OSError, ValueError, KeyError):
            return None
        return [
            one for regions in told.values() for queues in regions.values() for held in queues.values() for one in held
        ]

    def send(
        self,
        name: str,
        body: str,
        *,
        attributes: dict[str, str] | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        delay: int = 0,
    ) -> str:
        """Send a message, and return its id.

        attributes: of the message, texts.
        group, deduplication: of a FIFO queue; by default one group, and a message that is like no other.
        delay: seconds until it is visible.

        Raises:
            LookupError: there is no such queue.
        """
        parameters: dict[str, Any] = {"QueueUrl": self._url(name), "MessageBody": body}
        if attributes:
            parameters["MessageAttributes"] = {
                key: {"DataType": "String", "StringValue": held} for key, held in attributes.items()
            }
        if name.endswith(".fifo"):
            parameters |= {
                "MessageGroupId": group or "console",
                "MessageDeduplicationId": deduplication or f"console-{time.time_ns()}",
            }
        elif delay:
            parameters["DelaySeconds"] = delay
        sent: str = self._clients("sqs").send_message(**parameters)["MessageId"]
        return sent

    def redrive(self, name: str) -> Redriven:
        """Move the messages of a dead-letter queue back to where they came from.

        One after the other is sent, and deleted then: when this stops half way, a message may be in both queues, and
        none is lost. Those that are not visible now stay.

        Raises:
            LookupError: there is no such queue.
            ValueError: no queue sends its dead letters there.
        """
        url = self._url(name)
        targets = [one["name"] for one in self.all() if one["dead_letters"] == name]
        if not targets:
            raise ValueError(f"no queue sends its dead letters to {name}")
        moved: dict[str, int] = {}
        stay: dict[str, dict[str, Any]] = {}  # what was received and not moved, by its id
        try:
            while fresh := self._receive(url, visibility=60):
                stay |= {one["MessageId"]: one for one in fresh}
                for one in fresh:
                    target = _origin(one) or (targets[0] if len(targets) == 1 else "")
                    if target in targets:
                        self._move(one, url, target)
                        del stay[one["MessageId"]]
                        moved[target] = moved.get(target, 0) + 1
        finally:
            self._release(url, list(stay.values()))
        why = f"nobody says from which of {', '.join(targets)} they came" if stay else ""
        return {"moved": moved, "left": len(stay), "why": why}

    def _url(self, name: str) -> str:
        try:
            return url_of(self._clients, name)
        except self._clients("sqs").exceptions.ClientError as error:
            if "Exist" not in code_of(error):
                raise
            raise LookupError(f"there is no queue {name!r:.200}") from None

    def _move(self, message: dict[str, Any], url: str, target: str) -> None:
        sqs, held = self._clients("sqs"), message.get("Attributes", {})
        parameters: dict[str, Any] = {"QueueUrl": url_of(self._clients, target), "MessageBody": message["Body"]}
        if attributes := message.get("MessageAttributes"):
            parameters["MessageAttributes"] = attributes
        if trace := held.get("AWSTraceHeader"):
            parameters["MessageSystemAttributes"] = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
        if target.endswith(".fifo"):
            parameters["MessageGroupId"] = held.get("MessageGroupId", "redriven")
            # Of its own: that of the message may be one that the queue has seen within five minutes, and would drop.
            parameters["MessageDeduplicationId"] = f"redriven-{message['MessageId']}-{time.time_ns()}"
        sqs.send_message(**parameters)
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _receive(self, url: str, *, visibility: int) -> list[dict[str, Any]]:
        answer = self._clients("sqs").receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_MOST,
            VisibilityTimeout=visibility,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def _release(self, url: str, messages: list[dict[str, Any]]) -> None:
        for start in range(0, len(messages), _MOST):
            some = messages[start : start + _MOST]
            self._clients("sqs").change_message_visibility_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": one["ReceiptHandle"], "VisibilityTimeout": 0}
                    for n, one in enumerate(some)
                ],
            )


def _origin(message: dict[str, Any]) -> str:
    """Return the queue that a dead letter came from; empty where the message does not say."""
    arn: str = message.get("Attributes", {}).get("DeadLetterQueueSourceArn", "")
    return arn.rpartition(":")[2]


def _shown(message: dict[str, Any]) -> Message:
    return {
        "id": message["MessageId"],
        "body": message["Body"],
        "sent": int(message["Attributes"].get("SentTimestamp", message["SentTimestamp"] * 1000)) / 1000,
        "received": message["ReceiveCount"],
        "visible": message["IsVisible"],
        "group": message["MessageGroupId"],
        "attributes": _attributes(message["MessageAttributes"]),
    }


def _message(message: dict[str, Any]) -> Message:
    held = message.get("Attributes", {})
    return {
        "id": message["MessageId"],
        "body": message["Body"],
        "sent": int(held.get("SentTimestamp", 0)) / 1000,
        "received": int(held.get("ApproximateReceiveCount", 1)),
        "visible": True,
        "group": held.get("MessageGroupId"),
        "attributes": _attributes(message.get("MessageAttributes", {})),
    }


def _attributes(held: dict[str, Any]) -> dict[str, Any]:
    return {name: {"type": one.get("DataType"), "value": one.get("StringValue")} for name, one in held.items()}
