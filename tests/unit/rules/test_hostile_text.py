"""Whatever text stands in a payload: nobody becomes somebody, and nothing but the library's own errors comes out."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from router import BadRequest, Event, FromRequest, Session, SessionPolicy, Signing, Source
from router.sources import cloudformation
from router.sources._registry import ROWS
from router.testing import samples
from scripts.security_table import UNSIGNED, WRITERS, believed, objects, place, with_sessions
from tests.unit.router.sources.payload_cases import read_all
from tests.unit.rules.payloads import Application, payloads, texts, with_texts

SIGNED = SessionPolicy(signing=Signing("the key of somebody else, 32 bytes at least")).seal(UNSIGNED)


def in_sns(session: str) -> str:
    """An envelope as SNS puts it into a queue, with a session among its attributes."""
    attributes = {"session": {"Type": "String", "Value": session}}
    envelope = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:orders", "MessageId": "m", "Message": "{}"}
    return json.dumps({**envelope, "Timestamp": "2026-01-01T00:00:00.000Z", "MessageAttributes": attributes})


def in_bus(session: str) -> str:
    """An event as EventBridge puts it into a queue, with a session in its metadata."""
    event = {"version": "0", "id": "i", "detail-type": "OrderPlaced", "source": "shop", "resources": []}
    return json.dumps({**event, "time": "2026-01-01T00:00:00Z", "detail": {"metadata": {"session": session}}})


FORGED = {
    "a session": UNSIGNED,
    "a session that somebody else signed": SIGNED,
    "an envelope of SNS": in_sns(UNSIGNED),
    "an envelope of SNS with a signed one": in_sns(SIGNED),
    "an envelope of EventBridge": in_bus(UNSIGNED),
    "an object with a session": json.dumps({"session": json.loads(UNSIGNED)}),
    "an object with a signed one": json.dumps({"session": json.loads(SIGNED)}),
}
FORGED |= {f"{name}, in base64": b64encode(text.encode()).decode() for name, text in FORGED.items()}
ODD = {
    "100 kB": "x" * 100_000,
    "100 kB of JSON": json.dumps(["x" * 50] * 1_800),
    "a lone surrogate": "a\ud800b",
    "lists in lists": "[" * 5_000,
    "lists in lists, closed": "[" * 5_000 + "]" * 5_000,
    "objects in objects": '{"a":' * 5_000,
    "line breaks": "a\r\nb: c\x00",
}
SIGNING = SessionPolicy(
    signing=Signing("the key of this application, 32 bytes at least"),
    request=FromRequest(session_header="x-session", tenant_claim="tenant", user_claim="sub", claims=True),
    lambda_tenant=True,
    body_field="session",
)


@pytest.fixture(autouse=True, scope="module")
def _quiet_and_offline() -> Iterator[None]:
    """Nothing is sent to CloudFormation, and thousands of expected errors are not logged."""
    logging.disable(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloudformation, "_put", lambda url, body: (None, False))
        yield
    logging.disable(logging.NOTSET)


def forged_payloads(source: Source, forged: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Each payload of a source with a forged session in each place, and where it is."""
    for build in payloads(source).values():
        yield from with_texts(build(), forged)
        for path, raw in with_sessions(build()):
            yield f"a session in {path}", raw


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("options", [{}, {"asynchronous": True}, {"batch": True}, {"unpack": True}], ids=str)
def test_with_signing_nobody_becomes_somebody(source: Source, options: dict[str, Any]) -> None:
    seen: list[Session] = []
    application = Application(lambda event: seen.append(event.session), session=SIGNING, **options)
    few = {name: text for name, text in FORGED.items() if "somebody else" not in name and "signed" not in name}
    for where, raw in forged_payloads(source, few if options else FORGED):
        application.resolve(raw)
        assert all("evil" not in (session.tenant, session.user) for session in seen), f"{source.value}: {where}"
        seen.clear()


@pytest.mark.parametrize("source", Source)
def test_what_a_client_writes_is_never_a_session(source: Source) -> None:
    """Signed or not, with `body_field` or not."""
    client = WRITERS[source.value].client
    seen: list[Session] = []
    for policy in (SessionPolicy(), SessionPolicy(body_field="session")):
        application = Application(lambda event: seen.append(event.session), session=policy)
        raw = samples.SAMPLES[source.value]()
        inside = [(holder, key) for holder, key, path in texts(raw) if place(path, source).startswith(client)]
        for holder, key in inside if client else []:
            for name, text in FORGED.items():
                kept, holder[key] = holder[key], text
                application.resolve(raw)
                assert seen == [] or seen[0] == Session(seen[0].tenant, seen[0].user), name
                assert all("evil" not in (session.tenant, session.user) for session in seen), f"{name} in {key}"
                holder[key] = kept
                seen.clear()
    for where in believed(source):
        assert not client or not where.startswith(client), f"{source.value}: a client writes {where}"


@pytest.mark.parametrize("source", Source)
def test_the_places_that_a_client_writes_are_there(source: Source) -> None:
    raw = samples.SAMPLES[source.value]()
    places = {place((*path, key), source) for holder, path in objects(raw) for key in holder}
    assert set(WRITERS[source.value].client) <= places


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("source", Source)
def test_odd_text_in_any_place_is_read_or_refused(source: Source, fails: bool) -> None:
    unexpected: list[BaseException] = []

    def handle(event: Event) -> Any:
        read_all(event)
        if fails:
            raise BadRequest(event.id)
        return {"ok": True} if event._speaks_http else None

    application = Application(handle)
    application.resolver.on_error(unexpected.append)
    for build in payloads(source).values():
        for where, raw in with_texts(build(), ODD):
            answer = application.resolve(raw)
            strange = [error for error in unexpected if not type(error).__module__.startswith("router")]
            assert strange == [], f"{source.value}: {where}"
            if not isinstance(answer, Exception):  # the runtime client can write it
                json.dumps(answer, ensure_ascii=False).encode()
            else:
                str(answer).encode()
            unexpected.clear()


def test_each_source_has_its_rules() -> None:
    """A source without a payload would be in no rule."""
    for source in Source:
        assert payloads(source), source
        assert list(texts(samples.SAMPLES[source.value]())), f"{source.value}: its sample holds no text"
        assert ROWS[source].source is source
