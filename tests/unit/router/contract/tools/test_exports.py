"""The forms of tools for gateways and agents of Bedrock, judged by the service models of AWS."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from pydantic import BaseModel, Field

from router import ConfigurationError, Depends, HttpEvent, Query, Resolver, ToolEvent
from router.contract.interface import Info, describe
from router.contract.tools import Tool, catalogue
from router.contract.tools.agentcore import agentcore
from router.contract.tools.bedrock import api, functions
from router.contract.tools.exports import mcp
from router.contract.tools.plain import plain
from tests.clock import processor_time
from tests.unit.router.contract.tools.judges import of_group, of_target
from tests.unit.router.contract.tools.shop import resolver as shop

INFO = Info("The shop", "1.4.0", description="Orders of many tenants. " * 20)


def listed(resolver: Resolver) -> tuple[Tool, ...]:
    return catalogue(describe(resolver, INFO))


def line_of(function: Any) -> str:
    return f"{__file__.rpartition('/')[2]}:{function.__code__.co_firstlineno}"


@dataclass
class Line:
    sku: str
    count: int = 1


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


# ---- MCP -----------------------------------------------------------------------------------------------------------


def test_the_list_of_mcp() -> None:
    [first, *_] = tools = mcp(listed(shop)).document["tools"]
    assert [tool["name"] for tool in tools] == ["list", "make", "orders.change", "price", "show"]
    assert first["title"] == "List orders, the newest first"
    assert first["annotations"] == {"readOnlyHint": True}
    assert "outputSchema" not in first  # which has to be an object
    assert tools[1]["outputSchema"]["required"] == ["id", "order", "by"]
    for tool in tools:
        Draft202012Validator.check_schema(tool["inputSchema"])


# ---- AgentCore -----------------------------------------------------------------------------------------------------


def test_a_target_of_a_gateway() -> None:
    made = agentcore(listed(shop))
    assert of_target(made.document) == []
    assert made.notes == ()
    by_name = {one["name"]: one for one in made.document}
    assert list(by_name) == ["list", "make", "orders_change", "price", "show"]
    order = by_name["orders_change"]["inputSchema"]["properties"]["order"]
    assert order["properties"]["lines"]["description"] == "1 to 3 items."
    line = order["properties"]["lines"]["items"]
    assert line["properties"]["sku"] == {"type": "string", "description": "Its number. 1 to 12 characters."}
    assert order["properties"]["state"] == {
        "type": "string",
        "description": 'One of "open", "closed". The default is "open".',
    }
    assert "whole number" in order["properties"]["note"]["description"]
    assert order["properties"]["weights"]["description"] == "Each value is a number."
    # A field that may be null has no type, or a right answer would be wrong.
    answer = by_name["make"]["outputSchema"]
    assert set(answer["properties"]) == {"id", "order"}
    assert "by is a text or null" in answer["description"]


def test_the_judge_of_gateways_sees_what_is_wrong() -> None:
    good = {"name": "a", "description": "A.", "inputSchema": {"type": "object"}}
    assert of_target([good]) == []
    for wrong in (
        {"name": "a", "inputSchema": {"type": "object"}},
        {**good, "inputSchema": {"type": "null"}},
        {**good, "inputSchema": {"type": "object", "properties": {"a": {"type": "string", "enum": ["a"]}}}},
        {**good, "inputSchema": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}},
    ):
        assert of_target([wrong]), wrong


def test_a_model_that_holds_itself_is_refused_with_file_and_line() -> None:
    resolver = Resolver()

    @resolver.tool("grow")
    def grow(tree: Tree) -> None:
        """Grow a tree."""

    tools = listed(resolver)
    Draft202012Validator(tools[0].input_schema).validate({"name": "a", "children": [{"name": "b"}]})  # MCP can say it
    for make in (lambda: agentcore(tools), lambda: functions(tools, INFO)):
        with pytest.raises(ConfigurationError, match="Tree holds itself") as caught:
            make()
        assert line_of(grow) in str(caught.value)


def test_tools_of_targets_are_named_without_them() -> None:
    resolver = Resolver()

    @resolver.tool("stock___find.it")
    def first() -> None:
        """First."""

    assert [one["name"] for one in agentcore(listed(resolver)).document] == ["find_it"]

    @resolver.tool("orders___find.it")
    def second() -> None:
        """Second."""

    with pytest.raises(ConfigurationError, match="'find_it'") as caught:
        agentcore(listed(resolver))
    assert line_of(first) in str(caught.value)
    assert line_of(second) in str(caught.value)


def test_a_name_that_no_model_takes_is_noted() -> None:
    resolver = Resolver()

    @resolver.tool("a" * 65)
    def long() -> None:
        """Do it."""

    [note] = agentcore(listed(resolver)).notes
    assert line_of(long) in note


# ---- Bedrock: functions --------------------------------------------------------------------------------------------


def test_an_action_group_of_functions() -> None:
    made = functions(listed(shop), INFO)
    assert of_group(made.document) == []
    assert made.document["actionGroupName"] == "The_shop"
    assert len(made.document["description"]) <= 200
    by_name = {one["name"]: one for one in made.document["functionSchema"]["functions"]}
    assert list(by_name) == ["list", "make", "orders_change", "price", "show"]
    change = by_name["orders_change"]
    assert change["requireConfirmation"] == "ENABLED"
    assert by_name["show"]["requireConfirmation"] == "DISABLED"
    assert change["parameters"]["shop"] == {"type": "integer", "required": True}
    order = change["parameters"]["order"]
    assert (order["type"], order["required"]) == ("string", True)
    assert "JSON of the form {" in order["description"]
    assert by_name["list"]["parameters"]["skus"]["type"] == "array"
    assert any("'make'" in note or "make" in note for note in made.notes if "6 parameters" in note)


def test_the_judge_of_action_groups_sees_what_is_wrong() -> None:
    good = {"name": "a", "description": "A.", "parameters": {"x": {"type": "string", "required": True}}}

    def judged(function: dict[str, Any]) -> list[str]:
        return of_group({"actionGroupName": "a", "functionSchema": {"functions": [function]}})

    assert judged(good) == []
    for wrong in (
        {**good, "name": "a.b"},
        {**good, "name": "a__b"},
        {**good, "description": "x" * 1201},
        {**good, "description": ""},
        {**good, "parameters": {"_x": {"type": "string"}}},
        {**good, "parameters": {"x": {"type": "object"}}},
        {**good, "parameters": {"x": {"type": "string", "description": "x" * 501}}},
        {**good, "requireConfirmation": "YES"},
    ):
        assert judged(wrong), wrong


def test_what_is_too_long_is_cut_between_words_and_noted() -> None:
    resolver = Resolver()

    def find(x: Annotated[str, Field(description="word " * 200)]) -> None: ...

    resolver.tool("find", summary="Find it. " * 300)(find)
    made = functions(listed(resolver), INFO)
    assert of_group(made.document) == []
    [function] = made.document["functionSchema"]["functions"]
    assert function["description"].endswith("it.\u2026") or function["description"].endswith("Find\u2026")
    assert function["parameters"]["x"]["description"].endswith("word\u2026")
    assert len([note for note in made.notes if line_of(find) in note and "cut" in note]) == 2


def test_names_of_arguments_that_bedrock_does_not_take() -> None:
    resolver = Resolver()

    @resolver.tool("find")
    def find(_x: str) -> None:
        """Find."""

    with pytest.raises(ConfigurationError, match="'_x'") as caught:
        functions(listed(resolver), INFO)
    assert line_of(find) in str(caught.value)


def of_gateway(event: ToolEvent) -> str:
    return event.target


@pytest.mark.parametrize("depends", [False, True])
def test_tools_that_want_the_event_of_a_gateway_are_left_out_and_noted(depends: bool) -> None:
    resolver = Resolver()

    def plain(event: ToolEvent) -> None:
        """Do it."""

    def dependent(target: Annotated[str, Depends(of_gateway)]) -> None:
        """Do it."""

    handler = dependent if depends else plain
    resolver.tool("a")(handler)
    for made in (functions(listed(resolver), INFO), api(listed(resolver), INFO)):
        assert "ToolEvent" in made.notes[0]
        assert line_of(handler) in made.notes[0]
    assert functions(listed(resolver), INFO).document["functionSchema"]["functions"] == []
    assert [one["name"] for one in agentcore(listed(resolver)).document] == ["a"]


# ---- Bedrock: operations -------------------------------------------------------------------------------------------


def test_an_api_schema_of_the_http_routes() -> None:
    made = api(listed(shop), INFO)
    validate(made.document)
    assert made.document["openapi"] == "3.0.0"
    schema = {"apiSchema": {"payload": json.dumps(made.document)}}
    assert of_group({"actionGroupName": "shop", **schema}) == []
    paths = made.document["paths"]
    assert list(paths) == ["/orders", "/shops/{shop}/orders", "/shops/{shop}/orders/{order_id}"]
    change = paths["/shops/{shop}/orders/{order_id}"]["put"]
    assert change["operationId"] == "orders_change"
    assert [(one["name"], one["in"], one["required"]) for one in change["parameters"]] == [
        ("shop", "path", True),
        ("order_id", "path", True),
        ("dry", "query", False),
    ]
    assert change["x-requireConfirmation"] == "ENABLED"
    assert set(change["requestBody"]["content"]["application/json"]["schema"]["properties"]) >= {"lines", "state"}
    for methods in paths.values():
        for operation in methods.values():
            assert operation["description"]
            assert all(one["description"] for one in operation["parameters"])
            assert "$ref" not in json.dumps(operation)
    assert next(note for note in made.notes if "has no path" in note).startswith("tool price")


def test_two_operations_of_one_path_are_refused() -> None:
    resolver = Resolver()

    @resolver.get("/orders/{x:int}", tool="a")
    def first(x: int) -> None:
        """First."""

    @resolver.get("/orders/{x}", tool="b")
    def second(x: str) -> None:
        """Second."""

    with pytest.raises(ConfigurationError, match=r"GET /orders/\{x\}") as caught:
        api(listed(resolver), INFO)
    assert line_of(first) in str(caught.value)
    assert line_of(second) in str(caught.value)


def test_a_query_model_becomes_parameters() -> None:
    resolver = Resolver()

    @resolver.get("/lines", tool=True)
    def lines(line: Query[Line]) -> Any:
        """List lines."""
        return [line.sku, line.count]

    operation = api(listed(resolver), INFO).document["paths"]["/lines"]["get"]
    assert [(one["name"], one["in"]) for one in operation["parameters"]] == [("sku", "query"), ("count", "query")]
    assert "requestBody" not in operation


# ---- all of them ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [mcp, agentcore, lambda tools: functions(tools, INFO), lambda tools: api(tools, INFO)])
def test_five_hundred_tools_take_less_than_a_second(form: Any) -> None:
    resolver = Resolver()

    def make(order_id: str, line: Line, limit: int = 3) -> Line:
        """Make an order."""
        return line

    for number in range(500):
        resolver.put(f"/orders/{number}/{{order_id}}", tool=f"make_{number}")(make)
    interface = describe(resolver, INFO)
    with processor_time() as spent:
        form(catalogue(interface))
    assert spent() < 3  # a second, on a machine that is three times as slow


def test_http_events_are_refused_long_before() -> None:
    resolver = Resolver()

    def show(event: HttpEvent) -> None: ...

    with pytest.raises(ConfigurationError, match="no HttpEvent"):
        resolver.get("/a", tool=True)(show)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "string", "format": "uuid"}, "A UUID."),
        ({"type": "string", "default": ""}, "The default is an empty text."),
        ({"type": "integer", "default": 20}, "The default is 20."),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "May be null."),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "May also be a whole number."),
    ],
)
def test_what_a_form_cannot_say_is_a_sentence(schema: dict[str, Any], told: str) -> None:
    made = plain({"type": "object", "properties": {"q": schema}}, "the tool")
    assert made["properties"]["q"]["description"] == told
