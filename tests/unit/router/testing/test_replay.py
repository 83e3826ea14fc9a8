"""Replaying recordings: what counts as a change, what is refused, and what is never called."""

from __future__ import annotations

import gzip
import json
import socket
from base64 import b64encode
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from router import (
    ConfigurationError,
    Event,
    HttpEvent,
    QueueEvent,
    Recorder,
    Resolver,
    Response,
    Session,
    SessionPolicy,
    Signing,
    Unauthorized,
)
from router.testing import TestClient
from router.testing.replay import NetworkRefused, RecordingError, no_network, recordings, replayed
from router.testing.replay.differences import Ignoring, compare
from router.testing.replay.views import view

PASSWORD = "hunter2-hunter2"
SIGNING = Signing("0123456789abcdef0123456789abcdef")


def _app(folder: Path | None, *, version: int = 1, **options: Any) -> Resolver:
    """Return an application whose second version answers otherwise."""
    resolver = Resolver(session=SessionPolicy(signing=SIGNING))
    if folder is not None:
        resolver.use(Recorder(folder, **options))

    @resolver.post("/orders")
    def order(event: HttpEvent) -> Any:
        held = event.json()
        if version == 2 and held.get("break"):
            raise KeyError("total")
        return Response.json(
            {"id": held.get("id"), "total": version, "password": held.get("password")},
            headers={"x-version": str(version), "date": f"{version}"},
        )

    @resolver.get("/me")
    def me(event: HttpEvent) -> Any:
        if event.headers.get("authorization") != "Bearer right-token-1":
            raise Unauthorized("who?")
        return "you"

    @resolver.on_queue("jobs")
    def job(event: QueueEvent, session: Session) -> None:
        if version == 1 and event.json() == 2:
            raise ValueError("two")
        if session.tenant not in (None, "acme"):
            raise ValueError("tenant")

    return resolver


def test_the_same_code_answers_the_same(tmp_path: Path) -> None:
    resolver = _app(tmp_path)
    client = TestClient(resolver)
    client.post("/orders", json={"id": 1, "password": PASSWORD})
    client.queue("jobs", [1, 2])

    made = replayed(resolver, tmp_path)
    assert str(made) == "0 changed, 2 the same"
    made.check()
    assert len(list(tmp_path.iterdir())) == 2  # a replay is not recorded


def test_what_changed_is_shown(tmp_path: Path) -> None:
    client = TestClient(_app(tmp_path))
    client.post("/orders", json={"id": 1, "password": PASSWORD})
    client.post("/orders", json={"id": 1, "break": True})
    client.queue("jobs", [1, 2])

    made = replayed(_app(None, version=2), tmp_path)
    first, second, third = made.changed
    assert [str(one) for one in first.differences] == ['headers.x-version: "1" -> "2"', "body.total: 1 -> 2"]
    assert "status: 200 -> 500" in [str(one) for one in second.differences]
    assert second.because[0].startswith("KeyError: 'total' (test_replay.py:")
    assert third.differences[0].path == "failures[0]"
    with pytest.raises(AssertionError, match="3 changed, 0 the same"):
        made.check()


def test_both_sides_are_compared_without_secrets(tmp_path: Path) -> None:
    """A payload that is masked when it is written, and answers that are compared as they are, would always differ."""
    client = TestClient(_app(tmp_path))
    client.post("/orders", json={"id": 1, "password": PASSWORD})
    [one] = recordings(tmp_path)
    assert json.loads(one.answer["body"])["password"] == "***"

    made = replayed(_app(None), one, fill={"password": "another-secret-9"})
    assert not made.changed
    assert "another-secret-9" not in json.dumps(made.data())


def test_places_can_be_ignored(tmp_path: Path) -> None:
    TestClient(_app(tmp_path)).post("/orders", json={"id": 1})

    resolver = _app(None, version=2)
    assert not replayed(resolver, tmp_path, ignore=["body.total", "headers.X-Version"]).changed
    (tmp_path / "replay.json").write_text('{"ignore": ["body.*", "headers.x-version"]}')
    assert not replayed(resolver, tmp_path).changed


def test_a_rule_that_meets_nothing_is_said(tmp_path: Path) -> None:
    resolver = _app(tmp_path)
    TestClient(resolver).post("/orders", json={"id": 1})
    made = replayed(resolver, tmp_path, ignore=["body.totl"], fill={"iban": "x"})
    assert made.problems == ["ignore 'body.totl' has met nothing in any answer", "fill 'iban' has met no mask"]
    with pytest.raises(AssertionError, match="totl"):
        made.check()


def test_a_rule_of_the_recorder_that_found_nothing_fails_the_replay(tmp_path: Path) -> None:
    resolver = _app(tmp_path, redact=["ibam", "id"])
    TestClient(resolver).post("/orders", json={"id": 1, "iban": "DE02"})
    for replay in (lambda: replayed(resolver, tmp_path), lambda: recordings(tmp_path)):
        with pytest.raises(RecordingError, match="the rule 'ibam' of the recorder has found nothing"):
            replay()
    assert not replayed(resolver, tmp_path, unmatched=["ibam"]).changed
    (tmp_path / "replay.json").write_text('{"unmatched": ["ibam"]}')
    assert len(recordings(tmp_path)) == 1


def test_masks_are_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = _app(tmp_path)
    TestClient(resolver).get("/me", headers={"Authorization": "Bearer right-token-1"})

    made = replayed(resolver, tmp_path)
    assert "hint: the recording has masks at headers.Authorization" in str(made)
    monkeypatch.setenv("TEST_TOKEN", "right-token-1")
    assert not replayed(resolver, tmp_path, fill={"authorization": "Bearer $TEST_TOKEN"}).changed
    with pytest.raises(RecordingError, match="the variable NOT_SET is not set"):
        replayed(resolver, tmp_path, fill={"authorization": "$NOT_SET"})

    def prepare(payload: Any, _: object) -> Any:
        payload["headers"]["Authorization"] = payload["multiValueHeaders"]["Authorization"][0] = "Bearer right-token-1"
        return payload

    assert not replayed(resolver, tmp_path, prepare=prepare).changed


def test_sessions_are_signed_again(tmp_path: Path) -> None:
    resolver = _app(tmp_path)
    assert TestClient(resolver).queue("jobs", [1], session=Session(tenant="acme")) == {"batchItemFailures": []}
    assert '\\"sig\\":\\"***\\"' in next(tmp_path.iterdir()).read_text()
    assert not replayed(resolver, tmp_path).changed


# ---- the network ---------------------------------------------------------------------------------------------------


def test_nothing_leaves_the_machine(tmp_path: Path) -> None:
    resolver = Resolver().use(Recorder(tmp_path))
    calls = [False]

    @resolver.get("/")
    def rates() -> str:
        if not calls[0]:
            return "ok"
        try:
            socket.create_connection(("192.0.2.1", 443), timeout=5)
        except Exception:
            pass
        return "ok"

    TestClient(resolver).get("/")
    calls[0] = True
    [changed] = replayed(resolver, tmp_path).changed
    [refused] = changed.refused
    assert refused.startswith("192.0.2.1:443 was called by ")
    assert "test_replay.py" in refused
    assert "rates" in refused


def test_names_are_not_looked_up_and_this_machine_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, no_network() as refused:
        socket.create_connection(server.getsockname(), timeout=5).close()
        with pytest.raises(NetworkRefused, match=r"example\.com:443"):
            socket.getaddrinfo("example.com", 443)
        with socket.socket(type=socket.SOCK_DGRAM) as udp, pytest.raises(NetworkRefused):
            udp.sendto(b"x", ("192.0.2.1", 53))
    assert len(refused) == 2
    assert "connect" not in vars(socket.socket)


def test_a_call_of_aws_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    client = boto3.client("dynamodb", region_name="eu-west-1")
    resolver = Resolver().use(Recorder(tmp_path))
    recorded = [False]
    resolver.get("/")(lambda: client.list_tables() if recorded[0] else "ok")
    TestClient(resolver).get("/")
    recorded[0] = True
    [changed] = replayed(resolver, tmp_path).changed
    assert "dynamodb.eu-west-1.amazonaws.com:443" in changed.refused[0]
    assert "(dynamodb: ListTables)" in changed.refused[0]


# ---- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "it is not JSON"),
        ("[]", 'it has no "format"'),
        ('{"format": 2, "library": "9.0"}', "has the format 2, written by version 9.0; this version reads format 1"),
        ('{"format": 1}', "is broken: 'id' is missing"),
        (b"\xff\xfe", "it is not JSON"),
    ],
)
def test_a_broken_recording_is_named(tmp_path: Path, content: str | bytes, told: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RecordingError) as caught:
        recordings(tmp_path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)


def test_a_field_of_the_wrong_kind_is_named(tmp_path: Path) -> None:
    TestClient(_app(tmp_path)).post("/orders", json={"id": 1})
    [path] = tmp_path.iterdir()
    whole = json.loads(path.read_text())
    for change in ({"redact": {"rules": [1], "keep": [], "hits": {}}}, {"error": "x"}, {"masked": None}):
        path.write_text(json.dumps({**whole, **change}))
        with pytest.raises(RecordingError, match="is broken"):
            recordings(tmp_path)
    del whole["payload"]
    path.write_text(json.dumps(whole))
    with pytest.raises(RecordingError, match="'payload' is missing"):
        recordings(tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is not JSON"),
        ("[]", "give an object"),
        ('{"ignored": []}', "'ignored' is not a setting; there are application, ignore, fill, unmatched"),
        ('{"ignore": "body"}', "'ignore' is a list of texts"),
        ('{"ignore": [1]}', "'ignore' is a list of texts"),
        ('{"fill": []}', "'fill' is an object"),
    ],
)
def test_broken_settings_are_named(tmp_path: Path, content: str, told: str) -> None:
    TestClient(_app(tmp_path)).post("/orders", json={"id": 1})
    (tmp_path / "replay.json").write_text(content)
    with pytest.raises(RecordingError, match=r"replay\.json: ") as caught:
        replayed(_app(None), tmp_path)
    assert told in str(caught.value)


def test_folders_that_hold_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="there are no recordings in it"):
        recordings(tmp_path)
    with pytest.raises(RecordingError, match="there is no such folder"):
        recordings(tmp_path / "nowhere")


@pytest.mark.parametrize("rule", ["", "id", "body..id", "body.items[0]", 5])
def test_a_place_that_can_never_match_is_refused(tmp_path: Path, rule: Any) -> None:
    TestClient(_app(tmp_path)).post("/orders", json={"id": 1})
    with pytest.raises(ConfigurationError, match="ignore"):
        replayed(_app(None), tmp_path, ignore=[rule])


def test_errors_are_compared(tmp_path: Path) -> None:
    def app(folder: Path | None, message: str) -> Resolver:
        resolver = Resolver()
        if folder is not None:
            resolver.use(Recorder(folder))

        @resolver.on_invoke("x")
        def fail(event: Event) -> None:
            raise ValueError(message)

        return resolver

    with pytest.raises(ValueError, match="old"):
        TestClient(app(tmp_path, "old")).invoke("x")
    assert not replayed(app(None, "old"), tmp_path).changed
    assert 'error.message: "old" -> "new"' in str(replayed(app(None, "new"), tmp_path))


def test_ids_and_times_are_pointed_out(tmp_path: Path) -> None:
    resolver = Resolver().use(Recorder(tmp_path))
    count = iter(range(10, 60))

    @resolver.get("/")
    def made() -> Any:
        held = {"id": str(uuid4()), "at": f"2026-11-30T12:00:{next(count)}Z", "name": "a"}
        return {"orders": [held], "count": len(held)}

    TestClient(resolver).get("/")
    text = str(replayed(resolver, tmp_path))
    assert "hint: these look like ids and times; ignore them: body.orders.id, body.orders.at\n1 changed" in text
    assert not replayed(resolver, tmp_path, ignore=["body.orders.id", "body.orders.at"]).changed


def test_guards_may_stand_inside_of_one_another() -> None:
    with no_network() as outer, no_network() as inner, pytest.raises(NetworkRefused):
        socket.gethostbyname("example.com")
    assert (len(inner), len(outer)) == (1, 0)
    assert socket.gethostbyname("127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (None, {"answer": None}),
        ({"a": 1}, {"answer": {"a": 1}}),
        ({"batchItemFailures": [], "state": {"n": 1}}, {"failures": [], "answer": {"state": {"n": 1}}}),
        (
            {"statusCode": 200, "headers": {"Date": "x", "A": "1"}, "cookies": ["b=2", "a=1"], "body": "{"},
            {"status": 200, "headers": {"a": "1"}, "cookies": ["a=1", "b=2"], "body": "{"},
        ),
        (
            {"statusCode": 204, "headers": {"a": "1"}, "multiValueHeaders": {"a": ["1", "2"], "Set-Cookie": ["c=3"]}},
            {"status": 204, "headers": {"a": "1, 2"}, "cookies": ["c=3"]},
        ),
        (
            {"status": "302", "headers": {"location": [{"key": "Location", "value": "/a"}]}},
            {"status": 302, "headers": {"location": "/a"}},
        ),
        (
            {
                "statusCode": 200,
                "headers": {"content-encoding": "gzip"},
                "body": b64encode(gzip.compress(b'{"a": 1}')).decode(),
                "isBase64Encoded": True,
            },
            {"status": 200, "headers": {"content-encoding": "gzip"}, "body": {"a": 1}},
        ),
        (
            {"statusCode": 200, "body": b64encode(b"\xff").decode(), "isBase64Encoded": True},
            {"status": 200, "headers": {}, "body": "<1 bytes, SHA-256 a8100ae6aa1940d0>"},
        ),
        ({"statusCode": 200, "body": "%", "isBase64Encoded": True}, {"status": 200, "headers": {}, "body": "%"}),
    ],
)
def test_an_answer_is_compared_as_a_caller_sees_it(answer: Any, seen: Any) -> None:
    assert view(answer, None) == seen


def test_the_error_that_ended_a_stream_is_beside_its_answer() -> None:
    seen = view({"statusCode": 200, "body": "a"}, {"type": "OSError", "message": "gone"})
    assert seen["body"] == "a"
    assert seen["error"] == {"type": "OSError", "message": "gone"}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, ["a: 1 -> true"]),
        ({"a": None}, {}, ["a: is gone: null"]),
        ({}, {"a": [1, {"b": 2}]}, ['a: is new: [1, {"b": 2}]']),
        ({"a": [1, 2]}, {"a": [1]}, ["a[1]: is gone: 2"]),
        ({"a": "x" * 200}, {"a": 1}, ['a: "' + "x" * 159 + "... (202 characters) -> 1"]),
        ({"a": "one\ntwo\nthree"}, {"a": "one\n2\nthree"}, ["a:\n  @@ -1,3 +1,3 @@\n   one\n  -two\n  +2\n   three"]),
        ({"body": {"id": 1}}, {"body": "text"}, ['body: {} -> "text"']),
    ],
)
def test_differences_are_written_for_people(before: Any, after: Any, told: list[str]) -> None:
    ignoring = Ignoring(["body.id"])
    assert [str(one) for one in compare(before, after, ignoring)] == told
