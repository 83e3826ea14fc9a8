"""Where the server is, who issues its tokens, and settings that make no sense."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from router import Authenticate, ConfigurationError, Cors, Env, Envelope, Identity, Resolver, Router, Unauthorized
from router.cli import app as commands
from router.contract import Info
from router.contract.interface import describe
from router.guards import ApiKey, FixedKeys, Jwt
from router.mcp import serve_mcp
from router.testing import samples
from router.testing.client import Answer
from tests.servers.issuer import KEYS, Issuer
from tests.unit.router.mcp.asking import ask, call, request, said, served

WELL_KNOWN = "/.well-known/oauth-protected-resource"
LOGIN = "https://login.example"


def greet() -> str:
    """Greet whoever calls."""
    return "hello"


class Nobody:
    def authenticate(self, token: str) -> Identity | None:
        return Identity("ann", ["acme"]) if token == "good" else None


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


def document(resolver: Resolver, place: str = WELL_KNOWN, source: Any = samples.http, **options: Any) -> Any:
    answer = Answer(resolver(source("GET", place, **options)))
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


# ---- tokens ----------------------------------------------------------------------------------------------------------


def test_a_server_says_who_issues_its_tokens(issuer: Issuer) -> None:
    jwt = Jwt(issuer.url, "orders", keys=FixedKeys(issuer.published(KEYS)))
    for resolver in (
        served(greet, resolver=Resolver(auth=jwt)),
        served(greet, resolver=Resolver().use(Authenticate(jwt))),
        served(greet, auth=jwt),
        served(greet, resolver=Resolver(auth=[ApiKey(Nobody()), jwt])),
    ):
        for place in (WELL_KNOWN + "/mcp", WELL_KNOWN):
            told = document(resolver, place, headers={"host": "api.shop.example"})
            assert told == {
                "resource": "https://api.shop.example/mcp",
                "authorization_servers": [issuer.url],
                "bearer_methods_supported": ["header"],
                "resource_name": "The shop",
            }
        refused = ask(resolver, "tools/list", headers={"host": "api.shop.example"})
        assert refused.status == 401
        challenge = refused.headers["www-authenticate"]
        url = f"https://api.shop.example{WELL_KNOWN}/mcp"
        assert f'Bearer resource_metadata="{url}"' in challenge
        forged = ask(resolver, "tools/list", headers={"host": "api.shop.example", "authorization": "Bearer forged"})
        assert forged.status == 401
        assert f'Bearer resource_metadata="{url}", error="invalid_token"' in forged.headers["www-authenticate"]


def test_a_server_with_keys_alone_names_no_issuer() -> None:
    resolver = served(greet, resolver=Resolver(auth=ApiKey(Nobody())))
    assert Answer(resolver(samples.http("GET", WELL_KNOWN))).status == 401  # as any path that is not there
    assert "resource_metadata" not in ask(resolver, "tools/list").headers["www-authenticate"]


def test_an_issuer_may_be_named_for_tokens_of_any_kind() -> None:
    resolver = served(
        greet,
        resolver=Resolver(auth=ApiKey(Nobody())),
        authorization_servers=[LOGIN],
        resource="https://api.shop.example/v1/mcp",
        scopes=["orders:read"],
    )
    told = document(resolver)
    assert (told["resource"], told["authorization_servers"]) == ("https://api.shop.example/v1/mcp", [LOGIN])
    assert told["scopes_supported"] == ["orders:read"]
    challenge = ask(resolver, "tools/list").headers["www-authenticate"]
    url = f"https://api.shop.example/v1{WELL_KNOWN}/mcp"
    assert challenge == f'Bearer resource_metadata="{url}", ApiKey header="x-api-key"'


def test_a_stage_is_part_of_the_address() -> None:
    resolver = served(greet, authorization_servers=[LOGIN])
    for source in (samples.rest, samples.http):
        payload = source("GET", WELL_KNOWN, stage="prod", headers={"host": "a.example"})
        told = Answer(resolver(payload)).json()
        assert told["resource"] == "https://a.example/prod/mcp"


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("localhost:8000", "http://localhost:8000"),
        ("localhost", "http://localhost"),
        ("127.0.0.1.evil.example", "https://127.0.0.1.evil.example"),
        ('a.example"x', "http://localhost"),
        ("a.example/x", "http://localhost"),
        ("LOCALHOST:8000", "http://LOCALHOST:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("127.0.0.1:evil", "http://localhost"),
        ("a.example:1:2", "http://localhost"),
        ("[", "http://localhost"),
    ],
)
def test_the_address_is_that_of_the_request(host: str, base: str) -> None:
    resolver = served(greet, authorization_servers=[LOGIN])
    assert document(resolver, headers={"host": host})["resource"] == f"{base}/mcp"


def test_what_a_request_says_of_the_host_is_kept_by_no_shared_cache() -> None:
    for resource, whose in ((None, "private"), ("https://a.example/mcp", "public")):
        resolver = served(greet, authorization_servers=[LOGIN], resource=resource)
        answer = Answer(resolver(samples.http("GET", WELL_KNOWN)))
        assert answer.headers["cache-control"] == f"{whose}, max-age=3600"


@pytest.mark.parametrize(
    ("said_by_the_tool", "rest"),
    [
        ({"WWW-Authenticate": 'Basic realm="shop"'}, ', Basic realm="shop"'),
        ({"Www-Authenticate": 'bearer error="invalid_token"'}, ', error="invalid_token"'),
        ({"www-authenticate": "Bearer, Basic"}, ", Basic"),
        ({"www-authenticate": ""}, ""),
        ({"retry-after": 3}, ""),
    ],
)
def test_what_a_tool_says_with_a_401_is_kept(said_by_the_tool: dict[str, Any], rest: str) -> None:
    def who() -> None:
        """Say who calls."""
        raise Unauthorized("sign in again", headers=said_by_the_tool, reason="expired")

    resolver = served(who, authorization_servers=[LOGIN])
    answer = ask(resolver, "tools/call", {"name": "who"}, headers={"host": "a.example"})
    assert answer.status == 401
    named = f'Bearer resource_metadata="https://a.example{WELL_KNOWN}/mcp"'
    assert answer.headers["www-authenticate"] == named + rest
    assert answer.headers.get("retry-after") == ("3" if "retry-after" in said_by_the_tool else None)
    assert answer.json()["reason"] == "expired"


# ---- where it is -----------------------------------------------------------------------------------------------------


def test_a_server_may_be_at_any_path() -> None:
    resolver = served(greet, path="/agents/v1")
    assert said(call(resolver, "greet", path="/agents/v1")) == "hello"
    assert Answer(resolver(request("tools/list"))).status == 404


def test_one_application_may_have_two_servers() -> None:
    resolver = served(greet)
    serve_mcp(resolver, Info("Another"), path="/others")
    assert ask(resolver, "server/discover", path="/others").json()["result"]["_meta"]
    assert said(call(resolver, "greet")) == "hello"


def test_the_server_is_in_no_document() -> None:
    resolver = served(greet, authorization_servers=[LOGIN])
    assert [one.name for one in describe(resolver, Info("x")).operations] == ["greet"]


@pytest.mark.parametrize("source", [samples.rest, samples.http, samples.url, samples.alb])
def test_a_page_that_is_named_calls_by_cors(source: Any) -> None:
    page = "https://app.example"
    cors = Cors([page], credentials=True, headers=["content-type", "mcp-method"])
    resolver = served(greet, resolver=Resolver().use(cors), origins=[page])
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type, mcp-method"}
    allowed = Answer(resolver(source("OPTIONS", "/mcp", headers={"origin": page, **asked})))
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (204, page)
    answer = ask(resolver, "tools/call", {"name": "greet"}, headers={"origin": page}, source=source)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, page)
    other = "https://evil.example"
    refused = Answer(resolver(source("OPTIONS", "/mcp", headers={"origin": other, **asked})))
    assert "access-control-allow-origin" not in refused.headers
    assert ask(resolver, "tools/list", headers={"origin": other}, source=source).status == 403


def test_the_envelope_of_an_application_is_not_put_around_the_protocol() -> None:
    resolver = Resolver(envelope=Envelope())
    served(greet, resolver=resolver)
    assert set(ask(resolver, "tools/list").json()) == {"jsonrpc", "id", "result"}
    assert said(call(resolver, "greet")) == "hello"


def test_tools_of_groups_are_tools() -> None:
    group = Router(tags=["orders"])
    group.tool("greet")(greet)
    resolver = Resolver().include(group)
    assert said(call(served(resolver=resolver), "greet")) == "hello"


def test_a_list_that_cannot_be_made_names_file_and_line(caplog: pytest.LogCaptureFixture) -> None:
    resolver = served(wordless)
    with caplog.at_level(logging.ERROR, "router"):
        assert ask(resolver, "tools/list").status == 500
    assert f"{__file__.rpartition('/')[2]}:{wordless.__code__.co_firstlineno}" in caplog.text
    assert not call(resolver, "wordless")["isError"]


def wordless() -> None: ...


broken = served(wordless)
elsewhere = served(greet)
elsewhere.tool(Env("NAME_OF_A_TOOL"), summary="Find an order.")(lambda: None)
fine = served(greet)


def checked(name: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(commands, ["check", f"{__name__}:{name}", "--offline", "--json"])
    return [one for one in json.loads(result.stdout)["findings"] if one["rule"] == "document"]


def test_the_check_finds_a_list_that_cannot_be_made() -> None:
    [found] = checked("broken")
    assert found["text"].startswith("POST /mcp: its list of tools cannot be made: ")
    assert (found["file"].rpartition("/")[2], found["line"]) == ("test_serving.py", wordless.__code__.co_firstlineno)
    assert checked("fine") == []


def test_the_check_says_nothing_of_a_list_whose_names_are_elsewhere() -> None:
    assert checked("elsewhere") == []


def test_lists_may_be_kept_as_long_as_is_said() -> None:
    resolver = served(greet, ttl=timedelta(hours=1))
    assert ask(resolver, "tools/list").json()["result"]["ttlMs"] == 3_600_000
    assert ask(served(greet, ttl=0), "server/discover").json()["result"]["ttlMs"] == 0


def test_an_open_server_in_a_closed_application_says_that_it_has_no_stream() -> None:
    resolver = served(greet, resolver=Resolver(auth=ApiKey(Nobody())), auth="off")
    assert Answer(resolver(samples.http("GET", "/mcp"))).status == 405


def test_a_process_that_no_agent_asks_imports_nothing_of_the_protocol() -> None:
    code = """if True:
        import sys
        from router import Resolver
        from router.contract import Info
        from router.mcp import serve_mcp

        resolver = Resolver()
        resolver.get("/")(lambda: {})
        serve_mcp(resolver, Info("x"))
        loaded = {name for name in sys.modules if name.startswith(("router.mcp.", "router.contract.schemas"))}
        assert loaded == {"router.mcp.serving"}, loaded
    """
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    )


def test_it_answers_on_a_loop_that_is_running() -> None:
    resolver = served(greet)
    answer = asyncio.run(resolver.resolve_async(request("tools/call", {"name": "greet"})))
    assert said(Answer(answer).json()["result"]) == "hello"


@pytest.mark.parametrize(
    "options",
    [
        {"origins": ["app.example"]},
        {"origins": ["https://app.example/"]},
        {"origins": ["https://App.example"]},
        {"origins": [7]},
        {"ttl": -1},
        {"ttl": 100_000},
        {"resource": "https://a.example/mcp"},
        {"scopes": ["a"]},
        {"authorization_servers": ["login"]},
        {"authorization_servers": ["http://login.example"]},
        {"authorization_servers": [LOGIN], "resource": "https://a.example/other"},
        {"authorization_servers": [LOGIN], "resource": "https://a.example/mcp?x=1"},
        {"tool": True},
        {"include_in_schema": True},
        {"name": "x"},
        {"path": "mcp"},
        {"instructions": 7},
        {"scopes": 7, "authorization_servers": LOGIN},
        {"scopes": [7], "authorization_servers": LOGIN},
        {"authorization_servers": 7},
        {"origins": 7},
    ],
)
def test_settings_that_make_no_sense_are_refused(options: Any) -> None:
    with pytest.raises(ConfigurationError):
        serve_mcp(Resolver(), Info("x"), **options)


def test_one_text_is_one_scope_and_one_issuer() -> None:
    resolver = served(greet, authorization_servers=LOGIN, scopes="orders:read")
    told = document(resolver)
    assert told["authorization_servers"] == [LOGIN]
    assert told["scopes_supported"] == ["orders:read"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: serve_mcp(Resolver(), "x"), "serve_mcp(): its second argument is an Info, such as Info('x'), not str"),  # type: ignore[arg-type]
        (lambda: serve_mcp(Router(), Info("x")), "serve_mcp() takes a Resolver, not Router"),  # type: ignore[arg-type]
        (
            lambda: serve_mcp(Resolver(), Info("x"), instruction="x"),  # type: ignore[call-arg]
            "serve_mcp() has no option instruction; did you mean instructions?",
        ),
        (
            lambda: serve_mcp(Resolver(), Info("x"), title="x"),  # type: ignore[call-arg]
            "serve_mcp() has no option title; write Info(..., title=...)",
        ),
        (
            lambda: serve_mcp(Resolver(), Info("x"), zzz=1),  # type: ignore[call-arg]
            "serve_mcp() has no option zzz; known are path, origins, instructions,",
        ),
    ],
)
def test_wrong_arguments_are_named(call: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert str(caught.value).startswith(message)


def test_a_path_that_is_taken_names_the_lines_of_the_application() -> None:
    resolver = Resolver()
    serve_mcp(resolver, Info("x"))
    with pytest.raises(ConfigurationError, match="it is served already; a second time needs another path") as caught:
        serve_mcp(resolver, Info("x"))
    places = re.findall(r"serve_mcp\(path=\.\.\.\) \([^()]*test_serving\.py:([0-9]+)\)", str(caught.value))
    assert len(set(places)) == 2
    resolver = Resolver()
    resolver.post("/mcp")(greet)
    with pytest.raises(ConfigurationError, match=r"give one of them another path: serve_mcp\(path=\.\.\.\)"):
        serve_mcp(resolver, Info("x"))


def test_two_servers_of_one_application_say_each_who_issues_their_tokens() -> None:
    resolver = Resolver()
    for path in ("/mcp", "/agents"):
        serve_mcp(resolver, Info("x"), path=path, authorization_servers=LOGIN)
    for path in ("/mcp", "/agents"):
        assert document(resolver, WELL_KNOWN + path)["resource"].endswith(path)
    assert document(resolver)["resource"].endswith("/mcp")
