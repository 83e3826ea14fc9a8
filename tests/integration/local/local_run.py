"""`junction local` as a process, as somebody in a terminal starts it."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from tests.servers.artefacts import MINISTACK
from tests.servers.locations import REPOSITORY
from tests.servers.process import ChildProcess, wait_until

_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names
TIMEOUT_S = 60.0
_READY = re.compile(r'^\{"ready": (?P<urls>\{.*\})\}$', re.MULTILINE)


class LocalRun:
    """A local run, which a `with` block ends.

    application: `package.module:stack`.
    log: the file that takes what it prints.
    folder: where it is started.
    options: of the command line.
    environment: further variables of the command.
    """

    def __init__(
        self,
        application: str,
        *options: str,
        log: Path,
        folder: Path = REPOSITORY,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        command = [sys.executable, "-m", "router", "local", application, "--json", "--port", "0", "--aws-port", "0"]
        self.process = ChildProcess(
            "junction local",
            [*command, *options],
            log=log,
            env={
                **inherited,
                "PYTHONPATH": str(REPOSITORY),
                "PYTHONUNBUFFERED": "1",
                "JUNCTION_MINISTACK": str(MINISTACK.folder / "bin" / "python"),
                **(environment or {}),
            },
            cwd=folder,
        )
        self.urls: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            found = self.process.wait_for_line(
                re.compile(r'^\{"ready": (?P<urls>\{.*\})\}$', re.MULTILINE), timeout_s=TIMEOUT_S
            )
        except BaseException:
            self.process.stop()
            raise
        self.urls = json.loads(found["urls"])
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it has printed: a JSON object a line, between the lines of the application's log."""
        return [json.loads(line) for line in self.process.output.splitlines() if line.startswith('{"')]

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Sends a request and returns status and body; a body that is no bytes is sent as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.urls["http"] + path, data, sent, method=method)
        try:
            with _LOOPBACK.open(request, timeout=TIMEOUT_S) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def api(self, path: str, body: Any = None, method: str = "") -> Any:
        """Calls the console's API: GET, or POST with a body."""
        status, answer = self.request(method or ("GET" if body is None else "POST"), f"/_console/api/{path}", body)
        assert status == 200, answer
        return json.loads(answer)

    def entries(self, **filters: str) -> list[dict[str, Any]]:
        """The entries that filters choose, the oldest first."""
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        found: list[dict[str, Any]] = self.api(f"events?limit=1000&{query}")["entries"]
        return found[::-1]

    def wait(self, condition: Callable[[], Any], timeout_s: float = TIMEOUT_S) -> None:
        """Waits until something is so."""
        assert wait_until(lambda: bool(condition()), timeout_s=timeout_s), self.process.output[-4000:]

    def client(self, service: str, url: str = "aws") -> Any:
        """A client of boto3. url: `aws`, or `http` for the gateway's own API of Lambda."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.urls[url],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )
