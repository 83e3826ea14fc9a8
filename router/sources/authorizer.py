"""Lambda authorizers of API Gateway (REST, HTTP and WebSocket APIs), of AppSync and of its Event APIs.

A handler returns `Allow(...)`, `Deny(...)`, True, False, or the finished dictionary; anything else denies.
"""

from __future__ import annotations

from router.errors import InvalidEvent, Unauthorized
from router.event import Event, Source
from router.sources import _decisions
from router.sources._decisions import Decision, check_seconds, checked_context, decided
from router.sources._replies import dig, headers_in, text_at, text_bytes
from router.sources.http import HttpApiEvent, HttpEvent, RestEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.http.headers import Headers

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
            # Payload 1.0 joins several. Where one header was asked for, its comma is the client's: two tokens are none.
            joins = "," in held and self.raw.get("type") == "REQUEST"
            held = [held, *held.split(",")] if joins else [held]
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

    # ---- decisions ---------------------------------------------------------------------------------------------

    def _decided(self, decision: Decision) -> dict[str, Any]:
        """Return a decision in the form that the API understands."""
        decision.refuse(self.source, "policies", "disconnect_after")
        context = checked_context(decision.context, nested=self._takes_simple_answers)
        if self._takes_simple_answers and not decision.policy:
            return {"isAuthorized": decision.allows and self._covered_by(decision), "context": context}
        answer = {"principalId": decision.principal, "policyDocument": self._document(decision), "context": context}
        if decision.usage_key is not None:
            answer["usageIdentifierKey"] = decision.usage_key
        return answer

    def _finished(self, answer: dict[str, Any]) -> dict[str, Any] | None:
        return answer  # API Gateway refuses what it does not understand

    def _covered_by(self, decision: Decision) -> bool:
        """Whether what was called is among the resources, which a simple answer cannot name."""
        if decision.resources is None:
            return True
        try:
            patterns = [arn for resource in decision.resources for arn in _in_stage(self, resource)]
        except InvalidEvent:
            return False  # there is no ARN to judge by
        return any(_takes(pattern, self.arn) for pattern in patterns)

    def _document(self, decision: Decision) -> dict[str, Any]:
        resources = self._arns(decision)
        allows = decision.allows and bool(resources)
        resources = resources or [f"{self._called()[0]}/*"]  # an empty list allows nothing; it is no policy either
        statement = {
            "Action": "execute-api:Invoke",
            "Effect": "Allow" if allows else "Deny",
            "Resource": resources[0] if len(resources) == 1 else resources,
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def _arns(self, decision: Decision) -> list[str]:
        if decision.resources is not None:
            return [arn for resource in decision.resources for arn in _in_stage(self, resource)]
        if decision.allows and any(special in self._called()[1] for special in ("*", "?", "${")):
            # The path is the client's. In a policy, which API Gateway may keep for the token, these are wildcards.
            self._refuse("authorizer: the path holds characters that are wildcards in a policy; give resources=...")
        return [self.arn]


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


class AppSyncAuthorizerEvent(AuthorizerEvent):
    """A GraphQL request that waits for a decision of AppSync's Lambda authorizer."""

    __slots__ = ()
    _context_key = "resolverContext"

    def _headers(self) -> Headers:
        return headers_in(self, self.raw, "requestHeaders")

    def _decided(self, decision: Decision) -> dict[str, Any]:
        decision.refuse(self.source, "policies", "disconnect_after")
        # AppSync has no resources that a list of them could be held against.
        allows = decision.allows and decision.resources in (None, ("*",))
        answer: dict[str, Any] = {"isAuthorized": allows, self._context_key: checked_context(decision.context)}
        if decision.ttl is not None:
            check_seconds(f"{decision}: ttl", decision.ttl, 0, 3600)
            answer["ttlOverride"] = decision.ttl
        return answer


class GraphqlAuthorizerEvent(AppSyncAuthorizerEvent):
    """Read a request of a GraphQL API: a decision on it may take fields out."""

    __slots__ = ()

    def _decided(self, decision: Decision) -> dict[str, Any]:
        return {**super()._decided(decision), "deniedFields": list(decision.denied_fields)}


class ChannelAuthorizerEvent(AppSyncAuthorizerEvent):
    """A client of an Event API that waits for a decision: to connect, to publish or to subscribe.

    `name` and `change` are the operation: EVENT_CONNECT, EVENT_PUBLISH or EVENT_SUBSCRIBE.
    """

    __slots__ = ()
    _context_key = "handlerContext"

    @property
    def channel(self) -> str:
        """The channel, `/chat/room-1`, or `/chat/*` of a subscription to all below; empty of EVENT_CONNECT."""
        return text_at(self.raw, "requestContext", "channel") or ""

    @property
    def namespace(self) -> str:
        """The channel's namespace, its first segment; empty of EVENT_CONNECT."""
        return text_at(self.raw, "requestContext", "channelNamespaceName") or ""

    def _name(self) -> str:
        return text_at(self.raw, "requestContext", "operation") or ""

    def _change(self) -> str:
        return self.name

    def _path(self) -> str:
        return self.channel

    def _decided(self, decision: Decision) -> dict[str, Any]:
        decision.refuse(self.source, "resources", "usage_key", "policy", "denied_fields")
        return super()._decided(decision)

    def _finished(self, answer: dict[str, Any]) -> dict[str, Any] | None:
        return answer if type(answer.get("isAuthorized")) is bool else None


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
    if source is not Source.AUTHORIZER:
        of_channel = source is Source.APPSYNC_EVENTS_AUTHORIZER
        return [(ChannelAuthorizerEvent if of_channel else GraphqlAuthorizerEvent)(source, raw, context, raw)]
    if raw.get("type") != "REQUEST":
        return [AuthorizerEvent(source, raw, context, raw)]
    kind = RestAuthorizerEvent if "methodArn" in raw else HttpApiAuthorizerEvent
    return [kind(source, raw, context, raw)]


def answer(event: AuthorizerEvent, result: Any) -> Any:
    """Return the decision as the API expects it. Anything that is not a decision is treated as Deny and logged."""
    return decided(event, result)


def failed(event: AuthorizerEvent, error: Exception) -> Any:
    """Deny for Forbidden. Unauthorized is a 401 where API Gateway can say it, else it denies. The rest fails."""
    if isinstance(error, Unauthorized) and "methodArn" in event.raw:
        # API Gateway answers 401 to exactly this message (API Gateway developer guide, Lambda authorizers).
        raise Unauthorized("Unauthorized") from error
    return _decisions.failed(event, error)


def data_class(event: Event) -> str | None:
    """Return the class of the authorizer's kind: TOKEN, or REQUEST of payload 1.0 or 2.0."""
    if event.source is not Source.AUTHORIZER:
        return None  # that of AppSync's GraphQL authorizer is in its row
    if event.raw.get("type") != "REQUEST":
        return "api_gateway_authorizer_event.APIGatewayAuthorizerTokenEvent"
    kind = "RequestEvent" if "methodArn" in event.raw else "EventV2"
    return f"api_gateway_authorizer_event.APIGatewayAuthorizer{kind}"
