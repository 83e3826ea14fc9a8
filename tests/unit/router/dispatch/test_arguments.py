"""Every form an argument can be written in: what it gives when the value is there, absent or wrong."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NewType, Optional
from uuid import UUID

import pydantic
import pytest
from typing_extensions import TypeAliasType

from router import (
    Body,
    ConfigurationError,
    Cookie,
    Depends,
    Event,
    FromRequest,
    Header,
    Path,
    Query,
    QueueEvent,
    Resolver,
    Router,
    Session,
    SessionPolicy,
    SocketEvent,
    StreamEvent,
)
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import failed

ID = "123e4567-e89b-12d3-a456-426614174000"
HTTP = ("rest", "http", "url", "alb", "lattice")

AS_JSON = {"content-type": "application/json"}


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


OrderId = NewType("OrderId", int)


@dataclass
class Item:
    id: int


@dataclass
class Filters:
    limit: Annotated[int, Query(ge=1, le=100)] = 20
    sort_by: Annotated[str, Query(alias="sort-by", pattern="^[a-z]+$")] = "id"
    tag: list[str] = field(default_factory=list)


class Page(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)  # all that comes is text, and is taken all the same
    number: int = pydantic.Field(1, ge=1, alias="page-number")
    day: date | None = None


def ask(handler: Any, path: str = "/", *, template: str = "/", source: Any = "rest", **options: Any) -> Any:
    """Return the JSON that a handler answers to a GET, or the places that a 422 names."""
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
    resolver.get(template)(handler)
    answer = TestClient(resolver, source=source).get(path, **options)
    if answer.status == 422:
        assert answer.headers["content-type"] == "application/problem+json"
        return [error["at"] for error in answer.json()["errors"]]
    assert answer.status == 200, answer.text
    return answer.json()


def handler_of(annotation: Any, default: Any = ...) -> Any:
    """Return a handler of one argument, called `x`."""

    def with_default(x=default):
        return {"x": x}

    def without(x):
        return {"x": x}

    handler: Any = without if default is ... else with_default
    handler.__annotations__ = {"x": annotation}
    return handler


def refusal_of(handler: Any, register: Any = None) -> str:
    """Return what is said of a handler that is refused."""
    with pytest.raises(ConfigurationError) as refused:
        (register or Resolver().get("/"))(handler)
    return str(refused.value)


# ---- bare scalars are query parameters ---------------------------------------------------------------------------

SCALARS: list[tuple[Any, str, Any, str]] = [
    (str, "x=a%20b", "a b", ""),
    (int, "x=3", 3, "x=three"),
    (float, "x=1.5", 1.5, "x=nan"),
    (bool, "x=true", True, "x=perhaps"),
    (UUID, f"x={ID}", ID, "x=1"),
    (datetime, "x=2025-03-01T12:00:00Z", "2025-03-01T12:00:00+00:00", "x=2025-03-01T12:00:00"),
    (date, "x=2025-03-01", "2025-03-01", "x=yesterday"),
    (time, "x=12:30:00", "12:30:00", "x=noon"),
    (Decimal, "x=1.10", 1.10, "x=1,1"),
    (Color, "x=blue", "blue", "x=green"),
    (Level, "x=2", 2, "x=3"),
    (Literal["a", 2], "x=2", 2, "x=b"),
    (OrderId, "x=3", 3, "x=three"),
    (int | Literal["all"], "x=all", "all", "x=some"),
    (Annotated[int, "a comment"], "x=3", 3, "x=three"),
    (Annotated[int, pydantic.Field(ge=1)], "x=3", 3, "x=0"),
]


@pytest.mark.parametrize(("annotation", "query", "expected", "wrong"), SCALARS, ids=str)
def test_a_bare_scalar_is_a_query_parameter(annotation: Any, query: str, expected: Any, wrong: str) -> None:
    assert ask(handler_of(annotation), f"/?{query}") == {"x": expected}
    assert ask(handler_of(annotation, None), f"/?{query}") == {"x": expected}
    assert ask(handler_of(Optional[annotation]), "/") == {"x": None}  # noqa: UP045
    assert ask(handler_of(annotation, "default"), "/") == {"x": "default"}
    assert ask(handler_of(annotation), "/") == ["query.x"]
    if wrong:
        assert ask(handler_of(annotation), f"/?{wrong}") == ["query.x"]
        assert ask(handler_of(annotation, None), f"/?{wrong}") == ["query.x"]


@pytest.mark.parametrize("source", HTTP)
def test_on_each_http_source(source: str) -> None:
    def handler(limit: int = 20, *, tag: list[str]):
        return [limit, tag]

    assert ask(handler, "/?limit=3&tag=a", source=source) == [3, ["a"]]
    assert ask(handler, source=source) == [20, []]
    assert ask(handler, "/?limit=x", source=source) == ["query.limit"]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (list[int], [1, 2]),
        (set[int], [1, 2]),
        (frozenset[int], [1, 2]),
        (tuple[int, ...], [1, 2]),
        (tuple[int, int], [1, 2]),
        (list[int] | None, [1, 2]),
        (list, ["1", "2"]),
    ],
    ids=str,
)
def test_bare_lists_sets_and_tuples_take_every_value(annotation: Any, expected: Any) -> None:
    assert ask(handler_of(annotation), "/?x=1&x=2") == {"x": expected}
    assert ask(handler_of(annotation, None)) == {"x": None}
    if annotation is not list:
        assert ask(handler_of(annotation), "/?x=1&x=b") == ["query.x[1]"]


def test_a_path_parameter_comes_before_the_query() -> None:
    def handler(order: int, limit: int = 5):
        return [order, limit]

    assert ask(handler, "/7?order=8&limit=9", template="/{order}") == [7, 9]


def test_an_error_names_each_argument_that_is_wrong_or_missing() -> None:
    def handler(order: int, a: int, event: Event, b: Header[int], session: Session, *, c: bool, d: Body[list[int]]):
        return "never"

    places = ask(handler, "/x?a=one", template="/{order}", headers={"b": "two"}, json=["x", 1])
    assert places == ["path.order", "query.a", "header.b", "query.c", "body[0]"]


def test_an_error_names_what_is_wrong_beside_a_dependency() -> None:
    def handler(a: int, db: Annotated[str, Depends(lambda: "db")], b: int):
        return "never"

    assert ask(handler, "/?a=x&b=y") == ["query.a", "query.b"]


def test_a_body_that_is_not_json_is_a_400_beside_a_wrong_argument() -> None:
    def handler(limit: int, item: Item):
        return "never"

    resolver = Resolver()
    resolver.post("/")(handler)
    assert TestClient(resolver).post("/?limit=x", body="{", headers=AS_JSON).status == 400


def test_malformed_percent_encoding_is_never_a_500() -> None:
    def handler(x: str = ""):
        return [x]

    resolver = Resolver()
    resolver.get("/")(handler)
    raw = samples.http("GET", "/")
    raw["rawQueryString"] = "x=%ff%zz"
    assert TestClient(resolver).event(raw)["statusCode"] in (200, 400)


def test_a_default_that_a_handler_changes_is_fresh_at_each_call() -> None:
    def handler(tag: list[str] = [], seen: Query[set[str]] = set()):  # noqa: B006
        tag.append("x")
        seen.add("y")
        return [tag, len(seen)]

    resolver = Resolver()
    resolver.get("/")(handler)
    client = TestClient(resolver)
    assert client.get("/").json() == client.get("/").json() == [["x"], 1]


def test_an_argument_of_a_dependency_is_a_query_parameter_too() -> None:
    def page(number: int = 1):
        return number

    def handler(number: Annotated[int, Depends(page)]):
        return [number]

    assert ask(handler, "/?number=3") == [3]
    assert ask(handler) == [1]


def test_postponed_annotations_mean_the_same_however_they_are_written() -> None:
    def handler(limit: "int" = 20, when: "date | None" = None):
        return [limit, when]

    assert ask(handler, "/?limit=3&when=2025-03-01") == [3, "2025-03-01"]


def test_an_annotation_that_fails_is_refused() -> None:
    def handler(x: "UUID.missing"): ...  # type: ignore[name-defined]

    assert "the signature cannot be read: type object 'UUID' has no attribute 'missing'" in refusal_of(handler)


# ---- unannotated arguments ---------------------------------------------------------------------------------------

table = object()


def test_an_argument_without_annotation_keeps_its_default_on_every_source() -> None:
    kept: list[bool] = []

    def handler(event, table=table, limit: Any = 5):
        kept.append(table is globals()["table"] and limit == 5)

    resolver = Resolver()
    for register in (resolver.get("/"), resolver.on_queue("orders"), resolver.on_invoke("x"), resolver.on_bus("x")):
        register(handler)
    client = TestClient(resolver)
    client.get("/?table=t&limit=6")
    client.queue("orders", ["a"])
    client.invoke("x", {"table": "t", "limit": 6})
    client.bus("x", {})
    assert kept == [True] * 4


def test_one_without_default_is_refused_unless_it_is_known() -> None:
    def handler(event, table): ...

    for register in (Resolver().get("/"), Resolver().on_queue("orders"), Router("/x").get("/{id}")):
        assert "nothing provides the argument 'table'" in refusal_of(handler, register)


# ---- the same on other sources -----------------------------------------------------------------------------------

OTHERS: dict[str, Any] = {
    "sqs orders": lambda: Resolver().on_queue("orders"),
    "sns orders": lambda: Resolver().on_topic("orders"),
    "dynamodb orders": lambda: Resolver().on_stream("orders", events=["INSERT"]),
    "s3 orders": lambda: Resolver().on_object("orders"),
    "eventbridge orders": lambda: Resolver().on_bus("orders"),
    "schedule orders": lambda: Resolver().on_schedule("orders"),
    "invoke orders": lambda: Resolver().on_invoke("orders"),
    "task orders": lambda: Resolver().on_task("orders"),
    "websocket orders": lambda: Resolver().on_message("orders"),
}


@pytest.mark.parametrize("where", OTHERS)
@pytest.mark.parametrize("annotation", [int, str | None, list[int], Color, Annotated[int, "comment"], dict], ids=str)
@pytest.mark.parametrize("default", [..., None], ids=["required", "default"])
def test_what_nothing_fills_is_refused_on_other_sources(where: str, annotation: Any, default: Any) -> None:
    message = refusal_of(handler_of(annotation, default), OTHERS[where]())
    assert message.startswith(f"{where}: nothing provides the argument 'x'; only HTTP requests have query parameters")
    assert "Body[...]" in message


@pytest.mark.parametrize("where", OTHERS)
@pytest.mark.parametrize("marked", [Query[int], Header[str], Cookie[str], Query[Filters], Annotated[int, Query(ge=1)]])
def test_a_place_that_a_source_has_not_is_refused(where: str, marked: Any) -> None:
    message = refusal_of(handler_of(marked, 1), OTHERS[where]())
    assert message.startswith(f"{where}: the argument 'x': {where.partition(' ')[0]} events have no ")


def test_sources_that_have_headers_or_a_query_give_them() -> None:
    resolver = Resolver()

    @resolver.on_connect()
    def connect(event: SocketEvent, token: Query[str], origin: Header[str | None]):
        return {"statusCode": 200 if (token, origin) == ("t", "o") else 403}

    @resolver.on_kafka("orders")
    def kafka(event: Event, trace: Header[str | None] = None): ...

    @resolver.on_authorize()
    def authorize(authorization: Header[str], stage: Query[int] = 1): ...

    raw = samples.websocket("CONNECT", query={"token": "t"}, headers={"origin": "o"})
    assert resolver.resolve(raw)["statusCode"] == 200


def test_a_dependency_may_be_shared_by_sources_with_and_without_a_query() -> None:
    seen: list[Any] = []

    def page(number: Query[int] = 1, x_trace: Header[str | None] = None):
        return number, x_trace

    def handler(page: Annotated[Any, Depends(page)]):
        seen.append(page)

    resolver = Resolver()
    resolver.get("/")(handler)
    resolver.on_queue("orders")(handler)
    client = TestClient(resolver)
    client.get("/?number=3", headers={"x-trace": "t"})
    client.queue("orders", ["a"])
    assert seen == [(3, "t"), (1, None)]

    def required(number: Query[int]): ...

    def bare(number: int = 1): ...

    for dependency in (required, bare):

        def other(page: Annotated[Any, Depends(dependency)]): ...

        assert "dependency" in refusal_of(other, Resolver().on_queue("orders"))


# ---- groups ------------------------------------------------------------------------------------------------------


def test_a_bare_scalar_in_a_group_may_be_of_an_outer_prefix_or_of_the_query() -> None:
    inner = Router("/orders")

    @inner.get("/{order}")
    def show(shop: str, order: int, limit: int = 20):
        return [shop, order, limit]

    resolver = Resolver().include(Router("/shops/{shop}").include(inner))
    assert TestClient(resolver).get("/shops/a/orders/7?limit=3&shop=b").json() == ["a", 7, 3]

    alone = Router()

    @alone.get("/orders/{order}")
    def of_query(shop: str, order: int):
        return [shop, order]

    assert TestClient(Resolver().include(alone)).get("/orders/7?shop=b").json() == ["b", 7]


def test_a_group_refuses_what_neither_a_path_nor_a_query_has() -> None:
    def handler(shop: dict[str, int]): ...

    assert "'shop'; the path has order: dict[str, int] cannot be made from text" in refusal_of(
        handler, Router("/orders").get("/{order}")
    )


# ---- markers with options ----------------------------------------------------------------------------------------


def test_an_alias_is_the_name_on_the_wire_as_it_is_written() -> None:
    def handler(
        size: Annotated[int, Query(alias="page-size", ge=1)] = 10,
        key: Annotated[str, Header(alias="X_Api_Key")] = "none",
        sid: Annotated[str, Cookie(alias="__Host-sid")] = "none",
        n: Annotated[int, Path(alias="order")] = 0,
    ):
        return [size, key, sid, n]

    def ask_for(path: str, **options: Any) -> Any:
        return ask(handler, path, template="/{order}", **options)

    assert ask_for("/7") == [10, "none", "none", 7]
    headers = {"x_api_key": "k", "X-Api-Key": "other"}
    assert ask_for("/7?page-size=3", headers=headers, cookies={"__Host-sid": "s"}) == [3, "k", "s", 7]
    assert ask_for("/7?page-size=0") == ["query.page-size"]
    assert ask_for("/7?size=x") == [10, "none", "none", 7]
    assert ask_for("/x") == ["path.order"]


FORMS: list[Any] = [
    handler_of(Annotated[int, Query(alias="n", ge=1, le=9)]),
    handler_of(int, Query(alias="n", ge=1, le=9)),
    handler_of(Query[int], Query(alias="n", ge=1, le=9)),
    handler_of(Annotated[int, Query(..., alias="n", ge=1, le=9)]),
    handler_of(Annotated[int, pydantic.Field(alias="n", ge=1, le=9)]),
    handler_of(Query[Annotated[int, pydantic.Field(alias="n", ge=1, le=9)]]),
    handler_of(Annotated[int, Query(alias="n", ge=1), pydantic.Field(le=9)]),
    handler_of(Annotated[Annotated[int, pydantic.Field(ge=1)], Query(alias="n", le=9)]),
]


@pytest.mark.parametrize("handler", FORMS, ids=[str(form.__annotations__["x"]) for form in FORMS])
def test_each_form_of_one_parameter_means_the_same(handler: Any) -> None:
    assert ask(handler, "/?n=3") == {"x": 3}
    assert ask(handler) == ["query.n"]
    for wrong in ("0", "10", "x"):
        assert ask(handler, f"/?n={wrong}") == ["query.n"]


OPTIONAL: list[Any] = [
    handler_of(Query[int | None]),  # type: ignore[misc] # mypy takes a union there in annotations alone
    handler_of(Query[int] | None),
    handler_of(Query[int], None),
    handler_of(Annotated[int | None, Query(ge=2)]),
    handler_of(Annotated[int, Query(ge=2)] | None),
    handler_of(int | None, Query(None, ge=2)),
    handler_of(int | None, Query(ge=2)),
    handler_of(Annotated[int, Query], None),
]


@pytest.mark.parametrize("handler", OPTIONAL, ids=[str(form.__annotations__["x"]) for form in OPTIONAL])
def test_each_form_of_an_optional_parameter_means_the_same(handler: Any) -> None:
    assert ask(handler, "/?x=3") == {"x": 3}
    assert ask(handler) == {"x": None}
    assert ask(handler, "/?x=y") == ["query.x"]


def test_a_marker_as_default_has_the_default_inside() -> None:
    def handler(
        limit: int = Query(20, ge=1), key: str = Header("none", alias="X-Key"), *, theme: str = Cookie("light")
    ):
        return [limit, key, theme]

    assert ask(handler) == [20, "none", "light"]
    assert ask(handler, "/?limit=3", headers={"x-key": "k"}, cookies={"theme": "dark"}) == [3, "k", "dark"]
    assert ask(handler, "/?limit=0") == ["query.limit"]


def test_the_body_takes_a_marker_in_each_form() -> None:
    resolver = Resolver()

    @resolver.post("/annotated")
    def annotated(item: Annotated[Item, Body(description="what to buy")]):
        return [item.id]

    @resolver.post("/default")
    def default(item: Item = Body()):
        return [item.id]

    @resolver.post("/limited")
    def limited(numbers: Annotated[list[int], Body(min_length=1, max_length=2)]):
        return numbers

    @resolver.post("/text")
    def text(note: Annotated[str, Body(max_length=3)]):
        return [note]

    client = TestClient(resolver)
    assert client.post("/annotated", json={"id": 1}).json() == client.post("/default", json={"id": 1}).json() == [1]
    assert client.post("/annotated", json={"id": "x"}).json()["errors"][0]["at"] == "body.id"
    assert client.post("/limited", json=[1, 2]).json() == [1, 2]
    assert [client.post("/limited", json=numbers).status for numbers in ([], [1, 2, 3])] == [422, 422]
    assert client.post("/text", body="abc").json() == ["abc"]
    assert client.post("/text", body="abcd").json()["errors"][0]["at"] == "body"


def test_a_text_or_bytes_as_the_body_may_be_optional() -> None:
    resolver = Resolver()

    @resolver.post("/text")
    def text(note: Body[str | None], other: Annotated[str | None, Body(max_length=3)] = "none"):
        return [note, other]

    @resolver.post("/bytes")
    def raw(data: Annotated[bytes, Body(max_length=3)] = b"none"):
        return [data.decode()]

    client = TestClient(resolver)
    assert client.post("/text", body="[1").json() == ["[1", "[1"]
    assert client.post("/text").json() == [None, "none"]
    assert client.post("/text", body="abcd").status == client.post("/bytes", body="abcd").status == 422
    assert client.post("/bytes", body="abc").json() == ["abc"]
    assert client.post("/bytes").json() == ["none"]


def test_a_marker_without_annotation_gives_the_value_as_it_comes() -> None:
    def handler(number=Query(3), data=Body(None)):
        return [number, data]

    assert ask(handler) == [3, None]
    assert ask(handler, "/?number=4", json={"a": 1}) == ["4", {"a": 1}]


def test_a_typed_path_parameter_keeps_its_limits_and_its_annotation() -> None:
    def limited(n: Annotated[int, Path(ge=1)] | None):
        return [n]

    def exact(x: Decimal):
        return [str(x)]

    for template in ("/{n}", "/{n:int}"):
        assert ask(limited, "/1", template=template) == [1]
        assert ask(limited, "/0", template=template) == ["path.n"]
    assert ask(exact, "/1.5", template="/{x:float}") == ["1.5"]


def test_what_documents_are_made_of_is_kept_on_the_marker() -> None:
    marker: Any = Query(20, description="how many", examples=[10, 20], deprecated=True)
    assert (marker.default, marker.description, marker.examples, marker.deprecated) == (20, "how many", [10, 20], True)


Key = TypeAliasType("Key", Annotated[str, Header(alias="X-Api-Key", min_length=2)])  # as `type Key = ...` makes it


def test_a_marker_may_stand_in_a_type_alias() -> None:
    handler = handler_of(Key)
    assert ask(handler, headers={"x-api-key": "key"}) == {"x": "key"}
    assert ask(handler, headers={"x-api-key": "k"}) == ["header.X-Api-Key"]


# ---- models of a place -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("annotation", [Query[Filters], Annotated[Filters, Query()], Query[Filters] | None], ids=str)
def test_a_dataclass_is_filled_from_the_query(annotation: Any) -> None:
    handler = handler_of(annotation)
    filled = ask(handler, "/?limit=5&sort-by=name&tag=a&tag=b&unknown=1")
    assert filled == {"x": {"limit": 5, "sort_by": "name", "tag": ["a", "b"]}}
    assert ask(handler, "/?limit=5") == {"x": {"limit": 5, "sort_by": "id", "tag": []}}
    assert ask(handler, "/?limit=0&sort-by=A1") == ["query.limit", "query.sort-by"]


def test_a_pydantic_model_is_filled_from_the_query() -> None:
    def handler(page: Query[Page]):
        return page.model_dump(mode="json")

    assert ask(handler, "/?page-number=3&day=2025-03-01&number=9") == {"number": 3, "day": "2025-03-01"}
    assert ask(handler) == {"number": 1, "day": None}
    assert ask(handler, "/?page-number=0&day=x") == ["query.page-number", "query.day"]


def test_a_model_stands_beside_other_arguments() -> None:
    def handler(order: int, filters: Query[Filters], verbose: bool = False):
        return [order, filters.limit, verbose]

    assert ask(handler, "/7?limit=3&verbose=true", template="/{order}") == [7, 3, True]
    assert ask(handler, "/x?limit=y&verbose=z", template="/{order}") == ["path.order", "query.limit", "query.verbose"]


def test_models_are_filled_from_headers_and_cookies() -> None:
    @dataclass
    class Headers:
        x_trace: str
        accept: list[str]
        key: Annotated[str, Header(alias="X-Api-Key")] = "none"

    @dataclass
    class Cookies:
        sid: UUID | None = None

    def handler(headers, cookies):
        return [headers.x_trace, headers.accept, headers.key, cookies.sid]

    handler.__annotations__ = {"headers": Header[Headers], "cookies": Cookie[Cookies]}
    sent = {"X-Trace": "t", "Accept": ["a", "b"], "x-api-key": "k"}
    assert ask(handler, headers=sent, cookies={"sid": ID}) == ["t", ["a", "b"], "k", ID]
    assert ask(handler, headers={"accept": "a"}, cookies={"sid": "x"}) == ["header.x-trace", "cookie.sid"]


def test_a_model_with_a_default_is_that_where_none_of_its_parameters_came() -> None:
    assert ask(handler_of(Query[Filters], None)) == {"x": None}
    assert ask(handler_of(Query[Filters] | None)) == {"x": None}
    assert ask(handler_of(Query[Filters], None), "/?other=1") == {"x": None}
    assert ask(handler_of(Query[Filters], None), "/?tag=a")["x"]["tag"] == ["a"]
    assert ask(handler_of(Query[Filters], Filters(limit=5)))["x"]["limit"] == 5


# ---- optional forms of the body, the session and the event -------------------------------------------------------


def optional_item(item: Item | None = None):
    return {"id": item.id if item else None}


def optional_without_default(item: Item | None):
    return {"id": item.id if item else None}


@pytest.mark.parametrize("handler", [optional_item, optional_without_default])
def test_an_optional_model_is_the_body_where_there_is_one(handler: Any) -> None:
    resolver = Resolver()
    resolver.post("/")(handler)
    resolver.on_invoke("item")(handler)
    client = TestClient(resolver)
    assert client.post("/", json={"id": 1}).json() == client.invoke("item", {"id": 1}) == {"id": 1}
    assert client.post("/").json() == client.post("/", body="null", headers=AS_JSON).json() == {"id": None}
    assert client.invoke("item") == {"id": None}
    assert client.post("/", json={"id": "x"}).status == 422


def test_null_is_not_a_body_that_must_be_there() -> None:
    resolver = Resolver()

    @resolver.post("/")
    def handler(item: Item) -> int:
        return item.id

    client = TestClient(resolver)
    assert client.post("/", json={"id": 1}).json() == 1
    assert client.post("/", body="null", headers=AS_JSON).status == 422


def test_an_optional_model_is_filled_on_every_source_that_has_a_body() -> None:
    seen: list[Any] = []

    def handler(item: Item | None = None, items: Any = None):
        seen.append(item and item.id)

    resolver = Resolver()
    for register in (resolver.on_queue("q"), resolver.on_topic("t"), resolver.on_bus("b"), resolver.on_message("m")):
        register(handler)
    client = TestClient(resolver)
    client.queue("q", [{"id": 1}])
    client.topic("t", [{"id": 2}])
    client.bus("b", {"id": 3})
    client.event(samples.websocket(route_key="m", body={"id": 4}))
    assert seen == [1, 2, 3, 4]


def test_a_list_of_models_is_the_body() -> None:
    def handler(items: list[Item] = []):  # noqa: B006
        return [item.id for item in items]

    def by_name(items: dict[str, Item]):
        return {name: item.id for name, item in items.items()}

    resolver = Resolver()
    resolver.post("/")(handler)
    resolver.post("/named")(by_name)
    resolver.on_invoke("items")(handler)
    client = TestClient(resolver)
    assert client.post("/", json=[{"id": 1}, {"id": 2}]).json() == [1, 2]
    assert client.post("/").json() == client.invoke("items") == []
    assert client.invoke("items", [{"id": 3}]) == [3]
    assert client.post("/", json=[{"id": 1}, {"id": "x"}]).json()["errors"][0]["at"] == "body[1].id"
    assert client.post("/named", json={"a": {"id": 1}}).json() == {"a": 1}


def test_an_optional_session_is_filled_where_it_is_somebodys() -> None:
    nobody = Session(attributes={"nobody": True})

    def handler(session: Session | None = None):
        return {"tenant": session and session.tenant}

    def other(who: Optional[Session] = nobody):  # noqa: UP045
        return {"nobody": who is nobody}

    assert ask(handler, headers={"x-tenant": "acme"}) == {"tenant": "acme"}
    assert ask(handler) == {"tenant": None}
    assert ask(other, headers={"x-tenant": "acme"}) == {"nobody": False}
    assert ask(other) == {"nobody": True}

    seen: list[Any] = []
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(session: Session | None = None):
        seen.append(session and session.tenant)

    @resolver.on_queue("batches", batch=True)
    def orders(events: list[Event], session: Session | None = None):
        seen.append(session and session.tenant)

    client = TestClient(resolver)
    for queue in ("orders", "batches"):
        client.queue(queue, ["a"], session={"tenant": "acme"})
        client.queue(queue, ["a"])
    assert seen == ["acme", None, "acme", None]


def test_the_event_and_the_context_may_be_optional() -> None:
    def handler(request: Event | None = None, context: Any = None, *, who: Annotated[Session, "comment"]):
        return [request is not None, context is not None, who.tenant]

    assert ask(handler, headers={"x-tenant": "acme"}) == [True, True, "acme"]

    def with_class(context: TestClient | None = None):  # whatever its class is called
        return [type(context).__name__]

    assert ask(with_class) == ["Context"]

    def of_query(context: str):
        return [context]

    assert ask(of_query, "/?context=c") == ["c"]


def test_an_event_class_must_be_one_of_the_source() -> None:
    def of_table(event: StreamEvent): ...

    def of_queue(events: list[QueueEvent]): ...

    def of_either(event: QueueEvent | StreamEvent): ...

    Resolver().on_stream("orders")(of_table)
    Resolver().on_queue("orders", batch=True)(of_queue)
    Resolver().on_queue("orders")(of_either)
    assert refusal_of(of_table, Resolver().on_queue("q")) == (
        "sqs q: nothing provides the argument 'event': its events are not of StreamEvent; write QueueEvent or Event"
    )
    assert "not of QueueEvent" in refusal_of(of_queue, Resolver().on_topic("orders", batch=True))


# ---- batches -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "annotation",
    [Item | None, list[Item], Annotated[Item, Body()], Annotated[int, Query(ge=1)], Query[Filters], Header[str]],
    ids=str,
)
def test_what_belongs_to_one_record_is_refused_in_a_batch(annotation: Any) -> None:
    message = refusal_of(handler_of(annotation, None), Resolver().on_queue("orders", batch=True))
    assert message == "sqs orders: a batch route takes the list of Events; 'x' belongs to one of them"


def test_a_bare_scalar_is_refused_in_a_batch() -> None:
    assert "nothing provides the argument 'x'" in refusal_of(
        handler_of(int, 3), Resolver().on_queue("orders", batch=True)
    )


# ---- refused when registered -------------------------------------------------------------------------------------

REFUSED: list[tuple[Any, Any, str]] = [
    (Query, ..., "the argument 'x': write Query[...] with a type in it"),
    (Annotated[int, Query(3)], ..., "the argument 'x' has its default inside Query(3); write it after the annotation"),
    (Annotated[str, Header("x-a")], ..., "write it after the annotation; for the name on the wire write alias='x-a'"),
    (Annotated[int, Query(), Header()], ..., "the argument 'x' has Query() and Header(); leave one of them"),
    (Annotated[int, Query(ge=1)], Query(3), "the argument 'x' has Query(ge=1) and Query(3); leave one of them"),
    (Query[int], Header(), "the argument 'x' has Query and Header(); leave one of them"),
    (Annotated[Item, Depends], ..., "the argument 'x': Depends takes the function that provides it: Depends(connect)"),
    (int, pydantic.Field(20), "the argument 'x': write Annotated[..., Field(...)] and the default after it"),
    (Annotated[int, pydantic.Field(20)], ..., "'x': a default inside Field(...) is not used; write it after the annot"),
    (
        Annotated[int, pydantic.Field(validation_alias=pydantic.AliasChoices("a", "b"))],
        ...,
        "AliasChoices(choices=['a', 'b']) is not the name of one parameter",
    ),
    (Annotated[str, Query(ge=3)], ..., "the argument 'x': Query(ge=3): ge=3 does not fit str"),
    (Query[dict[str, int]], ..., "the argument 'x': dict[str, int] cannot be made from text"),
    (Annotated[Filters, Query(ge=1)], ..., "the argument 'x': Query(ge=1): ge=1 does not fit Filters"),
    (dict, ..., "nothing provides the argument 'x': dict cannot be made from text"),
    (list[dict], ..., "nothing provides the argument 'x': dict cannot be made from text"),
    (TestClient, None, "nothing provides the argument 'x': TestClient cannot be made from text"),
]


@pytest.mark.parametrize(("annotation", "default", "message"), REFUSED, ids=str)
def test_a_form_that_would_not_do_what_it_says_is_refused(annotation: Any, default: Any, message: str) -> None:
    refused = refusal_of(handler_of(annotation, default))
    assert refused.startswith("GET /: ")
    assert message.replace("nothing provides the argument 'x': write", "write") in refused


def test_an_unknown_option_is_refused_where_it_is_written() -> None:
    with pytest.raises(ConfigurationError, match=r"Query\(\) has no option regex; it has alias, ge, .*pattern"):
        Query(regex="x")
    with pytest.raises(ConfigurationError, match=r"Body\(\) has no option alias"):
        Body(alias="x")
    with pytest.raises(ConfigurationError, match=r"Header\(alias=''\): give the name on the wire"):
        Header(alias="")


# ---- overrides ---------------------------------------------------------------------------------------------------


def test_an_override_is_bound_anew() -> None:
    def page(number: int = 1):
        return number

    def handler(number: Annotated[int, Depends(page)], limit: int = 20):
        return [number, limit]

    resolver = Resolver()
    resolver.get("/")(handler)
    client = TestClient(resolver)
    assert client.get("/?number=2&other=5").json() == [2, 20]
    with resolver.override(page, lambda event: 10 * int(event.query["other"])):
        assert client.get("/?number=2&other=5&limit=3").json() == [50, 3]
    assert client.get("/?number=2&other=5").json() == [2, 20]


def test_a_record_whose_arguments_are_wrong_fails_alone() -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(items: list[Item], session: Session | None = None): ...

    raw = samples.sqs("orders", [[{"id": 1}], [{"id": "x"}], {"id": 1}], message_ids=["a", "b", "c"])
    assert failed(TestClient(resolver).event(raw)) == ["b", "c"]
