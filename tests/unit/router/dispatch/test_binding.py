"""Handler arguments: where each comes from, and which signatures are refused when they are registered."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial, wraps
from typing import Annotated, Any
from uuid import UUID

import pydantic
import pytest

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
    Resolver,
    Response,
    Router,
    Session,
    SessionPolicy,
)
from router.testing import Context, TestClient, samples
from tests.unit.router.dispatch.cases import failed

AS_JSON = {"content-type": "application/json"}
ID = "123e4567-e89b-12d3-a456-426614174000"


@dataclass
class Listed:
    x_numbers: list[int]
    x_names: tuple[str, ...] = ()


@dataclass
class Order:
    id: int
    note: str = ""


class Model(pydantic.BaseModel):
    id: int


class SubEvent(Event):
    """What a user may name to tell a type checker more."""

    __slots__ = ()


def get(handler: Any, path: str = "/", *, template: str | None = None, **options: Any) -> Any:
    """The JSON that a handler answers to a GET."""
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
    resolver.get(template or path.partition("?")[0])(handler)
    answer = TestClient(resolver).get(path, **options)
    return answer.json() if answer.status == 200 else answer


def post(handler: Any, **options: Any) -> Any:
    resolver = Resolver()
    resolver.post("/")(handler)
    answer = TestClient(resolver).post("/", **options)
    return answer.json() if answer.status == 200 else answer


# ---- by name and by annotation -----------------------------------------------------------------------------------


def test_the_event_comes_by_name_by_annotation_and_by_a_subclass() -> None:
    def by_name(event):
        return {"path": event.path}

    def by_annotation(request: Event):
        return {"path": request.path}

    def by_subclass(request: SubEvent):
        return {"path": request.path}

    assert get(by_name, "/a") == get(by_annotation, "/a") == get(by_subclass, "/a") == {"path": "/a"}


def test_the_session_comes_by_name_and_by_annotation() -> None:
    def by_name(session):
        return {"tenant": session.tenant}

    def by_annotation(who: Session):
        return {"tenant": who.tenant}

    headers = {"x-tenant": "acme"}
    assert get(by_name, headers=headers) == get(by_annotation, headers=headers) == {"tenant": "acme"}


def test_the_context_comes_by_name() -> None:
    resolver = Resolver()

    @resolver.on_invoke("annotated")
    def annotated(context: Context):
        return context.aws_request_id

    @resolver.on_queue("orders", batch=True)
    def orders(events, context: Any):
        assert context.aws_request_id == "r-1"

    @resolver.on_invoke("who")
    def who(context, event: Event, session: Session):
        return [context.aws_request_id, event.name, session.tenant]

    client = TestClient(resolver, context=Context(request_id="r-1"))
    assert client.invoke("who", session={"tenant": "acme"}) == ["r-1", "who", "acme"]
    assert client.invoke("annotated") == "r-1"
    assert failed(client.queue("orders", ["a"])) == []


@pytest.mark.parametrize("count", range(5))
def test_any_number_of_arguments(count: int) -> None:
    names = ["a", "b", "c", "d"][:count]

    def handler(*values: Any) -> list[Any]:
        return list(values)

    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    handler.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    path = "".join(f"/{{{name}}}" for name in names) or "/"
    assert get(handler, "".join(f"/{name.upper()}" for name in names) or "/", template=path) == [
        n.upper() for n in names
    ]


def test_path_parameters_are_converted_to_their_annotation() -> None:
    def handler(order: int, part: UUID, name: str, rest):
        assert isinstance(part, UUID)
        return [order, str(part), name, rest]

    path = f"/7/{ID}/a%20b/c"
    assert get(handler, path, template="/{order}/{part}/{name}/{rest}") == [7, ID, "a b", "c"]


def test_a_path_parameter_that_the_template_converted_is_taken_as_it_is() -> None:
    def handler(order: int):
        return {"order": order}

    assert get(handler, "/7", template="/{order:int}") == {"order": 7}


def test_a_path_parameter_that_cannot_be_converted_is_a_422_that_names_it() -> None:
    def handler(order: int):
        return {"order": order}

    answer = get(handler, "/seven", template="/{order}")
    assert answer.status == 422
    assert answer.json()["errors"][0]["at"] == "path.order"


def test_path_parameters_may_come_by_marker_under_another_name_and_beside_the_event() -> None:
    def handler(event: Event, number: Annotated[int, Path(alias="order_id")]):
        return [number, event.params]

    assert get(handler, "/7", template="/{order_id}") == [7, {"order_id": "7"}]


def test_two_arguments_in_each_order() -> None:
    def event_first(event: Event, session: Session):
        return [event.path, session.tenant]

    def session_first(session: Session, event: Event):
        return [event.path, session.tenant]

    headers = {"x-tenant": "acme"}
    assert get(event_first, headers=headers) == get(session_first, headers=headers) == ["/", "acme"]


# ---- query, headers, cookies -------------------------------------------------------------------------------------


def test_query_headers_and_cookies_come_by_name() -> None:
    def handler(page: Query[int], x_trace: Header[str], theme: Cookie[str]):
        return [page, x_trace, theme]

    assert get(handler, "/?page=2", headers={"X-Trace": "t-1"}, cookies={"theme": "dark"}) == [2, "t-1", "dark"]


def test_an_alias_is_the_name_on_the_wire() -> None:
    def handler(
        size: Annotated[int, "of a page", Query(alias="page-size"), "at most 100"],
        trace: Annotated[str, Header(alias="X-Trace-Id")],
        theme: Annotated[str, Cookie(alias="ui.theme")],
    ):
        return [size, trace, theme]

    answer = get(handler, "/?page-size=3", headers={"x-trace-id": "t"}, cookies={"ui.theme": "dark"})
    assert answer == [3, "t", "dark"]


@pytest.mark.parametrize(
    ("path", "headers", "at"),
    [
        ("/", {"x-trace": "t"}, "query.page"),
        ("/?page=two", {"x-trace": "t"}, "query.page"),
        ("/?page=2", {}, "header.x-trace"),
    ],
)
def test_what_is_missing_or_wrong_is_a_422_that_names_the_place(path: str, headers: Any, at: str) -> None:
    def handler(page: Query[int], x_trace: Header[str]):
        return "never"

    answer = get(handler, path, template="/", headers=headers)
    assert answer.status == 422
    assert [error["at"] for error in answer.json()["errors"]] == [at]


def test_what_may_be_absent_has_its_default_or_none() -> None:
    def handler(
        page: Query[int] = 1,
        sort: Query[str | None] = "id",
        x_trace: Header[str | None] = None,
        theme: Cookie[str] = "light",
    ):
        return [page, sort, x_trace, theme]

    def without_default(sort: Query[str | None], tags: Query[list[str]]):
        return [sort, tags]

    assert get(handler) == [1, "id", None, "light"]
    assert get(without_default) == [None, []]
    assert get(without_default, "/?sort=&tags=a&tags=b") == ["", ["a", "b"]]


def test_lists_take_every_value() -> None:
    def handler(tag: Query[list[int]], x_via: Header[list[str]], theme: Cookie[list[str]]):
        return [tag, x_via, theme]

    headers = {"x-via": ["a", "b"]}
    assert get(handler, "/?tag=1&tag=2", headers=headers, cookies={"theme": "dark"}) == [[1, 2], ["a", "b"], ["dark"]]

    def empty(tag: Query[list[int]] = [9], theme: Cookie[list[str]] = []):  # noqa: B006
        return [tag, theme]

    assert get(empty) == [[9], []]


def test_a_list_of_a_header_takes_its_elements() -> None:
    def handler(x_numbers: Header[list[int]], x_names: Header[list[str]] = []):  # noqa: B006
        return [x_numbers, x_names]

    assert get(handler, headers={"x-numbers": "1, 2,,3"}) == [[1, 2, 3], []]
    assert get(handler, headers={"x-numbers": ["1,2", "3"], "x-names": 'a, "b, \\", c", "d'}) == [
        [1, 2, 3],
        ["a", '"b, \\", c"', '"d'],
    ]
    assert get(handler, headers={"x-numbers": " , "}) == [[], []]
    assert get(handler, headers={"x-numbers": "1, b"}).status == 422

    def model(told: Header[Listed]):
        return [told.x_numbers, told.x_names]

    assert get(model, headers={"x-numbers": "1, 2", "x-names": "a,b"}) == [[1, 2], ["a", "b"]]


# ---- the body ----------------------------------------------------------------------------------------------------


def test_dataclasses_and_pydantic_models_are_the_body() -> None:
    def plain(order: Order):
        return {"type": type(order).__name__, "id": order.id}

    def model(order: Model):
        return {"type": type(order).__name__, "id": order.id}

    assert post(plain, json={"id": 7}) == {"type": "Order", "id": 7}
    assert post(model, json={"id": 7}) == {"type": "Model", "id": 7}
    assert post(plain, json={"id": "x"}).status == post(model, json={"id": "x"}).status == 422
    assert post(plain, body="{", headers=AS_JSON).status == post(model, body="{", headers=AS_JSON).status == 400


def test_body_takes_any_type_the_bytes_and_the_text() -> None:
    def numbers(values: Body[list[int]]):
        return {"sum": sum(values)}

    def raw(content: Body[bytes]):
        return [content.hex()]

    def text(content: Body[str]):
        return [content]

    assert post(numbers, json=[1, 2]) == {"sum": 3}
    assert post(raw, body=b"\x00\xff") == ["00ff"]
    assert post(text, body="grüß") == ["grüß"]


def test_a_body_with_a_default_may_be_absent() -> None:
    def handler(order: Body[Order | None] = None):
        return {"id": order.id if order else None}

    assert post(handler) == {"id": None}
    assert post(handler, json={"id": 1}) == {"id": 1}


def test_the_body_of_a_message_is_bound_and_a_wrong_one_fails_its_record() -> None:
    seen: list[int] = []
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(order: Order, session: Session):
        seen.append(order.id)

    raw = samples.sqs("orders", [{"id": 1}, {"id": "x"}, "{", {"id": 4}], message_ids=["a", "b", "c", "d"])
    assert failed(TestClient(resolver).event(raw)) == ["b", "c"]
    assert seen == [1, 4]


# ---- defaults, keywords and other shapes of signatures -----------------------------------------------------------


def test_an_argument_that_nothing_provides_keeps_its_default_wherever_it_stands() -> None:
    def first(limit=5, *, event: Event):
        return [limit, event.path]

    def between(order, limit: Any = 5, session: Session = None):  # type: ignore[assignment]
        return [order, limit, session.tenant]

    def before_dependency(limit: object = 5, db: Annotated[str, Depends(lambda: "db")] = ""):
        return [limit, db]

    def last(event: Event, limit=5):
        return [event.path, limit]

    assert get(first, "/?limit=6", template="/") == [5, "/"]
    assert get(between, "/7", template="/{order}", headers={"x-tenant": "acme"}) == ["7", 5, "acme"]
    assert get(before_dependency) == [5, "db"]
    assert get(last) == ["/", 5]


def test_keyword_only_arguments() -> None:
    def handler(event: Event, *, order: int, page: Query[int] = 1, db: Annotated[str, Depends(lambda: "db")]):
        return [event.path, order, page, db]

    def keyword_alone(*, order: int):
        return [order]

    assert get(handler, "/7?page=2", template="/{order}") == ["/7", 7, 2, "db"]
    assert get(keyword_alone, "/7", template="/{order}") == [7]


def test_positional_only_arguments() -> None:
    def handler(event: Event, order, /, session: Session):
        return [event.path, order, session.tenant]

    assert get(handler, "/7", template="/{order}") == ["/7", "7", None]

    def behind_a_default(limit=5, session: Session = None, /):  # type: ignore[assignment]
        return limit

    with pytest.raises(ConfigurationError, match="'session' is positional-only and follows an argument that nothing"):
        Resolver().get("/")(behind_a_default)


def test_var_arguments_are_left_alone() -> None:
    def handler(event: Event, *others: Any, **options: Any):
        return [event.path, others, options]

    assert get(handler) == ["/", [], {}]


def test_string_annotations_are_resolved() -> None:
    def handler(request: Event, who: Session, page: Query[int] = 1):
        return [request.path, who.tenant, page]

    assert handler.__annotations__ == {"request": "Event", "who": "Session", "page": "Query[int]"}
    assert get(handler, "/?page=3", headers={"x-tenant": "acme"}) == ["/", "acme", 3]


class Shop:
    """Handlers that belong to an object."""

    def __init__(self, name: str) -> None:
        self.name = name

    def show(self, order: int):
        return [self.name, order]

    async def show_async(self, order: int):
        return [self.name, order]

    @classmethod
    def of_class(cls, order: int):
        return [cls.__name__, order]

    @staticmethod
    def static(order: int):
        return ["static", order]

    def __call__(self, order: int):
        return [self.name, order]


class AsyncShop:
    async def __call__(self, order: int):
        return ["async", order]


def show_with(name: str, order: int):
    return [name, order]


async def show_with_async(name: str, order: int):
    return [name, order]


def decorated(function: Any) -> Any:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return ["decorated", *function(*args, **kwargs)]

    return wrapper


@decorated
def show_decorated(order: int):
    return [order]


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (Shop("shop").show, ["shop", 7]),
        (Shop("shop").show_async, ["shop", 7]),
        (Shop.of_class, ["Shop", 7]),
        (Shop.static, ["static", 7]),
        (Shop("callable"), ["callable", 7]),
        (AsyncShop(), ["async", 7]),
        (partial(show_with, "partial"), ["partial", 7]),
        (partial(show_with, name="partial"), ["partial", 7]),
        (partial(show_with_async, "partial"), ["partial", 7]),
        (partial(Shop("method").show), ["method", 7]),
        (lambda order: ["lambda", int(order)], ["lambda", 7]),
        (show_decorated, ["decorated", 7]),
    ],
)
def test_whatever_can_be_called_may_be_a_handler(handler: Any, expected: list[Any]) -> None:
    assert get(handler, "/7", template="/{order}") == expected


def test_one_function_may_serve_many_routes() -> None:
    resolver = Resolver()

    @resolver.get("/orders")
    @resolver.post("/orders")
    @resolver.on_invoke("orders")
    def orders(event: Event):
        return {"source": event.source}

    client = TestClient(resolver)
    assert client.get("/orders").json() == client.post("/orders").json() == {"source": "rest"}
    assert client.invoke("orders") == {"source": "invoke"}
    assert orders.__name__ == "orders"


# ---- batch routes ------------------------------------------------------------------------------------------------


def test_a_batch_route_takes_the_list_the_session_and_the_context() -> None:
    seen: list[Any] = []
    resolver = Resolver()

    @resolver.on_queue("by-annotation", batch=True)
    def annotated(records: list[Event], who: Session, context):
        seen.append([[event.text for event in records], who.tenant, context.aws_request_id])

    @resolver.on_queue("by-name", batch=True)
    def named(events, session):
        seen.append([[event.text for event in events], session.tenant])

    client = TestClient(resolver, context=Context(request_id="r-1"))
    client.queue("by-annotation", ["a", "b"], session={"tenant": "acme"})
    client.queue("by-name", ["a", "b"], session={"tenant": "acme"})
    assert seen == [[["a", "b"], "acme", "r-1"], [["a", "b"], "acme"]]


def bodies(events: list[Event]):
    return [event.text for event in events]


def test_a_dependency_of_a_batch_route_takes_the_list_too() -> None:
    seen: list[Any] = []
    resolver = Resolver()

    @resolver.on_queue("orders", batch=True)
    def orders(texts: Annotated[list[str], Depends(bodies)]):
        seen.append(texts)

    TestClient(resolver).queue("orders", ["a", "b"])
    assert seen == [["a", "b"]]


# ---- refused when registered -------------------------------------------------------------------------------------


def refusals() -> dict[str, tuple[Any, str]]:  # noqa: C901
    """Handlers of `GET /orders/{order_id}` that no event could satisfy, and how the refusal reads."""

    def unknown(order_id, db): ...

    def unknown_type(order_id, limit: complex): ...

    def misspelled(oder_id): ...

    def not_convertible(order_id: dict[str, int]): ...

    def not_convertible_query(tree: Query[dict[str, int]]): ...

    def not_convertible_body(order: Body[Event]): ...

    def unresolvable(order: Missing): ...  # type: ignore[name-defined]  # noqa: F821

    def generator(order_id):
        yield order_id

    class Unreadable:
        __signature__ = "none"

        def __call__(self): ...

    async def async_generator(order_id):
        yield order_id

    class GeneratorObject:
        def __call__(self, order_id):
            yield order_id

    class AsyncGeneratorObject:
        async def __call__(self, order_id):
            yield order_id

    return {
        "unknown": (unknown, "nothing provides the argument 'db'; the path has order_id"),
        "unknown type": (unknown_type, "nothing provides the argument 'limit'; the path has order_id: complex cannot"),
        "misspelled": (misspelled, "nothing provides the argument 'oder_id'; the path has order_id"),
        "path of a dict": (not_convertible, "the argument 'order_id': .* cannot be made from text"),
        "query of a dict": (not_convertible_query, "the argument 'tree': .* cannot be made from text"),
        "body of an event": (not_convertible_body, "the argument 'order': .*Event cannot be made from JSON"),
        "unresolvable": (unresolvable, "an annotation cannot be resolved: name 'Missing' is not defined"),
        "generator": (generator, "the handler is a generator; return the result instead of yielding it"),
        "async generator": (async_generator, "the handler is a generator"),
        "generator object": (GeneratorObject(), "the handler is a generator"),
        "async generator object": (AsyncGeneratorObject(), "the handler is a generator"),
        "unreadable": (Unreadable(), "the signature cannot be read"),
    }


def test_a_marked_path_parameter_that_is_not_there_is_refused() -> None:
    def number(number: Path[int]): ...

    def alias(order_id: Annotated[int, Path(alias="order")]): ...

    for handler, message in ((number, "path parameter 'number'"), (alias, "path parameter 'order'")):
        with pytest.raises(ConfigurationError, match=f": there is no {message}; the path has order_id"):
            Resolver().get("/orders/{order_id}")(handler)
    with pytest.raises(ConfigurationError, match=r"sqs orders: the argument 'number': there is no path parameter"):
        Resolver().on_queue("orders")(number)


@pytest.mark.parametrize("registering", [Resolver, Router])
@pytest.mark.parametrize("case", refusals())
def test_a_signature_that_cannot_be_satisfied_is_refused_with_its_route_and_argument(
    case: str, registering: Any
) -> None:
    handler, message = refusals()[case]
    with pytest.raises(ConfigurationError, match=message) as refused:
        registering().get("/orders/{order_id}")(handler)
    assert str(refused.value).startswith("GET /orders/{order_id}: ")


def test_a_group_refuses_with_its_prefix_in_the_message() -> None:
    group = Router("/shops/{shop}")

    @group.get("/orders")
    def orders(shop): ...

    def wrong(order): ...

    with pytest.raises(ConfigurationError, match=r"GET /shops/\{shop\}/orders: .*'order'; the path has shop"):
        group.get("/orders")(wrong)


@pytest.mark.parametrize("marked", [Query[int], Header[str], Cookie[str], Body[Order], Order])
def test_a_batch_route_refuses_what_belongs_to_a_single_record(marked: Any) -> None:
    def handler(events, part): ...

    handler.__annotations__["part"] = marked
    with pytest.raises(ConfigurationError, match=r"sqs orders: a batch route takes the list of Events; 'part' belongs"):
        Resolver().on_queue("orders", batch=True)(handler)


def test_a_marker_says_what_it_is_in_messages() -> None:
    assert repr(Query[int]) == "Query[int]"
    assert repr(Body[list[int]]) == "Body[list[int]]"
    assert repr(Header("x", alias="X-Key", min_length=2)) == "Header('x', alias='X-Key', min_length=2)"


def test_a_response_is_no_model_and_no_body() -> None:
    def handler(response: Response): ...

    with pytest.raises(ConfigurationError, match="nothing provides the argument 'response'"):
        Resolver().get("/")(handler)


# ---- limits ------------------------------------------------------------------------------------------------------


def test_limits_of_arguments_are_checked() -> None:
    def handler(
        n: Annotated[int, pydantic.Field(ge=1)], size: Query[Annotated[int, pydantic.Field(le=100)]] = 20
    ) -> Any:
        return [n, size]

    assert get(handler, "/1", template="/{n}") == [1, 20]
    assert get(handler, "/1?size=100", template="/{n:int}") == [1, 100]
    for path in ("/0", "/1?size=101"):
        for template in ("/{n}", "/{n:int}"):
            answer = get(handler, path, template=template)
            assert answer.status == 422
            assert answer.json()["errors"][0]["at"] in ("path.n", "query.size")
