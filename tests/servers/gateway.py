"""The local gateway as a person starts it: `python -m router local APP`, with AWS beside it."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from router.local.settings import REGION
from tests.servers.aws import client
from tests.servers.process import Server

_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names


class LocalGateway(Server):
    """A local run of an application.

    application: as the command takes it. variables: of the application's environment.
    options: further ones of the command.
    """

    name = "gateway"
    # An object a line; the first one that says where everything is.
    ready_line = re.compile(r'^\{"ready": .*"http": "(?P<url>http://127\.0\.0\.1:\d+)"', re.MULTILINE)

    def __init__(self, application: str, *options: str, variables: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._application = application
        self._options = options
        self._variables = dict(variables or {})

    def command(self, folder: Path) -> Sequence[str | Path]:
        """The command, on ports that are free."""
        variables = [word for name, value in self._variables.items() for word in ("--env", f"{name}={value}")]
        fixed = ("--port", "0", "--aws-port", "0", "--json", "--no-reload")
        return [sys.executable, "-m", "router", "local", self._application, *fixed, *variables, *self._options]

    def answers(self) -> bool:
        """Whether the console answers."""
        try:
            self.console("state")
        except OSError:
            return False
        return True

    def console(self, path: str) -> Any:
        """Return what the API of the console tells."""
        with _LOOPBACK.open(f"{self.url}/_console/api/{path}", timeout=30) as response:
            return json.load(response)

    def ask(self, path: str, data: Any, method: str = "POST") -> Any:
        """Ask the API of the console to do something, and return its answer."""
        request = urllib.request.Request(
            f"{self.url}/_console/api/{path}",
            json.dumps(data).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with _LOOPBACK.open(request, timeout=30) as response:
            return json.load(response)

    @property
    def urls(self) -> dict[str, str]:
        """Where everything is: http, websocket, console, aws."""
        found: dict[str, str] = next(
            json.loads(line)["ready"] for line in self.log.splitlines() if line.startswith('{"ready"')
        )
        return found

    def client(self, service: str) -> Any:
        """A boto3 client: of Lambda at the gateway, of every other service at AWS beside it."""
        url = self.url if service == "lambda" else self.urls["aws"]
        return client(service, url, region=REGION)
