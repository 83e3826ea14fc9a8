"""`Resolver`: one for every trigger; its settings, and what it shows of itself."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from router import (
    ConfigurationError,
    Depends,
    Event,
    FromRequest,
    InvalidEvent,
    Middleware,
    Resolver,
    Retry,
    RouteConflict,
    Router,
    Session,
    SessionPolicy,
)
from router.testing import Context, TestClient, samples
from tests.unit.router.dispatch.cases import failed, output, sqs


class Trace(Middleware):
    def __call__(self, event: Event) -> Generator[None, Any, None]:
        yield


def test_one_function_serves_every_trigger() -> None:
    """The first ten minutes of a user."""
    done: list[str] = []
    resolver = Resolver()

    @resolver.get("/orders/{order_id}")
    def show(order_id: str, session: Session) -> Any:
        return {"id": order_id, "tenant": session.tenant}

    @resolver.on_message("chat")
    async def chat(event: Event) -> None:
        done.append("chat")

    @resolver.on_queue("orders")
    async def order(event: Event) -> None:
        done.append("queue")

    @resolver.on_topic("order-events")
    def order_event(event: Event) -> None:
        done.append("topic")

    @resolver.on_stream("orders", events=["INSERT"])
    def inserted(event: Event) -> None:
        done.append("stream")

    @resolver.on_invoke("rebuild")
    def rebuild(event: Event) -> Any:
        return event.json()

    @resolver.on_task("nightly")
    def nightly(session: Session) -> None:
        done.append(f"task of {session.tenant}")

    def handler(event: Any, context: Any) -> Any:
        return resolver.resolve(event, context)

    context = Context()
    assert handler(samples.rest("GET", "/orders/7"), context)["body"] == '{"id":"7","tenant":null}'
    assert handler(samples.websocket(route_key="chat", body="x"), context) == {"statusCode": 200}
    assert handler(samples.sqs("orders", ["a"]), context) == {"batchItemFailures": []}
    assert handler(samples.sns("order-events", ["a"]), context) is None
    assert handler(samples.dynamodb("orders", [("INSERT", None, {"id": 1})]), context) == {"batchItemFailures": []}
    assert handler({"action": "rebuild", "data": {"full": True}}, context) == {"full": True}
    assert resolver.run_task(samples.task("nightly", session={"tenant": "acme"})) == 0
    assert done == ["chat", "queue", "topic", "stream", "task of acme"]


def test_a_resolver_is_a_lambda_handler_itself() -> None:
    resolver = Resolver()
    resolver.on_invoke("who")(lambda context: context.aws_request_id)
    assert resolver({"action": "who"}, Context(request_id="r-1")) == "r-1"


def test_routes_added_after_the_first_event_are_served() -> None:
    resolver = Resolver()
    resolver.get("/a")(lambda: "a")
    client = TestClient(resolver)
    assert (client.get("/a").text, client.get("/b").status) == ("a", 404)
    resolver.get("/b")(lambda: "b")
    assert client.get("/b").text == "b"


def test_a_payload_is_never_altered() -> None:
    resolver = Resolver()
    resolver.on_queue("orders")(lambda event: event.json())
    resolver.post("/orders")(lambda event: event.json())
    for make in (lambda: samples.sqs("orders", [{"a": 1}]), lambda: samples.rest("POST", "/orders", body={"a": 1})):
        raw = make()
        resolver.resolve(raw)
        assert raw == make()


# ---- what it shows -----------------------------------------------------------------------------------------------


def test_it_shows_its_routes_middleware_and_policy() -> None:
    policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant"))
    resolver = Resolver(session=policy)
    first, second = Trace(), Trace()
    assert resolver.use(first).use(second) is resolver
    group = Router("/shop")
    group.get("/orders", name="list", summary="All orders", tags=["orders"])(lambda: None)
    resolver.get("/")(lambda: None)
    resolver.include(group)
    resolver.on_queue("orders")(lambda event: None)

    assert [str(route) for route in resolver.routes] == ["GET /", "GET /shop/orders", "sqs orders"]
    listed = resolver.routes[1]
    assert (listed.name, listed.summary, listed.tags) == ("list", "All orders", ("orders",))
    assert resolver.middleware == (first, second)
    assert resolver.session_policy is policy
    assert Resolver().session_policy.issue(Session("acme")) == '{"tenant":"acme"}'


def test_two_routes_that_nothing_tells_apart_are_refused_with_both_names() -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    def first(event: Event) -> None: ...

    def second(event: Event) -> None: ...

    with pytest.raises(RouteConflict, match=r"sqs orders of .*second .* and sqs orders of .*first"):
        resolver.on_queue("orders")(second)
    assert len(resolver.routes) == 1


# ---- settings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unrouted": "drop"}, "unrouted='drop'.: use 'fail' or 'ignore'"),
        ({"session": "secret"}, "takes a SessionPolicy, not str"),
        ({"session": SessionPolicy}, "takes a SessionPolicy, not type"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Resolver(**settings)


def test_settings_are_given_by_name() -> None:
    with pytest.raises(TypeError):
        Resolver(SessionPolicy())  # type: ignore[call-arg]


def test_a_payload_that_cannot_be_read_fails_the_call_and_says_where() -> None:
    raw = sqs("orders", "a", "b")
    del raw["Records"][1]["messageId"]
    with pytest.raises(InvalidEvent, match=r"sqs Records\[1\]: it has no messageId"):
        TestClient(Resolver()).event(raw)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_the_delay_hook_may_be_async_in_a_sync_application(asynchronous: bool) -> None:
    waited: list[Any] = []

    def delay(event: Event, seconds: float) -> None:
        waited.append((event.id, seconds))

    async def delay_async(event: Event, seconds: float) -> None:
        delay(event, seconds)

    resolver = Resolver(delay=delay_async if asynchronous else delay)

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        raise Retry(after=5)

    assert failed(TestClient(resolver).event(sqs("orders", "a"))) == ["a"]
    assert waited == [("a", 5)]


def test_a_cold_start_loads_what_its_first_event_needs_alone() -> None:
    """An application of every trigger, called over HTTP, imports no module of another trigger."""
    loaded = output(
        """
        import sys
        from router import HttpEvent, Resolver

        def show(event: HttpEvent):
            return {"path": event.path}

        resolver = Resolver()
        resolver.get("/")(show)
        resolver.on_queue("orders")(lambda event: None)
        resolver.on_stream("orders")(lambda event: None)
        resolver.on_task("nightly")(lambda: None)
        from router.testing import samples
        raw = samples.rest("GET", "/")
        resolver.resolve(raw)
        names = [name.rpartition(".")[2] for name in sys.modules if name.startswith("router.sources.")]
        print(" ".join(sorted(names)))
        """,
        covered=False,
    )
    assert loaded == "_registry http"


def test_a_replacement_that_is_no_function_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"override\(\): .*function.*, not int"):
        Resolver().override(len, 5)  # type: ignore[arg-type]


def test_an_unknown_option_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigurationError, match="unknown option middelware; did you mean middleware"):
        Resolver().get("/", middelware=[])(lambda: None)  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match=r"unknown option zzz; known are .*permission"):
        Resolver().get("/", zzz=1)(lambda: None)  # type: ignore[call-arg]


def test_the_log_names_the_route_of_a_request_that_failed(caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()
    resolver.get("/orders/{order_id}")(lambda order_id: 1 // 0)
    TestClient(resolver).get("/orders/7")
    assert "rest GET /orders/{order_id} " in caplog.text


def test_overrides_that_overlap_end_by_themselves() -> None:
    def first() -> str:
        return "first"

    def second() -> str:
        return "second"

    resolver = Resolver()
    resolver.get("/")(lambda a=Depends(first), b=Depends(second): [a, b])
    client = TestClient(resolver)
    one, two = resolver.override(first, lambda: "fake 1"), resolver.override(second, lambda: "fake 2")
    one.__enter__()
    two.__enter__()
    assert client.get("/").json() == ["fake 1", "fake 2"]
    one.__exit__()
    assert client.get("/").json() == ["first", "fake 2"]
    two.__exit__()
    assert client.get("/").json() == ["first", "second"]
