"""Sending to queues, and what a queue's URL is."""

from __future__ import annotations

from urllib.parse import urlsplit

from adapters._core.message import as_message
from adapters._core.outgoing import CURRENT
from adapters._core.partitions import partition
from adapters._core.sender import Destination, Sender
from adapters._core.whole_seconds import whole_seconds
from adapters.errors import InvalidMessage
from router.trace_context import current_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from adapters._core.message import Deduplication, Group, Message
    from adapters._core.outgoing import Outgoing
    from adapters._core.steps import Steps
    from router.durations import Duration


_LONGEST_DELAY = 900


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
        delay: Duration | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        session: Outgoing = CURRENT,
    ) -> str:
        """Send one message and return its id.

        queue: its name, URL, ARN, or a key of `Settings(queues=...)`.
        content: text, bytes of UTF-8 text, anything that JSON can hold, or a Message.
        attributes: see `Message`.
        delay: seconds or a timedelta until it can be received, 15 minutes at most; a FIFO queue has one delay for all.
        group: of a FIFO queue: messages of one group are delivered in order. On a standard queue it makes it a fair
            one: a group with many messages does not hold up the others.
        deduplication: of a FIFO queue: within five minutes a second message with the same id is not delivered.
        session: the current one unless another is given; None attaches none.

        Raises:
            InvalidMessage: the message cannot be sent as it is.
            AdapterError: SQS refused it.
        """
        message = as_message(
            content, attributes=attributes, delay=delay, group=group, deduplication=deduplication, session=session
        )
        return self._run(self._send_one(queue, message, "send_message"), "send")

    async def send_async(
        self,
        queue: str,
        content: Any,
        *,
        attributes: Mapping[str, Any] | None = None,
        delay: Duration | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        session: Outgoing = CURRENT,
    ) -> str:
        """`send` from async code, without blocking its loop."""
        message = as_message(
            content, attributes=attributes, delay=delay, group=group, deduplication=deduplication, session=session
        )
        return await self.aws.run_async(self._send_one(queue, message, "send_message"))

    def send_many(
        self, queue: str, messages: Iterable[Any], *, group: Group = None, deduplication: Deduplication = None
    ) -> list[str]:
        """Send values or `Message`s in batches, and return their ids in order.

        group, deduplication: of a FIFO queue, for messages that have none of their own: functions of the content, or
            one group for all.

        All are checked before the first is sent. What SQS refuses is sent again, with pauses.

        Raises:
            InvalidMessage: one of them cannot be sent as it is; nothing was sent.
            PartialFailure: some were not taken; it says which.
        """
        return self._run(self._send_many(queue, messages, group, deduplication), "send_many")

    async def send_many_async(
        self, queue: str, messages: Iterable[Any], *, group: Group = None, deduplication: Deduplication = None
    ) -> list[str]:
        """`send_many` from async code, without blocking its loop."""
        return await self.aws.run_async(self._send_many(queue, messages, group, deduplication))

    def url(self, queue: str) -> str:
        """Return the URL of a queue, as other clients of SQS want it.

        queue: its name, URL, ARN, or a key of `Settings(queues=...)`.

        Raises:
            ResourceNotFound: there is none of this name, and `Settings(account=)` does not say whose it would be.
        """
        return self._run(self._url(queue), "url")

    async def url_async(self, queue: str) -> str:
        """`url` from async code, without blocking its loop."""
        return await self.aws.run_async(self._url(queue))

    def _url(self, queue: str) -> Steps[str]:
        destination = yield from self._destination(queue)
        return destination.id

    def _options(self, destination: Destination, message: Message, body: str) -> dict[str, Any]:
        if message.subject is not None:
            raise InvalidMessage("SQS messages have no subject; that is of SNS")
        options = _traced()
        if message.delay is None:
            return options
        if destination.fifo:
            raise InvalidMessage("a FIFO queue has no delay= of single messages; set the delay of the queue")
        return {**options, "DelaySeconds": whole_seconds(message.delay, "delay", most=_LONGEST_DELAY)}

    # ---- names -------------------------------------------------------------------------------------------------

    def _resolve(self, name: str) -> Destination:
        known = self.settings.queue(name)
        if known.startswith(("https://", "http://")):
            return Destination(known, self._elsewhere(_region_of(known)))
        if known.startswith("arn:"):
            region, account, plain = known.split(":")[3:6]
            return Destination(f"{self._endpoint(self._elsewhere(region))}/{account}/{plain}", self._elsewhere(region))
        if self.settings.account is not None:
            return Destination(f"{self._endpoint(None)}/{self.settings.account}/{known}")
        return Destination(str(self.aws.call("sqs", "get_queue_url", QueueName=known)["QueueUrl"]))

    def _endpoint(self, region: str | None) -> str:
        url: str = self.aws.client("sqs", region).meta.endpoint_url
        return url.rstrip("/")


def queue_arn(url: str, region: str) -> str:
    """Return the ARN of a queue, from its URL."""
    account, name = urlsplit(url).path.strip("/").split("/")[-2:]
    return f"arn:{partition(region)}:sqs:{region}:{account}:{name}"


def _region_of(url: str) -> str | None:
    """Return the region in the URL of a queue of AWS; None for other servers."""
    parts = (urlsplit(url).hostname or "").split(".")
    return parts[1] if len(parts) > 3 and parts[0] == "sqs" else None


def _traced() -> dict[str, Any]:
    """Return the parameters that carry the current trace. A system attribute counts for no limit of SQS."""
    trace = current_trace()
    if trace is None or trace.xray is None:
        return {}
    return {"MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": trace.xray}}}
