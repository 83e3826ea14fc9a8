"""What a resolver does around a snapshot (SnapStart): it gets ready, begins anew, and runs the application's hooks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest

from router import Authenticate, Cors, Event, Resolver
from router.dispatch import snapstart
from router.dispatch.snapstart import SnapshotHookFailed
from router.environment import Environment
from router.errors import ConfigurationError
from router.guards import ApiKey
from router.testing import TestClient


def through(resolver: Resolver) -> None:
    TestClient(resolver).snapshot()


# ---- hooks ---------------------------------------------------------------------------------------------------------


def test_hooks_run_the_last_first_before_and_the_first_first_after() -> None:
    resolver, seen = Resolver(), []

    @resolver.before_snapshot
    def first() -> None:
        seen.append("before 1")

    @resolver.before_snapshot
    async def second() -> None:
        seen.append("before 2")

    @resolver.after_restore
    async def third() -> None:
        seen.append("after 1")

    @resolver.after_restore
    def fourth() -> None:
        seen.append("after 2")

    through(resolver)
    assert seen == ["before 2", "before 1", "after 1", "after 2"]


def test_a_decorated_function_stays_what_it_is() -> None:
    resolver = Resolver()

    @resolver.after_restore
    def answer(value: int = 3) -> int:
        return value

    assert answer(4) == 4


def test_an_async_hook_and_the_first_event_have_one_loop_and_that_before_has_another() -> None:
    import asyncio

    resolver, loops = Resolver(), []

    async def note() -> None:
        loops.append(asyncio.get_running_loop())

    resolver.before_snapshot(note)
    resolver.after_restore(note)

    @resolver.on_invoke("work")
    async def work() -> None:
        await note()

    through(resolver)
    TestClient(resolver).invoke("work")
    before, after, event = loops
    assert before.is_closed()
    assert after is event


@pytest.mark.parametrize("moment", ["before_snapshot", "after_restore"])
@pytest.mark.parametrize("is_async", [False, True])
def test_an_error_of_a_hook_names_it_and_ends_the_moment(moment: str, is_async: bool) -> None:
    resolver, seen = Resolver(), []

    def fail() -> None:
        raise ValueError("no table")

    async def fail_async() -> None:
        raise ValueError("no table")

    register = getattr(resolver, moment)
    hooks = [fail_async if is_async else fail, lambda: seen.append(1)]
    for hook in hooks if moment == "after_restore" else reversed(hooks):
        register(hook)
    with pytest.raises(SnapshotHookFailed, match=rf"{moment}: the hook .*fail(_async)? failed: ValueError: no table"):
        through(resolver)
    assert seen == []


@pytest.mark.parametrize("wrong", [3, None, "hook", int, lambda event: None, (lambda: (yield))])
def test_what_is_no_hook_is_refused_when_it_is_registered(wrong: Any) -> None:
    for moment in (Resolver().before_snapshot, Resolver().after_restore):
        with pytest.raises(ConfigurationError, match=r"@(before_snapshot|after_restore)"):
            moment(wrong)


def test_a_slow_restore_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    resolver, clock = Resolver(), iter([0.0, 6.0])
    monkeypatch.setattr(snapstart, "perf_counter", lambda: next(clock))
    through(resolver)
    # Stand-ins of clients that other tests left may not know how to begin anew.
    [said] = [text for text in caplog.messages if "did not begin anew" not in text]
    assert said == "the hooks after a restore took 6.0 s; Lambda ends a restore at 10 s"


# ---- the environment -----------------------------------------------------------------------------------------------


class Store:
    path = "/{name}"

    def __init__(self) -> None:
        self.password = 0

    def read(self, paths: Sequence[str]) -> dict[str, str]:
        self.password += 1
        return {path: f"p{self.password}" for path in paths if path == "/PASSWORD"}


def test_what_a_store_holds_is_read_again_and_is_in_no_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", "prod")
    monkeypatch.delenv("PASSWORD", raising=False)
    resolver = Resolver(requires={"PASSWORD": [], "STAGE": []}, environment=Environment(stores=[Store()]))
    seen: list[str | None] = []

    @resolver.before_snapshot
    def before() -> None:
        seen.append(os.environ["PASSWORD"])

    @resolver.after_restore
    def after() -> None:
        seen.append(os.environ["PASSWORD"])

    @resolver.on_invoke("work")
    def work() -> list[str]:
        return [os.environ["PASSWORD"], os.environ["STAGE"]]

    resolver._snapshots().take()
    assert "PASSWORD" not in os.environ
    resolver._snapshots().restore()
    assert seen == ["p1", "p2"]
    assert TestClient(resolver).invoke("work") == ["p2", "prod"]
    monkeypatch.delenv("PASSWORD")


def test_any_middleware_may_be_there_before_a_snapshot() -> None:
    made: list[str] = []

    class Keys:
        def authenticate(self, token: str) -> None: ...

        def prepare(self) -> None:
            made.append("keys")

    resolver = Resolver().use(Cors(["https://app.example"], credentials=True), Authenticate(ApiKey(Keys())))
    resolver.get("/")(lambda: {"open": True})
    resolver._snapshots().take()
    assert made == ["keys"]


def test_a_variable_that_is_missing_ends_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORDERS_TABLE", raising=False)
    resolver = Resolver(requires=["ORDERS_TABLE"])
    with pytest.raises(ConfigurationError, match="ORDERS_TABLE"):
        through(resolver)


# ---- the first event -----------------------------------------------------------------------------------------------


def test_the_first_call_after_a_restore_is_a_cold_start() -> None:
    from router.dispatch.chain import Middleware

    resolver, seen = Resolver(), []

    class Watch(Middleware):
        def around_invocation(self, invocation: Any) -> Any:
            seen.append(invocation.cold_start)
            yield

        def __call__(self, event: Event) -> Any:
            yield

    resolver.use(Watch())
    resolver.on_invoke("work")(lambda: "done")
    client = TestClient(resolver)

    @resolver.before_snapshot
    def warm() -> None:
        client.invoke("work")

    through(resolver)
    assert [client.invoke("work"), client.invoke("work")] == ["done", "done"]
    assert seen[-2:] == [True, False]
