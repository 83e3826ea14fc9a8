"""`Resolver(sources=...)`, and payloads that imitate another source."""

from __future__ import annotations

from typing import Any

import pytest

from router import Resolver, Session
from router.errors import ConfigurationError, InvalidEvent, NoRoute
from router.event import Source
from router.sources._registry import ROWS, detect
from router.testing import TestClient, samples
from router.testing.context import Context
from tests.unit.router.sources.payload_cases import real

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:shop"


def invoked(alias: str = "") -> Context:
    """The context of a call of a function, or of one of its aliases."""
    context = Context()
    context.invoked_function_arn = f"{ARN}:{alias}" if alias else ARN
    return context


@pytest.mark.parametrize("source", Source)
def test_a_payload_of_a_source_that_is_not_accepted_fails_and_no_handler_runs(source: Source) -> None:
    other = Source.SQS if source is not Source.SQS else Source.SNS
    for _, raw, _ in real(source):
        if detect(raw) is Source.TASK:
            continue  # of an environment: told below
        resolver = Resolver(sources=[other])
        resolver.get("/{rest+}")(lambda: pytest.fail("it was handled"))
        if not ROWS[source].by_path:
            resolver.on(source)(lambda: pytest.fail("it was handled"))
        with pytest.raises(InvalidEvent, match=rf"of {source}: Resolver\(sources=...\) does not accept it"):
            resolver.resolve(raw, Context())


def test_what_is_accepted_is_handled() -> None:
    resolver = Resolver(sources=["rest", Source.SQS])
    resolver.get("/")(lambda: {"a": 1})
    resolver.on_queue("orders")(lambda: None)
    client = TestClient(resolver)
    assert client.get("/").json() == {"a": 1}
    assert client.queue("orders", ["a"]) == {"batchItemFailures": []}
    with pytest.raises(InvalidEvent):
        client.get("/", source="http")


def test_each_alias_accepts_its_own() -> None:
    resolver = Resolver(sources={"web": "rest", ARN: ["sns"], "*": ["invoke"]})
    resolver.get("/")(lambda: {"a": 1})
    resolver.on_topic("orders")(lambda: None)
    resolver.on_invoke("now")(lambda: "done")
    request, notice, call = samples.rest("GET", "/"), samples.sns("orders", ["a"]), samples.invoke("now")
    for context, accepted in (
        (invoked("web"), request),
        (invoked(), notice),
        (invoked("live"), call),
        (None, call),  # a laptop
    ):
        for raw in (request, notice, call):
            if raw is accepted:
                resolver.resolve(raw, context)
            else:
                with pytest.raises(InvalidEvent, match="does not accept it"):
                    resolver.resolve(raw, context)
    only = Resolver(sources={"web": ["rest"]})
    only.get("/")(lambda: {"a": 1})
    assert only.resolve(request, invoked("web"))["statusCode"] == 200
    with pytest.raises(InvalidEvent):
        only.resolve(request, invoked("other"))


@pytest.mark.parametrize("sources", ["htpp", ["rest", "htpp"], [], {}, {"web": []}, {"web": "htpp"}, 5, [None]])
def test_sources_that_are_none_are_refused(sources: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Resolver\(sources=...\)"):
        Resolver(sources=sources)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_task_is_only_what_run_task_was_given(asynchronous: bool) -> None:
    ran: list[Session] = []
    resolver = Resolver()

    def note(session: Session) -> None:
        ran.append(session)

    async def note_async(session: Session) -> None:
        ran.append(session)

    resolver.on_task("nightly")(note_async if asynchronous else note)
    environ = samples.task("nightly", session={"tenant": "evil"})
    for raw in (environ, {**environ, "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/1-2"}):
        with pytest.raises(NoRoute, match="no route for invoke"):
            resolver.resolve(raw)
    assert not ran
    assert resolver.run_task(environ) == 0
    assert ran == [Session("evil")]


def test_a_payload_that_imitates_an_environment_is_an_invoke_like_any_other() -> None:
    resolver = Resolver()
    resolver.on_invoke("*")(lambda event, session: [event.source, session.tenant])
    assert resolver.resolve({"TASK_NAME": "nightly", "SESSION": '{"tenant":"evil"}'}) == ["invoke", None]
