"""APIs ask the authorizer of the application before each call; it is a function of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.deployed.deployment import Deployment, exported
from tests.integration.deployed.web_socket import WebSocket
from tests.servers.artefacts import MINISTACK
from tests.servers.ministack import MiniStack
from tests.servers.requirements import require_artefact

FILES = ("tests/integration/deployed/guarded_stack.py",)
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployment]:
    require_artefact(MINISTACK)
    with MiniStack() as server:
        yield Deployment(server, "guarded", exported("tests.integration.deployed.guarded_stack:stack"), FILES)


@pytest.mark.parametrize(("output", "without"), [("HttpApiUrl", 401), ("RestApiUrl", 403)])
def test_a_request_is_asked_about(deployed: Deployment, output: str, without: int) -> None:
    # A REST API that caches nothing asks about a request without a token, too.
    def get(**headers: str) -> int:
        return deployed.request(output, "GET", "/plan", headers=headers).status

    answer = deployed.request(output, "GET", "/plan", headers={"authorization": "good"})
    assert (answer.status, answer.json()) == (200, {"plan": "large"})
    assert get(authorization="bad") == 403
    assert get() == without


def test_a_connection_is_asked_about(deployed: Deployment) -> None:
    host, stage = deployed.address("WebSocketUrl")
    with WebSocket(deployed.server, f"{stage}?token=good", host) as connection:
        connection.send(json.dumps({"action": "plan"}))
        assert json.loads(connection.receive()) == {"plan": "large"}
    for query, status in (("?token=bad", "403"), ("", "401")):
        with pytest.raises(ConnectionRefusedError, match=status):
            WebSocket(deployed.server, f"{stage}{query}", host)
