"""HTTP routes that agents call as tools, too: `tool=`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from router import (
    Body,
    BodyLimit,
    ConfigurationError,
    Cookie,
    Depends,
    Event,
    Header,
    HttpEvent,
    Identity,
    NotFound,
    Path,
    Query,
    Resolver,
    Response,
    RouteConflict,
    Router,
    Session,
    Source,
)
from router.guards import Bearer, Idempotent, JsonSchema, MemoryStore
from router.testing import TestClient, samples


@dataclass
class Change:
    total: int
    note: str = ""


class Filters(BaseModel):
    state: str = "open"
    limit: int = 10


def page(limit: Annotated[int, Query(le=50)] = 10) -> int:
    return limit


def audited(note: Change) -> Change:
    return note


def of_http(event: HttpEvent) -> None: ...
def of_header(trace: Header[str]) -> None: ...
def of_headers(trace: Header[Change]) -> None: ...
def of_cookie(sid: Annotated[str, Cookie(alias="sid")]) -> None: ...
def of_dependency(found: Annotated[str, Depends(of_http)]) -> None: ...


def refused(answer: Any) -> str:
    """The text of an answer that says what is wrong."""
    assert answer["isError"] is True, answer
    return str(answer["content"][0]["text"])


# ---- registering ---------------------------------------------------------------------------------------------------


def test_a_route_is_a_tool_beside_the_route() -> None:
    resolver = Resolver()

    @resolver.get("/orders/{order_id}", tool=True, tags=["orders"], requires=["TABLE"])
    def show(order_id: str) -> dict[str, str]:
        """Show an order."""
        return {"id": order_id}

    http, tool = resolver.routes
    assert (str(http), str(tool)) == ("GET /orders/{order_id}", "tool show")
    assert tool.sources == (Source.TOOL,)
    assert (tool.handler, tool.summary, tool.tags) == (show, "Show an order.", ("orders",))
    assert resolver.requires_of(tool) == resolver.requires_of(http)


def test_a_name_of_its_own() -> None:
    resolver = Resolver()
    resolver.get("/orders", tool="orders.list")(lambda: ["o-1"])
    assert TestClient(resolver).tool("orders.list") == ["o-1"]


def test_routes_of_groups_keep_what_stands_around_them() -> None:
    seen: list[str] = []

    def outer(event: Event) -> Any:
        seen.append(f"{event.method} {event.path}")
        yield

    resolver, group = Resolver(), Router("/shop", tags=["shop"], middleware=[outer])

    @group.get("/orders/{order_id}", tool=True)
    def show(order_id: str) -> dict[str, str]:
        return {"id": order_id}

    resolver.include(group)
    assert TestClient(resolver).tool("show", {"order_id": "a/b c"}) == {"id": "a/b c"}
    assert seen == ["GET /shop/orders/a%2Fb%20c"]
    assert resolver.routes[1].tags == ("shop",)


def test_two_of_one_name_conflict() -> None:
    resolver = Resolver()
    resolver.get("/a", tool="find")(lambda: 1)
    with pytest.raises(RouteConflict):
        resolver.get("/b", tool="find")(lambda: 2)


@pytest.mark.parametrize("group", [False, True])
def test_what_no_call_can_satisfy_is_refused_with_file_and_line(group: bool) -> None:
    app: Any = Router("/shop") if group else Resolver()
    for handler, told in (
        (of_http, "no HttpEvent"),
        (of_header, "the header 'trace' has to be sent"),
        (of_headers, "the header 'trace' has to be sent"),
        (of_cookie, "the cookie 'sid' has to be sent"),
        (of_dependency, "no HttpEvent"),
    ):
        with pytest.raises(ConfigurationError, match=told) as caught:
            app.get(f"/{handler.__name__}", tool=True)(handler)
        place = handler.__code__
        assert f"{place.co_filename}:{place.co_firstlineno}" in str(caught.value)
        app.get(f"/{handler.__name__}/http")(handler)  # over HTTP alone there is nothing wrong with it


@pytest.mark.parametrize("options", [{"pattern": {"method": ["GET"]}}, {"methods": ["GET", "POST"]}])
def test_a_call_says_no_method_and_matches_no_pattern(options: dict[str, Any]) -> None:
    methods = options.pop("methods", ["GET"])
    with pytest.raises(ConfigurationError, match="tool="):
        Resolver().route("/orders", methods, tool=True, **options)(lambda: None)


@pytest.mark.parametrize("read_only", ["yes", 1])
def test_read_only_is_yes_or_no(read_only: Any) -> None:
    with pytest.raises(ConfigurationError, match="read_only="):
        Resolver().tool("a", read_only=read_only)(lambda: None)


def test_read_only_is_for_tools() -> None:
    with pytest.raises(ConfigurationError, match="read_only="):
        Resolver().get("/a", read_only=True)(lambda: None)


# ---- arguments -----------------------------------------------------------------------------------------------------


def test_path_query_and_body_are_arguments_by_name() -> None:
    resolver = Resolver()

    @resolver.put("/shops/{shop:int}/orders/{order_id}", tool=True)
    def change(
        shop: int,
        order: Annotated[UUID, Path(alias="order_id")],
        change: Change,
        tags: list[str],
        dry_run: bool = False,
        limit: Annotated[int, Query(alias="max", le=5)] = 5,
    ) -> Any:
        return [shop, str(order), change.total, tags, dry_run, limit]

    client, order = TestClient(resolver), "6f2c1c4e-6d7a-4d0b-9a55-0f4f4f7a3b11"
    arguments = {"shop": 7, "order_id": order, "change": {"total": 3}}
    assert client.tool("change", arguments) == [7, order, 3, [], False, 5]
    assert client.put(f"/shops/7/orders/{order}", json={"total": 3}).json() == [7, order, 3, [], False, 5]
    assert client.tool("change", {**arguments, "tags": ["a"], "dry_run": True, "max": 2})[3:] == [["a"], True, 2]
    told = refused(client.tool("change", {"shop": "x", "order_id": "y", "change": {"total": "z"}, "max": 9}))
    for wrong in ("arguments.shop", "arguments.order_id", "arguments.change.total", "arguments.max"):
        assert wrong in told


@pytest.mark.parametrize("annotation", [Change, Body[Change], Change | None])
def test_a_model_alone_is_all_arguments(annotation: Any) -> None:
    resolver = Resolver()

    def make(change: Any) -> Any:
        return None if change is None else change.total

    make.__annotations__["change"] = annotation
    resolver.post("/orders", tool=True)(make)
    assert TestClient(resolver).tool("make", {"total": 3}) == 3


def test_query_models_and_bodies_beside_a_path() -> None:
    resolver = Resolver()

    @resolver.get("/orders", tool=True)
    def orders(filters: Query[Filters]) -> Any:
        return [filters.state, filters.limit]

    @resolver.post("/shops/{shop}/orders", tool=True)
    def make(change: Change) -> Any:  # the path has more than the handler takes
        return change.total

    client = TestClient(resolver)
    assert client.tool("orders", {"limit": 3}) == ["open", 3]
    assert client.tool("make", {"shop": "s", "change": {"total": 3}}) == 3


def test_what_http_keeps_at_its_default_no_agent_sets() -> None:
    resolver = Resolver()

    @resolver.get("/orders", tool=True)
    def orders(limit: int = 3, _trusted=False) -> Any:
        return [limit, _trusted]

    client = TestClient(resolver)
    assert client.tool("orders", {"limit": 4}) == [4, False]
    refused_text = "arguments: there is no argument '_trusted'; it has limit"
    assert refused(client.tool("orders", {"limit": 4, "_trusted": True})) == refused_text


# ---- arguments that there are not --------------------------------------------------------------------------------


def of_other(other: int = 0) -> int:
    return other


def test_arguments_that_nothing_takes_are_refused_with_those_that_there_are() -> None:
    resolver = Resolver()

    @resolver.get("/shops/{shop}", tool="search")
    def search(shop: str, other: Annotated[int, Depends(of_other)], q: str = "", limit: int = 10) -> Any:
        return [shop, q, limit]

    @resolver.tool("find")
    async def find(q: str = "", most: int = 10) -> Any:
        return [q, most]

    @resolver.tool("now")
    def now() -> str:
        return "noon"

    client = TestClient(resolver)
    assert client.tool("search", {"shop": "s", "q": "x"}) == ["s", "x", 10]
    expected = "arguments: there is no argument 'query'; it has shop, other, q, limit"
    assert refused(client.tool("search", {"shop": "s", "query": "x"})) == expected
    many = "arguments: there is no argument 'a'; it has q, most; arguments: there is no argument 'b'; it has q, most"
    assert refused(client.tool("find", {"a": 1, "b": 2})) == many
    assert refused(client.tool("now", {"zone": "UTC"})) == "arguments: there is no argument 'zone'; it has none"
    assert client.tool("now", None) == "noon"


class Strict(BaseModel, extra="forbid"):
    total: int


def test_what_a_model_does_with_further_arguments_is_its_own_affair() -> None:
    resolver = Resolver()
    resolver.tool("change")(audited)

    @resolver.post("/stricter", tool="stricter")
    def stricter(change: Strict) -> int:
        return change.total

    client = TestClient(resolver)
    assert client.tool("change", {"total": 3, "more": 1}) == {"total": 3, "note": ""}
    assert "more" in refused(client.tool("stricter", {"total": 3, "more": 1}))


def of_event(event: Event) -> Any:
    return event.json()


def test_a_handler_that_takes_the_event_may_read_any_argument() -> None:
    resolver = Resolver()
    resolver.tool("echo")(of_event)

    @resolver.tool("through")
    def through(found: Annotated[Any, Depends(of_event)], q: str = "") -> Any:
        return [found, q]

    client = TestClient(resolver)
    assert client.tool("echo", {"any": 1}) == {"any": 1}
    assert client.tool("through", {"any": 1, "q": "x"}) == [{"any": 1, "q": "x"}, "x"]


@pytest.mark.parametrize("named", [True, False])
def test_an_agent_of_bedrock_is_told_of_arguments_that_there_are_not(named: bool) -> None:
    resolver = Resolver()

    @resolver.get("/orders", tool="orders")
    def orders(limit: int = 3) -> int:
        return limit

    given = {"limit": 4, "most": 5}
    payload = samples.bedrock_agent(function="orders", parameters=given) if named else None
    answer = resolver(payload or samples.bedrock_agent("/orders", method="GET", parameters=given), None)
    assert "there is no argument 'most'; it has limit" in json.dumps(answer)


def test_parameters_of_a_path_win_over_names_with_a_meaning() -> None:
    resolver = Resolver()
    resolver.get("/talks/{session}", tool="talk")(lambda session: {"of": session})
    assert TestClient(resolver).tool("talk", {"session": "s-1"}) == {"of": "s-1"}


@pytest.mark.parametrize("path", ["", None, 5, ["a"], {"a": 1}])
def test_an_argument_of_the_path_is_what_a_path_can_hold(path: Any) -> None:
    resolver = Resolver()
    resolver.get("/orders/{order_id}", tool="show")(lambda order_id: order_id)
    assert "arguments.order_id" in refused(TestClient(resolver).tool("show", {"order_id": path}))


@pytest.mark.parametrize("value", [{"$ne": 1}, ["7"], True, "seven", 7.5, "7"])
def test_a_parameter_that_the_path_has_a_type_for_is_of_that_type_everywhere(value: Any) -> None:
    seen: list[Any] = []
    resolver = Resolver()

    @resolver.get("/shop/{shop:int}", tool="show")  # the parameter is named as a step of the path
    def show(event: Event) -> Any:
        seen.append(event.params)

    client = TestClient(resolver)
    assert "arguments.shop" in refused(client.tool("show", {"shop": value}))
    assert seen == []
    client.tool("show", {"shop": 7})
    client.get("/shop/7")
    assert seen == [{"shop": 7}] * 2


def test_an_id_in_the_path_is_one_for_middleware_too() -> None:
    resolver = Resolver()
    resolver.get("/orders/{order:uuid}", tool="show")(lambda event: repr(event.params["order"]))
    text = "6f2c1c4e-6d7a-4d0b-9a55-0f4f4f7a3b11"
    assert TestClient(resolver).tool("show", {"order": text}) == repr(UUID(text))


def test_yes_and_no_in_the_path_are_written_as_over_http() -> None:
    seen: list[Any] = []

    def look(event: Event) -> Any:
        seen.append((event.path, event.params))
        yield

    resolver = Resolver()

    @resolver.get("/orders/{is_open}", tool="orders", middleware=[look])
    def orders(is_open: bool) -> Any:
        return is_open

    client = TestClient(resolver)
    assert client.tool("orders", {"is_open": True}) is client.get("/orders/true").json() is True
    assert seen == [("/orders/true", {"is_open": "true"})] * 2


def test_an_argument_cannot_pass_for_a_parameter_of_another_name() -> None:
    seen: list[Any] = []

    def look(event: Event) -> Any:
        seen.append(dict(event.query))
        yield

    resolver = Resolver()

    @resolver.get("/orders", tool="orders", middleware=[look])
    def orders(selected: Query[Filters], of: str = "nobody", size: Annotated[int, Depends(page)] = 1) -> Any:
        return [selected.limit, of]

    client = TestClient(resolver)
    assert client.tool("orders", {"selected": {"limit": 3, "of": "ann", "x": "y"}, "of": "bob"}) == [3, "bob"]
    assert seen.pop() == {"limit": "3", "of": "bob"}
    client.tool("orders", {"of": {"limit": "3"}})
    assert "limit" not in seen.pop()
    # Over HTTP both are one parameter, and what looks at the query sees the value that counts.
    assert "differs" in refused(client.tool("orders", {"selected": {"limit": 3}, "limit": 4}))


def test_two_arguments_that_are_one_body_over_http_are_refused() -> None:
    def make(change: Change, audit: Annotated[Change, Depends(audited)]) -> None: ...

    with pytest.raises(ConfigurationError, match=r"'change' and 'note' are both the body.*test_http_tools.py:\d+"):
        Resolver().post("/orders", tool=True)(make)


def test_headers_and_cookies_are_those_that_the_gateway_lets_through() -> None:
    resolver = Resolver()

    @resolver.get("/a", tool=True)
    def show(trace: Header[str] = "none", sid: Cookie[str] = "nobody") -> Any:
        return [trace, sid]

    client = TestClient(resolver)
    assert client.tool("show", {}) == ["none", "nobody"]
    assert refused(client.tool("show", {"trace": "mine"})) == "arguments: there is no argument 'trace'; it has none"
    assert client.tool("show", headers={"trace": "t", "cookie": "sid=s"}) == ["t", "s"]


def test_dependencies_take_arguments_of_the_call() -> None:
    resolver = Resolver()

    @resolver.post("/orders", tool=True)
    def make(change: Change, size: Annotated[int, Depends(page)]) -> Any:
        return [change.total, size]

    client = TestClient(resolver)
    assert client.tool("make", {"change": {"total": 1}, "limit": 2}) == [1, 2]
    assert "arguments.limit" in refused(client.tool("make", {"change": {"total": 1}, "limit": 51}))
    with resolver.override(page, lambda: 99):
        assert client.tool("make", {"change": {"total": 1}}) == [1, 99]


# ---- answers -------------------------------------------------------------------------------------------------------


@dataclass
class Held:
    id: str
    lines: list[int] = field(default_factory=list)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (({"a": 1}, 201), {"a": 1}),
        (({"a": 1}, 201, {"location": "/a"}), {"a": 1}),
        (Response.json([1], 202), [1]),
        (Held("a"), {"id": "a", "lines": []}),
        (Response.text("hello"), "hello"),
        ({"statusCode": 200, "body": "hello"}, "hello"),
        (None, None),
        ("text", "text"),
        ([2**70], [2**70]),
    ],
)
@pytest.mark.parametrize("around", [False, True])
def test_an_agent_gets_the_content(result: Any, expected: Any, around: bool) -> None:
    def header(event: Event) -> Any:
        response = yield
        response.headers["x-seen"] = str(response.status)  # as on HTTP

    resolver = Resolver()
    resolver.get("/a", tool="a", middleware=[header] if around else [])(lambda: result)
    assert TestClient(resolver).tool("a") == expected


@pytest.mark.parametrize("result", [({"title": "no"}, 409), Response.json({"title": "no"}, 409)])
def test_an_error_that_is_returned_is_one(result: Any) -> None:
    resolver = Resolver()
    resolver.get("/a", tool="a")(lambda: result)
    assert refused(TestClient(resolver).tool("a")) == '{"title":"no"}'


def test_an_error_that_is_raised_is_told() -> None:
    resolver = Resolver()

    @resolver.get("/a", tool=True)
    def show() -> None:
        raise NotFound("there is no such order")

    assert refused(TestClient(resolver).tool("show")) == "there is no such order"


def test_async_handlers() -> None:
    resolver = Resolver()

    @resolver.get("/a/{x}", tool=True)
    async def show(x: str) -> Any:
        return {"x": x}, 201

    def header(event: Event) -> Any:
        response = yield
        assert response.status == 201

    resolver.use(header)
    assert TestClient(resolver).tool("show", {"x": "1"}) == {"x": "1"}


# ---- nothing is open that is closed over HTTP ----------------------------------------------------------------------


class Users:
    def authenticate(self, token: str) -> Identity | None:
        return Identity(user=token, tenants=["acme"]) if token in ("ada", "bob") else None


def test_authentication_holds() -> None:
    resolver = Resolver(auth=[Bearer(Users())])

    @resolver.get("/a", tool=True)
    def show(session: Session) -> Any:
        return session.user

    client = TestClient(resolver)
    assert refused(client.tool("show"))
    assert refused(client.tool("show", {"user": "ada", "authorization": "Bearer ada"}))
    assert client.tool("show", headers={"authorization": "Bearer ada"}) == "ada"


@pytest.mark.parametrize(
    "permission",
    [
        lambda session, event: event.method != "DELETE",
        lambda session, event: event.path != "/orders/1",
        lambda session, event: event.params["order_id"] != "1",
        lambda session, order_id: order_id != "1",
        lambda session, event: event.query["force"] != "true",
        lambda session, event: event.json()["total"] < 100,
    ],
    ids=["method", "path", "params", "argument", "query", "body"],
)
def test_a_permission_cannot_be_passed_by_calling_the_tool(permission: Any) -> None:
    resolver, done = Resolver(), []

    @resolver.delete("/orders/{order_id}", tool=True, permission=permission)
    def remove(order_id: str, change: Change, force: bool = False) -> None:
        done.append(order_id)

    client = TestClient(resolver)
    over_http = client.delete("/orders/1?force=true", json={"total": 100})
    assert over_http.status == 403
    # The model sends what it likes, beside what there is.
    answer = client.tool(
        "remove",
        {"order_id": "1", "force": True, "change": {"total": 100}, "method": "GET", "path": "/", "total": 1},
    )
    assert refused(answer) == "Forbidden"
    assert done == []


def test_what_a_pattern_of_another_tool_has_read_is_forgotten() -> None:
    resolver, done = Resolver(), []
    resolver.tool("orders___remove", pattern={"path": ["x"], "method": ["x"], "body": ["x"]})(lambda: "other")

    @resolver.delete("/orders/{order_id}", tool=True, permission=lambda session, event: event.path != "/orders/1")
    def remove(order_id: str) -> None:
        done.append(order_id)

    assert refused(TestClient(resolver).tool("remove", {"order_id": "1"}, target="orders")) == "Forbidden"
    assert TestClient(resolver).tool("remove", {"order_id": "2"}, target="orders") is None
    assert done == ["2"]


def test_routes_without_permission_are_closed_where_all_are() -> None:
    resolver = Resolver(deny_by_default=True)
    resolver.get("/a", tool="a")(lambda: "reached")
    assert refused(TestClient(resolver).tool("a")) == "Forbidden"


def test_schemas_of_body_and_query_hold() -> None:
    resolver = Resolver()
    guard = JsonSchema(
        body={"properties": {"total": {"maximum": 9}}},
        query={"properties": {"limit": {"type": "integer", "maximum": 9}}},
    )

    @resolver.put("/orders/{order_id}", tool=True, middleware=[guard])
    def change(order_id: str, change: Change, limit: int = 1) -> Any:
        return change.total

    client = TestClient(resolver)
    assert client.tool("change", {"order_id": "1", "change": {"total": 9}}) == 9
    assert "body.total" in refused(client.tool("change", {"order_id": "1", "change": {"total": 10}}))
    assert "query.limit" in refused(client.tool("change", {"order_id": "1", "change": {"total": 1}, "limit": 10}))


def test_middleware_that_answers_at_once_refuses_as_on_http() -> None:
    def closed(event: Event) -> Any:
        yield {"title": "closed"}, 403

    resolver = Resolver()
    resolver.get("/a", tool="a", middleware=[closed])(lambda: "reached")
    assert refused(TestClient(resolver).tool("a")) == '{"title":"closed"}'


def test_idempotency_keeps_the_answer() -> None:
    resolver, calls = Resolver(), []

    @resolver.post("/orders", tool=True, middleware=[Idempotent(MemoryStore(), key=lambda event: "k")])
    def make(change: Change) -> Any:
        calls.append(change)
        return {"total": change.total}, 201

    client = TestClient(resolver)
    assert [client.tool("make", {"total": 3}) for _ in range(2)] == [{"total": 3}] * 2
    assert len(calls) == 1


def test_one_key_for_two_requests_is_refused_as_on_http() -> None:
    resolver = Resolver()

    @resolver.put("/orders/{order_id}", tool=True, middleware=[Idempotent(MemoryStore(), key=lambda event: "k")])
    def change(order_id: str, change: Change) -> Any:
        return order_id

    client = TestClient(resolver)
    assert client.tool("change", {"order_id": "1", "change": {"total": 3}}) == "1"
    assert client.tool("change", {"order_id": "1", "change": {"total": 3}}) == "1"
    refused(client.tool("change", {"order_id": "2", "change": {"total": 3}}))


def test_the_limit_of_a_body_holds() -> None:
    resolver = Resolver()

    @resolver.put("/orders/{order_id}", tool=True, middleware=[BodyLimit(30)])
    def change(order_id: str, change: Change) -> Any:
        return len(change.note)

    client = TestClient(resolver)
    assert client.tool("change", {"order_id": "1", "change": {"total": 1, "note": "x"}}) == 1
    assert "at most 30" in refused(client.tool("change", {"order_id": "1", "change": {"total": 1, "note": "x" * 30}}))


def test_the_body_is_what_it_is_over_http() -> None:
    seen: list[Any] = []

    def look(event: Event) -> Any:
        seen.append((event.body, event.json(), dict(event.query), event.params))
        yield

    resolver = Resolver()

    @resolver.post("/shops/{shop:int}", tool=True, middleware=[look])
    def make(shop: int, change: Change, tags: list[str], dry: bool = False) -> None: ...

    @resolver.get("/none", tool=True, middleware=[look])
    def none() -> None: ...

    client = TestClient(resolver)
    client.tool("make", {"shop": 1, "change": {"total": 2}, "tags": ["a", "b"], "dry": True})
    body, parsed, query, params = seen.pop()
    assert (json.loads(body), parsed, params) == ({"total": 2}, {"total": 2}, {"shop": 1})
    assert query == {"tags": "b", "dry": "true"}
    client.tool("none", {"anything": 1})
    assert seen == [(b"", None, {}, {})]
