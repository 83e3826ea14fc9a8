from __future__ import annotations

import io
import json
from typing import Any

import pytest

from router.local.terminal import Terminal


class Kept:
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def began(self, call_id, entry):
        self.calls.append(("began", call_id, entry))

    def ended(self, call_id, entries):
        self.calls.append(("ended", call_id, entries))

    def add(self, entry):
        self.calls.append(("add", entry))


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def out():
    return io.StringIO()


@pytest.fixture
def clock():
    return [1_764_500_000.0]


@pytest.fixture
def terminal(kept, out, clock):
    return Terminal(kept, out, clock=lambda: clock[0])


ORDER: Any = {
    "kind": "event",
    "source": "http",
    "route": "POST /orders",
    "tenant": "acme",
    "user": "ann",
    "outcome": "done",
    "status": 202,
    "ms": 4.12,
    "attempt": 1,
}


def test_an_event_is_a_line_and_goes_on(terminal, kept, out):
    terminal.ended("c1", [ORDER])
    assert "  http      POST /orders                202           4.1 ms acme/ann\n" in out.getvalue()
    assert kept.calls == [("ended", "c1", [ORDER])]


def test_a_line_fits_a_terminal(terminal, out):
    long = {
        **ORDER,
        "route": f"POST /{'x' * 200}",
        "source": "eventbridge",
        "tenant": "t" * 50,
        "ms": 123456.7,
        "attempt": 7,
    }
    terminal.ended("c1", [long])
    assert max(map(len, out.getvalue().splitlines())) <= 80


def test_further_attempts_are_told(terminal, out):
    terminal.ended("c1", [{**ORDER, "attempt": 3}])
    assert "try 3" in out.getvalue()


def test_many_events_in_a_second_are_counted(terminal, out, clock):
    terminal.ended("c1", [ORDER] * 1000)
    assert out.getvalue().count("\n") == 20
    clock[0] += 1
    terminal.ended("c2", [ORDER])
    assert "... and 980 more; the console has them" in out.getvalue()


def test_an_error_is_shown_with_its_line(terminal, out):
    frame = {
        "file": "shop/app.py",
        "line": 7,
        "function": "place",
        "own": True,
        "source": [(6, "def place():"), (7, "    raise ValueError")],
        "current": 1,
    }
    error = {"type": "ValueError", "message": "no tea", "notes": [], "frames": [frame], "cause": None}
    terminal.ended("c1", [{**ORDER, "outcome": "failed", "status": None, "error": error}])
    assert "ValueError: no tea" in out.getvalue()
    assert "shop/app.py:7" in out.getvalue()
    assert ">    7      raise ValueError" in out.getvalue()


def test_a_notice_is_said(terminal, out, kept):
    notice = {"kind": "notice", "name": "reloaded in 0.4 s", "outcome": "done"}
    terminal.add(notice)
    assert "reloaded in 0.4 s" in out.getvalue()
    assert kept.calls == [("add", notice)]


def test_a_notice_of_several_lines_has_a_line_for_each(terminal, out):
    terminal.add({"kind": "notice", "name": "two things:\n- one", "outcome": "done"})
    first, second = out.getvalue().splitlines()
    assert first.endswith("  two things:")
    assert second == " " * 10 + "- one"


def test_an_error_that_the_notice_tells_is_not_told_again(terminal, out):
    frame = {"file": "app.py", "line": 7, "function": "f", "own": True, "source": [(7, "import nix")], "current": 0}
    error: Any = {"type": "ImportError", "message": "no nix", "notes": [], "frames": [frame], "cause": None}
    terminal.add({"kind": "notice", "name": "cannot start: ImportError: no nix", "outcome": "failed", "error": error})
    assert out.getvalue().count("no nix") == 1
    assert ">    7  import nix" in out.getvalue()


def test_programs_get_json(kept, out):
    terminal = Terminal(kept, out, as_json=True)
    terminal.welcome("Junction", {"console": "x"}, {"console": "http://127.0.0.1:1"})
    terminal.say("hello")
    terminal.ended("c1", [ORDER | {"raw": {"a": 1}}])
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert lines == [{"ready": {"console": "http://127.0.0.1:1"}}, {"said": "hello"}, ORDER]


def test_what_a_client_wrote_does_not_command_the_terminal(terminal, out):
    terminal.ended("c1", [{**ORDER, "route": "GET /\x1b[2Jx\r\n", "tenant": "\x07"}])
    assert "\x1b" not in out.getvalue()
    assert "\r" not in out.getvalue()
    assert "\x07" not in out.getvalue()


def test_what_runs_is_not_a_line_yet(terminal, out, kept):
    terminal.began("c1", {**ORDER, "outcome": "running"})
    assert out.getvalue() == ""
    assert kept.calls[0][0] == "began"


def test_a_request_without_a_route_is_named_by_its_path(terminal, out):
    error: Any = {"type": "NotFound", "message": "HTTP 404", "notes": [], "frames": [], "cause": None}
    lost = {**ORDER, "route": None, "name": "$default", "method": "GET", "path": "/nope", "error": error}
    terminal.ended("c1", [lost | {"outcome": "unrouted", "status": 404}])
    assert "GET /nope                   404" in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_an_error_of_the_library_shows_none_of_its_source(terminal, out):
    frame = {"file": "router/x.py", "line": 7, "function": "f", "own": False, "source": [(7, "raise X")], "current": 0}
    error = {"type": "X", "message": "y", "notes": [], "frames": [frame], "cause": None}
    terminal.ended("c1", [ORDER | {"outcome": "failed", "error": error}])
    assert "X: y" in out.getvalue()
    assert "raise X" not in out.getvalue()


def test_no_source_stands_twice(terminal, out):
    terminal.ended("c1", [ORDER | {"source": "sqs", "route": "sqs orders", "status": None}])
    assert "  sqs       orders                      done" in out.getvalue()


def test_a_push_does_not_look_like_an_event(terminal, out):
    terminal.add(ORDER | {"kind": "push", "source": "websocket", "route": None, "name": "EGo7UJ="})
    assert "  push      EGo7UJ=" in out.getvalue()
