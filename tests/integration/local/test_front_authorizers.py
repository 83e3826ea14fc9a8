"""Authorizers in front of an API: who is asked, for how long an answer counts, and what a refusal looks like."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from router import Allow, Deny, HttpEvent, Resolver, SocketEvent
from router.event import Source
from router.local.calls import Call
from router.testing import samples
from tests.integration.local.front_server import Served, served

REST, HTTP = Source.REST, Source.HTTP
KINDS = {REST: "rest-api", HTTP: "http-api"}
resolver = Resolver()


@resolver.on_authorize()
def judge(event: Any) -> Any:
    match event.text or event.query.get("token"):
        case "good":
            return Allow("ann", context={"tenant": "acme", "level": 3, "staff": True})
        case "everything":
            return Allow("ann", resources="*")
        case "elsewhere":
            return Allow("ann", resources="GET /elsewhere")
        case "broken":
            raise ValueError("secret")
    return Deny()


@resolver.get("/orders")
def orders(event: HttpEvent) -> Any:
    return event.request_context["authorizer"]


@resolver.on_connect()
def opened() -> None:
    pass


@resolver.on_message("who")
def who(event: SocketEvent) -> Any:
    return event.request_context["authorizer"]


def _api(source: Source, **fields: Any) -> list[dict[str, Any]]:
    return [{"kind": KINDS[source], "settings": {"authorizer": "own", "identity": "header:authorization", **fields}}]


def _asked(gateway: Served) -> list[Call]:
    return [call for call in gateway.application.calls if call.event.get("type") == "REQUEST"]


def _get(gateway: Served, token: str | None, path: str = "/orders") -> httpx.Response:
    return httpx.get(gateway.url + path, headers={} if token is None else {"authorization": token})


CONTEXTS = {
    REST: {"principalId": "ann", "integrationLatency": 0, "tenant": "acme", "level": "3", "staff": "true"},
    HTTP: {"lambda": {"tenant": "acme", "level": 3, "staff": True}},
}


@pytest.mark.parametrize("source", [REST, HTTP])
def test_an_authorizer_is_asked_first_and_its_context_handed_on(source: Source) -> None:
    with served(resolver, source, apis=_api(source)) as gateway:
        answer = _get(gateway, "good")
        assert answer.status_code == 200
        assert answer.json() == CONTEXTS[source]
        (asked,) = _asked(gateway)
        version = None if source is REST else "2.0"
        built = samples.authorizer(headers={"authorization": "good"}, version=version)
        assert built.keys() == asked.event.keys()
        assert built["requestContext"].keys() == asked.event["requestContext"].keys()
        assert _get(gateway, "good").status_code == 200
        assert len(_asked(gateway)) == 2


REFUSED = [
    (None, 401, 401, "is missing or empty"),
    ("", 401, 401, "is missing or empty"),
    ("bad", 403, 403, "denies"),
    ("elsewhere", 403, 403, "says nothing of"),
    ("broken", 500, 500, "ValueError"),
]


@pytest.mark.parametrize("source", [REST, HTTP])
@pytest.mark.parametrize(("token", "rest", "http", "why"), REFUSED)
def test_who_is_not_let_in_gets_the_answer_of_api_gateway(
    source: Source, token: str | None, rest: int, http: int, why: str
) -> None:
    with served(resolver, source, apis=_api(source)) as gateway:
        answer = _get(gateway, token)
        assert answer.status_code == (rest if source is REST else http)
        body = answer.json()
        if source is REST and answer.status_code == 403:
            assert body["Message"].startswith("User is not authorized to access this resource")
        else:
            expected = {401: "Unauthorized", 403: "Forbidden", 500: None if source is REST else "Internal Server Error"}
            assert body == {"message": expected[answer.status_code]}
        assert "secret" not in answer.text
        assert why in gateway.journal.notice or (source is HTTP and "isAuthorized: false" in gateway.journal.notice)
        assert all(call.event.get("type") == "REQUEST" for call in gateway.application.calls)


def test_an_answer_counts_for_its_time_and_for_its_token() -> None:
    with served(resolver, REST, apis=_api(REST, cached=60)) as gateway:
        for token in ("everything", "everything", "good", "good"):
            assert _get(gateway, token).status_code == 200
        assert len(_asked(gateway)) == 2
        # As in AWS: the policy that is kept names one path alone.
        assert _get(gateway, "good", "/other").status_code == 403
        assert _get(gateway, "everything", "/other").status_code == 404
        gateway.front.describe(None, _api(REST, cached=60))
        _get(gateway, "good")
        assert len(_asked(gateway)) == 3


def test_a_token_may_be_in_the_query() -> None:
    with served(resolver, HTTP, apis=_api(HTTP, identity="query:token")) as gateway:
        assert httpx.get(f"{gateway.url}/orders?token=good").status_code == 200
        assert httpx.get(f"{gateway.url}/orders").status_code == 401


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"policyDocument": {}},
        {"policyDocument": {"Statement": [{"Effect": "Maybe"}]}},
        {"policyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}},
        {
            "principalId": "a",
            "context": {"nested": {}},
            "policyDocument": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
        },
    ],
)
def test_what_is_no_decision_is_an_error(answer: Any) -> None:
    with served(lambda event: answer, REST, apis=_api(REST)) as gateway:
        assert _get(gateway, "x").status_code == 500
        assert len(gateway.application.calls) == 1


def test_an_authorizer_that_raises_unauthorized_says_401() -> None:
    def handle(event: Any) -> Any:
        raise RuntimeError("Unauthorized")

    with served(handle, REST, apis=_api(REST)) as gateway:
        assert _get(gateway, "x").status_code == 401


def test_the_authorizer_of_a_split_application_is_asked_where_it_lives() -> None:
    routes = [{"source": "authorizer", "match": "*", "function": "auth"}]
    with served(resolver, HTTP, routes=routes, apis=_api(HTTP)) as gateway:
        assert _get(gateway, "good").status_code == 200
        assert [call.function for call in gateway.application.calls] == ["auth", "main"]


# ---- WebSockets ------------------------------------------------------------------------------------------------------

SOCKET = [{"kind": "websocket-api", "settings": {"authorizer": "own", "identity": "query:token", "stage": "live"}}]


def test_a_connection_is_authorized_and_its_messages_know_by_whom() -> None:
    with served(resolver, apis=SOCKET) as gateway, connect(f"ws://{gateway.host}/?token=good") as client:
        client.send('{"action": "who"}')
        assert json.loads(client.recv(5)) == CONTEXTS[REST]
        (asked,) = _asked(gateway)
        assert asked.event.keys() == samples.websocket_authorizer().keys()
        assert asked.event["methodArn"].endswith("/live/$connect")


@pytest.mark.parametrize(("query", "status"), [("", 401), ("?token=bad", 403), ("?token=broken", 500)])
def test_a_connection_that_is_not_let_in_is_not_opened(query: str, status: int) -> None:
    with served(resolver, apis=SOCKET) as gateway:
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws://{gateway.host}/{query}")
        assert refused.value.response.status_code == status
        assert not [call for call in gateway.application.calls if "type" not in call.event]


# ---- tokens that API Gateway checks itself ---------------------------------------------------------------------------


def _token(**claims: Any) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    held = {"iss": "https://issuer.example", "aud": "app", "exp": time.time() + 10 * 86_400, "sub": "ann", **claims}
    return f"{part({'alg': 'RS256'})}.{part(held)}.c2ln"


ISSUER = [
    {
        "kind": "http-api",
        "settings": {"issuer": "https://issuer.example", "audience": ["app"], "identity": "header:authorization"},
    }
]


def test_claims_of_an_issuer_are_handed_on() -> None:
    with served(resolver, HTTP, apis=ISSUER) as gateway:
        answer = _get(gateway, f"Bearer {_token(scope='read write', groups=['a', 'b'])}")
        assert answer.status_code == 200
        jwt = gateway.application.event["requestContext"]["authorizer"]["jwt"]
        assert jwt["scopes"] == ["read", "write"]
        assert jwt["claims"]["groups"] == "[a b]"
        assert jwt["claims"]["sub"] == "ann"
        assert "the signature is not" in gateway.journal.notice
        assert len(gateway.application.calls) == 1


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("nothing", "not a JWT"),
        ("a.b.c", "not a JWT"),
        ("Basic a.b.c", "not a JWT"),
        (_token(iss="https://other.example"), "other.example"),
        (_token(aud="other"), "not for app"),
        (_token(exp=1), "has ended"),
        (_token(exp="soon"), "has ended"),
        (_token(nbf=time.time() + 86_400), "does not count yet"),
    ],
)
def test_a_token_that_does_not_count_is_refused(token: str, why: str) -> None:
    with served(resolver, HTTP, apis=ISSUER) as gateway:
        answer = _get(gateway, token)
        assert answer.status_code == 401
        assert answer.json() == {"message": "Unauthorized"}
        assert answer.headers["www-authenticate"] == "Bearer"
        assert why in gateway.journal.notice
        assert gateway.application.calls == []


def test_claims_of_a_user_pool_are_handed_on() -> None:
    pool = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc"
    api = [{"kind": "rest-api", "settings": {"user_pools": [pool], "identity": "header:authorization"}}]
    with served(resolver, REST, apis=api) as gateway:
        issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"
        assert _get(gateway, _token(iss=issuer)).status_code == 200
        assert gateway.application.event["requestContext"]["authorizer"]["claims"]["sub"] == "ann"
        assert _get(gateway, _token(iss="https://other.example/us-east-1_xyz")).status_code == 401


def test_a_signed_call_of_a_function_url_knows_its_caller() -> None:
    api = [{"kind": "function-url", "settings": {"public": False}}]
    with served(lambda event: {"statusCode": 200}, Source.URL, apis=api) as gateway:
        _get(gateway, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/lambda/aws4_request, Signature=x")
        assert gateway.application.event["requestContext"]["authorizer"]["iam"]["accessKey"] == "AKIDEXAMPLE"
        assert gateway.journal.entries == []
        assert _get(gateway, None).status_code == 200
        assert "answers others with 403" in gateway.journal.notice
