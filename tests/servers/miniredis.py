"""miniredis: a server of Redis' protocol in memory, or the real Redis or Valkey that REDIS_URL names."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from tests.servers.artefacts import MINIREDIS
from tests.servers.process import Server, ServerError

EXTERNAL_URL = "REDIS_URL"
"""The environment variable that points the tests to a real server; then nothing is started."""


class RedisServer(Server):
    """miniredis, built from Go; its clock can be driven, which that of a real server cannot."""

    name = "miniredis"
    ready_line = re.compile(r"^(?P<url>redis://127\.0\.0\.1:\d+/0)$", re.MULTILINE)

    @property
    def is_external(self) -> bool:
        """Whether the tests talk to a server that somebody else started."""
        return bool(os.environ.get(EXTERNAL_URL))

    def command(self, folder: Path) -> Sequence[str | Path]:
        """The built program."""
        return [MINIREDIS.folder / "miniredis", "-listen", "127.0.0.1:0"]

    def start(self) -> None:
        """Starts the server, or checks that the other one answers."""
        external = os.environ.get(EXTERNAL_URL)
        if not external:
            super().start()
            return
        self._url = external
        if not self.answers():
            self._url = None
            raise ServerError(f"no Redis answers at the address in {EXTERNAL_URL}")

    def answers(self) -> bool:
        """Whether the server answers a ping."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False

    def client(self) -> Any:
        """A new client; the caller closes it."""
        return Redis.from_url(self.url, socket_timeout=5, protocol=2)

    def advance(self, seconds: float) -> None:
        """Puts the server's clock forward, or back; what expires by then is gone."""
        with self.client() as client:
            client.execute_command("CLOCK.ADVANCE", round(seconds * 1000))
