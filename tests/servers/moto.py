"""Moto: SNS, SQS, ECS, Lambda, SSM, Secrets Manager, EventBridge, S3, STS and more of AWS, in memory.

`python -m tests.servers.moto` runs the server itself in the foreground.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.servers.aws import AwsServer

_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names


class MotoServer(AwsServer):
    """Moto in a process of its own, so that its work does not show in what a test measures.

    Lambda functions and Batch jobs need no Docker here: an invocation answers with its own payload, or with what
    `answer_lambda` was given.
    """

    name = "moto"
    ready_line = re.compile(r"^(?P<url>http://127\.0\.0\.1:\d+)$", re.MULTILINE)

    def command(self, folder: Path) -> Sequence[str | Path]:
        """This module, run by the interpreter of the tests."""
        return [sys.executable, "-m", "tests.servers.moto"]

    def answers(self) -> bool:
        """Whether moto's own API answers."""
        try:
            self._call("data.json")
        except OSError:
            return False
        return True

    def reset(self) -> None:
        """Forgets every queue, topic, table and whatever else was made."""
        self._call("reset", {})

    def answer_lambda(self, *results: str) -> None:
        """Sets what the next invocations of Lambda functions answer, one after the other."""
        region = self.client("lambda").meta.region_name
        self._call("static/lambda-simple/response", {"results": list(results), "region": region})

    def _call(self, path: str, body: Mapping[str, Any] | None = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/moto-api/{path}", data=data)
        with _LOOPBACK.open(request, timeout=10) as response:
            response.read()


def _serve() -> None:
    from moto.core.config import default_user_config
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # errors, not every request
    default_user_config["lambda"] = {"use_docker": False}
    default_user_config["batch"] = {"use_docker": False}
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # Parts of moto, such as Step Functions, call the server themselves.
    os.environ["MOTO_PORT"] = str(port)
    print(f"http://{host}:{port}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    # Blocked before any thread is made: all threads inherit it, and `sigwait` alone sees the signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    _serve()
