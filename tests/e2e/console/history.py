"""Entries as the observer of an application makes them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import count
from typing import Any, cast

from router.local.entries import Entry, Failure

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">\u202egnp.exe"

_numbers = count(1)
_VERBS = ("GET", "POST", "DELETE")


def entry(source: str, route: str | None, **more: Any) -> Entry:
    """Return an entry that is done, with what is given in place of what is usual."""
    number = next(_numbers)
    verb, _, path = (route or "").partition(" ")
    web = verb in _VERBS
    made: dict[str, Any] = {
        "call": f"call-{number}",
        "kind": "event",
        "source": source,
        "route": route,
        "name": None if web else route,
        "event_id": f"event-{number}",
        "method": verb if web else None,
        "path": path.replace("{order_id}", "1042") if web else None,
        "tenant": "acme",
        "user": "ann@acme.example",
        "correlation_id": f"k-{number}",
        "attempt": 1,
        "function": "main",
        "origin": "http" if web else "aws",
        "sent": None,
        "started": time.time(),
        "ms": 4.2,
        "outcome": "done",
        "status": 200 if web else None,
        "records": None,
        "replay_of": None,
        "bookmarked": False,
        "fault": None,
        "links": [],
        "raw": {"version": "1.0", "path": path, "headers": {"x-tenant": "acme"}, "body": '{"sku": "desk", "count": 2}'},
        "decoded": {"sku": "desk", "count": 2, "notes": ["left of the door", None, True]},
        "session": {"tenant": "acme", "user": "ann@acme.example", "correlation_id": f"k-{number}"},
        "answer": {"statusCode": 200, "body": "{}"},
        "logs": [],
        "error": None,
        "calls": [],
    }
    return cast(Entry, made | more)


def _step(file: str, line: int, function: str, *source: str, own: bool = True) -> Any:
    middle = len(source) // 2
    lines = [(line - middle + index, text) for index, text in enumerate(source)]
    return {"file": file, "line": line, "function": function, "own": own, "source": lines, "current": middle}


def failure(message: str = "'customer'") -> Failure:
    """Return an error with steps of the application and of libraries, and a cause."""
    engine = ("    plan = plan_of(route)", "    return call(plan)", "")
    cause: Failure = {
        "type": "LookupError",
        "message": "no customer for the token",
        "notes": [],
        "frames": [
            _step("shop/customers.py", 14, "find", "    found = tokens.get(token)", "    raise LookupError(...)", "")
        ],
        "cause": None,
    }
    bill = (
        "def bill(event: QueueEvent) -> None:",
        '    order = Orders.get(event.json()["order"])',
        '    invoice(order["customer"], order["total"])',
        '    log.info("billed", extra={"order": order["id"]})',
        "",
    )
    return {
        "type": "KeyError",
        "message": message,
        "notes": ["while the order 1042 was billed"],
        "frames": [
            _step("site-packages/router/dispatch/engine.py", 88, "dispatch", *engine, own=False),
            _step("site-packages/router/dispatch/calling.py", 41, "call", *engine, own=False),
            _step("shop/orders.py", 27, "bill", *bill),
        ],
        "cause": cause,
    }


def log(at: float, level: str, message: str, **fields: Any) -> Any:
    """Return a line of a log."""
    return {"at": at, "level": level, "logger": "shop.orders", "message": message, "fields": fields}


def aws_call(at: float, action: str, resource: str, link: str, *, covered: bool | None = True) -> Any:
    """Return a call of AWS that sent something."""
    service, _, operation = action.partition(":")
    return {
        "at": at,
        "ms": 6.5,
        "service": service,
        "operation": operation,
        "action": action,
        "resource": f"arn:aws:{service}:us-east-1:000000000000:{resource}",
        "covered": covered,
        "error": None,
        "fault": None,
        "links": [link],
    }


def an_order(correlation: str = "k-order-1042", at: float | None = None) -> list[Entry]:
    """Return the way of an order over five hops: REST, SNS, SQS (a failure, and once more), a stream, a socket."""
    begin = at or time.time() - 4
    same: dict[str, Any] = {"correlation_id": correlation}
    topic, table, queue, socket = (f"{name}:{correlation}" for name in ("sns", "dynamodb:orders/", "sqs", "ws"))
    rest = {
        "started": begin,
        "ms": 38.4,
        "status": 201,
        "calls": [
            aws_call(begin + 0.012, "dynamodb:PutItem", "table/orders", table),
            aws_call(begin + 0.024, "sns:Publish", "order-events", topic),
        ],
        "logs": [
            log(begin + 0.01, "INFO", "order accepted", order=1042, total="19.90"),
            log(begin + 0.03, "INFO", "announced"),
        ],
    }
    announced = {
        "sent": begin + 0.029,
        "started": begin + 0.094,
        "ms": 41.7,
        "links": [topic],
        "calls": [aws_call(begin + 0.118, "sqs:SendMessage", "orders", queue)],
    }
    changed = {
        "sent": begin + 0.018,
        "started": begin + 0.101,
        "ms": 44.9,
        "links": [table],
        "calls": [aws_call(begin + 0.131, "execute-api:ManageConnections", "local/POST/*", socket, covered=False)],
    }
    pushed = {"kind": "push", "started": begin + 0.133, "ms": 3.1, "links": [socket]}
    message = {"links": [queue], "event_id": f"m-{correlation}"}
    failed = {
        "sent": begin + 0.124,
        "started": begin + 0.162,
        "ms": 88.2,
        "outcome": "retry",
        "error": failure(),
        "logs": [log(begin + 0.2, "ERROR", "billing failed", order=1042)],
    }
    billed = {"sent": begin + 0.26, "started": begin + 0.482, "ms": 63.5, "attempt": 2}
    return [
        entry("rest", "POST /orders", **same, **rest),
        entry("sns", "order-events", **same, **announced),
        entry("dynamodb", "orders", **same, **changed),
        entry("websocket", "order placed", **same, **pushed),
        entry("sqs", "orders", **same, **message, **failed),
        entry("sqs", "orders", **same, **message, **billed),
    ]


def hostile() -> Entry:
    """Return an entry that is made to harm a page that shows it."""
    texts = {"name": HOSTILE, "tenant": HOSTILE, "user": HOSTILE}
    raw = {"text": HOSTILE, "list": [HOSTILE, {HOSTILE: [HOSTILE]}], "number": 12345678901234567890, "empty": {}}
    long = {HOSTILE: HOSTILE, "long": "x" * 200_000}
    answer = {f"key {number}": number for number in range(10_000)}
    return entry("rest", HOSTILE, **texts, raw=raw, decoded=long, answer=answer)


def mixed() -> list[Entry]:
    """Return entries of many kinds."""
    now = time.time() - 2
    return [
        entry("websocket", "chat", started=now, ms=1.2, tenant="globex"),
        entry("schedule", "nightly", started=now, ms=2140.0),
        entry("rest", "GET /orders/{order_id}", started=now, status=404, outcome="refused", ms=0.8),
        entry("sqs", "orders", started=now, outcome="failed", attempt=3, error=failure(), sent=now - 31, ms=12.4),
        entry("sqs", "orders", started=now, records=10, sent=now - 0.2, ms=51.3),
        entry("kinesis", None, name="clicks", started=now, outcome="unrouted", ms=0.3),
        entry("invoke", "rebuild", started=now, outcome="timed out", ms=30_000.0),
        entry("invoke", "rebuild", started=now, outcome="died", ms=812.0, tenant=None),
        entry("sqs", "orders", started=now, outcome="retry", fault="f2", ms=6.1),
        hostile(),
        entry("rest", "POST /orders", started=now, ms=None, outcome="running", status=None),
    ]


def many(number: int) -> Iterator[Entry]:
    """Return entries of a busy hour, small ones."""
    begin = time.time() - 3600
    chance = random.Random(9)
    kinds = (
        ("rest", "GET /orders/{order_id}"),
        ("rest", "POST /orders"),
        ("sqs", "orders"),
        ("sns", "order-events"),
        ("dynamodb", "orders"),
        ("websocket", "chat"),
    )
    small: dict[str, Any] = {"raw": {"n": 1}, "decoded": None, "session": None, "answer": None}
    for index in range(number):
        source, route = chance.choice(kinds)
        started = begin + index * 3500 / max(1, number)
        sent = started - chance.random() if source in {"sqs", "sns", "dynamodb"} else None
        outcome = ("retry" if source == "sqs" else "failed") if chance.random() < 0.02 else "done"
        times = {"started": started, "sent": sent, "ms": chance.expovariate(1 / 20)}
        tenant = chance.choice(("acme", "globex", "initech"))
        yield entry(source, route, **times, outcome=outcome, tenant=tenant, **small)
