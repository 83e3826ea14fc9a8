"""A local AWS with what the template of the payments would create."""

from __future__ import annotations

import secrets

from adapters.idempotency import IdempotencyTable
from adapters.rate_limits import RateLimitTable
from adapters.tokens import DynamoDBTokenStore
from examples.guarded.storage import payments_table
from examples.local_aws import LocalAws


class Cloud(LocalAws):
    """Run a local AWS with the application's queue and tables."""

    queue_url = ""
    queue_arn = ""

    def create(self) -> None:
        """Create the queue and the tables."""
        self.queue_url, self.queue_arn = self.queue("settlements", VisibilityTimeout="0")
        payments_table(self.aws).create_table()
        IdempotencyTable(self.aws, table="idempotency").create_table()
        RateLimitTable(self.aws, table="rate-limits").create_table()
        DynamoDBTokenStore(self.aws, table="keys").create_table()

    def environment(self) -> dict[str, str]:
        """Return the environment of the function."""
        return {"AWS_ENDPOINT_URL": self.url, "SESSION_SECRET": secrets.token_hex(32)}
