"""Judge the server by the inspector of the protocol, from its command line and over a real port."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.artefacts import INSPECTOR
from tests.servers.gateway import LocalGateway
from tests.servers.requirements import require_artefact
from tests.servers.tools import find

TIMEOUT_S = 60


@pytest.fixture(scope="module")
def gateway() -> Iterator[LocalGateway]:
    with LocalGateway("tests.integration.agents.shop:resolver", "--aws", "none") as running:
        yield running


@pytest.fixture
def inspect(gateway: LocalGateway, tmp_path: Path) -> Any:
    """Run the inspector with some options, and return what it prints."""
    require_artefact(INSPECTOR)

    def run(*options: str, status: int = 0) -> Any:
        program = INSPECTOR.folder / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
        # It keeps files of its own in the home of whoever runs it.
        variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_COLOR": "1"}
        done = subprocess.run(
            [find("node"), str(program), "--cli", f"{gateway.url}/mcp", "--transport", "http", *options],
            env=variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


def test_the_inspector_lists_tools_whose_schemas_are_portable(inspect: Any) -> None:
    tools = inspect("--method", "tools/list", "--strict")["tools"]
    assert [tool["name"] for tool in tools] == [
        *("break_down", "call_number", "find_order", "greet", "list_orders", "place_order")
    ]


def test_the_inspector_calls_a_tool(inspect: Any) -> None:
    called = inspect("--method", "tools/call", "--tool-name", "place_order", "--tool-arg", "sku=tea", "count=3")
    assert called["structuredContent"] == {"order_id": "tea-3", "total": 21}


def test_the_inspector_shows_what_is_wrong_with_a_call(inspect: Any) -> None:
    called = inspect("--method", "tools/call", "--tool-name", "find_order", "--tool-arg", "order_id=gone", status=5)
    assert called["isError"] is True
    assert called["content"][0]["text"] == "there is no order 'gone'"
