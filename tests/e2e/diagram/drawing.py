"""Pictures of the example applications, each drawn by the command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
EXAMPLES = {
    "orders": "examples.orders.stack:stack",
    "chat": "examples.chat.app:resolver",
    "guarded": "examples.guarded.app:resolver",
    "tenants": "examples.tenants.app:resolver",
}
# What the examples read when they are imported; nothing is called.
_VARIABLES = {
    "SESSION_SECRET": "0123456789abcdef" * 4,
    "OIDC_ISSUER": "http://127.0.0.1:9",
    "PAYMENTS_TABLE": "payments",
    "MONGODB_URI": "mongodb://127.0.0.1:9/shop",
    "AWS_REGION": "eu-west-1",
}


def exported(name: str, *options: str) -> str:
    """Return what `junction export diagram` writes for an example. options: further ones."""
    words = ["export", "diagram", EXAMPLES[name], *options]
    ended = subprocess.run(
        [sys.executable, "-m", "router", *words],
        cwd=ROOT,
        env={**os.environ, **_VARIABLES, "PYTHONIOENCODING": "utf-8"},
        check=True,
        capture_output=True,
    )
    return ended.stdout.decode()
