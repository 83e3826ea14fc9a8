"""A client of a WebSocket: as much of RFC 6455 as short messages of text need."""

from __future__ import annotations

import base64
import os
import socket
import struct
from typing import Self
from urllib.parse import urlsplit

_TEXT, _CLOSE = 1, 8


class WebSocket:
    """A connection; a `with` block closes it.

    url: of the server, `http://127.0.0.1:4566`.
    path: with the query.
    host: the header by which the server finds the API.
    """

    def __init__(self, url: str, path: str, host: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=10)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._file = self._socket.makefile("rb")
        status = self._file.readline().decode()
        while self._file.readline().strip():
            pass
        if " 101 " not in status:
            self._socket.close()
            raise ConnectionRefusedError(status.strip())

    def send(self, text: str) -> None:
        """Send a message."""
        self._write(_TEXT, text.encode())

    def receive(self) -> str:
        """Wait for a message.

        Raises:
            ConnectionAbortedError: the server has closed the connection.
        """
        opcode, length = self._file.read(2)
        if opcode & 15 == _CLOSE:
            raise ConnectionAbortedError
        if length == 126:
            (length,) = struct.unpack("!H", self._file.read(2))
        return self._file.read(length).decode()

    def _write(self, opcode: int, data: bytes) -> None:
        size = bytes([128 | len(data)]) if len(data) < 126 else bytes([128 | 126]) + struct.pack("!H", len(data))
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[position % 4] for position, byte in enumerate(data))
        self._socket.sendall(bytes([128 | opcode]) + size + mask + masked)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._write(_CLOSE, struct.pack("!H", 1000))
        self._file.close()
        self._socket.close()
