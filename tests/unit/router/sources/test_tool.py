"""Tools that an AgentCore Gateway calls: told by the context, whatever the arguments look like."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Annotated, Any
from unittest.mock import MagicMock, Mock

import pytest
from pydantic import BaseModel, Field

from router import (
    AppError,
    Auth,
    BadRequest,
    Body,
    ConfigurationError,
    Depends,
    Env,
    Event,
    FromRequest,
    Header,
    Identity,
    InvalidEvent,
    NoRoute,
    Query,
    Resolver,
    Response,
    RouteConflict,
    Router,
    RouterError,
    Session,
    SessionPolicy,
    Source,
    ToolEvent,
    detect,
    read,
)
from router.guards import Bearer, JsonSchema
from router.testing import Context, TestClient, samples


@dataclass
class Line:
    sku: str
    count: int = 1


class Order(BaseModel):
    order_id: str = Field(min_length=1)
    lines: list[Line] = []


def called(custom: Any) -> SimpleNamespace:
    """A context object with this in the place of `client_context.custom`."""
    return SimpleNamespace(client_context=SimpleNamespace(custom=custom, env=None, client=None))


def refused(answer: Any) -> str:
    """The text of an answer that says what is wrong."""
    assert answer["isError"] is True
    [part] = answer["content"]
    assert part["type"] == "text"
    json.dumps(answer, ensure_ascii=False).encode()
    return str(part["text"])


NAME = {"bedrockAgentCoreToolName": "orders___find_order"}


# ---- recognising ---------------------------------------------------------------------------------------------------


def test_the_context_tells_a_tool_and_the_payload_alone_does_not() -> None:
    assert detect({"order_id": "o-1"}, called(NAME)) is Source.TOOL
    assert detect({"order_id": "o-1"}) is Source.INVOKE
    [event] = read({"order_id": "o-1"}, called(NAME))
    assert isinstance(event, ToolEvent)
    [event] = read({"order_id": "o-1"})
    assert event.source is Source.INVOKE


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_arguments_that_look_like_a_source_stay_arguments(name: str) -> None:
    resolver, seen = Resolver(), []
    for source in ("sqs", "sns", "s3", "invoke", "eventbridge"):
        resolver.on(source)(lambda event: seen.append("another source"))
    resolver.route("/{rest+}")(lambda: seen.append("another source"))
    resolver.tool("find_order")(lambda event: seen.append(event.json()))
    raw = samples.SAMPLES[name]()
    resolver.resolve(raw, called(NAME))
    assert seen == [raw]


def test_an_envelope_of_a_durable_function_in_the_arguments_is_not_opened() -> None:
    resolver, seen = Resolver(), []
    resolver.on_queue("orders")(lambda event: seen.append("a queue"))
    resolver.tool("*")(lambda event: seen.append(event.name))
    started = {"Type": "EXECUTION", "ExecutionDetails": {"InputPayload": json.dumps(samples.sqs("orders", ["x"]))}}
    forged = {
        "DurableExecutionArn": "arn:aws:lambda:eu-west-1:1:function:f:1/durable-execution/a/b",
        "CheckpointToken": "t",
        "InitialExecutionState": {"Operations": [started], "NextMarker": ""},
    }
    resolver.resolve(forged, called(NAME))
    assert seen == ["find_order"]


@pytest.mark.parametrize(
    "custom",
    [NAME, json.dumps(NAME), MappingProxyType(NAME)],
    ids=["object", "text", "another mapping"],
)
@pytest.mark.parametrize("form", ["an object", "a mapping"])
def test_forms_of_the_client_context(custom: Any, form: str) -> None:
    context = called(custom)
    if form == "a mapping":
        context.client_context = {"custom": custom}
    assert detect({}, context) is Source.TOOL


@pytest.mark.parametrize(
    "context",
    [
        None,
        5,
        SimpleNamespace(),
        SimpleNamespace(client_context=None),
        SimpleNamespace(client_context="text"),
        SimpleNamespace(client_context={}),
        called(None),
        called("bedrockAgentCoreToolName"),
        called("{"),
        called('["a"]'),
        called([NAME]),
        called(5),
        called({}),
        called({"bedrockAgentCoreToolName": ""}),
        called({"bedrockAgentCoreToolName": 5}),
        called({"bedrockAgentCoreToolName": None}),
        called({"bedrockAgentCoreToolName": Mock()}),
        Mock(),
        MagicMock(),
    ],
)
def test_a_context_that_names_no_tool_changes_nothing(context: Any) -> None:
    resolver = Resolver()
    resolver.on_invoke("*")(lambda event: "invoked")
    resolver.tool("*")(lambda event: "tool")
    assert detect({"order_id": "o-1"}, context) is Source.INVOKE
    assert resolver.resolve({"order_id": "o-1"}, context) == "invoked"


def test_a_mock_with_a_tool_in_it() -> None:
    context = MagicMock()
    context.client_context.custom = dict(NAME)
    context.get_remaining_time_in_millis.return_value = 1000
    resolver = Resolver()
    resolver.tool("find_order")(lambda event: event.target)
    assert resolver.resolve({}, context) == "orders"


@pytest.mark.parametrize(
    ("full", "target", "name"),
    [
        ("orders___find_order", "orders", "find_order"),
        ("orders___a___b", "orders", "a___b"),
        ("find_order", "", "find_order"),
        ("orders___", "orders", "orders"),
        ("___find_order", "", "find_order"),
        ("x_amz_bedrock_agentcore_search", "", "x_amz_bedrock_agentcore_search"),
    ],
)
def test_the_target_is_taken_off_the_name(full: str, target: str, name: str) -> None:
    [event] = read({}, called({"bedrockAgentCoreToolName": full}))
    assert isinstance(event, ToolEvent)
    assert (event.full_name, event.target, event.name) == (full, target, name)


# ---- the event -----------------------------------------------------------------------------------------------------


def test_ids_and_what_the_gateway_let_through() -> None:
    context = Context(
        client_context=samples.tool_client_context(
            "find_order",
            target="shop",
            headers={"X-Tenant": "acme"},
            query={"version": "2"},
            message_id=7,
            request_id="r-1",
        )
    )
    [event] = read({"order_id": "o-1"}, context)
    assert isinstance(event, ToolEvent)
    assert (event.source, event.name, event.target) == (Source.TOOL, "find_order", "shop")
    assert event.gateway_id is not None
    assert event.gateway_id.startswith("shop-")
    assert event.target_id is not None
    assert (event.message_id, event.request_id, event.message_version) == ("7", "r-1", "1.0")
    assert event.headers["x-tenant"] == "acme"
    assert event.query["version"] == "2"
    assert event.json() == {"order_id": "o-1"}
    assert event.body == b'{"order_id":"o-1"}'
    assert event.id == "r-1:7"


def test_two_messages_of_one_request_are_two_events() -> None:
    ids = {
        read({}, called({**NAME, "bedrockAgentCoreAwsRequestId": "r", "bedrockAgentCoreMcpMessageId": number}))[0].id
        for number in (1, 2)
    }
    assert ids == {"r:1", "r:2"}


def test_without_a_gateways_id_it_is_that_of_the_invocation() -> None:
    context = called(NAME)
    context.aws_request_id = "lambda-1"
    [event] = read({}, context)
    assert event.id == event.correlation_id == "lambda-1"
    assert isinstance(event, ToolEvent)
    assert (event.gateway_id, event.target_id, event.message_id, event.message_version) == (None, None, None, None)


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Bearer t"}, json.dumps({"Authorization": "Bearer t"}), {"authorization": ["Bearer t"]}],
    ids=["object", "JSON text", "lists"],
)
def test_forms_of_propagated_headers(headers: Any) -> None:
    [event] = read({}, called({**NAME, "bedrockAgentCorePropagatedHeaders": headers}))
    assert event.headers["authorization"] == "Bearer t"


@pytest.mark.parametrize("headers", [None, "", {}, "{}"])
def test_no_propagated_headers(headers: Any) -> None:
    [event] = read({}, called({**NAME, "bedrockAgentCorePropagatedHeaders": headers}))
    assert dict(event.headers) == {}


@pytest.mark.parametrize("headers", ["{", "text", "[]", 5, [], {"a": 5}, {"a": ["b", None]}, {"a": {}}, Mock()])
@pytest.mark.parametrize("part", ["Headers", "QueryParameters"])
def test_what_is_malformed_there_is_refused_and_the_call_answered(part: str, headers: Any) -> None:
    context = called({**NAME, f"bedrockAgentCorePropagated{part}": headers})
    [event] = read({}, context)
    with pytest.raises(InvalidEvent, match=f"bedrockAgentCorePropagated{part}"):
        _ = event.headers if part == "Headers" else event.query
    resolver = Resolver()
    resolver.tool("*")(lambda event: [dict(event.headers), dict(event.query)])
    assert f"Propagated{part}" in refused(resolver.resolve({}, context))


# ---- routes --------------------------------------------------------------------------------------------------------


def test_a_route_has_what_tells_a_model_of_the_tool() -> None:
    resolver, group = Resolver(), Router(tags=["orders"])

    @group.tool("find_order")
    def find(order_id: str) -> str:
        """Find an order by its number.

        More that is for people.
        """
        return order_id

    resolver.include(group)
    [route] = resolver.routes
    assert (route.match, route.summary, route.handler, route.tags) == (
        "find_order",
        "Find an order by its number.",
        find,
        ("orders",),
    )
    assert str(route) == "tool find_order"
    assert TestClient(resolver).tool("find_order", {"order_id": "o-1"}) == "o-1"


def test_names_stars_and_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOL", "billing___pay")
    resolver = Resolver()
    resolver.tool("find_order")(lambda: "any target")
    resolver.tool("stock___find_order")(lambda: "one target")
    resolver.tool("returns___*")(lambda: "all of a target")
    resolver.tool("list_*")(lambda: "prefix")
    resolver.tool("a___b")(lambda: "a name with the mark in it")
    resolver.tool(Env("TOOL"))(lambda: "from the environment")
    client = TestClient(resolver)
    assert client.tool("find_order") == client.tool("find_order", target="") == "any target"
    assert client.tool("find_order", target="stock") == "one target"
    assert client.tool("find_order", target="returns") == "all of a target"
    assert client.tool("list_orders") == "prefix"
    assert client.tool("a___b") == "a name with the mark in it"
    assert client.tool("pay", target="billing") == "from the environment"
    assert refused(client.tool("pay")) == "nothing is registered for this"
    with pytest.raises(RouteConflict):
        resolver.tool("stock___find_order")(lambda: None)


def test_an_unknown_tool_is_answered_and_the_log_names_those_there_are(caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()
    resolver.tool("find_order")(lambda: None)
    resolver.tool("stock___count")(lambda: None)
    assert refused(TestClient(resolver).tool("drop_table")) == "nothing is registered for this"
    assert "there is find_order, stock___count" in caplog.text


@pytest.mark.parametrize("options", [{"batch": True}, {"others": "ignore"}, {"durable": True}, {"concurrency": 2}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Resolver().tool("a", **options)(lambda: None)


def test_a_pattern_chooses_by_the_arguments() -> None:
    resolver = Resolver()
    resolver.tool("pay", pattern={"currency": ["EUR"]})(lambda: "euro")
    resolver.tool("pay")(lambda currency: "other")
    client = TestClient(resolver)
    assert [client.tool("pay", {"currency": each}) for each in ("EUR", "USD")] == ["euro", "other"]


def test_tools_can_be_left_out_of_what_is_accepted() -> None:
    resolver = Resolver(sources=["http", "invoke"])
    resolver.tool("*")(lambda: "called")
    resolver.on_invoke("*")(lambda: "called")
    with pytest.raises(RouterError):
        TestClient(resolver).tool("find_order")


# ---- arguments of the handler --------------------------------------------------------------------------------------


def test_arguments_go_by_name_and_are_converted() -> None:
    resolver = Resolver()

    @resolver.tool("search")
    def search(
        text: str,
        limit: int = 10,
        tags: list[str] | None = None,
        near: Line | None = None,
        anything: Any = "unset",
        *,
        event: ToolEvent,
        session: Session,
        bare="bare",
    ) -> Any:
        assert event.session is session
        return [text, limit, tags, near, anything, bare]

    client = TestClient(resolver)
    assert client.tool("search", {"text": "x"}) == ["x", 10, None, None, "unset", "bare"]
    given = {"text": "x", "limit": 3, "tags": ["a"], "near": {"sku": "s"}, "anything": {"a": 1}, "bare": [1]}
    assert client.tool("search", given) == ["x", 3, ["a"], {"sku": "s", "count": 1}, {"a": 1}, [1]]
    # Models write null for what they leave out, and more than they are asked for.
    assert client.tool("search", {"text": "x", "limit": None, "anything": None, "more": 1})[1:5] == [
        10,
        None,
        None,
        None,
    ]


def test_all_that_is_wrong_is_told_at_once() -> None:
    resolver = Resolver()

    @resolver.tool("search")
    def search(text: str, limit: int, near: Line) -> None: ...

    said = refused(TestClient(resolver).tool("search", {"limit": "3", "near": {"sku": 5}}))
    assert (
        said
        == (
            "arguments.text: is missing; arguments.limit: an integer is expected, not this text; "
            "arguments.near.sku: text is expected, not an integer"
        )
        or said.count("arguments.") == 3
    )


@pytest.mark.parametrize("annotation", [Order, "dataclass"])
def test_a_model_alone_is_all_of_the_arguments(annotation: Any) -> None:
    resolver, kind = Resolver(), Line if annotation == "dataclass" else Order

    def place(order: Any) -> Any:
        return order

    place.__annotations__["order"] = kind
    resolver.tool("place")(place)
    client = TestClient(resolver)
    if kind is Line:
        assert client.tool("place", {"sku": "a", "count": 2}) == {"sku": "a", "count": 2}
        assert refused(client.tool("place", {})) == "arguments.sku: is missing"
    else:
        assert client.tool("place", {"order_id": "o", "lines": [{"sku": "a"}]})["lines"] == [{"sku": "a", "count": 1}]
        assert "order_id" in refused(client.tool("place", {"order_id": ""}))


def test_a_model_beside_others_is_the_argument_of_its_name() -> None:
    resolver = Resolver()

    @resolver.tool("add")
    def add(order_id: str, line: Line) -> Any:
        return [order_id, line]

    answer = TestClient(resolver).tool("add", {"order_id": "o", "line": {"sku": "a", "count": 2}})
    assert answer == ["o", {"sku": "a", "count": 2}]


def test_an_optional_model_alone() -> None:
    resolver = Resolver()

    @resolver.tool("find")
    def find(line: Line | None = None) -> Any:
        return line

    client = TestClient(resolver)
    assert client.tool("find") is None
    assert client.tool("find", {"sku": "a"}) == {"sku": "a", "count": 1}


def owner(user_id: str) -> str:
    """Give what a dependency makes of an argument."""
    return user_id.upper()


def test_markers_and_dependencies() -> None:
    resolver = Resolver()

    @resolver.tool("mine")
    def mine(
        who: Annotated[str, Depends(owner)],
        all_of_it: Annotated[dict[str, Any], Body()],
        x_trace: Header[str],
        version: Query[int] = 1,
    ) -> Any:
        return [who, all_of_it, x_trace, version]

    answer = TestClient(resolver).tool("mine", {"user_id": "ann"}, headers={"X-Trace": "t"}, query={"version": "2"})
    assert answer == ["ANN", {"user_id": "ann"}, "t", 2]


def test_names_that_mean_something_else_may_be_arguments_with_a_type() -> None:
    resolver = Resolver()

    @resolver.tool("odd")
    def odd(event: str, session: str, context: dict[str, int], type: Annotated[str, Field(alias="kind")]) -> Any:
        return [event, session, context, type]

    @resolver.tool("plain")
    def plain(event, session, context) -> Any:
        return [isinstance(event, Event), isinstance(session, Session), context.aws_request_id]

    client = TestClient(resolver)
    given = {"event": "e", "session": "s", "context": {"a": 1}, "kind": "k"}
    assert client.tool("odd", given) == ["e", "s", {"a": 1}, "k"]
    assert client.tool("plain") == [True, True, "test"]


def test_what_json_cannot_be_is_refused_when_it_is_registered() -> None:
    with pytest.raises(ConfigurationError, match="the argument 'thing'"):

        @Resolver().tool("a")
        def a(thing: SimpleNamespace) -> None: ...


@pytest.mark.parametrize("raw", [[], "text", 5, True])
def test_arguments_that_are_no_object(raw: Any) -> None:
    resolver = Resolver()

    @resolver.tool("find_order")
    def find(order_id: str = "") -> str:
        return order_id

    assert "must be an object" in refused(resolver.resolve(raw, called(NAME)))
    assert resolver.resolve(None, called(NAME)) == ""


def test_an_async_handler_and_async_code() -> None:
    import asyncio

    resolver = Resolver()

    @resolver.tool("find_order")
    async def find(order_id: str) -> str:
        await asyncio.sleep(0)
        return order_id

    assert resolver.resolve({"order_id": "o"}, called(NAME)) == "o"
    assert asyncio.run(resolver.resolve_async({"order_id": "o"}, called(NAME))) == "o"


# ---- answers and errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ("text", "text"),
        (None, None),
        (Line("a"), {"sku": "a", "count": 1}),
        ({"content": [{"type": "text", "text": "own form"}]}, {"content": [{"type": "text", "text": "own form"}]}),
        (Response({"a": 1}), {"a": 1}),
        (Response("text"), "text"),
        (Response(b'{"a":1}', content_type="application/json"), {"a": 1}),
        (Response("{", content_type="application/json"), "{"),
        (Response(), None),
    ],
)
def test_answers(result: Any, answer: Any) -> None:
    resolver = Resolver()
    resolver.tool("find_order")(lambda: result)
    assert TestClient(resolver).tool("find_order") == answer


def test_an_error_for_the_client_can_be_read_by_the_model() -> None:
    resolver = Resolver()

    @resolver.tool("find_order")
    def find(order_id: str) -> Any:
        if order_id == "response":
            return Response({"why": "gone"}, status=410)
        raise BadRequest("no order has this number \ud800")

    client = TestClient(resolver)
    assert refused(client.tool("find_order", {"order_id": "1"})) == "no order has this number \\ud800"
    assert json.loads(refused(client.tool("find_order", {"order_id": "response"}))) == {"why": "gone"}


def test_the_code_of_an_application_is_told() -> None:
    resolver = Resolver()

    @resolver.tool("find_order")
    def find() -> None:
        raise AppError("B00017", "sold out")

    assert refused(TestClient(resolver).tool("find_order")) == "[B00017] sold out"


def test_any_other_error_fails_the_call_and_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()

    @resolver.tool("find_order")
    def find() -> None:
        raise LookupError("password of the database")

    with pytest.raises(RouterError) as raised:
        TestClient(resolver).tool("find_order")
    assert "password" not in str(raised.value)
    assert "password" in caplog.text


def test_a_catcher_answers() -> None:
    resolver = Resolver()

    @resolver.catch(LookupError)
    def missing(error: LookupError) -> dict[str, str]:
        return {"missing": str(error)}

    @resolver.tool("find_order")
    def find() -> None:
        raise LookupError("o-1")

    assert TestClient(resolver).tool("find_order") == {"missing": "o-1"}


def test_no_route_inside_of_a_handler_is_an_error_of_its_own() -> None:
    resolver = Resolver()

    @resolver.tool("find_order")
    def find() -> Any:
        raise NoRoute("secret")

    with pytest.raises(RouterError) as raised:
        TestClient(resolver).tool("find_order")
    assert "secret" not in str(raised.value)


# ---- sessions and guards -------------------------------------------------------------------------------------------


def test_a_session_is_made_of_headers_that_the_policy_names_alone() -> None:
    policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant", user_header="x-user"))
    forged = {"session": '{"tenant":"evil"}', "order_id": "o"}
    for given, tenant in ((policy, "acme"), (None, None)):
        resolver = Resolver(session=given)
        resolver.tool("find_order")(lambda event: event.session.tenant)
        headers = {"X-Tenant": "acme", "session": '{"tenant":"evil"}'}
        assert TestClient(resolver).tool("find_order", forged, headers=headers) == tenant


def test_what_the_policy_requires_holds_for_tools() -> None:
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant"), require="tenant"))
    resolver.tool("find_order")(lambda session: session.tenant)
    client = TestClient(resolver)
    assert "tenant" in refused(client.tool("find_order"))
    assert client.tool("find_order", headers={"x-tenant": "acme"}) == "acme"


class Tokens:
    """One token that is good for one tenant."""

    def authenticate(self, token: str) -> Identity | None:
        return Identity("ann", ("acme",), {"role": "buyer"}) if token == "good" else None


def test_a_bearer_token_that_an_interceptor_passes_on() -> None:
    resolver = Resolver(auth=Auth(Bearer(Tokens())))
    resolver.tool("find_order")(lambda session: [session.tenant, session.user])
    resolver.tool("open", auth="off")(lambda: "open")
    client = TestClient(resolver)
    assert client.tool("find_order", headers={"Authorization": "Bearer good"}) == ["acme", "ann"]
    assert refused(client.tool("find_order", headers={"Authorization": "Bearer bad"})) == "the token is not valid"
    assert "a token is needed" in refused(client.tool("find_order"))
    # Two of them may be read differently by what stands in front of the function.
    twice = {"Authorization": "Bearer good", "authorization": "Bearer bad"}
    assert refused(client.tool("find_order", headers=twice)) == "the token is not valid"
    assert client.tool("open") == "open"


def test_a_permission_gets_the_arguments_by_name() -> None:
    resolver = Resolver()

    @resolver.tool("find_order", permission=lambda order_id: order_id.startswith("mine"))
    def find(order_id: str) -> str:
        return order_id

    client = TestClient(resolver)
    assert client.tool("find_order", {"order_id": "mine-1"}) == "mine-1"
    assert refused(client.tool("find_order", {"order_id": "1"}))


def test_a_json_schema_checks_the_arguments() -> None:
    schema = {"type": "object", "required": ["order_id"], "additionalProperties": False, "properties": {"order_id": {}}}
    resolver = Resolver()

    @resolver.tool("find_order", middleware=[JsonSchema(schema)])
    def find(order_id: str) -> str:
        return order_id

    client = TestClient(resolver)
    assert client.tool("find_order", {"order_id": "1"}) == "1"
    assert "body" in refused(client.tool("find_order", {"order_id": "1", "more": 1}))


def test_the_session_is_that_of_the_call_everywhere() -> None:
    from router import get_session

    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
    resolver.tool("find_order")(lambda: get_session().tenant)
    assert TestClient(resolver).tool("find_order", headers={"x-tenant": "acme"}) == "acme"


# ---- the test client -----------------------------------------------------------------------------------------------


def test_the_client_refuses_options_that_it_does_not_know() -> None:
    resolver = Resolver()
    with pytest.raises(TypeError, match="is not an option"):
        TestClient(resolver).tool("a", session=Session("acme"))
    with pytest.raises(ValueError, match="three underscores"):
        TestClient(resolver).tool("a", target="a___b")


def test_a_context_of_the_tests_own_stays_in_use() -> None:
    resolver = Resolver()
    resolver.tool("a")(lambda context: context.function_name)
    assert TestClient(resolver, context=SimpleNamespace(function_name="mine")).tool("a") == "mine"
