"""Both servers, for each test of the contract, and the marks of what is known to differ."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.aws import Aws
from tests.integration.adapters.places import aws_of
from tests.integration.contract.differences import DIFFERENCES
from tests.servers.aws import AwsServer

HERE = Path(__file__).parent
FIXTURES = {"moto": "moto_server", "ministack": "ministack"}


@pytest.fixture(scope="session", params=sorted(FIXTURES))
def server(request: pytest.FixtureRequest) -> AwsServer:
    """One server after the other."""
    found: AwsServer = request.getfixturevalue(FIXTURES[request.param])
    return found


@pytest.fixture
def aws(server: AwsServer) -> Iterator[Aws]:
    aws = aws_of(server)
    yield aws
    aws.close()


@pytest.fixture
def sent(aws: Aws) -> list[str]:
    """The names of the requests to DynamoDB, as they are sent."""
    names: list[str] = []
    aws.client("dynamodb").meta.events.register(
        "before-send.dynamodb", lambda event_name, **_: names.append(event_name.rpartition(".")[2])
    )
    return names


@pytest.fixture
def new_name() -> Callable[..., str]:
    """Names that no other test uses: servers are shared by the tests of a run."""

    def new(ending: str = "") -> str:
        return f"contract-{uuid.uuid4().hex[:12]}{ending}"

    return new


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect the failures that `differences.py` explains."""
    for item in items:
        if not isinstance(item, pytest.Function) or HERE not in item.path.parents or not hasattr(item, "callspec"):
            continue
        known = DIFFERENCES.get(str(item.callspec.params.get("server")), {})
        if item.originalname in known:
            item.add_marker(pytest.mark.xfail(reason=known[item.originalname], strict=True))
