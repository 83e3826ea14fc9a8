"""A TCP proxy before a server of AWS's protocols that loses one answer: what was asked is done, and nobody hears it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Lossy:
    """Forwards connections to a server while a `with` block runs.

    lose: once armed, the next answer to a request with this in its bytes is read and not passed on; the connection
        ends in its place.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._lose: bytes | None = None
        self.lost = 0
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def lose(self, request: bytes) -> None:
        """Lose the next answer to a request that holds these bytes."""
        self._lose = request

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        for one in (self._listener, *self._sockets):
            _end(one)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._server)
                self._sockets += [near, far]
                losing = threading.Event()
                for source, target, is_request in ((near, far, True), (far, near, False)):
                    thread = threading.Thread(target=self._forward, args=(source, target, losing, is_request))
                    self._threads.append(thread)
                    thread.start()

    def _forward(self, source: socket.socket, target: socket.socket, losing: threading.Event, is_request: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if is_request and self._lose is not None and self._lose in data:
                    self._lose = None
                    losing.set()
                elif not is_request and losing.is_set():
                    self.lost += 1
                    break
                target.sendall(data)
        _end(source)
        _end(target)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
