"""Sessions: their values, the context that holds one, the wire, signing. See test_session_policy for the rest."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import json
import pickle
import time
from threading import Thread
from typing import Any

import pytest

from router import Resolver, ScheduleEvent, current_event, get_session, reset_session, set_session
from router.errors import BadRequest, SessionError, SessionIncomplete
from router.session import Session
from router.session_policy import SessionPolicy
from router.session_request import FromRequest
from router.signing import Signing
from router.testing import TestClient, samples

SECRET = "0123456789abcdef0123456789abcdef"
FULL = Session("acme", "u-1", {"role": "admin"}, "c-1", {"plan": "pro"})


# ---- a value -------------------------------------------------------------------------------------------------------


def test_a_session_without_anything_belongs_to_nobody() -> None:
    session = Session()
    assert (session.tenant, session.user, session.correlation_id) == (None, None, None)
    assert (dict(session.claims), dict(session.attributes)) == ({}, {})
    assert session.to_dict() == {}
    assert repr(session) == "Session()"


def test_sessions_are_equal_when_all_of_it_is() -> None:
    same = Session("acme", "u-1", {"role": "admin"}, "c-1", {"plan": "pro"})
    assert same == FULL
    assert hash(same) == hash(FULL)
    for field in ("tenant", "user", "claims", "correlation_id", "attributes"):
        assert FULL.replace(**{field: None}) != FULL
    assert same != "acme"


def test_a_session_cannot_be_changed_and_shares_nothing_with_what_it_was_made_of() -> None:
    claims, attributes = {"role": "admin"}, {"plan": "pro"}
    session = Session("acme", claims=claims, attributes=attributes)
    claims["role"] = attributes["plan"] = "other"
    assert (session.claims["role"], session.attributes["plan"]) == ("admin", "pro")
    for name in ("tenant", "user", "claims", "correlation_id", "attributes", "misspelled"):
        with pytest.raises(AttributeError):
            setattr(session, name, "other")
        with pytest.raises(AttributeError):
            delattr(session, name)
    with pytest.raises(TypeError):
        session.claims["role"] = "root"  # type: ignore[index]
    session.to_dict()["claims"]["role"] = "root"
    assert session.claims["role"] == "admin"


def test_replace_gives_another_session() -> None:
    other = FULL.replace(user="u-2", claims={})
    assert (other.tenant, other.user, dict(other.claims), FULL.user) == ("acme", "u-2", {}, "u-1")
    with pytest.raises(TypeError, match="no field tenent; it has tenant, user"):
        FULL.replace(tenent="a")


def test_copies_and_pickles_are_equal_and_do_not_hold_the_secret() -> None:
    session = SessionPolicy(signing=Signing(SECRET)).open(
        SessionPolicy(signing=Signing(SECRET)).seal('{"tenant":"acme"}')
    )
    pickled = pickle.dumps(session)
    assert SECRET.encode() not in pickled
    for other in (pickle.loads(pickled), copy.copy(session), copy.deepcopy(session)):
        assert other == session
        assert other.to_wire() == '{"tenant":"acme"}'
    assert SECRET not in repr(session)
    assert pickle.loads(pickle.dumps(FULL)) == FULL


# ---- what must be there ---------------------------------------------------------------------------------------------


def test_a_tenant_and_a_user_that_are_there_are_returned() -> None:
    assert (FULL.require_tenant(), FULL.require_user()) == ("acme", "u-1")


@pytest.mark.parametrize("session", [Session(), Session("", ""), SessionPolicy().nobody])
def test_one_that_is_missing_is_an_error_that_says_so(session: Session) -> None:
    for ask, field in ((session.require_tenant, "tenant"), (session.require_user, "user")):
        with pytest.raises(SessionIncomplete, match=f"^the session has no {field}$") as caught:
            ask()
        assert (caught.value.field, caught.value.detail) == (field, f"the {field} is missing")
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def resolver_that_needs_a_tenant() -> Resolver:
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
    ask: Any = lambda session: {"tenant": session.require_tenant()}  # noqa: E731
    resolver.get("/")(ask)
    resolver.on_queue("orders")(ask)
    resolver.on_invoke("rebuild")(ask)
    return resolver


def test_over_http_it_is_a_400_that_says_what_to_send() -> None:
    client = TestClient(resolver_that_needs_a_tenant())
    answer = client.get("/")
    assert (answer.status, answer.json()["detail"]) == (400, "the tenant is missing: send the header x-tenant")
    assert client.get("/", headers={"x-tenant": "acme"}).json() == {"tenant": "acme"}


def test_elsewhere_the_record_or_the_call_fails(caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(resolver_that_needs_a_tenant())
    failed = client.queue("orders", ["a"], message_ids=["m-1"])
    assert failed == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert "sqs orders m-1 failed: SessionIncomplete: the session has no tenant" in caplog.text
    with pytest.raises(SessionError, match="the session has no tenant"):
        client.invoke("rebuild")
    assert client.invoke("rebuild", session=Session("acme")) == {"tenant": "acme"}


@pytest.mark.parametrize("kind", [SessionIncomplete, SessionError, BadRequest])
def test_it_is_caught_as_what_it_is(kind: type[Exception]) -> None:
    resolver = resolver_that_needs_a_tenant()
    resolver.catch(kind)(lambda error: ({"field": error.field}, 418))
    assert TestClient(resolver).get("/").json() == {"field": "tenant"}


# ---- the context ---------------------------------------------------------------------------------------------------


def test_outside_of_a_handler_there_is_nobody() -> None:
    assert get_session() == Session()
    assert current_event() is None


def test_a_session_is_set_and_put_back() -> None:
    outer = set_session(Session("a"))
    inner = set_session(Session("b"))
    assert get_session().tenant == "b"
    assert current_event() is None
    reset_session(inner)
    assert get_session().tenant == "a"
    reset_session(outer)
    assert get_session() == Session()


def test_a_session_is_set_for_a_block() -> None:
    with set_session(Session("a")), set_session(Session("b")) as inner:
        assert get_session() is inner
        assert inner.tenant == "b"
    assert get_session() == Session()

    with pytest.raises(ZeroDivisionError), set_session(Session("a")):
        raise ZeroDivisionError
    assert get_session() == Session()


def test_a_handler_works_for_one_tenant_after_the_other() -> None:
    resolver = Resolver(session=SessionPolicy(signing=Signing(SECRET)))
    sent: list[tuple[str | None, str | None]] = []

    @resolver.on_schedule("nightly")
    def nightly(event: ScheduleEvent) -> None:
        for tenant in ("acme", "globex"):
            with set_session(Session(tenant)):
                sent.append((get_session().tenant, get_session().to_wire()))
        assert get_session() is event.session

    TestClient(resolver).schedule("nightly")
    assert [tenant for tenant, _ in sent] == ["acme", "globex"]
    policy = resolver.session_policy
    assert [policy.open(wire).tenant for _, wire in sent] == ["acme", "globex"]  # signed, as the policy asks for


def test_only_a_session_can_be_set() -> None:
    with pytest.raises(TypeError, match="takes a Session, not dict"):
        set_session({"tenant": "a"})  # type: ignore[arg-type]


def test_contexts_threads_and_tasks_do_not_share_it() -> None:
    seen: list[Session] = []

    async def other() -> None:
        set_session(Session("task"))

    async def main() -> None:
        await asyncio.gather(other(), other())
        seen.append(get_session())

    token = set_session(Session("a"))
    try:
        contextvars.copy_context().run(set_session, Session("b"))
        thread = Thread(target=lambda: seen.append(get_session()))
        thread.start()
        thread.join()
        asyncio.run(main())
        assert get_session().tenant == "a"
    finally:
        reset_session(token)
    assert seen == [Session(), Session("a")]


# ---- the wire ------------------------------------------------------------------------------------------------------


def test_the_wire_form_is_compact_json_of_what_is_set() -> None:
    assert Session().to_wire() is None
    assert Session("acme").to_wire() == '{"tenant":"acme"}'
    wire = FULL.to_wire()
    assert wire is not None
    assert SessionPolicy().open(wire) == SessionPolicy().open(wire.encode()) == SessionPolicy().open(json.loads(wire))
    assert SessionPolicy().open(wire) == FULL


def test_fields_it_does_not_know_are_attributes() -> None:
    session = Session.from_dict({"tenant": "a", "locale": "de", "attributes": {"plan": "pro"}})
    assert dict(session.attributes) == {"locale": "de", "plan": "pro"}
    assert Session.from_dict({"tenant": None, "claims": None, "attributes": None}) == Session()


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        ("\ud800", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("null", "expected an object, got null"),
        ('"acme"', "expected an object, got str"),
        (5, "expected an object, got int"),
        ([], "expected an object, got list"),
        ({"tenant": 5}, r"session\.tenant: expected a string, got int"),
        ({"user": {}}, r"session\.user: expected a string, got dict"),
        ({"correlation_id": []}, r"session\.correlation_id: expected a string, got list"),
        ({"claims": "admin"}, r"session\.claims: expected an object, got str"),
        ({"attributes": [1]}, r"session\.attributes: expected an object, got list"),
    ],
)
def test_a_malformed_wire_form_is_refused_by_field(wire: Any, said: str) -> None:
    with pytest.raises(SessionError, match=said):
        SessionPolicy().open(wire)


@pytest.mark.parametrize(
    ("session", "wire"),
    [
        (None, '{"correlation_id":"m-1"}'),
        ({"tenant": "acme"}, '{"tenant":"acme","correlation_id":"m-1"}'),
        ({"tenant": "acme", "correlation_id": "c-1"}, '{"tenant":"acme","correlation_id":"c-1"}'),
    ],
)
def test_a_session_passes_on_the_correlation_of_the_event_that_is_handled(session: Any, wire: str) -> None:
    seen: list[Any] = []
    resolver = Resolver()

    @resolver.on_queue("orders")
    def handle():
        token = set_session(get_session())
        seen.append(get_session().to_wire())  # a session that was set belongs to no event
        reset_session(token)
        seen.append(get_session().to_wire())

    answer = resolver.resolve(samples.sqs("orders", ["a"], session=session, message_ids=["m-1"]))
    assert answer == {"batchItemFailures": []}
    assert seen == [Session(**(session or {})).to_wire(), wire]


# ---- signing -------------------------------------------------------------------------------------------------------


def test_with_a_secret_sessions_go_out_signed_and_come_back() -> None:
    policy = SessionPolicy(signing=Signing(SECRET))
    session = policy.open(policy.seal('{"tenant":"acme"}'))
    assert session == Session("acme")
    wire = session.replace(user="u-1").to_wire()
    assert wire is not None
    assert policy.open(wire) == policy.open(json.loads(wire)) == Session("acme", "u-1")
    assert policy.open(policy.issue(FULL)) == SessionPolicy().open(SessionPolicy().issue(FULL)) == FULL
    assert SessionPolicy().issue(Session()) == "{}"


@pytest.mark.parametrize("wire", ['{"tenant":"acme"}', {"tenant": "acme"}, "{}", "null"])
def test_with_a_secret_an_unsigned_session_is_refused(wire: Any) -> None:
    with pytest.raises(SessionError, match="not signed"):
        SessionPolicy(signing=Signing(SECRET)).open(wire)


def test_a_session_of_another_secret_is_refused() -> None:
    with pytest.raises(SessionError, match="unknown key"):
        SessionPolicy(signing=Signing(SECRET)).open(SessionPolicy(signing=Signing("of another" * 4)).seal("{}"))


def test_keys_are_rotated_without_losing_messages() -> None:
    old, new = (
        SessionPolicy(signing=Signing("old key" * 5)),
        SessionPolicy(signing=Signing("new key" * 5, previous=["old key" * 5])),
    )
    assert new.open(old.seal('{"tenant":"acme"}')).tenant == "acme"
    with pytest.raises(SessionError, match="unknown key"):
        old.open(new.seal("{}"))  # only the new key signs
    assert SessionPolicy(signing=Signing(b"new key" * 5, previous="old key" * 5)).open(old.seal("{}")) == Session()


def test_a_session_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    day = 86_400
    # Unless told otherwise, one that waited in a queue as long as SQS keeps messages is still valid.
    for policy, valid, over in (
        (SessionPolicy(signing=Signing(SECRET, max_age=60)), 59, 61),
        (SessionPolicy(signing=Signing(SECRET)), 14 * day, 15 * day),
    ):
        wire = policy.seal('{"tenant":"acme"}')
        monkeypatch.setattr(time, "time", lambda valid=valid: now + valid)
        assert policy.open(wire).tenant == "acme"
        monkeypatch.setattr(time, "time", lambda over=over: now + over)
        with pytest.raises(SessionError, match="expired"):
            policy.open(wire)
        monkeypatch.setattr(time, "time", lambda: now)


def test_a_session_that_was_set_in_a_handler_is_signed_like_the_one_it_replaces() -> None:
    policy = SessionPolicy(signing=Signing(SECRET))
    outer = set_session(policy.nobody)
    mine = Session("acme")
    inner = set_session(mine)
    try:
        wire = get_session().to_wire()
        assert wire is not None
        assert policy.open(wire) == mine
        assert mine.to_wire() == '{"tenant":"acme"}'  # the one that was handed in is left as it was
    finally:
        reset_session(inner)
        reset_session(outer)
