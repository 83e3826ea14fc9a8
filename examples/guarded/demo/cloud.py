"""A local AWS with what the template of the payments would create."""

from __future__ import annotations

import json
import secrets
from typing import Any

from adapters.idempotency import IdempotencyTable
from adapters.rate_limits import RateLimitTable
from adapters.tokens import DynamoDBTokenStore
from adapters.usage import UsageTable
from examples.guarded.storage import payments_table
from examples.local_aws import LocalAws

PLACE = "pay/demo/payments"


class Cloud(LocalAws):
    """Run a local AWS with the application's queues, tables, parameters and secrets."""

    queue_url = ""
    queue_arn = ""
    alerts_url = ""

    def create(self) -> None:
        """Create the queues, the tables, and the place of each in Parameter Store."""
        self.queue_url, self.queue_arn = self.queue("settlements", VisibilityTimeout="0")
        self.alerts_url, _ = self.queue("alerts")
        payments_table(self.aws, "payments").create_table()
        IdempotencyTable(self.aws, table="idempotency").create_table()
        RateLimitTable(self.aws, table="rate-limits").create_table()
        DynamoDBTokenStore(self.aws, table="keys").create_table()
        UsageTable(self.aws, table="usage").create_table()
        self.parameter("PAYMENTS_TABLE", "payments")
        self.parameter("SETTLEMENTS", "settlements")
        secret = secrets.token_hex(32)
        self.aws.call("secretsmanager", "create_secret", Name=f"{PLACE}/SESSION_SECRET", SecretString=secret)

    def parameter(self, name: str, value: str) -> None:
        """Put a variable into Parameter Store."""
        self.aws.call("ssm", "put_parameter", Name=f"/{PLACE}/{name}", Value=value, Type="String")

    def received(self, url: str) -> list[dict[str, Any]]:
        """Return the messages that wait in a queue."""
        messages = self.aws.call("sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]
