"""Powertools' Logger beside `LogFields`: fields on its lines, and keys that belong to one record."""

from __future__ import annotations

import asyncio
import io
import json
import os
import threading
from itertools import count
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

from router import Event, Resolver
from router.telemetry import LogFields
from router.testing import TestClient
from tests.unit.router.dispatch.cases import sqs

numbers = count()


class Told:
    """A Logger of a service of its own, and what it writes."""

    def __init__(self, **options: Any) -> None:
        self.stream = io.StringIO()
        self.logger = Logger(service=f"shop-{next(numbers)}", stream=self.stream, **options)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def told(kept) -> Told:
    return Told()


def test_its_lines_have_the_fields(told: Told, kept) -> None:
    resolver = Resolver()
    resolver.use(LogFields(told.logger, read_session=True))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        told.logger.info("paid", amount=3)

    resolver.resolve(sqs("orders", "a", "b"))
    told.logger.info("after")
    assert [line.get("event_id") for line in told.lines] == ["a", "b", None]
    assert told.lines[0]["route"] == "sqs orders"
    assert told.lines[0]["amount"] == 3
    assert "route" not in told.lines[2]
    assert kept.records == []  # each line is written once


@pytest.mark.parametrize("kind", ["sync", "async", "threads", "async at once"])
def test_keys_belong_to_the_record_that_appended_them(told: Told, kind: str) -> None:
    logger = told.logger
    logger.append_keys(team="blue")
    resolver = Resolver()
    resolver.use(LogFields(logger))
    at_once = 3 if kind in ("threads", "async at once") else 1
    barrier = threading.Barrier(at_once)
    arrived: list[str] = []
    together = asyncio.Event()

    def order(event: Event) -> None:
        logger.append_keys(**{event.text: 1})
        barrier.wait(10)
        logger.info(event.text)

    async def order_async(event: Event) -> None:
        logger.append_keys(**{event.text: 1})
        arrived.append(event.text)
        if at_once == 1 or len(arrived) == at_once:
            together.set()
        await together.wait()
        logger.info(event.text)

    resolver.on_queue("orders", concurrency=at_once)(order_async if "async" in kind else order)
    assert resolver.resolve(sqs("orders", "x", "y", "z")) == {"batchItemFailures": []}
    logger.info("after")

    assert {line["message"]: {name for name in ("x", "y", "z") if name in line} for line in told.lines} == {
        "x": {"x"},
        "y": {"y"},
        "z": {"z"},
        "after": set(),
    }
    assert {line["team"] for line in told.lines} == {"blue"}


def test_keys_of_a_record_that_failed_are_gone_too(told: Told) -> None:
    resolver = Resolver()
    resolver.use(LogFields(told.logger))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        told.logger.info(event.text)
        told.logger.append_keys(order=event.text)
        raise ValueError

    resolver.resolve(sqs("orders", "a", "b"))
    assert ["order" in line for line in told.lines] == [False, False]


def test_removing_and_clearing_keys_is_of_the_record_as_well(told: Told) -> None:
    logger = told.logger
    logger.append_keys(team="blue")
    resolver = Resolver()
    resolver.use(LogFields(logger))
    seen: list[Any] = []

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        logger.append_keys(order=1)
        logger.remove_keys(["team"])
        seen.append(logger.get_current_keys()["order"])
        logger.info("removed")
        logger.remove_keys(["order"])
        logger.info("both")
        logger.append_keys(order=2)
        logger.registered_formatter.clear_state()
        logger.info("cleared")

    resolver.resolve(sqs("orders", "a"))
    logger.info("after")
    assert seen == [1]
    assert [(line.get("team"), line.get("order")) for line in told.lines] == [
        (None, 1),
        (None, None),
        ("blue", None),
        ("blue", None),
    ]
    logger.append_keys(shift="late")
    logger.remove_keys(["team"])
    assert "team" not in logger.get_current_keys()
    logger.registered_formatter.clear_state()
    assert "shift" not in logger.get_current_keys()


def test_a_group_has_keys_of_its_own(told: Told) -> None:
    resolver = Resolver()
    resolver.use(LogFields(told.logger))

    @resolver.on_queue("orders", batch=True)
    def orders(events: list[Event]) -> None:
        told.logger.append_keys(size=len(events))
        told.logger.info("group")

    resolver.resolve(sqs("orders", "a", "b"))
    resolver.resolve(sqs("orders", "a"))
    told.logger.info("after")
    assert [(line.get("size"), line.get("records")) for line in told.lines] == [(2, 2), (1, None), (None, None)]


def test_replacing_all_keys_is_of_the_record_as_well(told: Told) -> None:
    resolver = Resolver()
    resolver.use(LogFields(told.logger))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        told.logger.append_keys(order=1)
        told.logger.structure_logs(shop="x")  # the keys are replaced
        told.logger.info("replaced")

    resolver.resolve(sqs("orders", "a"))
    told.logger.info("after")
    assert [(line.get("order"), line.get("shop")) for line in told.lines] == [(None, "x"), (None, None)]
    assert told.lines[1]["service"] == told.logger.service


@pytest.mark.skipif(not hasattr(Logger, "thread_safe_append_keys"), reason="Powertools 3.0 has no keys of a thread")
def test_keys_of_a_thread_are_of_the_record_as_well(told: Told) -> None:
    logger = told.logger
    resolver = Resolver()
    resolver.use(LogFields(logger))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        logger.info("before")
        logger.thread_safe_append_keys(order=event.text, other=1)
        logger.thread_safe_remove_keys(["other"])
        logger.info("with")

    resolver.resolve(sqs("orders", "a", "b"))
    logger.info("after")
    assert [(line.get("order"), line.get("other")) for line in told.lines] == [
        (None, None),
        ("a", None),
        (None, None),
        ("b", None),
        (None, None),
    ]
    logger.thread_safe_append_keys(region="eu")
    logger.info("outside")
    assert told.lines[-1]["region"] == "eu"
    logger.thread_safe_clear_keys()


@pytest.mark.skipif(not hasattr(Logger, "append_context_keys"), reason="Powertools 3.0 has no keys of a block")
def test_keys_of_a_block_and_the_correlation_id_of_the_logger(told: Told) -> None:
    resolver = Resolver()
    resolver.use(LogFields(told.logger, read_session=True))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        with told.logger.append_context_keys(step="pay"):
            told.logger.info("inside")
        told.logger.set_correlation_id("c-1")
        told.logger.info("outside")

    resolver.resolve(sqs("orders", "a", "b"))
    assert [(line.get("step"), line["correlation_id"]) for line in told.lines] == [
        ("pay", "a"),
        (None, "c-1"),
        ("pay", "b"),
        (None, "c-1"),
    ]


@pytest.mark.parametrize("name", ["location", "timestamp"])
def test_keys_that_the_formatter_fills_in_stay_its_own(told: Told, name: str) -> None:
    resolver = Resolver()
    resolver.use(LogFields(told.logger))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        told.logger.append_keys(**{name: "%(levelname)s"})
        told.logger.info("x")

    resolver.resolve(sqs("orders", "a"))
    assert told.lines[0][name] == "INFO"


def test_two_resolvers_may_share_a_logger(told: Told) -> None:
    for name in ("orders", "others"):
        resolver = Resolver()
        resolver.use(LogFields(told.logger))

        @resolver.on_queue(name)
        def order(event: Event) -> None:
            told.logger.append_keys(**{event.text: 1})
            told.logger.info(event.text)

        assert resolver.resolve(sqs(name, "a", "b")) == {"batchItemFailures": []}
    told.logger.info("after")
    assert [{key for key in ("a", "b") if key in line} for line in told.lines] == [{"a"}, {"b"}] * 2 + [set()]


def test_two_loggers_do_not_share_keys(told: Told) -> None:
    other = Told()
    resolver = Resolver()
    resolver.use(LogFields(told.logger, other.logger))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        told.logger.append_keys(mine=1)
        told.logger.info("x")
        other.logger.info("x")

    resolver.resolve(sqs("orders", "a"))
    assert "mine" in told.lines[0]
    assert "mine" not in other.lines[0]
    assert other.lines[0]["event_id"] == "a"


def test_secrets_stay_out_of_its_lines(kept) -> None:
    told = Told(password="s3cr3t")
    resolver = Resolver()
    resolver.use(LogFields(told.logger, redact=["password", "card.number"]))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        told.logger.append_keys(card={"number": "s3cr3t", "brand": "visa"})
        told.logger.info({"password": "s3cr3t"}, password="s3cr3t")
        told.logger.info('{"password": "s3cr3t"}')

    resolver.resolve(sqs("orders", "a"))
    told.logger.append_keys(password="s3cr3t")
    told.logger.info("after")
    assert "s3cr3t" not in told.stream.getvalue()
    assert told.lines[0]["card"] == {"number": "***", "brand": "visa"}
    assert told.lines[1]["message"] == {"password": "***"}


def test_the_librarys_own_lines_through_it_come_once(told: Told, kept) -> None:
    import logging

    library = logging.getLogger("router")
    before = library.handlers, library.propagate, library.level
    copy_config_to_registered_loggers(told.logger, include={"router"})
    try:
        resolver = Resolver()
        resolver.use(LogFields(told.logger))

        @resolver.on_queue("orders")
        def order(event: Event) -> None:
            raise ValueError("no")

        resolver.resolve(sqs("orders", "a"))
    finally:
        library.handlers, library.propagate = before[0], before[1]
        library.setLevel(before[2])
    (line,) = told.lines
    assert (line["name"], line["event_id"], line["exception_name"]) == ("router", "a", "ValueError")
    assert kept.records == []


@pytest.mark.skipif(not hasattr(Logger, "refresh_sample_rate_calculation"), reason="Powertools 3.0 draws once")
def test_its_share_of_debug_lines_is_drawn_for_each_call(kept, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([0.9, 0.9, 0.1, 0.9])  # the first when it is made
    monkeypatch.setattr("aws_lambda_powertools.logging.logger.random.random", lambda: next(draws))
    monkeypatch.setattr("router.dispatch.invocation._seen_in", os.getpid())
    told = Told(sampling_rate=0.5)
    resolver = Resolver()
    resolver.use(LogFields(told.logger))

    @resolver.on_invoke("x")
    def handle(event: Event) -> None:
        told.logger.debug("seen")

    client = TestClient(resolver)
    counts = []
    for _ in range(3):
        client.invoke("x")
        counts.append(len(told.lines))
    assert counts == [0, 1, 1]
