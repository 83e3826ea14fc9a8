"""Servers of HTTP in this process, on a free port of this machine."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Quiet:
    """A handler of requests that writes no line for each. It stands before BaseHTTPRequestHandler."""

    def log_message(self, *args: Any) -> None:
        pass


class LoopbackServer:
    """Runs while the `with` block runs. Requests may wait while `holding` is clear."""

    def __init__(self, answer: type[BaseHTTPRequestHandler]) -> None:
        self.holding = threading.Event()
        self.holding.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), answer)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.holding.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"
