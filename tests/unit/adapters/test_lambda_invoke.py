"""Invoking functions: what travels, what comes back, what is tried again, and what is told when it fails."""

from __future__ import annotations

import io
import json

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from adapters.errors import (
    AccessDenied,
    AdapterError,
    ConnectionFailed,
    InvalidMessage,
    MessageTooLarge,
    ResourceNotFound,
    Throttled,
)
from adapters.lambda_invoke import FunctionFailed, Invoker
from router import ConfigurationError, FromRequest, Resolver, Session, SessionPolicy, Signing
from router.testing import TestClient
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

POLICY = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(tenant_header="x-tenant"))


def answer(payload=b"null", **further):
    return {"StatusCode": 200, "Payload": io.BytesIO(payload), **further}


def failure(error_type="ValueError", message="no such order", kind="Unhandled", **told):
    told = {"errorType": error_type, "errorMessage": message, "requestId": "r1", **told}
    return answer(json.dumps(told).encode(), FunctionError=kind)


def invoker(client=None, sleeps=None, **options):
    client = client or FakeClient(invoke=lambda _: answer())
    return Invoker(fake_aws({"lambda": client}, sleeps), **options), client


def sent(client):
    return [json.loads(held["Payload"]) for held in client.parameters("invoke")]


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30])
def test_whole_numbers_of_an_answer_are_exact(number):
    calls, _ = invoker(FakeClient(invoke=lambda _: answer(b'{"n":%d}' % number)))
    assert calls.invoke("billing", "charge") == {"n": number}


class TestPayload:
    def test_action_and_data_as_the_route_takes_them(self):
        calls, client = invoker()
        calls.invoke("billing", "charge", {"order": "1"})
        assert sent(client) == [{"action": "charge", "data": {"order": "1"}}]
        assert client.parameters("invoke")[0]["InvocationType"] == "RequestResponse"

    def test_the_signed_session_of_a_request_reaches_the_handler(self):
        calls, client = invoker()
        resolver = Resolver(session=POLICY)

        @resolver.get("/")
        def ask():
            calls.invoke("billing", "charge", {"order": "1"})

        TestClient(resolver).get("/", headers={"x-tenant": "acme"})
        seen = []
        billing = Resolver(session=POLICY)

        @billing.on_invoke("charge")
        def charge(session: Session):
            seen.append((session.tenant, session.correlation_id))

        billing.resolve(sent(client)[0])
        assert seen[0][0] == "acme"
        assert seen[0][1]

    def test_an_altered_one_is_refused(self):
        calls, client = invoker()
        calls.invoke("billing", "charge", session=POLICY.nobody.replace(tenant="acme"))
        payload = sent(client)[0]
        payload["session"]["payload"] = payload["session"]["payload"].replace("acme", "evil")
        billing = Resolver(session=POLICY)
        billing.on_invoke("charge")(lambda: None)
        with pytest.raises(Exception, match="signature does not match"):
            billing.resolve(payload)

    def test_arguments_stay_as_they_are(self):
        data = {"order": {"id": "1"}}
        calls, _ = invoker()
        calls.invoke("billing", "charge", data, session=Session(tenant="acme"))
        assert data == {"order": {"id": "1"}}

    def test_no_session_when_none_is_asked_for(self):
        calls, client = invoker(policy=POLICY)
        calls.invoke("billing", "charge", session=None)
        assert sent(client) == [{"action": "charge"}]

    def test_qualifier_and_tenant(self):
        calls, client = invoker()
        calls.invoke("billing", "charge", qualifier="live", tenant="acme")
        held = client.parameters("invoke")[0]
        assert (held["Qualifier"], held["TenantId"]) == ("live", "acme")

    def test_the_tenant_of_the_session_for_isolated_functions(self):
        calls, client = invoker(lambda_tenant=True)
        calls.invoke("billing", "charge", session=Session(tenant="acme"))
        assert client.parameters("invoke")[0]["TenantId"] == "acme"
        with pytest.raises(InvalidMessage, match="no tenant"):
            calls.invoke("billing", "charge")

    @pytest.mark.parametrize(("verb", "size"), [("invoke", 6 * 1024 * 1024), ("invoke_event", 1024 * 1024)])
    def test_what_lambda_would_not_take_is_told_before_it_is_sent(self, verb, size):
        calls, client = invoker()
        with pytest.raises(MessageTooLarge, match="billing"):
            getattr(calls, verb)("billing", "charge", "x" * size)
        assert client.calls == []
        getattr(calls, verb)("billing", "charge", "x" * (size - 100))

    @pytest.mark.parametrize("data", [object(), {"at": {1, object()}}])
    def test_data_without_a_json_form(self, data):
        calls, client = invoker()
        with pytest.raises(InvalidMessage, match="cannot be written as JSON"):
            calls.invoke("billing", "charge", data)
        assert client.calls == []

    @pytest.mark.parametrize("action", ["", 1])
    def test_an_action_that_is_none(self, action):
        with pytest.raises(InvalidMessage, match="action"):
            invoker()[0].invoke("billing", action)

    def test_a_function_without_a_name(self):
        with pytest.raises(ConfigurationError, match="name or ARN"):
            invoker()[0].invoke("")

    def test_a_timeout_that_is_none(self):
        with pytest.raises(ConfigurationError, match="out of range"):
            Invoker(timeout=0)


class TestResult:
    @pytest.mark.parametrize(
        ("payload", "result"), [(b'{"ok":true}', {"ok": True}), (b"[1]", [1]), (b"null", None), (b"", None)]
    )
    def test_comes_back_parsed(self, payload, result):
        assert invoker(FakeClient(invoke=answer(payload)))[0].invoke("billing", "charge") == result

    def test_one_that_is_not_json(self):
        with pytest.raises(AdapterError, match="not JSON"):
            invoker(FakeClient(invoke=answer(b"<html>")))[0].invoke("billing", "charge")

    def test_an_event_has_none(self):
        client = FakeClient(invoke={"StatusCode": 202, "Payload": io.BytesIO(b"")})
        assert invoker(client)[0].invoke_event("reports", "rebuild", {"day": "x"}) is None
        assert client.parameters("invoke")[0]["InvocationType"] == "Event"


class TestFailure:
    def test_says_what_the_function_said_without_its_traceback(self):
        trace = ['File "/var/task/app.py", line 1, in handler']
        calls, _ = invoker(FakeClient(invoke=failure(stackTrace=trace)))
        with pytest.raises(FunctionFailed) as raised:
            calls.invoke("billing", "charge")
        error = raised.value
        assert str(error) == "lambda.invoke billing: the function failed: ValueError: no such order"
        assert (error.error_type, error.error_message, error.handled) == ("ValueError", "no such order", False)
        assert error.trace == tuple(trace)
        assert (error.resource, error.code, error.request_id) == ("billing", "ValueError", "r1")

    def test_is_not_tried_again(self):
        sleeps: list[float] = []
        calls, client = invoker(FakeClient(invoke=lambda _: failure("Sandbox.Timedout")), sleeps)
        with pytest.raises(FunctionFailed):
            calls.invoke("billing", "charge")
        assert (len(client.calls), sleeps) == (1, [])

    @pytest.mark.parametrize("payload", [b"", b"not json", b'"text"', b'{"stackTrace": 1}'])
    def test_with_a_payload_that_tells_nothing(self, payload):
        with pytest.raises(FunctionFailed, match="Unhandled"):
            invoker(FakeClient(invoke=answer(payload, FunctionError="Unhandled")))[0].invoke("billing", "charge")

    def test_that_spans_lines_is_told_on_one(self):
        with pytest.raises(FunctionFailed) as raised:
            invoker(FakeClient(invoke=failure(message="a\n[ERROR] forged line")))[0].invoke("billing", "charge")
        assert "\n" not in str(raised.value)


class TestRetries:
    def test_a_throttled_call_is_made_again(self):
        sleeps: list[float] = []
        client = FakeClient(invoke=[refusal("TooManyRequestsException", status=429), answer(b"1")])
        assert invoker(client, sleeps)[0].invoke("billing", "charge") == 1
        assert len(sleeps) == 1

    @pytest.mark.parametrize("code", ["ENINotReadyException", "ResourceNotReadyException"])
    def test_so_is_one_for_a_function_that_was_not_ready(self, code):
        client = FakeClient(invoke=[refusal(code, status=502), answer(b"1")])
        assert invoker(client)[0].invoke("billing", "charge") == 1

    @pytest.mark.parametrize("kind", [EndpointConnectionError, ConnectTimeoutError])
    def test_so_is_one_that_never_left(self, kind):
        client = FakeClient(invoke=[kind(endpoint_url="https://lambda"), answer(b"1")])
        assert invoker(client)[0].invoke("billing", "charge") == 1

    def test_in_the_end_it_raises(self):
        client = FakeClient(invoke=refusal("TooManyRequestsException", status=429))
        with pytest.raises(Throttled, match="billing"):
            invoker(client)[0].invoke("billing", "charge")
        assert len(client.calls) == 3

    def test_what_may_have_been_done_is_not(self):
        client = FakeClient(invoke=ReadTimeoutError(endpoint_url="https://lambda"))
        with pytest.raises(ConnectionFailed, match="billing"):
            invoker(client)[0].invoke("billing", "charge")
        assert len(client.calls) == 1

    @pytest.mark.parametrize("verb", ["invoke", "invoke_event"])
    def test_nor_a_call_of_a_function_that_is_not_there(self, verb):
        client = FakeClient(invoke=refusal("ResourceNotFoundException", status=404))
        with pytest.raises(ResourceNotFound, match=r"lambda\.invoke unknown"):
            getattr(invoker(client)[0], verb)("unknown", "charge")
        assert len(client.calls) == 1

    def test_nor_what_is_not_allowed(self):
        client = FakeClient(invoke=refusal("AccessDeniedException", status=403))
        with pytest.raises(AccessDenied, match="billing"):
            invoker(client)[0].invoke("billing", "charge")
        assert len(client.calls) == 1

    def test_a_connection_that_breaks_within_the_answer(self):
        class Broken(io.BytesIO):
            def read(self, *_):
                raise ReadTimeoutError(endpoint_url="https://lambda")

        client = FakeClient(invoke={"StatusCode": 200, "Payload": Broken()})
        with pytest.raises(ConnectionFailed, match="billing"):
            invoker(client)[0].invoke("billing", "charge")


def test_the_client_outlasts_the_function_and_does_not_repeat_calls_by_itself():
    made = Invoker(fake_aws({})).aws.client("lambda", read_timeout=1810.0, attempts=1)
    assert made.meta.config.read_timeout == 1810
    assert made.meta.config.retries["total_max_attempts"] == 1


class TestAnswersThatSayThemselves:
    """`success_field`: functions that answer their failures in place of failing."""

    def result(self, payload, field="success"):
        calls, _ = invoker(FakeClient(invoke=lambda _: answer(json.dumps(payload).encode())), success_field=field)
        return calls.invoke("billing")

    def test_the_data_of_a_success(self):
        assert self.result({"success": True, "data": {"id": 7}}) == {"id": 7}
        assert self.result({"ok": True, "data": None}, "ok") is None

    def test_a_failure_is_one(self):
        with pytest.raises(FunctionFailed, match="the function failed: Error: no such order") as failed:
            self.result({"success": False, "error": "no such order"})
        assert failed.value.handled
        with pytest.raises(FunctionFailed) as named:
            self.result({"success": False, "error": "[B1] closed", "error_type": "AppError"})
        assert (named.value.error_type, named.value.app_code) == ("AppError", "B1")

    @pytest.mark.parametrize("payload", [None, [], "success", {"success": "yes"}, {"data": 1}])
    def test_an_answer_that_does_not_say_is_the_result(self, payload):
        assert self.result(payload) == payload

    def test_without_the_option_nothing_is_looked_at(self):
        assert self.result({"success": False}, None) == {"success": False}

    @pytest.mark.parametrize("field", ["", 7])
    def test_a_field_that_is_no_name_is_refused(self, field):
        with pytest.raises(ConfigurationError, match="success_field"):
            invoker(success_field=field)
