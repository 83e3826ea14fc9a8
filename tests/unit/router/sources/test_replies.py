"""What the reply sources share."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from router.errors import AnswerTooLarge, BadRequest, EncodeError, InvalidEvent, NoRoute, NotFound, SessionError
from router.sources._replies import dig, plain_answer, problem_of, text_at, told


def test_the_way_into_a_payload_may_end_anywhere():
    payload = {"a": {"b": "text", "empty": ""}, "list": [1]}
    assert dig(payload, "a", "b") == "text"
    assert dig(payload, "a", "b", "c") is None
    assert dig(payload, "list", "0") is None
    assert text_at(payload, "a", "b") == "text"
    assert text_at(payload, "a", "empty") is None
    assert text_at(payload, "a") is None


def test_an_answer_becomes_plain_json_values():
    answer = plain_answer({"when": datetime(2024, 1, 1, tzinfo=UTC), "price": Decimal("1.5"), "tags": {"a"}})
    assert answer == {"when": "2024-01-01T00:00:00+00:00", "price": 1.5, "tags": ["a"]}
    assert plain_answer(None) is None
    assert plain_answer(True) is True


def test_an_answer_over_the_limit_says_by_how_much():
    with pytest.raises(AnswerTooLarge, match=r"has 12 bytes; this source takes 11"):
        plain_answer("0123456789", limit=11)
    assert plain_answer("0123456789", limit=12) == "0123456789"


def test_an_answer_without_a_json_form_names_the_type():
    with pytest.raises(EncodeError, match="object"):
        plain_answer({"a": object()})


def test_a_caller_is_told_only_what_is_meant_for_it():
    assert told(NotFound("no such order")) == ("NotFound", "no such order")
    assert told(NotFound()) == ("NotFound", "Not Found")
    assert told(InvalidEvent("a: must be text")) == ("InvalidEvent", "a: must be text")
    kind, message = told(ValueError("password=hunter2"))
    assert kind == "InternalError"
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadRequest("say what"), 400),
        (InvalidEvent("a: must be text"), 400),
        (SessionError("session: expired"), 400),
        (NoRoute("nothing here"), 404),
        (ValueError("password=hunter2"), 500),
    ],
)
def test_an_error_as_a_problem_document(error, status):
    response = problem_of(error)
    assert response.status == status
    assert response.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in str(response.body)


def test_a_problem_document_keeps_its_own_members():
    response = problem_of(NotFound("gone", title="mine", order=7, headers={"x-a": "b"}))
    assert json.loads(response.body or "") == {"title": "Not Found", "status": 404, "detail": "gone", "order": 7}
    assert response.headers["x-a"] == "b"
