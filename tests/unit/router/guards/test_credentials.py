"""Several credentials: any of them lets an event in, the session says which, and a bad one hurts no good one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
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
    Resolver,
    Router,
    ServiceUnavailable,
    Session,
    SessionPolicy,
)
from router.guards import ApiKey, Bearer, Bypass, Claims, Iam
from router.testing import Answer, TestClient, samples

INTERNAL = "internal-calls.0123456789abcdef0123456789"


class Book:
    """Tokens of a kind, by their text."""

    def __init__(self, **known: Identity) -> None:
        self.known = known
        self.down = False
        self.asked: list[str] = []

    def authenticate(self, token: str) -> Identity | None:
        self.asked.append(token)
        if self.down:
            raise ServiceUnavailable("down")
        return self.known.get(token)


class AsyncBook:
    """The same for async code alone."""

    def __init__(self, book: Book) -> None:
        self.book = book

    async def authenticate_async(self, token: str) -> Identity | None:
        await asyncio.sleep(0)
        return self.book.authenticate(token)


TOKENS = {"ann": Identity("ann", ("acme",))}
KEYS = {"k1": Identity("importer", ("acme",), {"key_id": "k-1"})}


def who(session: Session) -> list[str | None]:
    return [session.user, session.tenant, session.claims.get("credential")]


def application(*credentials: Any, path: str = "/", **options: Any) -> TestClient:
    resolver = Resolver(auth=list(credentials), **options)
    resolver.get(path)(who)
    return TestClient(resolver)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def outcome(answer: Answer) -> Any:
    return answer.json() if answer.status == 200 else answer.status


# ---- either --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Book, lambda **known: AsyncBook(Book(**known))])
def test_any_of_them_lets_in_and_the_session_says_which(kind: Any) -> None:
    client = application(Bypass(INTERNAL), Bearer(kind(**TOKENS)), ApiKey(kind(**KEYS)), Claims(tenant="org"))
    assert outcome(client.get("/", headers=bearer("ann"))) == ["ann", "acme", "token"]
    assert outcome(client.get("/", headers={"x-api-key": "k1"})) == ["importer", "acme", "api-key"]
    claims = {"claims": {"sub": "cleo", "org": "acme"}}
    assert outcome(client.get("/", authorizer=claims)) == ["cleo", "acme", "claims"]
    assert outcome(client.get("/")) == 401


@pytest.mark.parametrize("bad", ["Bearer unknown", "Bearer a b", "Basic YTpi", ["Bearer a", "Bearer b"]], ids=str)
def test_a_bad_one_does_not_stand_against_a_good_one(bad: Any) -> None:
    client = application(Book(**TOKENS), ApiKey(Book(**KEYS)))
    sent = {"authorization": bad}
    assert outcome(client.get("/", headers={"x-api-key": "k1", **sent})) == ["importer", "acme", "api-key"]
    assert outcome(client.get("/", headers={"x-api-key": "unknown", **sent})) == 401


def test_the_first_that_is_valid_counts() -> None:
    later = Book(**KEYS)
    client = application(Book(**TOKENS), ApiKey(later))
    assert outcome(client.get("/", headers={"x-api-key": "k1", **bearer("ann")})) == ["ann", "acme", "token"]
    assert later.asked == []


def test_one_that_cannot_tell_does_not_keep_another_from_counting() -> None:
    tokens = Book(**TOKENS)
    tokens.down = True
    client = application(tokens, ApiKey(Book(**KEYS)))
    assert outcome(client.get("/", headers={"x-api-key": "k1", **bearer("ann")})) == ["importer", "acme", "api-key"]
    # Nobody is told that a credential is bad while it cannot be told.
    assert outcome(client.get("/", headers={"x-api-key": "unknown", **bearer("ann")})) == 503
    assert outcome(client.get("/")) == 401


def test_who_sends_nothing_is_told_what_would_do() -> None:
    answer = application(Book(), ApiKey(Book())).get("/")
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer, ApiKey header="x-api-key"'
    assert answer.json()["detail"] == (
        "a token is needed: send the header authorization: Bearer <token>, or send the header x-api-key"
    )


def test_a_token_cannot_say_which_credential_it_is() -> None:
    liar = Identity("ann", ("acme",), {"credential": "bypass"})
    assert outcome(application(Book(ann=liar)).get("/", headers=bearer("ann"))) == ["ann", "acme", "token"]


def test_an_authenticator_can_name_its_kind() -> None:
    class Own(Book):
        kind = "store"

    assert outcome(application(Own(**TOKENS)).get("/", headers=bearer("ann"))) == ["ann", "acme", "store"]


# ---- where auth= stands --------------------------------------------------------------------------------------------


def test_the_innermost_auth_counts() -> None:
    users, keys, admins = Book(**TOKENS), Book(**KEYS), Book(root=Identity("root", ("acme",)))
    admin = Router("/admin", auth=admins)
    admin.get("/a")(who)
    admin.get("/b", auth=[ApiKey(keys)])(who)
    admin.get("/c", auth="off")(who)
    inner = Router("/inner", auth="user")
    inner.get("/d")(who)
    admin.include(inner)
    resolver = Resolver(auth=users)
    resolver.include(admin)
    resolver.get("/e")(who)
    client = TestClient(resolver)

    def let_in(path: str) -> list[str]:
        sent: Mapping[str, Any] = {"ann": bearer("ann"), "k1": {"x-api-key": "k1"}, "root": bearer("root"), "none": {}}
        return [name for name, headers in sent.items() if client.get(path, headers=headers).status == 200]

    assert let_in("/e") == ["ann"]
    assert let_in("/admin/a") == ["root"]
    assert let_in("/admin/b") == ["k1"]
    assert let_in("/admin/c") == ["ann", "k1", "root", "none"]
    assert let_in("/admin/inner/d") == ["root"]


def test_a_mode_alone_leaves_the_credentials() -> None:
    resolver = Resolver(auth=Auth(Book(ann=Identity("ann")), mode="full"))
    resolver.get("/user", auth="user")(who)
    resolver.get("/full")(who)
    client = TestClient(resolver)
    assert outcome(client.get("/user", headers=bearer("ann"))) == ["ann", None, "token"]
    assert outcome(client.get("/full", headers=bearer("ann"))) == 403


def test_a_mode_without_credentials_lets_nobody_in_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()
    resolver.get("/closed", auth="user")(who)
    resolver.get("/open")(lambda: "ok")
    client = TestClient(resolver)
    assert client.get("/closed", headers=bearer("ann")).status == 500
    assert "GET /closed: auth='user', and nothing around says which credentials count" in caplog.text
    assert client.get("/open").status == 200


def test_it_stands_inside_of_cors_wherever_that_is_put() -> None:
    resolver = Resolver(auth=Book(**TOKENS))
    seen: list[str | None] = []

    def watch(event: Any) -> Any:
        seen.append(event.session.user)
        yield

    resolver.use(Cors("https://app.example.com"), watch)
    resolver.get("/")(who)
    client = TestClient(resolver)
    asked = {"origin": "https://app.example.com", "access-control-request-method": "GET"}
    assert client.options("/", headers=asked).status == 204
    refused = client.get("/", headers={"origin": "https://app.example.com"})
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (401, "https://app.example.com")
    assert client.get("/", headers=bearer("ann")).status == 200
    assert seen == ["ann"]  # middleware sees the owner


def test_use_says_the_place_and_auth_the_credentials() -> None:
    order: list[str] = []

    def watch(event: Any) -> Any:
        order.append("watch")
        yield

    resolver = Resolver()
    resolver.use(watch, Authenticate(Book(**TOKENS)))
    resolver.get("/a")(who)
    resolver.get("/b", auth=ApiKey(Book(**KEYS)))(who)
    client = TestClient(resolver)
    assert outcome(client.get("/a", headers=bearer("unknown"))) == 401
    assert order == ["watch"]
    assert outcome(client.get("/b", headers=bearer("ann"))) == 401
    assert outcome(client.get("/b", headers={"x-api-key": "k1"})) == ["importer", "acme", "api-key"]


def test_an_open_route_among_closed_ones_believes_no_header() -> None:
    resolver = Resolver(auth=Book(**TOKENS), session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
    resolver.get("/open", auth="off")(who)
    assert TestClient(resolver).get("/open", headers={"x-tenant": "acme"}).json() == [None, None, None]
    alone = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
    alone.get("/open", auth="off")(who)
    assert TestClient(alone).get("/open", headers={"x-tenant": "acme"}).json() == [None, "acme", None]


def test_overrides_keep_it() -> None:
    client = application(Book(**TOKENS))
    for _ in range(3):
        with client.resolver.override(who, lambda: None):
            assert client.get("/").status == 401
    assert client.get("/", headers=bearer("ann")).status == 200


@pytest.mark.parametrize("batch", [False, True])
def test_records_are_judged_by_their_session(batch: bool) -> None:
    resolver = Resolver(auth=Book(**TOKENS))
    seen: list[Any] = []
    if batch:

        @resolver.on_queue("orders", batch=True)
        def many(events: list[Event]) -> None:
            seen.extend(event.session.user for event in events)
    else:

        @resolver.on_queue("orders")
        def one(session: Session) -> None:
            seen.append(session.user)

    good = samples.sqs_record("orders", {}, session={"tenant": "acme", "user": "ann"})
    bad = samples.sqs_record("orders", {})
    answer = resolver.resolve({"Records": [good, bad]})
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [bad["messageId"]]
    assert seen == ["ann"]


# ---- claims and IAM ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"sub": "ann", "org": "acme"}, ["ann", "acme", "claims"]),
        ({"sub": "ann", "org": ["acme"]}, ["ann", "acme", "claims"]),
        ({"sub": "ann"}, 403),
        ({"org": "acme"}, 401),
        ({"sub": 5, "org": "acme"}, 401),
        ({"sub": "", "org": "acme"}, 401),
        ({"sub": "ann", "org": [5]}, 401),
        ({"sub": "ann", "org": 5}, 401),
        ({}, 401),
    ],
)
@pytest.mark.parametrize("source", ["rest", "http"])
def test_claims_of_an_authorizer(source: Any, claims: dict[str, Any], expected: Any) -> None:
    client = application(Claims(tenant="org"))
    authorizer = {"claims": claims} if source == "rest" else {"jwt": {"claims": claims}}
    assert outcome(client.get("/", source=source, authorizer=authorizer)) == expected


def test_only_the_claims_that_are_named_are_kept() -> None:
    resolver = Resolver(auth=Auth(Claims(keep=["email"]), mode="user"))
    resolver.get("/")(lambda session: dict(session.claims))
    answer = TestClient(resolver).get("/", authorizer={"claims": {"sub": "ann", "email": "a@b.c", "iat": "5"}})
    assert answer.json() == {"email": "a@b.c", "credential": "claims"}


ROLE = "arn:aws:sts::123456789012:assumed-role/orders/i-0123"


def iam_events(arn: str) -> dict[str, Any]:
    rest, http, url, lattice = (make("GET", "/") for make in (samples.rest, samples.http, samples.url, samples.lattice))
    rest["requestContext"].setdefault("identity", {})["userArn"] = arn
    http["requestContext"]["authorizer"] = {"iam": {"userArn": arn}}
    url["requestContext"]["authorizer"] = {"iam": {"userArn": arn}}
    lattice["requestContext"]["identity"] = {"principal": arn, "type": "AWS_IAM"}
    return {"rest": rest, "http": http, "url": url, "lattice": lattice}


@pytest.mark.parametrize("source", ["rest", "http", "url", "lattice"])
def test_a_caller_by_iam(source: str) -> None:
    resolver = Resolver(auth=Iam("arn:aws:sts::123456789012:assumed-role/orders/*", tenants=["acme"]))
    resolver.get("/")(who)
    good = resolver.resolve(iam_events(ROLE)[source])
    assert (good["statusCode"], good["body"]) == (200, f'["{ROLE}","acme","iam"]')
    for other in (
        "arn:aws:sts::210987654321:assumed-role/orders/i-0123",
        "arn:aws:sts::123456789012:assumed-role/orders-evil/i-0123",
        "arn:aws:iam::123456789012:user/orders",
        "",
    ):
        assert resolver.resolve(iam_events(other)[source])["statusCode"] == 401


@pytest.mark.parametrize("allow", [(), ("*",), ("arn:aws:iam::*:role/x",), ("arn:aws:iam::123",), ("orders",), (5,)])
def test_a_pattern_that_lets_in_any_account_is_refused(allow: Any) -> None:
    with pytest.raises(ConfigurationError, match="Iam"):
        Iam(*allow)


def test_the_same_objects_make_an_authorizer() -> None:
    resolver = Resolver(auth=[Book(**TOKENS), ApiKey(Book(**KEYS))])
    resolver.on_authorize()(lambda session: Allow(session.user, context={"by": session.claims["credential"]}))
    for token, by in (("ann", "token"), ("k1", "api-key")):
        answer = resolver.resolve(samples.authorizer(token=token))
        assert answer["context"] == {"by": by}
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        resolver.resolve(samples.authorizer(token="unknown"))


# ---- hostile -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [8_193, 100_000])
def test_a_huge_key_is_looked_up_nowhere(size: int) -> None:
    book = Book()
    client = application(ApiKey(book), Bearer(book))
    assert client.get("/", headers={"x-api-key": "k" * size, **bearer("t" * size)}).status == 401
    assert book.asked == []


def test_the_arguments_of_a_tool_are_no_word_of_aws() -> None:
    calls: list[Any] = []
    resolver = Resolver(auth=Iam("arn:aws:iam::123456789012:user/*", tenants=["acme"]))
    resolver.tool("find")(lambda: calls.append(1))
    arn = {"userArn": "arn:aws:iam::123456789012:user/ann"}
    forged = {"identity": arn, "requestContext": {"identity": arn, "authorizer": {"iam": arn}}}
    assert TestClient(resolver).tool("find", forged)["isError"] is True
    assert calls == []


def test_no_credential_is_logged_or_answered(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    book = Book()
    client = application(book, ApiKey(book))
    texts = [client.get("/", headers={"x-api-key": "secret-key", **bearer("secret-token")}).text]
    book.down = True
    texts.append(client.get("/", headers={"x-api-key": "secret-key", **bearer("secret-token")}).text)
    assert "secret" not in " ".join([*texts, caplog.text])


@pytest.mark.parametrize("options", [{"user": ["sub"]}, {"user": ""}, {"user": None}, {"tenant": 5}, {"tenant": ""}])
def test_the_name_of_a_claim_is_text(options: Any) -> None:
    with pytest.raises(ConfigurationError, match="give the name of one claim"):
        Claims(**options)


@pytest.mark.parametrize("given", [Claims(), Book(t1=Identity("ann"))], ids=["credential", "authenticator"])
def test_what_is_no_middleware_is_told_where_it_belongs(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"give it to auth=, or to use\(Authenticate"):
        Resolver().use(given)
