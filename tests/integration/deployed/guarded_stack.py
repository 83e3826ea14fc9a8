"""An application whose APIs ask an authorizer first, which is a function of its own; and its stack."""

from __future__ import annotations

from typing import Any

from router import Allow, Deny, Event, Resolver
from router.contract import HttpApi, RestApi, Stack, WebSocketApi

resolver = Resolver()


@resolver.on_authorize(function="guards")
def keys(event: Event) -> Allow | Deny:
    token = event.headers.get("authorization") or event.query.get("token")
    return Allow("ann", context={"plan": "large"}) if token == "good" else Deny()


@resolver.get("/plan")
def plan(event: Event) -> dict[str, Any]:
    return {"plan": event.claims["plan"]}


@resolver.on_connect()
def opened() -> None: ...


@resolver.on_message("plan")
def plan_of_connection(event: Event) -> dict[str, Any]:
    return {"plan": event.claims["plan"]}


def handler(event: Any, context: Any) -> Any:
    return resolver.resolve(event, context)


stack = Stack(
    "tests.integration.deployed.guarded_stack:resolver",
    HttpApi(authorizer="keys"),
    RestApi(authorizer="keys"),
    WebSocketApi(authorizer="keys", identity="query:token"),
    name="guarded",
    handler="tests.integration.deployed.guarded_stack.handler",
)
