"""Build events of those who ask who it is: Cognito, API Gateway's authorizers, IoT Core, Transfer Family."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote

from router.testing.samples._common import ACCOUNT, REGION, alphanumeric_id, arn, as_json, hex_id, one_of, uuid_id
from router.testing.samples._payloads import authorizer_1, authorizer_2
from router.testing.samples._request import API_ID, SOURCE_IP, Request, api_host, http_context, rest_context

__all__ = ["authorizer", "cognito", "cognito_sync", "iot_authorizer", "iot_provisioning", "transfer"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    Headers = Mapping[str, str | Sequence[str]]

_GROUPS: dict[str, Any] = {
    "groupConfiguration": {"groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": None}
}
_CHALLENGES: dict[str, Any] = {
    "session": [{"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}],
    "userNotFound": False,
}
_MESSAGE = {"codeParameter": "{####}", "linkParameter": "{##Click Here##}", "usernameParameter": None}
_SENDER = {"code": "AYADeO0ZqoUmJhU1cGluZGVk", "clientMetadata": {}}

# For each family of triggers: what its request holds beside the user's attributes, and its response before an answer.
_TRIGGERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "PreSignUp": (
        {"validationData": None},
        {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    ),
    "PostConfirmation": ({}, {}),
    "PreAuthentication": ({"validationData": None}, {}),
    "PostAuthentication": ({"newDeviceUsed": False}, {}),
    "TokenGeneration": (_GROUPS, {"claimsOverrideDetails": None}),
    "UserMigration": (
        {"password": "correct horse battery staple", "validationData": None},
        {
            "userAttributes": None,
            "forceAliasCreation": None,
            "finalUserStatus": None,
            "messageAction": None,
            "desiredDeliveryMediums": None,
        },
    ),
    "DefineAuthChallenge": (
        _CHALLENGES,
        {"challengeName": None, "issueTokens": None, "failAuthentication": None},
    ),
    "CreateAuthChallenge": (
        {"challengeName": "CUSTOM_CHALLENGE", **_CHALLENGES},
        {"publicChallengeParameters": None, "privateChallengeParameters": None, "challengeMetadata": None},
    ),
    "VerifyAuthChallengeResponse": (
        {"privateChallengeParameters": {"answer": "1234"}, "challengeAnswer": "1234", "userNotFound": False},
        {"answerCorrect": None},
    ),
    "CustomMessage": (_MESSAGE, {"smsMessage": None, "emailMessage": None, "emailSubject": None}),
    "CustomEmailSender": ({"type": "customEmailSenderRequestV1", **_SENDER}, {}),
    "CustomSMSSender": ({"type": "customSMSSenderRequestV1", **_SENDER}, {}),
}


def cognito(
    trigger: str = "PreSignUp_SignUp",
    *,
    attributes: Mapping[str, str] | None = None,
    request: Mapping[str, Any] | None = None,
    user: str = "alice",
    version: str = "1",
    pool: str = f"{REGION}_aB1cD2eF3",
    region: str = REGION,
) -> dict[str, Any]:
    """A Cognito user pool trigger, named as in `triggerSource` (PreSignUp_SignUp, TokenGeneration_HostedAuth, ...).

    `attributes` replace the user's, `request` adds to the request or replaces parts of it. Version "2" or "3" of
    TokenGeneration also customises access tokens.
    """
    family, _, occasion = trigger.partition("_")
    one_of(family, _TRIGGERS, "the trigger before its '_'")
    if not occasion:
        raise ValueError(f"trigger must name its occasion, such as PreSignUp_SignUp; got {trigger!r}")
    one_of(version, ("1", "2", "3"), "version")
    if version != "1" and family != "TokenGeneration":
        raise ValueError(f"only TokenGeneration has a version {version!r}")
    requested, response = as_json(_TRIGGERS[family], "trigger")
    user_attributes = {"email": f"{user}@example.com"} if family == "PreSignUp" else _confirmed(user)
    if family != "UserMigration":
        requested["userAttributes"] = dict(user_attributes if attributes is None else attributes)
    if version != "1":
        requested["scopes"] = ["aws.cognito.signin.user.admin"]
        response = {"claimsAndScopeOverrideDetails": None}
    payload = {
        "version": version,
        "triggerSource": trigger,
        "region": region,
        "userPoolId": pool,
        "userName": user,
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": alphanumeric_id(26, "client", pool).lower(),
        },
        "request": requested | as_json(request or {}, "request"),
        "response": response,
    }
    if family.endswith("Sender"):
        del payload["response"]
    return payload


def _confirmed(user: str) -> dict[str, str]:
    """Attributes of a user who has signed up. Cognito gives booleans as text."""
    return {
        "sub": uuid_id("cognito", user),
        "cognito:user_status": "CONFIRMED",
        "email_verified": "true",
        "email": f"{user}@example.com",
    }


def cognito_sync(
    dataset: str = "settings",
    changes: Mapping[str, tuple[str | None, str | None]] | None = None,
    *,
    region: str = REGION,
) -> dict[str, Any]:
    """A Cognito Sync trigger; `changes` map each key to its (old, new) value, new `None` for a removed key."""
    return {
        "version": 2,
        "eventType": "SyncTrigger",
        "region": region,
        "identityPoolId": f"{region}:{uuid_id('identity pool')}",
        "identityId": f"{region}:{uuid_id('identity')}",
        "datasetName": dataset,
        "datasetRecords": {
            key: {"oldValue": old, "newValue": new, "op": "remove" if new is None else "replace"}
            for key, (old, new) in (changes or {"theme": ("light", "dark")}).items()
        },
    }


def authorizer(
    token: str | None = None,
    *,
    method: str = "GET",
    path: str = "/orders",
    version: str | None = None,
    headers: Headers | None = None,
    query: Mapping[str, Any] | str | None = None,
    cookies: Mapping[str, str] | None = None,
    path_parameters: Mapping[str, str] | None = None,
    stage: str = "prod",
    resource: str | None = None,
    source_ip: str = SOURCE_IP,
    request_id: str | None = None,
    api_id: str = API_ID,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """Build the event of a Lambda authorizer.

    With `token`: a TOKEN authorizer of a REST API. Otherwise a REQUEST authorizer: of a REST API, or with `version`
    ("1.0" or "2.0") of an HTTP API that uses this payload format. For a WebSocket API see `websocket_authorizer`.
    """
    if version is not None:
        one_of(version, ("1.0", "2.0"), "version")
    host = api_host(api_id, region)
    request = Request(
        method,
        path,
        host=host,
        query=query,
        headers=headers,
        cookies=cookies,
        source_ip=source_ip,
        request_id=request_id,
        timestamp=timestamp,
    )
    target = arn("execute-api", region, account, f"{api_id}/{stage}/{request.method}{request.path}")
    if token is not None:
        if version is not None:
            raise ValueError("HTTP APIs have no TOKEN authorizers: put the token into headers")
        return {"type": "TOKEN", "authorizationToken": token, "methodArn": target}
    route = resource or request.path
    if version == "2.0":
        context = http_context(
            request,
            api_id=api_id,
            stage=stage,
            route_key=f"{request.method} {route}",
            account=account,
            host=host,
            path=unquote(request.path) if stage == "$default" else f"/{stage}{unquote(request.path)}",
        )
        headers = request.joined_headers()
        identity_source = [headers["authorization"]] if "authorization" in headers else None
        return authorizer_2(request, target, context, path_parameters, identity_source)
    context = rest_context(request, api_id=api_id, stage=stage, resource=route, account=account, host=host)
    payload = authorizer_1(request, target, context, path_parameters)
    if version == "1.0":
        identity = request.joined_headers().get("authorization")
        payload |= {"version": "1.0", "identitySource": identity, "authorizationToken": identity}
    return payload


def iot_authorizer(
    token: str | None = None,
    *,
    signed: bool = False,
    username: str | None = None,
    password: str | bytes | None = None,
    client_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    query: str | None = None,
    region: str = REGION,
) -> dict[str, Any]:
    """Build the event of a custom authorizer of IoT Core: MQTT with any of its three fields, else HTTP.

    signed: whether IoT has checked the token's signature. query: as in a URL, `a=1&b=2`.
    """
    host = f"{alphanumeric_id(14, 'iot').lower()}-ats.iot.{region}.amazonaws.com"
    secret = password.encode() if isinstance(password, str) else password
    encoded = None if secret is None else b64encode(secret).decode()
    mqtt = {"username": username, "password": encoded, "clientId": client_id}
    held: dict[str, Any] = {"tls": {"serverName": host}}
    of_http = headers is not None or query is not None or mqtt == dict.fromkeys(mqtt)
    if of_http:
        held["http"] = {"headers": dict(headers or {"host": host}), "queryString": "" if query is None else f"?{query}"}
    if mqtt != dict.fromkeys(mqtt):
        held["mqtt"] = {name: value for name, value in mqtt.items() if value is not None}
    payload: dict[str, Any] = {
        "token": token,
        "signatureVerified": signed,
        "protocols": list(held),
        "protocolData": held,
        "connectionMetadata": {"id": uuid_id("iot connection", token, username, client_id)},
    }
    return {name: value for name, value in payload.items() if value is not None}


def iot_provisioning(
    parameters: Mapping[str, str] | None = None,
    *,
    template: str = "fleet",
    client_id: str = "device-1",
    claim: bool = True,
    region: str = REGION,
    account: str = ACCOUNT,
) -> dict[str, Any]:
    """Build the event of a pre-provisioning hook of IoT Core.

    claim: whether the device came with a claim certificate.
    """
    payload = {
        "claimCertificateId": hex_id(64, "claim", template),
        "certificateId": hex_id(64, "certificate", client_id),
        "certificatePem": "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n",
        "templateArn": arn("iot", region, account, f"provisioningtemplate/{template}"),
        "clientId": client_id,
        "parameters": dict({"SerialNumber": "1"} if parameters is None else parameters),
    }
    if not claim:
        del payload["claimCertificateId"]
    return payload


def transfer(
    username: str = "ann",
    password: str | None = "secret",
    *,
    protocol: str = "SFTP",
    server: str | None = None,
    source_ip: str = SOURCE_IP,
) -> dict[str, Any]:
    """Build the event of an identity provider of Transfer Family. Without a password the user comes with a key."""
    one_of(protocol, ("SFTP", "FTPS", "FTP", "AS2"), "protocol")
    payload = {
        "username": username,
        "password": password,
        "protocol": protocol,
        "serverId": server or f"s-{hex_id(17, 'transfer')}",
        "sourceIp": source_ip,
    }
    return {name: value for name, value in payload.items() if value is not None}


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "cognito": cognito,
    "cognito-sync": cognito_sync,
    "authorizer": lambda: authorizer("Bearer token"),
    "iot-authorizer": lambda: iot_authorizer("token", signed=True, username="ann", password="secret", client_id="d-1"),
    "iot-provisioning": iot_provisioning,
    "transfer": transfer,
}
