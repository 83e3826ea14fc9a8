"""Conversations: Lex, Alexa skills, Alexa smart home, Bedrock agents, tools of a gateway, Connect contact flows."""

from __future__ import annotations

from router.testing.samples._common import (
    ACCOUNT,
    REGION,
    alphanumeric_id,
    arn,
    as_json,
    as_text,
    base64_id,
    iso_seconds,
    moment,
    one_of,
    uuid_id,
)

__all__ = ["alexa", "alexa_home", "bedrock_agent", "connect", "lex", "tool", "tool_client_context"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

_HOOKS = ("DialogCodeHook", "FulfillmentCodeHook")


def lex(
    intent: str = "OrderFlowers",
    *,
    slots: Mapping[str, str | None] | None = None,
    version: str = "2",
    source: str = "FulfillmentCodeHook",
    transcript: str = "I would like to order flowers",
    attributes: Mapping[str, str] | None = None,
    bot: str = "Orders",
    session_id: str | None = None,
) -> dict[str, Any]:
    """A code hook of Amazon Lex V2 or, with version "1", of Lex V1. A slot that is not filled yet is None."""
    one_of(version, ("1", "2"), "version")
    one_of(source, _HOOKS, "source")
    session = session_id or uuid_id("lex", bot, intent)
    if version == "1":
        return _lex_1(
            intent,
            dict(slots or {}),
            source=source,
            transcript=transcript,
            attributes=attributes,
            bot=bot,
            user=session,
        )
    state = {
        "name": intent,
        "slots": {name: _lex_2_slot(value) for name, value in (slots or {}).items()},
        "state": "ReadyForFulfillment" if source == "FulfillmentCodeHook" else "InProgress",
        "confirmationState": "None",
    }
    # The intent stands in two places; as_json makes two objects of it, as there are in a real payload.
    payload: dict[str, Any] = as_json(
        {
            "messageVersion": "1.0",
            "invocationSource": source,
            "inputMode": "Text",
            "responseContentType": "text/plain; charset=utf-8",
            "sessionId": session,
            "inputTranscript": transcript,
            "bot": {
                "id": alphanumeric_id(10, "lex", bot),
                "name": bot,
                "aliasId": "TSTALIASID",
                "aliasName": "TestBotAlias",
                "localeId": "en_US",
                "version": "DRAFT",
            },
            "interpretations": [{"intent": state, "interpretationSource": "Lex", "nluConfidence": 0.95}],
            "sessionState": {
                "sessionAttributes": dict(attributes or {}),
                "activeContexts": [],
                "intent": state,
                "originatingRequestId": uuid_id("lex request", session),
            },
            "transcriptions": [
                {
                    "transcription": transcript,
                    "transcriptionConfidence": 1.0,
                    "resolvedContext": {"intent": intent},
                    "resolvedSlots": {},
                }
            ],
        },
        "event",
    )
    return payload


def _lex_2_slot(value: str | None) -> dict[str, Any] | None:
    if value is None:
        return None
    filled = {"originalValue": value, "interpretedValue": value, "resolvedValues": [value]}
    return {"shape": "Scalar", "value": filled}


def _lex_1(
    intent: str,
    slots: dict[str, str | None],
    *,
    source: str,
    transcript: str,
    attributes: Mapping[str, str] | None,
    bot: str,
    user: str,
) -> dict[str, Any]:
    return {
        "messageVersion": "1.0",
        "invocationSource": source,
        "userId": user,
        "sessionAttributes": dict(attributes or {}),
        "requestAttributes": None,
        "bot": {"name": bot, "alias": "$LATEST", "version": "$LATEST"},
        "outputDialogMode": "Text",
        "inputTranscript": transcript,
        "currentIntent": {
            "name": intent,
            "slots": slots,
            "slotDetails": {
                name: {"resolutions": [{"value": value}], "originalValue": value}
                for name, value in slots.items()
                if value is not None
            },
            "confirmationStatus": "None",
        },
    }


def alexa(
    intent: str | None = "GetOrderIntent",
    *,
    slots: Mapping[str, str] | None = None,
    request_type: str = "IntentRequest",
    attributes: Mapping[str, Any] | None = None,
    new: bool = False,
    locale: str = "en-US",
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A request to an Alexa skill; only an IntentRequest has an intent."""
    application = {"applicationId": f"amzn1.ask.skill.{uuid_id('skill')}"}
    user = {"userId": f"amzn1.ask.account.{alphanumeric_id(50, 'alexa')}"}
    request: dict[str, Any] = {
        "type": request_type,
        "requestId": f"amzn1.echo-api.request.{uuid_id('alexa request', request_type, intent)}",
        "timestamp": iso_seconds(moment(timestamp)),
        "locale": locale,
    }
    if request_type == "IntentRequest":
        if intent is None:
            raise ValueError("an IntentRequest needs an intent")
        named = {
            name: {"name": name, "value": value, "confirmationStatus": "NONE"} for name, value in (slots or {}).items()
        }
        request["intent"] = {"name": intent, "confirmationStatus": "NONE", "slots": named}
        request["dialogState"] = "COMPLETED"
    return {
        "version": "1.0",
        "session": {
            "new": new,
            "sessionId": f"amzn1.echo-api.session.{uuid_id('alexa session')}",
            "application": application,
            "attributes": as_json(attributes or {}, "attributes"),
            "user": user,
        },
        "context": {
            "AudioPlayer": {"playerActivity": "IDLE"},
            "System": {
                "application": dict(application),
                "user": dict(user),
                "device": {
                    "deviceId": f"amzn1.ask.device.{alphanumeric_id(50, 'device')}",
                    "supportedInterfaces": {"AudioPlayer": {}},
                },
                "apiEndpoint": "https://api.amazonalexa.com",
                "apiAccessToken": base64_id(64, "alexa token"),
            },
        },
        "request": request,
    }


def alexa_home(
    name: str = "TurnOn",
    *,
    namespace: str = "Alexa.PowerController",
    endpoint: str | None = "lamp-1",
    payload: Mapping[str, Any] | None = None,
    token: str | None = None,
    version: str = "3",
) -> dict[str, Any]:
    """A directive of the Alexa smart home API, payload version "3", or "2" of skills made before it."""
    one_of(version, ("2", "3"), "version")
    header = {
        "namespace": namespace,
        "name": name,
        "messageId": uuid_id("alexa home", namespace, name, endpoint),
        "payloadVersion": version,
    }
    content = as_json(payload or {}, "payload")
    token = token or base64_id(48, "alexa home token")
    scope = {"type": "BearerToken", "token": token}
    if version == "2":
        appliance = {"appliance": {"applianceId": endpoint, "additionalApplianceDetails": {}}} if endpoint else {}
        return {"header": header, "payload": {"accessToken": token, **appliance, **content}}
    if endpoint is None:
        return {"directive": {"header": header, "payload": {"scope": scope, **content}}}
    header["correlationToken"] = base64_id(48, "correlation", namespace, name)
    target = {"scope": scope, "endpointId": endpoint, "cookie": {}}
    return {"directive": {"header": header, "endpoint": target, "payload": content}}


def bedrock_agent(
    path: str = "/orders",
    *,
    method: str = "GET",
    function: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    action_group: str = "Orders",
    text: str = "Where is my order?",
    attributes: Mapping[str, str] | None = None,
    prompt_attributes: Mapping[str, str] | None = None,
    session_id: str = "123456789012345",
) -> dict[str, Any]:
    """An action group of a Bedrock agent: of an API schema (`path`, `method`), or a `function` with details.

    Parameters and body properties are given as Python values; the agent sends each as text with its type.
    """
    payload: dict[str, Any] = {
        "messageVersion": "1.0",
        "agent": {"name": "orders", "id": alphanumeric_id(10, "agent"), "alias": "TSTALIASID", "version": "DRAFT"},
        "inputText": text,
        "sessionId": session_id,
        "actionGroup": action_group,
        "parameters": _typed_parameters(parameters),
        "sessionAttributes": dict(attributes or {}),
        "promptSessionAttributes": dict(prompt_attributes or {}),
    }
    if function is not None:
        if body is not None:
            raise ValueError("a function takes parameters, not a body")
        return payload | {"function": function}
    payload |= {"apiPath": path, "httpMethod": method}
    if body is not None:
        content = {"application/json": {"properties": _typed_parameters(body)}}
        payload["requestBody"] = {"content": content}
    return payload


def _typed_parameters(values: Mapping[str, Any] | None) -> list[dict[str, str]]:
    return [
        {"name": name, "type": _schema_type(value), "value": as_text(value, f"parameter {name!r}")}
        for name, value in (values or {}).items()
    ]


def _schema_type(value: Any) -> str:
    """The OpenAPI type of a Python value."""
    for kinds, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (list, "array"), (dict, "object")):
        if isinstance(value, kinds):
            return name
    return "string"


def connect(
    parameters: Mapping[str, str] | None = None,
    *,
    attributes: Mapping[str, str] | None = None,
    channel: str = "VOICE",
    customer: str | None = "+12065550100",
    queue: str | None = "orders",
    region: str = REGION,
    account: str = ACCOUNT,
) -> dict[str, Any]:
    """An "Invoke AWS Lambda function" block of an Amazon Connect contact flow."""
    contact = uuid_id("contact", customer)
    instance = arn("connect", region, account, f"instance/{uuid_id('instance')}")
    phone = {"Type": "TELEPHONE_NUMBER"}
    return {
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "Attributes": dict(attributes or {}),
                "Channel": channel,
                "ContactId": contact,
                "CustomerEndpoint": None if customer is None else {"Address": customer, **phone},
                "CustomerId": None,
                "Description": None,
                "InitialContactId": contact,
                "InitiationMethod": "INBOUND",
                "InstanceARN": instance,
                "LanguageCode": "en-US",
                "MediaStreams": {
                    "Customer": {"Audio": {"StartFragmentNumber": None, "StartTimestamp": None, "StreamARN": None}}
                },
                "Name": None,
                "PreviousContactId": contact,
                "Queue": None
                if queue is None
                else {"ARN": f"{instance}/queue/{uuid_id('queue', queue)}", "Name": queue},
                "References": {},
                "SystemEndpoint": {"Address": "+12065550199", **phone},
            },
            "Parameters": dict(parameters or {}),
        },
    }


def tool(arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The payload with which an AgentCore Gateway calls a tool: its arguments. `tool_client_context` says which."""
    payload: dict[str, Any] = as_json(dict(arguments or {}), "arguments")
    return payload


class ClientContext:
    """The client context of an invocation, as the runtime client hands it over."""

    def __init__(self, custom: dict[str, Any]) -> None:
        self.custom = custom
        self.env = None
        self.client = None


def tool_client_context(
    name: str,
    *,
    target: str = "orders",
    gateway: str = "shop",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    message_id: int | str = 1,
    request_id: str | None = None,
) -> ClientContext:
    """The `client_context` of Lambda's context object when an AgentCore Gateway calls a tool.

    target: the name of the gateway's target; without it the tool has its own name alone.
    headers, query: what the target's configuration lets through, and what an interceptor adds.
    """
    if "___" in target:
        raise ValueError(f"target={target!r}: it stands before the three underscores")
    custom: dict[str, Any] = {
        "bedrockAgentCoreTargetId": alphanumeric_id(10, "target", gateway, target),
        "bedrockAgentCoreGatewayId": f"{gateway}-{alphanumeric_id(10, 'gateway', gateway).lower()}",
        "bedrockAgentCoreMessageVersion": "1.0",
        "bedrockAgentCoreMcpMessageId": str(message_id),
        "bedrockAgentCoreAwsRequestId": request_id or uuid_id("tool", gateway, target, name, message_id),
        "bedrockAgentCoreToolName": f"{target}___{name}" if target else name,
    }
    if headers is not None:
        custom["bedrockAgentCorePropagatedHeaders"] = dict(headers)
    if query is not None:
        custom["bedrockAgentCorePropagatedQueryParameters"] = dict(query)
    return ClientContext(custom)


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "connect": lambda: connect({"order": "1"}),
    "lex": lambda: lex("OrderFlowers", slots={"FlowerType": "roses", "PickupDate": None}),
    "alexa": lambda: alexa("GetOrderIntent", slots={"number": "1"}),
    "alexa-home": alexa_home,
    "bedrock-agent": lambda: bedrock_agent("/orders/{id}", parameters={"id": 1}),
    "tool": lambda: tool({"order_id": "o-1", "items": [{"sku": "a", "count": 2}], "note": "at the door"}),
}
