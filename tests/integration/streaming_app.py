"""An application that streams, for the tests of the runtime."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from router import (
    Compress,
    Cors,
    ETag,
    Event,
    FromRequest,
    NotFound,
    Resolver,
    Response,
    SecurityHeaders,
    ServerSentEvent,
    SessionPolicy,
    Unauthorized,
    current_event,
    get_session,
)
from router.telemetry import LogFields

resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
resolver.use(
    LogFields(fields=["route", "tenant"], read_session=True),
    Cors("https://app.example"),
    SecurityHeaders(),
    Compress(),
    ETag(),
)
log = logging.getLogger("shop")
log.setLevel("INFO")
BLOCK = b"x" * 100_000


@resolver.get("/slow")
def slow() -> Response:
    def parts() -> Iterator[str]:
        for number in range(3):
            yield f"part {number}\n"
            time.sleep(0.2)

    response = Response.stream(parts(), content_type="text/plain")
    return response.set_cookie("seen", "yes").set_cookie("again", "no")


@resolver.get("/large")
def large(blocks: int = 100, streamed: bool = True, pause: float = 0.0) -> Response:
    def parts() -> Iterator[bytes]:
        for _ in range(blocks):
            time.sleep(pause)
            yield BLOCK

    return Response.stream(parts() if streamed else [b"".join(parts())])


@resolver.get("/peak")
def peak() -> dict[str, int]:
    import resource

    return {"kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


@resolver.get("/breaks")
def breaks() -> Response:
    def parts() -> Iterator[str]:
        try:
            yield "one"
            raise ValueError("the secret cause")
        finally:
            log.info("closed %s", current_event().path)  # type: ignore[union-attr]

    return Response.stream(parts())


@resolver.get("/breaks-early")
def breaks_early() -> Response:
    def parts() -> Iterator[str]:
        raise NotFound("there is no such file")
        yield ""

    return Response.stream(parts())


@resolver.get("/async")
async def by_loop(event: Event) -> Response:
    loop = asyncio.get_running_loop()

    async def parts() -> AsyncIterator[str]:
        task = asyncio.current_task()
        async with asyncio.timeout(5):
            for number in range(3):
                await asyncio.sleep(0.01)
                same = asyncio.get_running_loop() is loop and asyncio.current_task() is task
                yield f"{number} {same} {get_session().tenant} {event.path};"

        async def work() -> None:
            await asyncio.sleep(0.05)
            log.info("background work of %s", get_session().tenant)

        event.background(work())

    return Response.stream(parts())


@resolver.get("/endless")
async def endless() -> Response:
    async def parts() -> AsyncIterator[bytes]:
        try:
            while True:
                await asyncio.sleep(0.001)
                yield BLOCK
        finally:
            await asyncio.sleep(0.001)
            log.info("cleaned up after %s", get_session().tenant)

    return Response.stream(parts())


@resolver.get("/endless-sync")
def endless_sync() -> Response:
    def parts() -> Iterator[bytes]:
        try:
            while True:
                yield BLOCK
        finally:
            log.info("closed the endless one")

    return Response.stream(parts())


@resolver.get("/tagged")
def tagged() -> Response:
    def parts() -> Iterator[str]:
        log.info("the body was read")
        yield "text " * 1000

    return Response.stream(parts(), content_type="text/plain").cache(etag="v1")


@resolver.get("/events")
def events() -> Response:
    def parts() -> Iterator[Any]:
        yield ServerSentEvent({"step": 1}, event="progress", id="1")
        yield {"step": 2}
        yield "two\nlines"

    return Response.events(parts())


@resolver.get("/nothing")
def nothing() -> Response:
    return Response.stream(iter(()), 204)


@resolver.get("/empty")
def empty() -> Response:
    return Response.stream(iter(()))


@resolver.get("/secret")
def secret(event: Event) -> Response:
    if "authorization" not in event.headers:
        raise Unauthorized("who are you?")
    return Response.stream(iter(["hidden"]))


@resolver.get("/json")
def plain() -> dict[str, str]:
    return {"text": "grüße"}


@resolver.get("/binary")
def binary() -> bytes:
    return b"\x00\xff"


@resolver.on_invoke("context")
def context_of(event: Event) -> dict[str, Any]:
    context = event.context
    fields = {name: value for name, value in vars(context).items() if name != "streamed_sources"}
    fields["identity"] = context.identity.cognito_identity_id
    fields["client_context"] = None if context.client_context is None else context.client_context.custom
    return fields | {
        "remaining": context.get_remaining_time_in_millis(),
        "w3c": context.w3c(),
        "trace": os.environ["_X_AMZN_TRACE_ID"],
    }


@resolver.on_invoke("fails")
def fails() -> None:
    raise RuntimeError("it went wrong")


@resolver.on_queue("jobs")
def job(event: Event) -> None:
    if event.json()["bad"]:
        raise ValueError("bad job")


def handler(event: Any, context: Any) -> Any:
    return resolver.resolve(event, context)


def crashes(event: Any, context: Any) -> Any:
    raise ValueError("the handler's own error")


def bare(event: Any, context: Any) -> Any:
    return {"hello": "world"}


class _Finalized(io.RawIOBase):
    """A file that a signal meets while Python collects it: what is raised there is lost."""

    def __init__(self, number: signal.Signals) -> None:
        self._number: signal.Signals | None = number

    def close(self) -> None:
        number, self._number = self._number, None
        if number is not None:
            signal.raise_signal(number)
        super().close()


def handles_it_itself(event: Any, context: Any) -> str:
    """Handle SIGTERM as an application does that has work of its own to end."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
    return "answered"


def signalled(event: Any, context: Any) -> str:
    """Let a signal come where its exception is lost."""
    signal.signal(signal.SIGUSR1, lambda *_: None)
    _Finalized(signal.Signals[event["signal"]])
    return "answered"
