"""Triggers of Cognito: the event goes back."""

import copy
import json
from dataclasses import dataclass

import pytest
from hypothesis import given

from router.errors import ConfigurationError, InvalidEvent
from router.event import Source
from router.session import Session
from router.sources.cognito import answer
from tests.unit.router.sources.payload_cases import FUZZ, JSON, mutations, read_one, real, survives

SIGN_UP = {
    "version": "1",
    "triggerSource": "PreSignUp_SignUp",
    "region": "eu-west-1",
    "userPoolId": "eu-west-1_example",
    "userName": "alice",
    "callerContext": {"clientId": "c"},
    "request": {"userAttributes": {"email": "alice@example.com"}, "validationData": None},
    "response": {"autoConfirmUser": False, "autoVerifyEmail": False},
}
SYNC = {
    "version": 2,
    "eventType": "SyncTrigger",
    "region": "eu-west-1",
    "identityPoolId": "eu-west-1:pool",
    "identityId": "eu-west-1:id",
    "datasetName": "settings",
    "datasetRecords": {"a": {"oldValue": "1", "newValue": "2", "op": "replace"}},
}


def test_real_payloads_have_their_names_and_come_back():
    for file, payload, label in real(Source.COGNITO):
        event = read_one(payload)
        assert event.name == label["name"], file
        assert answer(event, None) == payload, file


def test_the_fields_of_a_trigger():
    event = read_one(SIGN_UP)
    assert (event.name, event.claims) == ("PreSignUp_SignUp", {"email": "alice@example.com"})
    assert event.json() == json.loads(event.body) == SIGN_UP
    assert event.session == Session()


def test_what_the_handler_returns_goes_into_the_response():
    before = copy.deepcopy(SIGN_UP)
    assert answer(read_one(SIGN_UP), {"autoConfirmUser": True}) == {
        **SIGN_UP,
        "response": {"autoConfirmUser": True, "autoVerifyEmail": False},
    }
    assert before == SIGN_UP


def test_a_response_that_is_there_already_is_no_object():
    assert answer(read_one({**SIGN_UP, "response": None}), {"a": 1})["response"] == {"a": 1}


def test_the_whole_event_goes_as_the_handler_returned_it():
    whole = {**SIGN_UP, "response": {"autoConfirmUser": True}}
    assert answer(read_one(SIGN_UP), whole) == whole
    assert answer(read_one(SIGN_UP), {"response": {"autoConfirmUser": True}}) == whole


def test_a_model_is_as_good_as_a_dictionary():
    @dataclass
    class SignedUp:
        autoConfirmUser: bool = True  # noqa: N815 - Cognito's name

    assert answer(read_one(SIGN_UP), SignedUp())["response"]["autoConfirmUser"] is True


@pytest.mark.parametrize("result", ["yes", True, [1], 5])
def test_anything_else_is_a_mistake_of_the_handler(result):
    with pytest.raises(ConfigurationError, match="PreSignUp_SignUp"):
        answer(read_one(SIGN_UP), result)


def test_the_sync_trigger_of_an_identity_pool():
    event = read_one(SYNC)
    assert (event.source, event.name) == (Source.COGNITO_SYNC, "SyncTrigger")
    assert answer(event, None) == SYNC
    changed = {"a": {"oldValue": "1", "newValue": "3", "op": "replace"}}
    assert answer(event, changed) == {**SYNC, "datasetRecords": changed}
    assert answer(event, {**SYNC, "datasetRecords": {}})["datasetRecords"] == {}


def test_text_that_is_none_is_refused_when_it_is_read():
    with pytest.raises(InvalidEvent, match="event"):
        _ = read_one({**SIGN_UP, "userName": "\ud800"}).body


@FUZZ
@given(mutations([SIGN_UP, SYNC, *[payload for _, payload, _ in real(Source.COGNITO)]]), JSON)
def test_whatever_it_holds(payload, result):
    survives(payload, {Source.COGNITO, Source.COGNITO_SYNC}, [None, {}, {"response": 5}, result])
