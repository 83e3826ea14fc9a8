"""Tools that Bedrock agents call: as functions by name, and HTTP routes as operations of an API schema."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from router import (
    BadRequest,
    Depends,
    Event,
    Identity,
    Resolver,
    Response,
    Session,
    Source,
    ToolEvent,
)
from router.guards import Bearer, JsonSchema
from router.sources.bedrock import BedrockEvent
from router.testing import TestClient, samples


@dataclass
class Line:
    sku: str
    count: int = 1


@dataclass
class Order:
    id: str
    lines: list[Line] = field(default_factory=list)
    note: str = ""
    place: dict[str, float] | None = None


class Aliased(BaseModel):
    lines: list[Line] = Field(alias="orderLines")


def called(resolver: Resolver, function: str, **parameters: Any) -> tuple[str, str | None]:
    """The text and the state of the answer to the call of a function."""
    answer = TestClient(resolver).event(samples.bedrock_agent(function=function, parameters=parameters))
    assert answer["messageVersion"] == "1.0"
    said = answer["response"]
    assert (said["actionGroup"], said["function"]) == ("Orders", function)
    held = said["functionResponse"]
    return held["responseBody"]["TEXT"]["body"], held.get("responseState")


# ---- functions -----------------------------------------------------------------------------------------------------


def test_a_function_without_a_route_of_its_own_is_the_tool_of_its_name() -> None:
    resolver = Resolver()

    @resolver.tool("find_order")
    def find(order_id: int, price: float = 0, fast: bool = False, tags: list[str] | None = None) -> Any:
        return {"id": order_id, "price": price, "fast": fast, "tags": tags}

    assert called(resolver, "find_order", order_id=7, price=1.5, fast=True, tags=["a"]) == (
        '{"id":7,"price":1.5,"fast":true,"tags":["a"]}',
        None,
    )
    resolver.on(Source.BEDROCK_AGENT, "find_order")(lambda: "its own")
    assert called(resolver, "find_order") == ("its own", None)


@pytest.mark.parametrize("name", ["orders.find", "orders__find"])
def test_names_that_bedrock_does_not_take_are_flat(name: str) -> None:
    resolver = Resolver()
    resolver.tool(name)(lambda: "found")
    resolver.tool("*")(lambda: "any other")
    assert called(resolver, "orders_find") == ("found", None)
    assert called(resolver, "orders_lose") == ("any other", None)
    client = TestClient(resolver)  # and AgentCore, whose targets are written by the same names
    assert client.tool("orders_find") == client.tool("orders_find", target="") == client.tool(name) == "found"


def test_flat_names_of_tools_of_one_target() -> None:
    resolver = Resolver()
    resolver.tool("stock___orders.find")(lambda: "of one target")
    resolver.tool("orders.find")(lambda: "of any")
    client = TestClient(resolver)
    assert client.tool("orders_find", target="stock") == "of one target"
    assert client.tool("orders_find", target="shop") == "of any"


def test_a_tool_of_the_flat_name_itself_comes_first() -> None:
    resolver = Resolver()
    resolver.tool("a.b")(lambda: "dot")
    resolver.tool("a_b")(lambda: "line")
    assert called(resolver, "a_b") == ("line", None)


def test_objects_come_as_texts_of_json() -> None:
    resolver = Resolver()

    @resolver.tool("put")
    def put(order: Order, dry: bool = False) -> Any:
        return order

    @resolver.tool("place")
    def place(order: Order) -> Any:
        return order

    @resolver.tool("aliased")
    def aliased(order: Aliased) -> Any:
        return order

    order = {"id": "o-1", "lines": [{"sku": "s", "count": 2}], "note": "[1]", "place": {"x": 1.5}}
    text = json.dumps(order, separators=(",", ":"))
    assert called(resolver, "put", order=text) == (text, None)
    parts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in order.items()}
    assert called(resolver, "place", **parts) == (text, None)  # a text that is JSON stays a text where one is wanted
    assert called(resolver, "aliased", orderLines='[{"sku": "s"}]')[1] is None
    for wrong in ("{id=o-1}", "[", "7"):
        told, state = called(resolver, "put", order=wrong)
        assert "arguments.order" in told
        assert state == "REPROMPT"


@pytest.mark.parametrize(
    ("result", "text", "state"),
    [
        (({"a": 1}, 201), '{"a":1}', None),
        (Response.text("gone", 410), "gone", "REPROMPT"),
        (({"title": "later"}, 503), '{"title":"later"}', "FAILURE"),
        (None, "null", None),
        ("text", "text", None),
    ],
)
def test_answers_of_http_routes(result: Any, text: str, state: str | None) -> None:
    resolver = Resolver()
    resolver.get("/a", tool="a")(lambda: result)
    assert called(resolver, "a") == (text, state)


def test_what_is_wrong_is_told_so_that_the_agent_asks_again() -> None:
    resolver = Resolver()

    @resolver.get("/a/{x}", tool="a")
    def show(x: str, y: int) -> None:
        raise BadRequest("no such y")

    assert called(resolver, "a", x="1", y=2) == ("no such y", "REPROMPT")
    assert called(resolver, "a") == ("arguments.x: is missing (and 1 more)", "REPROMPT")
    assert called(resolver, "b")[1] == "REPROMPT"


def of_tool(event: ToolEvent) -> str:
    return event.name


def of_dependency(found: Annotated[str, Depends(of_tool)]) -> str:
    return found


def of_either(event: ToolEvent | BedrockEvent) -> str:
    return event.name


def of_any(event: Event) -> str:
    return event.name


@pytest.mark.parametrize("handler", [of_tool, of_dependency])
def test_a_handler_that_wants_the_event_of_a_gateway_is_refused(handler: Any, caplog: Any) -> None:
    resolver = Resolver()
    resolver.tool("a")(handler)
    assert called(resolver, "a") == ("Internal Server Error", "FAILURE")
    assert "an event that no action of a Bedrock agent is" in caplog.text
    assert f"{handler.__code__.co_filename}:{handler.__code__.co_firstlineno}" in caplog.text
    assert TestClient(resolver).tool("a") == "a"


@pytest.mark.parametrize("handler", [of_either, of_any])
def test_a_handler_of_any_event_is_called(handler: Any) -> None:
    resolver = Resolver()
    resolver.tool("a")(handler)
    assert called(resolver, "a") == ("a", None)


def test_sessions_come_as_to_other_actions() -> None:
    resolver = Resolver()

    @resolver.tool("who")
    def who(session: Session) -> Any:
        return session.tenant

    payload = samples.bedrock_agent(function="who", attributes={"session": '{"tenant": "acme"}'})
    assert TestClient(resolver).event(payload)["response"]["functionResponse"]["responseBody"]["TEXT"]["body"] == "acme"


def test_it_is_one_of_the_routes_that_take_actions() -> None:
    resolver = Resolver()

    @resolver.tool("a")
    async def tool() -> str:
        return "a"

    payload = samples.bedrock_agent(function="a")
    assert resolver.handles(payload)
    assert not resolver.handles(samples.bedrock_agent(function="b"))
    assert resolver.is_async(Source.BEDROCK_AGENT)
    assert called(resolver, "a") == ("a", None)


# ---- operations ----------------------------------------------------------------------------------------------------


def test_an_http_route_that_is_a_tool_is_an_operation() -> None:
    resolver = Resolver()

    @resolver.put("/shops/{shop:int}/orders/{order_id}", tool=True)
    def put(shop: int, order_id: str, order: Order, limit: int = 1) -> Any:
        return [shop, order_id, order.lines[0].count, limit], 201

    @resolver.post("/orders", tool=True)
    def make(order: Order) -> Any:
        return order.id

    resolver.get("/closed")(lambda: "over HTTP alone")
    client = TestClient(resolver)
    body = {"id": "o-1", "lines": [{"sku": "s", "count": 2}]}
    said = client.event(
        samples.bedrock_agent(
            "/shops/{shop}/orders/{order_id}",
            method="PUT",
            parameters={"shop": 7, "order_id": "o", "limit": 3},
            body=body,
        )
    )["response"]
    assert (said["httpStatusCode"], said["apiPath"]) == (201, "/shops/{shop}/orders/{order_id}")
    assert said["responseBody"] == {"application/json": {"body": '[7,"o",2,3]'}}
    said = client.event(samples.bedrock_agent("/orders", method="POST", body=body))["response"]
    assert said["responseBody"]["text/plain"] == {"body": "o-1"}
    for path, method in (("/closed", "GET"), ("/orders", "GET"), ("/shops/7/orders/o", "PUT")):
        assert client.event(samples.bedrock_agent(path, method=method))["response"]["httpStatusCode"] == 404


# ---- nothing is open that is closed over HTTP ----------------------------------------------------------------------


class Users:
    def authenticate(self, token: str) -> Identity | None:
        return Identity(user=token, tenants=["acme"])


def test_what_authentication_asks_of_a_session_holds() -> None:
    resolver = Resolver(auth=[Bearer(Users())])
    resolver.get("/a", tool="a")(lambda: "reached")
    assert called(resolver, "a", authorization="Bearer ada")[1] == "REPROMPT"


@pytest.mark.parametrize(
    "permission",
    [
        lambda session, event: event.method != "DELETE",
        lambda session, event: event.path != "/orders/1",
        lambda session, event: event.params == {"order_id": "2"},
        lambda session, order_id: order_id != "1",
        lambda session, event: event.query["force"] != "true",
        lambda session, event: event.json()["note"] != "free",
    ],
    ids=["method", "path", "params", "argument", "query", "body"],
)
@pytest.mark.parametrize("form", ["function", "operation"])
def test_a_permission_cannot_be_passed_by_an_action(permission: Any, form: str) -> None:
    resolver, done = Resolver(), []

    # A pattern is tried before, and looks at the event as it came.
    resolver.on(Source.BEDROCK_AGENT, "*", pattern={"body": [1], "method": ["x"], "path": ["x"], "query": ["x"]})(
        lambda: "other"
    )

    @resolver.delete("/orders/{order_id}", tool=True, permission=permission)
    def remove(order_id: str, order: Order, force: bool = False) -> None:
        done.append(order_id)

    body = {"id": "1", "note": "free"}
    if form == "function":
        answer = called(resolver, "remove", order_id="1", force=True, order=json.dumps(body), note="x", method="GET")
        assert answer == ("Forbidden", "REPROMPT")
    else:
        payload = samples.bedrock_agent(
            "/orders/{order_id}", method="DELETE", parameters={"order_id": "1", "force": True}, body=body
        )
        assert TestClient(resolver).event(payload)["response"]["httpStatusCode"] == 403
    assert done == []


@pytest.mark.parametrize("alone", [False, True])
def test_schemas_hold_for_what_comes_as_text(alone: bool) -> None:
    guard = JsonSchema(body={"properties": {"lines": {"items": {"properties": {"count": {"maximum": 9}}}}}})
    resolver, done = Resolver(), []

    if alone:

        @resolver.post("/orders", tool="put", middleware=[guard])
        def make(order: Order) -> None:
            done.append(order)

    else:

        @resolver.put("/orders/{order_id}", tool="put", middleware=[guard])
        def put(order_id: str, order: Order) -> None:
            done.append(order)

    lines = [{"sku": "s", "count": 10}]
    whole = {"id": "1", "lines": json.dumps(lines)}
    given = whole if alone else {"order_id": "1", "order": json.dumps({"id": "1", "lines": lines})}
    told, state = called(resolver, "put", **given)
    assert "body.lines[0].count" in told
    assert (state, done) == ("REPROMPT", [])
