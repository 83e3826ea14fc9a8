"""Requests over HTTP: REST API, HTTP API, function URL, load balancer, VPC Lattice.

Paths and query strings are given as a client writes them (percent-encoded); each builder then does to them what its
service does.
"""

from __future__ import annotations

from router.testing.samples._common import ACCOUNT, REGION, arn, as_json, hex_id, one_of
from router.testing.samples._payloads import alb_payload, http_payload, rest_payload, url_payload
from router.testing.samples._request import API_ID, SOURCE_IP, Request, api_host, last_valued

__all__ = ["alb", "http", "lattice", "rest", "url"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    Headers = Mapping[str, str | Sequence[str]]
    Query = Mapping[str, Any] | str

URL_ID = "abcdefghijklmnopqrstuvwxyz012345"


def rest(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    stage: str = "prod",
    authorizer: Mapping[str, Any] | None = None,
    cookies: Mapping[str, str] | None = None,
    path_parameters: Mapping[str, str] | None = None,
    resource: str | None = None,
    stage_variables: Mapping[str, str] | None = None,
    source_ip: str = SOURCE_IP,
    request_id: str | None = None,
    api_id: str = API_ID,
    domain: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A REST API request with Lambda proxy integration.

    `authorizer` is what stands in `requestContext.authorizer`: {"claims": {...}} of Cognito, or the context of a Lambda
    authorizer. Without `resource` the request comes through the one that `path_parameters` tell, or else through the
    catch-all `/{proxy+}`.
    """
    host = domain or api_host(api_id, region)
    request = Request(
        method,
        path,
        host=host,
        query=query,
        headers=headers,
        body=body,
        cookies=cookies,
        source_ip=source_ip,
        request_id=request_id,
        timestamp=timestamp,
    )
    return rest_payload(
        request,
        host=host,
        stage=stage,
        resource=resource,
        path_parameters=path_parameters,
        stage_variables=stage_variables,
        authorizer=None if authorizer is None else as_json(authorizer, "authorizer"),
        api_id=api_id,
        account=account,
    )


def http(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    stage: str = "$default",
    authorizer: Mapping[str, Any] | None = None,
    cookies: Mapping[str, str] | None = None,
    path_parameters: Mapping[str, str] | None = None,
    route_key: str = "$default",
    stage_variables: Mapping[str, str] | None = None,
    source_ip: str = SOURCE_IP,
    request_id: str | None = None,
    api_id: str = API_ID,
    domain: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """An HTTP API request, payload format 2.0.

    `authorizer` is {"jwt": {...}}, {"lambda": {...}} or {"iam": {...}}; {"claims": {...}} is put where a JWT authorizer
    puts it, any other mapping where a Lambda authorizer does. As the service does, the path arrives percent-decoded
    and, with a named stage, behind the stage.
    """
    host = domain or api_host(api_id, region)
    request = Request(
        method,
        path,
        host=host,
        query=query,
        headers=headers,
        body=body,
        cookies=cookies,
        source_ip=source_ip,
        request_id=request_id,
        timestamp=timestamp,
    )
    return http_payload(
        request,
        host=host,
        stage=stage,
        route_key=route_key,
        path_parameters=path_parameters,
        stage_variables=stage_variables,
        authorizer=None if authorizer is None else _http_authorizer(authorizer),
        api_id=api_id,
        account=account,
    )


def _http_authorizer(authorizer: Mapping[str, Any]) -> dict[str, Any]:
    """`requestContext.authorizer` of an HTTP API."""
    value: dict[str, Any] = as_json(authorizer, "authorizer")
    if value and value.keys() <= {"jwt", "lambda", "iam"}:
        return value
    if "claims" in value:
        return {"jwt": {"claims": value["claims"], "scopes": value.get("scopes")}}
    return {"lambda": value}


def url(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    authorizer: Mapping[str, Any] | None = None,
    cookies: Mapping[str, str] | None = None,
    source_ip: str = SOURCE_IP,
    request_id: str | None = None,
    url_id: str = URL_ID,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A function URL request. `authorizer` is {"iam": {...}} for AuthType AWS_IAM: such a URL knows no other kind."""
    host = f"{url_id}.lambda-url.{region}.on.aws"
    request = Request(
        method,
        path,
        host=host,
        query=query,
        headers=headers,
        body=body,
        cookies=cookies,
        source_ip=source_ip,
        request_id=request_id,
        timestamp=timestamp,
    )
    if authorizer is not None and set(authorizer) != {"iam"}:
        raise ValueError('the authorizer of a function URL must be {"iam": {...}}')
    return url_payload(
        request,
        host=host,
        url_id=url_id,
        account=account,
        authorizer=None if authorizer is None else as_json(authorizer, "authorizer"),
    )


def alb(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    cookies: Mapping[str, str] | None = None,
    multi_value: bool = False,
    source_ip: str = SOURCE_IP,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A request through an Application Load Balancer; `multi_value` as the target group's attribute says.

    Query values stay percent-encoded, as the load balancer leaves them.
    """
    host = f"orders-{hex_id(10, 'alb', account)}.{region}.elb.amazonaws.com"
    request = Request(
        method,
        path,
        host=host,
        query=query,
        headers=headers,
        body=body,
        cookies=cookies,
        source_ip=source_ip,
        timestamp=timestamp,
    )
    group = f"targetgroup/orders/{hex_id(16, 'target group', account)}"
    return alb_payload(request, group=arn("elasticloadbalancing", region, account, group), multi_value=multi_value)


def lattice(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    cookies: Mapping[str, str] | None = None,
    version: str = "2.0",
    identity: Mapping[str, str] | None = None,
    source_ip: str = "10.0.2.100",
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A VPC Lattice request, event structure "2.0" or "1.0".

    In both the path holds the query too. `identity` adds what an auth policy found out (type, principal, sessionName,
    ...), in version 2.0 only.
    """
    one_of(version, ("1.0", "2.0"), "version")
    if identity and version == "1.0":
        raise ValueError("event structure 1.0 of VPC Lattice carries no identity")
    host = f"orders-{hex_id(17, 'lattice', account)}.7d67968.vpc-lattice-svcs.{region}.on.aws"
    request = Request(
        method,
        path,
        host=host,
        query=query,
        headers=headers,
        body=body,
        cookies=cookies,
        source_ip=source_ip,
        timestamp=timestamp,
    )
    full_path = f"{request.path}?{request.raw_query}" if request.raw_query else request.path
    if version == "1.0":
        return {
            "raw_path": full_path,
            "method": request.method,
            "headers": request.joined_headers(", "),
            "query_string_parameters": last_valued(request.all_query()),
            "body": request.body or "",
            "is_base64_encoded": request.encoded,
        }
    return {
        "version": "2.0",
        "path": full_path,
        "method": request.method,
        "headers": {name.lower(): values for name, values in request.all_headers().items()},
        "queryStringParameters": request.all_query(),
        "body": request.body,
        "isBase64Encoded": request.encoded,
        "requestContext": _lattice_context(request, identity, region, account),
    }


def _lattice_context(request: Request, identity: Mapping[str, str] | None, region: str, account: str) -> dict[str, Any]:
    """`requestContext` of event structure 2.0; its time is microseconds, as text."""

    def lattice_arn(kind: str, prefix: str) -> str:
        return arn("vpc-lattice", region, account, f"{kind}/{prefix}-{hex_id(17, kind, account)}")

    return {
        "serviceNetworkArn": lattice_arn("servicenetwork", "sn"),
        "serviceArn": lattice_arn("service", "svc"),
        "targetGroupArn": lattice_arn("targetgroup", "tg"),
        "identity": {
            "sourceVpcArn": arn("ec2", region, account, f"vpc/vpc-{hex_id(17, 'vpc', account)}"),
            **(identity or {}),
        },
        "region": region,
        "timeEpoch": str(int(request.at.timestamp() * 1_000_000)),
    }


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "rest": lambda: rest("POST", "/orders", body={"id": 1}, query={"dry": "1"}),
    "http": lambda: http("POST", "/orders", body={"id": 1}, query={"dry": "1"}, cookies={"theme": "dark"}),
    "url": lambda: url("POST", "/orders", body={"id": 1}, query={"dry": "1"}),
    "alb": lambda: alb("POST", "/orders", body={"id": 1}, query={"dry": "1"}),
    "lattice": lambda: lattice("POST", "/orders", body={"id": 1}, query={"dry": "1"}),
}
