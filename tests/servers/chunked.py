"""Answers that a runtime sends in chunks: when each of them came, how they ended, and what a client sees of them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BufferedIOBase
from typing import Any

MARK = bytes(8)
"""Ends the head of an HTTP answer."""

TYPE = "application/vnd.awslambda.http-integration-response"


class Broken(Exception):
    """The runtime closed the connection in the middle of its answer."""


@dataclass(slots=True)
class Streamed:
    """An answer in chunks."""

    headers: Mapping[str, str]
    """Of the runtime's request."""
    began: float
    """When the event was handed over, in seconds of `time.perf_counter`."""
    chunks: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """Seconds from the event to each chunk."""
    size: int = 0
    trailers: dict[str, str] = field(default_factory=dict)
    is_broken: bool = False
    """Whether the runtime closed the connection before the end."""

    def add(self, chunk: bytes, *, keep: bool) -> None:
        """Note a chunk that came; without `keep` its bytes are only counted, but for the first one."""
        self.times.append(time.perf_counter() - self.began)
        self.size += len(chunk)
        if keep or not self.chunks:
            self.chunks.append(chunk)

    @property
    def head(self) -> dict[str, Any]:
        """Status, headers and cookies, which a caller reads before the body."""
        head, mark, _ = b"".join(self.chunks).partition(MARK)
        assert mark, "there is no mark behind the head"
        assert len(head) + len(mark) <= 16 * 1024, "API Gateway looks for the mark in the first 16 KB"
        return json.loads(head)

    @property
    def body(self) -> bytes:
        """What a client gets."""
        return b"".join(self.chunks).partition(MARK)[2]

    @property
    def is_whole(self) -> bool:
        """Whether the client sees the end of the body; otherwise the connection breaks."""
        return not self.is_broken and not self.trailers

    @property
    def error(self) -> dict[str, Any] | None:
        """What the runtime told behind the body: the error that ended it."""
        told = self.trailers.get("lambda-runtime-function-error-body")
        return None if told is None else json.loads(base64.b64decode(told))

    @property
    def error_type(self) -> str | None:
        """The type of that error."""
        return self.trailers.get("lambda-runtime-function-error-type")


def read_chunks(stream: BufferedIOBase, into: Streamed, *, keep: bool, most: int | None) -> bool:
    """Reads an answer to its end, chunk by chunk.

    Args:
        most: So many chunks are taken, and no more: the client hangs up.

    Returns: whether the end came.
    Raises: Broken when the runtime closes the connection before that.
    """
    into.is_broken = True
    while True:
        size = int(_line(stream) or b"0", 16)
        if size == 0:
            while line := _line(stream):
                name, _, value = line.decode("latin-1").partition(":")
                into.trailers[name.strip().lower()] = value.strip()
            into.is_broken = False
            return True
        chunk = stream.read(size)
        if len(chunk) < size or stream.read(2) != b"\r\n":
            raise Broken
        into.add(chunk, keep=keep)
        if most is not None and len(into.times) >= most:
            into.is_broken = False
            return False


def _line(stream: BufferedIOBase) -> bytes:
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise Broken
    return line[:-2]
