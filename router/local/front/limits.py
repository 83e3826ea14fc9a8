"""Name the limits of each service in front of a function, and the time that it waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

_KB, _MB = 1024, 1024 * 1024
PAYLOAD = 6 * _MB
"""The most bytes of the JSON that Lambda takes from a synchronous caller, and gives back."""

STREAMED = 200 * _MB
"""The most bytes of a streamed answer (Lambda quotas)."""


STREAMED_FOR = 900.0
"""The seconds that a streamed answer may take."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Hold the limits of one service.

    body: the most bytes of the body of a request. head: of the request line and the values of all headers.
    header: of the value of one header.
    answer: the most bytes of the answer of the function, as JSON.
    wait: the seconds for which it waits for the function; None where it waits as long as the function may run.
    """

    body: int
    head: int
    header: int
    answer: int
    wait: float | None


# Quotas of REST APIs and HTTP APIs (API Gateway developer guide), of Lambda targets and HTTP headers (user guide of
# load balancers), of function URLs (Lambda developer guide).
LIMITS: Mapping[Source, Limits] = {
    Source.REST: Limits(10 * _MB, 10_240, 10_240, PAYLOAD, 29.0),
    Source.HTTP: Limits(10 * _MB, 10_240, 10_240, PAYLOAD, 30.0),
    Source.URL: Limits(6 * _MB, 64 * _KB, 64 * _KB, PAYLOAD, 900.0),
    Source.ALB: Limits(_MB, 64 * _KB, 16 * _KB, _MB, None),
}


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Hold the limits of a WebSocket API, in bytes and seconds (quotas of API Gateway).

    message: of a message, in either direction. frame: of one frame of it.
    idle: after which a connection that says nothing is closed. life: after which any is.
    wait: for the function. at_once: messages of one connection that are handled at a time.
    """

    message: int = 128 * _KB
    frame: int = 32 * _KB
    idle: float = 600.0
    life: float = 7200.0
    wait: float = 29.0
    at_once: int = 64
