"""`Call` and `Outcome`: one call of the function, whoever makes it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol
from uuid import uuid4

from router.routing.functions import MAIN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from router.local.entries import LogLine

Origin = Literal["http", "websocket", "invoke", "aws", "console", "replay"]
Became = Literal["answered", "failed", "timed out", "died", "broken", "lost answer"]


@dataclass(slots=True)
class Call:
    """One call of the function.

    event: the payload, as JSON data.
    origin: who makes it; "aws" is the emulator.
    function: the part of the application that is called.
    timeout: seconds that it may take; None for the limit of the function.
    trace: the header of X-Ray.
    client_context: what a caller of Lambda's API hands in beside the payload.
    tenant_id: of a function with tenant isolation.
    attempt: of an asynchronous call that failed before, 2 and more.
    replay_of: the entry that is sent again.
    streams: whether the caller takes the answer chunk by chunk.
    request_id: of Lambda; it is also the id by which the console finds the call.
    fault: the rule of a fault on purpose that hits it. is_doomed: the process ends in the middle of it.
    loses_answer: nobody hears its answer.
    patience: seconds that it waits at most while there is no application to take it. Its maker tries again then, so
        nobody is told of it. None where a wait in vain is its end.
    is_taken: whether a process has it, so that it may have been tried.
    """

    event: Any
    origin: Origin
    function: str = MAIN
    timeout: float | None = None
    trace: str | None = None
    client_context: Mapping[str, Any] | None = None
    tenant_id: str | None = None
    attempt: int = 1
    replay_of: str | None = None
    streams: bool = False
    request_id: str = field(default_factory=lambda: str(uuid4()))
    fault: str | None = None
    is_doomed: bool = False
    loses_answer: bool = False
    patience: float | None = None
    is_taken: bool = False


@dataclass(slots=True)
class Outcome:
    """Tell what became of a call.

    became: "answered"; "failed", the handler raised; "timed out"; "died", the process ended under way; "broken", the
        application cannot be imported; "lost answer", a fault on purpose.
    answer: what the function answered, as JSON data.
    error: in place of an answer, as Lambda has it: errorType, errorMessage, stackTrace.
    stream: the body of a streamed answer, chunk by chunk; its head is `answer`.
    ms: how long it took, in milliseconds.
    logs: the lines that it logged.
    """

    became: Became
    answer: Any = None
    error: Mapping[str, Any] | None = None
    stream: AsyncIterator[bytes] | None = None
    ms: float = 0.0
    logs: Sequence[LogLine] = ()


class Invoker(Protocol):
    """Something that calls the function: the supervisor of the application's process; in tests a function."""

    async def invoke(self, call: Call) -> Outcome:
        """Make a call. It never raises for what the application does."""
