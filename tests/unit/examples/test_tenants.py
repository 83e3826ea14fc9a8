"""The tenants example does what its comments say."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from examples.tenants import storage
from examples.tenants.app import resolver
from router.testing import TestClient

ANN = {"custom:tenant": "acme", "sub": "ann"}
ADA = {"custom:tenant": "acme", "sub": "ada", "role": "admin"}
BOB = {"custom:tenant": "globex", "sub": "bob", "role": "viewer"}


@pytest.fixture(autouse=True)
def _empty() -> None:
    storage.forget_everything()


@pytest.fixture
def client() -> TestClient:
    return TestClient(resolver)


def as_user(claims: dict[str, str]) -> dict[str, Any]:
    """What the authorizer of a REST API adds to a request."""
    return {"authorizer": {"claims": claims}}


def outcomes(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    lines = [json.loads(record.message) for record in caplog.records if record.name == "tenants.audit"]
    return [(line["route"], line["user"], line["outcome"]) for line in lines]


def test_notes_belong_to_the_tenant(client: TestClient) -> None:
    added = client.post("/notes", json={"text": "buy milk"}, **as_user(ANN))

    assert (added.status, added.json()) == (201, {"id": 1, "by": "ann"})
    assert client.get("/notes", **as_user(ADA)).json() == [{"id": 1, "text": "buy milk"}]
    assert client.get("/notes", **as_user(BOB)).json() == []
    assert client.get("/notes/1", **as_user(BOB)).status == 404


def test_nothing_runs_without_a_tenant(client: TestClient) -> None:
    assert client.get("/notes").status == 400
    assert len(client.queue("notes-import", [{"text": "whose?"}])["batchItemFailures"]) == 1
    assert storage._notes_of == {}


def test_an_empty_note_is_told_to_the_client(client: TestClient) -> None:
    answer = client.post("/notes", json={"text": " "}, **as_user(ANN))

    assert answer.status == 422
    assert "the text is empty" in answer.text


def test_permissions_tell_administrators_from_others(client: TestClient) -> None:
    client.post("/notes", json={"text": "two words"}, **as_user(ANN))

    assert client.get("/admin/summary", **as_user(ANN)).status == 403
    assert client.get("/admin/summary", **as_user(BOB)).status == 403
    assert client.get("/admin/summary", **as_user(ADA)).json() == {"notes": 1, "words": 2}
    assert client.delete("/admin/notes", **as_user(ADA)).status == 204
    assert client.get("/notes", **as_user(ANN)).json() == []


def test_the_time_limit_answers_in_the_place_of_a_slow_handler(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(texts: list[str]) -> int:
        import asyncio

        return await asyncio.get_running_loop().create_future()

    monkeypatch.setattr("examples.tenants.admin.count_words", never)
    answer = client.get("/admin/summary", **as_user(ADA))

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


def test_one_call_takes_in_the_notes_of_one_session(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "tenants.audit"):
        answer = client.queue(
            "notes-import", [{"text": "one"}, {"text": "two"}], session={"tenant": "acme", "user": "ann"}
        )

    assert answer == {"batchItemFailures": []}
    assert [note["text"] for note in client.get("/notes", **as_user(ANN)).json()] == ["one", "two"]
    assert outcomes(caplog) == [("sqs notes-import", "ann", "done")]


def test_a_unit_of_work_that_failed_leaves_nothing_behind(client: TestClient) -> None:
    answer = client.queue("notes-import", [{"text": "kept?"}, {"text": ""}], session={"tenant": "acme"})

    assert len(answer["batchItemFailures"]) == 2
    assert client.get("/notes", **as_user(ANN)).json() == []


def test_the_quota_is_a_429_over_http_and_no_reason_to_retry_on_a_queue(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(storage.MOST_NOTES):
        client.post("/notes", json={"text": f"note {number}"}, **as_user(ANN))

    with caplog.at_level(logging.INFO, "tenants.audit"):
        refused = client.post("/notes", json={"text": "one more"}, **as_user(ANN))
        answer = client.queue("notes-import", [{"text": "one more"}], session={"tenant": "acme"})

    assert (refused.status, refused.json()["detail"]) == (429, "acme has 5 notes already")
    assert answer == {"batchItemFailures": []}
    assert outcomes(caplog) == [
        ("POST /notes", "ann", "QuotaExceeded"),
        ("sqs notes-import", None, "QuotaExceeded"),
    ]


def test_the_groups_give_their_routes_prefix_and_tags() -> None:
    assert {(str(route), route.tags) for route in resolver.routes} == {
        ("POST /notes", ("notes",)),
        ("GET /notes", ("notes",)),
        ("GET /notes/{number:int}", ("notes",)),
        ("GET /admin/summary", ("admin",)),
        ("DELETE /admin/notes", ("admin",)),
        ("sqs notes-import", ()),
    }
