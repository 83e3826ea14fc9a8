"""The orders example as it is deployed: its environment, its resources on moto, its function as a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.aws import Aws, Settings
from examples.orders.demo.resources import VARIABLES, create_resources
from tests.e2e.connections_api import ConnectionsApi, connections_api
from tests.e2e.shop import ACCOUNT, SECRET, Shop
from tests.servers.lambda_process import LambdaProcess
from tests.servers.moto import MotoServer


@pytest.fixture(scope="session")
def sockets_server() -> Iterator[ConnectionsApi]:
    with connections_api() as running:
        yield running


@pytest.fixture
def sockets(sockets_server: ConnectionsApi) -> ConnectionsApi:
    """The WebSocket stage, without anything that an earlier test sent."""
    sockets_server.sent.clear()
    sockets_server.gone.clear()
    return sockets_server


@pytest.fixture(scope="session")
def environment(moto_server: MotoServer, sockets_server: ConnectionsApi) -> dict[str, str]:
    """What the template gives the function and the task."""
    return {
        **moto_server.environment(),
        **VARIABLES,
        "AWS_ACCOUNT_ID": ACCOUNT,
        "SESSION_SECRET": SECRET,
        "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": sockets_server.url,
    }


@pytest.fixture(scope="session")
def owner(environment: dict[str, str]) -> Aws:
    """Who creates the resources."""
    return Aws(Settings.from_env(environment))


@pytest.fixture
def shop(moto: MotoServer, owner: Aws, environment: dict[str, str]) -> Shop:
    """The resources, new for each test."""
    return Shop(moto, create_resources(owner), environment)


@pytest.fixture(scope="session")
def function(environment: dict[str, str]) -> Iterator[LambdaProcess]:
    """One warm process of the function for all tests."""
    with LambdaProcess("examples.orders.app.handler", env=environment) as running:
        yield running
