"""The contract of idempotency stores: who has a key, for how long, and what is kept of it; the same of every store."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.errors import AdapterError
from router import Event, Resolver
from router.guards import Idempotent
from router.guards import attempts as attempts_module
from router.testing import samples
from tests.integration.contract.stores.conftest import Place

HOSTILE = ["k\x00\r\n$3\r\nDEL\r\n", "{a}", "ключ\ud800", " ", "*", "'; return 1 --", "%s %d", "x" * 1500]


def test_a_key_is_claimed_finished_and_found(place: Place) -> None:
    assert place.store.begin("k", place.claim("a")) is None
    assert place.store.begin("k", place.claim("b", "g")) == place.held(False, None, 100)
    place.store.finish("k", "a", b"\x00result\xff")
    assert place.store.begin("k", place.claim("c")) == place.held(True, b"\x00result\xff", 100)
    assert place.store.begin("other", place.claim("d")) is None


@pytest.mark.parametrize("result", [None, b"", b"x" * 350 * 1024])
def test_a_result_may_be_nothing_and_it_may_be_large(place: Place, result: bytes | None) -> None:
    place.store.begin("k", place.claim("a"))
    place.store.finish("k", "a", result)
    assert place.store.begin("k", place.claim("b")) == place.held(True, result, 100)


def test_a_key_that_is_given_back_is_free(place: Place) -> None:
    place.store.begin("k", place.claim("a"))
    place.store.forget("k", "b")  # of somebody else: nothing happens
    assert place.store.begin("k", place.claim("b")) is not None
    place.store.forget("k", "a")
    assert place.store.begin("k", place.claim("b")) is None
    place.store.forget("never", "a")


def test_an_attempt_counts_as_dead_after_its_time(place: Place) -> None:
    place.store.begin("k", place.claim("a"))
    place.clock.advance(90)
    assert place.store.begin("k", place.claim("b")) is not None
    place.clock.advance(10)
    assert place.store.begin("k", place.claim("c")) is None
    with suppress(AdapterError):  # those outside say it; nothing is changed
        place.store.finish("k", "a", b"late")
    place.store.forget("k", "a")
    place.store.finish("k", "c", b"right")
    place.clock.advance(1)
    assert place.store.begin("k", place.claim("d")) == place.held(True, b"right", 99)


def test_who_is_late_is_kept_where_nobody_came_after(place: Place) -> None:
    place.store.begin("k", place.claim("a"))
    place.clock.advance(200)
    place.store.finish("k", "a", b"late")
    assert place.store.begin("k", place.claim("b")) == place.held(True, b"late", -100)


@pytest.mark.parametrize("done", [True, False])
def test_a_key_is_forgotten_after_its_time(place: Place, done: bool) -> None:
    place.store.begin("k", place.claim("a"))
    if done:
        place.store.finish("k", "a", b"x")
        place.clock.advance(990)
        assert place.store.begin("k", place.claim("b")) is not None
    place.clock.advance(1002)  # to the second
    assert place.store.begin("k", place.claim("c", "g")) is None
    assert place.store.begin("k", place.claim("d")) == place.held(False, None, 100, "g")


def test_an_owner_comes_back_to_what_it_has_not_done(place: Place) -> None:
    assert place.store.begin("k", place.claim("a")) is None
    place.clock.advance(90)
    assert place.store.begin("k", place.claim("a")) is None
    place.clock.advance(90)  # since it came back
    assert place.store.begin("k", place.claim("b")) == place.held(False, None, 10)
    place.store.finish("k", "a", b"x")
    assert place.store.begin("k", place.claim("a")) == place.held(True, b"x", 10)


@pytest.mark.parametrize("key", HOSTILE, ids=ascii)
def test_any_text_is_a_key_of_its_own(place: Place, key: str, kind: str) -> None:
    if "\ud800" in key and kind in ("moto", "ministack"):
        key = key.replace("\ud800", "")  # DynamoDB takes UTF-8 alone; the keys of Idempotent are hashes
    assert place.store.begin(key, place.claim(key, key)) is None
    assert place.store.begin(key, place.claim("b")) == place.held(False, None, 100, key)
    assert place.store.begin(f"{key}2", place.claim("b")) is None
    place.store.finish(key, key, key.encode("utf-8", "surrogatepass"))
    found = place.store.begin(key, place.claim("b"))
    assert found == place.held(True, key.encode("utf-8", "surrogatepass"), 100, key)


# ---- as an application has it ----------------------------------------------------------------------------------------


class Paused(BaseException):
    """As the SDK of durable functions says that it pauses: no Exception."""


class Application:
    """Handles a message in durable executions. `pauses` is how often its handler pauses before it is done."""

    def __init__(self, place: Place, waits: bool, **options: Any) -> None:
        self.runs: list[str] = []
        self.pauses = 0
        self._resolver = Resolver()
        self._record = samples.sqs_record("payments", {"amount": 5})
        guard = Idempotent(place.plain_store, in_progress_for=100, keep_for=1000, **options)

        def pay(event: Event) -> Any:
            self.runs.append(event.id)
            if self.pauses:
                self.pauses -= 1
                raise Paused
            return {"paid": len(self.runs)}

        async def pay_later(event: Event) -> Any:
            return pay(event)

        self._resolver.on_queue("payments", middleware=[guard])(pay_later if waits else pay)

    def run(self, execution: str) -> str:
        """One run of a durable execution, from the start: what becomes of it."""
        context = SimpleNamespace(execution_context=SimpleNamespace(durable_execution_arn=execution))
        try:
            answer = self._resolver.resolve({"Records": [self._record]}, context)
        except Paused:
            return "paused"
        return "refused" if answer["batchItemFailures"] else "done"


@pytest.fixture
def waits(runner: Any) -> bool:
    return runner is not None


@pytest.fixture(autouse=True)
def _time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = request.getfixturevalue("place").clock
    monkeypatch.setattr(attempts_module, "time", lambda: clock.now)


def test_a_durable_execution_goes_on_with_a_key_of_its_own(place: Place, waits: bool) -> None:
    payments = Application(place, waits)
    payments.pauses = 2
    assert payments.run("arn:one") == "paused"
    assert payments.run("arn:two") == "refused"
    place.clock.advance(90)
    assert payments.run("arn:one") == "paused"
    place.clock.advance(90)
    assert payments.run("arn:two") == "refused"
    assert payments.run("arn:one") == "done"
    assert payments.run("arn:two") == "done"  # by the result of the other
    assert payments.run("arn:one") == "done"  # its answer was lost
    assert len(payments.runs) == 3


def test_an_execution_that_does_not_come_back_is_taken_over(place: Place, waits: bool) -> None:
    payments = Application(place, waits)
    payments.pauses = 1
    assert payments.run("arn:one") == "paused"
    place.clock.advance(101)
    assert payments.run("arn:two") == "done"
    assert payments.run("arn:one") == "done"
    assert len(payments.runs) == 2


def test_nobody_comes_back_where_the_application_says_so(place: Place, waits: bool) -> None:
    payments = Application(place, waits, owner=lambda event: None)
    payments.pauses = 1
    assert payments.run("arn:one") == "paused"
    assert payments.run("arn:two") == "done"  # who was stopped has given its key back
    assert len(payments.runs) == 2
