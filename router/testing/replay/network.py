"""`no_network`: refuse what wants out of this machine, and say which call it was."""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager
from ipaddress import ip_address
from threading import Lock

from router.testing.own_code import is_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

_lock = Lock()


class NetworkRefused(Exception):
    """Raised where a handler calls something beyond this machine during a replay."""


@contextmanager
def no_network() -> Iterator[list[str]]:
    """Refuse connections beyond loopback in this process inside of the block. Yield the calls that were refused.

    A handler may catch the error that it gets, so the list counts, not the error.
    """
    refused: list[str] = []

    def refuse(where: str) -> NetworkRefused:
        told = (
            f"{where} was called by {_caller()}; nothing leaves this machine in a replay unless the network is allowed"
        )
        refused.append(told)
        return NetworkRefused(told)

    def guarded(name: str, original: Callable[..., Any], position: int) -> Callable[..., Any]:
        def call(self: socket.socket, *arguments: Any) -> Any:
            address = arguments[position] if arguments else None
            if self.family in (socket.AF_INET, socket.AF_INET6) and address is not None and not is_here(address[0]):
                raise refuse(f"{address[0]}:{address[1]}")
            return original(self, *arguments)

        call.__name__ = name
        return call

    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host is not None and not is_here(host):
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
            raise refuse(f"{name}:{port}")
        return look_up(host, port, *arguments, **options)

    methods: dict[str, tuple[Callable[..., Any], int]] = {
        "connect": (socket.socket.connect, 0),
        "connect_ex": (socket.socket.connect_ex, 0),
        "sendto": (socket.socket.sendto, -1),
    }
    with _lock:  # one at a time: the originals are put back
        own = [name for name in methods if name in vars(socket.socket)]  # else the class of C beneath has it
        for name, (original, position) in methods.items():
            setattr(socket.socket, name, guarded(name, original, position))
        socket.getaddrinfo = getaddrinfo
        try:
            yield refused
        finally:
            for name, (original, _) in methods.items():
                if name in own:
                    setattr(socket.socket, name, original)
                else:
                    delattr(socket.socket, name)
            socket.getaddrinfo = look_up


def is_here(host: Any) -> bool:
    """Whether a host is this machine."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in ("", "localhost", None) or str(host).endswith(".localhost"):
        return True
    try:
        return ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _caller() -> str:
    """Return the line of the application that calls, and the operation of AWS, where there is one."""
    frame: FrameType | None = sys._getframe(2)
    operation = ""
    while frame is not None:
        if frame.f_code.co_name == "_make_api_call" and not operation:
            model = getattr(frame.f_locals.get("self"), "meta", None)
            service = getattr(getattr(model, "service_model", None), "service_name", "AWS")
            operation = f" ({service}: {frame.f_locals.get('operation_name')})"
        if is_own(frame.f_code.co_filename):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}, {frame.f_code.co_name}{operation}"
        frame = frame.f_back
    from router.session import current_event

    event = current_event()
    route = getattr(event, "route", None)
    return f"{'a thread' if route is None else f'the route {route}'}{operation}"
