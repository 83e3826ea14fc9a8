"""Requests to three functions behind one API are answered as the whole application answers them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from router.testing import TestClient
from tests.integration.deployed.deployment import Deployment, exported
from tests.integration.deployed.paths_stack import resolver
from tests.servers.artefacts import MINISTACK
from tests.servers.ministack import MiniStack
from tests.servers.requirements import require_artefact

REQUESTS = [
    ("GET", "/", "main"),
    ("GET", "/things/new", "main"),
    ("POST", "/things", "main"),
    ("GET", "/files/a", "main"),
    ("GET", "/files/a/b/c", "main"),
    ("GET", "/files/old", "main"),
    ("GET", "/files/old/2026/a", "main"),
    ("GET", "/acme/report", "main"),
    ("GET", "/things/report", "items"),
    ("GET", "/things/tea", "items"),
    ("DELETE", "/things/tea", "items"),
    ("DELETE", "/things/new", "items"),
    ("GET", "/acme/orders/7", "items"),
    ("GET", "/things/orders/7", "items"),
    ("PUT", "/things/tea", "archive"),
    ("PUT", "/things/new", "archive"),
    ("GET", "/files/old/2026", "archive"),
    ("HEAD", "/things/tea", "items"),
    ("HEAD", "/things/new", "main"),
]
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployment]:
    require_artefact(MINISTACK)
    with MiniStack() as server:
        template = exported("tests.integration.deployed.paths_stack:stack")
        yield Deployment(server, "paths", template, ("tests/integration/deployed/paths_stack.py",))


@pytest.mark.parametrize("output", ["HttpApiUrl", "RestApiUrl"])
@pytest.mark.parametrize(("method", "path", "function"), REQUESTS)
def test_a_request_finds_its_function(deployed: Deployment, output: str, method: str, path: str, function: str) -> None:
    whole = TestClient(resolver).request(method, path)
    split = deployed.request(output, method, path)
    assert (split.status, split.body) == (whole.status, whole.body)
    assert split.headers["x-function"] == function


@pytest.mark.parametrize("output", ["HttpApiUrl", "RestApiUrl"])
@pytest.mark.parametrize("path", ["/nothing", "/acme/nothing/at/all", "/things/tea/nothing"])
def test_what_no_function_takes_is_not_found(deployed: Deployment, output: str, path: str) -> None:
    assert deployed.request(output, "GET", path).status == 404
