"""Payments: who may call, with what, how often, and how it is seen. Requests and a queue, in one function."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from adapters.alerts import Alerts
from examples.guarded.bank import bank
from examples.guarded.services import (
    aws,
    environment,
    keys,
    once,
    payments,
    polite,
    queue,
    settings,
    to_the_bank,
    usage,
)
from examples.guarded.storage import Payment
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
from router.environment import SQS, DynamoDB
from router.guards import ApiKey, CircuitOpen, JsonSchema, Jwt, Permission, Timeout, anyone, permission
from router.telemetry import LogFields, Usage, UsageLog

log, usage_log = logging.getLogger("payments"), logging.getLogger("payments.usage")
log.setLevel(logging.INFO)  # Lambda shows warnings only, unless told otherwise

SCHEMAS = Path(__file__).parent / "schemas"
OF_A_MACHINE = JsonSchema(SCHEMAS / "payment-by-machine.json")  # which has to say what it pays for
READ = {"PAYMENTS_TABLE": [DynamoDB.GET_ITEM]}  # what a route does to what a variable names
SETTLE = {"PAYMENTS_TABLE": [DynamoDB.GET_ITEM, DynamoDB.UPDATE_ITEM]}

resolver = Resolver(
    # Any of them will do; the session then belongs to the owner, and goes along with each message, signed.
    auth=[Jwt(settings["OIDC_ISSUER"], audience="payments", tenant_claim="org", keep=["role"]), ApiKey(keys)],
    session=SessionPolicy(signing=Signing(settings["SESSION_SECRET"])),
    deny_by_default=True,
    delay=queue.delay,  # how long a message waits that comes too early
    environment=environment,  # one error names whatever is missing of `requires=`, before the first event
)
resolver.use(
    Usage(usage, UsageLog(usage_log.info)),  # a row for each request and message, also for those that are refused below
    LogFields(json=True, redact=["authorization", "x-api-key", "account"]),  # every line says its event
    Timeout(),
    Cors("https://pay.example.com", headers=["authorization", "content-type", "idempotency-key"]),
    SecurityHeaders(),
    BodyLimit(16_384),
)
resolver.on_error(Alerts(queue="alerts", service="payments", aws=aws, ignore=[CircuitOpen]))


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
    middleware=[polite, JsonSchema(SCHEMAS / "payment.json", instead={"api-key": OF_A_MACHINE}), once],
    permission=within(100_000) | admin,
    requires={"PAYMENTS_TABLE": [DynamoDB.PUT_ITEM], "SETTLEMENTS": [SQS.SEND_MESSAGE]},
)
def pay(payment: NewPayment, session: Session) -> tuple[dict[str, Any], int]:
    """Accept a payment and have it settled. A repeat of the request gets the same answer, and pays nothing."""
    bank.check(payment.account)
    payment_id = str(uuid4())
    payments.create(Payment(payment_id, session.require_user(), payment.account, payment.cents, "accepted"))
    queue.send(os.environ["SETTLEMENTS"], {"payment_id": payment_id})
    return {"payment_id": payment_id, "status": "accepted"}, 202


@resolver.get("/payments/{payment_id}", middleware=[polite, ETag()], permission=anyone, requires=READ)
def show(payment_id: str) -> Payment:
    """Show a payment of the tenant."""
    payment = payments.get(Payment, payment_id, consistent=True)
    if payment is None:
        raise NotFound(f"there is no payment {payment_id}")
    return payment


@resolver.post("/keys", middleware=[polite], permission=admin)
def issue_key(session: Session) -> tuple[dict[str, str], int]:
    """Issue a key for the tenant's machines. It is shown once; the table has its hash."""
    issued = keys.issue("machine", [session.require_tenant()], expires_in=timedelta(days=90))
    return {"id": issued.id, "key": issued.token}, 201


@resolver.get("/health", auth="off", permission=anyone)
def health() -> str:
    """Tell that the function runs."""
    return "ok"


# ---- messages ---------------------------------------------------------------------------------------------------


@resolver.on_queue("settlements", middleware=[once], permission=anyone, requires=SETTLE)
def settle(event: QueueEvent) -> None:
    """Have the bank settle a payment. The session came with the message; a message that comes twice pays once."""
    payment = show(event.json()["payment_id"])
    with to_the_bank:  # while the bank is down nobody waits for it: the message comes again
        bank.transfer(payment.account, payment.cents, reference=payment.payment_id)
    payments.update(Payment, payment.payment_id, set={"status": "settled"})
    log.info("settled")  # the line says whose payment, and of which request


handler = resolver
