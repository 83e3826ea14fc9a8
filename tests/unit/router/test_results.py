"""What a handler may return to an HTTP request, and what becomes of it."""

from __future__ import annotations

import enum
from collections import namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pydantic
import pytest

from router import Resolver, Response
from router.testing import Answer, TestClient


class Model(pydantic.BaseModel):
    id: int
    price: Decimal


@dataclass
class Data:
    id: int
    at: datetime


class Color(enum.Enum):
    RED = "red"


Point = namedtuple("Point", "x y")

MOMENT = datetime(2024, 5, 4, 12, tzinfo=UTC)
KEPT = Response("kept", headers={"x-kept": "yes"}).set_cookie("sid", "abc").set_cookie("lang", "en")
KEPT.headers.add("x-many", "1")
KEPT.headers.add("x-many", "2")


def returned(result: Any) -> Answer:
    resolver = Resolver()
    resolver.get("/")(lambda: result)
    return TestClient(resolver).get("/")


@pytest.mark.parametrize(
    ("result", "status", "kind", "body"),
    [
        ({"a": 1}, 200, "application/json", b'{"a":1}'),
        ([], 200, "application/json", b"[]"),
        ([Decimal("1.10"), 2**70], 200, "application/json", b"[1.10,1180591620717411303424]"),
        ("grüß", 200, "text/plain; charset=utf-8", "grüß".encode()),
        ("", 200, "text/plain; charset=utf-8", b""),
        (b"\x00\xff", 200, "application/octet-stream", b"\x00\xff"),
        (None, 204, None, b""),
        (Data(1, MOMENT), 200, "application/json", b'{"id":1,"at":"2024-05-04T12:00:00+00:00"}'),
        (Model(id=1, price=Decimal("0.10")), 200, "application/json", b'{"id":1,"price":"0.10"}'),
        (Point(1, 2), 200, "application/json", b"[1,2]"),
        (7, 200, "application/json", b"7"),
        (False, 200, "application/json", b"false"),
        (Color.RED, 200, "application/json", b'"red"'),
        (date(2024, 5, 4), 200, "application/json", b'"2024-05-04"'),
        (UUID(int=1), 200, "application/json", b'"00000000-0000-0000-0000-000000000001"'),
        ({1, 2}, 200, "application/json", b"[1,2]"),
        (Response("x", 202), 202, "text/plain; charset=utf-8", b"x"),
    ],
)
def test_each_kind_of_result(result: Any, status: int, kind: str | None, body: bytes) -> None:
    answer = returned(result)
    assert (answer.status, answer.headers.get("content-type"), answer.body) == (status, kind, body)


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        (({"a": 1}, 201), 201, b'{"a":1}'),
        (("made", 201), 201, b"made"),
        ((b"x", 200), 200, b"x"),
        ((None, 404), 404, b""),
        ((None, 204), 204, b""),
        ((Response("x", 404), 200), 200, b"x"),
        ((Data(1, MOMENT), 201), 201, b'{"id":1,"at":"2024-05-04T12:00:00+00:00"}'),
        ((("inner", 201), 202), 202, b"inner"),
    ],
)
def test_a_pair_of_body_and_status(result: Any, status: int, body: bytes) -> None:
    answer = returned(result)
    assert (answer.status, answer.body) == (status, body)


def test_a_triple_adds_headers_and_may_say_another_type() -> None:
    answer = returned(("<p>", 201, {"Content-Type": "text/html", "X-A": "1"}))
    assert (answer.status, answer.headers["content-type"], answer.headers["x-a"]) == (201, "text/html", "1")


def test_a_response_in_a_pair_keeps_its_headers_and_cookies() -> None:
    answer = returned((KEPT, 201))
    assert answer.status == 201
    assert [cookie.partition(";")[0] for cookie in answer.cookies] == ["sid=abc", "lang=en"]
    assert answer.headers.getall("x-many") == ["1", "2"]
    assert (answer.headers["x-kept"], answer.headers["content-type"]) == ("yes", "text/plain; charset=utf-8")


def test_a_response_that_a_handler_keeps_is_not_changed_by_the_pair_it_is_in() -> None:
    for status in (200, 201):
        assert returned((KEPT, status, {"x-kept": "for one client", "x-secret": "s"})).headers["x-secret"] == "s"
    assert (KEPT.status, KEPT.headers["x-kept"], "x-secret" in KEPT.headers) == (200, "yes", False)


@pytest.mark.parametrize(
    "result",
    [
        ("a",),
        ("a", "b"),
        ("a", 200, {}, "more"),
        ("a", 99),
        ("a", 600),
        ("a", True),
        (),
        ("a", 200, {"x": "a\r\nset-cookie: evil=1"}),
        ("a", 200, {"x y": "a"}),
        object(),
        {"a": object()},
        lambda: None,
    ],
)
def test_what_is_no_answer_is_a_500(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    answer = returned(result)
    assert (answer.status, answer.json()) == (500, {"title": "Internal Server Error", "status": 500})
    assert len(caplog.records) == 1


def test_an_awaitable_that_cannot_be_closed_is_refused_too(caplog: pytest.LogCaptureFixture) -> None:
    class Later:
        def __await__(self) -> Any:
            yield

    assert returned(Later()).status == 500
    assert "the handler returned something that must be awaited; declare it `async def` and await it" in caplog.text
