"""The media types of answers: what the document says of a result is what the application sends for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

import jsonschema_rs
import pytest

from router import Envelope, Query, Resolver, Response
from router.testing import TestClient
from tests.unit.router.contract.openapi.documents import JSON, document_of


@dataclass
class Part:
    id: int


class State(StrEnum):
    NEW = "new"


Text = Annotated[str, Query(min_length=1)]
PART = Part(1)
RESULTS = [
    (Literal["a", "b"], "a"),
    (State, State.NEW),
    (Text, "a"),
    (Part | str, PART),
    (Part | str, "a"),
    (Part | bytes, b"a"),
    (int | Literal["a"] | None, "a"),
    (int | Literal["a"] | None, 7),
    (Part | Response, Response.html("<p>")),
    (tuple[Part, Literal[200, 202]], (PART, 202)),
    (tuple[Part | Text, Literal[206]], ("a", 206)),
    (tuple[Part, int] | tuple[str, int], ("a", 201)),
    (tuple[Part, int] | tuple[str, int], (PART, 201)),
]


@pytest.mark.parametrize("envelope", [None, Envelope(), Envelope(status=200)], ids=["bare", "enveloped", "always 200"])
@pytest.mark.parametrize(("annotation", "result"), RESULTS, ids=str)
def test_what_is_sent_is_what_the_document_says(annotation: Any, result: Any, envelope: Any) -> None:
    def show() -> Any:
        return result

    show.__annotations__["return"] = annotation
    resolver = Resolver(envelope=envelope)
    resolver.get("/part")(show)
    document = document_of(resolver)
    answers = document["paths"]["/part"]["get"]["responses"]

    sent = TestClient(resolver).get("/part")

    content = answers.get(str(sent.status), answers.get("2XX"))["content"]
    media = sent.headers["content-type"].partition(";")[0]
    said = content.get(media) or content["*/*"]
    if media == JSON:
        schema = {**said["schema"], "components": document["components"]}
        jsonschema_rs.Draft202012Validator(schema).validate(json.loads(sent.body))
    elif media == "text/plain":
        schema = {**said["schema"], "components": document["components"]}
        jsonschema_rs.Draft202012Validator(schema).validate(sent.text)


def test_each_part_of_a_result_has_the_media_type_that_it_is_sent_as() -> None:
    def show() -> Part | Literal["none"] | bytes:
        return PART

    resolver = Resolver()
    resolver.get("/part")(show)
    content = document_of(resolver)["paths"]["/part"]["get"]["responses"]["200"]["content"]
    assert content == {
        JSON: {"schema": {"$ref": "#/components/schemas/Part"}},
        "application/octet-stream": {"schema": {}},
        "text/plain": {"schema": {"type": "string", "const": "none"}},
    }
