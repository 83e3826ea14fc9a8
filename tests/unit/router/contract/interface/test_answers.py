"""Describe what routes answer: by the annotation of the result, by `responses=`, and by what is around a handler."""

# Handlers are only described here.
# mypy: disable-error-code="empty-body"

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Never, NoReturn, Optional

import pytest
from typing_extensions import TypeAliasType

from router import Auth, ConfigurationError, Resolver, Response, Session
from router.contract.interface import Answer, Info, describe
from router.contract.interface.answers import PROBLEM
from router.contract.interface.model import NOTHING


@dataclass
class Order:
    sku: str


@dataclass
class Refused:
    why: str


class Color(StrEnum):
    RED = "red"


Maybe = TypeAliasType("Maybe", Order | None)


def answers(handler: Callable[..., Any], **options: Any) -> dict[str, Answer]:
    """Return the answers of a GET by their status."""
    resolver = Resolver()
    resolver.get("/orders", **options)(handler)
    (operation,) = describe(resolver, Info("A shop")).operations
    found = {one.status: one for one in operation.answers}
    assert list(found) == sorted(found)
    return found


def successes(handler: Callable[..., Any]) -> list[tuple[str, Any, str]]:
    """Return status, annotation and media type of the answers that are no errors."""
    return [
        (one.status, one.annotation, one.media_type)
        for one in answers(handler).values()
        if one.status.startswith(("2", "3"))
    ]


def returns_order() -> Order: ...
def returns_text() -> str: ...
def returns_bytes() -> bytes: ...
def returns_none() -> None: ...
def returns_list() -> list[Order]: ...
def returns_annotated() -> Annotated[Order, "as it is stored"]: ...
def returns_optional() -> Order | None: ...
def returns_old_optional() -> Optional[Order]: ...  # noqa: UP045 - as people have written it
def returns_either() -> Order | Refused: ...
def returns_created() -> tuple[Order, Literal[201]]: ...
def returns_with_headers() -> tuple[Order, Literal[202], dict[str, str]]: ...
def returns_some_status() -> tuple[Order, int]: ...
def returns_any_status() -> tuple[Any, ...]: ...
def returns_several_statuses() -> tuple[Order, Literal[200, 202]]: ...
def returns_either_with_a_status() -> tuple[Order, int] | tuple[Refused, int]: ...
def returns_word() -> Literal["yes", "no"]: ...
def returns_color() -> Color: ...
def returns_order_or_text() -> Order | str: ...
def returns_of_alias() -> Maybe: ...
def never_returns() -> NoReturn: ...
def never_returns_either() -> Never: ...
def returns_two_statuses() -> tuple[Order, Literal[201]] | tuple[Refused, Literal[409]] | None: ...
def returns_response() -> Response: ...
def returns_response_or_order() -> Order | Response: ...
async def returns_later() -> Order: ...


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (returns_order, [("200", Order, "application/json")]),
        (returns_text, [("200", str, "text/plain")]),
        (returns_bytes, [("200", bytes, "application/octet-stream")]),
        (returns_none, [("204", None, "application/json")]),
        (returns_list, [("200", list[Order], "application/json")]),
        (returns_annotated, [("200", Annotated[Order, "as it is stored"], "application/json")]),
        (returns_optional, [("200", Order, "application/json"), ("204", None, "application/json")]),
        (returns_old_optional, [("200", Order, "application/json"), ("204", None, "application/json")]),
        (returns_either, [("200", Order | Refused, "application/json")]),
        (returns_created, [("201", Order, "application/json")]),
        (returns_with_headers, [("202", Order, "application/json")]),
        (returns_some_status, [("2XX", Order, "application/json")]),
        (returns_any_status, [("2XX", NOTHING, "application/json")]),
        (returns_several_statuses, [("200", Order, "application/json"), ("202", Order, "application/json")]),
        (returns_either_with_a_status, [("2XX", Order | Refused, "application/json")]),
        (returns_word, [("200", Literal["yes", "no"], "text/plain")]),
        (returns_color, [("200", Color, "text/plain")]),
        (returns_order_or_text, [("200", Order | str, "application/json")]),
        (returns_of_alias, [("200", Order, "application/json"), ("204", None, "application/json")]),
        (never_returns, []),
        (never_returns_either, []),
        (returns_two_statuses, [("201", Order, "application/json"), ("204", None, "application/json")]),
        (returns_response, [("200", NOTHING, "*/*")]),
        (returns_later, [("200", Order, "application/json")]),
        (lambda: 1, [("200", NOTHING, "application/json")]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_annotation_of_the_result_is_the_answer(handler: Any, expected: list[tuple[str, Any, str]]) -> None:
    assert successes(handler) == expected


@pytest.mark.parametrize("result", [tuple[Order, Refused], tuple[int, str], tuple[Order], tuple[Order, Literal["a"]]])
def test_a_tuple_that_is_no_answer_is_refused_with_its_place(result: Any) -> None:
    def show() -> Any: ...

    show.__annotations__["return"] = result
    with pytest.raises(ConfigurationError, match=r"GET /orders \(.*test_answers\.py:\d+\).*say in responses="):
        answers(show)
    assert set(answers(show, responses={200: Order})) == {"200", "default"}


def test_an_error_in_the_annotation_is_an_answer_with_its_status() -> None:
    assert answers(returns_two_statuses)["409"].annotation is Refused


def test_a_body_says_more_than_a_response_beside_it() -> None:
    assert successes(returns_response_or_order) == [("200", Order, "application/json")]


def unresolved() -> Order: ...


unresolved.__annotations__["return"] = "Ordr"
LINE = f"test_answers.py:{unresolved.__code__.co_firstlineno}"


def test_an_annotation_that_cannot_be_resolved_is_refused_with_file_and_line() -> None:
    with pytest.raises(ConfigurationError) as caught:
        answers(unresolved)
    for part in ("GET /orders", LINE, "name 'Ordr' is not defined", "TYPE_CHECKING", "responses={200: ...}"):
        assert part in str(caught.value)


def test_what_responses_say_is_enough_where_an_annotation_cannot_be_resolved() -> None:
    assert answers(unresolved, responses={200: Order})["200"].annotation is Order


def test_an_error_in_responses_leaves_the_annotation_to_be_resolved() -> None:
    with pytest.raises(ConfigurationError, match="'Ordr'"):
        answers(unresolved, responses={409: Refused})


@pytest.mark.parametrize("kind", ["on_invoke", "tool"])
def test_the_answer_of_a_call_that_cannot_be_resolved_is_refused(kind: str) -> None:
    resolver = Resolver()
    getattr(resolver, kind)("find")(unresolved)
    with pytest.raises(ConfigurationError, match=LINE):
        describe(resolver, Info("A shop"))


def test_nobody_is_told_what_a_handler_of_records_returns() -> None:
    resolver = Resolver()
    resolver.on_queue("orders")(unresolved)
    (operation,) = describe(resolver, Info("A shop")).operations
    assert operation.answers == ()


def test_an_answer_of_a_class_is_that_of_its_process() -> None:
    class Show:
        def process(self) -> tuple[Order, Literal[203]]: ...

    assert successes(Show) == [("203", Order, "application/json")]


# ---- responses= -------------------------------------------------------------------------------------------------


def test_a_type_in_responses_is_the_body_of_that_status() -> None:
    found = answers(lambda: 1, responses={202: Order, 409: Refused, 204: None})
    assert [(status, one.annotation) for status, one in found.items() if status != "default"] == [
        ("202", Order),
        ("204", None),
        ("409", Refused),
    ]
    assert (found["202"].description, found["409"].media_type) == ("Accepted", "application/json")


def test_a_text_in_responses_describes_a_problem_or_a_success() -> None:
    found = answers(returns_order, responses={404: "There is no such order", 204: "It is gone"})
    assert found["404"] == Answer("404", "There is no such order", NOTHING, PROBLEM)
    assert found["204"] == Answer("204", "It is gone", None, "")


@pytest.mark.parametrize("examples", [{"a": {"value": 1}}, {"a": {"value": 1, "summary": "A"}, "b": {"value": 2}}])
def test_named_examples_are_refused_with_the_form_that_is_taken(examples: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        answers(returns_order, responses={200: {"examples": examples}})
    for part in ("GET /orders", "test_answers.py:", "responses={200: ...}", "examples= takes the values themselves"):
        assert part in str(caught.value)


@pytest.mark.parametrize("value", [{"sku": "a"}, {"one": {"value": 1, "more": 2}}, {}])
def test_an_object_is_one_example(value: Any) -> None:
    assert answers(returns_order, responses={200: {"examples": value}})["200"].examples == (value,)


def test_several_types_of_one_status_are_a_union() -> None:
    assert answers(returns_order, responses={409: [Refused, Order]})["409"].annotation == Refused | Order
    assert answers(returns_order, responses={409: {"model": (Refused, Order)}})["409"].annotation == Refused | Order


def test_a_mapping_in_responses_says_everything() -> None:
    said = {
        "model": Order,
        "description": "It is there",
        "examples": [{"sku": "a"}],
        "headers": {"etag": "Of the order"},
        "media_type": "application/vnd.shop+json",
    }
    assert answers(lambda: 1, responses={200: said})["200"] == Answer(
        "200", "It is there", Order, "application/vnd.shop+json", {"etag": "Of the order"}, ({"sku": "a"},)
    )


def test_a_single_example_is_a_list_of_one() -> None:
    assert answers(lambda: 1, responses={200: {"examples": {"sku": "a"}}})["200"].examples == ({"sku": "a"},)


def test_a_mapping_without_a_model_is_a_problem_where_it_is_an_error() -> None:
    found = answers(lambda: 1, responses={"4XX": {"description": "Wrong"}, 500: {}})
    assert (found["4XX"].media_type, found["4XX"].description) == (PROBLEM, "Wrong")
    assert (found["500"].media_type, found["500"].description) == (PROBLEM, "Internal Server Error")


def test_a_success_in_responses_takes_the_place_of_the_annotation_and_an_error_does_not() -> None:
    assert "200" not in answers(returns_order, responses={201: Order})
    assert answers(returns_order, responses={404: "no"})["200"].annotation is Order


def test_a_range_of_statuses_is_described_in_words() -> None:
    assert answers(lambda: 1, responses={"5XX": Refused})["5XX"].description == "Any answer of 5XX"


# ---- what stands around a handler -------------------------------------------------------------------------------


def test_any_route_may_fail_otherwise() -> None:
    assert answers(lambda: 1)["default"] == Answer("default", "Any other error", NOTHING, PROBLEM)


def takes_text(text: str) -> None: ...


def test_what_takes_a_value_may_refuse_it() -> None:
    assert answers(takes_text)["422"].media_type == PROBLEM
    assert "422" not in answers(lambda: 1)


def test_a_permission_may_refuse_the_caller() -> None:
    found = answers(lambda: 1, permission=lambda: True)
    assert "403" in found
    assert "401" not in found


class Anybody:
    """Credentials that let everybody in."""

    def authenticate(self, token: str) -> Session:
        return Session(tenant="acme", user=token)


def test_auth_may_refuse_the_caller_and_an_open_route_does_not() -> None:
    assert {"401", "403"} <= set(answers(lambda: 1, auth=Auth(Anybody(), mode="user")))
    assert not {"401", "403"} & set(answers(lambda: 1, auth=Auth(Anybody(), mode="off")))


def test_what_responses_say_of_an_error_around_counts() -> None:
    found = answers(takes_text, permission=lambda: True, responses={403: "Not yours", 422: Refused})
    assert found["403"].description == "Not yours"
    assert found["422"].annotation is Refused


# ---- sources without statuses -----------------------------------------------------------------------------------


def of_call(handler: Callable[..., Any], **options: Any) -> tuple[Answer, ...]:
    resolver = Resolver()
    resolver.on_invoke("rebuild", **options)(handler)
    (operation,) = describe(resolver, Info("A shop")).operations
    return operation.answers


def test_a_call_answers_what_its_handler_returns_without_a_status() -> None:
    assert of_call(returns_order) == (Answer("", "", Order),)
    assert of_call(returns_none) == (Answer("", "", None),)
    assert of_call(lambda event: None) == ()


def test_responses_count_for_calls_too() -> None:
    assert [one.annotation for one in of_call(returns_order, responses={200: Refused})] == [Refused]
