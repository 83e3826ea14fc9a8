"""What a description calls required is what the dispatcher refuses to go without, and nothing else."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic import Field as PydanticField

from router import Body, Cookie, Depends, Header, Query, Resolver
from router.contract.interface import Info, Operation, Parameter, describe
from router.contract.interface.model import NOTHING
from router.convert.kinds import plain
from router.testing import Answer, Context, TestClient, samples

VALUES = {str: "a", int: "1", float: "1.5", bool: "true", date: "2026-01-31", list[int]: "1"}


@dataclass
class Paging:
    limit: int
    shops: list[str]
    after: str | None = None
    tags: list[str] = field(default_factory=list)


class Search(BaseModel):
    text: str
    most: int = 10
    since: date | None = None
    shop: str = PydanticField(alias="shopName")


@dataclass
class Order:
    sku: str
    count: int = 1


def page(limit_of_page: int, cursor: str = "") -> int:
    return limit_of_page


def window(size: Annotated[int, Depends(page)], x_window: Header[str]) -> int:
    return size


SCALARS = st.sampled_from(list(VALUES))
PLACES = st.sampled_from([None, Query, Header, Cookie])


@st.composite
def arguments(draw: Any, name: str) -> inspect.Parameter:
    """Return an argument of any place and type: with or without a default, optional or not, marked in either form."""
    kind = draw(SCALARS)
    annotation = kind | None if draw(st.booleans()) else kind
    default: Any = draw(st.sampled_from([inspect.Parameter.empty, None]))
    marker = draw(PLACES)
    if marker is Cookie and kind == list[int]:
        marker = Query
    if marker is not None:
        form = draw(st.sampled_from(["subscript", "annotated", "alias", "default"]))
        if form == "subscript":
            annotation = marker[annotation]
        elif form == "default":
            default = marker() if default is inspect.Parameter.empty else marker(default)
        else:
            annotation = Annotated[annotation, marker(alias=f"{name}-sent") if form == "alias" else marker()]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


WHOLE = [
    Query[Paging],
    Query[Search],
    Header[Paging],
    Query[Paging] | None,
    Annotated[int, Depends(page)],
    Annotated[int, Depends(window)],
]
BODIES = [
    None,
    Order,
    Order | None,
    list[Order],
    Body[str],
    Annotated[bytes, Body(min_length=1)],
    Annotated[Any, Body()],
    Annotated[dict[str, int], Body()],
]
SENT: dict[str, Any] = {str(Order): {"sku": "a"}, str(list[Order]): [{"sku": "a"}]}


@st.composite
def handlers(draw: Any) -> Any:
    """Return a handler of some arguments, of models and dependencies, and perhaps of a body."""
    taken = [draw(arguments(f"arg{number}")) for number in range(draw(st.integers(0, 4)))]
    whole = draw(st.sampled_from([None, *WHOLE]))
    body = draw(st.sampled_from(BODIES))
    for name, annotation in (("whole", whole), ("body", body)):
        if annotation is not None:
            taken.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation))

    def handler(*positional: Any, **named: Any) -> str:
        return "done"

    handler.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    return handler


def described(resolver: Resolver) -> Operation:
    (operation,) = describe(resolver, Info("A shop")).operations
    return operation


def value_of(parameter: Parameter) -> str:
    held = parameter.annotation
    while hasattr(held, "__metadata__"):
        held = held.__origin__
    kinds = [kind for kind in VALUES if kind == held or kind in getattr(held, "__args__", ())]
    return VALUES[kinds[-1]]


def send(client: TestClient, operation: Operation, parameters: list[Parameter], *, body: bool) -> Answer:
    """Send these parameters, and perhaps a body."""
    by_place: dict[str, dict[str, str]] = {"query": {}, "header": {}, "cookie": {}}
    for one in parameters:
        by_place[one.place][one.name] = value_of(one)
    headers = dict(by_place["header"])
    if by_place["cookie"]:
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in by_place["cookie"].items())
    options: dict[str, Any] = {"params": by_place["query"], "headers": headers}
    if body and operation.payload is not None:
        kind = plain(operation.payload.annotation)
        is_json = operation.payload.media_types == ("application/json",)
        options |= {"json": SENT.get(str(kind), {"a": 1})} if is_json else {"body": "text"}
    return client.post("/", **options)


@given(handlers(), st.sampled_from(["rest", "http", "url", "alb"]))
def test_requests_need_what_is_described_as_required_and_nothing_else(handler: Any, source: Any) -> None:
    resolver = Resolver()
    resolver.post("/")(handler)
    operation = described(resolver)
    client = TestClient(resolver, source=source)
    required = [one for one in operation.parameters if one.required]
    needs_body = operation.payload is not None and operation.payload.required

    everything = send(client, operation, list(operation.parameters), body=True)
    assert everything.status == 200, everything.text
    least = send(client, operation, required, body=needs_body)
    assert least.status == 200, least.text
    for missing in required:
        answer = send(client, operation, [one for one in required if one is not missing], body=True)
        assert answer.status == 422, (missing, answer.text)
        assert missing.name.lower() in answer.text.lower()
    if needs_body:
        assert send(client, operation, required, body=False).status in (400, 415, 422)


TOOL_KINDS = (str, int, bool, list[int], Order)
TOOL_VALUES = dict(zip(map(str, TOOL_KINDS), ("a", 1, True, [1], {"sku": "a"}), strict=True))


@given(st.data())
def test_tools_need_what_is_described_as_required_and_nothing_else(data: st.DataObject) -> None:
    taken = []
    for number in range(data.draw(st.integers(1, 4))):
        kind: Any = data.draw(st.sampled_from(TOOL_KINDS))
        annotation = kind | None if data.draw(st.booleans()) else kind
        default = data.draw(st.sampled_from([inspect.Parameter.empty, None]))
        taken.append(
            inspect.Parameter(f"arg{number}", inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        )

    def handler(*positional: Any, **named: Any) -> str:
        return "done"

    handler.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    resolver = Resolver()
    resolver.tool("book")(handler)
    operation = described(resolver)
    if operation.payload is not None:  # one model is all arguments
        return
    values = {one.name: TOOL_VALUES[str(plain(one.annotation))] for one in operation.parameters}

    def call(names: list[str]) -> Any:
        context = Context(client_context=samples.tool_client_context("book"))
        return resolver.resolve(samples.tool({name: values[name] for name in names}), context)

    required = [one.name for one in operation.parameters if one.required]
    assert call([one.name for one in operation.parameters]) == "done"
    assert call(required) == "done"
    for missing in required:
        answer = call([name for name in required if name != missing])
        assert answer["isError"], answer
        assert missing in answer["content"][0]["text"]


def test_a_default_is_what_the_handler_gets() -> None:
    given: dict[str, Any] = {}

    def find(limit: int = Query(20, ge=1), shop: Annotated[str | None, Header(alias="X-Shop")] = None) -> None:
        given.update(limit=limit, shop=shop)

    resolver = Resolver()
    resolver.get("/")(find)
    TestClient(resolver).get("/")
    assert given == {one.argument: one.default for one in described(resolver).parameters}
    assert NOTHING not in given.values()
