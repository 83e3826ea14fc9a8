"""The services that the application talks to. Nothing is connected before it is used."""

from __future__ import annotations

from datetime import timedelta

from adapters.aws import Aws, Settings
from adapters.environment import ParameterStore, SecretStore
from adapters.idempotency import IdempotencyTable
from adapters.rate_limits import RateLimitTable
from adapters.sqs import Sqs
from adapters.tokens import DynamoDBTokenStore, Tokens
from adapters.usage import UsageTable
from examples.guarded.storage import payments_table
from router.environment import Environment
from router.guards import CircuitBreaker, Idempotent, RateLimit

aws = Aws(Settings.from_env())
environment = Environment(
    app="pay",
    stage="demo",
    service="payments",
    stores=[ParameterStore(aws), SecretStore(aws)],  # asked for what the environment lacks
)
settings = environment.resolve(["OIDC_ISSUER", "SESSION_SECRET", "PAYMENTS_TABLE"])  # what is needed at import
queue = Sqs(aws)
payments = payments_table(aws, settings["PAYMENTS_TABLE"])
keys = Tokens(DynamoDBTokenStore(aws, table="keys"))
usage = UsageTable(aws, table="usage")
once = Idempotent(IdempotencyTable(aws, table="idempotency"), in_progress_for=timedelta(minutes=2))
# On the routes of clients alone: /health and messages are nobody who asks too much.
polite = RateLimit(RateLimitTable(aws, table="rate-limits"), rate=20, per=60, by="user")
to_the_bank = CircuitBreaker("bank", failures=2, open_for=1)
