"""Payments: who may call, with what, how often, and how it is seen. Requests and a queue, in one function."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from adapters.aws import Aws, Settings
from adapters.idempotency import IdempotencyTable
from adapters.rate_limits import RateLimitTable
from adapters.sqs import Sqs
from adapters.tokens import DynamoDBTokenStore, Tokens
from examples.guarded.bank import bank
from examples.guarded.storage import Payment, payments_table
from router import (
    BodyLimit,
    Cors,
    ETag,
    NotFound,
    QueueEvent,
    Resolver,
    SecurityHeaders,
    Session,
    SessionPolicy,
    Signing,
)
from router.guards import ApiKey, Idempotent, JsonSchema, Jwt, Permission, RateLimit, anyone, permission
from router.telemetry import LogFields

SCHEMAS = Path(__file__).parent / "schemas"
OF_A_MACHINE = JsonSchema(SCHEMAS / "payment-by-machine.json")  # which has to say what it pays for

aws = Aws(Settings.from_env())
queue = Sqs(aws)
payments = payments_table(aws)
keys = Tokens(DynamoDBTokenStore(aws, table="keys"))
once = Idempotent(IdempotencyTable(aws, table="idempotency"), in_progress_for=timedelta(minutes=2))

resolver = Resolver(
    # Any of them will do; the session then belongs to the owner, and goes along with each message, signed.
    auth=[Jwt(os.environ["OIDC_ISSUER"], audience="payments", tenant_claim="org", keep=["role"]), ApiKey(keys)],
    session=SessionPolicy(signing=Signing(os.environ["SESSION_SECRET"])),
    deny_by_default=True,
)
resolver.use(
    LogFields(redact=["authorization", "x-api-key", "account"]),  # every line says its event, and no account
    Cors("https://pay.example.com", headers=["authorization", "content-type", "idempotency-key"]),
    SecurityHeaders(),
    BodyLimit(16_384),
    RateLimit(RateLimitTable(aws, table="rate-limits"), rate=20, per=60, by="user"),
)


@dataclass
class NewPayment:
    """The body of POST /payments."""

    account: str
    cents: int
    note: str = ""


@permission
def admin(session: Session) -> bool:
    """Let in the administrators of a tenant."""
    return session.claims.get("role") == "admin"


def within(limit: int) -> Permission:
    """Let in payments up to a limit, in cents."""
    return permission(lambda payment: payment.cents <= limit)


# ---- requests ---------------------------------------------------------------------------------------------------


@resolver.post(
    "/payments",
    middleware=[JsonSchema(SCHEMAS / "payment.json", instead={"api-key": OF_A_MACHINE}), once],
    permission=within(100_000) | admin,
)
def pay(payment: NewPayment, session: Session) -> tuple[dict[str, Any], int]:
    """Accept a payment and have it settled. A repeat of the request gets the same answer, and pays nothing."""
    payment_id = str(uuid4())
    payments.create(Payment(payment_id, session.require_user(), payment.account, payment.cents, "accepted"))
    queue.send("settlements", {"payment_id": payment_id})
    return {"payment_id": payment_id, "status": "accepted"}, 202


@resolver.get("/payments/{payment_id}", middleware=[ETag()], permission=anyone)
def show(payment_id: str) -> Payment:
    """Show a payment of the tenant."""
    payment = payments.get(Payment, payment_id, consistent=True)
    if payment is None:
        raise NotFound(f"there is no payment {payment_id}")
    return payment


@resolver.post("/keys", permission=admin)
def issue_key(session: Session) -> tuple[dict[str, str], int]:
    """Issue a key for the tenant's machines. It is shown once; the table has its hash."""
    issued = keys.issue("machine", [session.require_tenant()], expires_in=timedelta(days=90))
    return {"id": issued.id, "key": issued.token}, 201


@resolver.get("/health", auth="off", permission=anyone)
def health() -> str:
    """Tell that the function runs."""
    return "ok"


# ---- messages ---------------------------------------------------------------------------------------------------


@resolver.on_queue("settlements", middleware=[once], permission=anyone)
def settle(event: QueueEvent) -> None:
    """Have the bank settle a payment. The session came with the message; a message that comes twice pays once."""
    payment_id = event.json()["payment_id"]
    payment = show(payment_id)
    bank.transfer(payment.account, payment.cents, reference=payment_id)
    payments.update(Payment, payment_id, set={"status": "settled"})


handler = resolver
