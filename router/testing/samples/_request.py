"""An HTTP request in neutral form, and the request contexts of API Gateway, from which the HTTP samples are made."""

from __future__ import annotations

import base64
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode

from router.testing.samples._common import as_bytes, base64_id, epoch_millis, gateway_time, hex_id, moment, uuid_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any

SOURCE_IP = "203.0.113.7"
API_ID = "a1b2c3d4e5"
_USER_AGENT = "curl/8.5.0"


class Request:
    """One request as a client sends it: the path and the query percent-encoded, every value of a repeated header."""

    __slots__ = ("at", "body", "encoded", "headers", "id", "method", "path", "query", "raw_query", "source_ip")

    def __init__(
        self,
        method: str,
        path: str,
        *,
        host: str,
        query: Mapping[str, Any] | str | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        body: Any = None,
        cookies: Mapping[str, str] | None = None,
        source_ip: str = SOURCE_IP,
        request_id: str | None = None,
        timestamp: datetime | None = None,
    ) -> None:
        if not path.startswith("/"):
            raise ValueError(f"path must start with '/', got {path!r}")
        if not method.isalpha():
            raise ValueError(f"method must be an HTTP method such as GET, got {method!r}")
        self.method = method.upper()
        self.path, _, in_path = path.partition("?")
        self.raw_query = "&".join(filter(None, (in_path, _raw_query(query))))
        self.query = parse_qsl(self.raw_query, keep_blank_values=True)
        self.body, self.encoded = _body(body)
        self.source_ip = source_ip
        self.at = moment(timestamp)
        self.id = request_id or uuid_id("request", self.method, self.path, self.raw_query, self.body)
        self.headers = self._defaults(host)
        if body is not None:
            self.headers["Content-Length"] = [str(len(as_bytes(body, "body")))]
            if not isinstance(body, str | bytes | bytearray | memoryview):
                self.headers["Content-Type"] = ["application/json"]
        self._override(headers or {})
        self._add_cookies(cookies or {})

    def _defaults(self, host: str) -> dict[str, list[str]]:
        """The headers that a plain client and the AWS front end put on every request."""
        trace = f"Root=1-{int(self.at.timestamp()):08x}-{hex_id(24, 'trace', self.id)}"
        return {
            "Accept": ["*/*"],
            "Host": [host],
            "User-Agent": [_USER_AGENT],
            "X-Amzn-Trace-Id": [trace],
            "X-Forwarded-For": [self.source_ip],
            "X-Forwarded-Port": ["443"],
            "X-Forwarded-Proto": ["https"],
        }

    def _override(self, headers: Mapping[str, str | Sequence[str]]) -> None:
        for name, value in headers.items():
            for known in [known for known in self.headers if known.lower() == name.lower()]:
                del self.headers[known]
            self.headers[name] = [value] if isinstance(value, str) else list(value)

    def _add_cookies(self, cookies: Mapping[str, str]) -> None:
        pairs = self.cookies() + [f"{name}={value}" for name, value in cookies.items()]
        if pairs:
            self._override({"Cookie": "; ".join(pairs)})

    def cookies(self) -> list[str]:
        """Each `name=value` of the Cookie header."""
        lines = [line for name, values in self.headers.items() if name.lower() == "cookie" for line in values]
        return [pair.strip() for line in lines for pair in line.split(";") if pair.strip()]

    def last_headers(self) -> dict[str, str]:
        """Single-valued headers where the last value wins."""
        return {name: values[-1] for name, values in self.headers.items()}

    def all_headers(self) -> dict[str, list[str]]:
        """Multi-valued headers."""
        return {name: list(values) for name, values in self.headers.items()}

    def joined_headers(self, separator: str = ",") -> dict[str, str]:
        """Single-valued headers in lower case, repeated values joined."""
        return {name.lower(): separator.join(values) for name, values in self.headers.items()}

    def all_query(self) -> dict[str, list[str]]:
        """Multi-valued, decoded query parameters."""
        return multi_valued(self.query)

    def joined_query(self) -> dict[str, str]:
        """Query parameters, decoded, repeated values joined by commas."""
        return {name: ",".join(values) for name, values in self.all_query().items()}

    def user_agent(self) -> str:
        """The User-Agent header."""
        return self.joined_headers().get("user-agent", "")


def multi_valued(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Every value of each name, in order."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def last_valued(values: Mapping[str, list[str]]) -> dict[str, str]:
    """The last value of each name."""
    return {name: each[-1] for name, each in values.items()}


def _raw_query(query: Mapping[str, Any] | str | None) -> str:
    """A query string: a string is taken as encoded already, a mapping (value, or list of values) is encoded."""
    if query is None or isinstance(query, str):
        return (query or "").removeprefix("?")
    pairs = [
        (name, str(each).lower() if isinstance(each, bool) else str(each))
        for name, value in query.items()
        for each in (value if isinstance(value, list | tuple) else (value,))
    ]
    return urlencode(pairs, quote_via=quote, safe="")


def _body(body: Any) -> tuple[str | None, bool]:
    """The body as text, and whether that text is base64: bytes always are, as a gateway does for binary media types."""
    if body is None or isinstance(body, str):
        return body, False
    raw = as_bytes(body, "body")
    if isinstance(body, bytes | bytearray | memoryview):
        return base64.b64encode(raw).decode(), True
    return raw.decode(), False


def api_host(api_id: str, region: str) -> str:
    """The domain an API has without a custom one."""
    return f"{api_id}.execute-api.{region}.amazonaws.com"


@lru_cache(256)
def _fixed_id(*parts: str) -> str:
    """Return the id of something that many requests name."""
    return hex_id(6, *parts)


def rest_context(
    request: Request, *, api_id: str, stage: str, resource: str, account: str, host: str
) -> dict[str, Any]:
    """`requestContext` of a REST API."""
    return {
        "resourceId": _fixed_id("resource", resource),
        "resourcePath": resource,
        "httpMethod": request.method,
        "extendedRequestId": base64_id(11, "extended", request.id),
        "requestTime": gateway_time(request.at),
        "path": f"/{stage}{request.path}",
        "accountId": account,
        "protocol": "HTTP/1.1",
        "stage": stage,
        "domainPrefix": host.partition(".")[0],
        "requestTimeEpoch": epoch_millis(request.at),
        "requestId": request.id,
        "identity": rest_identity(request),
        "domainName": host,
        "deploymentId": _fixed_id("deployment", api_id, stage),
        "apiId": api_id,
    }


def rest_identity(request: Request) -> dict[str, Any]:
    """Return the identity of a REST API's caller without IAM credentials: null but for address and user agent."""
    return {
        "cognitoIdentityPoolId": None,
        "accountId": None,
        "cognitoIdentityId": None,
        "caller": None,
        "sourceIp": request.source_ip,
        "principalOrgId": None,
        "accessKey": None,
        "cognitoAuthenticationType": None,
        "cognitoAuthenticationProvider": None,
        "userArn": None,
        "userAgent": request.user_agent(),
        "user": None,
    }


def http_context(
    request: Request, *, api_id: str, stage: str, route_key: str, account: str, host: str, path: str
) -> dict[str, Any]:
    """`requestContext` of payload format 2.0 (HTTP API, function URL)."""
    return {
        "accountId": account,
        "apiId": api_id,
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": request.user_agent(),
        },
        "requestId": request.id,
        "routeKey": route_key,
        "stage": stage,
        "time": gateway_time(request.at),
        "timeEpoch": epoch_millis(request.at),
    }
