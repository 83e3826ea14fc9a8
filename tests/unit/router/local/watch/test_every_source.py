"""Every source: each event of its payload is told once, and what is told can be sent as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from router import Event, HttpEvent, Resolver, Response, Source
from router.local.watch import Watch
from router.sources import read
from router.testing import Context, samples
from tests.unit.rules.payloads import Application, context_of, payloads

CASES = [
    pytest.param(source, build, id=name)
    for source in Source
    if source is not Source.TASK
    for name, build in payloads(source).items()
]


@pytest.mark.parametrize(("source", "build"), CASES)
def test_each_event_is_told_once(source: Source, build: Callable[[], Any]) -> None:
    handled: list[Any] = []

    def handle(event: Event) -> None:
        handled.append(event)

    application = Application(handle)
    resolver: Resolver = application.resolver
    watch = Watch().install(resolver)
    try:
        raw = build()
        context = context_of(raw)
        try:
            resolver.resolve(raw, context)
        except Exception:
            pass
        entries = watch.collect("test")
    finally:
        watch.uninstall()

    assert len(entries) == max(len(handled), len(read(raw, context)), 1)
    assert [entry["outcome"] for entry in entries if entry["outcome"] in ("unrouted", "running", "retry")] == []
    assert {entry["source"] for entry in entries} == {source.value}
    orjson.dumps(entries)


def test_an_aggregate_is_told_by_the_records_in_it() -> None:
    resolver = Resolver()
    resolver.on_stream("clicks", aggregated=True)(lambda event: None)
    watch = Watch().install(resolver)
    try:
        packed = samples.aggregate([("ann", {"n": 1}), ("bob", {"n": 2})])
        resolver.resolve(samples.kinesis("clicks", [packed, {"n": 3}]), Context(request_id="test"))
        entries = watch.collect("test")
    finally:
        watch.uninstall()

    assert [entry["decoded"] for entry in entries] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert {entry["outcome"] for entry in entries} == {"done"}


def test_a_task_is_told() -> None:
    resolver = Resolver()

    @resolver.on_task("nightly")
    def nightly() -> int:
        print("working")  # noqa: T201
        return 3

    watch = Watch().install(resolver)
    try:
        assert resolver.run_task({"TASK_NAME": "nightly"}) == 3
        (entry,) = watch.collect("")
    finally:
        watch.uninstall()

    assert (entry["kind"], entry["route"], entry["outcome"]) == ("task", "task nightly", "done")
    assert [line["message"] for line in entry["logs"]] == ["working"]
    orjson.dumps(entry)


@pytest.mark.parametrize("fails", [False, True])
def test_a_stream_is_told_when_all_of_it_was_sent(fails: bool) -> None:
    resolver, watch = Resolver(), Watch()

    @resolver.get("/")
    def stream() -> Response:
        def chunks() -> Iterator[str]:
            yield "one"
            print("under way")  # noqa: T201
            if fails:
                raise ValueError("no more")

        return Response.stream(chunks())

    watch.install(resolver)
    try:
        answer = resolver.resolve(samples.url("GET", "/"), Context(request_id="test"))
        assert answer["statusCode"] == (500 if fails else 200)
        (entry,) = watch.collect("test")
    finally:
        watch.uninstall()

    assert entry["outcome"] == ("failed" if fails else "done")
    assert "under way" in [line["message"] for line in entry["logs"]]


def test_a_dispatch_inside_of_a_handler_is_told_beside_it() -> None:
    resolver, watch = Resolver(), Watch()

    @resolver.get("/inner")
    def inner() -> str:
        return "inner"

    @resolver.get("/outer")
    def outer(event: HttpEvent) -> str:
        resolver.resolve(samples.rest("GET", "/inner"), event.context)
        return "outer"

    watch.install(resolver)
    try:
        resolver.resolve(samples.rest("GET", "/outer"), Context(request_id="test"))
        entries = watch.collect("test")
    finally:
        watch.uninstall()

    assert [(entry["route"], entry["outcome"]) for entry in entries] == [("GET /outer", "done"), ("GET /inner", "done")]
