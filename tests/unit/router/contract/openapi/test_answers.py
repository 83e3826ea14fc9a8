"""The answers of a document: classes, errors as problem documents, envelopes, and what has no content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import pytest

from router import AppError, Conflict, Envelope, Event, Resolver, Response
from router.contract.interface import describe
from router.contract.openapi import openapi
from router.testing import TestClient
from tests.unit.router.contract.openapi.documents import JSON, PROBLEM, document_of, only
from tests.unit.router.contract.openapi.large import INFO, application


@dataclass
class Problem:
    why: str


@pytest.fixture(scope="module")
def large() -> dict[str, Any]:
    return openapi(describe(application(), INFO))


# ---- what is answered ----------------------------------------------------------------------------------------------


def test_answers_have_their_classes_and_errors_are_problems(large: dict[str, Any]) -> None:
    answers = large["paths"]["/things"]["post"]["responses"]

    assert list(answers) == ["201", "401", "403", "404", "409", "422", "default"]
    assert answers["404"] == {
        "description": "There is no such colour",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    assert answers["409"]["description"] == "the article is sold out"
    assert answers["409"]["content"][PROBLEM]["example"] == {
        "title": "Conflict",
        "status": 409,
        "detail": "the article is sold out",
        "code": "B00017",
    }


def test_an_answer_without_content_has_none(large: dict[str, Any]) -> None:
    paths = large["paths"]

    assert paths["/things/{id}"]["delete"]["responses"]["204"] == {"description": "No Content"}
    assert "content" not in paths["/things/{id}/picture"]["get"]["responses"]["304"]
    assert all("content" not in one for one in paths["/things/{id}/picture"]["head"]["responses"].values())
    assert list(paths["/things/{id}/picture"]["get"]["responses"]["200"]["content"]) == ["image/png"]


def test_a_status_that_is_an_int_may_be_any_that_succeeds() -> None:
    def make() -> tuple[dict[str, int], int]:
        return {}, 201

    assert list(only(lambda resolver: resolver.post("/")(make))["responses"]) == ["2XX", "default"]


def test_a_response_says_by_itself_what_it_is(large: dict[str, Any]) -> None:
    assert large["paths"]["/files/{path}"]["get"]["responses"]["200"]["content"] == {"*/*": {"schema": {}}}


def test_headers_of_an_answer() -> None:
    def make() -> None: ...

    told: dict[int | str, Any] = {
        201: {"model": Literal["made"], "headers": {"location": "Where it is", "content-type": "no"}}
    }
    operation = only(lambda resolver: resolver.post("/", responses=told)(make))

    assert operation["responses"]["201"]["headers"] == {
        "location": {"description": "Where it is", "schema": {"type": "string"}}
    }


def test_a_problem_has_what_is_sent(large: dict[str, Any]) -> None:
    problem = large["components"]["schemas"]["Problem"]

    assert problem["required"] == ["title", "status", "message"]
    assert problem["properties"]["errors"]["items"]["required"] == ["at", "message"]
    assert problem["properties"]["message"]["description"] == "The same as `detail`."


def test_a_class_of_the_application_may_be_named_problem() -> None:
    def show(problem: Problem) -> None: ...

    resolver = Resolver()
    resolver.post("/")(show)
    made = document_of(resolver)

    assert made["components"]["schemas"]["Problem"]["required"] == ["why"]
    reference = made["paths"]["/"]["post"]["responses"]["default"]["content"][PROBLEM]["schema"]["$ref"]
    assert made["components"]["schemas"][reference.rpartition("/")[2]]["required"] == ["title", "status"]


def test_a_caught_error_may_be_answered_otherwise() -> None:
    resolver = Resolver()
    resolver.get("/caught")(lambda: 1)

    @resolver.catch(KeyError)
    def not_there(error: KeyError) -> tuple[dict[str, str], int]:
        return {"error": "not there"}, 404

    assert set(document_of(resolver)["paths"]["/caught"]["get"]["responses"]["default"]["content"]) == {PROBLEM, JSON}


def test_a_function_of_catch_that_raises_changes_nothing() -> None:
    resolver = Resolver()
    resolver.get("/caught")(lambda: 1)

    @resolver.catch(KeyError)
    def not_there(error: KeyError, event: Event) -> NoReturn:
        raise Conflict("it is gone")

    assert set(document_of(resolver)["paths"]["/caught"]["get"]["responses"]["default"]["content"]) == {PROBLEM}


# ---- envelopes -----------------------------------------------------------------------------------------------------


def test_an_envelope_is_around_results_and_errors(large: dict[str, Any]) -> None:
    answers = large["paths"]["/new/{id}"]["get"]["responses"]

    assert answers["200"]["content"] == {
        JSON: {
            "schema": {
                "type": "object",
                "properties": {
                    "code": {"type": "string", "const": "S00000"},
                    "message": {"type": "string", "const": "Call Success"},
                    "data": {"type": "string"},
                },
                "required": ["code", "message", "data"],
            }
        }
    }
    failure = large["components"]["schemas"][answers["default"]["content"][JSON]["schema"]["$ref"].rpartition("/")[2]]
    assert failure["required"] == ["code", "message", "data"]


def test_an_envelope_that_answers_all_with_200_has_one_answer(large: dict[str, Any]) -> None:
    answers = large["paths"]["/old/{id}"]["get"]["responses"]

    assert list(answers) == ["200", "default"]  # a path that no route takes has the form of the application
    assert list(answers["default"]["content"]) == [PROBLEM]
    good, bad = answers["200"]["content"][JSON]["schema"]["anyOf"]
    assert good["required"] == ["rslt_cd", "message", "duration", "data"]
    assert good["properties"]["data"] == {"$ref": "#/components/schemas/PartOutput"}
    assert "rslt_cd" in large["components"]["schemas"][bad["$ref"].rpartition("/")[2]]["properties"]
    plain = large["paths"]["/old/plain"]["get"]["responses"]["200"]["content"][JSON]["schema"]
    assert plain == {"$ref": "#/components/schemas/PartOutput"}


class Retired(AppError):
    code = "G1"
    status = 410
    message = "the article is retired"


class Recalled(AppError):
    code = "G2"
    status = 410
    message = "the article is recalled"


@pytest.mark.parametrize("several", [[Retired, Recalled], Retired | Recalled, {"model": (Retired, Recalled)}])
def test_one_status_has_several_errors(several: Any) -> None:
    answer = only(lambda resolver: resolver.get("/a", responses={410: several})(lambda: None))["responses"]["410"]
    assert answer["description"] == "the article is retired; the article is recalled"
    held = answer["content"][PROBLEM]
    assert held["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert [one["value"]["code"] for one in held["examples"].values()] == ["G1", "G2"]


def test_errors_of_the_application_without_a_code() -> None:
    class Refused(AppError):
        status = 403

    def show() -> None: ...

    told = only(lambda resolver: resolver.get("/", responses={403: Refused})(show))["responses"]["403"]

    assert told["description"] == "Forbidden"
    assert list(told["content"]) == [PROBLEM]


def test_an_envelope_leaves_alone_what_is_no_json() -> None:
    resolver = Resolver(envelope=Envelope())
    client = TestClient(resolver)

    @resolver.get("/list", responses={200: {"model": str, "media_type": "text/csv"}, 206: Literal["part"]})
    def listing(part: bool = False) -> Response:
        return Response.json("part", 206) if part else Response("a,b", content_type="text/csv")

    answers = document_of(resolver)["paths"]["/list"]["get"]["responses"]

    assert answers["200"]["content"] == {"text/csv": {"schema": {"type": "string"}}}
    assert client.get("/list").text == "a,b"
    assert answers["206"]["content"][JSON]["schema"] == {"type": "string", "const": "part"}
    assert client.get("/list?part=true").json() == "part"


def test_a_response_in_the_place_of_a_result_may_be_anything() -> None:
    def show() -> Response | dict[str, int] | None: ...

    answers = only(lambda resolver: resolver.get("/")(show))["responses"]
    told = only(lambda resolver: resolver.get("/", responses={200: int})(show))["responses"]

    assert set(answers["200"]["content"]) == {JSON, "*/*"}
    assert answers["200"]["content"][JSON]["schema"]["type"] == "object"
    assert "204" in answers
    assert set(told["200"]["content"]) == {JSON}
