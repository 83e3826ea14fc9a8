"""Listen to ports of this machine."""

from __future__ import annotations

import errno
import socket

from router.errors import ConfigurationError


def listen(host: str, port: int, option: str) -> socket.socket:
    """Return a socket that listens.

    host: the address. port: the port; 0 for any that is free.
    option: of the command line, for messages: `--port`.

    Raises:
        ConfigurationError: the port is taken, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends small parts at once; without it an answer in two parts takes 40 ms more.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(2048)
    except OSError as error:
        made.close()
        raise ConfigurationError(_why(error, host, port, option)) from error
    made.setblocking(False)
    return made


def _why(error: OSError, host: str, port: int, option: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} is taken by another program: {option} {port + 1} is the next one, {option} 0 any that is free"
        )
    if error.errno == errno.EACCES:
        return f"port {port} may be used by root alone: give one above 1023 with {option}"
    return f"{host}:{port} cannot be listened to: {error.strerror or error}"


def address_of(listening: socket.socket) -> tuple[str, int]:
    """Return host and port that a socket listens to."""
    host, port = listening.getsockname()[:2]
    return str(host), int(port)
