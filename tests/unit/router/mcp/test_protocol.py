"""Messages that are none, headers that say something else, revisions that nobody speaks: clear errors, never a 500."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from router import Resolver
from router.testing import samples
from router.testing.client import Answer
from tests.unit.router.mcp.asking import META, REVISIONS, SENT, STATELESS, ask, call, raw, request, served


def find_order(order_id: str = "1") -> dict[str, str]:
    """Find an order."""
    return {"order_id": order_id}


@pytest.fixture
def shop() -> Resolver:
    return served(find_order)


def error_of(answer: Answer) -> tuple[int, Any, int]:
    """Return status, id and code of an answer that is an error of JSON-RPC."""
    body = answer.json()
    assert body["jsonrpc"] == "2.0"
    assert body["error"]["message"]
    return answer.status, body["id"], body["error"]["code"]


@pytest.mark.parametrize(
    ("body", "status", "id", "code"),
    [
        ("", 400, None, -32700),
        ("{", 400, None, -32700),
        ("nonsense", 400, None, -32700),
        ("[" * 100_000, 400, None, -32700),
        ('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":' + "[" * 400 + "]" * 400 + "}}", 400, None, -32700),
        ("1", 400, None, -32600),
        ("null", 400, None, -32600),
        ("[]", 400, None, -32600),
        ('[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, None, -32600),
        ("{}", 400, None, -32600),
        ('{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, 1, -32600),
        ('{"jsonrpc":"2.0","id":1}', 400, 1, -32600),
        ('{"jsonrpc":"2.0","id":1,"result":{}}', 400, 1, -32600),
        ('{"jsonrpc":"2.0","id":1,"method":7}', 400, 1, -32600),
        ('{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, None, -32600),
        ('{"jsonrpc":"2.0","id":true,"method":"ping"}', 400, None, -32600),
        ('{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 400, None, -32600),
        ('{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, None, -32600),
        ('{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', 400, 1, -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"ping","params":null}', 400, 1, -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"tools/call"}', 200, 1, -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}', 200, 1, -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"initialize"}', 200, 1, -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"resources/list"}', 200, 1, -32601),
        ('{"jsonrpc":"2.0","id":1,"method":"prompts/list"}', 200, 1, -32601),
        ('{"jsonrpc":"2.0","id":1,"method":"logging/setLevel"}', 200, 1, -32601),
    ],
)
def test_what_is_no_message_is_refused_in_the_form_of_one(
    shop: Resolver, body: str, status: int, id: Any, code: int
) -> None:
    assert error_of(Answer(shop(raw(body)))) == (status, id, code)


@pytest.mark.parametrize("id", [0, -1, 2**70, "", "a", "ä\n", '"', "7"])
def test_the_id_comes_back_as_it_was(shop: Resolver, id: Any) -> None:
    for revision in REVISIONS:
        assert ask(shop, "tools/call", {"name": "find_order"}, id=id, revision=revision).json()["id"] == id
        assert ask(shop, "nothing", id=id, revision=revision).json()["id"] == id


@pytest.mark.parametrize(
    "id", ["x" * 257, "\x01" * 990_000, 10**255, -(10**255)], ids=["text", "escaped", "integer", "negative"]
)
@pytest.mark.parametrize("method", ["ping", "tools/call", "nothing"])
@pytest.mark.parametrize("source", [samples.http, samples.alb])
def test_an_id_that_an_answer_could_not_repeat_is_refused(shop: Resolver, id: Any, method: str, source: Any) -> None:
    answer = ask(shop, method, {"name": "find_order"}, id=id, revision="2025-11-25", source=source)
    assert error_of(answer) == (400, None, -32600)
    assert len(answer.body) < 1000


@pytest.mark.parametrize(
    "id", ["\x01" * 256, "é" * 256, 10**255 - 1, 1 - 10**255], ids=["escaped", "text", "integer", "negative"]
)
def test_a_long_id_comes_back(shop: Resolver, id: Any) -> None:
    assert ask(shop, "tools/call", {"name": "find_order"}, id=id).json()["id"] == id


def test_a_body_that_is_no_text_is_refused(shop: Resolver) -> None:
    payload = raw("x")
    payload |= {"body": base64.b64encode(b"\xff\xfe{").decode(), "isBase64Encoded": True}
    assert error_of(Answer(shop(payload))) == (400, None, -32700)


def test_a_body_in_base64_is_read(shop: Resolver) -> None:
    payload = request("tools/call", {"name": "find_order"})
    payload |= {"body": base64.b64encode(payload["body"].encode()).decode(), "isBase64Encoded": True}
    assert Answer(shop(payload)).json()["result"]["structuredContent"] == {"order_id": "1"}


def test_a_name_that_stands_twice_counts_once_and_in_header_and_body_alike(shop: Resolver) -> None:
    payload = request("tools/call", {"name": "find_order"})
    payload["body"] = payload["body"].replace('"name": "find_order"', '"name": "find_order", "name": "other"')
    assert error_of(Answer(shop(payload))) == (400, 1, -32020)


def test_a_large_body_is_answered(shop: Resolver) -> None:
    assert call(shop, "find_order", {"order_id": "x" * 500_000})["structuredContent"]["order_id"] == "x" * 500_000
    assert error_of(ask(shop, "x" * 500_000, headers={"mcp-method": "x" * 500_000})) == (404, 1, -32601)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_notification_has_no_answer(shop: Resolver, revision: str) -> None:
    for method in ("notifications/initialized", "notifications/cancelled", "nothing"):
        body = json.dumps({"jsonrpc": "2.0", "method": method})
        answer = Answer(shop(raw(body, {**SENT, "mcp-protocol-version": revision})))
        assert (answer.status, answer.body) == (202, b"")


@pytest.mark.parametrize("name", ["origin", "content-type", "accept", "mcp-protocol-version", "mcp-method", "mcp-name"])
@pytest.mark.parametrize("value", [7, None, ["a"], {}])
@pytest.mark.parametrize("source", [samples.rest, samples.http, samples.url, samples.alb])
def test_a_payload_with_headers_of_another_kind_is_never_an_error_of_ours(
    shop: Resolver, name: str, value: Any, source: Any
) -> None:
    payload = request("tools/call", {"name": "find_order"}, source=source)
    payload["multiValueHeaders" if payload.get("multiValueHeaders") else "headers"][name] = value
    assert Answer(shop(payload)).status < 500


def test_names_of_headers_may_be_in_any_case(shop: Resolver) -> None:
    payload = request("tools/call", {"name": "find_order"})
    payload["headers"] = {name.title(): value for name, value in payload["headers"].items()}
    assert Answer(shop(payload)).status == 200
    payload["headers"]["ORIGIN"] = "https://evil.example"
    assert Answer(shop(payload)).status == 403


# ---- what the headers say --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"mcp-method": "tools/list"}, -32020),
        ({"mcp-method": None}, -32020),
        ({"mcp-method": "tools/call, tools/call"}, -32020),
        ({"mcp-name": "other"}, -32020),
        ({"mcp-name": None}, -32020),
        ({"mcp-name": "=?base64?!!?="}, -32020),
        ({"mcp-protocol-version": "2025-11-25"}, -32020),
        ({"mcp-protocol-version": None}, -32020),
        ({"mcp-protocol-version": "2026-07-28, 2026-07-28"}, -32020),
    ],
)
def test_headers_that_differ_from_the_body_are_refused(shop: Resolver, headers: Any, code: int) -> None:
    assert error_of(ask(shop, "tools/call", {"name": "find_order"}, headers=headers)) == (400, 1, code)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"mcp-method": "tools/call", "mcp-name": "find_order"}, 200),
        ({"mcp-name": "=?base64?ZmluZF9vcmRlcg==?="}, 200),
        ({"mcp-method": "tools/list"}, 400),
        ({"mcp-name": "harmless"}, 400),
        ({"mcp-method": "tools/call", "mcp-name": ""}, 400),
    ],
)
def test_headers_that_an_older_revision_need_not_send_are_true_as_well(
    shop: Resolver, headers: dict[str, str], status: int
) -> None:
    for revision in ("2025-11-25", None):
        for source in (samples.http, samples.rest, samples.alb):
            params = {"name": "find_order"}
            answer = ask(shop, "tools/call", params, revision=revision, headers=headers, source=source)
            assert answer.status == status
            assert ("error" in answer.json()) is (status == 400)


def test_a_header_that_is_sent_twice_is_refused(shop: Resolver) -> None:
    payload = request("tools/list", source=samples.rest)
    payload["multiValueHeaders"]["mcp-method"] = ["tools/list", "tools/call"]
    assert error_of(Answer(shop(payload))) == (400, 1, -32020)


def test_a_name_that_no_header_can_hold_is_in_base64() -> None:
    resolver = Resolver()
    resolver.tool("bestellung-ä")(lambda: "gefunden")
    served(resolver=resolver)
    name = f"=?base64?{base64.b64encode('bestellung-ä'.encode()).decode()}?="
    answer = ask(resolver, "tools/call", {"name": "bestellung-ä"}, headers={"mcp-name": name})
    assert answer.json()["result"]["content"][0]["text"] == "gefunden"


@pytest.mark.parametrize("meta", [None, {}, {"io.modelcontextprotocol/protocolVersion": STATELESS}, 7])
def test_a_stateless_request_says_everything(shop: Resolver, meta: Any) -> None:
    payload = request("tools/list")
    body = json.loads(payload["body"])
    body["params"]["_meta"] = meta
    payload["body"] = json.dumps(body)
    assert error_of(Answer(shop(payload))) == (400, 1, -32602)


@pytest.mark.parametrize("version", ["2024-11-05", "2099-01-01", "latest", ""])
def test_a_revision_that_is_not_spoken_is_answered_with_those_that_are(shop: Resolver, version: str) -> None:
    meta = {**META, "io.modelcontextprotocol/protocolVersion": version}
    for params in ({}, {"_meta": meta}):
        answer = ask(shop, "tools/list", params, revision=version)
        assert error_of(answer) == (400, 1, -32022)
        assert answer.json()["error"]["data"] == {"supported": list(REVISIONS), "requested": version}


def test_a_notification_of_a_revision_that_is_not_spoken_is_refused(shop: Resolver) -> None:
    body = json.dumps({"jsonrpc": "2.0", "method": "notifications/x"})
    assert error_of(Answer(shop(raw(body, {**SENT, "mcp-protocol-version": "1999-01-01"})))) == (400, None, -32022)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": None}, 415),
        ({"accept": "text/html"}, 406),
        ({"accept": "text/event-stream"}, 406),
        ({"accept": "*/*"}, 200),
        ({"accept": "text/html, Application/*;q=0.5"}, 200),
        ({"accept": None}, 200),
        ({"content-type": "application/json; charset=utf-8"}, 200),
    ],
)
def test_what_the_body_and_the_answer_may_be(shop: Resolver, headers: Any, status: int) -> None:
    assert ask(shop, "tools/call", {"name": "find_order"}, headers=headers).status == status


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("source", [samples.rest, samples.http, samples.url, samples.alb])
def test_there_is_no_stream_and_no_session_to_end(shop: Resolver, method: str, source: Any) -> None:
    shop.get("/{page+}")(lambda page: "a page")  # which would take a GET of any path
    answer = Answer(shop(source(method, "/mcp", headers={"accept": "text/event-stream"})))
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


# ---- pages of others -------------------------------------------------------------------------------------------------


def test_a_page_of_another_origin_may_not_call() -> None:
    calls: list[int] = []
    shop = served(lambda: calls.append(1), origins=["https://app.example"])
    origin = {"origin": "https://evil.example"}
    for answer in (
        ask(shop, "tools/list", headers=origin),
        ask(shop, "tools/call", {"name": "<lambda>"}, headers=origin),
    ):
        assert error_of(answer)[0] == 403
    assert calls == []
    assert ask(shop, "tools/call", {"name": "<lambda>"}, headers={"origin": "https://app.example"}).status == 200
    assert ask(shop, "tools/call", {"name": "<lambda>"}).status == 200  # a program
    assert calls == [1, 1]


@pytest.mark.parametrize("origin", ["null", "", "https://app.example.evil.example", "http://app.example", "*"])
def test_an_origin_is_the_same_to_the_letter(origin: str) -> None:
    shop = served(find_order, origins="https://app.example")
    assert ask(shop, "ping", revision="2025-11-25", headers={"origin": origin}).status == 403


def test_no_page_may_call_unless_one_is_named(shop: Resolver) -> None:
    assert ask(shop, "tools/list", headers={"origin": "https://api.shop.example"}).status == 403


def test_every_page_may_call_where_that_is_said() -> None:
    shop = served(find_order, origins="*")
    assert ask(shop, "tools/call", {"name": "find_order"}, headers={"origin": "https://any.example"}).status == 200


# ---- the methods -----------------------------------------------------------------------------------------------------


def test_discovery_says_what_is_spoken(shop: Resolver) -> None:
    result = ask(shop, "server/discover").json()["result"]
    assert result["supportedVersions"] == list(REVISIONS)
    assert result["capabilities"] == {"tools": {"listChanged": False}}
    assert result["_meta"] == {"io.modelcontextprotocol/serverInfo": {"name": "The shop", "version": "1.4.0"}}
    assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == ("complete", 300_000, "private")
    assert "instructions" not in result


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [
        *((one, one) for one in REVISIONS[1:]),
        ("2026-07-28", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ],
)
def test_a_handshake_agrees_on_a_revision(asked: str, agreed: str) -> None:
    shop = served(find_order, instructions="Be brief.")
    params = {"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    result = ask(shop, "initialize", params, revision=None).json()["result"]
    assert result == {
        "protocolVersion": agreed,
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "The shop", "version": "1.4.0"},
        "instructions": "Be brief.",
    }


@pytest.mark.parametrize("method", ["initialize", "ping", "logging/setLevel", "resources/list", "prompts/list"])
def test_the_stateless_revision_has_no_more_methods(shop: Resolver, method: str) -> None:
    assert error_of(ask(shop, method)) == (404, 1, -32601)


@pytest.mark.parametrize("revision", REVISIONS[1:])
def test_a_ping_is_answered(shop: Resolver, revision: str) -> None:
    assert ask(shop, "ping", revision=revision).json()["result"] == {}


def test_a_tool_that_is_not_there_is_an_error_of_the_request(shop: Resolver) -> None:
    assert error_of(ask(shop, "tools/call", {"name": "nope"})) == (400, 1, -32602)
    assert error_of(ask(shop, "tools/call", {"name": "nope"}, revision="2025-11-25")) == (200, 1, -32602)


def test_the_list_is_stable_and_may_be_kept(shop: Resolver) -> None:
    first, second = (ask(shop, "tools/list") for _ in range(2))
    assert first.body == second.body
    result = first.json()["result"]
    assert [tool["name"] for tool in result["tools"]] == ["find_order"]
    assert (result["ttlMs"], result["cacheScope"], "nextCursor" in result) == (300_000, "private", False)
    older = ask(shop, "tools/list", revision="2025-06-18").json()["result"]
    assert older == {"tools": result["tools"]}
    assert ask(shop, "tools/list", {"cursor": None}).status == 200
    assert error_of(ask(shop, "tools/list", {"cursor": "2"})) == (400, 1, -32602)
