"""Lambda@Edge."""

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import given

from router.errors import AnswerTooLarge, BadRequest, Forbidden, InvalidEvent
from router.event import Source
from router.response import Response
from router.session_policy import SessionPolicy
from router.session_request import FromRequest
from router.sources.cloudfront import answer, failed
from tests.unit.router.sources.payload_cases import FUZZ, JSON, Context, mutations, read_one, survives

REQUEST: dict[str, Any] = {
    "clientIp": "203.0.113.9",
    "method": "POST",
    "uri": "/orders",
    "querystring": "page=1&page=2&q=a%20b",
    "headers": {
        "host": [{"key": "Host", "value": "shop.example.com"}],
        "cookie": [{"key": "Cookie", "value": "a=1"}, {"key": "Cookie", "value": "b=2"}],
        "x-tenant": [{"key": "X-Tenant", "value": "acme"}],
    },
    "body": {
        "inputTruncated": False,
        "action": "read-only",
        "encoding": "base64",
        "data": base64.b64encode(b'{"a": 1}').decode(),
    },
}
RESPONSE = {"status": "200", "statusDescription": "OK", "headers": {"server": [{"key": "Server", "value": "s"}]}}


def payload(event_type="viewer-request", **changes):
    config = {"distributionDomainName": "d.cloudfront.net", "eventType": event_type, "requestId": "r-1"}
    cf = {"config": config, "request": {**copy.deepcopy(REQUEST), **changes}}
    if event_type.endswith("response"):
        cf["response"] = copy.deepcopy(RESPONSE)
    return {"Records": [{"cf": cf}]}


ALL = [payload(name) for name in ("viewer-request", "origin-request", "viewer-response", "origin-response")]


def test_the_fields_of_a_request():
    event = read_one(payload())
    assert (event.source, event.name, event.id) == (Source.CLOUDFRONT, "viewer-request", "r-1")
    assert (event.method, event.path, event.source_ip) == ("POST", "/orders", "203.0.113.9")
    assert event.query.getall("page") == ["1", "2"]
    assert event.query["q"] == "a b"
    assert event.headers["host"] == "shop.example.com"
    assert event.cookies == {"a": "1", "b": "2"}
    assert (event.body, event.json()) == (b'{"a": 1}', {"a": 1})


def test_a_client_never_hands_in_a_session():
    event = read_one(payload())
    event._policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant"))
    assert event.session.tenant == "acme"


def test_a_body_may_be_text_or_missing():
    assert read_one(payload(body={"encoding": "text", "data": "hé"})).body == "hé".encode()
    assert read_one(payload(body=None)).body == b""
    assert read_one(payload("origin-response", body=None), Context()).body == b""


def test_a_body_that_was_cut_off_is_there_but_is_not_parsed():
    event = read_one(payload(body={**REQUEST["body"], "inputTruncated": True}))
    assert event.body == b'{"a": 1}'
    assert event.truncated
    with pytest.raises(BadRequest, match="inputTruncated"):
        event.json()


@pytest.mark.parametrize("data", ["a", "****", "é"])
def test_a_body_that_is_no_base64_is_refused(data):
    event = read_one(payload(body={"encoding": "base64", "data": data}))
    with pytest.raises(BadRequest, match="base64"):
        _ = event.body


@pytest.mark.parametrize("lines", [5, "text", [5], [{"key": "A"}], {"value": "x"}, None])
def test_headers_that_are_none_are_refused(lines):
    event = read_one(payload(headers={"a": lines}))
    if lines == {"value": "x"}:
        assert event.headers["a"] == "x"  # one line without its list
    else:
        with pytest.raises(BadRequest, match=r"headers\.a"):
            _ = event.headers


@pytest.mark.parametrize("event_type", [5, "request", {}, ["viewer-request"]])
def test_an_unknown_event_is_refused(event_type):
    broken = payload()
    broken["Records"][0]["cf"]["config"]["eventType"] = event_type
    with pytest.raises(InvalidEvent, match="eventType"):
        read_one(broken)


def test_a_sample_that_does_not_say_what_it_is_needs_only_its_own_part():
    raw = payload("viewer-response")
    held = raw["Records"][0]["cf"]
    del held["config"]["eventType"], held["request"]
    assert answer(read_one(raw), None) == held["response"]


def test_a_payload_without_its_parts_is_refused():
    for event_type, part in (("viewer-request", "request"), ("origin-response", "response")):
        broken = payload(event_type)
        broken["Records"][0]["cf"][part] = None
        with pytest.raises(InvalidEvent, match=rf"cf\.{part}"):
            read_one(broken)


@pytest.mark.parametrize("raw", ALL)
def test_nothing_lets_it_pass(raw):
    cf = raw["Records"][0]["cf"]
    event = read_one(raw)
    assert answer(event, None) is (cf["response"] if event.name.endswith("response") else cf["request"])


def test_a_dictionary_goes_as_it_is():
    changed = {**REQUEST, "uri": "/index.html"}
    assert answer(read_one(payload()), changed) is changed


def test_a_response_in_the_form_of_the_edge():
    response = Response.json({"a": 1}, 201, {"x-a": "b"})
    response.headers.add("x-a", "c")
    response.set_cookie("s", "1")
    response.set_cookie("t", "2")
    made = answer(read_one(payload()), response)
    assert made == {
        "status": "201",
        "statusDescription": "Created",
        "headers": {
            "x-a": [{"key": "x-a", "value": "b"}, {"key": "x-a", "value": "c"}],
            "content-type": [{"key": "content-type", "value": "application/json"}],
            "set-cookie": [{"key": "set-cookie", "value": cookie} for cookie in response.cookies],
        },
        "body": '{"a":1}',
        "bodyEncoding": "text",
    }


def test_bytes_go_as_base64_and_other_results_become_a_response():
    made = answer(read_one(payload()), b"\xff\x00")
    assert (made["bodyEncoding"], base64.b64decode(made["body"])) == ("base64", b"\xff\x00")
    assert answer(read_one(payload()), "hello")["body"] == "hello"


@pytest.mark.parametrize("response", [Response(None, 302), Response("x", 204), Response("x", 304)])
def test_what_has_no_body_is_sent_without_one(response):
    made = answer(read_one(payload()), response)
    assert made["status"] == str(response.status)
    assert "body" not in made
    assert "bodyEncoding" not in made


def test_a_viewer_takes_40_kb_and_an_origin_1_mb():
    with pytest.raises(AnswerTooLarge, match="40,960"):
        answer(read_one(payload("viewer-request")), "x" * 41_000)
    assert answer(read_one(payload("origin-request")), "x" * 41_000)
    with pytest.raises(AnswerTooLarge, match="1,048,576"):
        answer(read_one(payload("origin-request")), "x" * 1_050_000)


def test_an_error_of_a_request_is_answered():
    made = failed(read_one(payload()), Forbidden("not from here", headers={"x-a": "b"}))
    assert (made["status"], made["statusDescription"]) == ("403", "Forbidden")
    assert made["headers"]["x-a"] == [{"key": "x-a", "value": "b"}]
    assert json.loads(made["body"])["detail"] == "not from here"
    assert failed(read_one(payload("origin-request")), InvalidEvent("a: no"))["status"] == "400"
    made = failed(read_one(payload()), ValueError("password=hunter2"))
    assert made["status"] == "500"
    assert "hunter2" not in made["body"]


def test_an_error_of_a_response_fails_the_call():
    error = Forbidden()
    with pytest.raises(Forbidden) as caught:
        failed(read_one(payload("viewer-response")), error)
    assert caught.value is error


@FUZZ
@given(mutations(ALL), JSON)
def test_whatever_it_holds(raw, result):
    survives(raw, {Source.CLOUDFRONT}, [None, result, {}, Response("x")])
