"""Log lines and printed text, each with the event that it is about."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from router import QueueEvent, Resolver
from router.local.entries import Entry

Put = Callable[[Resolver], Any]
log = logging.getLogger("shop")


def _messages(entry: Entry) -> list[str]:
    return [line["message"] for line in entry["logs"]]


def test_a_line_belongs_to_its_record(watched: Put) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(event: QueueEvent) -> None:
        log.warning("order %s", event.text, extra={"total": 3, "event_": {"a": {1}}})

    entries = watched(resolver).entries(lambda client: client.queue("orders", ["a", "b"]))

    assert [_messages(entry) for entry in entries] == [["order a"], ["order b"]]
    line = entries[0]["logs"][0]
    assert (line["level"], line["logger"]) == ("WARNING", "shop")
    assert line["fields"] == {"total": 3, "event_": {"a": "{1}"}}


def test_the_line_of_a_failure_belongs_to_the_record_that_failed(watched: Put) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(event: QueueEvent) -> None:
        if event.text == "b":
            raise ValueError("no")

    entries = watched(resolver).entries(lambda client: client.queue("orders", ["a", "b", "c"]))

    assert [len(entry["logs"]) for entry in entries] == [0, 1, 0]
    assert "ValueError: no" in entries[1]["logs"][0]["fields"]["error"]


@pytest.mark.parametrize("how", ["thread", "pool", "task", "to_thread"])
def test_a_line_of_a_thread_or_task_belongs_to_the_event(watched: Put, how: str) -> None:
    resolver = Resolver()
    pool = ThreadPoolExecutor(1)

    def work(text: str) -> None:
        log.warning("in %s", text)

    @resolver.on_queue("orders")
    async def order(event: QueueEvent) -> None:
        if how == "thread":
            thread = threading.Thread(target=work, args=(event.text,))
            thread.start()
            thread.join()
        elif how == "pool":
            pool.submit(work, event.text).result()
        elif how == "task":

            async def in_task() -> None:
                await asyncio.sleep(0)
                work(event.text)

            event.background(in_task())
        else:
            await asyncio.to_thread(work, event.text)

    entries = watched(resolver).entries(lambda client: client.queue("orders", ["a", "b"]))
    pool.shutdown()

    assert [_messages(entry) for entry in entries] == [["in a"], ["in b"]]


def test_printed_text_is_a_line_and_still_printed(watched: Put, capsys: pytest.CaptureFixture[str]) -> None:
    resolver = Resolver()

    @resolver.get("/")
    def home() -> str:
        print("one", "two")  # noqa: T201
        print("three", end="")  # noqa: T201
        print()  # noqa: T201
        return "home"

    entry = watched(resolver).entry(lambda client: client.get("/"))

    assert [(line["logger"], line["message"]) for line in entry["logs"]] == [("stdout", "one two"), ("stdout", "three")]
    assert capsys.readouterr().out == "one two\nthree\n"


def test_a_logger_that_does_not_propagate_is_heard(watched: Put) -> None:
    resolver, quiet = Resolver(), logging.getLogger("quiet")
    quiet.propagate = False
    quiet.addHandler(logging.NullHandler())

    @resolver.get("/")
    def home() -> str:
        quiet.error("heard")
        return "home"

    assert _messages(watched(resolver).entry(lambda client: client.get("/"))) == ["heard"]


def test_a_handler_that_writes_to_stdout_is_not_heard_twice(watched: Put) -> None:
    import sys

    resolver, loud = Resolver(), logging.getLogger("loud")

    @resolver.get("/")
    def home() -> str:
        handler = logging.StreamHandler(sys.stdout)
        loud.addHandler(handler)
        loud.error("once")
        loud.removeHandler(handler)
        return "home"

    assert _messages(watched(resolver).entry(lambda client: client.get("/"))) == ["once"]


def test_no_handler_is_added_to_the_root_logger(watched: Put) -> None:
    before = logging.getLogger().handlers[:]

    watched(Resolver())

    assert logging.getLogger().handlers == before


def test_a_flood_of_lines_is_cut_and_counted(watched: Put) -> None:
    resolver = Resolver()

    @resolver.get("/")
    def home() -> str:
        for number in range(700):
            log.warning("line %s", number)
        return "home"

    entry = watched(resolver).entry(lambda client: client.get("/"))

    assert len(entry["logs"]) == 500
    assert entry["left_out"] == 200


def test_a_line_outside_of_a_call_belongs_to_none(watched: Put) -> None:
    resolver = Resolver()

    @resolver.get("/")
    def home() -> str:
        return "home"

    watching = watched(resolver)
    log.warning("before")

    assert watching.entry(lambda client: client.get("/"))["logs"] == []
