"""What goes wrong elsewhere, each by its number: the same situation, and the right outcome.

Rows that are about stored data (1 to 9 and 15) have their tests over a real server in
tests/integration/adapters/mongo/test_pitfalls.py.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from router import (
    ConfigurationError,
    Cors,
    Event,
    NotFound,
    RecordsFailed,
    Resolver,
    Session,
    SessionError,
    SessionPolicy,
    Signing,
    get_session,
)
from router.dispatch.loop import close_loop
from router.testing import TestClient, samples

ROOT = Path(__file__).resolve().parents[2]
SECRET = "0123456789abcdef0123456789abcdef"
ACME = {"tenant": "acme", "user": "u-1"}


def messages(*sessions: Any, queue: str = "orders") -> dict[str, Any]:
    """SQS messages, one with each session; their ids are their numbers."""
    records = [
        samples.sqs_record(queue, str(number), session=session, message_id=str(number), position=number)
        for number, session in enumerate(sessions)
    ]
    return {"Records": records}


def failed(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def fresh(code: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# ---- identity and tenants ------------------------------------------------------------------------------------------


def test_1_a_record_without_a_session_runs_under_none() -> None:
    seen: list[Session] = []
    resolver = Resolver()
    resolver.on_queue("orders")(lambda event: seen.append(get_session()))
    resolver.resolve(messages(ACME, None, {"tenant": "other"}, None))
    resolver.resolve(messages(None))
    assert seen == [Session("acme", "u-1"), Session(), Session("other"), Session(), Session()]


def test_2_a_group_shares_the_whole_session_not_the_tenant_alone() -> None:
    seen: list[tuple[str | None, list[str]]] = []
    resolver = Resolver()

    @resolver.on_queue("orders", batch=True)
    def handle(events, session: Session):
        assert all(event.session == session == get_session() for event in events)
        seen.append((session.user, [event.text for event in events]))

    other_user = {**ACME, "user": "u-2"}
    other_role = {**ACME, "claims": {"role": "admin"}}
    resolver.resolve(messages(ACME, other_user, ACME, other_role))
    assert seen == [("u-1", ["0", "2"]), ("u-2", ["1"]), ("u-1", ["3"])]


def test_4_the_session_belongs_to_the_context_and_is_reset() -> None:
    at_import = get_session()
    seen: list[Session] = []
    resolver = Resolver()

    @resolver.on_invoke("who")
    async def who():
        await asyncio.sleep(0)
        seen.append(get_session())

    client = TestClient(resolver)
    client.invoke("who", session=ACME)
    assert get_session() == Session()
    client.invoke("who")
    assert seen == [Session("acme", "u-1"), Session()]
    assert at_import == Session()


@pytest.mark.parametrize(
    "start",
    [
        lambda: SessionPolicy(require=["tenent"]),
        lambda: SessionPolicy(signing=Signing("")),
        lambda: Signing("new", previous=[""]),
        lambda: Resolver(unrouted="ingore"),
        lambda: Resolver(session={"secret": SECRET}),  # type: ignore[arg-type]
        lambda: Resolver().get("/a", permision=lambda session, event: True)(lambda: None),  # type: ignore[call-arg]
        lambda: Resolver().get("/a", permission="admin")(lambda: None),  # type: ignore[arg-type]
        lambda: Resolver().on("sqqs", "orders"),
    ],
)
def test_5_unknown_values_are_refused_at_start(start: Any) -> None:
    with pytest.raises(ConfigurationError):
        start()


def test_5_authentication_fails_closed() -> None:
    resolver = Resolver()
    asked: list[Session] = []

    def permission(session: Session, event: Event) -> Any:
        asked.append(session)
        return None  # forgot to return

    resolver.get("/admin", permission=permission)(lambda: {"secret": 1})
    assert TestClient(resolver).get("/admin").status == 403
    assert asked == [Session()]


def test_6_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Any] = []

    def compare(ours: str, theirs: str) -> bool:
        compared.append((ours, theirs))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    policy = SessionPolicy(signing=Signing(SECRET))
    with pytest.raises(SessionError, match="does not match"):
        policy.open(policy.seal('{"tenant":"acme"}'))
    assert len(compared) == 1


def test_9_an_unsigned_altered_or_expired_session_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Session] = []
    policy = SessionPolicy(signing=Signing(SECRET, max_age=60))
    resolver = Resolver(session=policy)
    resolver.on_queue("orders")(lambda event: seen.append(get_session()))
    signed = policy.seal(json.dumps(ACME))
    altered = signed.replace("acme", "evil")
    answer = resolver.resolve(messages(signed, json.dumps(ACME), altered))
    assert (failed(answer), seen) == (["1", "2"], [Session("acme", "u-1")])
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert failed(resolver.resolve(messages(signed))) == ["0"]


# ---- lost messages -------------------------------------------------------------------------------------------------


def test_10_an_import_error_in_a_consumer_deletes_no_message() -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    def handle(event: Event):
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401

    assert failed(resolver.resolve(messages(None, None))) == ["0", "1"]


@pytest.mark.parametrize("result", [{"statusCode": 500}, "error", {"success": False}, False])
def test_11_what_a_handler_returns_for_a_message_is_never_the_answer(result: Any) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    def handle(event: Event):
        if event.text == "1":
            raise ValueError
        return result

    assert resolver.resolve(messages(None, None)) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_12_an_error_of_an_asynchronous_call_is_raised() -> None:
    resolver = Resolver()

    @resolver.on_invoke("rebuild")
    def rebuild():
        raise ValueError("no disk")

    resolver.on_bus("OrderPlaced")(rebuild)
    resolver.on_topic("orders")(rebuild)
    client = TestClient(resolver)
    with pytest.raises(ValueError, match="no disk"):
        client.invoke("rebuild")
    with pytest.raises(RecordsFailed):
        client.bus("OrderPlaced")
    with pytest.raises(RecordsFailed):
        client.topic("orders", ["a"])


def test_13_an_error_of_one_record_is_neither_swallowed_nor_does_it_stop_the_others() -> None:
    seen: list[str] = []
    resolver = Resolver()

    @resolver.on_queue("orders")
    @resolver.on_topic("orders")
    def handle(event: Event):
        seen.append(event.text)
        if event.text in ("0", "2"):
            raise ValueError(event.text)

    assert failed(resolver.resolve(messages(None, None, None, None))) == ["0", "2"]
    with pytest.raises(RecordsFailed, match="2 of 4 records failed"):
        TestClient(resolver).topic("orders", ["0", "1", "2", "3"])
    assert seen == ["0", "1", "2", "3"] * 2


# ---- HTTP ----------------------------------------------------------------------------------------------------------


def client_of(handler: Any, path: str = "/a", method: str = "GET") -> TestClient:
    resolver = Resolver()
    resolver.route(path, [method])(handler)
    return TestClient(resolver)


def test_16_headers_are_found_in_any_case_and_malformed_bodies_are_a_400() -> None:
    def handle(event: Event):
        return {"kind": event.headers["X-KIND"], "body": event.json()}

    client = client_of(handle, method="POST")
    assert client.post("/a", json={"n": 1}, headers={"x-kind": "k"}).json() == {"kind": "k", "body": {"n": 1}}
    assert client.post("/a", body="{", headers={"x-kind": "k"}).status == 400
    broken = {**samples.rest("POST", "/a", body="a", headers={"x-kind": "k"}), "isBase64Encoded": True}
    assert client.event(broken)["statusCode"] == 400


@pytest.mark.parametrize("path", ["/..", "/../secrets", "/%2e%2e/secrets", "/a/../../secrets", "/..%2fsecrets"])
def test_17_a_path_never_leaves_the_routes(path: str) -> None:
    seen: list[str] = []
    resolver = Resolver()
    resolver.get("/a/{x}", name="x")(lambda x: seen.append(f"/{x}"))
    assert TestClient(resolver).get(path).status == 404
    assert seen == []


def test_18_templates_are_no_regular_expressions() -> None:
    resolver = Resolver()
    resolver.get("/v1.0/{id:int}")(lambda id: {"id": id})
    client = TestClient(resolver)
    assert client.get("/v1.0/7").json() == {"id": 7}
    for path in ("/v1x0/7", "/v1.0/abc", "/v1.0/7%0A", "/v1.0/7%0Aabc"):
        assert client.get(path).status == 404, path


def test_19_another_method_is_a_405_with_allow_and_head_and_options_are_answered() -> None:
    client = client_of(lambda: {"a": 1})
    denied = client.delete("/a")
    assert (denied.status, denied.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (client.head("/a").status, client.head("/a").body) == (200, b"")
    assert (client.options("/a").status, client.options("/a").headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_20_an_http_error_that_a_handler_raises_keeps_its_status() -> None:
    def handle():
        raise NotFound("no such order")

    answer = client_of(handle).get("/a")
    assert (answer.status, answer.json()["detail"]) == (404, "no such order")


def test_21_an_answer_shows_no_internals_and_the_log_has_the_cause(caplog: pytest.LogCaptureFixture) -> None:
    def handle():
        raise RuntimeError("postgres://admin:hunter2@db.internal/orders")

    answer = client_of(handle).get("/a")
    assert answer.json() == {"title": "Internal Server Error", "status": 500}
    assert "hunter2" not in json.dumps(answer.raw)
    assert "RuntimeError" in caplog.text
    assert "test_pitfalls.py" in caplog.text


def test_22_an_async_route_is_awaited() -> None:
    async def handle():
        await asyncio.sleep(0)
        return {"a": 1}

    assert client_of(handle).get("/a").json() == {"a": 1}
    answer = client_of(lambda: handle()).get("/a")  # noqa: PLW0108 - a sync function that forgot to await
    assert (answer.status, "coroutine" in answer.text) == (500, False)


def test_23_none_is_a_204_and_decimals_are_numbers() -> None:
    assert (client_of(lambda: None).get("/a").status, client_of(lambda: None).get("/a").body) == (204, b"")
    assert client_of(lambda: [Decimal("1.10"), Decimal("2")]).get("/a").text == "[1.10,2]"


def test_24_credentials_never_go_to_any_origin() -> None:
    with pytest.raises(ConfigurationError, match="list the origins"):
        Cors("*", credentials=True)
    resolver = Resolver().use(Cors(["https://app.example.com"], credentials=True))
    resolver.get("/a")(lambda: {"a": 1})
    mine = TestClient(resolver).get("/a", headers={"origin": "https://app.example.com"})
    assert mine.headers["access-control-allow-origin"] == "https://app.example.com"
    assert mine.headers["access-control-allow-credentials"] == "true"
    other = TestClient(resolver).get("/a", headers={"origin": "https://evil.example"})
    assert not [name for name in other.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("error", [ValueError, FileNotFoundError, KeyError, PermissionError, TypeError])
def test_25_an_error_of_the_business_is_a_500_without_its_text(error: type[Exception]) -> None:
    def handle():
        raise error("/srv/secrets/key.pem")

    answer = client_of(handle).get("/a")
    assert (answer.status, "secrets" in answer.text) == (500, False)


def test_26_a_websocket_connection_finds_its_route() -> None:
    seen: list[str] = []
    resolver = Resolver()
    resolver.on_connect()(lambda event: seen.append(event.name))
    resolver.on_disconnect()(lambda event: seen.append(event.name))
    client = TestClient(resolver)
    assert client.connect()["statusCode"] == client.disconnect()["statusCode"] == 200
    assert seen == ["$connect", "$disconnect"]


def test_27_numbers_and_sets_of_dynamodb_are_exact_python_values() -> None:
    seen: list[Any] = []
    resolver = Resolver()
    resolver.on_stream("orders")(lambda event: seen.append(event.new))
    resolver.get("/orders")(lambda: seen[0])
    largest = "9" * 38
    raw = samples.dynamodb("orders", [("INSERT", None, {"id": 1})])
    raw["Records"][0]["dynamodb"]["NewImage"] = {
        "id": {"N": "1"},
        "large": {"N": largest},
        "price": {"N": "0.1000000000000000000000000000000000001"},
        "tags": {"SS": ["b", "a"]},
        "sizes": {"NS": ["1", "2.5"]},
    }
    assert resolver.resolve(raw) == {"batchItemFailures": []}
    price = Decimal("0.1000000000000000000000000000000000001")
    assert seen == [{"id": 1, "large": int(largest), "price": price, "tags": {"a", "b"}, "sizes": {1, Decimal("2.5")}}]
    answer = json.loads(TestClient(resolver).get("/orders").text, parse_float=Decimal)
    assert answer == {**seen[0], "tags": ["a", "b"], "sizes": [1, Decimal("2.5")]}


# ---- process -------------------------------------------------------------------------------------------------------

EVERYTHING = """
import importlib, logging, os, pkgutil, sys
before = dict(os.environ), logging.getLogger().level, list(logging.getLogger().handlers)
import router
def load(package):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if module.name not in ("router.cli", "router.__main__", "router.local"):
            held = importlib.import_module(module.name)
            if module.ispkg:
                load(held)
load(router)
assert before == (dict(os.environ), logging.getLogger().level, list(logging.getLogger().handlers))
assert all(logger.level == logging.NOTSET and not logger.handlers
           for name, logger in logging.root.manager.loggerDict.items()
           if name.startswith("router") and isinstance(logger, logging.Logger))
"""


def test_28_an_import_prints_nothing_and_leaves_logging_and_the_environment_alone() -> None:
    assert fresh(EVERYTHING) == ""


def test_29_a_client_that_is_bound_to_a_loop_survives_warm_calls() -> None:
    class Client:
        """Like motor and httpx: bound to the loop of its first use."""

        loop: asyncio.AbstractEventLoop | None = None

        async def fetch(self) -> int:
            running = asyncio.get_running_loop()
            self.loop = self.loop or running
            assert self.loop is running, "attached to a different loop"
            return await asyncio.wait_for(self.loop.run_in_executor(None, lambda: 7), 5)

    shared = Client()

    async def handle():
        return {"n": await shared.fetch()}

    client = client_of(handle)
    assert [client.get("/a").json() for _ in range(3)] == [{"n": 7}] * 3


def test_31_background_work_is_done_before_the_invocation_ends() -> None:
    done: list[str] = []

    async def work(name: str) -> None:
        await asyncio.sleep(0.01)
        done.append(name)

    async def fails() -> None:
        raise ValueError("the work failed")

    resolver = Resolver()

    @resolver.get("/a")
    async def handle(event: Event):
        event.background(work("http"))
        return {}

    @resolver.on_queue("orders")
    async def order(event: Event):
        event.background(work("sqs") if event.text == "0" else fails())

    assert TestClient(resolver).get("/a").status == 200
    assert failed(resolver.resolve(messages(None, None))) == ["1"]
    assert done == ["http", "sqs"]


def test_31_work_that_nobody_waits_for_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    kept: list[asyncio.Task[None]] = []  # a task that nobody holds may be collected

    async def forgotten_work_of_this_test() -> None:
        await asyncio.sleep(60)

    async def handle():
        kept.append(asyncio.create_task(forgotten_work_of_this_test()))
        return {}

    with caplog.at_level(logging.WARNING, "router"):
        assert client_of(handle).get("/a").status == 200
    assert "forgotten_work_of_this_test still runs at the end of the invocation" in caplog.text
    close_loop()
    assert kept[0].cancelled()


# What no cold start may load for a first request.
HEAVY = {"asyncio", "boto3", "botocore", "pydantic", "typing", "ssl", "http.client", "email", "logging.config"}


def test_32_the_first_answer_loads_nothing_heavy() -> None:
    code = f"""
import sys, orjson
before = set(sys.modules)
from router import Resolver
resolver = Resolver()
@resolver.get("/a/{{x}}")
def show(x): return {{"x": x}}
event = {samples.rest("GET", "/a/1")!r}
assert resolver.resolve(event)["statusCode"] == 200
print(*sorted(set(sys.modules) - before))
"""
    loaded = fresh(code).split()
    assert "router.resolver" in loaded
    assert HEAVY.isdisjoint(loaded)
    assert len(loaded) < 45
