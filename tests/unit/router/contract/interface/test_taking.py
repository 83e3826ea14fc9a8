"""Describe what routes take: each place of an argument, its name on the wire, its type, whether it is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict
from pydantic import Field as PydanticField

from adapters.messaging import Topic
from router import Body, Cookie, Depends, Header, HttpEvent, Path, Query, QueueEvent, Resolver, Session
from router.contract.interface import Info, Operation, Parameter, Payload, describe


def described(register: Callable[[Resolver], object]) -> Operation:
    """Return the only operation of an application."""
    resolver = Resolver()
    register(resolver)
    (operation,) = describe(resolver, Info("A shop")).operations
    return operation


def of_get(handler: Callable[..., Any], path: str = "/orders") -> dict[str, Parameter]:
    """Return the parameters of a GET by their names on the wire."""
    operation = described(lambda resolver: resolver.get(path)(handler))
    assert operation.payload is None
    return {one.name: one for one in operation.parameters}


@dataclass
class Paging:
    limit: int = 20
    after: str | None = None
    tags: list[str] = field(default_factory=list)


@dataclass
class Trace:
    request_id: str
    trace_state: str = ""


class Search(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    text: str = PydanticField(description="looked for in names", examples=["lamp"])
    most: Annotated[int, PydanticField(ge=1, le=100)] = 10
    sort: str = PydanticField("name", alias="sortBy", deprecated=True)


# ---- the path ---------------------------------------------------------------------------------------------------


def test_a_parameter_of_the_path_is_required_and_has_the_type_of_its_argument() -> None:
    def show(order_id: UUID) -> None: ...

    found = of_get(show, "/orders/{order_id}")
    assert found == {"order_id": Parameter("order_id", "path", "order_id", UUID)}
    assert found["order_id"].required


@pytest.mark.parametrize(("kind", "annotation"), [("int", int), ("float", float), ("uuid", UUID)])
def test_a_type_in_the_path_counts_where_no_argument_says_another(kind: str, annotation: type) -> None:
    def show(event: HttpEvent) -> None: ...

    assert of_get(show, f"/orders/{{number:{kind}}}")["number"].annotation is annotation


def test_a_parameter_that_nobody_takes_is_described_as_text() -> None:
    def show() -> None: ...

    assert of_get(show, "/shops/{shop}/orders")["shop"].annotation is str


def test_the_type_in_the_path_wins_over_an_argument_without_annotation() -> None:
    def show(number) -> None: ...

    assert of_get(show, "/orders/{number:int}")["number"].annotation is int


def test_a_greedy_parameter_is_named() -> None:
    operation = described(lambda resolver: resolver.get("/files/{name}/{rest+}")(lambda rest: None))
    assert (operation.path, operation.greedy) == ("/files/{name}/{rest}", "rest")
    assert {one.name for one in operation.parameters} == {"name", "rest"}


def test_a_marked_parameter_of_the_path_keeps_its_limits_and_prose() -> None:
    def show(number: Annotated[int, Path(ge=1, description="of the order", examples=[7])]) -> None: ...

    (only,) = of_get(show, "/orders/{number}").values()
    assert (only.place, only.description, only.examples) == ("path", "of the order", (7,))
    assert only.annotation.__metadata__[0].ge == 1


# ---- query, headers, cookies ------------------------------------------------------------------------------------


def test_bare_arguments_of_a_request_are_query_parameters() -> None:
    def find(text: str, since: date, verbose: bool = False, shop: str | None = None) -> None: ...

    found = of_get(find)
    assert [(one.name, one.place, one.required, one.default) for one in found.values()][2:] == [
        ("verbose", "query", False, False),
        ("shop", "query", False, None),
    ]
    assert found["text"].required
    assert found["since"].annotation is date


def test_an_optional_argument_without_a_default_need_not_be_sent() -> None:
    def find(shop: str | None) -> None: ...

    assert not of_get(find)["shop"].required


def test_headers_are_named_with_dashes_and_by_their_alias() -> None:
    def find(x_trace: Header[str], version: Annotated[int, Header(alias="X-Version")] = 1) -> None: ...

    found = of_get(find)
    assert {(one.name, one.place, one.argument) for one in found.values()} == {
        ("x-trace", "header", "x_trace"),
        ("X-Version", "header", "version"),
    }
    assert found["x-trace"].annotation is str


def test_a_cookie_is_described() -> None:
    def find(theme: Cookie[str] = "light") -> None: ...

    assert of_get(find)["theme"] == Parameter("theme", "cookie", "theme", str, "light")


def test_the_alias_of_pydantic_counts_as_that_of_a_marker() -> None:
    def find(most: Annotated[int, Query, PydanticField(alias="max", ge=1)] = 5) -> None: ...

    assert list(of_get(find)) == ["max"]


def test_a_marker_as_the_default_has_the_default_inside() -> None:
    def find(limit: int = Query(20, ge=1, description="of a page"), text: str = Query()) -> None: ...

    found = of_get(find)
    assert (found["limit"].default, found["limit"].description) == (20, "of a page")
    assert found["text"].required


def test_a_deprecated_parameter_is_marked() -> None:
    def find(old: Annotated[str, Query(deprecated=True)] = "", new: Annotated[str, Query()] = "") -> None: ...

    assert [one.deprecated for one in of_get(find).values()] == [True, False]


def test_an_example_that_is_not_a_list_is_the_only_one() -> None:
    def find(shop: Annotated[str, Query(examples="acme")]) -> None: ...

    assert of_get(find)["shop"].examples == ("acme",)

    def show(size: Annotated[int, Query(examples=7)], least: int = Query(0, examples=0)) -> None: ...

    assert [one.examples for one in of_get(show).values()] == [(7,), (0,)]


def test_a_dataclass_of_the_query_is_its_fields() -> None:
    def find(paging: Query[Paging]) -> None: ...

    found = of_get(find)
    assert [(one.name, one.default) for one in found.values()] == [("limit", 20), ("after", None), ("tags", [])]


def test_a_dataclass_of_headers_has_their_names_on_the_wire() -> None:
    def find(trace: Header[Trace]) -> None: ...

    found = of_get(find)
    assert {name: one.required for name, one in found.items()} == {"request-id": True, "trace-state": False}


def test_a_model_of_pydantic_is_its_fields_with_their_prose_and_limits() -> None:
    def find(search: Query[Search]) -> None: ...

    found = of_get(find)
    assert list(found) == ["text", "most", "sortBy"]
    assert (found["text"].description, found["text"].examples) == ("looked for in names", ("lamp",))
    assert found["text"].required
    assert found["sortBy"].deprecated
    assert {limit.ge for limit in found["most"].annotation.__metadata__ if hasattr(limit, "ge")} == {1}


def test_nothing_of_an_optional_model_is_required() -> None:
    def find(search: Query[Search] | None = None) -> None: ...

    assert not any(one.required for one in of_get(find).values())


# ---- dependencies and classes -----------------------------------------------------------------------------------


def page(limit: int = 20) -> int:
    return limit


def window(size: Annotated[int, Depends(page)], x_shop: Header[str]) -> tuple[int, str]:
    return size, x_shop


def checked(order: Trace) -> Trace:
    return order


def test_dependencies_of_dependencies_take_their_parameters_from_the_same_request() -> None:
    def find(text: str, held: Annotated[Any, Depends(window)], again: Annotated[int, Depends(page)]) -> None: ...

    assert {one.name: one.place for one in of_get(find).values()} == {
        "text": "query",
        "limit": "query",
        "x-shop": "header",
    }


def test_a_header_that_two_ask_for_is_described_once() -> None:
    def find(held: Annotated[Any, Depends(window)], shop: Annotated[str, Header(alias="X-Shop")]) -> None: ...

    assert [one.name.lower() for one in of_get(find).values()].count("x-shop") == 1


def test_a_class_takes_what_it_is_made_of() -> None:
    @dataclass
    class Place:
        """Place an order. Once."""

        order: Paging
        shop: Header[str]
        dry_run: bool = False

        def process(self) -> None: ...

    operation = described(lambda resolver: resolver.post("/orders")(Place))
    assert [(one.name, one.place, one.required) for one in operation.parameters] == [
        ("shop", "header", True),
        ("dry_run", "query", False),
    ]
    assert operation.payload is not None
    assert operation.payload.annotation is Paging
    assert (operation.name, operation.summary) == ("Place", "Place an order")


def test_events_sessions_and_contexts_are_nothing_that_a_caller_sends() -> None:
    def find(event: HttpEvent, session: Session, context: Any, held=3) -> None: ...

    assert of_get(find) == {}


# ---- bodies -----------------------------------------------------------------------------------------------------


def payload_of(register: Callable[[Resolver], object]) -> Payload:
    """Return the payload of the only operation of an application."""
    payload = described(register).payload
    assert payload is not None
    return payload


def of_post(handler: Callable[..., Any]) -> Payload:
    return payload_of(lambda resolver: resolver.post("/orders")(handler))


def test_a_dataclass_and_a_model_of_pydantic_are_bodies_of_json() -> None:
    def first(order: Trace) -> None: ...
    def second(order: Search) -> None: ...

    for handler, kind in ((first, Trace), (second, Search)):
        payload = of_post(handler)
        assert (payload.annotation, payload.media_types, payload.required) == (kind, ("application/json",), True)


def test_a_body_that_may_be_none_or_has_a_default_is_not_required() -> None:
    def first(order: Trace | None) -> None: ...
    def second(order: Trace | None = None) -> None: ...
    def third(order: Annotated[dict[str, int], Body()] = {}) -> None: ...  # noqa: B006 - only described

    assert [of_post(handler).required for handler in (first, second, third)] == [False, False, False]


def test_bytes_and_text_have_media_types_of_their_own() -> None:
    def first(image: Body[bytes]) -> None: ...
    def second(note: Body[str]) -> None: ...

    assert of_post(first).media_types == ("application/octet-stream",)
    assert of_post(second).media_types == ("text/plain",)


def test_a_body_without_a_type_is_anything() -> None:
    def first(order: Annotated[Any, Body(description="as it comes", examples=[{"a": 1}])]) -> None: ...

    payload = of_post(first)
    assert (payload.description, payload.examples) == ("as it comes", ({"a": 1},))


def test_a_list_of_models_is_a_body() -> None:
    def first(orders: list[Trace]) -> None: ...

    assert of_post(first).annotation == list[Trace]


def test_the_body_of_a_dependency_is_that_of_the_route() -> None:
    def place(order: Annotated[Trace, Depends(checked)]) -> None: ...

    assert of_post(place).annotation is Trace


def test_a_typed_topic_is_the_body_of_its_messages_also_without_annotation() -> None:
    topic = Topic("order-events", Trace)

    def told(order) -> None: ...

    assert payload_of(lambda resolver: resolver.on_topic(topic)(told)).annotation is Trace
    assert payload_of(lambda resolver: resolver.on_topic(topic)(lambda event: None)).annotation is Trace


def test_a_message_that_the_handler_reads_by_itself_has_no_payload() -> None:
    def store(event: QueueEvent) -> None: ...

    assert described(lambda resolver: resolver.on_queue("orders")(store)).payload is None


def test_a_tool_takes_arguments_by_name_and_a_model_alone_is_all_of_them() -> None:
    def find(text: str, most: int = 5) -> None: ...
    def book(order: Trace) -> None: ...

    first = described(lambda resolver: resolver.tool("find")(find))
    assert [(one.name, one.place, one.required) for one in first.parameters] == [
        ("text", "argument", True),
        ("most", "argument", False),
    ]
    second = described(lambda resolver: resolver.tool("book")(book))
    assert second.parameters == ()
    assert payload_of(lambda resolver: resolver.tool("book")(book)).annotation is Trace
