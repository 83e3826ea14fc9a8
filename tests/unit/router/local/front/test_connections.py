"""Connections whose client left, and streams that nobody takes or that do not end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from router.local.front import streams
from router.local.front.connection import GOING_AWAY, Connection, ConnectionEnded
from router.local.front.request import Incoming
from router.local.front.streams import send_chunks

ID = "11111111-2222-4333-8444-555555555555"


def _connection(send: Any) -> Connection:
    scope = {"raw_path": b"/room", "query_string": b"", "headers": [(b"user-agent", b"tests")]}
    return Connection("c1", Incoming(scope, ID), send, None)


def test_a_message_to_a_client_that_left_ends_the_connection() -> None:
    async def gone(message: Any) -> None:
        raise OSError("gone")

    async def main() -> None:
        connection = _connection(gone)
        for _ in range(2):
            with pytest.raises(ConnectionEnded):
                await connection.send("hi")
        assert not connection.is_open
        assert (connection.close_code, connection.sent) == (1006, 0)

    asyncio.run(main())


def test_the_first_who_closes_counts() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        raise OSError("the client was faster")

    async def main() -> None:
        connection = _connection(send)
        await connection.close(GOING_AWAY)
        await connection.close((1000, "again"))
        connection.ended(1005, "")
        assert (connection.close_code, connection.close_reason) == GOING_AWAY
        assert len(sent) == 1

    asyncio.run(main())


class Stream:
    """Chunks without an end, which say whether they were closed."""

    def __init__(self) -> None:
        self.closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 10
                await asyncio.sleep(0)
        finally:
            self.closed = True


async def _sent(stream: Stream, *, leaves: bool = False) -> tuple[str | None, list[Any]]:
    sent: list[Any] = []

    async def receive() -> Any:
        if not leaves:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    return await send_chunks(stream.chunks(), receive, send), sent


@pytest.mark.parametrize(("limit", "value"), [("STREAMED", 35), ("STREAMED_FOR", 0.05)])
def test_a_stream_has_limits(monkeypatch: pytest.MonkeyPatch, limit: str, value: float) -> None:
    monkeypatch.setattr(streams, limit, value)
    stream = Stream()
    why, sent = asyncio.run(_sent(stream))
    assert why is not None
    assert "at most" in why
    assert all(message["more_body"] for message in sent)  # so the server breaks the connection off
    assert stream.closed


def test_a_stream_that_nobody_takes_is_no_fault() -> None:
    stream = Stream()
    why, sent = asyncio.run(_sent(stream, leaves=True))
    assert why is None
    assert len(sent) < 10
    assert stream.closed
