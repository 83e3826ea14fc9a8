"""The wire between the gateway and the application's process: frames over a pair of sockets.

A frame is its kind (one byte), the length of its body (four bytes, big-endian), and the body: JSON, or, of a chunk, the
number of the call (four bytes) and the bytes themselves.
"""

from __future__ import annotations

import json
from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

LONGEST = 64 * 1024 * 1024
"""The most bytes of a frame's body."""

BROKEN_WIRE = 70
"""The exit status of a process that cannot understand the gateway, or cannot tell it anything."""

_HEAD = Struct(">BI")
_NUMBER = Struct(">I")
_READ = 256 * 1024


class Kind(IntEnum):
    """The kinds of frames. The first ones go to the application, the others come from it."""

    CONFIG = 1  # what to import
    GO = 2  # variables are set: take calls
    INVOKE = 3
    FAULTS = 4  # rules for calls of AWS
    CREDIT = 5  # so many bytes of a stream were taken
    GONE = 6  # nobody takes the rest of a stream
    WHERE = 7  # tell which line a call is at
    STOP = 8  # end when all calls have ended

    DESCRIBED = 32  # routes and plan
    READY = 33
    BROKEN = 34  # it cannot be imported
    ANSWER = 35
    BEGAN = 36  # the head of a streamed answer
    CHUNK = 37
    AT = 38  # which line a call is at
    LEAVES = 39  # a handler ends the process


class WireError(Exception):
    """Say that what came is not a frame, or that a frame would be too large."""


def dumps(value: Any) -> bytes:
    """Return a value as JSON. What orjson refuses, such as integers over 64 bits, the standard library writes.

    Raises:
        WireError: it has no JSON form.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        try:
            return json.dumps(value).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise WireError(f"it cannot be written as JSON: {error}") from None


def loads(data: bytes | bytearray | memoryview) -> Any:
    """Return the value of a JSON text. What orjson refuses, such as lone surrogates, the standard library reads.

    Raises:
        WireError: it is not JSON.
    """
    try:
        return orjson.loads(data)
    except ValueError:
        try:
            return json.loads(bytes(data))
        except (ValueError, RecursionError) as error:
            raise WireError(f"a frame is not JSON: {error}") from None


def frame(kind: Kind, body: Any = None) -> bytes:
    """Return a frame with a value as its body.

    Raises:
        WireError: the value has no JSON form, or is too large.
    """
    return raw_frame(kind, dumps(body))


def raw_frame(kind: Kind, data: bytes) -> bytes:
    """Return a frame of JSON that is written already. Raises WireError where it is too large."""
    if len(data) > LONGEST:
        raise WireError(f"{len(data):,} bytes do not fit into a frame of {LONGEST:,}")
    return _HEAD.pack(kind, len(data)) + data


def chunk_frame(number: int, chunk: bytes) -> bytes:
    """Return a frame with a chunk of the streamed answer of a call."""
    return _HEAD.pack(Kind.CHUNK, _NUMBER.size + len(chunk)) + _NUMBER.pack(number) + chunk


class Frames:
    """Take bytes as they come, and tell the frames in them."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Kind, Any]]:
        """Yield each frame that is whole now: its kind and its value; of a chunk the number of its call and its bytes.

        Raises:
            WireError: what came is not a frame, or the frame would be too large. Nothing can be read after that.
        """
        held = self._held
        held += data
        start, end = 0, len(held)
        try:
            while end - start >= _HEAD.size:
                code, length = _HEAD.unpack_from(held, start)
                kind = _kind(code, length)
                first, last = start + _HEAD.size, start + _HEAD.size + length
                if last > end:
                    break
                start = last
                with memoryview(held) as view, view[first:last] as body:
                    value = _chunk(body) if kind is Kind.CHUNK else loads(body)
                yield kind, value
        finally:
            del held[:start]


def _kind(code: int, length: int) -> Kind:
    try:
        kind = _KINDS[code]
    except KeyError:
        raise WireError(f"what came is not a frame: it begins with byte {code}") from None
    if length > LONGEST:
        raise WireError(f"a frame of {length:,} bytes was announced; at most {LONGEST:,} are taken")
    return kind


_KINDS = {int(kind): kind for kind in Kind}


def _chunk(body: memoryview) -> tuple[int, bytes]:
    if len(body) < _NUMBER.size:
        raise WireError("a chunk without the number of its call")
    return _NUMBER.unpack_from(body)[0], bytes(body[_NUMBER.size :])


class Wire:
    """The application's end: a socket that is read by one thread and written to by all."""

    def __init__(self, connection: socket.socket) -> None:
        from threading import Lock

        self._socket = connection
        self._frames = Frames()
        self._lock = Lock()

    def send(self, data: bytes) -> None:
        """Send a frame. Raises OSError when the gateway is gone."""
        with self._lock:
            self._socket.sendall(data)

    def frames(self) -> Iterator[tuple[Kind, Any]]:
        """Yield frame after frame, until the gateway is gone.

        Raises:
            OSError: the socket does not work any more.
            WireError: what came is not a frame.
        """
        while data := self._socket.recv(_READ):
            yield from self._frames.feed(data)

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
