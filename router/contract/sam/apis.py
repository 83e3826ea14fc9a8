"""HTTP, REST and WebSocket APIs and function URLs, with their permissions."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from router.contract.apis import Api, FunctionUrl, HttpApi, RestApi, WebSocketApi
from router.contract.names import SOCKET, logical
from router.contract.sam.authorizers import HTTP, REST, authorized_v2, executed, rest_schemes, uri
from router.contract.sam.document import attribute, called, called_arn, function_id, literal, sub
from router.contract.sam.paths import ANY, entries_of, resources_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.contract.model import Part, Trigger
    from router.contract.sam.document import Document

_DEFAULT, _CONNECT, _DISCONNECT = "$default", "$connect", "$disconnect"
_METHODS = {ANY: "x-amazon-apigateway-any-method"}
_OWN_KEYS = ("$connect", "$disconnect", _DEFAULT)


def add_apis(document: Document) -> None:
    """Add the APIs that routes are behind."""
    held: dict[int, list[tuple[Part, Trigger]]] = {}
    for part, trigger in document.infrastructure.triggers:
        if isinstance(trigger.resource, Api):
            held.setdefault(id(trigger.resource), []).append((part, trigger))
    for several in held.values():
        api: Any = several[0][1].resource
        if not api.exists:
            _MAKE[type(api)](document, api, several)


def _permit(document: Document, part: Part, name: str, source: Any) -> None:
    document.add(
        f"{name}Calls{function_id(part)}",
        "AWS::Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": called(part),
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": source,
        },
        f"the permission of {name}",
    )


# ---- HTTP APIs -------------------------------------------------------------------------------------------------------


def _http(document: Document, api: HttpApi, several: list[tuple[Part, Trigger]]) -> None:
    properties: dict[str, Any] = {"Name": sub(api.name or "${AWS::StackName}"), "ProtocolType": "HTTP"}
    if api.origins:
        properties["CorsConfiguration"] = {
            "AllowOrigins": list(api.origins),
            "AllowMethods": ["*"],
            "AllowHeaders": ["*"],
        }
    made = document.add(HTTP, "AWS::ApiGatewayV2::Api", properties, "the HTTP API")
    secured = authorized_v2(document, api, HTTP, made)
    for part, _ in several:
        document.add(
            f"{HTTP}To{function_id(part)}",
            "AWS::ApiGatewayV2::Integration",
            {
                "ApiId": {"Ref": made},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": called_arn(part),
                "PayloadFormatVersion": "2.0",
            },
            "the HTTP API",
        )
        _permit(document, part, HTTP, executed(made, "*"))
    keys = {_DEFAULT: several[0][0]}
    keys |= {f"{entry.method} {entry.path}": entry.part for entry in entries_of(api, several)}
    for key, part in keys.items():
        document.add(
            _route_id(key),
            "AWS::ApiGatewayV2::Route",
            {
                "ApiId": {"Ref": made},
                "RouteKey": literal(key),
                "Target": {"Fn::Sub": f"integrations/${{{HTTP}To{function_id(part)}}}"},
                **secured,
            },
            f"the route {key} of the HTTP API",
        )
    document.add(
        f"{HTTP}Stage",
        "AWS::ApiGatewayV2::Stage",
        {"ApiId": {"Ref": made}, "StageName": _DEFAULT, "AutoDeploy": True},
        "the stage of the HTTP API",
    )
    document.outputs["HttpApiUrl"] = {"Value": attribute(made, "ApiEndpoint")}


def _route_id(key: str) -> str:
    """Return the logical id of a route, whatever other routes there are: an update cannot swap the keys of two."""
    return f"{HTTP}Route" if key == _DEFAULT else f"{HTTP}Route{logical(key)}{sha256(key.encode()).hexdigest()[:6]}"


# ---- REST APIs -------------------------------------------------------------------------------------------------------


def _rest(document: Document, api: RestApi, several: list[tuple[Part, Trigger]]) -> None:
    schemes = rest_schemes(document, api)

    def operation(part: Part) -> dict[str, Any]:
        held: dict[str, Any] = {
            "responses": {},
            "x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": uri(part)},
        }
        return {**held, "security": [{name: []} for name in schemes]} if schemes else held

    paths = {
        path: {_METHODS.get(method, method.lower()): operation(part) for method, part in sorted(methods.items())}
        for path, methods in resources_of(several[0][0], entries_of(api, several))
    }
    body: dict[str, Any] = {
        "openapi": "3.0.1",
        "info": {"title": sub(api.name or "${AWS::StackName}"), "version": "1"},
        "paths": dict(sorted(paths.items())),
    }
    if api.binary:
        body["x-amazon-apigateway-binary-media-types"] = list(api.binary)
    if schemes:
        body["components"] = {"securitySchemes": schemes}
    properties = {
        "StageName": api.stage,
        "OpenApiVersion": "3.0.1",  # without it SAM makes a second stage, "Stage", that nobody asked for
        "DefinitionBody": body,
    }
    made = document.add(REST, "AWS::Serverless::Api", properties, "the REST API")
    for part, _ in several:
        _permit(document, part, REST, executed(made, "*"))
    url = f"https://${{{made}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{api.stage}"
    document.outputs["RestApiUrl"] = {"Value": {"Fn::Sub": url}}


# ---- function URLs ---------------------------------------------------------------------------------------------------


def _url(document: Document, api: FunctionUrl, several: list[tuple[Part, Trigger]]) -> None:
    for part, _ in several:
        name = f"{function_id(part)}Url"
        auth = "NONE" if api.public else "AWS_IAM"
        document.add(
            name,
            "AWS::Lambda::Url",
            {
                "TargetFunctionArn": called(part),
                "AuthType": auth,
                "InvokeMode": "RESPONSE_STREAM" if api.streams else "BUFFERED",
            },
            f"the URL of {part.name}",
        )
        if api.public:
            # Both are asked for since October 2025 (AWS Lambda Developer Guide, "Control access to function URLs").
            for action, further in (
                ("InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}),
                ("InvokeFunction", {"InvokedViaFunctionUrl": True}),
            ):
                document.add(
                    f"{name}{action}",
                    "AWS::Lambda::Permission",
                    {
                        "Action": f"lambda:{action}",
                        "FunctionName": called(part),
                        "Principal": "*",
                        **further,
                    },
                    f"the permission of the URL of {part.name}",
                )
        document.outputs[f"{function_id(part)}Url"] = {"Value": attribute(name, "FunctionUrl")}


# ---- WebSocket APIs --------------------------------------------------------------------------------------------------


def _socket(document: Document, api: WebSocketApi, several: list[tuple[Part, Trigger]]) -> None:
    made = document.add(
        SOCKET,
        "AWS::ApiGatewayV2::Api",
        {
            "Name": sub(api.name or "${AWS::StackName}-socket"),
            "ProtocolType": "WEBSOCKET",
            "RouteSelectionExpression": api.selection,
        },
        "the WebSocket API",
    )
    secured = authorized_v2(document, api, SOCKET, made)
    keys: dict[str, Part] = {}
    for part, trigger in several:
        document.add(
            f"{SOCKET}To{function_id(part)}",
            "AWS::ApiGatewayV2::Integration",
            {"ApiId": {"Ref": made}, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri(part)},
            "the WebSocket API",
        )
        _permit(document, part, SOCKET, executed(made, "*"))
        for route in trigger.routes:
            keys.setdefault(_DEFAULT if route.match == "*" else route.match, part)
    keys.setdefault(_CONNECT, several[0][0])
    keys.setdefault(_DISCONNECT, several[0][0])
    for key, part in sorted(keys.items()):
        _add_socket_route(document, key, part, secured if key == _CONNECT else {})
    document.add(
        f"{SOCKET}Stage",
        "AWS::ApiGatewayV2::Stage",
        {"ApiId": {"Ref": made}, "StageName": api.stage, "AutoDeploy": True},
        "the stage of the WebSocket API",
    )
    url = f"wss://${{{made}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{api.stage}"
    document.outputs["WebSocketUrl"] = {"Value": {"Fn::Sub": url}}


def _add_socket_route(document: Document, key: str, part: Part, secured: dict[str, Any]) -> None:
    """Add a route; of a message the answer of the handler goes back on its connection."""
    answers = key not in (_CONNECT, _DISCONNECT)
    route = document.add(
        f"{SOCKET}Route{_letters(key)}",
        "AWS::ApiGatewayV2::Route",
        {
            "ApiId": {"Ref": SOCKET},
            "RouteKey": literal(key),
            "Target": {"Fn::Sub": f"integrations/${{{SOCKET}To{function_id(part)}}}"},
            **secured,
            **({"RouteResponseSelectionExpression": _DEFAULT} if answers else {}),
        },
        f"the route {key} of the WebSocket API",
    )
    if answers:
        document.add(
            f"{route}Answer",
            "AWS::ApiGatewayV2::RouteResponse",
            {"ApiId": {"Ref": SOCKET}, "RouteId": {"Ref": route}, "RouteResponseKey": _DEFAULT},
            f"the answer of the route {key}",
        )


def _letters(key: str) -> str:
    """Return a route key as part of a logical id, with a digest where keys may differ in signs or capitals alone."""
    is_plain = key.isascii() and key.isalnum() and key[0].islower() and f"${key}" not in _OWN_KEYS
    if is_plain or key in _OWN_KEYS:
        return logical(key)
    return f"{logical(key)}{sha256(key.encode()).hexdigest()[:8]}"


_MAKE: dict[type[Api], Callable[[Document, Any, list[tuple[Part, Trigger]]], None]] = {
    HttpApi: _http,
    RestApi: _rest,
    FunctionUrl: _url,
    WebSocketApi: _socket,
}
