"""An application with a route of each source that a template can trigger."""

from __future__ import annotations

from router import Env, Event, Resolver, Router
from router.environment import S3, DynamoDB

resolver = Resolver(requires={"STAGE_NAME": []})
reports = Router("/reports")


@resolver.get("/orders/{order_id:int}", requires={"ORDERS": [DynamoDB.GET_ITEM, DynamoDB.QUERY]})
def show(order_id: int) -> int:
    return order_id


@reports.get("/{name+}", requires={"REPORTS": [S3.GET_OBJECT, S3.LIST_BUCKET]})
def report(name: str) -> str:
    return name


resolver.include(reports)


@resolver.on_queue(Env("JOBS"))
def job(event: Event) -> None: ...


@resolver.on_queue("events.fifo", topics=["news.fifo"])
def fifo(event: Event) -> None: ...


@resolver.on_topic("alerts")
def alert(event: Event) -> None: ...


@resolver.on_stream("orders")
def change(event: Event) -> None: ...


@resolver.on_stream("clicks")
def click(event: Event) -> None: ...


@resolver.on_kafka("payments", partial=True)
def payment(event: Event) -> None: ...


@resolver.on_object("uploads", events=["ObjectCreated:*"], prefix="in/", suffix=".csv")
def csv(event: Event) -> None: ...


@resolver.on_object("uploads", events=["ObjectCreated:Put"], prefix="in/2026/", suffix=".csv")
def csv_put(event: Event) -> None: ...


@resolver.on_bus("Paid", source="pay.*")
def paid(event: Event) -> None: ...


@resolver.on_schedule("nightly")
def nightly(event: Event) -> None: ...


@resolver.on_schedule("monday")
def monday(event: Event) -> None: ...


@resolver.on_task("export")
def export(event: Event) -> None: ...


@resolver.on_connect()
def connect(event: Event) -> None: ...


@resolver.on_message("say")
def say(event: Event) -> None: ...


@resolver.on_authorize()
def keys(event: Event) -> bool:
    return True
