"""A TCP proxy before MongoDB that can hold a request back, and that can be cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

from pymongo.uri_parser import parse_uri


class Wire:
    """Forwards connections to the first server of a connection string while a `with` block runs.

    hold: a request with all of these in its bytes never arrives; `held` is set when one came.
    """

    def __init__(self, uri: str, hold: tuple[bytes, ...] = ()) -> None:
        parsed = parse_uri(uri)
        self._server = parsed["nodelist"][0]
        self._credentials = uri.partition("://")[2].rpartition("@")[0]
        self._hold = hold
        self.held = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def uri(self) -> str:
        """The connection string that leads through it."""
        credentials = f"{self._credentials}@" if self._credentials else ""
        return f"mongodb://{credentials}127.0.0.1:{self._listener.getsockname()[1]}/?directConnection=true"

    def cut(self) -> None:
        """End all connections, and take no new ones."""
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._server)
                self._sockets += [near, far]
                for ends in ((near, far, self._hold), (far, near, ())):
                    thread = threading.Thread(target=self._forward, args=ends)
                    self._threads.append(thread)
                    thread.start()

    def _forward(self, source: socket.socket, target: socket.socket, hold: tuple[bytes, ...]) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if hold and all(part in data for part in hold):
                    self.held.set()
                else:
                    target.sendall(data)
