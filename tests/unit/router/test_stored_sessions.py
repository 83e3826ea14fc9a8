"""A signed session that is kept in an item: its signature counts, its age does not."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from router import Event, Resolver, Session, SessionPolicy, Signing
from router.testing import TestClient, samples

POLICY = SessionPolicy(signing=Signing("at least thirty-two bytes of secret text", max_age=60), body_field="session")
WIRE = POLICY.issue(Session("acme", "ann"))


@pytest.fixture
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr("router.signing.time.time", lambda: now + 3600)


def application(seen: list[Any]) -> TestClient:
    resolver = Resolver(session=POLICY)

    def note(event: Event) -> None:
        seen.append(event.session.tenant)

    resolver.on_stream("orders")(note)
    resolver.on("documentdb")(note)
    resolver.on_queue("orders")(note)
    return TestClient(resolver)


@pytest.mark.usefixtures("_later")
@pytest.mark.parametrize(
    "change",
    [
        ("MODIFY", {"id": 1, "session": WIRE}, {"id": 1, "session": WIRE}),
        ("REMOVE", {"id": 1, "session": WIRE}, None),
        ("INSERT", None, {"id": 1, "session": json.loads(WIRE)}),
    ],
)
def test_a_change_of_an_old_item_holds_up_no_shard(change: Any) -> None:
    seen: list[Any] = []
    assert application(seen).stream("orders", [change]) == {"batchItemFailures": []}
    assert seen == ["acme"]


@pytest.mark.usefixtures("_later")
def test_a_document_likewise_and_a_message_not() -> None:
    seen: list[Any] = []
    client = application(seen)
    client.event(samples.documentdb("orders", [{"session": WIRE}]))
    assert seen == ["acme"]
    assert client.queue("orders", [{"session": WIRE}])["batchItemFailures"]
    assert client.queue("orders", ["{}"], session=WIRE)["batchItemFailures"]


def test_a_stored_session_is_refused_when_it_was_altered() -> None:
    altered = WIRE.replace("acme", "evil")
    seen: list[Any] = []
    failed = application(seen).stream("orders", [("INSERT", None, {"id": 1, "session": altered})])
    assert failed["batchItemFailures"]
    assert seen == []
