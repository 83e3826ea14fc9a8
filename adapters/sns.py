"""SNS: publish to topics, with the session attached.

    sns = Sns()                                               # region, credentials, names: from the environment
    sns.publish("order-events", {"id": 1}, attributes={"kind": "created"})
    await sns.publish_many_async("order-events", [{"id": 2}, Message({"id": 3}, attributes={"kind": "created"})])

Every verb has an `_async` twin. Topics may be encrypted: the role then needs `kms:GenerateDataKey` and `kms:Decrypt` on
the topic's key. Everything travels over TLS.
"""

from __future__ import annotations

from adapters._core.message import Message, as_message
from adapters._core.outgoing import CURRENT
from adapters._core.partitions import partition
from adapters._core.sender import Destination, Sender, Sent
from adapters.errors import InvalidMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from adapters._core.message import Deduplication, Group
    from adapters._core.outgoing import Outgoing


__all__ = ["Message", "Sent", "Sns"]


class Sns(Sender):
    """Publishes to topics.

    aws: makes the calls; by default one made of the environment.
    policy: signs sessions where no resolver runs.
    offload: an `Offload` for bodies that are too large.
    rate, burst: at most so many messages a second from this process to a topic, and at once after a quiet time.
    content_deduplication: on FIFO topics the id is the SHA-256 of the body where none is given.
    attribute_text: makes text of attributes that are numbers, booleans and the like; `str` for True -> "True".
    on_sent: called with an audit record (`Sent`) of each message; its body is left out unless `audit_bodies`.

    A topic is a name, an ARN, or a key of `Settings(topics=...)`. The ARN of a name is made of region, account and the
    template `Settings(topic_name=...)`, once.
    """

    service = "sns"
    operation = "publish_batch"
    id_parameter = "TopicArn"
    body_parameter = "Message"
    entries_parameter = "PublishBatchRequestEntries"
    limit = "topic_max_bytes"
    one_line = True

    def publish(
        self,
        topic: str,
        content: Any,
        *,
        attributes: Mapping[str, Any] | None = None,
        subject: str | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        session: Outgoing = CURRENT,
    ) -> str:
        """Publish one message and return its id.

        topic: its name, ARN, or a key of `Settings(topics=...)`.
        content: text, bytes of UTF-8 text, anything that JSON can hold, or a Message.
        attributes: see `Message`. subject: for mails.
        group: of a FIFO topic: messages of one group are delivered in order. On a standard topic it is handed on to
            the queues behind it, as their group for fair queues.
        deduplication: of a FIFO topic: within five minutes a second message with the same id is not delivered.
        session: the current one unless another is given; None attaches none.

        Raises:
            InvalidMessage: the message cannot be sent as it is.
            AdapterError: SNS refused it.
        """
        message = as_message(
            content, attributes=attributes, subject=subject, group=group, deduplication=deduplication, session=session
        )
        return self._run(self._send_one(topic, message, "publish"), "publish")

    async def publish_async(
        self,
        topic: str,
        content: Any,
        *,
        attributes: Mapping[str, Any] | None = None,
        subject: str | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        session: Outgoing = CURRENT,
    ) -> str:
        """`publish` from async code, without blocking its loop."""
        message = as_message(
            content, attributes=attributes, subject=subject, group=group, deduplication=deduplication, session=session
        )
        return await self.aws.run_async(self._send_one(topic, message, "publish"))

    def publish_many(
        self, topic: str, messages: Iterable[Any], *, group: Group = None, deduplication: Deduplication = None
    ) -> list[str]:
        """Publish values or `Message`s in batches, and return their ids in order.

        group, deduplication: of a FIFO topic, for messages that have none of their own: functions of the content, or
            one group for all.

        All are checked before the first is sent. What SNS refuses is sent again, with pauses.

        Raises:
            InvalidMessage: one of them cannot be sent as it is; nothing was sent.
            PartialFailure: some were not taken; it says which.
        """
        return self._run(self._send_many(topic, messages, group, deduplication), "publish_many")

    async def publish_many_async(
        self, topic: str, messages: Iterable[Any], *, group: Group = None, deduplication: Deduplication = None
    ) -> list[str]:
        """`publish_many` from async code, without blocking its loop."""
        return await self.aws.run_async(self._send_many(topic, messages, group, deduplication))

    def _resolve(self, name: str) -> Destination:
        known = self.settings.topic(name)
        if known.startswith("arn:"):
            return Destination(known, self._elsewhere(known.split(":")[3]))
        region = self.aws.region
        return Destination(f"arn:{partition(region)}:sns:{region}:{self.aws.account()}:{known}")

    def _options(self, destination: Destination, message: Message, body: str) -> dict[str, Any]:
        if message.delay is not None:
            raise InvalidMessage("SNS has no delay=; send to a queue for that")
        if message.subject is None:
            return {}
        subject = message.subject
        if not isinstance(subject, str) or not 0 < len(subject) <= 100 or not subject.isprintable():
            raise InvalidMessage("the subject must be 1 to 100 characters on one line")
        return {"Subject": subject}
