"""Stop a handler whose time is up: an async one by cancelling it, a sync one by an exception out of nowhere.

In the main thread that is SIGALRM, which also ends a wait inside a system call. Another thread gets the exception from
a watcher, as soon as it runs Python again.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextvars import ContextVar
from time import monotonic

from router.errors import HandlerTimeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Timeout
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from router.event import Event
    from router.routing.route import Route

_SOON = 1e-6  # seconds: a timer of 0 would be none
_NOT_NOW = 0.001  # seconds until it is tried again to stop what must not be stopped right here
_AGAIN = 0.1  # seconds until it is stopped once more: Python drops exceptions in callbacks of the garbage collector
_PACKAGE = __name__.rpartition(".")[0]
# Code between a handler and its limit. An exception there would pass by the middleware that is still to be closed.
_MACHINERY = frozenset(
    {__name__, f"{_PACKAGE}.chain", f"{_PACKAGE}.group_chain", f"{_PACKAGE.rpartition('.')[0]}.guards.timeout"}
)


class Stopped(BaseException):
    """Raised inside a sync handler whose time is up.

    It is no Exception, as CancelledError is none: `except Exception` in a handler must not swallow it by accident.
    """

    limit: Limit


class Limit:
    """The time limit of one event, or of one call of a `batch=True` route.

    owner: the middleware that it is of. route: of the event.
    home: the task that runs the chain, or the identity of the thread where there is none.
    seconds: how long it may take from now.
    """

    __slots__ = (
        *("deadline", "due", "expired", "failure", "home"),
        *("is_enforced", "members", "owner", "route", "timeout"),
    )

    def __init__(self, owner: object, route: Route | None, home: object, seconds: float) -> None:
        self.owner = owner
        self.route = route
        self.home = home
        self.deadline = self.due = monotonic() + seconds  # due: when it stops the handler, at first or once more
        self.members = 1  # events that are inside of it
        self.expired = False  # whether it has cancelled its task
        self.failure = HandlerTimeout(f"it took longer than {seconds:.3g} s, and was stopped")
        self.is_enforced = False  # whether a timer runs that stops sync code
        self.timeout: Timeout | None = None

    def stopped_by(self, error: BaseException | None) -> bool:
        """Whether an error is how this limit stops a sync handler."""
        return isinstance(error, Stopped) and error.limit is self

    def leave(self, error: BaseException | None) -> bool:
        """Let an event out, which ended with an error or None. Return whether the limit has stopped it."""
        if self._is_empty() and self.is_enforced:
            _alarms.end(self)
        return self.stopped_by(error)

    async def leave_async(self, error: BaseException | None) -> bool:
        """Do as `leave` does, in an async chain."""
        from asyncio import CancelledError

        cancelled = isinstance(error, CancelledError)
        is_empty = self._is_empty()
        if self.timeout is not None and (is_empty or cancelled or self.stopped_by(error)):
            timeout, self.timeout = self.timeout, None
            try:
                await timeout.__aexit__(None if error is None else type(error), error, None)
            except TimeoutError:
                self.expired = True
        return self.stopped_by(error) or (cancelled and self.expired)

    def _is_empty(self) -> bool:
        self.members -= 1
        if self.members:
            return False
        _running.set(tuple(limit for limit in _running.get() if limit is not self))
        return True


_running: ContextVar[tuple[Limit, ...]] = ContextVar("running", default=())


def enter(owner: object, event: Event, seconds: float) -> Limit:
    """Return the limit of an event in a sync chain, which has begun."""
    limit, is_new = _joined(owner, event, threading.get_ident(), seconds)
    if is_new and _alarms.usable():
        limit.is_enforced = True
        _alarms.start(limit)
    return limit


async def enter_async(owner: object, event: Event, seconds: float) -> Limit:
    """Return the limit of an event in an async chain, which has begun."""
    from asyncio import current_task, timeout

    limit, is_new = _joined(owner, event, current_task(), seconds)
    if is_new:
        limit.timeout = timeout(seconds)
        await limit.timeout.__aenter__()
    return limit


def _joined(owner: object, event: Event, home: object, seconds: float) -> tuple[Limit, bool]:
    """Return the limit of an event, and whether it is new: later events of a group share that of the first."""
    route, running = event.route, _running.get()
    if route is not None and route.batch:
        for limit in running:
            if limit.owner is owner and limit.route is route and limit.home == home:
                limit.members += 1
                return limit, False
    limit = Limit(owner, route, home, seconds)
    _running.set((*running, limit))
    return limit, True


def stoppable(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a sync handler that is stopped where its middleware cannot do it.

    That is in an async chain, where it blocks the event loop and its timers, and outside of the main thread.
    """

    def limited(subject: Any) -> Any:
        here = _task(), threading.get_ident()
        waiting = [limit for limit in _running.get() if not limit.is_enforced and limit.home in here]
        if not waiting:
            return call(subject)
        first = min(waiting, key=lambda limit: limit.due)
        first.is_enforced = True
        try:
            return _enforced(first, call, subject)
        except Stopped:
            if first.timeout is not None:
                first.timeout.reschedule(None)  # else it would cancel what cleans up after the handler
            raise
        finally:
            first.is_enforced = False

    return limited


def _enforced(limit: Limit, call: Callable[[Any], Any], subject: Any) -> Any:
    if not _alarms.usable():
        return Watch(limit).run(call, subject)
    _alarms.start(limit)
    try:
        return call(subject)
    finally:
        _alarms.end(limit)


def has_expired() -> bool:
    """Whether a limit has cancelled the task that asks."""
    task = _task()
    return any(limit.timeout is not None and limit.timeout.expired() for limit in _running.get() if limit.home is task)


def _task() -> object:
    from asyncio import current_task

    try:
        return current_task()
    except RuntimeError:
        return None


# ---- the main thread ---------------------------------------------------------------------------------------------


class Alarms:
    """The limits that SIGALRM enforces. There is one timer in a process: it is set to the first of them.

    A handler of SIGALRM and a timer that were there before go on meanwhile, and are put back afterwards.
    """

    def __init__(self) -> None:
        self._limits: list[Limit] = []
        self._before: Any = None
        self._due: float | None = None  # of the timer that was there before
        self._interval = 0.0

    def usable(self) -> bool:
        """Whether this is the thread that handles signals, and SIGALRM can be put back afterwards."""
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
            return False
        return bool(self._limits) or signal.getsignal(signal.SIGALRM) is not None

    def start(self, limit: Limit) -> None:
        """Enforce a limit from now on."""
        if not self._limits:
            self._before = signal.signal(signal.SIGALRM, self._on_alarm)
            left, self._interval = signal.setitimer(signal.ITIMER_REAL, 0)
            self._due = monotonic() + left if left else None
        self._limits.append(limit)
        self._set()

    def end(self, limit: Limit) -> None:
        """Enforce a limit no more."""
        self._limits.remove(limit)
        if signal.getsignal(signal.SIGALRM) != self._on_alarm:
            return  # the handler left another one in its place: it is theirs now
        if self._limits:
            self._set()
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)
        if self._due is not None:
            signal.setitimer(signal.ITIMER_REAL, max(self._due - monotonic(), _SOON), self._interval)
            self._due = None

    def _set(self) -> None:
        due = [limit.due for limit in self._limits]
        if self._due is not None and callable(self._before):
            due.append(self._due)
        # Once more until it was heard: one that comes right before a system call does not interrupt that.
        signal.setitimer(signal.ITIMER_REAL, max(min(due) - monotonic(), _SOON) if due else 0, _AGAIN)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        if self._due is not None and callable(self._before) and self._due <= monotonic():
            self._due = monotonic() + self._interval if self._interval else None
            self._set()
            self._before(number, frame)
        now = monotonic()
        for limit in self._limits:  # the outermost one first: it ends those inside
            if limit.due > now:
                continue
            if _must_finish(frame):
                signal.setitimer(signal.ITIMER_REAL, _NOT_NOW, _AGAIN)
                return
            limit.due = now + _AGAIN
            if not _is_under_way(sys.exception(), limit):
                self._set()
                raise _stop(limit)
        self._set()


def _is_under_way(error: BaseException | None, limit: Limit) -> bool:
    """Whether a handler that was stopped is cleaning up.

    error: what is being handled where it is now; errors of the cleaning come after the stop.
    """
    while error is not None and not limit.stopped_by(error):
        error = error.__context__
    return error is not None


def _must_finish(frame: FrameType | None) -> bool:
    """Whether an exception would be lost here, or would leave middleware open."""
    if frame is not None and frame.f_globals.get("__name__") in _MACHINERY:
        return True
    while frame is not None:
        if frame.f_code.co_name == "__del__":  # Python prints an exception in one, and goes on
            return True
        frame = frame.f_back
    return False


def _stop(limit: Limit) -> Stopped:
    stop = Stopped("the handler's time is up")
    stop.limit = limit
    return stop


_alarms = Alarms()


# ---- other threads -----------------------------------------------------------------------------------------------


class Target:
    """A call that another thread may stop.

    stop: the class of what is raised in it: the interpreter makes the exception itself.
    """

    __slots__ = ("_is_stopped", "_lock", "_stop", "_thread")

    def __init__(self, stop: type[BaseException] = Stopped) -> None:
        self._stop = stop
        # Reentrant: from Python 3.14 on the exception may come between taking a lock and the block that gives it back.
        self._lock = threading.RLock()
        self._thread: int | None = None  # while it runs
        self._is_stopped = False

    def run(self, call: Callable[[Any], Any], subject: Any) -> Any:
        """Call a function in this thread, and let nothing be raised in it once that has returned."""
        try:
            try:
                self._begin()
                return call(subject)
            finally:
                self._end()
        finally:
            self._end()  # the exception may have come in the first one's way; there is no second by now
            self._let_go()

    def stop(self) -> None:
        """Raise the exception in the thread, unless it has come to the end or is cleaning up after an earlier one."""
        with self._lock:
            self._is_stopped = True
            if self._thread is not None and not self._has_arrived(self._thread):
                _raise_in(self._thread, self._stop)

    def _begin(self) -> None:
        with self._lock:
            if self._is_stopped:
                raise self._stop
            self._thread = threading.get_ident()

    def _end(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None and self._is_stopped and not self._has_arrived(thread):
                _raise_in(thread, None)  # it is under way, and has nothing to stop any more

    def _let_go(self) -> None:
        """Give the lock back as often as this thread still has it: whoever stops it would wait for ever."""
        try:
            while True:
                self._lock.release()
        except RuntimeError:  # it has it no more
            return

    def _has_arrived(self, thread: int) -> bool:
        """Whether the thread is handling the exception, or an error that came of it."""
        error: Any = sys._current_exceptions().get(thread)
        if isinstance(error, tuple):  # Python 3.11
            error = error[1]
        while error is not None and not isinstance(error, self._stop):
            error = error.__context__
        return error is not None


class Watch:
    """A limit of a thread that no signal can reach, and the thread that watches it."""

    __slots__ = ("_ended", "_limit", "_target")

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._target = Target(type("Stopped", (Stopped,), {"limit": limit}))
        self._ended = threading.Event()

    def run(self, call: Callable[[Any], Any], subject: Any) -> Any:
        """Call a function in this thread, and stop it when its time is up."""
        threading.Thread(target=self._watch, name="router-timeout", daemon=True).start()
        try:
            return self._target.run(call, subject)
        finally:
            self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(max(self._limit.due - monotonic(), 0)):
            self._limit.due = monotonic() + _AGAIN
            self._target.stop()


def _raise_in(thread: int, stop: type[BaseException] | None) -> None:
    """Raise an exception in a thread when it next runs Python; None calls it back."""
    from ctypes import c_ulong, py_object, pythonapi

    pythonapi.PyThreadState_SetAsyncExc(c_ulong(thread), None if stop is None else py_object(stop))
