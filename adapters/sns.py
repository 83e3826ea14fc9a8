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
from adapters._core.sender import Sender, Target
from adapters.errors import InvalidMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from adapters._core.outgoing import Outgoing

__all__ = ["Message", "Sns"]

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b"}


class Sns(Sender):
    """Publishes to topics.

    aws: who calls; that of the environment when none is given. policy: signs sessions where no resolver runs.
    claims: a `ClaimCheck` for bodies that are too large. rate, burst: at most so many messages a second from this
    process to a topic. content_deduplication: on FIFO topics the id is the SHA-256 of the body where none is given.
    on_message: told of each message (`Sent`); its body is left out unless audit_bodies.

    A topic is a name, an ARN, or a key of `Settings(topics=...)`. The ARN of a name is made of region, account and the
    template `Settings(topic_name=...)`, once.
    """

    service = "sns"
    operation = "publish_batch"
    id_parameter = "TopicArn"
    body_parameter = "Message"
    entries_parameter = "PublishBatchRequestEntries"
    limit = "topic_max_bytes"

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
        """Publish one message and give its id. content: text, bytes of UTF-8 text, anything that JSON can hold,
        or a Message.

        session: the current one unless another is given; None attaches none. group, deduplication: of FIFO topics.
        Raises AdapterError.
        """
        message = as_message(
            content, attributes=attributes, subject=subject, group=group, deduplication=deduplication, session=session
        )
        return self._run(self._one(topic, message, "publish"), "publish")

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
        return await self.aws.run_async(self._one(topic, message, "publish"))

    def publish_many(self, topic: str, messages: Iterable[Any]) -> list[str]:
        """Publish values or `Message`s in batches, and give their ids in order.

        All are checked before the first is sent. What SNS refuses is sent again, with pauses; then `PartialFailure`
        says which were not taken.
        """
        return self._run(self._many(topic, messages), "publish_many")

    async def publish_many_async(self, topic: str, messages: Iterable[Any]) -> list[str]:
        """`publish_many` from async code, without blocking its loop."""
        return await self.aws.run_async(self._many(topic, messages))

    def _resolve(self, name: str) -> Target:
        known = self.settings.topic(name)
        if known.startswith("arn:"):
            return Target(known, self._elsewhere(known.split(":")[3]))
        region = self.aws.region
        return Target(f"arn:{partition(region)}:sns:{region}:{self.aws.account()}:{known}")

    def _options(self, target: Target, message: Message, body: str) -> dict[str, Any]:
        if message.delay is not None:
            raise InvalidMessage("SNS has no delay=; send to a queue for that")
        if message.subject is None:
            return {}
        subject = message.subject
        if not isinstance(subject, str) or not 0 < len(subject) <= 100 or not subject.isprintable():
            raise InvalidMessage("the subject must be 1 to 100 characters on one line")
        return {"Subject": subject}


def partition(region: str) -> str:
    """The part of AWS that a region belongs to, as ARNs name it."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")
