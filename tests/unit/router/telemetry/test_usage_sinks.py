"""Where rows go, once for each call; a sink that fails or is slow changes no answer, and is told of in the log."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

import pytest

from router import ConfigurationError, Resolver
from router.telemetry import Usage, UsageLog, UsageMetrics
from router.testing import Context, TestClient
from tests.unit.router.dispatch.cases import output, sqs
from tests.unit.router.telemetry.usage_cases import Row, Rows

HOME = {
    "version": "2.0",
    "rawPath": "/",
    "rawQueryString": "",
    "headers": {},
    "requestContext": {"http": {"method": "GET", "path": "/", "sourceIp": "127.0.0.1"}, "stage": "$default"},
    "isBase64Encoded": False,
}


def application(*sinks: Any, **options: Any) -> Resolver:
    resolver = Resolver().use(Usage(*sinks, **options))

    @resolver.on_queue("orders", name="order")
    def order(event: Any) -> None:
        if event.text == "bad":
            raise ValueError("bad")

    resolver.get("/", name="home")(lambda: "fine")
    return resolver


# ---- lines ---------------------------------------------------------------------------------------------------------


def test_the_log_has_one_line_of_json_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    application(UsageLog()).resolve(sqs("orders", "a", "bad"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["event_id"], line["success"]) for line in lines] == [("a", True), ("bad", False)]


def test_metrics_are_lines_that_cloudwatch_reads() -> None:
    written: list[str] = []
    resolver = application(UsageMetrics("Shop", write=written.append), prices=lambda billed: 0.5)
    resolver.resolve(sqs("orders", "a", "bad", *map(str, range(148))))
    first, second = [json.loads(line) for line in written[0].splitlines()]
    (directive,) = first["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Shop"
    assert directive["Dimensions"] == [["operation", "event_source"]]
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "Dispatches": "Count",
        "Errors": "Count",
        "Duration": "Milliseconds",
        "Cost": "None",
        "MemoryUsed": "Megabytes",
    }
    assert (first["operation"], first["event_source"]) == ("order", "SQS")
    assert (first["Dispatches"], first["Errors"], len(first["Duration"])) == (100, 1, 100)
    assert (second["Dispatches"], second["Errors"], len(second["Duration"])) == (50, 0, 50)
    assert first["Cost"] + second["Cost"] == pytest.approx(0.5)
    assert abs(first["_aws"]["Timestamp"] / 1000 - time.time()) < 60
    assert all(name in first for name in ("MemoryUsed", *directive["Dimensions"][0]))


def test_counts_of_a_sample_are_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.telemetry.usage.urandom", bytes)
    written: list[str] = []
    application(UsageMetrics(write=written.append), sample=0.1, prices=lambda billed: None).resolve(sqs("orders", "a"))
    line = json.loads(written[0])
    assert line["Dispatches"] == 10
    assert "Cost" not in line


def test_no_client_can_make_metrics_without_end() -> None:
    written: list[str] = []
    sink = UsageMetrics(dimensions=["account"], most=3, write=written.append)
    rows: list[Row] = [{"account": f"a{number}"} for number in range(50)]
    sink.write([*rows, {"account": "a0"}, {"account": "\x00é "}, {"account": None}], 1)
    lines = [json.loads(line) for line in written[0].splitlines()]
    assert {line["account"]: line["Dispatches"] for line in lines} == {"a0": 2, "a1": 1, "a2": 1, "(other)": 49}
    for wrong in ({"dimensions": [str(number) for number in range(31)]}, {"most": 0}, {"namespace": ""}):
        with pytest.raises(ConfigurationError, match="UsageMetrics"):
            UsageMetrics(**wrong)


def test_a_dimension_is_one_that_cloudwatch_takes() -> None:
    written: list[str] = []
    rows: list[Row] = [{"account": account} for account in ("\x00é", " ", ":acme", ":" + "x" * 2_000)]
    UsageMetrics(dimensions="account", write=written.append).write(rows, 1)
    accounts = [json.loads(line)["account"] for line in written[0].splitlines()]
    assert accounts == ["?\\xe9", "(none)", "acme", "x" * 1_024]


# ---- any sink ------------------------------------------------------------------------------------------------------


def test_rows_are_written_once_at_the_end_of_a_call_to_every_sink() -> None:
    calls: list[list[str]] = []
    waited: list[Row] = []

    async def later(rows: list[Row]) -> None:
        waited.extend(rows)

    def spoil(rows: list[Row]) -> None:
        rows.clear()

    def keep(rows: list[Row]) -> None:
        calls.append([row["event_id"] for row in rows])
        rows[0].clear()

    application(spoil, keep, later).resolve(sqs("orders", "a", "b"))
    assert calls == [["a", "b"]]
    assert [row["event_id"] for row in waited] == ["a", "b"]


@pytest.mark.parametrize("immediate", [True, False])
def test_a_sink_that_fails_is_logged_and_the_answer_stays(immediate: bool, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def write(self, rows: list[Row], seconds: float) -> None:
            raise OSError("disk full")

    broken, rows = Broken(), Rows()
    broken.immediate = immediate  # type: ignore[attr-defined]
    with caplog.at_level(logging.ERROR, "router.telemetry"):
        answer = application(broken, rows).resolve(sqs("orders", "a", "bad"))
    assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == ["bad"]
    assert "Broken has not written 2 rows: OSError: disk full" in caplog.text
    assert len(rows) == 2


def test_a_process_that_can_begin_no_thread_serves_the_other_sinks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    rows = Rows()
    assert TestClient(application(lambda rows: None, rows)).get("/").text == "fine"
    assert len(rows) == 1
    assert "start new thread" in caplog.text


def test_a_slow_sink_is_left_alone_when_its_time_is_up(caplog: pytest.LogCaptureFixture) -> None:
    release, done = threading.Event(), threading.Event()

    def slow(rows: list[Row]) -> None:
        release.wait(60)
        done.set()

    with caplog.at_level(logging.ERROR, "router.telemetry"):
        assert TestClient(application(slow, budget=0.05)).get("/").text == "fine"
    assert "has not written 1 rows in 0.1 seconds" in caplog.text or "has not written 1 rows in 0.0" in caplog.text
    release.set()
    assert done.wait(10)  # it goes on, where the process does


def test_a_sink_is_told_the_time_that_is_left() -> None:
    given: list[float] = []

    class Sink:
        def write(self, rows: list[Row], seconds: float) -> None:
            given.append(seconds)

    resolver = application(Sink(), budget=2)
    for remaining in (30.0, 1.2, 0.05):
        resolver.resolve(HOME, Context(remaining=remaining))
    assert given[0] == 2
    assert 0.9 < given[1] <= 1.1
    assert given[2] == 0


def test_a_process_that_forks_goes_on_counting() -> None:
    code = """
        import os
        from router import Resolver
        from router.telemetry import Usage

        rows = []
        resolver = Resolver().use(Usage(rows.extend))
        resolver.on_invoke("a")(lambda: None)
        resolver.resolve({"action": "a"})
        child = os.fork()
        resolver.resolve({"action": "a"})
        if child == 0:
            os._exit(0 if len(rows) == 2 else 1)
        print(os.waitpid(child, 0)[1], len(rows), len({row["timestamp"] for row in rows}))
        """
    assert output(code) == "0 2 2"


def test_nothing_of_it_is_imported_by_an_application_without_it() -> None:
    code = """
        import sys
        from router import Resolver
        from router.telemetry import Invocation
        resolver = Resolver()
        resolver.get("/")(lambda: "x")
        print([name for name in sys.modules if "usage" in name or name == "resource"])
        """
    assert output(code) == "[]"
