"""Lambda authorizers of API Gateway (REST, HTTP and WebSocket APIs) and of AppSync.

A handler returns `Allow(...)`, `Deny(...)`, True, False, or the finished dictionary; anything else denies.
"""

from __future__ import annotations

from collections.abc import Mapping

from router.encode import plain
from router.errors import ConfigurationError, Forbidden, InvalidEvent, Unauthorized
from router.event import Event, Source
from router.http.headers import check_text
from router.sources._replies import dig, text_at, text_bytes
from router.sources.http import HttpApiEvent, HttpEvent, RestEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, ClassVar

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class AuthorizerEvent(HttpEvent):
    """A request that waits for a decision. `text` is its token; of a TOKEN authorizer that is all there is."""

    __slots__ = ()
    _speaks_http = False  # an authorizer is not answered with a problem document

    @property
    def arn(self) -> str:
        """Return the ARN that the request wants to call: `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`."""
        return text_at(self.raw, "methodArn") or text_at(self.raw, "routeArn") or ""

    @property
    def _takes_simple_answers(self) -> bool:
        """Whether `{"isAuthorized": ...}` is understood: payload 2.0 of an HTTP API."""
        return "methodArn" not in self.raw

    def _called(self) -> tuple[str, str]:
        """Return the ARN of the stage, and what is called in it: `METHOD/PATH`, or the route key of a WebSocket API."""
        parts = self.arn.split(":", 5)
        api, _, rest = parts[-1].partition("/")
        stage, slash, called = rest.partition("/")
        if len(parts) != 6 or parts[0] != "arn" or parts[2] != "execute-api" or not (api and stage and slash):
            raise InvalidEvent("authorizer: methodArn or routeArn is not the ARN of a method of an API")
        return ":".join((*parts[:5], f"{api}/{stage}")), called

    def _name(self) -> str:
        """Return the route key or resource of a request; `token` where a token is all that was sent."""
        if self.raw.get("type") != "REQUEST":
            return "token"
        for name in (self.raw.get("routeKey"), self._in_context("routeKey"), self.raw.get("resource")):
            if type(name) is str and name:
                return name
        return "request"

    def _method(self) -> str:
        return text_at(self.raw, "httpMethod") or self._method_and_path()[0]

    def _path(self) -> str:
        return text_at(self.raw, "path") or self._method_and_path()[1]

    def _method_and_path(self) -> tuple[str, str]:
        """Return both from the ARN; empty where there is none (AppSync), and for the route key of a WebSocket API."""
        method, slash, path = self._called()[1].partition("/") if self.arn else ("", "", "")
        return (method, "/" + path) if slash else ("", "")

    @property
    def _identity(self) -> str:
        """The token that API Gateway or AppSync found where it was told to look; empty where it was told nothing.

        A decision is kept for it, so no other part of the request may be taken for the token.
        """
        held = self.raw.get("identitySource") or self.raw.get("authorizationToken")
        if type(held) is str:
            held = [held, *held.split(",")] if "," in held else [held]  # payload 1.0 joins several
        sources = [one for one in held if type(one) is str and one] if type(held) is list else []
        if len(sources) < 2:
            return sources[0] if sources else ""
        bearer = self.headers.get("authorization")
        if bearer in sources:
            return str(bearer)
        return sources[0] if type(self.raw.get("identitySource")) is list else sources[1]

    def _text(self) -> str:
        return self._identity or self.headers.get("authorization") or ""

    def _body(self) -> bytes:
        return text_bytes(self, self.text, "token")


class RestAuthorizerEvent(AuthorizerEvent, RestEvent):
    """A REQUEST of payload 1.0: of a REST API, of `$connect` of a WebSocket API, or of an HTTP API set to 1.0."""

    __slots__ = ()

    def __init__(self, source: Source, raw: Any, context: Any, record: Any) -> None:
        Event.__init__(self, source, raw, context, record)


class HttpApiAuthorizerEvent(AuthorizerEvent, HttpApiEvent):
    """A REQUEST of payload 2.0."""

    __slots__ = ()

    def __init__(self, source: Source, raw: Any, context: Any, record: Any) -> None:
        if type(dig(raw, "requestContext", "http")) is dict:
            HttpApiEvent.__init__(self, source, raw, context, record)
        else:
            Event.__init__(self, source, raw, context, record)


class _Decision:
    """The base of `Allow` and `Deny`. It says who and what; each API gets the form that it understands."""

    __slots__ = ("context", "denied_fields", "policy", "principal", "resources", "ttl", "usage_key")
    allows: ClassVar[bool]

    def __init__(
        self,
        principal: str = "user",
        *,
        context: Mapping[str, Any] | None = None,
        resources: str | Iterable[str] | None = None,
        usage_key: str | None = None,
        policy: bool = False,
        denied_fields: str | Iterable[str] = (),
        ttl: float | None = None,
    ) -> None:
        _check_text("principal", principal)
        self.principal = principal
        if usage_key is not None:
            _check_text("usage_key", usage_key)
        if context is not None and not isinstance(context, Mapping):
            raise ConfigurationError(f"{self}: context takes a mapping, not {type(context).__name__}")
        self.context = context
        self.resources = None if resources is None else _each(resources)
        for resource in self.resources or ():
            _check_text("a resource", resource)
        self.usage_key = usage_key
        self.policy = policy
        self.denied_fields = _each(denied_fields)
        self.ttl = ttl

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.principal!r})"

    def answer(self, event: AuthorizerEvent) -> dict[str, Any]:
        """Return the decision in the form that the event's API understands."""
        if event.source is Source.APPSYNC_AUTHORIZER:
            return self._for_appsync()
        context = _checked(self.context, nested=event._takes_simple_answers)
        if event._takes_simple_answers and not self.policy:
            return {"isAuthorized": self.allows and self._covers(event), "context": context}
        answer = {"principalId": self.principal, "policyDocument": self._document(event), "context": context}
        if self.usage_key is not None:
            answer["usageIdentifierKey"] = self.usage_key
        return answer

    def _for_appsync(self) -> dict[str, Any]:
        answer: dict[str, Any] = {
            # AppSync has no resources that a list of them could be held against.
            "isAuthorized": self.allows and self.resources in (None, ("*",)),
            "resolverContext": _checked(self.context, nested=False),
            "deniedFields": list(self.denied_fields),
        }
        if self.ttl is not None:
            answer["ttlOverride"] = self.ttl
        return answer

    def _covers(self, event: AuthorizerEvent) -> bool:
        """Whether what was called is among the resources, which a simple answer cannot name."""
        if self.resources is None:
            return True
        try:
            patterns = [arn for resource in self.resources for arn in _in_stage(event, resource)]
        except InvalidEvent:
            return False  # there is no ARN to judge by
        return any(_takes(pattern, event.arn) for pattern in patterns)

    def _document(self, event: AuthorizerEvent) -> dict[str, Any]:
        resources = self._arns(event)
        allows = self.allows and bool(resources)
        resources = resources or [f"{event._called()[0]}/*"]  # an empty list allows nothing; it is no policy either
        statement = {
            "Action": "execute-api:Invoke",
            "Effect": "Allow" if allows else "Deny",
            "Resource": resources[0] if len(resources) == 1 else resources,
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def _arns(self, event: AuthorizerEvent) -> list[str]:
        if self.resources is not None:
            return [arn for resource in self.resources for arn in _in_stage(event, resource)]
        if self.allows and any(special in event._called()[1] for special in ("*", "?", "${")):
            # The path is the client's. In a policy, which API Gateway may keep for the token, these are wildcards.
            event._refuse("authorizer: the path holds characters that are wildcards in a policy; give resources=...")
        return [event.arn]


class Allow(_Decision):
    """Let the request pass.

    principal: who it is. context: what the function behind it is told: text, numbers and booleans (payload 2.0 of an
        HTTP API takes lists and objects, too).
    resources: what the policy covers; the method that was called, if not given. A policy is kept for the token as long
        as the authorizer's cache says: where several routes share an authorizer, give `"*"` (all of this stage),
        patterns like `"GET /orders/*"`, or full ARNs. An empty list denies. The simple answer of payload 2.0 names
        none: it allows what was called if it is among them. It is kept for the token all the same, for every route:
        turn the cache off, add `$context.routeKey` to the identity source, or answer with `policy=True`.
    usage_key: the API key for a REST API's usage plan. policy: answer an HTTP API 2.0 with a policy.
    denied_fields, ttl: of AppSync: fields that come out null, and seconds to keep the decision.
    """

    __slots__ = ()
    allows = True


class Deny(_Decision):
    """Turn the request away: a 403. Raise `Unauthorized` for a 401 of API Gateway. Arguments as of `Allow`."""

    __slots__ = ()
    allows = False


def _each(texts: str | Iterable[str]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)


def _check_text(what: str, text: Any) -> None:
    if not isinstance(text, str) or not text or any(char in text for char in "\r\n\0"):
        # Both reach integrations as headers and logs as lines.
        raise ConfigurationError(f"{what} must be text without CR, LF and NUL, not {text!r:.80}")
    check_text(what, text)


def _checked(context: Mapping[str, Any] | None, *, nested: bool) -> dict[str, Any]:
    """Return the context in plain values. API Gateway fails a request whose context holds what it does not take."""
    values: dict[str, Any] = plain(context or {})
    for name, value in values.items():
        scalar = type(value) in (str, int, float, bool)
        if not scalar and not (nested and value is not None):
            kind = "null" if value is None else type(value).__name__
            raise ConfigurationError(f"authorizer context {name!r}: this API takes text, numbers, booleans, not {kind}")
        if type(value) is str and any(char in value for char in "\r\n\0"):
            raise ConfigurationError(f"authorizer context {name!r}: CR, LF and NUL are refused; encode the value")
    return values


def _in_stage(event: AuthorizerEvent, resource: str) -> list[str]:
    """Return a full ARN as it is; `*`, `/path`, `METHOD /path` and WebSocket route keys within the stage called."""
    if resource.startswith("arn:"):
        return [resource]
    stage = event._called()[0]
    method, space, path = resource.partition(" ")
    if resource.startswith("/"):
        method, space, path = "*", " ", resource
    if not (space and path.startswith("/")):
        return [f"{stage}/{resource}"]
    # A `*` for the method would take slashes too, and with them every path that ends like this one.
    return [f"{stage}/{one}{path}" for one in (METHODS if method == "*" else (method,))]


def _takes(pattern: str, arn: str) -> bool:
    """Return whether a resource of a policy covers an ARN: `*` stands for any text, `?` for one character."""
    if "${" in pattern:
        return False  # a variable, which only IAM can fill in
    import re

    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.fullmatch("".join(parts), arn, re.DOTALL) is not None


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the request that waits for a decision."""
    if raw.get("type") != "REQUEST":
        return [AuthorizerEvent(source, raw, context, raw)]
    kind = RestAuthorizerEvent if "methodArn" in raw else HttpApiAuthorizerEvent
    return [kind(source, raw, context, raw)]


def answer(event: AuthorizerEvent, result: Any) -> Any:
    """Return the decision as the API expects it. Anything that is not a decision is treated as Deny and logged."""
    if isinstance(result, _Decision):
        return result.answer(event)
    if type(result) is dict:
        return plain(result)
    if type(result) is not bool:
        from logging import getLogger

        getLogger("router").warning(
            "authorizer %r returned %s, which is no decision: denied", event.name, type(result).__name__
        )
    return (Allow() if result is True else Deny()).answer(event)


def failed(event: AuthorizerEvent, error: Exception) -> Any:
    """Deny for Forbidden. Unauthorized is a 401 where API Gateway can say it, else it denies. The rest fails."""
    if isinstance(error, Unauthorized) and "methodArn" in event.raw:
        # API Gateway answers 401 to exactly this message (API Gateway developer guide, Lambda authorizers).
        raise Unauthorized("Unauthorized") from error
    if isinstance(error, Unauthorized | Forbidden):
        return Deny().answer(event)
    raise error


def data_class(event: Event) -> str:
    """Return the class of the authorizer's kind: TOKEN, or REQUEST of payload 1.0 or 2.0."""
    if event.raw.get("type") != "REQUEST":
        return "api_gateway_authorizer_event.APIGatewayAuthorizerTokenEvent"
    kind = "RequestEvent" if "methodArn" in event.raw else "EventV2"
    return f"api_gateway_authorizer_event.APIGatewayAuthorizer{kind}"
