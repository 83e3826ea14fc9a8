"""Applications to draw: with everything at once, with names that somebody made up to break pictures, and large ones."""

from __future__ import annotations

from typing import Any

from adapters.messaging import Queue as TypedQueue
from adapters.messaging import Topic as TypedTopic
from router import Env, Event, Resolver, Router
from router.environment import S3, SNS, SQS, DynamoDB, StepFunctions

HOSTILE = (
    'a "quoted" [name] {of} (things)',
    "<b>bold</b><script>alert(1)</script>",
    "&lt;i&gt; &amp; &#35; #35; #quot;",
    "end",
    "`**strong** _mark_`",
    "%%{init: {'theme': 'dark'}}%%",
    "1. first",
    "- item",
    'x"] --> y["z',
    "click r call alert()",
    "two\nlines\tand \x07 a bell, \u202e turned \ud800",
    "Überweisung an Łódź, 注文一覧を表示する、順番に, заказ, طلب, 🛒🧾",
    "e\u0301" * 30,
    "W" * 120,
    "/a/very/long/path/of/many/steps/with/{parameters}/and/{more}/until/it/ends",
    "subgraph; class r,s; style r fill:#f00;",
    "$$x^2$$ \\n \\u0041 ${y} <%= z %>",
)
"""Names and prose that mean something to Mermaid, to HTML or to XML, or that are too long, or in other scripts."""


def small() -> Resolver:
    """Return an application with a route of most sources, and of each kind of use."""
    resolver = Resolver()
    orders = Router("/orders", tags=["orders"], requires={"ORDERS_TABLE": [DynamoDB.GET_ITEM]})

    @orders.get("/{order_id}")
    def show(order_id: str) -> None:
        """Show an order. Of the tenant."""

    @orders.post(
        "/",
        requires={"ORDERS_TABLE": [DynamoDB.PUT_ITEM], "STAGE": []},
        publishes=TypedTopic("order-events", dict),
        permission=lambda: True,
        deprecated=True,
    )
    def place() -> None: ...

    resolver.include(orders)

    @resolver.get("/health")
    def health() -> None: ...

    @resolver.on_queue(Env("JOBS"), requires={"FILES": [S3.GET_OBJECT]}, publishes=[TypedQueue("mails", dict)])
    def work(event: Event) -> None:
        """Do a job."""

    @resolver.on_queue("orders", topics=["order-events"])
    def store(event: Event) -> None: ...

    @resolver.on_invoke("rebuild", requires=["ORDERS_TABLE"])
    def rebuild(event: Event) -> None: ...

    @resolver.get("/hidden", include_in_schema=False)
    def hidden() -> None: ...

    resolver.unpack("audit", source="sqs")
    return resolver


def hostile() -> Resolver:
    """Return an application whose names, summaries, tags and resources are as bad as they may be."""
    resolver = Resolver()
    for number, text in enumerate(HOSTILE):

        def handler(event: Any) -> None: ...

        handler.__name__ = text
        options: dict[str, Any] = {"summary": text, "tags": [text], "name": text}
        resolver.on_queue(f"{text}{number}" if text.startswith("/") else text, **options)(handler)
        resolver.on_invoke(text, requires={"T" * (number * 4 + 1): [DynamoDB.QUERY]}, **options)(handler)
        resolver.get(f"/{number}/" + "".join(letter for letter in text if letter.isalnum()), **options)(handler)
    return resolver


def large(count: int) -> Resolver:
    """Return an application of so many routes, over a few areas that share tables, a topic and a bucket."""
    resolver = Resolver()
    verbs = (
        ("get", "/{}"),
        ("post", "/{}"),
        ("get", "/{}/{{id}}"),
        ("put", "/{}/{{id}}"),
        ("delete", "/{}/{{id}}"),
        ("get", "/{}/{{id}}/history"),
        ("post", "/{}/{{id}}/documents/{{document_id}}/approvals"),
    )
    words = ("customers", "orders", "invoices", "stock", "returns")
    for number in range(count):
        part, place = divmod(number, len(verbs) + 2)
        area = words[part % 5] + (str(part // 5) if part >= 5 else "")
        table = {f"{words[part % 4].upper()}_TABLE": [DynamoDB.GET_ITEM if place % 2 else DynamoDB.PUT_ITEM]}

        def handler(event: Any) -> None:
            """Do what is to be done with it. Or do not."""

        handler.__name__ = f"{area}_{place}"
        if place == len(verbs):
            resolver.on_queue(f"{area}-imports", tags=[area], requires={**table, "FILES": [S3.GET_OBJECT]})(handler)
        elif place > len(verbs):
            resolver.on_stream(area, tags=[area], requires={"INDEX": [SQS.SEND_MESSAGE]})(handler)
        else:
            verb, path = verbs[place]
            more: dict[str, Any] = {"EVENTS": [SNS.PUBLISH]} if verb == "post" else {}
            more |= {"APPROVAL": [StepFunctions.START_EXECUTION]} if place == 6 else {}
            getattr(resolver, verb)(path.format(area), tags=[area], requires={**table, **more})(handler)
    return resolver
