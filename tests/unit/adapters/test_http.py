"""Calls to sister services: where they go, what they carry, what is tried again, and what an error says."""

from __future__ import annotations

import asyncio
import json
import os
from decimal import Decimal

import httpx
import pytest

from adapters.errors import AdapterError, ConnectionFailed, InvalidMessage
from adapters.http import ServiceFailed, Services
from router import ConfigurationError, Event, FromRequest, Resolver, Session, SessionPolicy, Signing
from router.guards import CircuitBreaker, CircuitOpen
from router.testing import TestClient

POLICY = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(tenant_header="x-tenant"))
BILLING = "https://billing.internal/v1"
HEADER = "x-junction-session"


class Network:
    """Answers requests in turn, the last answer for good, and keeps them."""

    def __init__(self, *answers):
        self.requests: list[httpx.Request] = []
        self._answers = list(answers) or [httpx.Response(200, json={"ok": True})]

    def __call__(self, request):
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return (
            answer(request)
            if callable(answer)
            else httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        )

    @property
    def sessions(self):
        return [request.headers.get(HEADER) for request in self.requests]


def services(network=None, sleeps=None, **options):
    network = network or Network()
    return (
        Services(
            {"billing": BILLING, "stock": "https://stock.internal"},
            **{
                "transport": httpx.MockTransport(network),
                "sleep": (sleeps if sleeps is not None else []).append,
                "backoff": 0,
                **options,
            },
        ),
        network,
    )


@pytest.fixture(params=["sync", "async"])
def call(request):
    """A call by sync or by async code; gives the result."""

    def run(adapter, verb, *args, **options):
        if request.param == "sync":
            try:
                return getattr(adapter, verb)(*args, **options)
            finally:
                adapter.close()

        async def main():
            try:
                return await getattr(adapter, f"{verb}_async")(*args, **options)
            finally:
                await adapter.aclose()

        return asyncio.run(main())

    return run


class TestRequest:
    @pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
    def test_goes_to_the_service_of_the_name(self, call, verb):
        adapter, network = services()
        assert call(adapter, verb, "billing", "/invoices/1", params={"full": True, "page": None}).json() == {"ok": True}
        [request] = network.requests
        assert (request.method, str(request.url)) == (verb.upper(), f"{BILLING}/invoices/1?full=true")

    def test_with_a_body_of_exact_numbers(self, call):
        adapter, network = services()
        given = {"amount": Decimal("9.90")}
        call(adapter, "post", "billing", "invoices", json=given, headers={"X-Kind": "a"})
        [request] = network.requests
        assert request.content == b'{"amount":9.90}'
        assert (request.headers["content-type"], request.headers["x-kind"]) == ("application/json", "a")

    def test_with_a_body_as_it_is(self, call):
        adapter, network = services()
        call(adapter, "put", "billing", "/x", content="é", headers={"content-type": "text/plain"})
        assert network.requests[0].content == "é".encode()

    @pytest.mark.parametrize(
        ("path", "url"), [("", BILLING), ("/", f"{BILLING}/"), ("a/", f"{BILLING}/a/"), ([], BILLING)]
    )
    def test_a_slash_at_the_end_stays_as_it_is(self, path, url):
        adapter, network = services()
        adapter.get("billing", path)
        assert str(network.requests[0].url) == url

    def test_segments_from_outside_stay_segments(self, call):
        adapter, network = services()
        call(adapter, "get", "billing", ["invoices", "../a/b?c#d %2e", 7])
        assert network.requests[0].url.raw_path == b"/v1/invoices/..%2Fa%2Fb%3Fc%23d%20%252e/7"

    @pytest.mark.parametrize(
        "path",
        [
            "/../admin",
            "/a/../../admin",
            "/a/%2e%2e/admin",
            "/a/./b",
            "/a?admin=1",
            "/a#b",
            "\\\\evil.example\\x",
            "/a\r\nHost: evil",
            ["a", ".."],
            ["a", ""],
            ["."],
        ],
    )
    def test_no_path_leads_out_of_the_service(self, path):
        adapter, network = services()
        with pytest.raises(InvalidMessage, match="billing GET"):
            adapter.get("billing", path)
        assert network.requests == []

    @pytest.mark.parametrize(
        "path", ["//evil.example/x", "https://evil.example/x", "@evil.example/x", ":443@evil.example"]
    )
    def test_nor_to_another_host(self, call, path):
        adapter, network = services()
        call(adapter, "get", "billing", path)
        assert network.requests[0].url.host == "billing.internal"
        assert network.requests[0].url.path.startswith("/v1/")

    @pytest.mark.parametrize(
        "headers", [{"Host": "evil"}, {"content-length": "1"}, {"x": "a\r\ny: b"}, {"x\n": "a"}, {"x": "é"}, {"x": 7}]
    )
    def test_headers_that_would_change_the_request(self, headers):
        adapter, network = services()
        with pytest.raises(InvalidMessage, match="header"):
            adapter.get("billing", "/", headers=headers)
        assert network.requests == []

    def test_two_bodies_or_one_without_a_json_form(self):
        with pytest.raises(InvalidMessage, match="not both"):
            services()[0].post("billing", "/", json={}, content=b"")
        with pytest.raises(InvalidMessage, match="cannot be written as JSON"):
            services()[0].post("billing", "/", json=object())

    def test_a_name_that_is_not_known(self):
        with pytest.raises(ConfigurationError, match="no 'evil'; there are: billing, stock"):
            services()[0].get("evil", "/")

    def test_a_method_that_is_none(self):
        with pytest.raises(ConfigurationError, match="method"):
            services()[0].request("billing", "TRACE", "/")

    @pytest.mark.parametrize(
        "url",
        ["billing", "ftp://billing", "https://", "https://u:p@billing", "https://billing?x=1", "https://billing:x", 7],
    )
    def test_a_map_that_makes_no_sense(self, url):
        with pytest.raises(ConfigurationError, match="billing"):
            Services({"billing": url})

    @pytest.mark.parametrize("options", [{"timeout": 0}, {"attempts": 0}, {"backoff": -1}, {"connect_timeout": 0}])
    def test_settings_that_make_no_sense(self, options):
        with pytest.raises(ConfigurationError):
            Services({}, **options)

    def test_a_url_that_is_too_long(self, call):
        with pytest.raises(InvalidMessage, match="too long"):
            call(services()[0], "get", "billing", "/", params={"x": "y" * 70_000})

    def test_timeouts_are_those_of_the_settings_or_of_the_call(self):
        adapter, network = services(timeout=7, connect_timeout=2)
        adapter.get("billing", "/")
        adapter.get("billing", "/", timeout=1)
        assert [request.extensions["timeout"] for request in network.requests] == [
            {"connect": 2, "read": 7, "write": 7, "pool": 7},
            {"connect": 1, "read": 1, "write": 1, "pool": 1},
        ]


class TestSession:
    def test_is_signed_and_can_be_opened_by_the_service(self):
        adapter, network = services()
        resolver = Resolver(session=POLICY)

        @resolver.get("/")
        def ask():
            adapter.get("billing", "/invoices")

        TestClient(resolver).get("/", headers={"x-tenant": "acmé"})
        seen = []
        billing = Resolver(session=POLICY)

        @billing.get("/invoices")
        def invoices(event: Event):
            seen.append(POLICY.open(event.headers[HEADER], "header").tenant)

        assert network.sessions[0].isascii()
        TestClient(billing).get("/invoices", headers={HEADER: network.sessions[0]})
        assert seen == ["acmé"]

    def test_of_a_script_is_signed_by_the_policy_it_gives(self):
        adapter, network = services(policy=POLICY)
        adapter.get("billing", "/", session=Session(user="cron"))
        assert POLICY.open(network.sessions[0], "header").user == "cron"

    def test_is_left_out_where_there_is_none_or_none_is_wanted(self):
        adapter, network = services(policy=POLICY)
        adapter.get("billing", "/")
        adapter.get("billing", "/", session=None)
        assert network.sessions == [None, None]

    def test_that_a_client_claims_is_not_passed_on(self):
        adapter, network = services()
        forged = {"X-Junction-Session": '{"tenant":"victim"}', "x-request": "1"}
        adapter.get("billing", "/", headers=forged)
        adapter.get("billing", "/", headers=forged, session=Session(tenant="acme"))
        assert network.sessions == [None, '{"tenant":"acme"}']
        assert [request.headers["x-request"] for request in network.requests] == ["1", "1"]
        assert forged["X-Junction-Session"] == '{"tenant":"victim"}'

    def test_that_is_too_large_for_a_header(self):
        adapter, network = services()
        with pytest.raises(InvalidMessage, match="fewer claims"):
            adapter.get("billing", "/", session=Session(claims={"groups": "x" * 9000}))
        assert network.requests == []

    def test_has_the_header_of_your_own(self):
        adapter, network = services(header="X-Who")
        adapter.get("billing", "/", session=Session(tenant="acme"), headers={"x-who": "forged"})
        assert network.requests[0].headers["x-who"] == '{"tenant":"acme"}'


class TestRedirects:
    def test_within_the_service_are_followed_with_the_session(self, call):
        network = Network(httpx.Response(307, headers={"location": "/v1/new"}), httpx.Response(200, json=1))
        adapter, _ = services(network)
        assert call(adapter, "post", "billing", "/old", json={"a": 1}, session=Session(tenant="acme")).json() == 1
        assert [str(request.url) for request in network.requests] == [f"{BILLING}/old", f"{BILLING}/new"]
        assert network.sessions == ['{"tenant":"acme"}'] * 2
        assert network.requests[1].content == b'{"a":1}'

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example/x",
            "//evil.example/x",
            "http://billing.internal/v1/x",
            "https://billing.internal:8443/x",
            "https://stock.internal/x",
            "https://billing.internal@evil.example/",
        ],
    )
    def test_to_anywhere_else_are_not(self, call, target):
        network = Network(httpx.Response(302, headers={"location": target}))
        with pytest.raises(ServiceFailed, match="another host, which is not followed") as raised:
            call(services(network)[0], "get", "billing", "/x", session=Session(tenant="acme"))
        assert raised.value.status == 302
        assert len(network.requests) == 1

    def test_in_circles_end(self, call):
        network = Network(httpx.Response(302, headers={"location": "/v1/x"}))
        with pytest.raises(ServiceFailed, match="too many redirects"):
            call(services(network)[0], "get", "billing", "/x")
        assert len(network.requests) == 6

    def test_with_the_default_port_written_out(self, call):
        network = Network(
            httpx.Response(302, headers={"location": "https://billing.internal:443/v1/y"}), httpx.Response(204)
        )
        assert call(services(network)[0], "get", "billing", "/x").status_code == 204


class TestErrors:
    def test_name_the_service_and_the_status_and_quote_nothing(self, call):
        network = Network(httpx.Response(404, text="secret of the body", headers={"x-secret": "s3"}))
        adapter, _ = services(network)
        with pytest.raises(ServiceFailed) as raised:
            call(adapter, "get", "billing", "/invoices/1", params={"token": "t0ken"}, session=Session(tenant="acme"))
        error = raised.value
        assert str(error) == "billing GET /v1/invoices/1: it answered 404"
        assert (error.service, error.status, error.retryable, error.code) == ("billing", 404, False, "404")
        assert error.response.text == "secret of the body"
        assert error.__cause__ is None
        assert error.__context__ is None

    def test_are_adapter_errors(self):
        with pytest.raises(AdapterError):
            services(Network(httpx.Response(500)))[0].get("billing", "/")

    def test_of_the_network_hold_no_request(self, call):
        network = Network(httpx.ConnectError("no route to billing.internal?token=t0ken"))
        with pytest.raises(ConnectionFailed, match=r"billing GET /v1/: ConnectError") as raised:
            call(services(network)[0], "get", "billing", "/")
        assert "t0ken" not in str(raised.value)
        assert raised.value.__context__ is None


class TestRetries:
    @pytest.mark.parametrize("verb", ["get", "put", "delete"])
    @pytest.mark.parametrize("first", [httpx.ReadTimeout("x"), httpx.Response(503), httpx.Response(429)])
    def test_of_what_may_be_repeated(self, call, verb, first):
        adapter, network = services(Network(first, httpx.Response(200, json=1)))
        assert call(adapter, verb, "billing", "/x").json() == 1
        assert len(network.requests) == 2

    @pytest.mark.parametrize("first", [httpx.ReadTimeout("x"), httpx.Response(503), httpx.RemoteProtocolError("x")])
    def test_not_of_what_may_not(self, call, first):
        adapter, network = services(Network(first, httpx.Response(200)))
        with pytest.raises(AdapterError):
            call(adapter, "post", "billing", "/x", json={})
        assert len(network.requests) == 1

    def test_unless_it_never_left_or_is_said_to_be_harmless(self, call):
        adapter, network = services(Network(httpx.ConnectTimeout("x"), httpx.ReadTimeout("x"), httpx.Response(201)))
        assert call(adapter, "post", "billing", "/x", json={}, idempotent=True).status_code == 201
        adapter, network = services(Network(httpx.ConnectError("x"), httpx.Response(201)))
        assert call(adapter, "post", "billing", "/x", json={}).status_code == 201
        assert len(network.requests) == 2

    def test_end(self, call):
        adapter, network = services(Network(httpx.Response(502)), attempts=4)
        with pytest.raises(ServiceFailed, match="502"):
            call(adapter, "get", "billing", "/x")
        assert len(network.requests) == 4

    def test_wait_longer_and_longer_or_as_long_as_the_service_asks(self):
        sleeps: list[float] = []
        busy = httpx.Response(503, headers={"retry-after": "2"})
        adapter, _ = services(Network(httpx.ReadTimeout("x"), busy, httpx.Response(200)), sleeps, backoff=0.1)
        adapter.get("billing", "/x")
        assert 0 <= sleeps[0] <= 0.1
        assert sleeps[1] == 2

    def test_do_not_wait_for_a_service_that_asks_for_too_long(self):
        sleeps: list[float] = []
        adapter, network = services(Network(httpx.Response(503, headers={"retry-after": "3600"})), sleeps)
        with pytest.raises(ServiceFailed):
            adapter.get("billing", "/x")
        assert (len(network.requests), sleeps) == (1, [])

    @pytest.mark.parametrize("status", [400, 404, 409, 500])
    def test_not_of_answers_that_stay(self, call, status):
        adapter, network = services(Network(httpx.Response(status)))
        with pytest.raises(ServiceFailed):
            call(adapter, "get", "billing", "/x")
        assert len(network.requests) == 1


class TestBreakers:
    def test_a_service_that_fails_is_left_alone_and_the_others_are_not(self, call):
        breaker = CircuitBreaker("billing", failures=2)
        adapter, network = services(Network(httpx.Response(503)), attempts=2, breakers={"billing": breaker})
        for _ in range(2):
            with pytest.raises(ServiceFailed):
                call(adapter, "get", "billing", "/x")
        with pytest.raises(CircuitOpen):
            call(adapter, "post", "billing", "/x", json={})
        assert len(network.requests) == 4
        with pytest.raises(ServiceFailed):
            call(adapter, "get", "stock", "/x")
        assert len(network.requests) == 6

    @pytest.mark.parametrize(("answer", "state"), [(404, "closed"), (500, "open"), (httpx.ReadTimeout("x"), "open")])
    def test_an_answer_that_says_what_is_wrong_is_no_failure(self, call, answer, state):
        breaker = CircuitBreaker("billing", failures=1)
        given = answer if isinstance(answer, Exception) else httpx.Response(answer)
        adapter, _ = services(Network(given), attempts=1, breakers={"billing": breaker})
        with pytest.raises(AdapterError):
            call(adapter, "get", "billing", "/x")
        assert breaker.state == state

    def test_one_for_a_service_that_is_not_there_is_refused(self):
        with pytest.raises(ConfigurationError, match="there is no service bills"):
            services(breakers={"bills": CircuitBreaker("bills")})


class TestClients:
    def test_cookies_of_one_call_are_not_sent_with_another(self, call):
        network = Network(httpx.Response(200, headers={"set-cookie": "session=acme; Path=/"}))
        adapter, _ = services(network)
        adapter.get("billing", "/")
        call(adapter, "get", "billing", "/")
        assert "cookie" not in network.requests[1].headers

    def test_each_event_loop_has_connections_of_its_own(self):
        adapter, _ = services()

        async def ask():
            await adapter.get_async("billing", "/")
            client = adapter._async_client()
            await adapter.get_async("billing", "/")
            assert adapter._async_client() is client
            await adapter.aclose()
            return client

        assert asyncio.run(ask()) is not asyncio.run(ask())

    def test_a_process_that_was_forked_has_connections_of_its_own(self, monkeypatch):
        adapter, _ = services()
        before = adapter._client()
        assert adapter._client() is before
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert adapter._client() is not before

    def test_without_httpx_the_error_names_the_extra(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "httpx", None)
        with pytest.raises(ConfigurationError, match=r"lambda-junction\[http\]"):
            Services({"billing": BILLING}).get("billing", "/")

    def test_shown_it_says_where_things_are(self):
        assert repr(services()[0]) == json.dumps({"billing": BILLING, "stock": "https://stock.internal"}).replace(
            '"', "'"
        ).join(["Services(", ")"])


class TestStandingHeaders:
    """What each call has for services that read no session."""

    ACME = Session("acme", "bob")

    def sent(self, headers=None, session=ACME, **options):
        calls, network = services(**options)
        calls.get("billing", "invoices", headers=headers, session=session)
        return network.requests[0].headers

    @pytest.mark.parametrize("token", ["t1", lambda: "t1", {"billing": "t1"}, {"billing": lambda: "t1"}])
    def test_a_token_is_sent(self, token):
        assert self.sent(token=token)["authorization"] == "Bearer t1"

    @pytest.mark.parametrize("token", [None, {"stock": "t1"}, {}])
    def test_or_none_to_a_service_that_has_none(self, token):
        assert "authorization" not in self.sent(token=token)

    def test_the_token_of_a_call_goes_before_it(self):
        assert self.sent({"Authorization": "Bearer of the call"}, token="t1")["authorization"] == "Bearer of the call"

    def test_the_tenant_is_that_of_the_session_and_of_nobody_else(self):
        assert self.sent(tenant_header="X-Tenant")["x-tenant"] == "acme"
        assert self.sent({"x-Tenant": "globex"}, tenant_header="x-tenant")["x-tenant"] == "acme"
        for nobody in (None, Session(), Session(user="bob")):
            assert "x-tenant" not in self.sent({"x-tenant": "globex"}, nobody, tenant_header="x-tenant")

    def test_the_tenant_of_the_current_session(self):
        calls, network = services(tenant_header="x-state")
        resolver = Resolver(session=POLICY)
        resolver.get("/")(lambda: calls.get("billing", "invoices") and None)
        assert TestClient(resolver).get("/", headers={"x-tenant": "acme"}).status < 300
        assert network.requests[0].headers["x-state"] == "acme"

    def test_what_no_header_can_hold_is_refused_without_being_told(self):
        for options in ({"token": "a\r\nx-admin: 1"}, {"tenant_header": "x-tenant", "session": Session("a\nb")}):
            with pytest.raises(InvalidMessage, match="has a character that no header has") as refused:
                self.sent(**options)
            assert "admin" not in str(refused.value)

    def test_async_code_sends_the_same(self):
        calls, network = services(token="t1", tenant_header="x-tenant")

        async def call():
            await calls.get_async("billing", "invoices", session=self.ACME)
            await calls.aclose()

        asyncio.run(call())
        assert network.requests[0].headers["authorization"] == "Bearer t1"
        assert network.requests[0].headers["x-tenant"] == "acme"

    def test_a_service_that_is_not_there_is_refused(self):
        with pytest.raises(ConfigurationError, match="there is no service bills"):
            services(token={"bills": "t1"})
