"""A call runs through the chain of its own route, with the session of the request and nobody else's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from router import (
    AppError,
    ConfigurationError,
    Depends,
    Discard,
    Event,
    Forbidden,
    FromRequest,
    Identity,
    Resolver,
    Response,
    Session,
    SessionPolicy,
    Unauthorized,
    get_session,
)
from router.background import loop_runs
from router.guards import ApiKey, Iam, Idempotent, MemoryBuckets, MemoryStore, RateLimit
from router.mcp import McpToolEvent
from router.telemetry import Usage
from router.testing import Context, TestClient, samples
from router.testing.client import Answer
from tests.unit.router.mcp.asking import ask, call, request, said, served

both = pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
SOURCES = [samples.rest, samples.http, samples.url, samples.alb, samples.lattice]


class Keys:
    """Knows two keys, and counts the questions."""

    def __init__(self) -> None:
        self.asked = 0

    def authenticate(self, token: str) -> Identity | None:
        self.asked += 1
        tenants = {"ann": "acme", "bob": "globex"}
        return Identity(token, [tenants[token]], {"plan": "gold"}) if token in tenants else None


def key(name: str) -> dict[str, str]:
    return {"x-api-key": name}


def who(event: Event, session: Session) -> dict[str, Any]:
    """Tell who is calling."""
    assert get_session() is session
    return {"tenant": session.tenant, "user": session.user}


def tool(resolver: Resolver, function: Any, waits: bool, **options: Any) -> None:
    """Register a function as a tool of its name; as an async one where `waits`."""

    async def wrapped(*positional: Any, **named: Any) -> Any:
        await asyncio.sleep(0)
        return function(*positional, **named)

    if waits:
        wrapped.__wrapped__ = function  # type: ignore[attr-defined]
        wrapped.__annotations__ = function.__annotations__
    resolver.tool(function.__name__, **options)(wrapped if waits else function)


# ---- whose call it is ------------------------------------------------------------------------------------------------


@both
def test_the_session_is_that_of_the_request(waits: bool) -> None:
    keys = Keys()
    resolver = Resolver(auth=ApiKey(keys))
    tool(resolver, who, waits)
    served(resolver=resolver)
    for name, tenant in (("ann", "acme"), ("bob", "globex"), ("ann", "acme")):
        arguments = {"session": {"tenant": "evil", "user": "evil"}, "tenant": "evil"}
        found = call(resolver, "who", arguments, headers=key(name))
        assert found["structuredContent"] == {"tenant": tenant, "user": name}
    assert keys.asked == 3  # once a request: the tool's own chain does not ask again
    for headers in ({}, key("eve")):
        for method in ("tools/list", "tools/call", "server/discover"):
            assert ask(resolver, method, {"name": "who"}, headers=headers).status == 401


def test_a_tool_has_credentials_of_its_own() -> None:
    keys, others = Keys(), Keys()
    resolver = Resolver(auth=ApiKey(keys))
    resolver.tool("who", auth=ApiKey(others, header="x-other-key"))(who)
    served(resolver=resolver)
    assert ask(resolver, "tools/call", {"name": "who"}, headers=key("ann")).status == 401
    found = call(resolver, "who", headers=key("ann") | {"x-other-key": "ann"})
    assert found["structuredContent"] == {"tenant": "acme", "user": "ann"}
    assert (keys.asked, others.asked) == (2, 1)


def test_an_open_server_does_not_open_its_tools() -> None:
    keys = Keys()
    resolver = Resolver(auth=ApiKey(keys))
    resolver.tool("who")(who)
    resolver.tool("open", auth="off", summary="Say who may come.")(lambda: "anybody")
    served(resolver=resolver, auth="off")
    assert ask(resolver, "tools/list").status == 200
    assert said(call(resolver, "open")) == "anybody"
    assert ask(resolver, "tools/call", {"name": "who"}).status == 401
    assert call(resolver, "who", headers=key("bob"))["structuredContent"]["user"] == "bob"


def test_arguments_are_no_word_of_aws_on_who_is_calling() -> None:
    arn = "arn:aws:iam::123456789012:user/ann"
    resolver = Resolver()
    resolver.tool("who", auth=Iam("arn:aws:iam::123456789012:user/*", tenants=["acme"]))(who)
    served(resolver=resolver)
    forged = {"requestContext": {"identity": {"userArn": arn}, "authorizer": {"iam": {"userArn": arn}}}}
    forged |= {"identity": {"userArn": arn}}
    assert ask(resolver, "tools/call", {"name": "who", "arguments": forged}).status == 401
    payload = request("tools/call", {"name": "who"}, source=samples.rest)
    payload["requestContext"]["identity"]["userArn"] = arn
    assert Answer(resolver(payload)).json()["result"]["structuredContent"] == {"tenant": "acme", "user": arn}


def test_the_policy_reads_headers_of_the_request() -> None:
    policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant"), require=("tenant",))
    resolver = served(who, resolver=Resolver(session=policy))
    assert call(resolver, "who", headers={"x-tenant": "acme"})["structuredContent"]["tenant"] == "acme"
    assert ask(resolver, "tools/call", {"name": "who"}).status == 400


def test_a_tool_may_ask_more_of_the_session_than_the_server() -> None:
    policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant"))
    resolver = Resolver(session=policy)
    resolver.tool("who", require="tenant")(who)
    served(resolver=resolver)
    assert ask(resolver, "tools/list").status == 200
    refused = call(resolver, "who")
    assert refused["isError"]
    assert "tenant" in said(refused)


@both
def test_a_permission_is_asked_with_the_arguments(waits: bool) -> None:
    resolver = Resolver()

    def order(order_id: str) -> dict[str, str]:
        return {"order_id": order_id}

    tool(resolver, order, waits, permission=lambda order_id: order_id != "secret")
    served(resolver=resolver)
    assert call(resolver, "order", {"order_id": "7"})["structuredContent"] == {"order_id": "7"}
    refused = call(resolver, "order", {"order_id": "secret"})
    assert refused["isError"]
    assert said(refused) == "Forbidden"


def test_what_is_denied_by_default_stays_so() -> None:
    resolver = Resolver(deny_by_default=True)
    resolver.tool("open", permission=lambda: True)(lambda: "yes")
    resolver.tool("closed")(lambda: "no")
    served(resolver=resolver, permission=lambda: True)
    assert said(call(resolver, "open")) == "yes"
    assert call(resolver, "closed")["isError"]
    closed = served(resolver=Resolver(deny_by_default=True))
    assert ask(closed, "tools/list").status == 403


# ---- what stands around it -------------------------------------------------------------------------------------------


@both
def test_middleware_stands_around_the_request_and_the_call(waits: bool) -> None:
    seen: list[tuple[str, Any]] = []

    def look(event: Event) -> Any:
        seen.append((event.source.value, None if event.outer is None else event.outer.source.value))
        yield

    def inner(event: Event) -> Any:
        seen.append(("inner", event.name))
        yield

    resolver = Resolver().use(look)
    tool(resolver, who, waits, middleware=[inner])
    served(resolver=resolver)
    call(resolver, "who")
    assert seen == [("http", None), ("tool", "http"), ("inner", "who")]
    seen.clear()
    ask(resolver, "tools/list")
    assert seen == [("http", None)]


@both
def test_a_rate_limit_around_everything_counts_a_call_once(waits: bool) -> None:
    resolver = Resolver().use(RateLimit(MemoryBuckets(), rate=3, by="address"))
    tool(resolver, who, waits)
    served(resolver=resolver)
    statuses = [ask(resolver, "tools/call", {"name": "who"}).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_a_rate_limit_of_a_tool_counts_that_tool() -> None:
    resolver = Resolver()
    resolver.tool("who", middleware=[RateLimit(MemoryBuckets(), rate=1, by="address")])(who)
    resolver.tool("other")(lambda: "fine")
    served(resolver=resolver)
    assert not call(resolver, "who")["isError"]
    refused = call(resolver, "who")
    assert refused["isError"]
    assert said(refused) == "too many requests"
    assert not call(resolver, "other")["isError"]


@both
def test_a_key_of_the_request_counts_for_an_http_route_as_over_http(waits: bool) -> None:
    done: list[str] = []

    def change(order_id: str) -> str:
        done.append(order_id)
        return f"{order_id}, {len(done)}"

    async def change_async(order_id: str) -> str:
        return change(order_id)

    resolver = Resolver()
    kept = Idempotent(MemoryStore())
    handler = change_async if waits else change
    resolver.put("/orders/{order_id}", tool="change", summary="Change it.", middleware=[kept])(handler)
    served(resolver=resolver)

    def changed(order: str, key: str | None) -> str:
        return said(call(resolver, "change", {"order_id": order}, headers={"idempotency-key": key}))

    assert [changed("1", "a"), changed("1", "a"), changed("1", "b")] == ["1, 1", "1, 1", "1, 2"]
    assert "another request" in changed("2", "a")
    assert done == ["1", "1"]
    assert "idempotency-key" in changed("1", "\u00e9")


def test_usage_is_that_of_the_tool_and_not_of_the_request_around_it() -> None:
    rows: list[dict[str, Any]] = []
    resolver = served(who, resolver=Resolver().use(Usage(rows.extend)))
    call(resolver, "who")
    ask(resolver, "tools/list")
    assert [row["endpoint"] for row in rows] == ["who", "POST /mcp"]


def test_usage_takes_the_key_of_an_api_from_the_request_and_never_from_arguments() -> None:
    rows: list[dict[str, Any]] = []
    resolver = served(who, resolver=Resolver().use(Usage(rows.extend)))
    forged = {"requestContext": {"identity": {"apiKeyId": "forged"}}}
    call(resolver, "who", forged)
    TestClient(resolver).tool("who", forged)
    payload = request("tools/call", {"name": "who", "arguments": forged}, source=samples.rest)
    payload["requestContext"]["identity"]["apiKeyId"] = "key-7"
    resolver(payload)
    assert [row["endpoint"] for row in rows] == ["who"] * 3
    assert [row["api_key_id"] for row in rows] == [None, None, "key-7"]


def connect() -> str:
    return "real"


def test_a_replaced_dependency_is_replaced_here_too() -> None:
    def use(connection: Annotated[str, Depends(connect)]) -> str:
        return connection

    resolver = served(use)
    assert said(call(resolver, "use")) == "real"
    with resolver.override(connect, lambda: "fake"):
        assert said(call(resolver, "use")) == "fake"
    assert said(call(resolver, "use")) == "real"


def test_a_tool_that_is_registered_later_is_found() -> None:
    resolver = served(who)
    call(resolver, "who")

    @resolver.tool("late")
    async def late() -> str:
        assert loop_runs()
        return "here"

    assert said(call(resolver, "late")) == "here"


# ---- what the event tells --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_the_event_is_that_of_the_request_around_it(source: Any) -> None:
    seen: list[McpToolEvent] = []

    def look(event: McpToolEvent) -> None:
        seen.append(event)

    resolver = served(look)
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    payload = request(
        "tools/call",
        {"name": "look", "arguments": {"a": 1}},
        id=17,
        headers={"x-own": "1", "traceparent": traceparent, "cookie": "a=b"},
        source=source,
    )
    assert Answer(resolver(payload, Context())).status == 200
    event = seen[0]
    assert (event.name, event.full_name, event.target, event.raw, event.json()) == (
        "look",
        "look",
        "",
        {"a": 1},
        {"a": 1},
    )
    assert event.headers["x-own"] == "1"
    assert event.cookies == {"a": "b"}
    assert event.query == event.outer.query
    assert event.id == event.outer.id == event.request_id
    assert event.message_id == "17"
    assert event.gateway_id is None
    assert event.trace.traceparent == traceparent
    assert event.source_ip == event.outer.source_ip
    assert event.timestamp == event.outer.timestamp
    assert event.claims == event.outer.claims
    assert event.tenant_id == event.outer.tenant_id
    assert event.remaining() == pytest.approx(event.outer.remaining(), abs=1)


# ---- what comes back -------------------------------------------------------------------------------------------------


@dataclass
class Order:
    order_id: str
    total: int


@pytest.mark.parametrize(
    ("result", "text", "structured"),
    [
        ({"a": 1}, '{"a":1}', {"a": 1}),
        (Order("1", 7), '{"order_id":"1","total":7}', {"order_id": "1", "total": 7}),
        ("text", "text", None),
        ('{"a": 1}', '{"a": 1}', None),
        (None, "", None),
        (7, "7", None),
        (True, "true", None),
        ([1, "ä"], '[1,"ä"]', None),
        (b"\x00", '"AA=="', None),
        ("\ud800", "\\ud800", None),
        (2**70, str(2**70), None),
        (Response({"a": 1}), '{"a":1}', {"a": 1}),
        (Response("plain"), "plain", None),
        (Response(None, 204), "", None),
    ],
)
def test_results_are_text_and_objects_are_structured_too(result: Any, text: str, structured: Any) -> None:
    def give() -> Any:
        return result

    found = call(served(give), "give")
    assert (said(found), found.get("structuredContent"), found["isError"]) == (text, structured, False)


def _fail(error: Exception) -> Any:
    def fail() -> Any:
        raise error

    return call(served(fail), "fail")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (AppError("S0001", "only 3 left", status=409), "[S0001] only 3 left"),
        (Forbidden("not yours"), "not yours"),
        (RuntimeError("hunter2"), "an internal error; the log has its cause"),
        (ConfigurationError("/srv/app.py:7"), "an internal error; the log has its cause"),
    ],
)
def test_an_error_tells_what_the_model_can_mend_and_no_more(error: Exception, text: str) -> None:
    found = _fail(error)
    assert (said(found), found["isError"]) == (text, True)
    assert "structuredContent" not in found


def test_a_result_that_cannot_be_sent_is_an_error_of_the_call() -> None:
    def give() -> Any:
        return {"a": object()}

    def stream() -> Any:
        return Response.stream(["a"])

    def forget() -> Any:
        return asyncio.sleep(0)

    resolver = served(give, stream, forget)
    for name in ("give", "stream", "forget"):
        found = call(resolver, name)
        assert (found["isError"], said(found)) == (True, "an internal error; the log has its cause")


@pytest.mark.parametrize(("source", "limit"), [(samples.http, 6), (samples.alb, 1)])
def test_an_answer_that_is_too_large_says_so_to_the_model(source: Any, limit: int) -> None:
    def give(size: int) -> str:
        return "x" * size

    resolver = served(give)
    found = call(resolver, "give", {"size": limit * 1024 * 1024}, source=source)
    assert found["isError"]
    assert "ask for less" in said(found)
    fits = limit * 1024 * 1024 - 100_000
    assert said(call(resolver, "give", {"size": fits}, source=source)) == "x" * fits


@both
def test_wrong_arguments_are_named_one_by_one(waits: bool) -> None:
    def place(sku: str, count: int = 1) -> str:
        return f"{sku} {count}"

    resolver = Resolver()
    tool(resolver, place, waits)
    served(resolver=resolver)
    found = call(resolver, "place", {"count": "many"})
    assert found["isError"]
    assert "arguments.sku: is missing" in said(found)
    assert "arguments.count: an integer is expected" in said(found)
    assert call(resolver, "place", [1])["isError"]
    assert said(call(resolver, "place", {"sku": "tea", "count": 2})) == "tea 2"


@both
def test_a_catcher_answers_in_the_place_of_an_error(waits: bool) -> None:
    resolver = Resolver()

    def fail(how: str) -> None:
        raise {"key": KeyError("x"), "drop": Discard("no"), "other": ValueError("y")}[how]

    tool(resolver, fail, waits)
    served(resolver=resolver)

    @resolver.catch(KeyError)
    def caught(error: KeyError) -> dict[str, bool]:
        return {"caught": True}

    assert call(resolver, "fail", {"how": "key"})["structuredContent"] == {"caught": True}
    assert call(resolver, "fail", {"how": "drop"})["content"] == []
    assert call(resolver, "fail", {"how": "other"})["isError"]


def test_a_tool_may_refuse_the_whole_request() -> None:
    def fail() -> None:
        raise Unauthorized("sign in again")

    answer = ask(served(fail), "tools/call", {"name": "fail"})
    assert (answer.status, answer.json()["detail"]) == (401, "sign in again")


# ---- HTTP routes that are tools --------------------------------------------------------------------------------------


@both
def test_an_http_route_is_a_tool_of_the_same_server(waits: bool) -> None:
    resolver = Resolver()

    def find(order_id: int, full: bool = False) -> Any:
        return {"order_id": order_id, "full": full}, 200, {"x-own": "1"}

    async def find_async(order_id: int, full: bool = False) -> Any:
        return {"order_id": order_id, "full": full}, 200, {"x-own": "1"}

    def place(order: Order) -> Any:
        return (order, 201) if order.total else ("nothing to pay", 422)

    resolver.get("/orders/{order_id}", tool="find")(find_async if waits else find)
    resolver.post("/orders", tool=True)(place)
    served(resolver=resolver)
    assert call(resolver, "find", {"order_id": 7})["structuredContent"] == {"order_id": 7, "full": False}
    placed = call(resolver, "place", {"order_id": "8", "total": 3})
    assert placed["structuredContent"] == {"order_id": "8", "total": 3}
    refused = call(resolver, "place", {"order_id": "8", "total": 0})
    assert (refused["isError"], said(refused)) == (True, "nothing to pay")
    assert call(resolver, "place", {"order_id": "8"})["isError"]
