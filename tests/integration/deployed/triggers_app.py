"""An application with a route for each trigger; what has no caller to answer is noted in a table.

It is one function as it is, three with `--split group` and nine with `--split source`.
"""

from __future__ import annotations

import os
from typing import Any

from adapters.aws import Aws
from adapters.errors import AccessDenied
from adapters.websocket import Connections
from router import Env, Event, Resolver, Response, Router, SocketEvent
from router.environment import DynamoDB, WebSocket

aws = Aws()
resolver = Resolver(requires={"NOTES": [DynamoDB.PUT_ITEM]})
front = Router(tags=["front"])
work = Router(tags=["work"])


def seen(event: Event) -> dict[str, str]:
    """Return what a handler knows of the event, and which function it runs in."""
    return {
        "trigger": event.source.value,
        "name": event.path or event.name,
        "function": os.environ.get("JUNCTION_FUNCTION", "whole"),
        "runs": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
    }


def note(key: str, event: Event) -> None:
    """Keep what a handler knows under a key that the sender chose; poison fails."""
    if "poison" in key:
        raise ValueError("poison")
    item = {"pk": key, **seen(event)}
    kept = {name: {"S": text} for name, text in item.items()}
    aws.call("dynamodb", "put_item", TableName=os.environ["NOTES"], Item=kept)


# ---- what is answered ------------------------------------------------------------------------------------------------


@front.get("/things/{name}")
def thing(event: Event, name: str) -> dict[str, str]:
    return {**seen(event), "thing": name}


@front.post("/things")
def add(event: Event) -> Response:
    return Response({**seen(event), "thing": event.json()["thing"]}, status=201)


@front.on_connect()
def opened(event: Event) -> None:
    note(f"opened {event.query['who']}", event)


@front.on_message("say", requires={"SOCKET": [WebSocket.MANAGE_CONNECTIONS]})
def say(event: SocketEvent) -> None:
    """Answer through the API, as a handler does that has something to tell later."""
    connections = Connections(aws, endpoint=os.environ["SOCKET"])
    answer = {**seen(event), "said": event.json()["text"], "connection": event.connection_id}
    connections.send(event.connection_id, answer)


@front.on_disconnect()
def closed(event: SocketEvent) -> None:
    note(f"closed {event.connection_id}", event)


@resolver.on_invoke("ask")
def ask(event: Event) -> dict[str, str]:
    return seen(event)


@resolver.on_invoke("trespass")
def trespass() -> str:
    try:
        aws.call("dynamodb", "delete_item", TableName=os.environ["NOTES"], Key={"pk": {"S": "1"}})
    except AccessDenied:
        return "refused"
    return "done"


# ---- what is noted ---------------------------------------------------------------------------------------------------


@work.on_queue(Env("JOBS"))
def job(event: Event) -> None:
    note(event.text, event)


@work.on_queue(Env("STEPS"))
def step(event: Event) -> None:
    note(event.text, event)


@work.on_topic(Env("NEWS"))
def news(event: Event) -> None:
    note(event.text, event)


@work.on_stream(Env("ORDERS"))
def order(event: Event) -> None:
    note(event.keys["pk"], event)  # type: ignore[index]


@work.on_stream(Env("CLICKS"))
def click(event: Event) -> None:
    note(event.text, event)


@resolver.on_object(Env("UPLOADS"), events=["ObjectCreated:*"], prefix="in/", suffix=".csv")
def upload(event: Event) -> None:
    note(event.keys["key"], event)  # type: ignore[index]


@resolver.on_bus("Paid", source="shop.*")
def paid(event: Event) -> None:
    note(event.json()["order"], event)


@resolver.on_schedule(Env("ONCE"))
def once(event: Event) -> None:
    note("once", event)


@resolver.on_schedule(Env("HOURLY"))
def hourly(event: Event) -> None:
    note(event.id, event)


resolver.include(front)
resolver.include(work)


def handler(event: Any, context: Any) -> Any:
    return resolver.resolve(event, context)
