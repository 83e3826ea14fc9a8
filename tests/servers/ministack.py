"""MiniStack: SQS, SNS, DynamoDB, S3, EventBridge, Lambda and more of AWS; what happens by itself does so here, too."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from router.local.aws import serve_ministack
from tests.servers.artefacts import MINISTACK
from tests.servers.aws import ACCESS_KEY_ID, SECRET_ACCESS_KEY, AwsServer

_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names


class MiniStack(AwsServer):
    """MiniStack in a process and a virtual environment of its own; what it consists of must have been fetched.

    It moves messages, runs functions in processes, and expires items. Moto answers calls alone.

    authorizes: whether IAM policies decide who may do what; the credentials of the tests may do everything.
    """

    name = "ministack"
    ready_line = re.compile(r"^(?P<url>http://127\.0\.0\.1:\d+)$", re.MULTILINE)

    def __init__(self, *, authorizes: bool = False) -> None:
        super().__init__()
        self._authorizes = authorizes

    def command(self, folder: Path) -> Sequence[str | Path]:
        """The interpreter of its environment with the launcher."""
        root = ["--root", ACCESS_KEY_ID, SECRET_ACCESS_KEY] if self._authorizes else []
        return [MINISTACK.folder / "bin" / "python", "-I", serve_ministack.__file__, *root]

    def answers(self) -> bool:
        """Whether its own health check answers."""
        try:
            self._call("health", "GET")
        except OSError:
            return False
        return True

    def reset(self) -> None:
        """Forget every queue, topic, table and whatever else was made."""
        self._call("reset", "POST")

    def _call(self, path: str, method: str) -> None:
        request = urllib.request.Request(f"{self.url}/_ministack/{path}", method=method)
        with _LOOPBACK.open(request, timeout=30) as response:
            response.read()
