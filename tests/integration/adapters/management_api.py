"""The management API of a WebSocket stage, as far as connections are concerned. It knows which of them are gone.

(Moto has one, too; but to it no connection is ever gone, and it shows nobody outside its process what was sent.)
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from urllib.parse import unquote

import orjson


class ManagementApi(ThreadingTCPServer):
    """Keeps what each connection was sent, and which were closed.

    gone: connections that have ended. refusing: connections for which the answer is an error of the server.
    seconds: how long each message takes. busiest: the most messages that were on their way at a time.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.sent: dict[str, list[bytes]] = defaultdict(list)
        self.closed: list[str] = []
        self.gone: set[str] = set()
        self.refusing: set[str] = set()
        self.signers: set[str] = set()
        self.seconds = 0.0
        self.busy = self.busiest = 0

    @property
    def url(self) -> str:
        """The endpoint of the stage."""
        return f"http://127.0.0.1:{self.server_address[1]}/prod"


class _Handler(BaseHTTPRequestHandler):
    server: ManagementApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 4096  # head and body in one piece

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        api = self.server
        with api.lock:
            api.busy += 1
            api.busiest = max(api.busiest, api.busy)
        time.sleep(api.seconds)
        with api.lock:
            api.busy -= 1
        connection_id = self._connection()
        if connection_id is not None:
            api.sent[connection_id].append(body)
            self._answer(200)

    def do_DELETE(self) -> None:
        connection_id = self._connection()
        if connection_id is not None:
            self.server.closed.append(connection_id)
            self._answer(204)

    def _connection(self) -> str | None:
        """The connection that is meant; None when it has been answered that there is none."""
        api = self.server
        api.signers.add(self.headers["Authorization"].partition("Credential=")[2].partition("/")[0])
        path, _, connection_id = self.path.rpartition("/")
        connection_id = unquote(connection_id)
        if connection_id in api.refusing:
            self._answer(500, "InternalServerError")
        elif unquote(path) != "/prod/@connections" or connection_id in api.gone:
            self._answer(410, "GoneException")
        else:
            return connection_id
        return None

    def _answer(self, status: int, error: str = "") -> None:
        body = b"" if status == 204 else orjson.dumps({"message": error} if error else {})
        self.send_response(status)
        if error:
            self.send_header("x-amzn-ErrorType", error)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Not a word."""


@contextmanager
def management_api() -> Iterator[ManagementApi]:
    """One that runs while the `with` block does."""
    with ManagementApi() as server:
        thread = threading.Thread(target=server.serve_forever, name="management-api", daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
