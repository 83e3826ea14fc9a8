"""`Destinations`: what became of an asynchronous event is sent where the function's settings say."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from router.local.lambda_api.json_text import as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.local.lambda_api.asynchronous import Ended

_TRIES = (0.5, 1, 2, 4, 8)  # seconds between two tries: the emulator may be starting again
_LONGEST_MESSAGE = 1024  # characters of the error in the attributes of a dead letter


class Destinations:
    """Send records and dead letters to the emulator.

    clients: makes a boto3 client of a service; None where there is no AWS.
    call: hands a record to a function of this run; it takes the ARN and the record, and may raise.
    tell: is told, in words, of what could not be delivered, and of events that are gone.
    """

    def __init__(
        self,
        clients: Callable[[str], Any] | None,
        call: Callable[[str, dict[str, Any]], None],
        tell: Callable[[str], None],
    ) -> None:
        self._clients = clients
        self._call = call
        self._tell = tell

    async def send(self, ended: Ended) -> None:
        """Send what became of an event. It tells of failures, and raises nothing for them."""
        settings = ended.waiting.named.function.asynchronous
        done = ended.condition == "Success"
        destination = settings.on_success if done else settings.on_failure
        if destination:
            await self._deliver(destination, ended)
        if done:
            return
        if settings.dead_letters:
            await self._deliver(settings.dead_letters, ended, dead_letter=True)
        if not destination and not settings.dead_letters:
            tries = ended.waiting.attempts
            self._tell(
                f"an asynchronous event of {ended.waiting.named.function.name} is given up after {tries} "
                f"{'attempt' if tries == 1 else 'attempts'} ({ended.condition}), and nothing takes it: neither a "
                "destination for failures nor a dead-letter queue is set"
            )

    async def _deliver(self, arn: str, ended: Ended, *, dead_letter: bool = False) -> None:
        failure: Exception | None = None
        for pause in (*_TRIES, None):
            try:
                await self._hand_over(arn, ended, dead_letter)
                return
            except Exception as error:
                failure = error
            if pause is None or self._clients is None:
                break
            await asyncio.sleep(pause)
        what = "dead letter" if dead_letter else "record"
        self._tell(f"the {what} of {ended.waiting.call.request_id} could not be sent to {arn}: {failure}")

    async def _hand_over(self, arn: str, ended: Ended, dead_letter: bool) -> None:
        service, name = _parts(arn)
        if service == "lambda" and not dead_letter:
            self._call(arn, record_of(ended))
            return
        if self._clients is None:
            raise LookupError("there is no AWS in this run")
        clients = self._clients
        if dead_letter:
            await asyncio.to_thread(_send_letter, clients, service, arn, ended)
        else:
            await asyncio.to_thread(_SENDING[service], clients, arn, name, ended)


def record_of(ended: Ended) -> dict[str, Any]:
    """Return the record of what became of an event, as destinations get it."""
    waiting, outcome = ended.waiting, ended.outcome
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": waiting.call.request_id,
            "functionArn": waiting.named.arn,
            "condition": ended.condition,
            "approximateInvokeCount": waiting.attempts,
        },
        "requestPayload": waiting.call.event,
    }
    if outcome is not None:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": waiting.named.version}
        if outcome.became != "answered":
            context["functionError"] = "Unhandled"
        record["responseContext"] = context
        record["responsePayload"] = ended.answer
    return record


def _parts(arn: str) -> tuple[str, str]:
    """Return the service and the name in an ARN. Raises LookupError for one that takes no records."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] not in (*_SENDING, "lambda"):
        raise LookupError("it is not the ARN of a queue, topic, bus, bucket or function")
    return parts[2], parts[5]


def _text(ended: Ended) -> str:
    return as_json(record_of(ended)).decode()


def _to_queue(clients: Callable[[str], Any], _arn: str, name: str, ended: Ended) -> None:
    queues = clients("sqs")
    queues.send_message(QueueUrl=queues.get_queue_url(QueueName=name)["QueueUrl"], MessageBody=_text(ended))


def _to_topic(clients: Callable[[str], Any], arn: str, _name: str, ended: Ended) -> None:
    clients("sns").publish(TopicArn=arn, Message=_text(ended))


def _to_bus(clients: Callable[[str], Any], arn: str, _name: str, ended: Ended) -> None:
    entry = {
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {'Success' if ended.condition == 'Success' else 'Failure'}",
        "Detail": _text(ended),
        "EventBusName": arn,
        "Resources": [arn, ended.waiting.named.arn],
    }
    answer = clients("events").put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise LookupError(answer["Entries"][0].get("ErrorMessage", "the bus did not take it"))


def _to_bucket(clients: Callable[[str], Any], _arn: str, name: str, ended: Ended) -> None:
    now = datetime.now(UTC)
    function = ended.waiting.named.function.name
    key = f"aws/lambda/async/{function}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{uuid4()}"
    clients("s3").put_object(Bucket=name, Key=key, Body=_text(ended).encode(), ContentType="application/json")


_SENDING = {"sqs": _to_queue, "sns": _to_topic, "events": _to_bus, "s3": _to_bucket}


def _send_letter(clients: Callable[[str], Any], service: str, arn: str, ended: Ended) -> None:
    """Send the event itself, with the reason in attributes."""
    error = ended.answer or {}
    reason = str(error.get("errorMessage", ended.condition)) if isinstance(error, dict) else ended.condition
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": ended.waiting.call.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": reason[:_LONGEST_MESSAGE] or ended.condition},
    }
    body = as_json(ended.waiting.call.event).decode()
    if service == "sqs":
        queues = clients("sqs")
        url = queues.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        queues.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    elif service == "sns":
        clients("sns").publish(TopicArn=arn, Message=body, MessageAttributes=attributes)
    else:
        raise LookupError("dead letters go to a queue or a topic")
