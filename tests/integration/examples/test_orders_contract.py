"""`examples/orders/contract` holds what the routes of the example say today."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("sam", "template.yaml"),
        ("iam", "policy.json"),
        ("openapi", "openapi.json"),
        ("asyncapi", "asyncapi.json"),
        ("diagram", "diagram.mmd"),
        ("diagram", "diagram.svg"),
        ("client --name ShopClient", "shop_client.py"),
        ("tools", "tools.json"),
        ("tools --format bedrock", "tools-bedrock.json"),
        ("tools --format bedrock-openapi", "tools-bedrock-openapi.json"),
        ("tools --format agentcore", "tools-agentcore.json"),
    ],
)
def test_it_is_current(what: str, name: str) -> None:
    words = ["export", *what.split(), "examples.orders.stack:stack", "-o", f"examples/orders/contract/{name}"]
    ended = subprocess.run(  # in a process: others import the example for servers of their own
        [sys.executable, "-m", "router", *words, "--check"],
        cwd=ROOT,
        env={**os.environ, "SESSION_SECRET": "0123456789abcdef" * 4},
        check=False,
    )
    assert ended.returncode == 0, f"run: junction {' '.join(words)}"
