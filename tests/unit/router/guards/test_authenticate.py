"""`Authenticate`: who comes in, as whom, and what the others are told; over every kind of source."""

from __future__ import annotations

import asyncio
import hmac
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from router import (
    Allow,
    Auth,
    Authenticate,
    ConfigurationError,
    Cors,
    Event,
    FromRequest,
    Identity,
    RecordsFailed,
    Resolver,
    Router,
    Session,
    SessionError,
    SessionPolicy,
    Signing,
    get_session,
)
from router.errors import Unauthorized
from router.guards import ApiKey, Bearer, Bypass
from router.testing import Answer, TestClient, samples
from tests.unit.router.dispatch.cases import failed, sqs

SECRET = "0123456789abcdef0123456789abcdef"
BYPASS = "internal-calls.0123456789abcdef0123456789"
BEARER, INVALID = "Bearer", 'Bearer error="invalid_token"'
KNOWN = {
    "ann": Identity("ann", ("acme",), {"role": "admin"}, "t1"),
    "ann-two": Identity("ann", ("acme", "globex")),
    "ann-none": Identity("ann"),
    "service": Identity(None, ("acme",)),
    "service-two": Identity(None, ("acme", "globex")),
    "nobody": Identity(),
}


@dataclass
class Book:
    """An authenticator over a dict, in both forms."""

    asked: list[str] = field(default_factory=list)
    error: Exception | None = None

    def authenticate(self, token: str) -> Identity | None:
        self.asked.append(token)
        if self.error is not None:
            raise self.error
        return KNOWN.get(token)

    async def authenticate_async(self, token: str) -> Identity | None:
        await asyncio.sleep(0)
        return self.authenticate(token)


class Waiting:
    """An authenticator that has the async verb alone."""

    def __init__(self, book: Any) -> None:
        self.authenticate_async = book.authenticate_async


def made(
    book: Any,
    mode: str = "full",
    *,
    bypass: str | bytes | tuple[str | bytes, ...] = (),
    header: str = "authorization",
    query: str | None = None,
    connections: Any = None,
) -> Authenticate:
    """`Authenticate` with a bearer token, and before it the tokens of internal calls."""
    tokens = (bypass,) if isinstance(bypass, str | bytes) else bypass
    credentials = [Bypass(*tokens, header=header)] if tokens else []
    return Authenticate(*credentials, Bearer(book, header=header, query=query), mode=mode, connections=connections)


def waiting(book: Any, *args: Any, **options: Any) -> Authenticate:
    """Do as `made` does, in an async chain, whatever the handler is."""
    return made(Waiting(book), *args, **options)


Form = Callable[..., Authenticate]
both_forms = pytest.mark.parametrize("form", [made, waiting])
POLICY = SessionPolicy(request=FromRequest(tenant_header="x-tenant", user_header="x-user"))


def who(session: Session) -> dict[str, Any]:
    assert get_session() is session
    return {"tenant": session.tenant, "user": session.user, "claims": dict(session.claims)}


def opened(session: Session) -> dict[str, Any]:
    return who(session)


def application(form: Form = made, *args: Any, policy: SessionPolicy = POLICY, **options: Any) -> TestClient:
    resolver = Resolver(session=policy)
    resolver.use(form(*(args or (Book(),)), **options))
    resolver.get("/who")(who)
    resolver.get("/open", auth="off")(opened)
    resolver.on_queue("who")(who)
    resolver.on_topic("who")(who)
    resolver.on_schedule("who")(who)
    resolver.on_invoke("who")(who)
    resolver.on_task("who")(who)
    return TestClient(resolver)


def bearer(token: str, **headers: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", **{f"x-{name}": value for name, value in headers.items()}}


def outcome(answer: Answer) -> Any:
    """The status of a refusal; else tenant and user of the handler's session."""
    return (answer.json()["tenant"], answer.json()["user"]) if answer.status == 200 else answer.status


# ---- clients -------------------------------------------------------------------------------------------------------

# What comes of a token and of the tenant that is asked for, by mode.
CASES: list[tuple[str | None, str | None, Mapping[str, Any]]] = [
    (None, None, {"user": 401, "tenant": 401, "full": 401, "off": (None, None)}),
    (None, "acme", {"user": 401, "tenant": 401, "full": 401, "off": ("acme", None)}),
    ("unknown", None, {"user": 401, "tenant": 401, "full": 401, "off": (None, None)}),
    ("ann", None, {"user": ("acme", "ann"), "tenant": ("acme", "ann"), "full": ("acme", "ann"), "off": (None, None)}),
    ("ann", "acme", {"user": ("acme", "ann"), "tenant": ("acme", "ann"), "full": ("acme", "ann")}),
    ("ann", "globex", {"user": 403, "tenant": 403, "full": 403, "off": ("globex", None)}),
    ("ann-two", None, {"user": (None, "ann"), "tenant": 400, "full": 400}),
    ("ann-two", "globex", {"user": ("globex", "ann"), "tenant": ("globex", "ann"), "full": ("globex", "ann")}),
    ("ann-none", None, {"user": (None, "ann"), "tenant": 403, "full": 403}),
    ("ann-none", "acme", {"user": 403, "tenant": 403, "full": 403}),
    ("service", None, {"user": 403, "tenant": ("acme", None), "full": 403}),
    ("service", "globex", {"user": 403, "tenant": 403, "full": 403}),
    ("service-two", "globex", {"user": 403, "tenant": ("globex", None), "full": 403}),
    ("nobody", None, {"user": 403, "tenant": 403, "full": 403}),
]


@both_forms
@pytest.mark.parametrize(("token", "asked", "expected"), CASES)
def test_token_and_mode_decide(form: Form, token: str | None, asked: str | None, expected: Mapping[str, Any]) -> None:
    headers = {} if token is None else bearer(token)
    if asked is not None:
        headers["x-tenant"] = asked
    assert {mode: outcome(application(form, mode=mode).get("/who", headers=headers)) for mode in expected} == expected


@pytest.mark.parametrize("source", ["rest", "http", "url", "alb", "lattice"])
def test_over_every_http_source(source: Any) -> None:
    client = application()
    assert outcome(client.get("/who", source=source, headers=bearer("ann"))) == ("acme", "ann")
    assert outcome(client.get("/who", source=source, headers=bearer("unknown"))) == 401
    assert outcome(client.get("/who", source=source)) == 401


def test_full_is_the_mode_when_none_is_named() -> None:
    assert outcome(application().get("/who", headers=bearer("service"))) == 403


def test_a_user_named_by_a_header_never_stands_against_the_token() -> None:
    client = application(mode="tenant")
    assert outcome(client.get("/who", headers=bearer("ann", user="eve"))) == ("acme", "ann")
    assert outcome(client.get("/who", headers=bearer("service", user="eve"))) == ("acme", None)


def test_claims_of_the_token_go_over_those_of_the_authorizer() -> None:
    client = application(policy=SessionPolicy(request=FromRequest(claims=True)))
    claims = {"claims": {"role": "guest", "plan": "free"}}
    answer = client.get("/who", headers=bearer("ann"), authorizer=claims)
    assert answer.json()["claims"] == {"role": "admin", "plan": "free", "credential": "token"}


def test_a_session_that_is_changed_is_signed_as_before() -> None:
    policy = SessionPolicy(signing=Signing(SECRET))
    resolver = Resolver(session=policy)
    resolver.use(Authenticate(Book()))
    resolver.get("/wire")(lambda session: session.to_wire())
    wire = TestClient(resolver).get("/wire", headers=bearer("ann")).text
    assert policy.open(wire).user == "ann"


def test_the_identity_is_in_the_state() -> None:
    resolver = Resolver()
    resolver.use(Authenticate(Book()))
    resolver.get("/")(lambda event: event.state["identity"].credential_id)
    assert TestClient(resolver).get("/", headers=bearer("ann")).text == "t1"


@pytest.mark.parametrize("tenant_header", ["x-tenant", None])
def test_who_has_several_tenants_is_told_how_to_name_one(tenant_header: str | None) -> None:
    answer = application(policy=SessionPolicy(request=FromRequest(tenant_header=tenant_header))).get(
        "/who", headers=bearer("ann-two")
    )
    assert answer.status == 400
    assert answer.json()["detail"].endswith(": send the header x-tenant") is (tenant_header is not None)


def test_a_signed_session_of_a_sister_service_is_no_token_but_names_the_tenant() -> None:
    policy = SessionPolicy(signing=Signing(SECRET), request=FromRequest(session_header="x-junction-session"))
    client = application(policy=policy)
    sent = {"x-junction-session": policy.issue(Session(tenant="globex", user="eve"), "header")}
    assert outcome(client.get("/who", headers=sent)) == 401
    assert outcome(client.get("/who", headers=sent | bearer("ann-two"))) == ("globex", "ann")
    assert outcome(client.get("/who", headers=sent | bearer("ann"))) == 403


# ---- what is no token ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [{}, {"authorization": ""}, {"authorization": "Basic YTpi"}, {"authorization": "ann"}])
def test_without_a_token_the_answer_says_what_to_send(sent: dict[str, str]) -> None:
    book = Book()
    answer = application(made, book).get("/who", headers=sent)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, BEARER)
    assert answer.json()["detail"] == "a token is needed: send the header authorization: Bearer <token>"
    assert book.asked == []


@pytest.mark.parametrize(
    "sent",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer ann, Bearer ann",
        "Bearer ann,ann",
        "Bearer \N{KELVIN SIGN}ey",
        "Bearer an\x00n",
        "Bearer ann\r\nx: y",
        "Bearer {'$ne': null}",
        "Bearer \ud800",
        "Bearer " + "x" * 8193,
        ["Bearer ann", "Bearer ann"],
        ["Bearer ann", "Bearer eve"],
    ],
    ids=repr,
)
def test_what_cannot_be_a_token_is_looked_up_nowhere(sent: str | list[str]) -> None:
    book = Book()
    answer = application(made, book).get("/who", headers={"authorization": sent})
    assert (answer.status, answer.headers["www-authenticate"]) == (401, INVALID)
    assert book.asked == []


def test_all_bad_tokens_are_told_the_same() -> None:
    client = application()
    sent = ["unknown", "a b", "x" * 9000, "ann,ann"]
    answers = {client.get("/who", headers=bearer(token)).text for token in sent}
    assert len(answers) == 1
    assert "the token is not valid" in answers.pop()


@pytest.mark.parametrize("sent", ["Bearer ann", "bearer ann", "BEARER ann", "Bearer   ann  ", " \tBearer ann"])
def test_the_scheme_is_read_as_http_says(sent: str) -> None:
    assert outcome(application().get("/who", headers={"AUTHORIZATION": sent})) == ("acme", "ann")


@pytest.mark.parametrize("mode", ["user", "tenant", "full"])
def test_tokens_are_in_no_answer_and_no_log(mode: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = application(made, Book(error=RuntimeError("the database is down")), mode=mode)
    texts = [client.get("/who", headers=bearer(token)).text for token in ("very-secret", "very-secret very-secret")]
    assert "very-secret" not in " ".join([*texts, caplog.text])


def test_a_header_of_its_own_needs_no_scheme() -> None:
    client = application(header="X-API-Token")
    assert outcome(client.get("/who", headers={"x-api-token": "ann"})) == ("acme", "ann")
    assert outcome(client.get("/who", headers={"x-api-token": "Bearer ann"})) == ("acme", "ann")
    assert outcome(client.get("/who", headers={"x-api-token": "Basic ann"})) == 401
    assert outcome(client.get("/who", headers={"x-api-token": ""})) == 401
    answer = client.get("/who", headers=bearer("ann"))
    assert (answer.status, "header x-api-token" in answer.text) == (401, True)


# ---- it fails closed -----------------------------------------------------------------------------------------------


@both_forms
@pytest.mark.parametrize("mode", ["user", "tenant", "full"])
def test_nobody_comes_in_while_the_authenticator_fails(form: Form, mode: str) -> None:
    client = application(form, Book(error=ConnectionError("down")), mode=mode)
    assert client.get("/who", headers=bearer("ann")).status == 500


@pytest.mark.parametrize(
    "said",
    [
        True,
        {"user": "ann", "tenants": ["acme"]},
        Identity("ann", "acme"),
        Identity("ann", (None, "acme")),  # type: ignore[arg-type]
        Identity(7, ("acme",)),  # type: ignore[arg-type]
        Identity("ann", ("acme",), None),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_what_is_no_identity_lets_nobody_in(said: Any) -> None:
    class Odd:
        def authenticate(self, token: str) -> Any:
            return said

    for asked in ({}, {"tenant": "a"}, {"tenant": "acme"}):
        assert application(made, Odd()).get("/who", headers=bearer("ann", **asked)).status == 500


def test_empty_names_are_none() -> None:
    class Empty:
        def authenticate(self, token: str) -> Identity:
            return Identity("", ("",))

    for mode in ("user", "tenant", "full"):
        assert outcome(application(made, Empty(), mode=mode).get("/who", headers=bearer("ann"))) == 403


def test_an_authenticator_that_has_to_be_awaited_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    class Misnamed:
        async def authenticate(self, token: str) -> Identity:
            return KNOWN["ann"]

    assert application(made, Misnamed()).get("/who", headers=bearer("ann")).status == 500
    assert "Misnamed.authenticate returned something that must be awaited" in caplog.text


@both_forms
@pytest.mark.parametrize("mode", ["users", "Full", "", "none", None, True, False, 0, ["full"], b"full"])
def test_an_unknown_mode_is_refused_at_start(form: Form, mode: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown mode .*; use one of off, user, tenant, full"):
        form(Book(), mode)
    if mode is not None:
        with pytest.raises(ConfigurationError, match=r"unknown mode .*; use one of off, user, tenant, full"):
            Auth(mode=mode)
    if isinstance(mode, str):
        with pytest.raises(ConfigurationError, match=r"/a: auth=: unknown mode"):
            Resolver().get("/a", auth=mode)


@pytest.mark.parametrize(
    "start",
    [
        Authenticate,
        lambda: Authenticate(None),
        lambda: Authenticate(KNOWN, mode="off"),
        lambda: Bearer(Book(), header=""),
        lambda: Bearer(Book(), header="x token"),
        lambda: Bearer(Book(), query=""),
        lambda: Bearer(Book(), query=True),  # type: ignore[arg-type]
        lambda: ApiKey(Book(), header="Authorization"),
        lambda: Authenticate(Book(), connections={}),  # type: ignore[arg-type]
        lambda: Resolver(auth=[]),
        lambda: Resolver(auth=5),
        lambda: Router(auth=[Book(), "user"]),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_start(start: Any) -> None:
    with pytest.raises(ConfigurationError):
        start()


def test_an_authenticator_needs_one_of_the_two_verbs() -> None:
    with pytest.raises(ConfigurationError, match=r"object .* has no authenticate\(token\)"):
        Authenticate(object())
    with pytest.raises(ConfigurationError, match=r"object has no authenticate\(token\)"):
        Bearer(object())  # type: ignore[arg-type]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
def test_the_verb_of_the_chain_is_asked_and_a_sync_one_never_on_its_loop(asynchronous: bool) -> None:
    class Sync:
        def authenticate(self, token: str) -> Identity | None:
            asked.append(threading.get_ident())
            return KNOWN.get(token)

    class Both(Sync):
        async def authenticate_async(self, token: str) -> Identity | None:
            asked.append("async")
            return KNOWN.get(token)

    asked: list[Any] = []
    for book in (Sync(), Both()):
        resolver = Resolver().use(Authenticate(book))
        if asynchronous:

            @resolver.get("/")
            async def later(session: Session) -> str | None:
                return session.user
        else:

            @resolver.get("/")
            def now(session: Session) -> str | None:
                return session.user

        assert TestClient(resolver).get("/", headers=bearer("ann")).text == "ann"
    here = threading.get_ident()
    if asynchronous:
        assert asked[0] != here
        assert asked[1] == "async"
    else:
        assert asked == [here, here]


# ---- modes of routes -----------------------------------------------------------------------------------------------


@both_forms
def test_a_route_can_have_a_mode_of_its_own(form: Form) -> None:
    resolver = Resolver()
    resolver.use(form(Book()))

    @resolver.get("/health", auth="off")
    def health() -> str:
        return "ok"

    @resolver.get("/me", auth="user")
    async def me(session: Session) -> str:
        return str(session.user)

    @resolver.get("/rest")
    def rest() -> str:
        return "ok"

    client = TestClient(resolver)
    assert client.get("/health").status == 200
    assert client.get("/me", headers=bearer("ann-none")).text == "ann"
    assert client.get("/me").status == client.get("/rest").status == 401
    assert client.get("/rest", headers=bearer("ann-none")).status == 403


def test_a_route_can_be_stricter_than_the_rest() -> None:
    resolver = Resolver()
    resolver.use(made(Book(), "off"))
    resolver.get("/a", auth="full")(lambda: "ok")
    resolver.get("/b")(lambda: "ok")
    client = TestClient(resolver)
    assert (client.get("/a").status, client.get("/b").status) == (401, 200)
    assert client.get("/a", headers=bearer("ann")).status == 200


def test_a_decorator_between_changes_nothing() -> None:
    def bare(handler: Any) -> Any:
        def call() -> Any:
            return handler()

        return call

    resolver = Resolver()
    resolver.use(made(Book(), "off"))
    resolver.get("/a", auth="full")(bare(lambda: "ok"))
    assert TestClient(resolver).get("/a").status == 401


def test_of_several_each_has_to_let_the_request_in() -> None:
    group = Router("/admin", middleware=[made(Book(), "full")])
    group.get("/a")(lambda: "ok")
    group.get("/b", auth="off")(lambda: "ok")
    loose = Router("/loose", middleware=[made(Book(), "off")])
    loose.get("/a")(lambda: "ok")
    resolver = Resolver()
    resolver.use(made(Book(), "user")).include(group).include(loose)
    resolver.get("/a")(lambda: "ok")
    client = TestClient(resolver)
    sent = bearer("ann-none")
    assert [client.get(path, headers=sent).status for path in ("/a", "/admin/a", "/loose/a")] == [200, 403, 200]
    assert client.get("/admin/a", headers=bearer("ann")).status == 200
    assert [client.get(path).status for path in ("/a", "/admin/a", "/loose/a", "/admin/b")] == [401, 401, 401, 200]


def test_paths_without_a_route_tell_nothing_and_cors_outside_answers_preflights() -> None:
    resolver = Resolver()
    resolver.use(Cors("https://app.example.com"), Authenticate(Book()))
    resolver.get("/orders")(lambda: [1])
    client = TestClient(resolver)
    asked = {"origin": "https://app.example.com", "access-control-request-method": "GET"}
    assert client.options("/orders", headers=asked).status == 204
    refused = client.get("/unknown", headers={"origin": "https://app.example.com"})
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (401, "https://app.example.com")
    assert client.get("/unknown", headers=bearer("ann")).status == 404


# ---- bypass --------------------------------------------------------------------------------------------------------


@both_forms
@pytest.mark.parametrize("bypass", [BYPASS, BYPASS.encode(), ("x" * 32, BYPASS)])
def test_an_internal_call_has_the_session_that_the_policy_reads(form: Form, bypass: Any) -> None:
    book = Book()
    client = application(form, book, bypass=bypass)
    assert outcome(client.get("/who", headers=bearer(BYPASS, tenant="acme", user="job"))) == ("acme", "job")
    assert book.asked == []
    assert outcome(client.get("/who", headers=bearer("ann"))) == ("acme", "ann")
    assert outcome(client.get("/who", headers=bearer(BYPASS[:-1], tenant="acme", user="job"))) == 401


@pytest.mark.parametrize(
    ("mode", "headers", "expected"),
    [
        ("user", {"tenant": "acme"}, "the user is missing: send the header x-user"),
        ("tenant", {"user": "job"}, "the tenant is missing: send the header x-tenant"),
        ("full", {"user": "job"}, "the tenant is missing: send the header x-tenant"),
        ("full", {}, "the user is missing: send the header x-user"),
        ("user", {"user": "job"}, None),
        ("tenant", {"tenant": "acme"}, None),
    ],
)
def test_an_internal_call_has_to_say_what_the_mode_needs(mode: str, headers: Any, expected: str | None) -> None:
    answer = application(mode=mode, bypass=BYPASS).get("/who", headers=bearer(BYPASS, **headers))
    assert answer.status == (200 if expected is None else 400)
    assert expected is None or answer.json()["detail"] == expected


def test_an_internal_call_can_bring_a_signed_session() -> None:
    policy = SessionPolicy(signing=Signing(SECRET), request=FromRequest(session_header="x-junction-session"))
    client = application(policy=policy, bypass=BYPASS)
    sent = bearer(BYPASS) | {"x-junction-session": policy.issue(Session(tenant="acme", user="job"), "header")}
    assert outcome(client.get("/who", headers=sent)) == ("acme", "job")


def test_internal_calls_are_marked_and_others_are_not() -> None:
    resolver = Resolver(session=POLICY)
    resolver.use(made(Book(), "tenant", bypass=BYPASS))
    resolver.get("/")(lambda event: sorted(event.state))
    client = TestClient(resolver)
    assert client.get("/", headers=bearer(BYPASS, tenant="acme")).json() == ["bypass"]
    assert client.get("/", headers=bearer("ann")).json() == ["identity"]


def test_there_is_no_bypass_unless_one_is_given() -> None:
    assert outcome(application().get("/who", headers=bearer("None", tenant="acme", user="job"))) == 401


@pytest.mark.parametrize(
    "bypass",
    [
        *(
            ("",),
            (b"",),
            ("x" * 31,),
            ("x" * 9000,),
            ("x" * 32 + "\n",),
            ("pass word " * 4,),
            ("ü" * 32,),
            (b"\xff" * 32,),
        ),
        *((), (BYPASS, ""), (BYPASS, None), (None,), (7,), (True,)),
    ],
    ids=repr,
)
def test_a_bypass_that_is_empty_short_or_cannot_be_sent_is_refused_at_start(bypass: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Bypass(*bypass)
    assert BYPASS not in str(refused.value)


def test_a_bypass_is_compared_in_constant_time_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []
    genuine = hmac.compare_digest

    def compare(given: bytes, known: bytes) -> bool:
        compared.append((len(given), len(known)))
        return genuine(given, known)

    client = application(mode="tenant", bypass=(BYPASS, "y" * 40))
    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert outcome(client.get("/who", headers=bearer(BYPASS, tenant="acme"))) == ("acme", None)
    assert outcome(client.get("/who", headers=bearer("a"))) == 401
    # Digests of one length: neither the length nor the first that fits can be told from the time.
    assert compared == [(32, 32)] * 4


# ---- sources that carry their session ------------------------------------------------------------------------------

CARRIED = {
    "nothing": None,
    "user": {"user": "ann"},
    "tenant": {"tenant": "acme"},
    "both": {"tenant": "acme", "user": "ann"},
}


@both_forms
@pytest.mark.parametrize(
    ("mode", "passes"),
    [("off", set(CARRIED)), ("user", {"user", "both"}), ("tenant", {"tenant", "both"}), ("full", {"both"})],
)
@pytest.mark.parametrize("source", ["queue", "topic", "invoke", "task"])
def test_messages_and_calls_have_to_carry_what_the_mode_needs(
    form: Form, mode: str, passes: set[str], source: str
) -> None:
    book = Book()
    client = application(form, book, mode=mode)

    def works(session: Any) -> bool:
        if source == "queue":
            return client.queue("who", ["{}"], session=session) == {"batchItemFailures": []}
        if source == "task":
            return client.task("who", session=session) == 0
        try:
            client.topic("who", ["{}"], session=session) if source == "topic" else client.invoke("who", session=session)
        except (SessionError, RecordsFailed):
            return False
        return True

    assert {name for name, session in CARRIED.items() if works(session)} == passes
    assert book.asked == []


def test_a_record_without_its_session_fails_alone() -> None:
    raw = sqs("who", "none", ("good", {"session": CARRIED["both"]}), ("half", {"session": CARRIED["user"]}))
    assert failed(application().event(raw)) == ["none", "half"]


def test_a_record_cannot_bring_a_token_instead() -> None:
    book = Book()
    raw = sqs("who", ("a", {"attributes": {"authorization": "Bearer ann"}}))
    assert failed(application(made, book).event(raw)) == ["a"]
    assert book.asked == []


def test_batch_routes_are_checked_by_group() -> None:
    seen: list[str] = []
    resolver = Resolver()
    resolver.use(Authenticate(Book()))

    @resolver.on_queue("orders", batch=True)
    def orders(events: list[Event]) -> None:
        seen.extend(event.id for event in events)

    @resolver.on_queue("open", batch=True, auth="off")
    def open_to_all(events: list[Event]) -> None:
        seen.extend(event.id for event in events)

    client = TestClient(resolver)
    both = {"session": CARRIED["both"]}
    assert failed(client.event(sqs("orders", ("a", both), "x", ("b", both), "y"))) == ["x", "y"]
    assert failed(client.event(sqs("open", "c"))) == []
    assert seen == ["a", "b", "c"]


def test_sources_without_a_place_for_a_session_are_let_in_by_a_mark() -> None:
    ran: list[str] = []
    resolver = Resolver()
    resolver.use(Authenticate(Book()))
    resolver.on_schedule("nightly", auth="off")(lambda: ran.append("nightly"))
    resolver.on_schedule("hourly")(lambda: ran.append("hourly"))
    client = TestClient(resolver)
    client.schedule("nightly")
    told = r"session\.user is required by Authenticate and missing: schedule has no place for it; write auth='off'"
    with pytest.raises(RecordsFailed, match=told):
        client.schedule("hourly")
    assert ran == ["nightly"]


# ---- other clients -------------------------------------------------------------------------------------------------


@both_forms
def test_fields_of_appsync_are_authenticated_one_by_one(form: Form) -> None:
    resolver = Resolver(session=POLICY)
    resolver.use(form(Book()))
    resolver.on("appsync", "Query.who")(who)
    client = TestClient(resolver)
    asked = samples.appsync("who", headers=bearer("ann"))
    assert client.event(asked)["user"] == "ann"
    answers = client.event([asked, samples.appsync("who", headers=bearer("unknown"))])
    assert [answers[0].get("user"), answers[1]["errorMessage"]] == ["ann", "the token is not valid"]


@both_forms
def test_an_authorizer_can_be_made_of_it(form: Form) -> None:
    resolver = Resolver()
    resolver.use(form(Book()))
    resolver.on_authorize()(lambda session: Allow(session.user, context={"tenant": session.tenant}))
    client = TestClient(resolver)
    for token in ("Bearer ann", "ann"):
        allowed = client.event(samples.authorizer(token=token))
        assert (allowed["principalId"], allowed["context"]) == ("ann", {"tenant": "acme"})
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        client.event(samples.authorizer(token="Bearer unknown"))


# ---- WebSocket -----------------------------------------------------------------------------------------------------


class Tracker:
    """What TrackConnections is to Authenticate: it knows the sessions of connections."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}

    def restore(self, event: Any) -> None:
        if event.connection_id in self.sessions:
            event.session = self.sessions[event.connection_id]

    async def restore_async(self, event: Any) -> None:
        self.restore(event)

    def __call__(self, event: Any) -> Any:
        if event.name == "$connect":
            self.sessions[event.connection_id] = event.session
            event.state["connection"] = event.connection_id
        yield


def chat(form: Form, *, tracked: bool = True, **options: Any) -> TestClient:
    tracker = Tracker()
    resolver = Resolver(session=POLICY)
    resolver.use(form(Book(), connections=tracker if tracked else None, **options), tracker)
    resolver.on_connect()(lambda: None)
    resolver.on_disconnect()(lambda session: None)
    resolver.on_message()(who)
    resolver.on_message("open", auth="off")(lambda session: session.user)
    return TestClient(resolver)


@both_forms
def test_a_connection_is_authenticated_once_and_its_messages_by_its_session(form: Form) -> None:
    client = chat(form)
    assert client.connect(connection_id="c1", headers=bearer("ann"))["statusCode"] == 200
    assert '"user":"ann"' in client.message("hi", connection_id="c1")["body"]
    assert client.message("hi", connection_id="c2")["statusCode"] == 401
    assert client.message("hi", connection_id="c2", route_key="open")["statusCode"] == 200
    assert client.disconnect(connection_id="c1")["statusCode"] == 200


@both_forms
def test_the_log_says_how_a_request_could_name_its_tenant(form: Form, caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver().use(form(Book()))
    resolver.get("/")(who)
    with caplog.at_level(logging.INFO, "router.guards"):
        assert TestClient(resolver).get("/", headers=bearer("ann-two")).status == 400
    assert "needs FromRequest(tenant_header=...)" in caplog.text


@both_forms
def test_the_log_says_why_a_message_has_no_session(form: Form, caplog: pytest.LogCaptureFixture) -> None:
    client = chat(form, tracked=False)
    client.connect(connection_id="c1", headers=bearer("ann"))
    assert [client.message("hi", connection_id="c1")["statusCode"] for _ in range(3)] == [401] * 3
    assert caplog.text.count("give Authenticate(connections=...) a TrackConnections") == 1
    with caplog.at_level(logging.INFO, "router.guards"):
        chat(form).message("hi", connection_id="c9")
    assert "connection c9 is not in the table" in caplog.text


@both_forms
def test_a_connection_is_not_kept_before_it_is_known_whose_it_is(form: Form, caplog: pytest.LogCaptureFixture) -> None:
    tracker = Tracker()
    resolver = Resolver(session=POLICY)
    resolver.use(tracker, form(Book(), connections=tracker))
    resolver.on_connect()(lambda: None)
    assert TestClient(resolver).connect(headers=bearer("ann"))["statusCode"] == 500
    assert "TrackConnections stands outside of Authenticate; give it to use() after that" in caplog.text


@both_forms
def test_a_message_route_takes_connections_of_its_own_credentials_alone(form: Form) -> None:
    tracker = Tracker()
    resolver = Resolver(session=POLICY)
    resolver.use(form(Book(), connections=tracker), tracker)
    machines = ApiKey(Book())
    resolver.on_connect(auth=[machines, Bearer(Book())])(lambda: None)
    resolver.on_message("admin", auth=machines)(who)
    resolver.on_message("both", auth=[machines, Bearer(Book())])(who)
    resolver.on_message("any", auth="user")(who)
    client = TestClient(resolver)
    assert client.connect(connection_id="token", headers=bearer("ann"))["statusCode"] == 200
    assert client.connect(connection_id="key", headers={"x-api-key": "ann"})["statusCode"] == 200
    for connection, expected in (("token", [401, 200, 200]), ("key", [200, 200, 200])):
        answers = [client.message("hi", connection_id=connection, route_key=key) for key in ("admin", "both", "any")]
        assert [answer["statusCode"] for answer in answers] == expected


@both_forms
def test_a_connection_without_a_valid_token_does_not_open(form: Form) -> None:
    client = chat(form)
    for headers in ({}, bearer("unknown"), bearer("ann", tenant="globex")):
        assert client.connect(headers=headers)["statusCode"] in (401, 403)
        assert client.message("hi")["statusCode"] == 401


def test_messages_are_refused_where_nothing_keeps_sessions() -> None:
    client = chat(made, tracked=False)
    assert client.connect(headers=bearer("ann"))["statusCode"] == 200
    assert client.message("hi")["statusCode"] == 401


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("token=ann", {}, 200),
        ("token=unknown", {}, 401),
        ("token=ann&token=ann", {}, 401),
        ("token=", {}, 401),
        ("token=unknown", bearer("ann"), 200),
        ("token=ann", bearer("unknown"), 401),
        ("other=ann", {}, 401),
    ],
)
def test_a_browser_can_send_the_token_in_the_query_where_that_is_allowed(query: str, headers: Any, status: int) -> None:
    assert chat(made, query="token").connect(params=query, headers=headers)["statusCode"] == status
    if not headers:
        assert chat(made).connect(params=query)["statusCode"] == 401


def test_no_other_source_takes_a_token_from_the_query() -> None:
    assert application(query="token").get("/who?token=ann").status == 401


# ---- open routes among others --------------------------------------------------------------------------------------


@both_forms
def test_an_open_route_believes_no_header_that_only_a_token_could_confirm(form: Form) -> None:
    client = application(
        form, policy=SessionPolicy(request=FromRequest(tenant_header="x-tenant", user_header="x-user"))
    )
    answer = client.get("/open", headers={"x-tenant": "acme", "x-user": "ann"})
    assert outcome(answer) == (None, None)


@both_forms
def test_what_the_policy_requires_may_come_from_the_token(form: Form) -> None:
    policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant"), require=("tenant", "user"))
    client = application(form, policy=policy)
    assert outcome(client.get("/who", headers=bearer("ann"))) == ("acme", "ann")
    assert outcome(client.get("/who")) == 401
    assert outcome(client.get("/open")) == 400


@both_forms
def test_an_open_route_believes_what_is_vouched_for(form: Form) -> None:
    policy = SessionPolicy(
        signing=Signing("k" * 32),
        request=FromRequest(tenant_header="x-tenant", tenant_claim="tenant", session_header="x-session"),
    )
    client = application(form, policy=policy)
    vouched = {"claims": {"tenant": "globex"}}
    assert outcome(client.get("/open", headers={"x-tenant": "acme"}, authorizer=vouched)) == ("globex", None)
    signed = policy.issue(Session(tenant="initech", user="bob"), "header")
    assert outcome(client.get("/open", headers={"x-session": signed, "x-tenant": "initech"})) == ("initech", "bob")


@both_forms
def test_where_authentication_is_off_as_a_whole_the_policy_decides(form: Form) -> None:
    client = application(form, mode="off", policy=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
    assert outcome(client.get("/who", headers={"x-tenant": "acme"})) == ("acme", None)


def test_an_authenticator_is_an_instance() -> None:
    with pytest.raises(ConfigurationError, match="the class Book, of which an instance is needed"):
        Authenticate(Book)


# ---- bare tokens, and where the one of an authorizer is -------------------------------------------------------------


@pytest.mark.parametrize("sent", ["t0ken", "Bearer t0ken"])
def test_a_client_of_appsync_sends_the_bare_token(sent: str) -> None:
    book = Book()
    resolver = Resolver().use(made(book, "off"))
    resolver.on("appsync", "*", middleware=[made(book, "user")])(lambda: "data")
    with pytest.raises(Unauthorized, match="not valid"):
        resolver.resolve(samples.appsync(headers={"authorization": sent}))
    assert book.asked == ["t0ken"]


@both_forms
@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_events_and_subscriptions_of_channels_are_authenticated(form: Form, scheme: str) -> None:
    resolver = Resolver(session=POLICY)
    resolver.use(form(Book()))
    resolver.on("appsync-events")(lambda session, event: None if event.change == "SUBSCRIBE" else session.user)
    client = TestClient(resolver)
    for token, name in (("ann", "ann"), ("unknown", None)):
        headers = {"authorization": scheme + token}
        published = client.publish("/a/b", [1], headers=headers)["events"][0]
        assert published.get("payload") == name
        assert (client.subscribe("/a/*", headers=headers) is None) == (name is not None)
    assert "error" in client.publish("/a/b", [1])["events"][0]
    assert client.subscribe("/a/b") is not None


@both_forms
def test_authorizers_of_channels_and_devices_can_be_made_of_it(form: Form) -> None:
    resolver = Resolver(session=POLICY)
    resolver.use(form(Book()))
    resolver.on("appsync-events-authorizer")(lambda session: Allow(context={"tenant": session.tenant}))
    resolver.on("iot-authorizer")(lambda session: Allow(session.user, policies=[{"Statement": []}]))
    client = TestClient(resolver)
    assert client.event(samples.appsync_events_authorizer("ann"))["handlerContext"] == {"tenant": "acme"}
    assert client.event(samples.iot_authorizer("ann"))["principalId"] == "ann"
    assert client.event(samples.appsync_events_authorizer("unknown"))["isAuthorized"] is False
    other = {"authorization": "Bearer ann"}  # not what IoT found where it was told to look
    assert client.event(samples.iot_authorizer("unknown", headers=other)) == {"isAuthenticated": False}


@both_forms
def test_what_brings_no_token_is_denied_unless_its_route_is_open(form: Form) -> None:
    resolver = Resolver(session=POLICY)
    resolver.use(form(Book()))
    resolver.on("transfer", "s-1")(lambda: {"Role": "arn:aws:iam::1:role/files"})
    resolver.on("transfer", "s-2", auth="off")(lambda: {"Role": "arn:aws:iam::1:role/files"})
    resolver.on("iot-provisioning")(lambda: True)
    client = TestClient(resolver)
    assert client.event(samples.transfer(server="s-1")) == {}
    assert client.event(samples.transfer(server="s-2"))["Role"]
    assert client.event(samples.iot_provisioning()) == {"allowProvisioning": False}


def test_the_token_of_an_authorizer_is_its_identity_source_and_nothing_beside_it() -> None:
    book = Book()
    resolver = Resolver().use(made(book, "user"))
    resolver.on_authorize()(lambda: True)
    arn = "arn:aws:execute-api:eu-west-1:123456789012:api/prod/GET/orders"
    raw = {"version": "2.0", "type": "REQUEST", "routeArn": arn, "headers": {"authorization": "Bearer other"}}
    # The decision is kept for the cookie: were the header looked up, one token would open the door for another.
    assert resolver.resolve({**raw, "identitySource": ["c00kie"]})["isAuthorized"] is False
    assert resolver.resolve({**raw, "identitySource": None})["isAuthorized"] is False
    assert book.asked == ["c00kie", "other"]


@pytest.mark.parametrize("sent", ["Bearer ann,Bearer x", "Bearer ann, Bearer ann", "ann,x", "Bearer ,Bearer ann"])
@pytest.mark.parametrize("make", [samples.authorizer, samples.appsync_authorizer, samples.appsync_events_authorizer])
def test_two_tokens_in_the_header_of_an_authorizer_are_none(make: Any, sent: str) -> None:
    book = Book()
    resolver = Resolver().use(made(book, "user"))
    for source in ("authorizer", "appsync-authorizer", "appsync-events-authorizer"):
        resolver.on(source, "*")(lambda: True)
    try:
        answer = resolver.resolve(make(sent))
    except Unauthorized:  # which API Gateway makes a 401 of
        answer = {"isAuthorized": False}
    assert answer["isAuthorized"] is False
    assert book.asked == []


def test_the_authorizer_of_a_websocket_finds_the_token_in_the_query() -> None:
    book = Book()
    resolver = Resolver().use(made(book, "user", query="token"))
    resolver.on_authorize()(lambda: True)
    raw = {
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:api/prod/$connect",
        "queryStringParameters": {"token": "t0ken"},
        "requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c-1", "stage": "prod"},
    }
    with pytest.raises(Unauthorized):
        resolver.resolve(raw)
    assert book.asked == ["t0ken"]


NO_TENANTS: list[Any] = [None, iter(["acme"])]


@pytest.mark.parametrize(
    "wrong", [False, True, "ann", *(Identity("ann", one) for one in NO_TENANTS)], ids=lambda wrong: type(wrong).__name__
)
def test_what_is_no_identity_is_told_in_the_log(wrong: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Careless:
        def authenticate(self, token: str) -> Any:
            return wrong

    resolver = Resolver(auth=Careless())
    resolver.get("/me")(who)
    assert TestClient(resolver).get("/me", headers={"authorization": "Bearer t"}).status == 500
    expected = (
        "tenants a list of texts" if isinstance(wrong, Identity) else f"returned {type(wrong).__name__}; return an"
    )
    assert expected in caplog.text
