"""Actions of Bedrock agents."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given

from router.errors import BadRequest, EncodeError, InvalidEvent, NotFound, SessionError
from router.event import Source
from router.response import Response
from router.session import Session
from router.sources.bedrock import answer, failed
from tests.unit.router.sources.payload_cases import FUZZ, JSON, mutations, read_one, real, survives

AGENT = {"name": "orders", "id": "A1", "alias": "T", "version": "DRAFT"}
ACTION = {
    "messageVersion": "1.0",
    "actionGroup": "Orders",
    "agent": AGENT,
    "inputText": "Where is my order?",
    "sessionId": "s-1",
    "sessionAttributes": {"session": '{"tenant": "acme"}', "lang": "en"},
    "promptSessionAttributes": {},
    "apiPath": "/orders/{id}",
    "httpMethod": "POST",
    "parameters": [
        {"name": "id", "type": "integer", "value": "7"},
        {"name": "price", "type": "number", "value": "1.5"},
        {"name": "fast", "type": "boolean", "value": "True"},
        {"name": "note", "type": "string", "value": "12"},
        {"name": "tags", "type": "array", "value": '["a", 1]'},
        {"name": "of", "type": "object", "value": "{a=1}"},
        {"name": "odd", "type": "uuid", "value": "x"},
    ],
    "requestBody": {
        "content": {"application/json": {"properties": [{"name": "count", "type": "integer", "value": "3"}]}}
    },
}
FUNCTION = {
    "messageVersion": "1.0",
    "actionGroup": "Orders",
    "agent": AGENT,
    "function": "find_order",
    "parameters": [{"name": "id", "type": "integer", "value": "7"}],
}


def test_real_payloads_are_named_by_method_and_path():
    names = {
        "bedrockAgentEvent.json": "GET /claims",
        "bedrockAgentEventWithPathParams.json": "GET /claims/<claim_id>",
        "bedrockAgentPostEvent.json": "POST /send-reminders",
    }
    for file, payload, _ in real(Source.BEDROCK_AGENT):
        event = read_one(payload)
        assert event.name == names[file]
        said = answer(event, {"ok": True})["response"]
        assert (said["apiPath"], said["httpMethod"]) == (payload["apiPath"], payload["httpMethod"]), file


def test_parameters_have_the_types_of_the_schema():
    event = read_one(ACTION)
    assert (event.name, event.method, event.path) == ("POST /orders/{id}", "POST", "/orders/{id}")
    assert event.params == {
        "id": 7,
        "price": 1.5,
        "fast": True,
        "note": "12",
        "tags": ["a", 1],
        "of": "{a=1}",
        "odd": "x",
    }
    assert event.json() == json.loads(event.body) == {"count": 3}


def test_a_function_has_its_parameters_as_its_body():
    event = read_one(FUNCTION)
    assert (event.name, event.params, event.json()) == ("find_order", {"id": 7}, {"id": 7})


def test_a_body_of_another_type_or_none():
    form = {"content": {"application/x-www-form-urlencoded": {"properties": [{"name": "a", "value": "b"}]}}}
    assert read_one({**ACTION, "requestBody": form}).json() == {"a": "b"}
    assert read_one({**ACTION, "requestBody": None, "parameters": None}).json() == {}
    assert read_one({**ACTION, "parameters": None}).params == {}


@pytest.mark.parametrize(
    ("kind", "value"),
    [("integer", "seven"), ("number", "NaN"), ("number", "1e999"), ("number", "x"), ("boolean", "maybe")],
)
def test_a_value_that_is_not_of_its_type_is_refused(kind, value):
    event = read_one({**FUNCTION, "parameters": [{"name": "id", "type": kind, "value": value}]})
    with pytest.raises(InvalidEvent, match=f"parameters 'id': not a value of type {kind}"):
        _ = event.params


@pytest.mark.parametrize("parameters", [5, {"id": 7}, [5], [{"value": "7"}], [{"name": 5}]])
def test_parameters_that_are_none_are_refused(parameters):
    with pytest.raises(InvalidEvent, match="bedrock-agent parameters"):
        _ = read_one({**FUNCTION, "parameters": parameters}).params


def test_a_value_that_is_no_text_is_taken_as_it_is():
    assert read_one({**FUNCTION, "parameters": [{"name": "id", "type": "integer", "value": 7}]}).params == {"id": 7}
    assert read_one({**FUNCTION, "parameters": [{"name": "id", "type": None, "value": "7"}]}).params == {"id": "7"}


def test_the_session_travels_in_the_session_attributes():
    event = read_one(ACTION)
    assert event.session == Session("acme")
    assert event.attributes["lang"] == "en"
    assert read_one(FUNCTION).session == Session()


def test_the_answer_to_an_api_path():
    assert answer(read_one(ACTION), {"at": datetime(2024, 1, 1, tzinfo=UTC)}) == {
        "messageVersion": "1.0",
        "response": {
            "actionGroup": "Orders",
            "apiPath": "/orders/{id}",
            "httpMethod": "POST",
            "httpStatusCode": 200,
            "responseBody": {"application/json": {"body": '{"at":"2024-01-01T00:00:00+00:00"}'}},
        },
    }


def test_a_response_gives_its_status_and_type():
    said = answer(read_one(ACTION), Response("made", 201))["response"]
    assert said["httpStatusCode"] == 201
    assert said["responseBody"] == {"text/plain": {"body": "made"}}
    assert answer(read_one(ACTION), Response(b"made", 201))["response"]["responseBody"] == {
        "application/octet-stream": {"body": "made"}
    }
    assert answer(read_one(ACTION), Response(None, 204))["response"]["responseBody"] == {
        "application/json": {"body": ""}
    }
    with pytest.raises(EncodeError, match="text"):
        answer(read_one(ACTION), Response(b"\xff"))


@pytest.mark.parametrize(("result", "text"), [("found", "found"), ({"id": 7}, '{"id":7}'), (None, "null")])
def test_the_answer_of_a_function(result, text):
    assert answer(read_one(FUNCTION), result) == {
        "messageVersion": "1.0",
        "response": {
            "actionGroup": "Orders",
            "function": "find_order",
            "functionResponse": {"responseBody": {"TEXT": {"body": text}}},
        },
    }


def test_a_handler_may_give_the_whole_answer():
    whole = {"messageVersion": "1.0", "response": {}, "sessionAttributes": {"a": "b"}}
    assert answer(read_one(ACTION), whole) == whole


@pytest.mark.parametrize(
    ("error", "status", "state"),
    [
        (NotFound("no such order"), 404, "REPROMPT"),
        (BadRequest("say which"), 400, "REPROMPT"),
        (InvalidEvent("parameters 'id': not a value"), 400, "REPROMPT"),
        (SessionError("session: expired"), 400, "REPROMPT"),
        (ValueError("password=hunter2"), 500, "FAILURE"),
    ],
)
def test_an_error_is_told_to_the_agent(error, status, state):
    said = failed(read_one(ACTION), error)["response"]
    assert said["httpStatusCode"] == status
    problem = json.loads(said["responseBody"]["application/problem+json"]["body"])
    assert problem["status"] == status
    told = failed(read_one(FUNCTION), error)["response"]["functionResponse"]
    assert told["responseState"] == state
    shown = told["responseBody"]["TEXT"]["body"]
    assert (shown == str(error)) is (status < 500)
    assert "hunter2" not in repr((said, told))


@FUZZ
@given(mutations([ACTION, FUNCTION, *[payload for _, payload, _ in real(Source.BEDROCK_AGENT)]]), JSON)
def test_whatever_it_holds(payload, result):
    survives(payload, {Source.BEDROCK_AGENT}, [None, result, Response("x")])
