"""The local gateway as a person starts it: `python -m router local APP`, with AWS beside it."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from router.local.settings import REGION
from tests.servers.artefacts import MINISTACK
from tests.servers.aws import client
from tests.servers.locations import REPOSITORY
from tests.servers.process import Server, wait_until

TIMEOUT_S = 60.0
_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names


class LocalGateway(Server):
    """A local run of an application.

    application: as the command takes it. options: further ones of the command.
    variables: of the application's environment. folder: where it is started.
    reloads: whether it watches the files.
    """

    name = "gateway"
    # An object a line; the first one that says where everything is.
    ready_line = re.compile(r'^\{"ready": .*"http": "(?P<url>http://127\.0\.0\.1:\d+)"', re.MULTILINE)

    def __init__(
        self,
        application: str,
        *options: str,
        variables: Mapping[str, str] | None = None,
        folder: Path = REPOSITORY,
        reloads: bool = False,
    ) -> None:
        super().__init__()
        self._application = application
        self._options = options if reloads else ("--no-reload", *options)
        self._variables = dict(variables or {})
        self.folder = folder

    def command(self, folder: Path) -> Sequence[str | Path]:
        """The command, on ports that are free."""
        variables = [word for name, value in self._variables.items() for word in ("--env", f"{name}={value}")]
        fixed = ("--port", "0", "--aws-port", "0", "--json")
        return [sys.executable, "-m", "router", "local", self._application, *fixed, *variables, *self._options]

    def variables(self) -> Mapping[str, str]:
        """The environment of the tests, with MiniStack as the tests have it, and no account of AWS."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        ministack = str(MINISTACK.folder / "bin" / "python")
        return {**inherited, "PYTHONPATH": str(REPOSITORY), "JUNCTION_MINISTACK": ministack}

    def answers(self) -> bool:
        """Whether the console answers."""
        try:
            self.console("state")
        except OSError:
            return False
        return True

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a request and return status and body; a body that is not bytes is sent as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data, sent, method=method)
        try:
            with _LOOPBACK.open(request, timeout=TIMEOUT_S) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

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

    def signal(self, number: int) -> None:
        """Send a signal to the command itself, and to none of its children."""
        assert self.pid is not None
        os.kill(self.pid, number)

    @property
    def urls(self) -> dict[str, str]:
        """Where everything is: http, websocket, console, aws."""
        found: dict[str, str] = next(
            json.loads(line)["ready"] for line in self.log.splitlines() if line.startswith('{"ready"')
        )
        return found

    def client(self, service: str) -> Any:
        """A boto3 client: of Lambda and ECS at the gateway, of every other service at AWS beside it."""
        urls = self.urls
        url = urls["http" if service == "lambda" else "ecs" if service == "ecs" else "aws"]
        return client(service, url, region=REGION)

    def entries(self, **filters: str) -> list[dict[str, Any]]:
        """Return the entries of the console that filters choose, the oldest first."""
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        found: list[dict[str, Any]] = self.console(f"events?limit=1000&{query}")["entries"]
        return found[::-1]

    def wait_for(self, condition: Callable[[], Any], timeout_s: float = TIMEOUT_S) -> None:
        """Wait until something is so, and fail with what was printed where it is not."""
        assert wait_until(lambda: bool(condition()), timeout_s=timeout_s), self.log[-4000:]
