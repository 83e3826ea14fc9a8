"""The management API of a WebSocket stage: takes messages to connections, and tells which connections are gone."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any


class ConnectionsApi(ThreadingTCPServer):
    """Keeps what each connection was sent; posts to those in `gone` are answered with 410, as API Gateway does.

    (Moto takes posts too, but shows them to nobody outside its process, and no connection of it is ever gone.)
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.sent: dict[str, list[Any]] = defaultdict(list)
        self.gone: set[str] = set()

    @property
    def url(self) -> str:
        """The endpoint of the stage."""
        return f"http://127.0.0.1:{self.server_address[1]}/prod"


class _Post(BaseHTTPRequestHandler):
    server: ConnectionsApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 4096  # head and body in one piece

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path, _, connection_id = self.path.rpartition("/")
        if path != "/prod/@connections" or connection_id in self.server.gone:
            self._answer(410, {"x-amzn-ErrorType": "GoneException"})
            return
        self.server.sent[connection_id].append(json.loads(body))
        self._answer(200, {})

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Not a word."""


@contextmanager
def connections_api() -> Iterator[ConnectionsApi]:
    """One that runs while the `with` block does."""
    with ConnectionsApi() as server:
        thread = threading.Thread(target=server.serve_forever, name="connections-api", daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
