"""Make payloads of a request: what each service in front of a function does to paths, headers, queries and bodies.

The builders of samples and the local gateway share them.
"""

from __future__ import annotations

from urllib.parse import unquote

from router.testing.samples._request import http_context, last_valued, multi_valued, rest_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from router.testing.samples._request import Request


def rest_payload(
    request: Request,
    *,
    host: str,
    stage: str,
    api_id: str,
    account: str,
    resource: str | None = None,
    path_parameters: Mapping[str, str] | None = None,
    stage_variables: Mapping[str, str] | None = None,
    authorizer: Any = None,
) -> dict[str, Any]:
    """Return the payload of a REST API, with the resource that the parameters tell, or else the catch-all one."""
    if resource is None:
        resource, path_parameters = _resource(request.path, path_parameters)
    context = rest_context(request, api_id=api_id, stage=stage, resource=resource, account=account, host=host)
    if authorizer is not None:
        context["authorizer"] = authorizer
    query = request.all_query() or None
    return {
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": request.last_headers(),
        "multiValueHeaders": request.all_headers(),
        "queryStringParameters": last_valued(query) if query else None,
        "multiValueQueryStringParameters": query,
        "pathParameters": dict(path_parameters) if path_parameters else None,
        "stageVariables": dict(stage_variables) if stage_variables else None,
        "requestContext": context,
        "body": request.body,
        "isBase64Encoded": request.encoded,
    }


def _resource(path: str, path_parameters: Mapping[str, str] | None) -> tuple[str, Mapping[str, str] | None]:
    """Return the resource that took a path, and its parameters: /orders/7 with {"id": "7"} is /orders/{id}."""
    if path_parameters:
        names = {value: f"{{{name}}}" for name, value in path_parameters.items()}
        return "/".join(names.get(unquote(segment), segment) for segment in path.split("/")), path_parameters
    if path == "/":
        return "/", None
    return "/{proxy+}", {"proxy": path[1:]}


def http_payload(
    request: Request,
    *,
    host: str,
    stage: str,
    api_id: str,
    account: str,
    route_key: str = "$default",
    path_parameters: Mapping[str, str] | None = None,
    stage_variables: Mapping[str, str] | None = None,
    authorizer: Any = None,
) -> dict[str, Any]:
    """Return payload format 2.0 of an HTTP API: the path is decoded and, with a named stage, behind the stage."""
    path = unquote(request.path)
    raw_path = path if stage == "$default" else f"/{stage}{path}"
    context = http_context(
        request, api_id=api_id, stage=stage, route_key=route_key, account=account, host=host, path=raw_path
    )
    if authorizer is not None:
        context["authorizer"] = authorizer
    payload = _format_2(request, raw_path, context)
    if path_parameters:
        payload["pathParameters"] = dict(path_parameters)
    if stage_variables:
        payload["stageVariables"] = dict(stage_variables)
    return payload


def url_payload(request: Request, *, host: str, url_id: str, account: str, authorizer: Any = None) -> dict[str, Any]:
    """Return the payload of a function URL: format 2.0, with the path as it was sent."""
    context = http_context(
        request,
        api_id=url_id,
        stage="$default",
        route_key="$default",
        account=account if authorizer else "anonymous",
        host=host,
        path=request.path,
    )
    if authorizer is not None:
        context["authorizer"] = authorizer
    return _format_2(request, request.path, context)


def _format_2(request: Request, raw_path: str, context: dict[str, Any]) -> dict[str, Any]:
    """Return payload format 2.0: repeated values joined by commas, cookies apart, what is absent left out."""
    payload: dict[str, Any] = {
        "version": "2.0",
        "routeKey": context["routeKey"],
        "rawPath": raw_path,
        "rawQueryString": request.raw_query,
        "headers": request.joined_headers(),
        "requestContext": context,
        "isBase64Encoded": request.encoded,
    }
    cookies = request.cookies()
    if cookies:
        payload["cookies"] = cookies
        del payload["headers"]["cookie"]
    if request.query:
        payload["queryStringParameters"] = request.joined_query()
    if request.body is not None:
        payload["body"] = request.body
    return payload


def alb_payload(request: Request, *, group: str, multi_value: bool) -> dict[str, Any]:
    """Return the payload of a load balancer, which leaves the values of the query encoded.

    group: the ARN of the target group. multi_value: as its attribute says.
    """
    payload: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": request.method,
        "path": request.path,
    }
    query_values = multi_valued(_encoded_pairs(request.raw_query))
    header_values = multi_valued([(name.lower(), each) for name, values in request.headers.items() for each in values])
    if multi_value:
        payload["multiValueQueryStringParameters"] = query_values
        payload["multiValueHeaders"] = header_values
    else:
        payload["queryStringParameters"] = last_valued(query_values)
        payload["headers"] = last_valued(header_values)
    return payload | {"body": request.body or "", "isBase64Encoded": request.encoded}


def _encoded_pairs(raw_query: str) -> list[tuple[str, str]]:
    """Return query parameters with their percent-encoding left alone."""
    parts = [part.partition("=") for part in raw_query.split("&") if part]
    return [(name, value) for name, _, value in parts]


def authorizer_1(
    request: Request, target: str, context: dict[str, Any], path_parameters: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return the payload of a REQUEST authorizer in the form of a REST API. target: the ARN of what is called."""
    return {
        "type": "REQUEST",
        "methodArn": target,
        "resource": context["resourcePath"],
        "path": request.path,
        "httpMethod": request.method,
        "headers": request.last_headers(),
        "multiValueHeaders": request.all_headers(),
        "queryStringParameters": last_valued(request.all_query()),
        "multiValueQueryStringParameters": request.all_query(),
        "pathParameters": dict(path_parameters or {}),
        "stageVariables": {},
        "requestContext": context,
    }


def authorizer_2(
    request: Request,
    target: str,
    context: dict[str, Any],
    path_parameters: Mapping[str, str] | None,
    identity: list[str] | None,
) -> dict[str, Any]:
    """Return the payload of a REQUEST authorizer of an HTTP API, format 2.0.

    target: the ARN of what is called. identity: the values of the identity sources.
    """
    headers = request.joined_headers()
    headers.pop("cookie", None)
    payload: dict[str, Any] = {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": target,
        "identitySource": identity,
        "routeKey": context["routeKey"],
        "rawPath": context["http"]["path"],
        "rawQueryString": request.raw_query,
        "headers": headers,
        "queryStringParameters": request.joined_query(),
        "requestContext": context,
        "pathParameters": dict(path_parameters or {}),
        "stageVariables": {},
    }
    if request.cookies():
        payload["cookies"] = request.cookies()
    return payload
