"""IoT Core's custom authorizer and pre-provisioning hook: who gives no clear answer lets nobody in."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given

from router import (
    Allow,
    ConfigurationError,
    Deny,
    Forbidden,
    FromRequest,
    HTTPError,
    InvalidEvent,
    IotAuthorizerEvent,
    ProvisioningEvent,
    Resolver,
    Session,
    SessionPolicy,
    Source,
    Unauthorized,
)
from router.errors import RouterError
from router.sources.iot import answer
from router.testing import TestClient, samples
from tests.unit.router.sources.payload_cases import FUZZ, mutations, read_one, survives

# The sample of the developer guide ("Defining your Lambda function").
DOCUMENTED: dict[str, Any] = {
    "token": "aToken",
    "signatureVerified": True,
    "protocols": ["tls", "http", "mqtt"],
    "protocolData": {
        "tls": {"serverName": "serverName"},
        "http": {"headers": {"X-Name": "value"}, "queryString": "?name=value&name=b%26"},
        "mqtt": {"username": "myUserName", "password": "bXlQYXNzd29yZA==", "clientId": "myClientId"},
    },
    "connectionMetadata": {"id": "f4081827"},
}
HOOK: dict[str, Any] = {
    "claimCertificateId": "claim",
    "certificateId": "cert",
    "certificatePem": "-----BEGIN CERTIFICATE-----",
    "templateArn": "arn:aws:iot:us-east-1:1234567890:provisioningtemplate/MyTemplate",
    "clientId": "221a6d10",
    "parameters": {"SerialNumber": "s-1"},
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:aws:iot:eu-west-1:1:client/device1"}],
}
LET_IN = Allow("device1", policies=[POLICY])


# ---- the authorizer ------------------------------------------------------------------------------------------------


def test_the_fields_of_a_connection() -> None:
    event = read_one(DOCUMENTED)
    assert isinstance(event, IotAuthorizerEvent)
    assert (event.source, event.name, event.id, event.text) == (Source.IOT_AUTHORIZER, "mqtt", "f4081827", "aToken")
    assert (event.username, event.password, event.client_id) == ("myUserName", b"myPassword", "myClientId")
    assert (event.signature_verified, event.server_name) == (True, "serverName")
    assert event.protocols == ["tls", "http", "mqtt"]
    assert event.headers["x-name"] == "value"
    assert event.query.getall("name") == ["value", "b&"]


def test_a_connection_may_have_next_to_nothing() -> None:
    event = read_one({"protocols": [], "protocolData": {}, "connectionMetadata": {}})
    assert (event.name, event.text, event.body, event.username, event.password) == ("", "", b"", None, None)
    assert (event.client_id, event.server_name, event.signature_verified) == (None, None, False)
    assert not event.headers
    assert event.id


def test_parameters_may_follow_the_user_name() -> None:
    event = read_one(samples.iot_authorizer(username="ann?x-amz-customauthorizer-name=A&t=1", client_id="d"))
    assert (event.username, event.query["t"], event.name) == ("ann", "1", "mqtt")
    assert read_one(samples.iot_authorizer("t", query="a=1")).name == "http"


@pytest.mark.parametrize("password", ["not base64", 5, "YQ", ["a"]])
def test_a_password_that_is_none_is_refused(password: Any) -> None:
    raw = {**DOCUMENTED, "protocolData": {"mqtt": {"password": password}}}
    with pytest.raises(InvalidEvent, match="not valid base64"):
        _ = read_one(raw).password


def test_only_true_is_a_checked_signature() -> None:
    values: list[Any] = ["true", 1, None, "false", {}]
    for value in values:
        assert read_one({**DOCUMENTED, "signatureVerified": value}).signature_verified is False


def test_who_is_allowed_gets_what_iot_expects() -> None:
    assert answer(read_one(DOCUMENTED), LET_IN) == {
        "isAuthenticated": True,
        "principalId": "device1",
        "policyDocuments": [POLICY],
        "disconnectAfterInSeconds": 86_400,
        "refreshAfterInSeconds": 3600,
    }
    text = json.dumps(POLICY)
    said = answer(read_one(DOCUMENTED), Allow("d", policies=[text], ttl=300, disconnect_after=600))
    assert (said["policyDocuments"], said["refreshAfterInSeconds"], said["disconnectAfterInSeconds"]) == (
        [text],
        300,
        600,
    )


@pytest.mark.parametrize("result", [False, Deny(), Deny(policies=[], context={"a": "b"}), {"isAuthenticated": False}])
def test_who_is_denied(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert answer(read_one(DOCUMENTED), result) == {"isAuthenticated": False}
    assert caplog.text == ""


@pytest.mark.parametrize(
    "result",
    [None, 1, "yes", [], {}, {"isAuthenticated": "true"}, {"isAuthenticated": 1}, {"principalId": "a"}, object()],
)
def test_what_is_no_decision_denies(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "router"):
        assert answer(read_one(DOCUMENTED), result) == {"isAuthenticated": False}
    assert "no decision" in caplog.text


def finished(**parts: Any) -> dict[str, Any]:
    return {"isAuthenticated": True, "principalId": "device1", "policyDocuments": [POLICY], **parts}


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (True, "give policies="),
        (Allow("device1"), "give policies="),
        (Allow("device1", policies=[]), "1 to 10 policies"),
        (Allow("device1", policies=[POLICY] * 11), "1 to 10 policies"),
        (Allow("device1", policies=["x" * 2049]), "2,048 characters"),
        (Allow("device1", policies=[{"Statement": "x" * 2048}]), "2,048 characters"),
        (Allow("device1", policies=POLICY), "1 to 10 policies"),
        (Allow("device1", policies="{}"), "1 to 10 policies"),
        (Allow("device1", policies=[{}]), "a mapping or text"),
        (Allow("device-1", policies=[POLICY]), "letters and digits alone"),
        (Allow("dévice", policies=[POLICY]), "letters and digits alone"),
        (Allow("d" * 129, policies=[POLICY]), "over 128 characters"),
        (Allow("device1", policies=[POLICY], ttl=299), "from 300 to 86,400"),
        (Allow("device1", policies=[POLICY], ttl=600.0), "whole seconds"),
        (Allow("device1", policies=[POLICY], disconnect_after=86_401), "from 300 to 86,400"),
        (Allow("device1", policies=[POLICY], resources="*"), "resources= has no meaning"),
        (Allow("device1", policies=[POLICY], context={"a": "b"}), "context= has no meaning"),
        (Allow("device1", policies=[POLICY], usage_key="k"), "usage_key= has no meaning"),
        (finished(principalId=None), "letters and digits"),
        (finished(policyDocuments=None), "1 to 10 policies"),
        (finished(policyDocuments=[5]), "a mapping or text"),
        (finished(refreshAfterInSeconds=0), "from 300"),
    ],
)
def test_an_answer_that_iot_would_not_take_lets_nobody_in(result: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        answer(read_one(DOCUMENTED), result)


def test_a_finished_answer_goes_as_it_is() -> None:
    assert answer(read_one(DOCUMENTED), finished(refreshAfterInSeconds=300)) == finished(refreshAfterInSeconds=300)


@pytest.mark.parametrize("name", ["*", "device?", "${iot:ClientId}", 'a"*"', "acme/*"])
def test_wildcards_that_a_client_chose_get_into_no_policy(name: str) -> None:
    raw = samples.iot_authorizer("t", client_id=name)
    with pytest.raises(InvalidEvent, match="wildcards"):
        answer(read_one(raw), LET_IN)
    assert answer(read_one(raw), Deny()) == {"isAuthenticated": False}
    if "?" not in name:  # what follows it is no part of the user name
        with pytest.raises(InvalidEvent, match="wildcards"):
            answer(read_one(samples.iot_authorizer(username=name)), finished())


def test_a_handler_that_raises_lets_nobody_in() -> None:
    resolver = Resolver()

    @resolver.on(Source.IOT_AUTHORIZER)
    def decide(event: IotAuthorizerEvent) -> Allow:
        error: dict[str | None, Exception] = {"a": Forbidden(), "b": Unauthorized(), "c": KeyError("x")}
        raise error[event.client_id]

    client = TestClient(resolver)
    for client_id in "ab":
        assert client.event(samples.iot_authorizer(client_id=client_id)) == {"isAuthenticated": False}
    with pytest.raises(KeyError):
        client.event(samples.iot_authorizer(client_id="c"))


def test_a_session_is_read_from_headers_alone_and_is_not_required() -> None:
    policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant"), require="tenant", body_field="session")
    resolver, seen = Resolver(session=policy), []

    @resolver.on(Source.IOT_AUTHORIZER)
    def decide(session: Session) -> bool:
        seen.append(session.tenant)
        return False

    client = TestClient(resolver)
    client.event({**samples.iot_authorizer("t"), "session": {"tenant": "globex"}})
    client.event(samples.iot_authorizer("t", headers={"X-Tenant": "acme"}))
    assert seen == [None, "acme"]


# ---- the provisioning hook -----------------------------------------------------------------------------------------


def test_the_fields_of_a_device() -> None:
    event = read_one(HOOK)
    assert isinstance(event, ProvisioningEvent)
    assert (event.source, event.name, event.id) == (Source.IOT_PROVISIONING, "MyTemplate", "cert")
    assert (event.certificate_id, event.claim_certificate_id, event.client_id) == ("cert", "claim", "221a6d10")
    assert event.certificate_pem.startswith("-----BEGIN")
    assert event.json() == event.params == {"SerialNumber": "s-1"}
    assert read_one(samples.iot_provisioning(claim=False)).claim_certificate_id is None


def test_a_device_is_provisioned_with_other_parameters() -> None:
    resolver = Resolver()

    @resolver.on(Source.IOT_PROVISIONING, "fleet")
    def hook(event: ProvisioningEvent) -> Allow | Deny:
        if event.json()["SerialNumber"] != "1":
            return Deny()
        return Allow(context={"Location": "attic"})

    client = TestClient(resolver)
    allowed = {"allowProvisioning": True, "parameterOverrides": {"Location": "attic"}}
    assert client.event(samples.iot_provisioning()) == allowed
    assert client.event(samples.iot_provisioning({"SerialNumber": "2"})) == {"allowProvisioning": False}
    assert answer(read_one(HOOK), True) == answer(read_one(HOOK), Allow("ann")) == {"allowProvisioning": True}
    assert answer(read_one(HOOK), allowed) == allowed


@pytest.mark.parametrize("result", [None, 1, "yes", {}, {"allowProvisioning": "true"}, {"parameterOverrides": {}}])
def test_what_is_no_decision_provisions_nothing(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert answer(read_one(HOOK), result) == {"allowProvisioning": False}
    assert "no decision" in caplog.text


@pytest.mark.parametrize(
    "result",
    [
        Allow(context={"a": 1}),
        Allow(context={"a": None}),
        Allow(ttl=300),
        Allow(policies=[POLICY]),
        Allow(resources="*"),
        {"allowProvisioning": True, "parameterOverrides": {"a": 1}},
        {"allowProvisioning": True, "parameterOverrides": ["a"]},
    ],
)
def test_an_answer_that_the_hook_would_not_take_provisions_nothing(result: Any) -> None:
    with pytest.raises(ConfigurationError):
        answer(read_one(HOOK), result)


@FUZZ
@given(mutations([DOCUMENTED, HOOK, samples.iot_authorizer("t", username="a", password="b")]))
def test_whatever_it_holds(payload: Any) -> None:
    survives(
        payload, {Source.IOT_AUTHORIZER, Source.IOT_PROVISIONING}, [True, False, None, {}, LET_IN, Allow(), Deny()]
    )
    event = read_one(payload)
    for field in ("username", "password", "client_id", "server_name", "protocols", "certificate_pem", "certificate_id"):
        try:
            getattr(event, field, None)
        except (RouterError, HTTPError):
            pass
