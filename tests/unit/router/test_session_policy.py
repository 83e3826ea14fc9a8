"""`SessionPolicy`: where the session of an event comes from, what it must hold, and what is refused at start."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from router import Around, Middleware, Resolver, get_session, read
from router.errors import ConfigurationError, Forbidden, SessionError, SessionIncomplete
from router.event import Event, Source
from router.session import Session
from router.session_policy import SessionPolicy
from router.session_request import FromRequest
from router.signing import Signing
from router.testing import Answer, Context, TestClient, samples
from tests.unit.router.sources.payload_cases import real

SECRET = "0123456789abcdef0123456789abcdef"
FULL = Session("acme", "u-1", {"role": "admin"}, "c-1", {"plan": "pro"})


def event_of(raw: Any, policy: SessionPolicy | None = None, context: Any = None) -> Event:
    """The only event of a payload, as an application with this policy sees it."""
    (event,) = read(raw, context)
    event._policy = policy or SessionPolicy()
    return event


# ---- records -------------------------------------------------------------------------------------------------------


def sealed(purpose: str) -> str:
    """The signed form of a session."""
    return SessionPolicy(signing=Signing(SECRET)).seal(FULL.to_wire() or "", purpose)


SEALED = sealed("message")
CARRIED = {
    "sqs": samples.sqs("orders", ["a"], session=SEALED),
    "sns": samples.sns("orders", ["a"], session=SEALED),
    "sns in sqs": samples.sns_in_sqs("orders", ["a"], session=SEALED),
    "sns in sqs, raw": samples.sns_in_sqs("orders", ["a"], raw=True, session=SEALED),
    "invoke": samples.invoke("rebuild", session=sealed("invoke")),
    "invoke, as object": samples.invoke("rebuild", session=json.loads(sealed("execution"))),
    "eventbridge": samples.eventbridge("OrderPlaced", {"id": 1}, session=SEALED),
    "task": samples.task("nightly", session=sealed("task")),
}


@pytest.mark.parametrize("way", CARRIED)
def test_each_way_a_session_travels(way: str) -> None:
    event = event_of(CARRIED[way], SessionPolicy(signing=Signing(SECRET), require=("tenant", "user")))
    assert event.session == FULL
    assert event.correlation_id == "c-1"
    with pytest.raises(SessionError, match="unknown key"):
        _ = event_of(CARRIED[way], SessionPolicy(signing=Signing("of another" * 4))).session


@pytest.mark.parametrize("way", ["sqs", "invoke", "eventbridge", "task"])
def test_without_a_policy_a_session_is_what_the_event_carries(way: str) -> None:
    carried = {
        "sqs": samples.sqs("orders", ["a"], session=FULL.to_dict()),
        "invoke": samples.invoke("rebuild", session=FULL.to_dict()),
        "eventbridge": samples.eventbridge("OrderPlaced", {"id": 1}, session=FULL.to_dict()),
        "task": samples.task("nightly", session=FULL.to_dict()),
    }
    for policy in (Resolver().session_policy, SessionPolicy()):
        (event,) = read(carried[way])
        event._policy = policy
        assert event.session == FULL
        assert event.session.to_wire() == policy.issue(FULL)


def test_another_attribute_may_carry_it() -> None:
    raw = samples.sqs("orders", ["a"], attributes={"who": '{"tenant":"acme"}', "session": '{"tenant":"evil"}'})
    assert event_of(raw, SessionPolicy(attribute="who")).session.tenant == "acme"


@pytest.mark.parametrize("field", ["tenant", "user"])
def test_a_field_that_is_required_and_missing_is_refused_before_the_handler(field: str) -> None:
    resolver = Resolver(session=SessionPolicy(require=field))
    called: list[Session] = []
    resolver.on_invoke("a")(lambda event: called.append(event.session))
    client = TestClient(resolver)
    for session in (None, {"correlation_id": "c"}, {field: ""}):
        with pytest.raises(SessionError, match=rf"session\.{field} is required and missing"):
            client.invoke("a", session=session)
    assert called == []
    client.invoke("a", session={field: "x"})
    assert called == [Session().replace(**{field: "x"})]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_what_middleware_makes_of_the_session_is_what_must_hold_the_field(asynchronous: bool) -> None:
    seen: list[Any] = []

    class Tenants(Middleware):
        def __call__(self, event: Event) -> Around:
            seen.append(event.session.tenant)
            if event.name == "known":
                event.session = event.session.replace(tenant="acme")
            yield

    async def handler_async(session: Session) -> str | None:
        return session.tenant

    def handler(session: Session) -> str | None:
        return session.tenant

    resolver = Resolver(session=SessionPolicy(require="tenant")).use(Tenants())
    resolver.on_invoke("*")(handler_async if asynchronous else handler)
    client = TestClient(resolver)
    assert client.invoke("known") == "acme"
    with pytest.raises(SessionIncomplete):
        client.invoke("unknown")
    assert seen == [None, None]


@pytest.mark.parametrize("change", [("INSERT", None, {"id": 1, "who": {"tenant": "acme"}})])
@pytest.mark.parametrize("removed", [False, True])
def test_a_named_field_of_a_stream_image_may_hold_it(change: Any, removed: bool) -> None:
    raw = samples.dynamodb("orders", [("REMOVE", change[2], None) if removed else change])
    assert event_of(raw, SessionPolicy(body_field="who")).session.tenant == "acme"
    assert event_of(raw, SessionPolicy(body_field="other")).session == Session()


def test_the_tenant_of_lambdas_isolation_mode_fills_in_a_missing_one() -> None:
    context = Context(tenant_id="isolated")
    for policy in (SessionPolicy(lambda_tenant=True), SessionPolicy(signing=Signing(SECRET), lambda_tenant=True)):
        session = event_of(samples.invoke("a"), policy, context).session
        assert session == Session("isolated")
    wire = session.to_wire()
    assert wire is not None
    assert policy.open(wire) == session
    carried = samples.invoke("a", session=policy.seal('{"tenant":"acme"}', "invoke"))
    with pytest.raises(SessionError, match="not the one that this call was isolated for"):
        _ = event_of(carried, policy, context).session
    assert event_of(carried, policy, Context(tenant_id="acme")).session.tenant == "acme"
    assert event_of(samples.invoke("a"), policy).session == Session()
    assert event_of(samples.invoke("a"), SessionPolicy(), context).session == Session()


# ---- HTTP ----------------------------------------------------------------------------------------------------------

ALL = {"x-tenant": "acme", "x-user": "u-1", "x-correlation-id": "c-1"}


def request(headers: Any = None, claims: Any = None, **options: Any) -> Any:
    authorizer = {"claims": claims} if claims else None
    return samples.rest("GET", "/", headers=headers, authorizer=authorizer, request_id="r-1", **options)


def test_a_client_can_never_hand_in_a_session() -> None:
    wire = '{"tenant":"evil"}'
    raw = samples.rest("POST", "/", body={"session": {"tenant": "evil"}}, query={"session": wire}, request_id="r-1")
    raw["multiValueHeaders"]["session"] = [wire]
    raw["session"] = raw["messageAttributes"] = {"session": wire}
    for policy in (SessionPolicy(), SessionPolicy(body_field="session")):
        event = event_of(raw, policy)
        assert (event.session, event.correlation_id) == (Session(), "r-1")


def test_headers_are_believed_only_where_the_policy_names_them() -> None:
    assert event_of(request(ALL)).session == Session()
    policy = SessionPolicy(
        request=FromRequest(tenant_header="X-Tenant", user_header="X-User", correlation_header="X-Correlation-Id")
    )
    event = event_of(request(ALL), policy)
    assert (event.session, event.correlation_id) == (Session("acme", "u-1", None, "c-1"), "c-1")
    assert event_of(request(), policy).session == Session()


@pytest.mark.parametrize(
    ("options", "session"),
    [
        ({}, Session()),
        ({"request": FromRequest()}, Session()),
        ({"request": FromRequest(tenant_header="x-tenant")}, Session("acme")),
        ({"request": FromRequest(user_header="x-user")}, Session(user="u-1")),
        ({"request": FromRequest(correlation_header="x-correlation-id")}, Session(correlation_id="c-1")),
        ({"request": FromRequest(tenant_claim="tenant")}, Session("claimed")),
        ({"request": FromRequest(user_claim="sub")}, Session(user="s-1")),
        ({"request": FromRequest(claims=["sub"])}, Session(claims={"sub": "s-1"})),
        ({"request": FromRequest(claims=True)}, Session(claims={"sub": "s-1", "tenant": "claimed"})),
        ({"lambda_tenant": True}, Session("isolated")),
        ({"signing": Signing(SECRET), "body_field": "session", "attribute": "x-tenant"}, Session()),
    ],
)
def test_each_option_alone_is_enough(options: dict[str, Any], session: Session) -> None:
    seen: list[Session] = []
    resolver = Resolver(session=SessionPolicy(**options))
    resolver.get("/")(lambda session: seen.extend((session, get_session())))
    raw = request(ALL, {"sub": "s-1", "tenant": "claimed"})
    assert resolver.resolve(raw, Context(tenant_id="isolated"))["statusCode"] == 204
    assert seen == [session, session]


def test_a_request_for_another_tenant_than_lambdas_is_refused() -> None:
    policy = SessionPolicy(
        request=FromRequest(
            tenant_claim="custom:tenant", tenant_header="x-tenant", user_claim="sub", user_header="x-user"
        ),
        lambda_tenant=True,
    )
    context, claims = Context(tenant_id="isolated"), {"custom:tenant": "claimed", "sub": "s-1"}
    assert event_of(request(ALL, claims), policy, Context(tenant_id="claimed")).session == Session("claimed", "s-1")
    for sent in (request(ALL, claims), request(ALL)):
        with pytest.raises(Forbidden):
            _ = event_of(sent, policy, context).session
        resolver = Resolver(session=policy)
        resolver.get("/")(lambda: pytest.fail("it was handled"))  # though nothing reads the session
        assert resolver.resolve(sent, context)["statusCode"] == 403
    assert event_of(request({}), policy, context).session.tenant == "isolated"
    assert event_of(request(ALL), policy).session.tenant == "acme"
    assert event_of(request(ALL, {"custom:tenant": 5, "sub": ["x"]}), policy).session.user == "u-1"


def answered(policy: SessionPolicy, raw: Any) -> tuple[int, Any]:
    """The status and the detail with which an application answers."""
    resolver = Resolver(session=policy)
    resolver.get("/")(lambda: {"id": 1})
    answer = Answer(resolver.resolve(raw))
    return answer.status, answer.json().get("detail")


def test_an_empty_claim_is_not_replaced_by_a_header() -> None:
    policy = SessionPolicy(request=FromRequest(tenant_claim="tenant", tenant_header="x-tenant"), require="tenant")
    assert answered(policy, request(ALL, {"tenant": ""}))[0] == 400
    assert answered(policy, request(ALL))[0] == 200


@pytest.mark.parametrize(
    ("named", "kept"),
    [((), {}), (["role", "none"], {"role": "admin"}), ("role", {"role": "admin"}), (True, {"role": "admin", "a": "b"})],
)
def test_the_claims_that_are_kept(named: Any, kept: dict[str, str]) -> None:
    session = event_of(
        request(claims={"role": "admin", "a": "b"}), SessionPolicy(request=FromRequest(claims=named))
    ).session
    assert dict(session.claims) == kept


def test_what_is_required_and_missing_is_a_bad_request_that_says_what_to_send() -> None:
    by_header = SessionPolicy(request=FromRequest(tenant_header="x-tenant"), require="tenant")
    assert answered(by_header, request()) == (400, "the tenant is missing: send the header x-tenant")
    by_claim = SessionPolicy(request=FromRequest(user_claim="sub"), require="user")
    assert answered(by_claim, request({"x-user": "u-1"})) == (400, "the user is missing")
    assert answered(SessionPolicy(require="user"), request(ALL)) == (400, "the user is missing")


@pytest.mark.parametrize(
    ("options", "enforces"),
    [
        ({}, False),
        ({"request": FromRequest(tenant_header="x-tenant")}, False),
        ({"lambda_tenant": True, "body_field": "session"}, True),
        ({"require": "user"}, True),
        ({"signing": Signing(SECRET)}, True),
    ],
)
def test_a_policy_that_signs_or_requires_is_one_that_enforces(options: dict[str, Any], enforces: bool) -> None:
    assert SessionPolicy(**options).enforces is enforces
    assert Resolver().session_policy.enforces is False


# ---- at start ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"require": ["tenant", "role"]}, "role unknown; use tenant, user"),
        ({"require": "tenent"}, "tenent unknown"),
        ({"request": FromRequest(session_header="x-session")}, r"needs SessionPolicy\(signing=...\)"),
        ({"request": {"tenant_header": "x-tenant"}}, "takes a FromRequest, not dict"),
        ({"request": FromRequest}, "takes a FromRequest, not type"),
        ({"signing": SECRET}, "takes a Signing, not str"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_at_start(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as refused:
        SessionPolicy(**options)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tenant_header": ""}, r"FromRequest\(tenant_header=...\): header name ''"),
        ({"user_header": "x user"}, r"FromRequest\(user_header=...\): header name 'x user'"),
        ({"session_header": 5}, r"FromRequest\(session_header=...\): header name 5"),
        ({"correlation_header": b"x"}, r"FromRequest\(correlation_header=...\)"),
        ({"tenant_claim": ""}, r"FromRequest\(tenant_claim=''\): give the name of a claim"),
        ({"user_claim": ["sub"]}, r"FromRequest\(user_claim=\['sub'\]\)"),
        ({"claims": ["sub", ""]}, r"FromRequest\(claims=''\)"),
        ({"claims": [5]}, r"FromRequest\(claims=5\)"),
        ({"claims": None}, r"FromRequest\(claims=None\): give names of claims, or True"),
        ({"claims": [["sub"]]}, r"FromRequest\(claims=\[\['sub'\]\]\)"),
    ],
)
def test_a_name_that_nothing_can_have_is_refused_at_start(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        FromRequest(**options)


@pytest.mark.parametrize("make", [SessionPolicy, FromRequest])
def test_an_option_that_is_misspelled_is_refused_at_start(make: Any) -> None:
    with pytest.raises(TypeError, match="tenent_header"):
        make(tenent_header="x-tenant")


# ---- values --------------------------------------------------------------------------------------------------------


def test_what_a_request_says_is_a_value_that_cannot_be_changed() -> None:
    named = FromRequest(tenant_header="x-tenant", claims=["role", "sub"])
    same = FromRequest(tenant_header="x-tenant", claims=("sub", "role"))
    assert (named, hash(named)) == (same, hash(same))
    assert named != FromRequest(tenant_header="x-tenant")
    assert named != "x-tenant"
    assert repr(named) == "FromRequest(tenant_header='x-tenant', claims=['role', 'sub'])"
    for copied in (copy.copy(named), copy.deepcopy(named), pickle.loads(pickle.dumps(named))):
        assert copied == named
    for field in ("tenant_header", "claims", "misspelled"):
        with pytest.raises(AttributeError):
            setattr(named, field, "x-other")


def test_a_policy_shows_no_secret() -> None:
    policy = SessionPolicy(signing=Signing(SECRET, previous=["an older one" * 3]), require="tenant")
    assert "Signing(" in repr(policy)
    assert "require=('tenant',)" in repr(policy)
    for secret in (SECRET, "an older one"):
        assert secret not in repr(policy)
    with pytest.raises(TypeError, match="holds secrets"):
        pickle.dumps(policy)
    copied = copy.deepcopy(policy)
    assert copied.open(policy.seal('{"tenant":"acme"}')) == Session("acme")


def test_a_message_of_another_tenant_than_lambdas_fails_alone_and_middleware_cannot_override_it() -> None:
    resolver = Resolver(session=SessionPolicy(lambda_tenant=True))
    ran: list[str] = []
    resolver.on_queue("orders")(lambda event: ran.append(event.text))
    records = [
        samples.sqs_record("orders", tenant, message_id=tenant, session={"tenant": tenant})
        for tenant in ("acme", "evil")
    ]
    failed = resolver.resolve({"Records": records}, Context(tenant_id="acme"))
    assert failed == {"batchItemFailures": [{"itemIdentifier": "evil"}]}
    assert ran == ["acme"]

    def becomes_evil(event):
        event.session = event.session.replace(tenant="evil")
        yield

    resolver.get("/", middleware=[becomes_evil])(lambda: pytest.fail("it was handled"))
    resolver.on_invoke("a", middleware=[becomes_evil])(lambda: pytest.fail("it was handled"))
    with pytest.raises(SessionError):
        resolver.resolve(samples.invoke("a"), Context(tenant_id="acme"))


WRITTEN_BY_PRODUCERS = {
    *("sqs", "sns", "dynamodb", "kinesis", "kafka", "activemq", "rabbitmq", "documentdb", "firehose"),
    *("eventbridge", "schedule", "invoke", "task"),
}


@pytest.mark.parametrize("source", Source)
def test_a_field_of_the_body_is_believed_only_where_producers_write_it(source: Source) -> None:
    """Each source's payload with a session of that name at its top, as Alexa's own is."""
    policy = SessionPolicy(body_field="session")
    for _, raw, _ in real(source):
        if type(raw) is not dict or "Records" in raw:
            continue
        for event in read({**raw, "session": {"tenant": "evil", "user": "eve"}}):
            event._policy = policy
            if source not in WRITTEN_BY_PRODUCERS:
                assert event.session == Session()


def test_a_signed_field_is_believed_where_a_client_writes_the_body_too() -> None:
    policy = SessionPolicy(signing=Signing(SECRET), body_field="who")
    raw = {"version": "1.0", "session": {"user": {}}, "request": {"type": "LaunchRequest"}, "context": {"System": {}}}
    (event,) = read({**raw, "who": policy.issue(FULL)})
    event._policy = policy
    assert event.session == FULL
    (event,) = read({**raw, "who": {"tenant": "evil"}})
    event._policy = policy
    assert event.session == Session()  # a client's own field is no forged session, so nothing fails
