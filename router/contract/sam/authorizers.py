"""Find who is asked before a request comes to a function: the application's own authorizer, or an issuer of tokens.

An issuer, or user pools of Cognito, are asked by API Gateway itself: no function is called for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.apis import Api, HttpApi, RestApi, WebSocketApi
from router.contract.checks import refused
from router.contract.sam.document import called, called_arn, function_id, literal, sub
from router.event import Source

if TYPE_CHECKING:
    from typing import Any

    from router.contract.model import Part
    from router.contract.sam.document import Document

HTTP, REST = "HttpApi", "RestApi"


def uri(part: Part) -> Any:
    """Return what an integration or an authorizer of API Gateway calls."""
    where = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
    if part.function.is_published:  # inside of a text SAM does not know the alias
        return {"Fn::Sub": [f"{where}${{Function}}/invocations", {"Function": called_arn(part)}]}
    return {"Fn::Sub": f"{where}${{{function_id(part)}.Arn}}/invocations"}


def executed(api: str, rest: str) -> dict[str, Any]:
    """Return the ARN of what calls a function for an API."""
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{api}}}/{rest}"}


def authorized_v2(document: Document, api: Api, name: str, made: str) -> dict[str, Any]:
    """Add the authorizer of an API of the second version, and return what routes say of it."""
    if isinstance(api, HttpApi) and api.issuer:
        return {"AuthorizationType": "JWT", "AuthorizerId": {"Ref": _asks_issuer(document, api, made)}}
    if not api.authorizer:
        return {}
    part = _owner(document, api)
    socket = isinstance(api, WebSocketApi)
    authorizer = document.add(
        f"{name}Authorizer",
        "AWS::ApiGatewayV2::Authorizer",
        {
            "ApiId": {"Ref": made},
            "Name": literal(api.authorizer),
            "AuthorizerType": "REQUEST",
            "AuthorizerUri": uri(part),
            "IdentitySource": [_token_of(api)],
            **(
                {}
                if socket
                else {
                    "AuthorizerPayloadFormatVersion": "2.0",
                    "AuthorizerResultTtlInSeconds": api.cached,
                    "EnableSimpleResponses": True,  # as the router answers; a policy is taken, too
                }
            ),
        },
        f"the authorizer of {name}",
    )
    document.add(
        f"{name}AuthorizerPermission",
        "AWS::Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": called(part),
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {
                "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"
                f"${{{made}}}/authorizers/${{{authorizer}}}"
            },
        },
        f"the permission of the authorizer of {name}",
    )
    return {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": authorizer}}


def _asks_issuer(document: Document, api: HttpApi, made: str) -> str:
    return document.add(
        f"{HTTP}Authorizer",
        "AWS::ApiGatewayV2::Authorizer",
        {
            "ApiId": {"Ref": made},
            "Name": "issuer",
            "AuthorizerType": "JWT",
            "IdentitySource": [_token_of(api)],
            "JwtConfiguration": {"Issuer": sub(api.issuer), "Audience": [sub(one) for one in api.audience]},
        },
        "the authorizer of HttpApi",
    )


def _token_of(api: Api) -> str:
    """Return where the token is, as APIs of the second version have it."""
    kind, _, field = api.identity.partition(":")
    begin = "route.request." if isinstance(api, WebSocketApi) else "$request."
    return f"{begin}{'header' if kind == 'header' else 'querystring'}.{field}"


def rest_schemes(document: Document, api: RestApi) -> dict[str, Any]:
    """Return the security scheme of a REST API by its name; none where nobody is asked."""
    if api.user_pools:
        return {"users": _asks_pools(api)}
    return {"lambda": _asks_application(document, api)} if api.authorizer else {}


def _asks_pools(api: RestApi) -> dict[str, Any]:
    return {
        "type": "apiKey",
        "name": api.identity.partition(":")[2],
        "in": "header",
        "x-amazon-apigateway-authtype": "cognito_user_pools",
        "x-amazon-apigateway-authorizer": {
            "type": "cognito_user_pools",
            "providerARNs": [sub(one) for one in api.user_pools],
        },
    }


def _asks_application(document: Document, api: RestApi) -> dict[str, Any]:
    kind, _, field = api.identity.partition(":")
    part = _owner(document, api)
    place = "method.request.header." if kind == "header" else "method.request.querystring."
    if not any(name == f"{REST}Calls{function_id(part)}" for name in document.resources):
        _permit_authorizer(document, part)
    return {
        "type": "apiKey",
        "name": field if kind == "header" else "Unused",
        "in": kind,
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "request",
            "authorizerUri": uri(part),
            "identitySource": f"{place}{field}",
            "authorizerResultTtlInSeconds": api.cached,
        },
    }


def _permit_authorizer(document: Document, part: Part) -> None:
    document.add(
        f"{REST}AuthorizerPermission",
        "AWS::Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": called(part),
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": executed(REST, "authorizers/*"),
        },
        "the permission of the authorizer of the REST API",
    )


def _owner(document: Document, api: Api) -> Part:
    """Return the function of the route that authorizes.

    An event that asks does not say which authorizer it is for, but which route key or resource of the API.

    Raises:
        ConfigurationError: no route takes every key that the API asks for.
    """
    keys = ("$connect", "*") if isinstance(api, WebSocketApi) else ("*",)
    for key in keys:
        for part in document.infrastructure.parts:
            if any(Source.AUTHORIZER in route.sources and route.match == key for route in part.routes):
                return part
    raise refused(
        api,
        f"authorizer={api.authorizer!r}: there is no @on_authorize() route; one with a name is asked about the route "
        "key of that name alone",
    )
