"""`LegacySessions`: sessions in the form of older services, read and written beside our own."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest

from adapters._core.outgoing import reserved_keys, session_forms
from router import Event, LegacySessions, Resolver, Session, SessionPolicy, Signing, session_legacy, set_session
from router.errors import ConfigurationError, SessionError
from router.testing import TestClient, samples
from tests.unit.router.test_session_policy import event_of

SECRET = "0123456789abcdef0123456789abcdef"
OLD = {"state": "acme", "user": {"_id": "u1", "role": "admin", "password": "hash"}}
READS = LegacySessions()
ALL = {"message": "base64", "task": "json", "invoke": "json", "execution": "json"}
HER = Session("acme", "u1", {"role": "admin"})


def encoded(session: Any) -> str:
    """A session as version 1 of the older services sends it."""
    return base64.b64encode(json.dumps(session).encode()).decode()


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_legacy, "_told", set())


# ---- reading -------------------------------------------------------------------------------------------------------


ARRIVALS = {
    "sqs": samples.sqs("orders", ["{}"], session=json.dumps(OLD)),
    "sqs, Base64": samples.sqs("orders", ["{}"], session=encoded(OLD)),
    "sns": samples.sns("orders", ["{}"], session=encoded(OLD)),
    "sns in sqs, raw": samples.sns_in_sqs("orders", ["{}"], raw=True, session=encoded(OLD)),
    "invoke": {"session": OLD, "data": {"a": 1}},
    "task": {"TASK_NAME": "nightly", "SESSION": json.dumps(OLD)},
}


@pytest.mark.parametrize("way", ARRIVALS)
def test_the_old_form_is_read_where_it_arrives(way: str) -> None:
    event = event_of(ARRIVALS[way], SessionPolicy(legacy=READS))
    assert event.session == HER


def test_without_the_setting_the_old_form_is_refused_or_nobodys() -> None:
    assert event_of(samples.sqs("orders", ["{}"], session='{"state": "acme"}')).session.tenant is None
    with pytest.raises(SessionError, match="expected a string, got dict"):
        _ = event_of(samples.sqs("orders", ["{}"], session=json.dumps(OLD))).session


@pytest.mark.parametrize(
    ("old", "session"),
    [
        ({"state": "acme"}, Session("acme")),
        ({"state": "acme", "user": None}, Session("acme")),
        ({"user": {"_id": 7}}, Session(user="7")),
        (
            {"state": "acme", "user": {"_id": {"$oid": "65f0"}, "email": "a@b"}},
            Session("acme", "65f0", {"email": "a@b"}),
        ),
        ({"state": "acme", "user": {"name": "bot"}}, Session("acme", None, {"name": "bot"})),
        ({"state": "acme", "user": "u1"}, Session("acme", "u1")),
        ({"state": "acme", "plan": "pro"}, Session("acme", attributes={"plan": "pro"})),
        ({}, Session()),
    ],
)
def test_each_part_of_the_old_form_has_its_place(old: Any, session: Session) -> None:
    assert (
        event_of(samples.sqs("orders", ["{}"], session=json.dumps(old)), SessionPolicy(legacy=READS)).session == session
    )


@pytest.mark.parametrize(
    "wire",
    [
        *("not json", "e30", "[]", '"text"', "", "{", "eyJh", "4pyTIMOg4pyT"),
        *('{"state": 1}', '{"state": "a", "user": {"_id": 1.5}}', '{"state": "a", "user": {"_id": ["x"]}}'),
        *(
            '{"state": "a", "user": {"_id": true}}',
            '{"state": "a", "user": {"_id": {"a": 1}}}',
            '{"state": "a", "user": 7}',
        ),
        '{"state": "a", "claims": "x"}',
    ],
)
def test_what_is_neither_form_is_refused(wire: str) -> None:
    policy = SessionPolicy(legacy=READS)
    with pytest.raises(SessionError, match="session"):
        _ = event_of(samples.sqs("orders", ["{}"], session=wire), policy).session


def test_our_own_form_is_read_under_either_name_and_wins() -> None:
    policy = SessionPolicy(legacy=READS)
    assert policy.attribute == "junction-session"
    ours = samples.sqs("orders", ["{}"], session='{"tenant": "globex", "user": "bob"}')
    assert event_of(ours, policy).session == Session("globex", "bob")
    both = samples.sqs("orders", ["{}"], session=json.dumps(OLD))
    own = {"dataType": "String", "stringValue": '{"tenant": "globex"}'}
    both["Records"][0]["messageAttributes"]["junction-session"] = own
    assert event_of(both, policy).session == Session("globex")
    own["stringValue"] = "nonsense"
    with pytest.raises(SessionError):
        _ = event_of(both, policy).session


def test_a_task_has_ours_in_a_variable_of_its_own() -> None:
    environment = {"TASK_NAME": "nightly", "SESSION": json.dumps(OLD), "JUNCTION_SESSION": '{"tenant": "globex"}'}
    for policy in (SessionPolicy(legacy=READS), SessionPolicy()):
        assert event_of(environment, policy).session == Session("globex")


def test_other_names_than_the_usual_ones() -> None:
    legacy = LegacySessions(tenant="tenant", user="who", user_id="id", attribute="ctx", drop=())
    policy = SessionPolicy(legacy=legacy)
    raw = samples.invoke("rebuild")
    raw["ctx"] = {"tenant": "acme", "who": {"id": "u1", "password": "kept"}}
    assert event_of(raw, policy).session == Session("acme", "u1", {"password": "kept"})


# ---- a field of the body -------------------------------------------------------------------------------------------

IN_BODY = LegacySessions(body_fields=("constitution_state", "content.constitution_state"))


@pytest.mark.parametrize(
    ("body", "tenant"),
    [
        ({"constitution_state": "acme"}, "acme"),
        ({"content": {"constitution_state": "acme"}}, "acme"),
        ({"constitution_state": "", "content": {"constitution_state": "acme"}}, "acme"),
        *(({"constitution_state": odd}, None) for odd in (None, 1, {"a": 1}, ["acme"])),
        *(([], None), ("text", None), (None, None), ({"content": "text"}, None)),
    ],
)
def test_a_field_may_hold_the_tenants_name_alone(body: Any, tenant: str | None) -> None:
    for raw in (samples.sqs("orders", [json.dumps(body)]), samples.sns_in_sqs("orders", [json.dumps(body)])):
        assert event_of(raw, SessionPolicy(legacy=IN_BODY)).session.tenant == tenant


def test_a_session_that_travels_beats_the_field_of_the_body() -> None:
    raw = samples.sqs("orders", ['{"constitution_state": "globex"}'], session=json.dumps(OLD))
    assert event_of(raw, SessionPolicy(legacy=IN_BODY)).session.tenant == "acme"


def test_a_body_that_is_no_json_has_no_field() -> None:
    assert event_of(samples.sqs("orders", ["no json"]), SessionPolicy(legacy=IN_BODY)).session.tenant is None


def test_a_client_cannot_name_a_tenant_in_its_body() -> None:
    resolver = Resolver(session=SessionPolicy(legacy=IN_BODY))

    @resolver.post("/orders")
    def take(session: Session) -> str | None:
        return session.tenant

    answer = TestClient(resolver).post(
        "/orders", json={"constitution_state": "acme"}, headers={"session": json.dumps(OLD)}
    )
    assert answer.body in ("null", "", None, b"")


# ---- the envelope of a direct invoke -------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [{"session": OLD, "data": {"a": 1}}, {"data": {"a": 1}}])
def test_the_old_envelope_of_a_call_is_opened(payload: Any) -> None:
    assert event_of(payload, SessionPolicy(legacy=READS)).json() == {"a": 1}
    assert event_of({"session": OLD}, SessionPolicy(legacy=READS)).json() is None


def test_a_payload_that_only_has_data_among_others_is_no_envelope() -> None:
    payload = {"data": {"a": 1}, "id": "7"}
    assert event_of(payload, SessionPolicy(legacy=READS)).json() == payload
    assert event_of({"data": 1}, SessionPolicy()).json() == {"data": 1}


# ---- signing -------------------------------------------------------------------------------------------------------


def test_with_signing_the_old_form_counts_only_where_the_setting_says_so(caplog: pytest.LogCaptureFixture) -> None:
    raw = samples.sqs("orders", ["{}"], session=encoded(OLD))
    with pytest.raises(SessionError):
        _ = event_of(raw, SessionPolicy(legacy=READS, signing=Signing(SECRET))).session
    elsewhere = SessionPolicy(legacy=READS, signing=Signing(SECRET), unsigned_from="invoke")
    with pytest.raises(SessionError):
        _ = event_of(raw, elsewhere).session
    body = samples.sqs("orders", ['{"constitution_state": "acme"}'])
    with pytest.raises(SessionError):
        _ = event_of(body, SessionPolicy(legacy=IN_BODY, signing=Signing(SECRET))).session
    assert not caplog.records
    here = SessionPolicy(legacy=READS, signing=Signing(SECRET), unsigned_from="sqs")
    for _ in range(3):
        assert event_of(raw, here).session == HER
    assert [record.getMessage() for record in caplog.records] == [
        "sqs 'orders': sessions come in the old form, unsigned, and unsigned_from= believes them"
    ]
    assert caplog.records[0].levelno == logging.WARNING


def test_an_old_session_of_nobody_needs_no_signature() -> None:
    policy = SessionPolicy(legacy=READS, signing=Signing(SECRET))
    for empty in ("{}", encoded({}), '{"state": null}'):
        assert event_of(samples.sqs("orders", ["{}"], session=empty), policy).session == Session()


def test_a_signed_session_is_checked_as_always() -> None:
    policy = SessionPolicy(legacy=READS, signing=Signing(SECRET), unsigned_from="sqs")
    signed = policy.issue(Session("globex", "bob"))
    assert event_of(samples.sqs("orders", ["{}"], session=signed), policy).session == Session("globex", "bob")
    with pytest.raises(SessionError):
        _ = event_of(samples.sqs("orders", ["{}"], session=signed.replace('"sig":"', '"sig":"x')), policy).session


def test_an_old_session_in_an_envelope_needs_a_route_that_names_the_topic() -> None:
    resolver, seen = Resolver(session=SessionPolicy(legacy=READS)), []

    @resolver.on_queue("named", topics=["orders"])
    @resolver.on_queue("unnamed")
    def order(session: Session) -> None:
        seen.append(session.tenant)

    for queue in ("named", "unnamed"):
        raw = samples.sns_in_sqs("orders", ["{}"], queue=queue, session=encoded(OLD))
        assert resolver.resolve(raw) == {"batchItemFailures": []}
    assert seen == ["acme", None]


def test_the_log_says_once_where_the_old_form_still_comes_from(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="router")
    policy = SessionPolicy(legacy=READS)
    for queue in ("orders", "orders", "bills"):
        _ = event_of(samples.sqs(queue, ["{}"], session=json.dumps(OLD)), policy).session
        _ = event_of(samples.sqs(queue, ["{}"], session='{"tenant": "acme"}'), policy).session
    assert [record.getMessage() for record in caplog.records] == [
        "sqs 'orders': sessions come in the old form",
        "sqs 'bills': sessions come in the old form",
    ]


# ---- writing -------------------------------------------------------------------------------------------------------


def forms(session: Any, purpose: str, **options: Any) -> dict[str, Any]:
    """What goes out on a hop, by name."""
    policy = SessionPolicy(legacy=LegacySessions(write=ALL), **options)
    return dict(session_forms(session, policy, purpose=purpose))


def test_both_forms_go_out_and_both_come_back() -> None:
    session = HER.replace(attributes={"plan": "pro"}, correlation_id="c-1")
    for purpose in ALL:
        sent = forms(session, purpose)
        assert sent.keys() == {"session", "junction-session"}
        assert json.loads(sent["junction-session"])["tenant"] == "acme"
        old = base64.b64decode(sent["session"]) if purpose == "message" else sent["session"]
        assert json.loads(old) == {"plan": "pro", "state": "acme", "user": {"role": "admin", "_id": "u1"}}
    raw = samples.sqs("orders", ["{}"], session=forms(session, "message")["session"])
    assert event_of(raw, SessionPolicy(legacy=READS)).session == session.replace(correlation_id=None)


def test_where_the_old_form_is_not_named_only_ours_goes_out() -> None:
    policy = SessionPolicy(legacy=LegacySessions(write={"task": "json"}))
    assert [name for name, _ in session_forms(HER, policy, purpose="message")] == ["junction-session"]
    assert [name for name, _ in session_forms(HER, SessionPolicy(), purpose="message")] == ["session"]
    for purpose in ("header", "connection"):
        assert [
            name for name, _ in session_forms(HER, SessionPolicy(legacy=LegacySessions(write=ALL)), purpose=purpose)
        ] == ["junction-session"]


@pytest.mark.parametrize("nobody", [None, Session()])
def test_a_message_of_nobody_says_so_and_other_hops_stay_without(nobody: Any) -> None:
    assert forms(nobody, "message") == {"session": base64.b64encode(b"{}").decode()}
    for purpose in ("task", "invoke", "execution"):
        assert forms(nobody, purpose) == {}


def test_a_publisher_may_write_another_form() -> None:
    policy = SessionPolicy(legacy=LegacySessions(write=ALL), signing=Signing(SECRET))
    other = policy.with_legacy(LegacySessions(write={"message": "json"}))
    assert dict(session_forms(HER, other, purpose="message"))["session"].startswith("{")
    assert dict(session_forms(HER, policy, purpose="message"))["session"].startswith("ey")
    assert other.nobody._policy is other
    assert other.signing is policy.signing
    assert dict(session_forms(HER, policy.with_legacy(None), purpose="message")).keys() == {"junction-session"}


def test_signed_sessions_in_the_old_form_too_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        sent = forms(HER, "message", signing=Signing(SECRET))
    assert json.loads(sent["junction-session"]).keys() >= {"sig"}
    assert [record.getMessage() for record in caplog.records] == [
        "sessions also go out in the old form, unsigned: message"
    ]


def test_in_a_handler_the_current_session_and_its_policy_count() -> None:
    resolver, sent = Resolver(session=SessionPolicy(legacy=LegacySessions(write=ALL))), []

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        sent.append(dict(session_forms(purpose="invoke")))
        with set_session(Session("globex")):
            sent.append(dict(session_forms(purpose="invoke")))
        assert reserved_keys(event.session, None, "junction-session") == {"junction-session", "session"}

    TestClient(resolver).queue("orders", ["{}"], session=HER)
    assert [json.loads(one["session"]).get("state") for one in sent] == ["acme", "globex"]


# ---- what is refused at start --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        *({name: ""} for name in ("tenant", "user", "user_id", "attribute")),
        *({"drop": [1]}, {"body_fields": [""]}, {"tenant": None}),
        *({"write": {"message": "xml"}}, {"write": {"invoke": "base64"}}, {"write": {"header": "json"}}),
    ],
)
def test_settings_that_make_no_sense_are_refused(options: Any) -> None:
    with pytest.raises(ConfigurationError, match="LegacySessions"):
        LegacySessions(**options)


def test_two_forms_cannot_have_one_name() -> None:
    with pytest.raises(ConfigurationError, match="ours needs another"):
        SessionPolicy(attribute="session", legacy=LegacySessions(write=ALL))
    assert SessionPolicy(attribute="session", legacy=READS).attribute == "session"
    with pytest.raises(ConfigurationError, match="takes a LegacySessions"):
        SessionPolicy(legacy={"tenant": "state"})  # type: ignore[arg-type]
