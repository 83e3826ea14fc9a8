"""The catalogue of tools: what agents choose by, and what they may send."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field

from router import Body, ConfigurationError, Depends, Env, Event, Header, Path, Query, Resolver, Response, Router
from router.contract.interface import Info, describe
from router.contract.tools import Tool, catalogue, left_out
from tests.clock import processor_time


@dataclass
class Line:
    sku: str
    count: int = 1


class Order(BaseModel):
    """An order of the shop."""

    id: str = Field(min_length=1, description="Its number.")
    lines: list[Line] = []
    parent: Order | None = None


def page(limit: Annotated[int, Query(ge=1, le=50, description="How many.")] = 10) -> int:
    return limit


def listed(resolver: Resolver) -> dict[str, Tool]:
    found = catalogue(describe(resolver, Info("Shop")))
    for tool in found:
        for schema in (tool.input_schema, tool.output_schema):
            if schema is not None:
                assert schema["type"] == "object"
                Draft202012Validator.check_schema(schema)
    return {tool.name: tool for tool in found}


def refusal(resolver: Resolver) -> str:
    with pytest.raises(ConfigurationError) as caught:
        catalogue(describe(resolver, Info("Shop")))
    return str(caught.value)


def line_of(function: Any) -> str:
    return f"{__file__.rpartition('/')[2]}:{function.__code__.co_firstlineno}"


# ---- prose and names -----------------------------------------------------------------------------------------------


def test_names_and_prose() -> None:
    resolver = Resolver()

    @resolver.tool("orders.find", tags=["orders"])
    def find(order_id: str) -> None:
        """Find an order. Takes its number.

        Closed orders are found, too.
        """

    @resolver.get("/orders", tool="count", summary="Count the orders")
    def count() -> int:
        return 0

    tools = listed(resolver)
    assert list(tools) == ["count", "orders.find"]
    found = tools["orders.find"]
    assert (found.title, found.tags) == ("Find an order", ("orders",))
    assert found.description == "Find an order.\n\nTakes its number.\n\nClosed orders are found, too."
    assert tools["count"].description == "Count the orders"
    assert line_of(find) in found.where


def test_a_tool_without_a_description_is_refused() -> None:
    resolver = Resolver()

    @resolver.tool("find")
    def find(order_id: str) -> None: ...

    told = refusal(resolver)
    assert "docstring or summary=" in told
    assert line_of(find) in told


@pytest.mark.parametrize("name", ["find order", "a/b", "a" * 129, "f\u00fcnf"])
def test_names_that_no_client_takes(name: str) -> None:
    resolver = Resolver()

    @resolver.tool(name)
    def find() -> None:
        """Find."""

    told = refusal(resolver)
    assert "1 to 128" in told
    assert line_of(find) in told


@pytest.mark.parametrize(
    "names", [("a.b", "a_b"), ("a", "a"), ("a__b", "a_b"), ("a.b", "a..b")], ids=["dot", "same", "double", "dots"]
)
def test_two_of_one_name_also_once_flat(names: tuple[str, str]) -> None:
    resolver = Resolver()

    @resolver.tool(names[0], pattern={"x": [1]})
    def first() -> None:
        """First."""

    @resolver.tool(names[1])
    def second() -> None:
        """Second."""

    told = refusal(resolver)
    assert line_of(first) in told
    assert line_of(second) in told


def test_rules_are_left_out_and_named() -> None:
    resolver = Resolver()

    @resolver.tool("list_*")
    def many() -> None: ...

    interface = describe(resolver, Info("Shop"))
    assert catalogue(interface) == ()
    [note] = left_out(interface)
    assert line_of(many) in note


def test_names_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver()

    @resolver.tool(Env("FIND_TOOL"))
    def find() -> None:
        """Find."""

    monkeypatch.delenv("FIND_TOOL", raising=False)
    assert "FIND_TOOL" in refusal(resolver)
    assert line_of(find) in refusal(resolver)
    monkeypatch.setenv("FIND_TOOL", "find")
    assert list(listed(resolver)) == ["find"]


def test_what_is_in_no_document_is_no_tool_of_the_catalogue() -> None:
    resolver = Resolver()

    @resolver.get("/orders", tool=True, include_in_schema=False)
    def orders() -> None:
        """List."""

    assert listed(resolver) == {}


# ---- arguments -----------------------------------------------------------------------------------------------------


def test_arguments_by_name() -> None:
    resolver = Resolver()

    @resolver.put("/shops/{shop:int}/orders/{order_id}", tool="change")
    def change(
        order_id: Annotated[str, Path(description="Its number.", examples=["o-1"])],
        order: Order,
        limit: Annotated[int, Depends(page)],
        kind: Annotated[Literal["a", "b"], Query(alias="type", deprecated=True)] = "a",
        note: str | None = None,
        trace: Header[str] = "",
    ) -> None:
        """Change an order."""

    schema = listed(resolver)["change"].input_schema
    assert set(schema["properties"]) == {"shop", "order_id", "order", "limit", "type", "note"}
    assert schema["required"] == ["order_id", "order", "shop"]
    assert schema["additionalProperties"] is False
    held = schema["properties"]
    assert held["order_id"] == {"type": "string", "description": "Its number.", "examples": ["o-1"]}
    assert held["shop"] == {"type": "integer"}
    assert held["limit"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 50,
        "default": 10,
        "description": "How many.",
    }
    assert (held["type"]["default"], held["type"]["deprecated"]) == ("a", True)
    assert "default" not in held["note"]
    valid = Draft202012Validator(schema).is_valid
    assert valid({"shop": 1, "order_id": "1", "order": {"id": "1", "parent": {"id": "0"}}, "note": None})
    assert not valid({"shop": 1, "order_id": "1", "order": {"id": "1", "parent": {"id": ""}}})
    assert not valid({"shop": 1, "order_id": "1", "order": {"id": "1"}, "trace": "t"})


@pytest.mark.parametrize("annotation", [Order, Order | None, Body[Order]])
def test_a_model_alone_is_all_arguments(annotation: Any) -> None:
    resolver = Resolver()

    def make(order: Any) -> None:
        """Make an order."""

    make.__annotations__["order"] = annotation
    resolver.post("/orders", tool=True)(make)
    resolver.tool("other")(make)
    tools = listed(resolver)
    for name in ("make", "other"):
        schema = tools[name].input_schema
        assert set(schema["properties"]) == {"id", "lines", "parent"}
        assert set(schema["$defs"]) >= {"Line"}
        assert Draft202012Validator(schema).is_valid({"id": "1", "lines": [{"sku": "s"}], "parent": {"id": "0"}})


def test_a_model_with_a_dependency_beside_it_is_an_argument() -> None:
    resolver = Resolver()

    @resolver.tool("make")
    def make(order: Order, limit: Annotated[int, Depends(limit_of)]) -> Any:
        """Make an order."""
        return [order.id, limit]

    assert set(listed(resolver)["make"].input_schema["properties"]) == {"order", "limit"}


def limit_of(limit: int = 3) -> int:
    return limit


def test_no_arguments() -> None:
    resolver = Resolver()

    @resolver.tool("now")
    def now() -> None:
        """Tell the time."""

    @resolver.tool("echo")
    def echo(event: Event) -> None:
        """Take whatever there is."""

    assert listed(resolver)["echo"].input_schema == {"type": "object", "properties": {}}
    assert listed(resolver)["now"].input_schema == {"type": "object", "properties": {}, "additionalProperties": False}


class Opaque:
    def __init__(self, value: int) -> None: ...


@pytest.mark.parametrize("annotation", [Opaque, Body[list[int]]])
def test_arguments_without_a_schema_are_refused_with_their_place(annotation: Any) -> None:
    resolver = Resolver()

    def make(it: Any) -> None:
        """Make it."""

    make.__annotations__["it"] = annotation
    try:
        resolver.tool("make")(make)
    except ConfigurationError:
        return  # refused already when it is registered
    assert line_of(make) in refusal(resolver)


# ---- answers and effects -------------------------------------------------------------------------------------------


@dataclass
class Held:
    id: str
    lines: list[Line] = field(default_factory=list)


@pytest.mark.parametrize(
    ("annotation", "described"),
    [
        (Held, True),
        (tuple[Held, Literal[201]], True),
        (tuple[Held, int], True),
        (dict[str, int], True),
        (Held | None, False),
        (Held | Response, False),
        (Response, False),
        (list[Held], False),
        (str, False),
        (None, False),
        (Any, False),
    ],
)
def test_answers_have_a_schema_where_they_are_always_an_object(annotation: Any, described: bool) -> None:
    resolver = Resolver()

    def show() -> Any:
        """Show."""

    show.__annotations__["return"] = annotation
    resolver.get("/a", tool=True)(show)
    schema = listed(resolver)["show"].output_schema
    assert (schema is not None) is described
    if annotation is Held:
        assert schema is not None
        assert schema["required"] == ["id", "lines"]


def test_responses_say_the_answer_of_a_hint_that_cannot_be_resolved() -> None:
    def find() -> Order:
        """Find it."""
        raise NotImplementedError

    find.__annotations__["return"] = "Ordr"
    resolver = Resolver()
    resolver.tool("find", responses={200: Order})(find)
    assert listed(resolver)["find"].output_schema is not None
    assert "'Ordr'" in refusal(_with(find))


def _with(find: Any) -> Resolver:
    resolver = Resolver()
    resolver.tool("find")(find)
    return resolver


def test_effects_are_told_by_the_method_or_by_read_only() -> None:
    resolver = Resolver()

    def one() -> None:
        """Do it."""

    for method in ("get", "post", "put", "patch", "delete"):
        getattr(resolver, method)("/a", tool=method)(one)
    resolver.post("/search", tool="search", read_only=True)(one)
    resolver.tool("plain")(one)
    resolver.tool("safe", read_only=True)(one)
    repeated = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True}
    assert {name: tool.hints for name, tool in listed(resolver).items()} == {
        "get": {"readOnlyHint": True},
        "post": {"readOnlyHint": False},
        "put": repeated,
        "patch": {"readOnlyHint": False},
        "delete": repeated,
        "search": {"readOnlyHint": True},
        "plain": {},
        "safe": {"readOnlyHint": True},
    }


# ---- all of them ---------------------------------------------------------------------------------------------------


def test_groups() -> None:
    resolver, group = Resolver(), Router("/shop", tags=["shop"])

    @group.get("/orders/{order_id}", tool=True)
    def show(order_id: str) -> Held:
        """Show an order."""
        return Held(order_id)

    resolver.include(group)
    tool = listed(resolver)["show"]
    assert tool.tags == ("shop",)
    assert tool.operation.route.request.route.match == "/shop/orders/{order_id}"


def test_five_hundred_tools_take_less_than_a_second() -> None:
    resolver = Resolver()

    def make(order_id: str, order: Order, limit: int = 3) -> Held:
        """Make an order."""
        return Held(order_id)

    for number in range(500):
        resolver.put(f"/orders/{number}/{{order_id}}", tool=f"make_{number}")(make)
    interface = describe(resolver, Info("Shop"))
    with processor_time() as spent:
        assert len(catalogue(interface)) == 500
    assert spent() < 3  # a second, on a machine that is three times as slow
