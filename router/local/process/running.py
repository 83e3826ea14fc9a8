"""`Running`: one process of the application, as the gateway sees it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import ExitStack
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from router.local.calls import Outcome
from router.local.process.descendants import descendants, end_all
from router.local.process.endings import exit_error, exit_failure, timeout_error, timeout_failure
from router.local.process.futures import fail, settle
from router.local.process.lambda_environment import LIBRARY, PACKAGE
from router.local.process.streams import Chunks
from router.local.process.wire import Frames, Kind, WireError, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from router.local.calls import Call
    from router.local.entries import Entry, Failure

    Report = Callable[["Pending", str, list[Entry], Failure | None, Any], None]

_BOOT = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    f"sys.path.insert(0, {LIBRARY!r}); "
    f"from {PACKAGE}.local.process.child import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)
_SHORT = 0.05  # seconds; a call that takes less is told of once, when it has ended
_SAYS_WHERE = 0.5  # seconds that a process has to tell which line a call is at
_DEBUGGED = 5.0  # seconds until a call that a debugger holds is looked at again
_LAST_WORDS = 0.25  # seconds for what was sent before a process ended
_SIGNALS = {"pause": signal.SIGSTOP, "terminate": signal.SIGTERM, "kill": signal.SIGKILL}
_TERM, _KILL = 2.0, 1.0  # seconds until SIGTERM, and from that to SIGKILL


class CannotStart(Exception):
    """A process could not import the application. failure: why. ended: the process ended, in place of saying so."""

    def __init__(self, failure: Failure, *, ended: bool = False) -> None:
        super().__init__(failure["message"])
        self.failure = failure
        self.ended = ended


class Pending:
    """A call that is under way. limit: in seconds."""

    __slots__ = ("begins", "call", "chunks", "future", "limit", "number", "started", "timer", "wall")

    def __init__(self, call: Call, number: int, limit: float, future: asyncio.Future[Outcome]) -> None:
        self.call = call
        self.number = number
        self.limit = limit
        self.future = future
        self.started = perf_counter()
        self.wall = time()
        self.begins: asyncio.TimerHandle | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.chunks: Chunks | None = None

    @property
    def ms(self) -> float:
        """Return how long it has taken so far."""
        return (perf_counter() - self.started) * 1000


class Running(asyncio.Protocol):
    """A process of the application, from its start to its end.

    begins: is told of a call that runs for longer than a moment.
    report: is told of each call that ended: the call, what became of it, what was seen, its error and its answer.
    on_end: is called when the process has ended. on_stuck: is called when a call took too long, or a handler wants
        the process to end.
    """

    def __init__(
        self,
        *,
        begins: Callable[[Pending], None],
        report: Report,
        on_end: Callable[[Running], None],
        on_stuck: Callable[[Running, str], None],
        threads: int,
    ) -> None:
        self._begins = begins
        self._report = report
        self._on_end = on_end
        self._on_stuck = on_stuck
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._idle: asyncio.Future[None] | None = None
        self._next = 0
        self.calls: dict[int, Pending] = {}
        self.abandoned: set[int] = set()
        self.reserved = 0
        self.answered = 0
        self.since = perf_counter()
        self.described: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self.ready: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self.ended: asyncio.Future[int] = self._loop.create_future()

    # ---- its life --------------------------------------------------------------------------------------------------

    async def start(self, environment: Mapping[str, str], folder: Path) -> None:
        """Start the process. It imports the library then, and waits for what it is to run.

        environment: of the process. folder: where it runs.
        """
        ours, theirs = socket.socketpair()
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-c", _BOOT, str(theirs.fileno()), str(os.getpid())),
                pass_fds=(theirs.fileno(),),
                cwd=folder,
                env=dict(environment),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._watching = self._loop.create_task(self._watch(self._process))
        try:
            await self._loop.create_unix_connection(lambda: self, sock=ours)
        except BaseException:
            self.kill()
            raise

    def configure(self, config: Mapping[str, Any]) -> None:
        """Tell the process what it is to run."""
        self._send(frame(Kind.CONFIG, config))

    @property
    def pid(self) -> int | None:
        """Return the number of the process; None before its start."""
        return None if self._process is None else self._process.pid

    @property
    def has_room(self) -> bool:
        """Return whether one more call may be sent."""
        return len(self.calls) + len(self.abandoned) + self.reserved < self._threads and not self.lost.done()

    def go(self, variables: Mapping[str, str]) -> None:
        """Let it take calls. variables: further ones of its environment."""
        self._send(frame(Kind.GO, {"variables": dict(variables)}))

    def put_faults(self, rules: list[dict[str, Any]]) -> None:
        """Put rules in place for the calls of AWS that it makes."""
        self._send(frame(Kind.FAULTS, rules))

    async def retire(self, grace: float | None = None) -> None:
        """Let calls that are under way end, and then end the process.

        grace: the most seconds for them; by default as long as each of them may take.
        """
        self._send(frame(Kind.STOP))
        self._idle = self._loop.create_future()
        ends: list[asyncio.Future[Any]] = [self.ended, self._idle]
        try:
            if self.calls:
                await asyncio.wait(ends, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
            await self.end(0.0 if self.abandoned or self.calls else _TERM)
        finally:
            self.kill()

    async def end(self, patience: float) -> None:
        """Wait until the process has ended by itself, then ask it to end, then end it. patience: in seconds.

        What it has started ends with it: in Lambda nothing outlives the process of a function.
        """
        below = [] if self.pid is None or self.ended.done() else descendants(self.pid)
        for wait, name in ((patience, "terminate"), (_KILL, "kill"), (None, "")):
            await asyncio.wait([self.ended], timeout=wait)
            if self.ended.done():
                break
            self._signal(name)
        end_all(below)

    def kill(self) -> None:
        """End the process at once (SIGKILL), and what it has started."""
        if self.pid is not None and not self.ended.done():
            self._signal("pause")  # what it starts between the look and its end would not be seen
            below = descendants(self.pid)
            self._signal("kill")
            end_all(below)

    def _signal(self, name: str) -> None:
        if self._process is not None and self._process.returncode is None:
            try:
                self._process.send_signal(_SIGNALS[name])
            except ProcessLookupError:
                pass

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Wait for the end of the process."""
        status = await process.wait()
        if self._transport is not None:
            # What it sent before its end is still to be read. A process that it forked may hold the wire open.
            await asyncio.wait([self.lost], timeout=_LAST_WORDS)
            self._transport.abort()
        self._die(status)

    def _die(self, status: int) -> None:
        """Tell everybody of the end. A failure in one step keeps it from nobody: they would wait for ever."""
        with ExitStack() as steps:  # the last one first
            steps.callback(self._on_end, self)
            steps.callback(settle, self.ended, status)
            steps.callback(self.abandoned.clear)
            for pending in reversed(list(self.calls.values())):
                error, failure = exit_error(pending.call.request_id, status), exit_failure(status, len(self.calls) - 1)
                steps.callback(self._finish, pending, "died", error, failure)
            for future in (self.described, self.ready):
                steps.callback(fail, future, CannotStart(exit_failure(status, 0), ended=True))

    # ---- calls -----------------------------------------------------------------------------------------------------

    def call(self, call: Call, limit: float, function: Mapping[str, Any]) -> asyncio.Future[Outcome]:
        """Send a call, and return what will become of it.

        limit: seconds that it may take. function: what its context tells of the function.
        """
        self._next += 1
        number = self._next
        pending = Pending(call, number, limit, self._loop.create_future())
        try:
            data = frame(
                Kind.INVOKE,
                {
                    "id": number,
                    "request": call.request_id,
                    "event": call.event,
                    "deadline": int((time() + limit) * 1000),
                    "function": function,
                    "client": call.client_context,
                    "trace": call.trace,
                    "streams": call.streams,
                    "doomed": call.is_doomed,
                    "replay": call.origin == "replay",
                },
            )
        except WireError as error:
            told = {"errorType": "InvalidRequestContentException", "errorMessage": str(error)}
            self._finish(pending, "failed", told, None)
            return pending.future
        self.calls[number] = pending
        pending.begins = self._loop.call_later(_SHORT, self._begins, pending)
        pending.timer = self._loop.call_later(limit, self._time_up, pending)
        self._send(data)
        return pending.future

    def _finish(
        self,
        pending: Pending,
        became: Any,
        error: Mapping[str, Any] | None,
        failure: Failure | None,
        seen: list[Entry] | None = None,
        answer: Any = None,
    ) -> None:
        self.calls.pop(pending.number, None)
        if not self.calls and self._idle is not None:
            settle(self._idle, None)
        for timer in (pending.begins, pending.timer):
            if timer is not None:
                timer.cancel()
        try:
            self._report(pending, became, seen or [], failure, answer if error is None else error)
        finally:
            if pending.chunks is not None:
                pending.chunks.finish(None if became == "answered" else str((error or {}).get("errorMessage", became)))
            logs = [line for one in seen or () for line in one.get("logs", ())]
            settle(pending.future, Outcome(became, answer, error, None, pending.ms, logs))

    def _time_up(self, pending: Pending) -> None:
        """Ask where a call is that has used up its time, and then give it up."""
        if pending.number in self.calls:
            self._send(frame(Kind.WHERE, {"id": pending.number}))
            pending.timer = self._loop.call_later(_SAYS_WHERE, self._give_up, pending, [], [])

    def _give_up(self, pending: Pending, frames: list[Any], seen: list[Entry]) -> None:
        if pending.number not in self.calls:
            return
        self.abandoned.add(pending.number)
        error = timeout_error(pending.call.request_id, pending.limit)
        self._finish(pending, "timed out", error, timeout_failure(pending.limit, frames), seen)
        self._on_stuck(self, f"a call timed out after {pending.limit:g} s")

    # ---- the wire --------------------------------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        """End a process that has closed its end of the wire."""
        settle(self.lost, None)
        self._loop.call_later(_LAST_WORDS, self.kill)

    def data_received(self, data: bytes) -> None:
        """Take frames. What is none ends the process: nothing that it sends can be understood any more."""
        try:
            for kind, value in self._frames.feed(data):
                self._take(kind, value)
        except Exception as error:
            told = error if isinstance(error, WireError) else repr(error)
            sys.stderr.write(f"the application's process sent something strange and is ended: {told}\n")
            self.kill()

    def _take(self, kind: Kind, value: Any) -> None:
        if kind is Kind.ANSWER:
            self._answered(value)
        elif kind is Kind.CHUNK:
            number, chunk = value
            pending = self.calls.get(number)
            if pending is not None and pending.chunks is not None:
                pending.chunks.add(chunk)
        elif kind is Kind.BEGAN:
            self._began(value)
        elif kind is Kind.AT:
            self._at(value)
        elif kind is Kind.LEAVES:
            self._leaves(value)
        elif kind is Kind.DESCRIBED:
            settle(self.described, value)
        elif kind is Kind.READY:
            self.since = perf_counter()
            settle(self.ready, value)
        elif kind is Kind.BROKEN:
            fail(self.described, CannotStart(value))
        else:
            raise WireError(f"a frame of kind {kind.name} came")

    def _answered(self, value: Mapping[str, Any]) -> None:
        self.answered += 1
        pending = self.calls.get(value["id"])
        if pending is None:
            self.abandoned.discard(value["id"])
            return
        error = value.get("error")
        became = "answered" if error is None else "failed"
        self._finish(pending, became, error, value.get("failure"), value["seen"], value.get("answer"))

    def _began(self, value: Mapping[str, Any]) -> None:
        pending = self.calls.get(value["id"])
        if pending is None or pending.future.done():
            return
        number = pending.number

        def credit(size: int) -> None:
            self._send(frame(Kind.CREDIT, {"id": number, "size": size}))

        def gone() -> None:
            if number in self.calls:
                self._send(frame(Kind.GONE, {"id": number}))

        pending.chunks = Chunks(credit, gone)
        pending.future.set_result(Outcome("answered", value["answer"], None, pending.chunks, pending.ms))

    def _at(self, value: Mapping[str, Any]) -> None:
        pending = self.calls.get(value["id"])
        if pending is None:
            return
        if pending.timer is not None:
            pending.timer.cancel()
        if value["debugged"]:
            pending.timer = self._loop.call_later(_DEBUGGED, self._time_up, pending)
            return
        self._give_up(pending, value["frames"], value.get("seen", []))

    def _leaves(self, value: Mapping[str, Any]) -> None:
        """Take note that a handler wants the process to end: the call has died, and the others may end."""
        pending = self.calls.get(value["id"])
        if pending is None:
            return
        status = value["status"]
        self.abandoned.add(pending.number)
        self._finish(pending, "died", exit_error(pending.call.request_id, status), exit_failure(status, 0))
        self._on_stuck(self, f"a handler ended the process with status {status}")
