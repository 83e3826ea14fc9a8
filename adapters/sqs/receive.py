"""Receiving outside of Lambda, and what is done with a received message."""

from __future__ import annotations

from time import time

from adapters._core.delivery import BatchEntry, Delivery, cut
from adapters._core.steps import BlockingCall
from adapters._core.whole_seconds import whole_seconds
from adapters.errors import AdapterError
from adapters.sqs.send import QueueSender, queue_arn
from adapters.sqs.visibility import LONGEST, is_over_limit, longest_delay, seconds_held
from router.background import loop_runs
from router.durations import seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable
    from typing import Any

    from adapters._core.sender import Destination
    from adapters._core.steps import Steps
    from router.durations import Duration
    from router.event import Event

_LONGEST_POLL = 20
_SHORTEST_GUESS = 60


class Sqs(QueueSender):
    """Sends to queues, and receives from them outside of Lambda.

    aws: makes the calls; by default one made of the environment.
    policy: signs sessions where no resolver runs.
    offload: an `Offload` for bodies that are too large.
    rate, burst: at most so many messages a second from this process to a queue, and at once after a quiet time.
    content_deduplication: on FIFO queues the id is the SHA-256 of the body where none is given.
    attribute_text: makes text of attributes that are numbers, booleans and the like; `str` for True -> "True".
    on_sent: called with an audit record (`Sent`) of each message; its body is left out unless `audit_bodies`.

    A queue is a name, a URL, an ARN, or a key of `Settings(queues=...)`. A name goes through the template
    `Settings(queue_name=...)`; its URL is made of the settings' region and account, else looked up, once.
    """

    # ---- receiving ---------------------------------------------------------------------------------------------

    def receive(
        self, queue: str, *, most: int = 10, wait: Duration = _LONGEST_POLL, visibility: Duration | None = None
    ) -> list[dict[str, Any]]:
        """Receive messages, as Lambda would deliver them: `resolver.resolve({"Records": sqs.receive("orders")})`.

        most: how many, 1 to 10.
        wait: for the first message; seconds or a timedelta, 20 seconds at most.
        visibility: how long they stay invisible unless deleted; seconds or a timedelta, by default that of the queue.
        """
        return self._run(self._receive(queue, most, wait, visibility), "receive")

    async def receive_async(
        self, queue: str, *, most: int = 10, wait: Duration = _LONGEST_POLL, visibility: Duration | None = None
    ) -> list[dict[str, Any]]:
        """`receive` from async code; it waits in threads of its own, so that nothing else waits with it."""
        return await self.aws.run_async(self._receive(queue, most, wait, visibility))

    def _receive(
        self, queue: str, most: int, wait: Duration, visibility: Duration | None
    ) -> Steps[list[dict[str, Any]]]:
        if type(most) is not int or not 1 <= most <= 10:
            raise ConfigurationError(f"receive(most={most!r}): give 1 to 10")
        poll = whole_seconds(wait, "wait", most=_LONGEST_POLL)
        if poll >= seconds(self.settings.read_timeout, "read_timeout"):
            raise ConfigurationError(
                f"receive(wait={wait!r}) is over Settings(read_timeout={self.settings.read_timeout!r})"
            )
        parameters: dict[str, Any] = {
            "MaxNumberOfMessages": most,
            "WaitTimeSeconds": poll,
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        }
        if visibility is not None:
            parameters["VisibilityTimeout"] = whole_seconds(visibility, "visibility", most=LONGEST)
        destination = yield from self._destination(queue)
        parameters["QueueUrl"] = destination.id
        try:
            answer = yield self.aws.step(
                "sqs", "receive_message", region=destination.region, long=True, parameters=parameters
            )
        except Exception as error:
            self._forget(queue, error)
            raise
        messages = answer.get("Messages", ())
        if not messages:
            return []
        arn = yield BlockingCall(self._arn, destination)
        return [as_delivered(message, arn) for message in messages]

    def delete_many(self, queue: str, records: Iterable[Any]) -> None:
        """Delete received messages, given as records or receipt handles, in batches of ten.

        What SQS refuses is tried again, with pauses; then `PartialFailure` says which were not deleted.
        """
        self._run(self._change_many(queue, records, "delete_message_batch", {}), "delete_many")

    async def delete_many_async(self, queue: str, records: Iterable[Any]) -> None:
        """`delete_many` from async code, without blocking its loop."""
        await self.aws.run_async(self._change_many(queue, records, "delete_message_batch", {}))

    def change_visibility(self, queue: str, records: Iterable[Any], visibility: Duration) -> None:
        """Change when received messages, given as records or receipt handles, are redelivered.

        visibility: counted from now; seconds or a timedelta. Fractions are rounded up. SQS takes 12 hours at most, from
            when a message was received, and refuses more.
        Raises PartialFailure as `delete_many` does.
        """
        self._run(self._change_visibility(queue, records, visibility), "change_visibility")

    async def change_visibility_async(self, queue: str, records: Iterable[Any], visibility: Duration) -> None:
        """`change_visibility` from async code, without blocking its loop."""
        await self.aws.run_async(self._change_visibility(queue, records, visibility))

    def _change_visibility(self, queue: str, records: Iterable[Any], visibility: Duration) -> Steps[None]:
        timeout = whole_seconds(visibility, "visibility", most=LONGEST)
        yield from self._change_many(queue, records, "change_message_visibility_batch", {"VisibilityTimeout": timeout})

    # ---- Retry(after=...) --------------------------------------------------------------------------------------

    def delay(self, event: Event, after: Duration) -> Awaitable[None] | None:
        """Have the message of an event redelivered after a time: what `Resolver(delay=...)` takes.

        after: seconds or a timedelta, 12 hours at most. Fractions are rounded up. What is left of the 12 hours that SQS
            keeps a message invisible, from when it was received, may be less: it is then the delay.
        In async code it returns something to await; else it has been done on return.
        """
        if loop_runs():
            return self.delay_async(event, after)
        self.aws.run(self._delay(event, after))
        return None

    async def delay_async(self, event: Event, after: Duration) -> None:
        """`delay` from async code alone."""
        await self.aws.run_async(self._delay(event, after))

    def _delay(self, event: Event, after: Duration) -> Steps[None]:
        record = event.record if isinstance(event.record, dict) else {}
        arn, handle = record.get("eventSourceARN"), record.get("receiptHandle")
        if event.source != "sqs" or type(arn) is not str or type(handle) is not str:
            raise ConfigurationError(f"Sqs.delay is for messages of SQS, not for {event!r}")
        timeout = min(whole_seconds(after, "after", most=LONGEST), longest_delay(seconds_held(record, time())))
        destination = yield from self._destination(arn)
        while True:
            parameters = {"ReceiptHandle": handle, "VisibilityTimeout": timeout}
            try:
                yield self._step(destination, "change_message_visibility", parameters)
            except AdapterError as error:
                if timeout < _SHORTEST_GUESS or not is_over_limit(error):
                    raise
                timeout //= 2  # it was received longer ago than anything says
            else:
                return

    # ---- how ---------------------------------------------------------------------------------------------------

    def _change_many(self, queue: str, records: Iterable[Any], operation: str, further: dict[str, Any]) -> Steps[None]:
        """Delete messages or change their visibility, in batches."""
        entries = [
            BatchEntry(position, record, {"ReceiptHandle": _handle(record), **further})
            for position, record in enumerate(records)
        ]
        if not entries:
            return
        destination = yield from self._destination(queue)

        def send(batch: list[BatchEntry]) -> Steps[Any]:
            return (yield self._step(destination, operation, {"Entries": [entry.with_id for entry in batch]}))

        where = {"service": "sqs", "operation": operation, "resource": destination.id}
        try:
            yield from Delivery(send, self.settings).run(list(cut(entries)), **where)
        except Exception as error:
            self._forget(queue, error)
            raise

    def _arn(self, destination: Destination) -> str:
        return queue_arn(destination.id, destination.region or self.aws.region)


def _handle(record: Any) -> str:
    handle = record.get("receiptHandle") if isinstance(record, dict) else record
    if not isinstance(handle, str) or not handle:
        raise ConfigurationError("give received records or their receipt handles")
    return handle


def as_delivered(message: dict[str, Any], arn: str) -> dict[str, Any]:
    """Return a received message in the shape of a record of Lambda's SQS event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: _attribute(attribute) for name, attribute in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }


def _attribute(attribute: dict[str, Any]) -> dict[str, Any]:
    held: dict[str, Any] = {"dataType": attribute["DataType"], "stringListValues": [], "binaryListValues": []}
    if "BinaryValue" in attribute:
        from base64 import b64encode

        return {**held, "binaryValue": b64encode(attribute["BinaryValue"]).decode()}
    return {**held, "stringValue": attribute["StringValue"]}
