"""aws-lambda-powertools' idempotency inside of its batch processor, by the ids of messages, as its guide shows it."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def build(work: "Callable[[Any], object]", table: str, client: "Any") -> "Callable[[dict[str, Any], Any], Any]":
    """A batch processor whose record handler does `work` on the body, once for each message."""
    processor = BatchProcessor(event_type=EventType.SQS)
    config = IdempotencyConfig(event_key_jmespath="messageId")
    store = DynamoDBPersistenceLayer(table_name=table, boto3_client=client)

    @idempotent_function(data_keyword_argument="record", config=config, persistence_store=store)
    def order(record: SQSRecord) -> None:
        work(record.json_body)

    def handler(event: "dict[str, Any]", context: "Any") -> "Any":
        config.register_lambda_context(context)
        return process_partial_response(event=event, record_handler=order, processor=processor, context=context)

    return handler
