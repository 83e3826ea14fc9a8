"""A token is let in when its issuer signed it, for us, and it still holds; another library makes the tokens."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from router import Authenticate, Resolver, Session, SessionPolicy
from router.errors import ConfigurationError, ServiceUnavailable
from router.guards import FixedKeys, Jwt, KeySet
from router.testing import TestClient
from tests.servers.issuer import KEYS, Issuer, new_key


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture
def check(issuer: Issuer) -> Jwt:
    return Jwt(issuer.url, ("orders", "shop"), keys=FixedKeys(issuer.published(KEYS)))


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class FromNow(int):
    """Seconds from the moment at which a test runs: that at which it was collected may be minutes ago."""


def at_once(changed: dict[str, Any]) -> dict[str, Any]:
    """Claims with the times that are meant."""
    now = int(time.time())
    return {name: now + value if isinstance(value, FromNow) else value for name, value in changed.items()}


# ---- what is let in ----------------------------------------------------------------------------------------------


def test_the_owner_is_told(issuer: Issuer) -> None:
    check = Jwt(
        issuer.url,
        "orders",
        keys=FixedKeys(issuer.published(KEYS)),
        tenant_claim="orgs",
        user_prefix="corp|",
    )
    identity = check.authenticate(issuer.token(sub="corp|ann", orgs=["acme", "globex"], scope="read write"))
    assert identity is not None
    assert (identity.user, identity.tenants) == ("ann", ("acme", "globex"))
    assert identity.claims == {"sub": "corp|ann", "orgs": ["acme", "globex"], "scope": "read write"}


def test_only_the_claims_that_are_named_go_into_the_session(issuer: Issuer) -> None:
    check = Jwt(issuer.url, "orders", keys=FixedKeys(issuer.published(KEYS)), keep=["scope", "none"])
    identity = check.authenticate(issuer.token(scope="read", email="ann@example.com"))
    assert identity is not None
    assert identity.claims == {"scope": "read"}


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "shop"},
        {"aud": ["other", "orders"]},
        {"exp": FromNow(-30)},  # within the leeway
        {"nbf": FromNow(30)},
        {"sub": None},  # of a service
    ],
)
def test_these_are_good(check: Jwt, issuer: Issuer, changed: dict[str, Any]) -> None:
    assert check.authenticate(issuer.token(**at_once(changed))) is not None


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": "at+jwt"}, {"typ": "AT+JWT"}, {"kid": None}])
def test_these_headers_are_good(check: Jwt, issuer: Issuer, header: dict[str, Any]) -> None:
    assert check.authenticate(issuer.token(header)) is not None


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # by the library that signs
@pytest.mark.parametrize(("kind", "algorithm"), [("RSA", "PS256"), ("EC", "ES256"), ("OKP", "EdDSA")])
def test_each_kind_of_key_works(kind: str, algorithm: str) -> None:
    with Issuer(kind=kind) as issuer:
        check = Jwt(issuer.url, "orders", algorithms=algorithm, keys=issuer.published(KEYS))
        assert check.authenticate(issuer.token({"alg": algorithm})) is not None


def test_an_access_token_of_cognito(issuer: Issuer) -> None:
    check = Jwt(
        issuer.url,
        "app-1",
        keys=FixedKeys(issuer.published(KEYS)),
        audience_claim="client_id",
        claims={"token_use": "access"},
    )
    assert check.authenticate(issuer.token(aud=None, client_id="app-1", token_use="access")) is not None
    assert check.authenticate(issuer.token(aud=None, client_id="app-2", token_use="access")) is None
    assert check.authenticate(issuer.token(aud="app-1", client_id="app-1", token_use="id")) is None
    assert check.authenticate(issuer.token(aud="app-1", token_use="access")) is None
    odd: list[Any] = [{"app-1": 1}, [{"app-1": 1}], [["app-1"]], ["app-1", 5], 1, True]
    assert [check.authenticate(issuer.token(client_id=one, token_use="access")) for one in odd] == [None] * len(odd)


# ---- what is not -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "other"},
        {"aud": None},
        {"aud": ["other"]},
        {"aud": "order"},
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"exp": FromNow(-90)},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": FromNow(90)},
        {"iat": FromNow(900)},
        {"sub": 5},
        {"sub": ""},
    ],
)
def test_claims_that_do_not_fit_are_refused(check: Jwt, issuer: Issuer, changed: dict[str, Any]) -> None:
    assert check.authenticate(issuer.token(**at_once(changed))) is None


def test_an_issuer_with_a_slash_is_another_one(check: Jwt, issuer: Issuer) -> None:
    assert check.authenticate(issuer.token(iss=issuer.url + "/")) is None


@pytest.mark.parametrize("orgs", [5, ["acme", 5], {"a": "b"}, [None]])
def test_tenants_that_are_no_text_are_refused(issuer: Issuer, orgs: Any) -> None:
    check = Jwt(issuer.url, "orders", keys=FixedKeys(issuer.published(KEYS)), tenant_claim="orgs")
    assert check.authenticate(issuer.token(orgs=orgs)) is None


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS256"},
        {"alg": "RS512"},  # not named
        {"alg": ["RS256"]},
        {"alg": None},
        {"kid": 5},
        {"kid": "k2"},
        {"kid": "../../etc/passwd"},
        {"crit": ["exp"], "exp": 1},
        {"b64": False, "crit": ["b64"]},
        {"typ": "logout+jwt"},
        {"typ": "secevent+jwt"},
        {"typ": 5},
    ],
)
def test_headers_that_ask_for_more_are_refused(check: Jwt, issuer: Issuer, header: dict[str, Any]) -> None:
    whole = {"alg": "RS256", "kid": "k1", **header}
    good = issuer.token().split(".")
    assert check.authenticate(".".join((part(whole), good[1], good[2]))) is None
    assert check.authenticate(".".join((part(whole), good[1], ""))) is None


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk"])
def test_a_key_that_the_token_brings_along_is_not_looked_at(issuer: Issuer, check: Jwt, name: str) -> None:
    own = new_key("k1")
    told = own.as_dict(private=False) if name == "jwk" else f"{issuer.url}/own"
    assert check.authenticate(issuer.token({name: told}, key=own)) is None
    assert issuer.asked["/own"] == 0


def test_a_public_key_is_no_shared_secret(issuer: Issuer) -> None:
    key = issuer.keys[0]
    check = Jwt(issuer.url, "orders", keys=FixedKeys(issuer.published(KEYS)))
    signed = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(issuer.claims())}"
    for secret in (key.as_pem(private=False), json.dumps(key.as_dict(private=False)).encode()):
        signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert check.authenticate(f"{signed}.{part(signature)}") is None
    with pytest.raises(ConfigurationError, match="'HS256' is not allowed"):
        Jwt(issuer.url, "orders", algorithms=["RS256", "HS256"])


@pytest.mark.parametrize(
    "parameters", [{"use": "enc"}, {"key_ops": ["sign"]}, {"alg": "RS512"}, {"alg": "RSA-OAEP"}, {"key_ops": "verify"}]
)
def test_a_key_counts_only_for_what_it_is_for(parameters: dict[str, Any], issuer: Issuer) -> None:
    key = issuer.keys[0]
    keys = FixedKeys({"keys": [{**key.as_dict(private=False), **parameters}]})
    assert Jwt(issuer.url, "orders", keys=keys).authenticate(issuer.token()) is None


def test_two_keys_that_fit_are_none(issuer: Issuer) -> None:
    one, other = issuer.keys[0].as_dict(private=False), new_key("k1").as_dict(private=False)
    check = Jwt(issuer.url, "orders", keys={"keys": [one, other]})
    assert check.authenticate(issuer.token()) is None
    assert check.authenticate(issuer.token({"kid": None})) is None


@pytest.mark.filterwarnings("ignore")  # of the library that makes the key
def test_a_short_key_is_no_key(issuer: Issuer) -> None:
    short = new_key("k1", size=1024)
    check = Jwt(issuer.url, "orders", keys={"keys": [short.as_dict(private=False)]})
    assert check.authenticate(issuer.token(key=short)) is None


def test_a_malformed_key_does_not_hide_the_others(issuer: Issuer) -> None:
    good = issuer.keys[0].as_dict(private=False)
    bad = [
        {"kty": "RSA", "kid": "k0", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": "k9"},
        {"kid": "k1"},
        5,
    ]
    check = Jwt(issuer.url, "orders", keys={"keys": [*bad, good]})
    assert check.authenticate(issuer.token()) is not None
    for kid in ("k0", "k9"):
        assert check.authenticate(issuer.token({"kid": kid})) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b",
        "é.é.é",
        "x" * 8192,
        f"{part(b'[' * 6000)}.e30.e30",
        f"{part(b'5')}.e30.e30",
        f"{part(b'null')}.e30.e30",
        f"{part({'alg': 'RS256', 'kid': 'k1'})}.{part(b'[' * 3000)}.e30",
        f"{part({'alg': 'RS256', 'kid': 'k1'})}..",
    ],
)
def test_what_is_no_token_is_refused(check: Jwt, token: str) -> None:
    assert check.authenticate(token) is None


def test_an_altered_token_is_refused(check: Jwt, issuer: Issuer) -> None:
    header, _, signature = issuer.token().split(".")
    assert check.authenticate(f"{header}.{part(issuer.claims(sub='root'))}.{signature}") is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"exp": 1}, "it has expired"),
        ({"nbf": 9_999_999_999}, "it is not valid yet"),
        ({"aud": "another"}, "its aud is not orders or shop"),
        ({"aud": None}, "it has no aud"),
        ({"iss": "https://other.example"}, "its iss is another one"),
        ({"exp": "soon"}, "it is no JWT that can be read"),
    ],
)
def test_the_log_tells_the_reason_and_never_the_token(
    check: Jwt, issuer: Issuer, changed: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert check.authenticate(issuer.token(**changed)) is None
    assert caplog.messages == [f"a token of {issuer.url} is refused: {reason}"]


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJ9.x.y", "\u00e9.a.b"])
def test_the_log_says_of_what_is_no_token_that_it_is_none(
    check: Jwt, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert check.authenticate(token) is None
    assert caplog.messages[0].endswith(" is refused: it is no JWT that can be read")


# ---- together with Authenticate -----------------------------------------------------------------------------------


def served(check: Jwt) -> TestClient:
    resolver = Resolver(session=SessionPolicy())
    resolver.use(Authenticate(check, mode="user"))

    @resolver.get("/sync")
    def sync(session: Session) -> Any:
        return session.user

    @resolver.get("/async")
    async def asynchronous(session: Session) -> Any:
        return session.user

    return TestClient(resolver)


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_it_guards_a_route(issuer: Issuer, path: str) -> None:
    client = served(Jwt(issuer.url, "orders", keys=KeySet(issuer=issuer.url, budget=30)))
    good = client.get(path, headers={"authorization": f"Bearer {issuer.token()}"})
    assert (good.status, good.text) == (200, "ann")
    bad = client.get(path, headers={"authorization": f"Bearer {issuer.token(aud='other')}"})
    assert (bad.status, bad.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_an_issuer_that_is_down_is_a_503(issuer: Issuer, path: str) -> None:
    client = served(Jwt(issuer.url, "orders", keys=f"{issuer.url}/nothing"))
    issuer.behaviour = {"/nothing": 500}
    answer = client.get(path, headers={"authorization": f"Bearer {issuer.token()}"})
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert issuer.url not in answer.text


def test_an_event_loop_goes_on_while_keys_are_fetched() -> None:
    with Issuer() as issuer:
        check = Jwt(issuer.url, "orders", keys=KeySet(issuer=issuer.url, budget=30))
        token = issuer.token()
        issuer.holding.clear()

        async def main() -> Any:
            checking = asyncio.create_task(check.authenticate_async(token))
            while not issuer.asked:  # noqa: ASYNC110  # another thread asks
                await asyncio.sleep(0)  # it could not, if the loop were blocked
            assert not checking.done()
            issuer.holding.set()
            return await checking

        identity = asyncio.run(main())
        assert identity.user == "ann"
        assert asyncio.run(check.authenticate_async(token)) == identity


@pytest.mark.parametrize(
    "wrong",
    [
        {"audience": ()},
        {"audience": ""},
        {"audience": [5]},
        {"algorithms": ()},
        {"algorithms": ("none",)},
        {"leeway": -1},
        {"leeway": 7200},
        {"keys": "http://keys.example.com"},
        {"user_claim": ["sub"]},
        {"user_claim": None},
        {"tenant_claim": 5},
        {"tenant_claim": ""},
        {"audience_claim": ("aud",)},
    ],
)
def test_settings_that_let_in_too_much_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Jwt(**{"issuer": "https://login.example.com", "audience": "orders", **wrong})


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"lambda-junction\[auth\]"):
        Jwt("https://login.example.com", "orders")


def test_unreachable_keys_are_told_from_bad_tokens() -> None:
    with pytest.raises(ServiceUnavailable):
        Jwt("http://127.0.0.1:9", "orders").authenticate(f"{part({'alg': 'RS256', 'kid': 'k'})}.e30.e30")
