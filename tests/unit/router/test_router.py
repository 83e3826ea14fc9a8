"""Groups of routes, and the decorators that a Resolver and a Router share."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest

from router import ConfigurationError, Env, Event, Path, Resolver, RouteConflict, Router, Source
from router.router import Registering
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import failed, sqs


def answer_for(resolver: Resolver, path: str) -> Any:
    answer = TestClient(resolver).get(path)
    return answer.text if answer.status == 200 else answer.status


# ---- prefix, tags, nesting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/shop", "/shop/"])
def test_the_prefix_stands_before_the_paths_of_a_group(prefix: str) -> None:
    group = Router(prefix)
    group.get("/orders")(lambda: "orders")
    group.get("/orders/{order_id}")(lambda order_id: f"order {order_id}")
    resolver = Resolver()
    resolver.include(group)
    paths = ["/shop/orders", "/shop/orders/7", "/orders", "/shop"]
    assert [answer_for(resolver, path) for path in paths] == ["orders", "order 7", 404, 404]


def test_a_prefix_may_hold_parameters() -> None:
    group = Router("/shops/{shop:int}")

    @group.get("/orders/{order}")
    def order(shop: int, order: str) -> str:
        return f"{shop + 1} {order}"

    resolver = Resolver()
    resolver.include(group)
    assert answer_for(resolver, "/shops/7/orders/8") == "8 8"


def test_a_parameter_of_an_outer_prefix_is_asked_for_as_one_of_the_path() -> None:
    inner, outer = Router("/orders"), Router("/shops/{shop:int}")

    @inner.get("/{order}")
    def order(shop: Path[int], order: str) -> str:
        return f"{shop + 1} {order}"

    resolver = Resolver().include(outer.include(inner))
    assert answer_for(resolver, "/shops/7/orders/8") == "8 8"
    with pytest.raises(ConfigurationError, match=r"GET /orders/\{order\}: .* no path parameter 'shop'"):
        Resolver().include(inner)


@pytest.mark.parametrize("prefix", ["shop", "/{", "/{a}/{a}", "//"])
def test_a_malformed_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError):
        Router(prefix)


def test_names_of_queues_and_the_like_have_no_prefix() -> None:
    group = Router("/shop")
    seen: list[str] = []
    group.on_queue("orders")(lambda event: seen.append(event.text))
    resolver = Resolver()
    resolver.include(group)
    assert failed(TestClient(resolver).event(sqs("orders", "a"))) == []
    assert seen == ["a"]


def test_groups_in_groups_join_prefixes_and_tags() -> None:
    inner = Router("/inner", tags="deep")
    inner.get("/x", tags=["own"])(lambda: "x")
    outer = Router("/outer", tags=["outer"]).include(inner)
    outer.get("/y")(lambda: "y")
    resolver = Resolver().include(outer)
    assert {(route.match, route.tags) for route in resolver.routes} == {
        ("/outer/inner/x", ("outer", "deep", "own")),
        ("/outer/y", ("outer",)),
    }
    assert [answer_for(resolver, path) for path in ("/outer/inner/x", "/outer/y")] == ["x", "y"]


def test_a_group_may_be_included_under_several_others() -> None:
    shared = Router()
    shared.get("/health")(lambda: "ok")
    resolver = Resolver()
    for prefix in ("/a", "/b"):
        resolver.include(Router(prefix).include(shared))
    assert [answer_for(resolver, path) for path in ("/a/health", "/b/health")] == ["ok", "ok"]


def test_a_group_keeps_what_is_added_to_a_group_in_it() -> None:
    inner, outer = Router("/inner"), Router("/outer")
    outer.include(inner)
    inner.get("/late")(lambda: "late")
    resolver = Resolver().include(outer)
    assert answer_for(resolver, "/outer/inner/late") == "late"


def test_what_is_added_to_a_group_that_a_resolver_has_taken_in_is_refused_and_not_lost() -> None:
    inner, outer = Router("/inner"), Router("/outer")
    Resolver().include(outer.include(inner))
    for group in (inner, outer):
        with pytest.raises(ConfigurationError, match=r"GET .*/late: the Router is in a Resolver already"):
            group.get("/late")(lambda: "late")
        with pytest.raises(ConfigurationError, match=r"use\(\): the Router is in a Resolver already"):
            group.use(lambda event: None)
        with pytest.raises(ConfigurationError, match=r"include\(\): the Router is in a Resolver already"):
            group.include(Router())


def test_including_the_same_twice_is_a_conflict_that_names_both() -> None:
    group = Router()

    @group.get("/orders")
    def orders() -> str:
        return "orders"

    resolver = Resolver().include(group)
    with pytest.raises(RouteConflict, match=r"GET /orders of .*orders .* and GET /orders of .*orders"):
        resolver.include(group)


def test_a_circle_of_groups_is_refused() -> None:
    a, b, c = Router("/a"), Router("/b"), Router("/c")
    a.include(b)
    b.include(c)
    for outer, inner in ((a, a), (c, a), (c, b), (b, a)):
        with pytest.raises(ConfigurationError, match="a Router cannot include itself"):
            outer.include(inner)


@pytest.mark.parametrize("including", [Resolver(), Router()])
def test_only_a_router_can_be_included(including: Any) -> None:
    for wrong in (Resolver(), None, [Router()], Router):
        with pytest.raises(ConfigurationError, match=r"include\(\) takes a Router, not"):
            including.include(wrong)


def test_a_registrar_that_registers_nothing_says_so() -> None:
    with pytest.raises(ConfigurationError, match="Registering registers no routes"):
        Registering().get("/")(lambda: None)


# ---- the decorators ----------------------------------------------------------------------------------------------


def test_every_method_has_its_decorator() -> None:
    resolver = Resolver()
    for method in ("get", "post", "put", "patch", "delete", "head", "options"):
        getattr(resolver, method)("/x")(lambda event: (event.method, 200, {"x-method": event.method}))
    client = TestClient(resolver)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
        assert client.request(method, "/x").headers["x-method"] == method


def test_route_takes_some_methods_or_one_in_any_case() -> None:
    resolver = Resolver()
    resolver.route("/some", methods=["get", "POST"])(lambda event: event.method)
    resolver.route("/one", "put")(lambda event: event.method)
    resolver.route("/all")(lambda event: event.method)
    client = TestClient(resolver)
    assert [client.get("/some").text, client.post("/some").text, client.put("/one").text] == ["GET", "POST", "PUT"]
    assert client.delete("/some").status == client.get("/one").status == 405
    assert {client.request(method, "/all").status for method in ("GET", "PATCH", "OPTIONS")} == {200}
    for methods, message in (((), "give at least one method"), (["FETCH"], "unknown method FETCH")):
        with pytest.raises(ConfigurationError, match=message):
            resolver.route("/wrong", methods=methods)(lambda: None)


def test_every_trigger_has_its_decorator() -> None:
    seen: list[str] = []
    resolver = Resolver()

    def note(what: str) -> Any:
        return lambda event: seen.append(f"{what} {event.name}")

    resolver.on_connect()(note("connect"))
    resolver.on_message("chat")(note("message"))
    resolver.on_message()(note("default"))
    resolver.on_disconnect()(note("disconnect"))
    resolver.on_queue("q")(note("queue"))
    resolver.on_topic("t")(note("topic"))
    resolver.on_stream("table", events="INSERT")(note("insert"))
    resolver.on_stream("table", events=["MODIFY", "REMOVE"])(note("change"))
    resolver.on_stream("stream")(note("stream"))
    resolver.on_kafka("k")(note("kafka"))
    resolver.on_object("b", events=["ObjectCreated:*"], prefix="in/", suffix=".csv")(note("object"))
    resolver.on_bus("Placed", source="shop")(note("bus"))
    resolver.on_schedule("nightly")(note("schedule"))
    resolver.on_invoke("rebuild")(note("invoke"))
    resolver.on_task("task")(note("task"))
    resolver.on("cognito", "PreSignUp_*")(note("cognito"))
    resolver.on(Source.LEX)(note("lex"))
    client = TestClient(resolver)

    client.connect()
    client.message("x", route_key="chat")
    client.message("x", route_key="other")
    client.disconnect()
    client.queue("q", ["x"])
    client.topic("t", ["x"])
    client.stream("table", [("INSERT", None, {"id": 1}), ("REMOVE", {"id": 1}, None)])
    client.kinesis("stream", ["x"])
    client.event(samples.kafka("k", ["x"]))
    client.object("b", ["in/a.csv"])
    client.bus("Placed", source="shop")
    client.schedule("nightly")
    client.invoke("rebuild")
    client.task("task")
    client.event(samples.cognito("PreSignUp_SignUp"))
    client.event(samples.lex("OrderFlowers"))

    assert seen == [
        "connect $connect",
        "message chat",
        "default other",
        "disconnect $disconnect",
        "queue q",
        "topic t",
        "insert table",
        "change table",
        "stream stream",
        "kafka k",
        "object b",
        "bus Placed",
        "schedule nightly",
        "invoke rebuild",
        "task task",
        "cognito PreSignUp_SignUp",
        "lex OrderFlowers",
    ]


@dataclass
class Order:
    id: int


class Orders:
    """A queue that is bound to a model."""

    route = "orders"
    model = Order


@pytest.mark.parametrize("grouped", [False, True], ids=["resolver", "group"])
def test_a_typed_queue_gives_and_checks_its_model(grouped: bool) -> None:
    seen: list[Any] = []
    group = Router()
    resolver = Resolver()
    registering = group if grouped else resolver

    @registering.on_queue(Orders())
    def order(order) -> None:
        seen.append(order)

    resolver.include(group)
    raw = samples.sqs("orders", [{"id": 1}, {"id": "x"}], message_ids=["a", "b"])
    assert failed(TestClient(resolver).event(raw)) == ["b"]
    assert seen == [Order(1)]


@pytest.mark.parametrize("batch", [False, True], ids=["single", "batch"])
def test_a_typed_queue_checks_its_model_for_handlers_of_events_too(batch: bool) -> None:
    seen: list[Any] = []
    resolver = Resolver()

    def one(event: Event) -> None:
        seen.append(event)

    def many(events: list[Event]) -> None:
        seen.append(events)

    resolver.on_queue(Orders(), batch=batch)(many if batch else one)
    raw = samples.sqs("orders", [{"id": "x"}], message_ids=["a"])
    assert failed(TestClient(resolver).event(raw)) == ["a"]
    assert seen == []


def test_an_authorizer_has_its_decorator() -> None:
    from router import Allow

    resolver = Resolver()
    resolver.on_authorize()(lambda event: Allow("ada"))
    answer = TestClient(resolver).event(samples.authorizer("Bearer token"))
    assert answer["principalId"] == "ada"


ARN = "arn:aws"


@pytest.mark.parametrize(
    ("register", "message"),
    [
        (lambda on: on.on_stream("t", events=["CREATE"]), "unknown event CREATE; use INSERT, MODIFY, REMOVE"),
        (
            lambda on: on.on_queue(f"{ARN}:sqs:eu-west-1:123456789012:orders")(lambda: None),
            "write the name 'orders'; .*Env",
        ),
        (
            lambda on: on.on_queue("https://sqs.eu-west-1.amazonaws.com/1/orders")(lambda: None),
            "write the name 'orders'",
        ),
        (lambda on: on.on_stream(f"{ARN}:dynamodb:r:1:table/t/stream/2026")(lambda: None), "write the name 't'"),
        (lambda on: on.on_object("arn:aws:s3:::bucket")(lambda: None), "write the name 'bucket'"),
        (lambda on: on.on("firehose", "arn:aws:firehose")(lambda: None), "write the name;"),
        (lambda on: on.on_schedule("rate(5 minutes)")(lambda: None), "write the name of the rule or schedule"),
        (lambda on: on.on_schedule("cron(0 2 * * ? *)")(lambda: None), "write the name of the rule or schedule"),
        (lambda on: on.on_object("b", events=["ObjectCreated"]), "no event 'ObjectCreated'; write 'ObjectCreated:.'"),
        (lambda on: on.on_object("b", events="s3:objectCreated:Put"), "write 'ObjectCreated:Put'"),
        (lambda on: on.on_object("b", events=["OBJECT_REMOVED"]), "write 'ObjectRemoved:.'"),
        (lambda on: on.on_object("b", events=["Object Created"]), "write 'ObjectCreated:.'"),
        (lambda on: on.on_object("b", events=["lifecycleTransition"]), "write 'LifecycleTransition'"),
        (lambda on: on.on_object("b", events=["ObjectCreate:*"]), "no event 'ObjectCreate:.'; write 'ObjectCreated:.'"),
        (lambda on: on.on_object("b", events=["ObjectCreated:Putt"]), "write 'ObjectCreated:.'"),
        (lambda on: on.on_object("b", events=["ObjectCreated:put"]), "write 'ObjectCreated:Put'"),
        (lambda on: on.on_object("b", events=["IntelligentTiering:*"]), "write 'IntelligentTiering'"),
        (
            lambda on: on.on_object("b", events=["Upload"]),
            "no event 'Upload'; use ObjectCreated:., .*, LifecycleTransition",
        ),
        (lambda on: on.on_object("b", events=["ObjectCreated:*", ""]), "there is no event ''; use"),
        (lambda on: on.on("rabbitmq", "arn:aws:mq:r:1:orders")(lambda: None), "write the name 'orders'"),
        (lambda on: on.on("logs", "arn:aws:logs:r:1:log-group:/a/b:*")(lambda: None), "write the name '/a/b'"),
        (lambda on: on.on("alarm", "arn:aws:cloudwatch:r:1:alarm:cpu")(lambda: None), "write the name 'cpu'"),
        (lambda on: on.unpack("arn:aws:sns:r:1:events"), "write the name 'events'"),
        (
            lambda on: on.on_queue("q", topics=["a", "arn:aws:sns:r:1:events"])(lambda: None),
            "sqs q: topics=: write the name 'events'",
        ),
        (lambda on: on.on("sqss", "q"), "on.'sqss'.: unknown source; use one of rest, http"),
        (lambda on: on.on("rest", "/x"), "HTTP routes have a path; use get, post"),
        (lambda on: on.get("/", unknown=1)(lambda: None), "GET /: unknown option unknown"),
        (lambda on: on.get("/")(None), "GET /: the handler must be callable, not NoneType"),
        (lambda on: on.get(7)(lambda: None), "expected a name or path, got 7"),
        (lambda on: on.on_queue("")(lambda: None), "expected a name or path, got ''"),
        (lambda on: on.get("/", permission="admin")(lambda: None), "permission= takes a callable"),
        (lambda on: on.on_queue("q", batch="yes")(lambda events: None), "batch= takes True or False"),
        (lambda on: on.on_bus("x", batch=True)(lambda events: None), "for sources that deliver records"),
        (lambda on: on.get("/{a}/{a}")(lambda a: None), "a"),
    ],
)
@pytest.mark.parametrize("registering", [Resolver, Router])
def test_what_cannot_be_meant_is_refused_when_it_is_registered(register: Any, message: str, registering: Any) -> None:
    with pytest.raises(ConfigurationError, match=message):
        register(registering())


def test_names_that_look_alike_and_may_be_meant_are_taken() -> None:
    on = Resolver()
    on.on_invoke("arn:aws:states:::lambda:invoke")(lambda: None)
    on.on_bus("https://example.com/created")(lambda event: None)
    on.on_schedule("rate")(lambda event: None)
    on.on_object("b", events=["ObjectCreated:*", "s3:ObjectRemoved:Delete", "Object*", "IntelligentTiering"])(
        lambda: None
    )
    on.on_object("b", events=["NewKind*:Done", "New*", "ObjectCreated:Complete*", "ObjectRetention:Put"])(lambda: None)
    on.on_queue("q", topics=[Env("TOPIC"), "shop-*"])(lambda: None)
    assert len(on.routes) == 6


def test_middleware_of_a_group_covers_its_records_too() -> None:
    log: list[str] = []

    def trace(event: Event) -> Generator[None, Any, None]:
        log.append("in")
        yield
        log.append("out")

    group = Router(middleware=[trace])
    group.on_queue("orders")(lambda event: log.append(event.text))
    resolver = Resolver().include(group)
    resolver.on_queue("others")(lambda event: log.append(event.text))
    client = TestClient(resolver)
    client.queue("orders", ["a"])
    client.queue("others", ["b"])
    assert log == ["in", "a", "out", "b"]
