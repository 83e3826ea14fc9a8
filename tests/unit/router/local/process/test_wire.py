"""Frames: what is written is read, in pieces of any size; what is none is an error."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.local.process import wire
from router.local.process.wire import Frames, Kind, Wire, WireError, chunk_frame, frame

VALUES: list[Any] = [
    None,
    {"a": [1, 2.5, "text", None, True]},
    {"big": 2**80},
    {"surrogate": "\ud800"},
    "x" * 100_000,
]


@pytest.mark.parametrize("value", VALUES)
def test_value_is_read_as_it_was_written(value: Any) -> None:
    assert list(Frames().feed(frame(Kind.INVOKE, value))) == [(Kind.INVOKE, value)]


@given(st.lists(st.binary(max_size=300), max_size=6), st.integers(1, 50))
def test_frames_come_in_pieces_of_any_size(chunks: list[bytes], size: int) -> None:
    sent = b"".join(chunk_frame(number, chunk) for number, chunk in enumerate(chunks))
    frames = Frames()
    found = [one for start in range(0, len(sent), size) for one in frames.feed(sent[start : start + size])]
    assert found == [(Kind.CHUNK, (number, chunk)) for number, chunk in enumerate(chunks)]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"hello world", "begins with byte 104"),
        (b"\x03\xff\xff\xff\xff", "4,294,967,295 bytes was announced"),
        (b"\x03\x00\x00\x00\x02{]", "not JSON"),
        (b"\x25\x00\x00\x00\x02ab", "without the number of its call"),
    ],
)
def test_what_is_no_frame_is_an_error(data: bytes, told: str) -> None:
    with pytest.raises(WireError, match=told):
        list(Frames().feed(data))


def test_value_without_a_json_form_is_an_error() -> None:
    with pytest.raises(WireError, match="cannot be written as JSON"):
        frame(Kind.INVOKE, {"a": object()})


def test_body_that_is_too_large_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST", 10)
    with pytest.raises(WireError, match="22 bytes do not fit into a frame of 10"):
        frame(Kind.INVOKE, "x" * 20)


def test_wire_reads_until_the_other_end_is_closed() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        ours.sendall(frame(Kind.STOP) + frame(Kind.GO, {"variables": {}}))
    end = Wire(theirs)
    assert list(end.frames()) == [(Kind.STOP, None), (Kind.GO, {"variables": {}})]
    end.close()
