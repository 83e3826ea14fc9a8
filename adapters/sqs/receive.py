"""Receiving outside of Lambda, and what is done with a received message."""

from __future__ import annotations

from adapters._core.batches import Delivery, Entry, cut
from adapters._core.blocking import loop_runs
from adapters._core.steps import BlockingCall
from adapters.sqs.send import QueueSender, queue_arn, whole_seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable
    from typing import Any

    from adapters._core.sender import Target
    from adapters._core.steps import Steps
    from router.event import Event

_LONGEST_VISIBILITY = 43_200
_LONGEST_POLL = 20


class Sqs(QueueSender):
    """Sends to queues, and receives from them outside of Lambda.

    aws: who calls; that of the environment when none is given. policy: signs sessions where no resolver runs.
    claims: a `ClaimCheck` for bodies that are too large. rate, burst: at most so many messages a second from this
    process to a queue. content_deduplication: on FIFO queues the id is the SHA-256 of the body where none is given.
    on_message: told of each message (`Sent`); its body is left out unless audit_bodies.

    A queue is a name, a URL, an ARN, or a key of `Settings(queues=...)`. A name goes through the template
    `Settings(queue_name=...)`; its URL is made of the settings' region and account, else looked up, once.
    """

    # ---- receiving ---------------------------------------------------------------------------------------------

    def receive(
        self, queue: str, *, most: int = 10, wait: float = _LONGEST_POLL, visibility: float | None = None
    ) -> list[dict[str, Any]]:
        """Receive messages, as Lambda would deliver them: `resolver.resolve({"Records": sqs.receive("orders")})`.

        most: 1 to 10. wait: seconds until the first message comes, 20 at most. visibility: seconds until they come
        again unless deleted; that of the queue by default.
        """
        return self._run(self._receive(queue, most, wait, visibility), "receive")

    async def receive_async(
        self, queue: str, *, most: int = 10, wait: float = _LONGEST_POLL, visibility: float | None = None
    ) -> list[dict[str, Any]]:
        """`receive` from async code; it waits in threads of its own, so that nothing else waits with it."""
        return await self.aws.run_async(self._receive(queue, most, wait, visibility))

    def _receive(self, queue: str, most: int, wait: float, visibility: float | None) -> Steps[list[dict[str, Any]]]:
        if type(most) is not int or not 1 <= most <= 10:
            raise ConfigurationError(f"receive(most={most!r}): give 1 to 10")
        seconds = whole_seconds("wait", wait, _LONGEST_POLL)
        if seconds >= self.settings.read_timeout:
            raise ConfigurationError(
                f"receive(wait={wait!r}) is over Settings(read_timeout={self.settings.read_timeout!r})"
            )
        parameters: dict[str, Any] = {
            "MaxNumberOfMessages": most,
            "WaitTimeSeconds": seconds,
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        }
        if visibility is not None:
            parameters["VisibilityTimeout"] = whole_seconds("visibility", visibility, _LONGEST_VISIBILITY)
        target = yield from self._target(queue)
        parameters["QueueUrl"] = target.id
        try:
            answer = yield self.aws.step(
                "sqs", "receive_message", region=target.region, long=True, parameters=parameters
            )
        except Exception as error:
            self._forget(queue, error)
            raise
        messages = answer.get("Messages", ())
        if not messages:
            return []
        arn = yield BlockingCall(self._arn, target)
        return [as_delivered(message, arn) for message in messages]

    def delete_many(self, queue: str, records: Iterable[Any]) -> None:
        """Delete received messages, given as records or receipt handles, in batches of ten.

        What SQS refuses is tried again, with pauses; then `PartialFailure` says which were not deleted.
        """
        self._run(self._change_many(queue, records, "delete_message_batch", {}), "delete_many")

    async def delete_many_async(self, queue: str, records: Iterable[Any]) -> None:
        """`delete_many` from async code, without blocking its loop."""
        await self.aws.run_async(self._change_many(queue, records, "delete_message_batch", {}))

    def change_visibility(self, queue: str, records: Iterable[Any], seconds: float) -> None:
        """Let received messages, given as records or receipt handles, come again in so many seconds from now.

        seconds: 0 to 43200; fractions are rounded up. Raises PartialFailure as `delete_many` does.
        """
        self._run(self._visibility(queue, records, seconds), "change_visibility")

    async def change_visibility_async(self, queue: str, records: Iterable[Any], seconds: float) -> None:
        """`change_visibility` from async code, without blocking its loop."""
        await self.aws.run_async(self._visibility(queue, records, seconds))

    def _visibility(self, queue: str, records: Iterable[Any], seconds: float) -> Steps[None]:
        timeout = whole_seconds("seconds", seconds, _LONGEST_VISIBILITY)
        yield from self._change_many(queue, records, "change_message_visibility_batch", {"VisibilityTimeout": timeout})

    # ---- Retry(after=...) --------------------------------------------------------------------------------------

    def delay(self, event: Event, seconds: float) -> Awaitable[None] | None:
        """Let the message of an event come again in so many seconds: what `Resolver(delay=...)` takes.

        In async code it gives something to await; else it has been done on return. Fractions are rounded up.
        """
        if loop_runs():
            return self.delay_async(event, seconds)
        self.aws.run(self._delay(event, seconds))
        return None

    async def delay_async(self, event: Event, seconds: float) -> None:
        """`delay` from async code alone."""
        await self.aws.run_async(self._delay(event, seconds))

    def _delay(self, event: Event, seconds: float) -> Steps[None]:
        record = event.record if isinstance(event.record, dict) else {}
        arn, handle = record.get("eventSourceARN"), record.get("receiptHandle")
        if event.source != "sqs" or type(arn) is not str or type(handle) is not str:
            raise ConfigurationError(f"Sqs.delay is for messages of SQS, not for {event!r}")
        timeout = whole_seconds("seconds", seconds, _LONGEST_VISIBILITY)
        target = yield from self._target(arn)
        parameters = {"QueueUrl": target.id, "ReceiptHandle": handle, "VisibilityTimeout": timeout}
        yield self.aws.step("sqs", "change_message_visibility", region=target.region, parameters=parameters)

    # ---- how ---------------------------------------------------------------------------------------------------

    def _change_many(self, queue: str, records: Iterable[Any], operation: str, further: dict[str, Any]) -> Steps[None]:
        """Delete messages or change their visibility, in batches."""
        entries = [
            Entry(position, record, "", {"ReceiptHandle": _handle(record), **further}, 0, None)
            for position, record in enumerate(records)
        ]
        if not entries:
            return
        target = yield from self._target(queue)

        def request(batch: list[Entry]) -> Steps[Any]:
            asked = [{"Id": str(entry.position), **entry.request} for entry in batch]
            parameters = {"QueueUrl": target.id, "Entries": asked}
            return (yield self.aws.step("sqs", operation, region=target.region, parameters=parameters))

        delivery = Delivery(
            request, ordered=False, attempts=self.settings.attempts, base=self.settings.backoff, told=_nobody
        )
        try:
            yield from delivery.run(list(cut(entries, 1)), service="sqs", operation=operation, resource=target.id)
        except Exception as error:
            self._forget(queue, error)
            raise

    def _arn(self, target: Target) -> str:
        return queue_arn(target.id, target.region or self.aws.region)


def _nobody(entry: Entry, id: str | None, code: str) -> None:
    """Deletes are not audited."""


def _handle(record: Any) -> str:
    handle = record.get("receiptHandle") if isinstance(record, dict) else record
    if not isinstance(handle, str) or not handle:
        raise ConfigurationError("give received records or their receipt handles")
    return handle


def as_delivered(message: dict[str, Any], arn: str) -> dict[str, Any]:
    """A received message in the shape of a record of Lambda's SQS event."""
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
