"""aws-lambda-powertools' batch processors; they know nothing of a session."""

from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    async_process_partial_response,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def build(work: "Callable[[Any], object]") -> "Callable[[dict[str, Any], Any], Any]":
    """A batch processor whose record handler does `work` on the body."""
    processor = BatchProcessor(event_type=EventType.SQS)

    def order(record: SQSRecord) -> None:
        work(record.json_body)

    def handler(event: "dict[str, Any]", context: "Any") -> "Any":
        return process_partial_response(event=event, record_handler=order, processor=processor, context=context)

    return handler


def build_async(
    work: "Callable[[Any], object]", pause: "Callable[[], Any] | None" = None
) -> "Callable[[dict[str, Any], Any], Any]":
    """The same with an async record handler; all records of a batch run at once."""
    processor = AsyncBatchProcessor(event_type=EventType.SQS)

    async def order(record: SQSRecord) -> None:
        if pause is not None:
            await pause()
        work(record.json_body)

    def handler(event: "dict[str, Any]", context: "Any") -> "Any":
        return async_process_partial_response(event=event, record_handler=order, processor=processor, context=context)

    return handler
