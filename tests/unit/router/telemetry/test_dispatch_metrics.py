"""`DispatchMetrics`: what became of events and how long it took, in as few lines as CloudWatch allows."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from aws_lambda_powertools import Metrics

from router import ConfigurationError, Discard, Event, FromRequest, NotFound, Resolver, Retry, Router, SessionPolicy
from router.dispatch import invocation
from router.telemetry import DispatchMetrics, emf
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import sqs


class Written:
    """The lines of the embedded metric format that were printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def lines(self) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]
        for line in found:
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            assert directive["Namespace"] == "Shop"
            assert all(len(dimensions) <= 30 for dimensions in directive["Dimensions"])
            assert len(directive["Metrics"]) <= 100
            for metric in directive["Metrics"]:
                values = line[metric["Name"]]
                assert 1 <= len(values if isinstance(values, list) else [values]) <= 100
            for dimension in directive["Dimensions"][0]:
                assert isinstance(line[dimension], str)
                assert line[dimension]
        return found

    def sums(self, *by: str) -> dict[Any, Counter[str]]:
        """The sum of each metric, by the values of some dimensions; those of durations are counted."""
        sums: dict[Any, Counter[str]] = {}
        for line in self.lines():
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            key = tuple(line.get(name) for name in by)
            told = sums.setdefault(key[0] if len(key) == 1 else key, Counter())
            for metric in directive["Metrics"]:
                name = metric["Name"]
                told[name] += len(line[name]) if name == "Duration" else int(sum(line[name]))
        return sums


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Written:
    return Written(capsys)


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> Iterator[Metrics]:
    monkeypatch.setattr(invocation, "_seen_in", os.getpid())
    made = Metrics(namespace="Shop", service="orders")
    yield made
    for shared in (Metrics._metrics, Metrics._dimensions, Metrics._metadata, Metrics._default_dimensions):
        shared.clear()


def application(metrics: Metrics, kind: str = "sync", **options: Any) -> Resolver:
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
    resolver.use(DispatchMetrics(metrics, **options))

    def order(event: Event) -> None:
        errors = {"bad": ValueError("bad"), "later": Retry(), "never": Discard("no")}
        if event.text in errors:
            raise errors[event.text]

    async def order_async(event: Event) -> None:
        await asyncio.sleep(0)
        order(event)

    handler = order_async if "async" in kind else order
    resolver.on_queue("orders", concurrency=3 if kind in ("threads", "async at once") else 1)(handler)
    return resolver


KINDS = ["sync", "async", "threads", "async at once"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_record_counts_once_as_what_became_of_it(metrics, written: Written, kind: str) -> None:
    resolver = application(metrics, kind)
    resolver.resolve(sqs("orders", "a", "bad", "later", "never", "b"))
    lines = written.lines()
    assert len(lines) == 1  # one line for the whole call
    (line,) = lines
    assert {name: line[name] for name in ("service", "source", "route")} == {
        "service": "orders",
        "source": "sqs",
        "route": "sqs orders",
    }
    assert [sum(line[name]) for name in ("Handled", "Failed", "Retried", "Discarded")] == [2, 1, 1, 1]
    assert len(line["Duration"]) == 5
    assert all(0 <= value < 10_000 for value in line["Duration"])


@pytest.mark.parametrize("asynchronous", [False, True])
def test_records_of_a_group_count_one_by_one(metrics, written: Written, asynchronous: bool) -> None:
    from router import BatchItemFailures

    resolver = Resolver()
    resolver.use(DispatchMetrics(metrics))

    def orders(events: list[Event]) -> None:
        metrics.add_metric("Groups", "Count", 1)
        raise BatchItemFailures([events[0]])

    async def orders_async(events: list[Event]) -> None:
        orders(events)

    resolver.on_queue("orders", batch=True)(orders_async if asynchronous else orders)
    resolver.resolve(sqs("orders", "a", "b", "c"))
    assert written.sums("route") == {
        "sqs orders": {"Handled": 2, "Failed": 1, "Duration": 3},
        None: {"Groups": 1},
    }


def test_ten_thousand_records_come_out_right(metrics, written: Written) -> None:
    resolver = Resolver()
    resolver.use(DispatchMetrics(metrics))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        metrics.add_metric("Paid", "Count", 2)
        if event.text == "bad":
            raise ValueError

    resolver.resolve(sqs("orders", *["bad" if number % 100 == 0 else "a" for number in range(10_000)]))
    assert written.sums("route") == {
        "sqs orders": {"Handled": 9_900, "Failed": 100, "Duration": 10_000},
        None: {"Paid": 20_000},
    }


def test_without_durations_a_large_batch_is_one_line(metrics, written: Written) -> None:
    application(metrics, durations=False).resolve(sqs("orders", *["a"] * 500))
    (line,) = written.lines()
    assert line["Handled"] == [500]
    assert "Duration" not in line


def test_records_that_no_middleware_sees_count_as_well(metrics, written: Written) -> None:
    application(metrics).resolve(sqs("nowhere", "a", "b"))
    assert written.sums("route") == {"(none)": {"Failed": 2}}


def test_a_failure_in_the_background_counts_as_one(metrics, written: Written) -> None:
    resolver = Resolver()
    resolver.use(DispatchMetrics(metrics))

    @resolver.on_queue("orders")
    async def order(event: Event) -> None:
        async def fail() -> None:
            raise ValueError

        if event.text == "bad":
            event.background(fail())
        else:
            event.background(asyncio.sleep(0))

    resolver.resolve(sqs("orders", "a", "bad"))
    assert written.sums("route") == {"sqs orders": {"Handled": 1, "Failed": 1, "Duration": 2}}


def test_what_a_catcher_makes_of_an_error_is_what_counts(metrics, written: Written) -> None:
    resolver = application(metrics)

    @resolver.catch(ValueError)
    def give_up(error: ValueError) -> None:
        raise Discard("nothing to be done") from error

    resolver.resolve(sqs("orders", "bad"))
    assert written.sums("route") == {"sqs orders": {"Discarded": 1, "Duration": 1}}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_requests_count_by_class_of_status(metrics, written: Written, asynchronous: bool) -> None:
    resolver = Resolver()
    resolver.use(DispatchMetrics(metrics))

    def show(number: int) -> dict[str, int]:
        if number == 2:
            raise NotFound
        return {"result": 10 // number}

    async def show_async(number: int) -> dict[str, int]:
        return show(number)

    resolver.get("/orders/{number:int}")(show_async if asynchronous else show)
    client = TestClient(resolver)
    assert [client.get(f"/orders/{number}").status for number in (1, 2, 0)] == [200, 404, 500]
    assert client.get("/" + "x" * 50).status == 404
    assert client.post("/orders/1").status == 405
    assert written.sums("source", "route") == {
        ("rest", "GET /orders/{number:int}"): {
            "Handled": 2,
            "Failed": 1,
            "Status2xx": 1,
            "Status4xx": 1,
            "Status5xx": 1,
            "Duration": 3,
        },
        ("rest", "(none)"): {"Handled": 2, "Status4xx": 2, "Duration": 2},  # no path of a client is a dimension
    }


def test_the_status_is_that_of_the_answer_that_went_out(metrics, written: Written) -> None:
    resolver = Resolver()
    resolver.use(DispatchMetrics(metrics))

    @resolver.get("/")
    def home() -> Any:
        from router import Response

        return Response("x", headers={"x-bad": "a\nb"})

    assert TestClient(resolver).get("/").status == 500
    assert written.sums("route") == {"GET /": {"Failed": 1, "Status5xx": 1, "Duration": 1}}


def test_calls_count_and_a_refusal_is_no_failure(metrics, written: Written) -> None:
    resolver = Resolver()
    resolver.use(DispatchMetrics(metrics))

    @resolver.on_invoke("work")
    def work() -> int:
        return 1

    @resolver.on_invoke("fail")
    def fail() -> int:
        raise ValueError("bad")

    client = TestClient(resolver)
    client.invoke("work")
    with pytest.raises(ValueError, match="bad"):
        client.invoke("fail")
    assert written.sums("route") == {
        "invoke work": {"Handled": 1, "Duration": 1},
        "invoke fail": {"Failed": 1, "Duration": 1},
    }


def test_the_metrics_of_a_call_that_failed_are_written(metrics, written: Written) -> None:
    resolver = Resolver()
    resolver.use(DispatchMetrics(metrics))

    @resolver.on_topic("news")
    def news(event: Event) -> None:
        raise ValueError("bad")

    with pytest.raises(Exception, match="bad"):
        TestClient(resolver).topic("news", ["x"])
    assert written.sums("route") == {"sns news": {"Failed": 1, "Duration": 1}}


class TestHandlersOwn:
    @pytest.mark.parametrize("kind", KINDS)
    def test_dimensions_of_one_record_are_on_no_other(self, metrics, written: Written, kind: str) -> None:
        resolver = Resolver()
        resolver.use(DispatchMetrics(metrics))
        at_once = 3 if kind in ("threads", "async at once") else 1
        barrier = threading.Barrier(at_once)
        arrived: list[str] = []
        together = asyncio.Event()

        def pay(event: Event) -> None:
            metrics.add_metric("Paid", "Count", 1)
            if event.text != "plain":
                metrics.add_dimension("shop", event.text)
            barrier.wait(10)

        async def pay_async(event: Event) -> None:
            metrics.add_metric("Paid", "Count", 1)
            arrived.append(event.text)
            if len(arrived) >= at_once:
                together.set()
            await together.wait()
            if event.text != "plain":
                metrics.add_dimension("shop", event.text)

        resolver.on_queue("orders", concurrency=at_once)(pay_async if "async" in kind else pay)
        assert resolver.resolve(sqs("orders", "a", "plain", "b")) == {"batchItemFailures": []}
        sums = written.sums("route", "shop")
        del sums["sqs orders", None]
        assert sums == {(None, "a"): {"Paid": 1}, (None, None): {"Paid": 1}, (None, "b"): {"Paid": 1}}

    def test_records_with_the_same_dimensions_share_a_line(self, metrics, written: Written) -> None:
        resolver = Resolver()
        resolver.use(DispatchMetrics(metrics))

        @resolver.on_queue("orders")
        def pay(event: Event) -> None:
            metrics.add_dimension("shop", event.text)
            metrics.add_metric("Paid", "Count", 1)

        resolver.resolve(sqs("orders", *"abababab"))
        lines = [line for line in written.lines() if "Paid" in line]
        assert [(line["shop"], line["Paid"]) for line in lines] == [("a", [1.0] * 4), ("b", [1.0] * 4)]

    def test_many_dimensions_are_not_kept_for_ever(self, metrics, written: Written) -> None:
        resolver = Resolver()
        resolver.use(DispatchMetrics(metrics))

        @resolver.on_queue("orders")
        def pay(event: Event) -> None:
            metrics.add_dimension("shop", event.text)
            metrics.add_metric("Paid", "Count", 1)

        resolver.resolve(sqs("orders", *map(str, range(250))))
        assert sum(line["Paid"] == [1.0] for line in written.lines() if "Paid" in line) == 250

    def test_metadata_belongs_to_its_record(self, metrics, written: Written) -> None:
        resolver = Resolver()
        resolver.use(DispatchMetrics(metrics))

        @resolver.on_queue("orders")
        def pay(event: Event) -> None:
            metrics.add_metric("Paid", "Count", 1)
            if event.text == "a":
                metrics.add_metadata("order", event.text)

        resolver.resolve(sqs("orders", "a", "b"))
        assert [line.get("order") for line in written.lines() if "Paid" in line] == ["a", None]

    def test_default_dimensions_are_on_all(self, metrics, written: Written) -> None:
        metrics.set_default_dimensions(stage="prod")
        resolver = application(metrics)
        resolver.resolve(sqs("orders", "a"))
        resolver.resolve(sqs("orders", "a"))
        assert [line["stage"] for line in written.lines()] == ["prod", "prod"]

    def test_another_metrics_object_is_written_too(self, metrics, written: Written) -> None:
        other = Metrics(namespace="Shop", service="orders")
        resolver = Resolver()
        resolver.use(DispatchMetrics(metrics))

        @resolver.on_queue("orders")
        def pay(event: Event) -> None:
            other.add_metric("Paid", "Count", 1)

        resolver.resolve(sqs("orders", "a", "b"))
        assert written.sums("route")[None] == {"Paid": 2}
        assert Metrics._metrics == {}

    def test_metrics_of_the_start_are_written_with_the_first_call(self, metrics, written: Written) -> None:
        resolver = application(metrics)
        metrics.add_metric("Loaded", "Count", 1)
        resolver.resolve(sqs("orders", "a"))
        assert written.sums("route")[None] == {"Loaded": 1}


class TestDimensions:
    def tenants(self, *names: str) -> dict[str, Any]:
        return {
            "Records": [
                samples.sqs_record("orders", name, message_id=f"{at}", session={"tenant": name} if name else None)
                for at, name in enumerate(names)
            ]
        }

    def read(self, resolver: Resolver) -> None:
        @resolver.on_queue("orders")
        def order(event: Event) -> None:
            _ = event.session

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            (2, {"a": 2, "b": 1, "(other)": 2, "(none)": 1}),
            (["b", "d"], {"b": 1, "d": 1, "(other)": 3, "(none)": 1}),
        ],
    )
    def test_tenants_count_where_it_is_asked_for_and_so_many(
        self, metrics, written: Written, values: Any, expected: dict[str, int]
    ) -> None:
        resolver = Resolver()
        resolver.use(DispatchMetrics(metrics, also={"tenant": values}))
        self.read(resolver)
        resolver.resolve(self.tenants("a", "b", "c", "d", "a", ""))
        assert {tenant: told["Handled"] for tenant, told in written.sums("tenant").items()} == expected

    def test_a_hostile_tenant_is_a_dimension_that_cloudwatch_takes(self, metrics, written: Written) -> None:
        resolver = Resolver()
        resolver.use(DispatchMetrics(metrics, also={"tenant": 5}))
        self.read(resolver)
        resolver.resolve(self.tenants(":é\n" + "x" * 2_000, " : "))
        names = [line["tenant"] for line in written.lines()]
        assert all(name.isascii() and name.isprintable() and len(name) <= 1024 and name[0] != ":" for name in names)

    def test_fewer_dimensions(self, metrics, written: Written) -> None:
        application(metrics, dimensions=["source"]).resolve(sqs("orders", "a"))
        (line,) = written.lines()
        assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["source", "service"]]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"dimensions": ["tenant"]}, "no dimension tenant"),
            ({"also": {"route": 3}}, "no dimension route"),
            ({"also": {"tenant": 0}}, "from 1 to 1000"),
            ({"also": {"tenant": "acme"}}, "give values"),
        ],
    )
    def test_dimensions_that_cannot_be_are_refused(self, metrics, options: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigurationError, match=message):
            DispatchMetrics(metrics, **options)


def test_a_cold_start_is_told_once_as_powertools_tells_it(metrics, written: Written, monkeypatch) -> None:
    monkeypatch.setattr(invocation, "_seen_in", 0)
    client = TestClient(application(metrics))
    client.queue("orders", ["a"])
    client.queue("orders", ["a"])
    (line,) = [line for line in written.lines() if "ColdStart" in line]
    assert (line["ColdStart"], line["function_name"], line["service"]) == ([1.0], "test", "orders")


def test_around_a_group_of_routes_only_its_events_count(metrics, written: Written) -> None:
    group = Router()
    group.use(DispatchMetrics(metrics))

    @group.on_queue("orders")
    def order(event: Event) -> None:
        if event.text == "bad":
            raise ValueError

    resolver = Resolver()
    resolver.include(group)

    @resolver.on_queue("other")
    def other(event: Event) -> None:
        raise ValueError

    for _ in range(2):
        raw = {"Records": sqs("orders", "a", "bad")["Records"] + sqs("other", "c")["Records"]}
        resolver.resolve(raw)
        assert written.sums("route") == {"sqs orders": {"Handled": 1, "Failed": 1, "Duration": 2}}


def test_metrics_that_cannot_be_written_change_no_answer(metrics, monkeypatch, caplog) -> None:
    resolver = application(metrics)
    monkeypatch.setattr(type(metrics.provider), "flush_metrics", lambda *_: 1 / 0)
    assert resolver.resolve(sqs("orders", "a", "bad"))["batchItemFailures"] == [{"itemIdentifier": "bad"}]
    assert "failed around an invocation" in caplog.text


def test_an_event_that_cannot_be_counted_is_handled_all_the_same(
    metrics, written: Written, monkeypatch, caplog
) -> None:
    resolver = application(metrics)
    monkeypatch.setattr(DispatchMetrics, "_key", lambda *_: 1 / 0)
    assert resolver.resolve(sqs("orders", "a")) == {"batchItemFailures": []}
    assert "the metrics of an event failed" in caplog.text


def test_an_answer_that_only_looks_like_one_has_no_status(metrics, written: Written) -> None:
    resolver = Resolver()
    resolver.use(DispatchMetrics(metrics))

    @resolver.on_invoke("work")
    def work() -> dict[str, str]:
        return {"status": "done"}

    TestClient(resolver).invoke("work")
    assert written.sums("route") == {"invoke work": {"Handled": 1, "Duration": 1}}


def test_what_a_client_must_not_do_is_no_failure(metrics, written: Written) -> None:
    from router import Forbidden, Source

    resolver = Resolver()
    resolver.use(DispatchMetrics(metrics))

    @resolver.on(Source.APPSYNC, "Query.orders")
    def orders() -> None:
        raise Forbidden

    raw = samples.SAMPLES["appsync"]()
    raw["info"] = {**raw["info"], "parentTypeName": "Query", "fieldName": "orders"}
    with suppress(Exception):
        resolver.resolve(raw)
    assert written.sums("route")["appsync Query.orders"] == {"Handled": 1, "Status4xx": 1, "Duration": 1}


def test_powertools_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("aws_lambda_powertools")]:
        monkeypatch.setitem(sys.modules, name, None)
    emf._loaded.cache_clear()
    with pytest.raises(ConfigurationError, match=r"lambda-junction\[powertools\]"):
        DispatchMetrics()


def test_metrics_need_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)
    with pytest.raises(ConfigurationError, match="namespace"):
        DispatchMetrics(Metrics(service="x"))
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Shop")
    DispatchMetrics()


@pytest.mark.parametrize("given", ["Shop", 7])
def test_what_is_no_metrics_object_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="takes a Metrics"):
        DispatchMetrics(given)
