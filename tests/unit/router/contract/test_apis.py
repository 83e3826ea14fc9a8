"""What is in front of functions: the URL of a WebSocket API in a variable, and the right to send to its connections."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from router import ConfigurationError, Event, Resolver
from router.contract import FunctionUrl, HttpApi, RestApi, Schedule, Stack, WebSocketApi
from router.contract.sam import template
from router.environment import WebSocket

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
