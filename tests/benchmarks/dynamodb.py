"""Get and put through `adapters.dynamodb` beside plain boto3 calls, in one run: `python -m tests.benchmarks.dynamodb`.

Twice: with MiniStack, whose own time is in the figures of all candidates, and with answers that are ready without
any server, which leaves the time of this process alone. The hand-written functions do what the adapter does: they make
an item of an object, and an object of an item. Their values are written for these fields alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any
from zlib import crc32

import orjson

from adapters.aws import Aws, Settings
from adapters.dynamodb import Table, item
from adapters.dynamodb.models import model_of
from tests.benchmarks.report import show_budgets, show_section
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved

NAME = "benchmark-orders"
LIMIT = 1.2
CONCURRENT = 1_000


@item(pk="user#{user}", sk="order#{id}")
@dataclass
class Order:
    """What is stored: the size and the types of an everyday item."""

    user: str
    id: str
    total: Decimal
    placed: datetime
    status: str
    quantity: int
    paid: bool
    note: str | None
    tags: set[str]
    lines: list[dict[str, Any]] = field(default_factory=list)


ORDER = Order(
    user="u-1",
    id="o-1",
    total=Decimal("149.95"),
    placed=datetime(2025, 1, 31, 12, tzinfo=UTC),
    status="open",
    quantity=3,
    paid=False,
    note=None,
    tags={"gift", "express"},
    lines=[{"sku": f"sku-{number}", "quantity": number, "price": Decimal("9.99")} for number in range(1, 4)],
)


STORED = orjson.dumps({"Item": Table(NAME, [Order]).schema.item(model_of(Order), ORDER, "")})


class Handwritten:
    """Plain calls of a boto3 client, with the attribute values in the code."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def put(self, order: Order) -> None:
        self.client.put_item(
            TableName=NAME,
            Item={
                "pk": {"S": f"user#{order.user}"},
                "sk": {"S": f"order#{order.id}"},
                "_type": {"S": "Order"},
                "user": {"S": order.user},
                "id": {"S": order.id},
                "total": {"N": str(order.total)},
                "placed": {"S": order.placed.isoformat()},
                "status": {"S": order.status},
                "quantity": {"N": str(order.quantity)},
                "paid": {"BOOL": order.paid},
                "note": {"NULL": True} if order.note is None else {"S": order.note},
                "tags": {"SS": list(order.tags)},
                "lines": {
                    "L": [
                        {
                            "M": {
                                "sku": {"S": line["sku"]},
                                "quantity": {"N": str(line["quantity"])},
                                "price": {"N": str(line["price"])},
                            }
                        }
                        for line in order.lines
                    ]
                },
            },
        )

    def get(self, user: str, id: str) -> Order:
        stored = self.client.get_item(TableName=NAME, Key={"pk": {"S": f"user#{user}"}, "sk": {"S": f"order#{id}"}})[
            "Item"
        ]
        return Order(
            user=stored["user"]["S"],
            id=stored["id"]["S"],
            total=Decimal(stored["total"]["N"]),
            placed=datetime.fromisoformat(stored["placed"]["S"]),
            status=stored["status"]["S"],
            quantity=int(stored["quantity"]["N"]),
            paid=stored["paid"]["BOOL"],
            note=stored["note"].get("S"),
            tags=set(stored["tags"]["SS"]),
            lines=[
                {
                    "sku": line["M"]["sku"]["S"],
                    "quantity": int(line["M"]["quantity"]["N"]),
                    "price": Decimal(line["M"]["price"]["N"]),
                }
                for line in stored["lines"]["L"]
            ],
        )


class Resource:
    """boto3's resource layer: it converts the values, and the code around it does the rest."""

    def __init__(self, session: Any, url: str) -> None:
        self.table = session.resource("dynamodb", endpoint_url=url).Table(NAME)

    def put(self, order: Order) -> None:
        values = {**vars(order), "placed": order.placed.isoformat()}
        self.table.put_item(Item={"pk": f"user#{order.user}", "sk": f"order#{order.id}", "_type": "Order", **values})

    def get(self, user: str, id: str) -> Order:
        stored = self.table.get_item(Key={"pk": f"user#{user}", "sk": f"order#{id}"})["Item"]
        for own in ("pk", "sk", "_type"):
            del stored[own]
        stored["placed"] = datetime.fromisoformat(stored["placed"])
        return Order(**stored)


def calls(aws: Aws, url: str) -> dict[tuple[str, str], Callable[[], object]]:
    """Each candidate's get and put, shown to store and give back the same order."""
    table, plain, resource = (
        Table(NAME, [Order], aws=aws),
        Handwritten(aws.client("dynamodb")),
        Resource(aws.session, url),
    )
    key = {"user": ORDER.user, "id": ORDER.id}
    found: dict[tuple[str, str], Callable[[], object]] = {
        ("junction", "get"): lambda: table.get(Order, key),
        ("boto3 client", "get"): lambda: plain.get(ORDER.user, ORDER.id),
        ("boto3 resource", "get"): lambda: resource.get(ORDER.user, ORDER.id),
        ("junction", "put"): lambda: table.put(ORDER),
        ("boto3 client", "put"): lambda: plain.put(ORDER),
        ("boto3 resource", "put"): lambda: resource.put(ORDER),
    }
    for candidate in ("junction", "boto3 client", "boto3 resource"):
        found[candidate, "put"]()
        for reader in ("junction", "boto3 client", "boto3 resource"):
            if (given := found[reader, "get"]()) != ORDER:
                raise RuntimeError(f"{reader} reads what {candidate} stored as {given}")
    return found


def with_server(aws: Aws, url: str, rounds: int) -> Section:
    """Against a real server."""
    samples = interleaved(calls(aws, url), rounds=rounds, seconds=0.01, repeat=1)
    return _section("dynamodb", "MiniStack, one item of 10 fields", samples)


def without_server(aws: Aws, url: str, rounds: int) -> Section:
    """The time of this process alone: answers are ready, and nothing is sent."""
    found = {name: call for name, call in calls(aws, url).items() if name[0] != "boto3 resource"}
    events = aws.client("dynamodb").meta.events
    events.register("before-send.dynamodb", _ready)
    try:
        samples = interleaved(found, rounds=rounds, seconds=0.01)
    finally:
        events.unregister("before-send.dynamodb", _ready)
    return _section("dynamodb-alone", "The same without a server: the time of the process alone", samples)


def _ready(request: Any, event_name: str, **_: Any) -> Any:
    """The answer to a get or put, as the service would send it."""
    from botocore.awsrequest import AWSResponse

    body = STORED if "Get" in event_name else b"{}"
    headers: Any = {"content-type": "application/x-amz-json-1.0", "x-amz-crc32": str(crc32(body))}
    response: Any = AWSResponse(request.url, 200, headers, None)
    response._content = body
    return response


def _section(key: str, title: str, samples: dict[tuple[str, str], list[float]]) -> Section:
    figures = [Figure(name, case, Spread.of(taken), "s") for (name, case), taken in samples.items()]
    budgets = [
        Budget(
            f"{title.partition(',')[0].partition(':')[0]}: {case} / boto3 client",
            Spread.of(ratios(samples, ("junction", case), ("boto3 client", case))),
            LIMIT,
        )
        for case in ("get", "put")
    ]
    return Section(key, title, figures, budgets)


async def lag(aws: Aws) -> str:
    """How long the event loop stands still at most while 1,000 gets run at a time."""
    table = Table(NAME, [Order], aws=aws)
    key = {"user": ORDER.user, "id": ORDER.id}
    worst, running = 0.0, True

    async def watch() -> None:
        nonlocal worst
        while running:
            before = perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, perf_counter() - before - 0.001)

    watching = asyncio.create_task(watch())
    started = perf_counter()
    await asyncio.gather(*[table.get_async(Order, key) for _ in range(CONCURRENT)])
    taken = perf_counter() - started
    running = False
    await watching
    return f"{CONCURRENT:,} concurrent get_async: {taken:.2f} s, the loop stood still for {worst * 1e3:.0f} ms at most"


def main(rounds: int = 200) -> None:
    """Prints figures and budgets."""
    from tests.servers.ministack import MiniStack

    with MiniStack() as server:
        settings = Settings(
            region="eu-west-1", endpoint=server.url, access_key_id="testing", secret_access_key="testing"
        )
        aws = Aws(settings)
        Table(NAME, [Order], aws=aws).create_table()
        sections = [with_server(aws, server.url, rounds), without_server(aws, server.url, rounds)]
        for section in sections:
            show_section(section)
        print(asyncio.run(lag(aws)), end="\n\n")
        aws.close()
    show_budgets([budget for section in sections for budget in section.budgets])


if __name__ == "__main__":
    main()
