"""AppSync resolvers, one field at a time and in batches."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given

from router.errors import InvalidEvent, NotFound, RouterError
from router.event import Source
from router.routing.slots import matches
from router.session_policy import SessionPolicy
from router.session_request import FromRequest
from router.signals import Discard
from router.sources import Outcome, appsync
from router.sources._registry import ROWS
from router.sources.appsync import answer, failed, read
from tests.unit.router.sources.payload_cases import FUZZ, JSON, Context, mutations, read_one, real, survives

FIELD = {
    "arguments": {"id": "o-1"},
    "identity": {"claims": {"sub": "u-1", "tenant": "acme"}, "sourceIp": ["198.51.100.1", "203.0.113.9"]},
    "source": {"name": "parent"},
    "request": {"headers": {"X-Tenant": "acme", "x-amzn-trace-id": "Root=1-5"}},
    "prev": None,
    "info": {"parentTypeName": "Query", "fieldName": "order", "variables": {}},
    "stash": {},
}
AMPLIFY = {"typeName": "Order", "fieldName": "lines", "arguments": {}, "identity": None, "source": {"id": "o-1"}}


def outcome(result=None, error=None, *, started=True):
    made = Outcome()
    made.result, made.error, made.started = result, error, started
    return made


def test_real_payloads_are_resolved_by_type_and_field():
    names = {
        "appSyncDirectResolver.json": ["Mutation.createSomething"],
        "appSyncBatchEvent.json": ["Mutation.createSomething"] * 2,
        "appSyncResolverEvent.json": ["Merchant.locations"],
    }
    for file, payload, _ in real(Source.APPSYNC):
        events = read(Source.APPSYNC, payload, None)
        assert [event.name for event in events] == names[file]
        for event in events:
            assert event.json() == event.record["arguments"]


def test_the_fields_of_a_field():
    event = read_one(FIELD, Context())
    assert event.name == "Query.order"
    assert event.json() == event.params == json.loads(event.body) == {"id": "o-1"}
    assert event.claims == {"sub": "u-1", "tenant": "acme"}
    assert event.headers["x-tenant"] == "acme"
    assert (event.id, event.trace_id) == ("request-1", "Root=1-5")
    # What stands before the last address, a client may have made up.
    assert event.source_ip == "203.0.113.9"
    assert event.records == [FIELD]


def test_a_route_may_name_any_type():
    assert matches("*.lines", read_one(AMPLIFY).name)
    assert matches("Order.*", read_one(AMPLIFY).name)
    nameless = read_one({**FIELD, "info": {"fieldName": "order"}})
    assert matches("*.order", nameless.name)


def test_the_session_comes_from_claims_and_headers_and_never_whole():
    event = read_one({**FIELD, "session": {"user": "root"}})
    event._policy = SessionPolicy(request=FromRequest(tenant_claim="tenant", user_claim="sub"))
    assert (event.session.tenant, event.session.user) == ("acme", "u-1")
    by_header = read_one(FIELD)
    by_header._policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant"))
    assert by_header.session.tenant == "acme"


def test_the_claims_of_a_lambda_authorizer():
    event = read_one({**FIELD, "identity": {"resolverContext": {"tenant": "acme"}}})
    assert event.claims == {"tenant": "acme"}
    assert read_one(AMPLIFY).claims == {}


@pytest.mark.parametrize("addresses", [None, [], "203.0.113.9", [5]])
def test_an_address_that_is_none(addresses):
    assert read_one({**FIELD, "identity": {"sourceIp": addresses}}).source_ip is None


def test_headers_that_are_none_are_refused_when_they_are_read():
    event = read_one({**FIELD, "request": {"headers": {"a": 5}}})
    with pytest.raises(InvalidEvent, match=r"request\.headers\.a"):
        _ = event.headers


def test_a_single_result_is_the_answer():
    when = datetime(2024, 1, 1, tzinfo=UTC)
    assert answer(read_one(FIELD), {"id": "o-1", "at": when}) == {"id": "o-1", "at": "2024-01-01T00:00:00+00:00"}
    assert answer(read_one(FIELD), None) is None


def test_an_error_of_the_library_is_what_the_client_sees():
    error = NotFound("no such order")
    with pytest.raises(NotFound, match="no such order") as caught:
        failed(read_one(FIELD), error)
    assert caught.value is error


def test_of_any_other_error_the_client_sees_nothing():
    with pytest.raises(RouterError) as caught:
        failed(read_one(FIELD), ValueError("password=hunter2"))
    assert "hunter2" not in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_batch_has_an_event_for_each_field():
    batch = [FIELD, {**FIELD, "arguments": {"id": "o-2"}}]
    events = read(Source.APPSYNC, batch, Context())
    assert [event.json()["id"] for event in events] == ["o-1", "o-2"]
    assert [event.id for event in events] == ["request-1/0", "request-1/1"]
    assert events[1].records == batch
    assert ROWS[Source.APPSYNC].kind_of_list == "transform"


def test_a_batch_answers_in_order_and_plainly():
    events = read(Source.APPSYNC, [FIELD, FIELD], None)
    assert answer([FIELD, FIELD], events, [outcome({"id": 1}), outcome(None)]) == [{"id": 1}, None]


def test_a_field_that_fails_loses_no_other():
    outcomes = [
        outcome({"id": 1}),
        outcome(error=NotFound("no such order")),
        outcome(error=ValueError("password=hunter2")),
        outcome(started=False),
        outcome(error=Discard("not needed")),
    ]
    first, missing, broken, late, dropped = answer([FIELD] * 5, [], outcomes)
    assert first == {"id": 1}
    assert missing == {"data": None, "errorMessage": "no such order", "errorType": "NotFound"}
    assert broken["errorType"] == "InternalError"
    assert "hunter2" not in broken["errorMessage"]
    assert late["errorType"] == "NotStarted"
    assert dropped is None


def test_a_result_that_has_no_json_form_loses_no_other(caplog):
    good, bad = answer([FIELD] * 2, [], [outcome({"id": 1}), outcome(object())])
    assert good == {"id": 1}
    assert bad["errorType"] == "InternalError"
    assert "the result of a field cannot be written as JSON: builtins.object" in caplog.text


def test_a_batch_of_something_else_is_refused():
    with pytest.raises(InvalidEvent, match=r"appsync \[1\]"):
        appsync.read(Source.APPSYNC, [FIELD, 5], None)


@FUZZ
@given(mutations([FIELD, AMPLIFY, [FIELD, AMPLIFY], *[payload for _, payload, _ in real(Source.APPSYNC)]]), JSON)
def test_whatever_it_holds(payload, result):
    survives(payload, {Source.APPSYNC}, [None, result])
    if type(payload) is list:
        assert len(answer(payload, [], [outcome({"id": 1}), outcome(error=ValueError())])) == 2
