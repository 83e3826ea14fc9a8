"""Where variables come from, and when: once, before the first event; what is missing is told at once."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest

from router import Around, ConfigurationError, Env, Event, Middleware, Resolver, Router
from router.environment import DynamoDB, Environment, Resolved, Use
from router.testing import TestClient, samples

NAMES = ("A_TABLE", "A_KEY", "A_STAGE", "A_QUEUE", "JUNCTION_APP", "JUNCTION_STAGE", "JUNCTION_SERVICE", "STAGE")
PLACE: dict[str, Any] = {"app": "shop", "stage": "prod", "service": "billing"}


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable be there before a test, nor stay after it."""
    for name in (*NAMES, "SERVICE_NAME", "AWS_LAMBDA_FUNCTION_NAME"):
        monkeypatch.setenv(name, "")  # which counts as not set, and is restored afterwards


class Shelf:
    """A store that holds some values, counts how often it is asked, and may fail first."""

    path = "/{app}/{stage}/{service}/{name}"

    def __init__(self, held: Mapping[str, Any] | None = None, *failures: Exception, path: str = path) -> None:
        self.held = dict(held or {})
        self.path = path
        self.failures = list(failures)
        self.asked: list[list[str]] = []

    def read(self, paths: Sequence[str]) -> dict[str, Any]:
        self.asked.append(list(paths))
        if self.failures:
            raise self.failures.pop(0)
        return {path: self.held[path] for path in paths if path in self.held}


def application(environment: Environment | None = None, **requires: Any) -> Resolver:
    resolver = Resolver(environment=environment)

    @resolver.get("/", requires=requires or {"A_TABLE": [DynamoDB.GET_ITEM], "A_KEY": []})
    def show() -> dict[str, str]:
        return {name: os.environ[name] for name in (requires or ("A_TABLE", "A_KEY"))}

    return resolver


class TestEnvironment:
    def test_is_the_environment_and_then_each_store(self) -> None:
        first = Shelf({"/shop/prod/billing/B": "2", "/shop/prod/billing/C": ""})
        second = Shelf({"billing-C": "3", "billing-B": "other"}, path="{service}-{name}")
        place = Environment(**PLACE, stores=[first, second])
        resolved = place.resolve({"A": ["x"], "B": [], "C": []}, environ=MappingProxyType({"A": "1", "B": ""}))
        assert dict(resolved) == {"A": "1", "B": "2", "C": "3"}
        assert resolved.origins == {"A": "environment", "B": "/shop/prod/billing/B", "C": "billing-C"}
        assert (first.asked, second.asked) == ([["/shop/prod/billing/B", "/shop/prod/billing/C"]], [["billing-C"]])

    def test_asks_no_store_when_it_has_all(self) -> None:
        shelf = Shelf()
        assert dict(Environment(**PLACE, stores=[shelf]).resolve("A", environ={"A": "1"})) == {"A": "1"}
        assert shelf.asked == []

    def test_names_all_that_are_missing_and_where_it_looked(self) -> None:
        place = Environment(**PLACE, stores=[Shelf({"/shop/prod/billing/B": "hunter2"}), Shelf(path="s/{name}")])
        with pytest.raises(ConfigurationError) as raised:
            place.resolve(["A", "B", "C"], environ={})
        assert str(raised.value) == (
            "not set: A, C; looked up in the environment; Shelf has no /shop/prod/billing/{name}; Shelf has no s/{name}"
        )

    def test_reads_from_variables_where_it_runs(self) -> None:
        shelf = Shelf({"/shop/dev/mail/A": "1"})
        environ = {"JUNCTION_APP": "shop", "STAGE": "dev", "SERVICE_NAME": "mail"}
        assert Environment(stores=[shelf]).resolve(["A"], environ=environ)["A"] == "1"
        shelf.asked.clear()
        with pytest.raises(ConfigurationError):
            Environment(stage="prod", stores=[shelf]).resolve(["A"], environ={**environ, "JUNCTION_SERVICE": "web"})
        assert shelf.asked == [["/shop/prod/web/A"]]

    def test_its_place_may_be_the_value_of_any_variable(self) -> None:
        shelf = Shelf({"/shop/dev/mail/A": "1"})
        place = Environment(app="shop", stage=Env("MY_STAGE"), service=Env("MY_SERVICE", "mail"), stores=[shelf])
        assert place.resolve(["A"], environ={"MY_STAGE": "dev"})["A"] == "1"
        with pytest.raises(ConfigurationError, match="not asked, for want of stage"):
            place.resolve(["A"], environ={"STAGE": "dev"})

    def test_takes_other_paths(self) -> None:
        shelf = Shelf({"/amplify/prod/billing/A": "1"}, path="/amplify/{stage}/{service}/{name}")
        assert Environment(stage="prod", service="billing", stores=[shelf]).resolve(["A"], environ={})["A"] == "1"

    def test_says_which_part_of_a_path_it_does_not_know(self) -> None:
        shelf = Shelf()
        with pytest.raises(ConfigurationError) as raised:
            Environment(app="shop", stores=[shelf]).resolve(["A"], environ={})
        assert "Shelf was not asked, for want of stage (Environment(stage=...) or JUNCTION_STAGE) and service (" in str(
            raised.value
        )
        assert shelf.asked == []

    def test_a_store_that_answers_something_else(self) -> None:
        place = Environment(**PLACE, stores=[Shelf({"/shop/prod/billing/A": 7})])
        with pytest.raises(ConfigurationError, match="Shelf: /shop/prod/billing/A holds int, not text"):
            place.resolve(["A"], environ={})

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"app": ""}, r"Environment\(app=''\): give a text"),
            ({"stage": 7}, r"Environment\(stage=7\)"),
            ({"stores": [Shelf]}, "is not a store; give objects with path and read"),
            ({"stores": [object()]}, "is not a store"),
            ({"stores": [Shelf(path="/{app}")]}, r"Shelf\(path='/{app}'\): write it with {name}"),
            ({"stores": [Shelf(path="/{region}/{name}")]}, "and with {app}, {stage} and {service}"),
            ({"record": "table"}, "give a function of a list of Use"),
        ],
    )
    def test_is_checked(self, options: dict[str, Any], told: str) -> None:
        with pytest.raises(ConfigurationError, match=told):
            Environment(**options)

    def test_nothing_else_is_taken_for_one(self) -> None:
        wrong: Any = {"app": "shop"}
        with pytest.raises(ConfigurationError, match=r"Resolver\(environment=...\) takes an Environment, not dict"):
            Resolver(environment=wrong)

    def test_shows_no_value(self) -> None:
        resolved = Resolved({"A": "hunter2"}, {"A": "environment"})
        assert repr(resolved) == "Resolved({'A': 'environment'})"
        assert (str(resolved), len(resolved)) == (repr(resolved), 1)


class TestStart:
    def test_the_first_event_fills_what_the_environment_lacks_and_nothing_else(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("A_TABLE", "orders")
        shelf = Shelf({"/shop/prod/billing/A_TABLE": "other", "/shop/prod/billing/A_KEY": "k"})
        client = TestClient(application(Environment(**PLACE, stores=[shelf])))
        assert client.get("/").json() == {"A_TABLE": "orders", "A_KEY": "k"}
        assert client.get("/").json() == {"A_TABLE": "orders", "A_KEY": "k"}
        assert client.get("/nowhere", source="alb").status == 404
        assert shelf.asked == [["/shop/prod/billing/A_KEY"]]

    def test_everything_missing_is_told_with_the_routes_that_want_it(self) -> None:
        resolver = Resolver(requires=["A_STAGE"])
        group = Router("/orders", requires={"A_TABLE": [DynamoDB.QUERY]})
        for path in ("/a", "/b", "/c", "/d"):
            group.get(path)(lambda: None)
        resolver.include(group)
        resolver.on_queue("mails", requires=["A_QUEUE", "A_TABLE"])(lambda event: None)
        with pytest.raises(ConfigurationError) as raised:
            TestClient(resolver).get("/orders/a")
        assert str(raised.value) == (
            "not set: A_STAGE (for every route), A_TABLE (for GET /orders/a, GET /orders/b, GET /orders/c and 2 more), "
            "A_QUEUE (for sqs mails); looked up in the environment"
        )

    @pytest.mark.parametrize("source", ["get", "queue", "invoke"])
    def test_what_is_missing_fails_the_call_and_the_next_one_tries_again(
        self, source: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ran = []
        resolver = Resolver(requires=["A_TABLE"])
        resolver.get("/")(lambda: ran.append("get"))
        resolver.on_queue("q")(lambda event: ran.append("queue"))
        resolver.on_invoke("i")(lambda event: ran.append("invoke"))
        client = TestClient(resolver)
        call = {
            "get": lambda: client.get("/"),
            "queue": lambda: client.queue("q", ["x"]),
            "invoke": lambda: client.invoke("i"),
        }[source]
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="not set: A_TABLE"):
                call()
        assert ran == []
        monkeypatch.setenv("A_TABLE", "orders")
        call()
        assert ran == [source]

    def test_a_start_that_fails_is_seen_by_what_observes_invocations(self) -> None:
        seen: list[Any] = []

        class Observer(Middleware):
            def __call__(self, event: Event) -> Around:
                yield

            def around_invocation(self, invocation: Any) -> Iterator[None]:
                yield
                seen.append((invocation.source, str(invocation.error)))

        resolver = application(A_TABLE=[])
        resolver.use(Observer())
        with pytest.raises(ConfigurationError):
            TestClient(resolver).get("/")
        assert seen == [("rest", "not set: A_TABLE (for GET /); looked up in the environment")]

    def test_a_store_that_is_down_fails_the_call_and_is_asked_again(self) -> None:
        shelf = Shelf({"/shop/prod/billing/A_KEY": "k"}, ConnectionError("down"))
        client = TestClient(application(Environment(**PLACE, stores=[shelf]), A_KEY=[]))
        with pytest.raises(ConnectionError, match="down"):
            client.get("/")
        assert client.get("/").json() == {"A_KEY": "k"}
        assert len(shelf.asked) == 2

    def test_it_can_be_done_at_import(self) -> None:
        shelf = Shelf({"/shop/prod/billing/A_KEY": "k"})
        resolver = application(Environment(**PLACE, stores=[shelf]), A_KEY=[])
        resolved = resolver.load_environment()
        assert (dict(resolved), os.environ["A_KEY"]) == ({"A_KEY": "k"}, "k")
        assert resolver.load_environment() is resolved
        TestClient(resolver).get("/")
        assert len(shelf.asked) == 1

    def test_for_some_sources_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        resolver = Resolver(requires=["A_STAGE"])
        resolver.on_queue("q", requires=["A_QUEUE"])(lambda event: None)
        resolver.get("/", requires=["A_TABLE"])(lambda: None)
        monkeypatch.setenv("A_STAGE", "prod")
        monkeypatch.setenv("A_QUEUE", "mails")
        assert set(resolver.load_environment(sources=["sqs"])) == {"A_STAGE", "A_QUEUE"}
        client = TestClient(resolver)
        assert client.queue("q", ["x"]) == {"batchItemFailures": []}
        with pytest.raises(ConfigurationError, match=r"^not set: A_TABLE \(for GET /\)"):
            client.get("/")
        monkeypatch.setenv("A_TABLE", "orders")
        assert client.get("/").status == 204
        assert set(resolver.load_environment()) == {"A_STAGE", "A_QUEUE", "A_TABLE"}

    def test_of_an_unknown_source(self) -> None:
        with pytest.raises(ConfigurationError, match=r"load_environment\(sources='que'\): unknown source; use"):
            Resolver().load_environment(sources="que")

    def test_there_may_be_nothing_to_load(self) -> None:
        assert dict(Resolver().load_environment(sources="sqs")) == {}

    def test_a_route_that_comes_later_is_waited_for(self) -> None:
        resolver = application(A_TABLE=[])
        os.environ["A_TABLE"] = "orders"
        client = TestClient(resolver)
        client.get("/")
        resolver.get("/late", requires=["A_KEY"])(lambda: None)
        with pytest.raises(ConfigurationError, match=r"not set: A_KEY \(for GET /late\)"):
            client.get("/")

    def test_first_events_that_come_at_once_ask_once(self) -> None:
        entered, go = threading.Event(), threading.Event()

        class Slow(Shelf):
            def read(self, paths: Sequence[str]) -> dict[str, Any]:
                entered.set()
                assert go.wait(10)
                return super().read(paths)

        shelf = Slow({"/shop/prod/billing/A_KEY": "k"})
        client = TestClient(application(Environment(**PLACE, stores=[shelf]), A_KEY=[]))
        answers: list[Any] = []
        threads = [threading.Thread(target=lambda: answers.append(client.get("/").json())) for _ in range(8)]
        threads[0].start()
        assert entered.wait(10)
        for thread in threads[1:]:
            thread.start()
        go.set()
        for thread in threads:
            thread.join(10)
        assert answers == [{"A_KEY": "k"}] * 8
        assert len(shelf.asked) == 1

    def test_on_a_running_event_loop(self) -> None:
        resolver = Resolver(environment=Environment(**PLACE, stores=[Shelf({"/shop/prod/billing/A_KEY": "k"})]))

        @resolver.get("/", requires=["A_KEY"])
        async def show() -> str:
            return os.environ["A_KEY"]

        async def main() -> list[Any]:
            event = samples.rest("GET", "/")
            return await asyncio.gather(*(resolver.resolve_async(event) for _ in range(3)))

        assert [answer["body"] for answer in asyncio.run(main())] == ["k"] * 3

    def test_a_name_of_a_queue_may_be_in_a_store(self) -> None:
        shelf = Shelf({"/shop/prod/billing/A_QUEUE": "shop-Orders-1X2"})
        resolver = Resolver(requires=["A_QUEUE"], environment=Environment(**PLACE, stores=[shelf]))
        seen = []
        resolver.on_queue(Env("A_QUEUE"))(lambda event: seen.append(event.name))
        TestClient(resolver).queue("shop-Orders-1X2", ["x"])
        assert seen == ["shop-Orders-1X2"]

    @pytest.mark.parametrize("value", ["hunter\0two", "hunter\ud800two"])
    def test_a_value_that_no_environment_takes_is_refused_without_showing_it(
        self, value: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        shelf = Shelf({"/shop/prod/billing/A_KEY": value})
        with pytest.raises(ConfigurationError) as raised:
            TestClient(application(Environment(**PLACE, stores=[shelf]), A_KEY=[])).get("/")
        assert str(raised.value) == "A_KEY: its value from /shop/prod/billing/A_KEY cannot stand in an environment"
        assert raised.value.__context__ is None
        assert "hunter" not in caplog.text


class TestTask:
    def run(self, resolver: Resolver, name: str = "nightly", **more: str) -> int:
        return resolver.run_task({"TASK_NAME": name, **more})

    def test_needs_what_its_own_route_needs(self, caplog: pytest.LogCaptureFixture) -> None:
        ran = []
        resolver = Resolver(requires=["A_STAGE"])

        @resolver.on_task("nightly", requires=["A_TABLE"])
        def nightly(event: Event) -> None:
            ran.append((event.raw["A_TABLE"], os.environ["A_TABLE"]))

        resolver.on_task("other", requires=["A_KEY"])(lambda: None)
        resolver.get("/", requires=["A_QUEUE"])(lambda: None)
        assert self.run(resolver) == 2
        assert "the task cannot start: not set: A_STAGE (for every route), A_TABLE (for task nightly)" in caplog.text
        assert self.run(resolver, A_STAGE="prod", A_TABLE="orders") == 0
        assert ran == [("orders", "orders")]

    def test_require_env_is_told_together_with_it(self, caplog: pytest.LogCaptureFixture) -> None:
        resolver = Resolver()
        resolver.on_task("nightly", requires=["A_TABLE"])(lambda: None)
        assert resolver.run_task({"TASK_NAME": "nightly"}, require_env=("A_KEY",)) == 2
        assert "not set: A_TABLE (for task nightly), A_KEY;" in caplog.text

    def test_a_store_that_is_down_is_a_start_that_failed(self, caplog: pytest.LogCaptureFixture) -> None:
        shelf = Shelf({}, ConnectionError("down"))
        resolver = Resolver(requires=["A_KEY"], environment=Environment(**PLACE, stores=[shelf]))
        resolver.on_task("nightly")(lambda: None)
        assert self.run(resolver) == 2
        assert "the task cannot start: down" in caplog.text

    def test_that_is_not_there_fails_as_such(self) -> None:
        resolver = Resolver()
        resolver.on_task("nightly", requires=["A_TABLE"])(lambda: None)
        assert self.run(resolver, "unknown") == 1

    def test_whose_name_a_store_has(self) -> None:
        shelf = Shelf({"/shop/prod/billing/A_KEY": "nightly"})
        resolver = Resolver(environment=Environment(**PLACE, stores=[shelf]))
        ran = []
        resolver.on_task(Env("A_KEY"), requires=["A_KEY"])(lambda: ran.append(1))
        assert (self.run(resolver), ran) == (0, [1])


class TestRecord:
    def test_says_who_uses_what_and_no_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop-prod-api")
        monkeypatch.setenv("A_STAGE", "prod")
        told: list[Use] = []
        shelf = Shelf({"/shop/prod/billing/A_TABLE": "hunter2"})
        place = Environment(**PLACE, stores=[shelf], record=told.extend)
        resolver = Resolver(requires=["A_STAGE"], environment=place)
        resolver.get("/", requires={"A_TABLE": [DynamoDB.GET_ITEM]})(lambda: None)
        client = TestClient(resolver)
        client.get("/")
        client.get("/")
        stage, table = told
        where = ("shop-prod-api", "shop", "prod", "billing")
        assert (stage.variable, stage.operations, stage.routes, stage.origin) == ("A_STAGE", (), ("*",), "environment")
        assert table.routes == ("GET /",)
        assert (table.operations, table.origin) == (("dynamodb:GetItem",), "/shop/prod/billing/A_TABLE")
        assert (table.function, table.app, table.stage, table.service) == where
        assert table.at > 1_700_000_000
        assert "hunter2" not in repr(told)

    def test_that_fails_harms_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        def record(uses: list[Use]) -> None:
            raise RuntimeError("the table is gone")

        os.environ["A_TABLE"] = "orders"
        with caplog.at_level(logging.WARNING, "router"):
            assert TestClient(application(Environment(record=record), A_TABLE=[])).get("/").status == 200
        assert "the variables in use were not recorded: the table is gone" in caplog.text

    def test_nothing_is_recorded_where_the_start_failed_or_there_is_nothing(self) -> None:
        told: list[Any] = []
        with pytest.raises(ConfigurationError):
            TestClient(application(Environment(record=told.append), A_TABLE=[])).get("/")
        resolver = Resolver(environment=Environment(record=told.append))
        resolver.get("/")(lambda: None)
        TestClient(resolver).get("/")
        assert told == []

    def test_a_task_is_recorded_too(self) -> None:
        told: list[Use] = []
        resolver = Resolver(environment=Environment(**PLACE, record=told.extend))
        resolver.on_task("nightly", requires={"A_TABLE": [DynamoDB.SCAN]})(lambda: None)
        assert resolver.run_task({"TASK_NAME": "nightly", "A_TABLE": "orders"}) == 0
        assert [(use.variable, use.operations, use.routes) for use in told] == [
            ("A_TABLE", ("dynamodb:Scan",), ("task nightly",))
        ]
