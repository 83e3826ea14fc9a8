"""What is in front of functions: the URL of a WebSocket API in a variable, and the right to send to its connections."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

import cfnlint.api
import pytest

from router import ConfigurationError, Event, FromRequest, Resolver, SessionPolicy
from router.contract import FunctionUrl, HttpApi, RestApi, Schedule, Stack, WebSocketApi
from router.contract.sam import template
from router.environment import WebSocket
from router.testing.samples import http, rest

APPLICATION = "an_application_with_sockets"


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """An application that sends to connections from a schedule."""
    resolver, module = Resolver(), ModuleType(APPLICATION)

    @resolver.on_schedule("hourly", requires={"SOCKET": [WebSocket.MANAGE_CONNECTIONS]})
    def hourly() -> None: ...

    monkeypatch.setattr(module, "resolver", resolver, raising=False)
    monkeypatch.setitem(sys.modules, APPLICATION, module)
    return resolver


def made(*declared: Any) -> dict[str, Any]:
    return template(Stack(f"{APPLICATION}:resolver", *declared, name="shop").infrastructure())["Resources"]


HOURLY = Schedule("hourly", "rate(1 hour)")


def test_a_function_is_told_where_it_sends_to_and_may_send_there(resolver: Resolver) -> None:
    @resolver.on_message("say")
    def say(event: Event) -> None: ...

    resources = made(HOURLY, WebSocketApi(variable="SOCKET", stage="prod"))
    variables = resources["MainFunction"]["Properties"]["Environment"]["Variables"]
    url = "https://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/prod"
    assert variables["SOCKET"] == {"Fn::Sub": url}
    [allowed] = [
        one["Resource"]
        for one in resources["MainPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if one["Action"] == ["execute-api:ManageConnections"]
    ]
    arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/prod/*/@connections/*"
    assert allowed == [{"Fn::Sub": arn}]
    assert "WebSocketApi" in resources


def test_an_api_that_is_not_made_has_no_url(resolver: Resolver) -> None:
    with pytest.raises(ConfigurationError, match=r"WebSocketApi\(variable='SOCKET'\): no route takes its messages"):
        made(HOURLY, WebSocketApi(variable="SOCKET"))


@pytest.mark.parametrize("declare", [HttpApi, RestApi, FunctionUrl])
def test_the_url_of_another_api_is_not_known_before_the_functions(declare: Any) -> None:
    with pytest.raises(ConfigurationError, match="variable= is for a WebSocketApi of the stack"):
        declare(variable="URL")


def test_a_payload_reaches_the_function(resolver: Resolver) -> None:
    resources = made(Schedule("hourly", "rate(1 hour)", payload={"kind": "all"}))
    schedule = resources["HourlySchedule"]
    assert schedule["Type"] == "AWS::Scheduler::Schedule"  # a rule's input would take the place of its whole event
    assert '"detail": {"kind": "all"}' in schedule["Properties"]["Target"]["Input"]


@pytest.mark.parametrize("api", [HttpApi, RestApi])
def test_an_authorizer_needs_a_route_that_takes_every_key(resolver: Resolver, api: Any) -> None:
    @resolver.on_authorize("keys")
    def keys(event: Event) -> bool:
        return True

    @resolver.get("/")
    def home() -> None: ...

    with pytest.raises(ConfigurationError, match=r"authorizer='keys': there is no @on_authorize\(\) route"):
        made(HOURLY, api(authorizer="keys"))


def test_connections_may_have_an_authorizer_of_their_own(resolver: Resolver) -> None:
    @resolver.on_authorize("$connect", function="guards")
    def connecting(event: Event) -> bool:
        return True

    @resolver.on_message("say")
    def say(event: Event) -> None: ...

    authorizer = made(HOURLY, WebSocketApi(authorizer="tokens"))["WebSocketApiAuthorizer"]
    assert "${GuardsFunction.Arn}" in str(authorizer["Properties"]["AuthorizerUri"])


# ---- tokens that API Gateway checks ----------------------------------------------------------------------------------

ISSUER = "https://cognito-idp.${AWS::Region}.amazonaws.com/eu-west-1_Ab1"
POOL = "arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/eu-west-1_Ab1"


@pytest.fixture
def orders(resolver: Resolver) -> Resolver:
    """An application with requests of two functions."""

    @resolver.get("/orders/{order_id}")
    def show(order_id: str) -> None: ...

    @resolver.get("/reports", function="reports")
    def report() -> None: ...

    return resolver


def linted(*declared: Any) -> dict[str, Any]:
    """Return the resources of a template in which cfn-lint finds nothing."""
    held = template(Stack(f"{APPLICATION}:resolver", *declared, name="shop").infrastructure())
    assert [str(one) for one in cfnlint.api.lint(json.dumps(held))] == []
    resources: dict[str, Any] = held["Resources"]
    return resources


def test_an_http_api_lets_in_tokens_of_an_issuer(orders: Resolver) -> None:
    resources = linted(HOURLY, HttpApi(issuer=ISSUER, audience=["orders", "back-office"]))  # type: ignore[arg-type]

    authorizer = resources["HttpApiAuthorizer"]["Properties"]
    assert authorizer["AuthorizerType"] == "JWT"
    assert authorizer["IdentitySource"] == ["$request.header.authorization"]
    assert authorizer["JwtConfiguration"] == {"Issuer": {"Fn::Sub": ISSUER}, "Audience": ["orders", "back-office"]}
    routes = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::ApiGatewayV2::Route"]
    assert len(routes) > 1
    for route in routes:
        assert (route["AuthorizationType"], route["AuthorizerId"]) == ("JWT", {"Ref": "HttpApiAuthorizer"})


def test_a_rest_api_lets_in_users_of_cognito(orders: Resolver) -> None:
    body = linted(HOURLY, RestApi(user_pools=(POOL,)))["RestApi"]["Properties"]["DefinitionBody"]

    [(name, scheme)] = body["components"]["securitySchemes"].items()
    assert scheme["x-amazon-apigateway-authtype"] == "cognito_user_pools"
    assert scheme["x-amazon-apigateway-authorizer"]["providerARNs"] == [{"Fn::Sub": POOL}]
    assert (scheme["in"], scheme["name"]) == ("header", "authorization")
    methods = [one for path in body["paths"].values() for one in path.values()]
    assert methods
    assert all(one["security"] == [{name: []}] for one in methods)


CLAIMS = {"sub": "ann", "org": "acme"}


@pytest.mark.parametrize(
    "event",
    [
        http("GET", "/me", authorizer={"jwt": {"claims": CLAIMS, "scopes": None}}),
        rest("GET", "/me", authorizer={"claims": CLAIMS}),
    ],
    ids=["http", "rest"],
)
def test_a_claim_of_such_a_token_is_the_tenant(event: Any) -> None:
    app = Resolver(session=SessionPolicy(request=FromRequest(user_claim="sub", tenant_claim="org")))

    @app.get("/me")
    def me(event: Event) -> list[Any]:
        return [event.session.user, event.session.tenant]

    assert json.loads(app.resolve(event, None)["body"]) == ["ann", "acme"]


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: HttpApi(issuer=ISSUER, audience=("a",), authorizer="keys"), "authorizer= and issuer= do not go"),
        (lambda: RestApi(user_pools=(POOL,), authorizer="keys"), "authorizer= and user_pools= do not go together"),
        (lambda: HttpApi(issuer=ISSUER), "issuer= and audience= belong together"),
        (lambda: HttpApi(audience=("a",)), "issuer= and audience= belong together"),
        (lambda: HttpApi(issuer="login.example.com", audience=("a",)), "a URL that begins with https://"),
        (lambda: HttpApi(issuer=ISSUER, audience=("a",), cached=60), "cached= is of answers of the application"),
        (lambda: RestApi(user_pools=("eu-west-1_Ab1",)), "user_pools= takes ARNs"),
        (lambda: RestApi(user_pools=(POOL,), identity="query:token"), "Cognito takes tokens from a header alone"),
    ],
)
def test_what_api_gateway_cannot_check_is_refused(declare: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        declare()
