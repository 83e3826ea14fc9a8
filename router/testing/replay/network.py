"""`no_network`: refuse what wants out of this machine, and say which call it was."""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from threading import RLock

from router.testing.own_code import is_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

_lock = RLock()


class NetworkRefused(Exception):
    """Raised where a handler calls something beyond this machine during a replay."""


@contextmanager
def no_network() -> Iterator[list[str]]:
    """Refuse connections beyond loopback in this process inside of the block. Yield the calls that were refused.

    A handler may catch the error that it gets, so the list counts, not the error.
    """
    refused: list[str] = []
    methods = {"connect": 0, "connect_ex": 0, "sendto": -1}  # with the place of the address among the arguments
    functions = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")
    with ExitStack() as stack:
        stack.enter_context(_lock)  # one thread at a time: the originals are put back
        for name, place in methods.items():
            stack.enter_context(
                _replaced(socket.socket, name, _connecting(getattr(socket.socket, name), place, refused))
            )
        for name in functions:
            stack.enter_context(_replaced(socket, name, _looking_up(getattr(socket, name), refused)))
        yield refused


@contextmanager
def _replaced(owner: Any, name: str, replacement: Any) -> Iterator[None]:
    """Put a function in the place of another, inside of the block."""
    is_own = name in vars(owner)  # else a class beneath has it
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original) if is_own else delattr(owner, name)


def _connecting(original: Callable[..., Any], place: int, refused: list[str]) -> Callable[..., Any]:
    """Return a method of sockets that refuses addresses of other machines. place: of the address in the arguments."""

    def call(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[place] if arguments else None
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple) and not is_here(address[0]):
            raise _refusal(f"{address[0]}:{address[1]}", refused)
        return original(self, *arguments)

    return call


def _looking_up(original: Callable[..., Any], refused: list[str]) -> Callable[..., Any]:
    """Return a function that refuses to look up the name of another machine."""

    def call(host: Any, *arguments: Any, **options: Any) -> Any:
        if host is not None and not is_here(host):
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
            raise _refusal(":".join([name, *map(str, arguments[:1])]), refused)
        return original(host, *arguments, **options)

    return call


def _refusal(where: str, refused: list[str]) -> NetworkRefused:
    told = f"{where} was called by {_caller()}; nothing leaves this machine unless the network is allowed"
    refused.append(told)
    return NetworkRefused(told)


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
    frame: FrameType | None = sys._getframe(3)
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
