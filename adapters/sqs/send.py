"""Sending to queues, and what a queue's URL is."""

from __future__ import annotations

import re
from math import ceil
from urllib.parse import urlsplit

from adapters._core.message import as_message
from adapters._core.outgoing import CURRENT
from adapters._core.sender import Sender, Target
from adapters.errors import InvalidMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from adapters._core.message import Message
    from adapters._core.outgoing import Outgoing

_LONGEST_DELAY = 900
# What is not a character of XML 1.0 (SQS API reference, SendMessage).
_REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class QueueSender(Sender):
    """The half of `Sqs` that sends."""

    service = "sqs"
    operation = "send_message_batch"
    id_parameter = "QueueUrl"
    body_parameter = "MessageBody"
    entries_parameter = "Entries"
    limit = "queue_max_bytes"

    def send(
        self,
        queue: str,
        content: Any,
        *,
        attributes: Mapping[str, Any] | None = None,
        delay: float | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        session: Outgoing = CURRENT,
    ) -> str:
        """Send one message and give its id. content: text, bytes of UTF-8 text, anything that JSON can hold,
        or a Message.

        delay: seconds until it can be received, 0 to 900 (a FIFO queue has one delay for all). session: the current one
        unless another is given; None attaches none. group, deduplication: of FIFO queues. Raises AdapterError.
        """
        message = as_message(
            content, attributes=attributes, delay=delay, group=group, deduplication=deduplication, session=session
        )
        return self._run(self._one(queue, message, "send_message"), "send")

    async def send_async(
        self,
        queue: str,
        content: Any,
        *,
        attributes: Mapping[str, Any] | None = None,
        delay: float | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        session: Outgoing = CURRENT,
    ) -> str:
        """`send` from async code, without blocking its loop."""
        message = as_message(
            content, attributes=attributes, delay=delay, group=group, deduplication=deduplication, session=session
        )
        return await self.aws.run_async(self._one(queue, message, "send_message"))

    def send_many(self, queue: str, messages: Iterable[Any]) -> list[str]:
        """Send values or `Message`s in batches, and give their ids in order.

        All are checked before the first is sent. What SQS refuses is sent again, with pauses; then `PartialFailure`
        says which were not taken.
        """
        return self._run(self._many(queue, messages), "send_many")

    async def send_many_async(self, queue: str, messages: Iterable[Any]) -> list[str]:
        """`send_many` from async code, without blocking its loop."""
        return await self.aws.run_async(self._many(queue, messages))

    def _options(self, target: Target, message: Message, body: str) -> dict[str, Any]:
        if message.subject is not None:
            raise InvalidMessage("SQS messages have no subject; that is of SNS")
        refused = _REFUSED.search(body)
        if refused is not None:
            raise InvalidMessage(
                f"the character U+{ord(refused[0]):04X} at {refused.start()} is not allowed by SQS; send base64 or JSON"
            )
        if message.delay is None:
            return {}
        if target.fifo:
            raise InvalidMessage("a FIFO queue has no delay= of single messages; set the delay of the queue")
        return {"DelaySeconds": whole_seconds("delay", message.delay, _LONGEST_DELAY)}

    # ---- names -------------------------------------------------------------------------------------------------

    def _resolve(self, name: str) -> Target:
        known = self.settings.queue(name)
        if known.startswith(("https://", "http://")):
            return Target(known, self._elsewhere(_region_of(known)))
        if known.startswith("arn:"):
            region, account, plain = known.split(":")[3:6]
            return Target(f"{self._endpoint(self._elsewhere(region))}/{account}/{plain}", self._elsewhere(region))
        if self.settings.account is not None:
            return Target(f"{self._endpoint(None)}/{self.settings.account}/{known}")
        return Target(str(self.aws.call("sqs", "get_queue_url", QueueName=known)["QueueUrl"]))

    def _endpoint(self, region: str | None) -> str:
        url: str = self.aws.client("sqs", region).meta.endpoint_url
        return url.rstrip("/")


def queue_arn(url: str, region: str) -> str:
    """The ARN of a queue, from its URL."""
    from adapters.sns import partition

    account, name = urlsplit(url).path.strip("/").split("/")[-2:]
    return f"arn:{partition(region)}:sqs:{region}:{account}:{name}"


def _region_of(url: str) -> str | None:
    """The region in the URL of a queue of AWS; None for other servers."""
    parts = (urlsplit(url).hostname or "").split(".")
    return parts[1] if len(parts) > 3 and parts[0] == "sqs" else None


def whole_seconds(name: str, value: float, most: int) -> int:
    """Seconds as SQS takes them: whole, rounded up, from 0 to `most`. Raises InvalidMessage."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise InvalidMessage(f"{name}={value!r}: give 0 to {most} seconds")
    return ceil(value)
