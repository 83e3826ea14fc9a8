"""`CircuitBreaker`: stop calling a service that fails, and try it again after a while.

    payments = CircuitBreaker("payments", failures=5, open_for=30)

    with payments:
        charge(order)

All that is to know of a circuit is one moment: until when it is open; 0 while it is closed. Once the moment has passed,
whoever moves it on may try the service, and the others wait until then.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from functools import wraps
from math import ceil
from time import time

from router.dispatch.plan import generator_kind, is_async
from router.durations import seconds
from router.errors import ConfigurationError, HTTPError, RouterError, ServiceUnavailable
from router.guards.log import WARNING, log
from router.session import current_event
from router.signals import Retry
from router.snapshots import renewed
from router.sources._registry import RECORD_SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType
    from typing import Any, Protocol, TypeVar

    from router.durations import Duration

    F = TypeVar("F", bound=Callable[..., Any])
    # Asks the store something: the verb and its arguments. Sync and async code drive the same steps.
    Steps = Generator[tuple[Any, ...], Any, float]

    class Circuits(Protocol):
        """Keeps the circuits that processes share. A moment is in seconds since 1970, to the millisecond."""

        def read(self, name: str, /) -> float:
            """Return until when a circuit is open; 0 for a closed one, or one that is not known."""

        def move(self, name: str, before: float, until: float, /) -> bool:
            """Set until when a circuit is open, atomically, if it is still what it was; return whether it was."""

        async def read_async(self, name: str, /) -> float: ...

        async def move_async(self, name: str, before: float, until: float, /) -> bool: ...


_LONGEST = 43_200  # seconds: the longest time that a message of SQS can wait


class CircuitOpen(ServiceUnavailable):
    """A service is not called, since it failed so often. Over HTTP it is a 503 with `Retry-After`.

    name: of the circuit. after: the seconds until it is tried again.
    """

    after: float | None

    def __init__(self, name: str, after: float) -> None:
        # Not by way of HTTPError: the one for records is a Retry besides, which takes other arguments.
        Exception.__init__(self, f"the circuit {name} is open for another {after:.3g} s")
        self.name = name
        self.after = after
        self.detail = "a service that this needs is not available; try again later"
        self.headers = {"retry-after": str(ceil(after))}
        self.members = {}


class _RecordCircuitOpen(CircuitOpen, Retry):
    """A `CircuitOpen` for a record: it is delivered again when the circuit lets somebody through."""


class CircuitBreaker:
    """Stop calling a service that fails: a context manager, sync or async, and a decorator.

    It is made once, at the top of a module. Durations are seconds, or a timedelta.

    name: of the service, for the log, and in the store.
    failures: so many in a row open the circuit. They are counted by each process.
    open_for: how long nobody calls. Then one call at a time may try: if it succeeds the circuit closes, if it fails all
        wait as long again, and so they do while it lasts.
    counts: which exceptions are failures of the service: a class, a tuple of classes or a function of the exception. By
        default all, but errors that say themselves that trying again is no use (`retryable` of adapters), HTTP errors
        below 500 and errors in the use of this library. Any other exception counts as a success: the service answered.
    store: shares the state, such as `adapters.circuits.CircuitTable`. Without one each process has a circuit of its
        own, and Lambda runs many.
    check_every: for how long a process goes by what the store last said. While the store does not answer, each process
        counts for itself.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = 5,
        open_for: Duration = 30,
        counts: type[BaseException] | tuple[type[BaseException], ...] | Callable[[Exception], bool] | None = None,
        store: Circuits | None = None,
        check_every: Duration = 5,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"CircuitBreaker({name!r:.80}): give the name of the service")
        if type(failures) is not int or failures < 1:
            raise ConfigurationError(f"CircuitBreaker(failures={failures!r:.80}): give an integer from 1")
        verbs = ("read", "move", "read_async", "move_async")
        if store is not None and (isinstance(store, type) or not all(hasattr(store, verb) for verb in verbs)):
            raise ConfigurationError(f"CircuitBreaker(store={store!r:.80}): give an instance with {', '.join(verbs)}")
        self.name = name
        self._failures = failures
        self._open_for = seconds(open_for, "CircuitBreaker(open_for=...)", least=0.001, most=_LONGEST)
        self._check_every = seconds(check_every, "CircuitBreaker(check_every=...)")
        self._is_failure = _predicate(counts)
        self._store = store
        self._begin()
        renewed(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._failed = 0  # in a row
        self._until = 0.0
        self._checked = float("-inf")

    def _renew(self, *, forked: bool) -> None:
        self._begin()

    def __repr__(self) -> str:
        return f"CircuitBreaker({self.name!r}, {self.state})"

    @property
    def state(self) -> str:
        """Return "closed", "open" (also while one call tries the service) or "half-open", as this process knows it."""
        until = self._until
        if not until:
            return "closed"
        return "open" if self._is_open(until, time()) else "half-open"

    # ---- how it is used ------------------------------------------------------------------------------------------

    def __enter__(self) -> None:
        self._begun(self._drive(self._admit()))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._drive(self._settle(self._ended(), error))

    async def __aenter__(self) -> None:
        self._begun(await self._drive_async(self._admit()))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._drive_async(self._settle(self._ended(), error))

    def __call__(self, function: F) -> F:
        """Return a function, sync or async, that is called only while the circuit lets it."""
        kind = generator_kind(function)
        if kind is not None or not callable(function) or isinstance(function, type):
            raise ConfigurationError(f"@CircuitBreaker takes a function, not {kind or type(function).__name__}")
        if is_async(function):

            @wraps(function)
            async def call_async(*positional: Any, **named: Any) -> Any:
                async with self:
                    return await function(*positional, **named)

            return call_async  # type: ignore[return-value]

        @wraps(function)
        def call(*positional: Any, **named: Any) -> Any:
            with self:
                return function(*positional, **named)

        return call  # type: ignore[return-value]

    def _begun(self, trial: float) -> None:
        _calls.set((*_calls.get(), (self, trial)))

    def _ended(self) -> float:
        """Return the mark of the call that ends here: calls of other tasks and threads are none of ours."""
        calls = _calls.get()
        at = max(at for at, (breaker, _) in enumerate(calls) if breaker is self)
        _calls.set(calls[:at] + calls[at + 1 :])
        return calls[at][1]

    # ---- what happens --------------------------------------------------------------------------------------------

    def _admit(self) -> Steps:
        """Return 0 for a call while the circuit is closed; for one that tries the service, the moment it set.

        Raises:
            CircuitOpen: it may not call.
        """
        now = time()
        if self._store is not None and not 0 <= now - self._checked < self._check_every:
            self._checked = now
            yield from self._read()
        with self._lock:
            before = self._until
            if not before:
                return 0.0
            if self._is_open(before, now):
                raise self._refusal(before - now)
            trial = self._until = self._next(now)  # from here on it is open for the others of this process
        if self._store is not None and (yield "move", before, trial) is False:
            yield from self._read()
            if self._until:
                raise self._refusal(max(self._until - now, 0.001))
            return 0.0  # somebody else has tried already, and closed it
        log(WARNING, "the circuit %s lets one call through", self.name)
        return trial

    def _settle(self, trial: float, error: BaseException | None) -> Steps:
        """Note how a call ended."""
        failed = self._verdict(error)
        with self._lock:
            if not trial:
                self._failed = self._failed + 1 if failed else self._failed if failed is None else 0
                if self._failed < self._failures or self._until:
                    return 0.0
            before, self._failed = trial, 0
            if failed is None:
                until = _rounded(time())  # the next one may try
            else:
                until = self._next(time()) if failed else 0.0
            if self._until == before:  # else another one tried meanwhile, since this one took so long
                self._until = until
        if self._store is not None and (yield "move", before, until) is False:
            yield from self._read()  # another process was faster
        if failed:
            log(WARNING, "the circuit %s is open for %s s: %s", self.name, f"{self._open_for:g}", type(error).__name__)
        elif not until:
            log(WARNING, "the circuit %s is closed again", self.name)
        return until

    def _verdict(self, error: BaseException | None) -> bool | None:
        """Return whether the service failed; None where nobody can tell."""
        if error is None or isinstance(error, CircuitOpen):
            return None if error else False
        if isinstance(error, Exception):
            return bool(self._is_failure(error))
        from router.dispatch.stopping import Stopped, has_expired

        return True if isinstance(error, Stopped) or has_expired() else None  # a time limit: it did not answer

    def _read(self) -> Steps:
        until: float | None = yield ("read",)
        if until is not None:
            with self._lock:
                self._until = until
        return 0.0

    def _is_open(self, until: float, now: float) -> bool:
        """Whether nobody may call. A moment beyond `open_for` means that a clock was set: it is tried, and set anew."""
        return now < until <= now + self._open_for + 0.001

    def _next(self, now: float) -> float:
        return _rounded(now + self._open_for)

    def _refusal(self, after: float) -> CircuitOpen:
        event = current_event()
        waits = event is None or (event.source in RECORD_SOURCES and not event._from_client)
        return (_RecordCircuitOpen if waits else CircuitOpen)(self.name, min(after, self._open_for))

    # ---- the store -----------------------------------------------------------------------------------------------

    def _drive(self, steps: Steps) -> float:
        answer: Any = None
        try:
            while True:
                verb, *values = steps.send(answer)
                try:
                    answer = getattr(self._store, verb)(self.name, *values)
                except Exception as error:
                    self._down(error)
                    answer = None
        except StopIteration as done:
            return float(done.value)

    async def _drive_async(self, steps: Steps) -> float:
        answer: Any = None
        try:
            while True:
                verb, *values = steps.send(answer)
                try:
                    answer = await getattr(self._store, f"{verb}_async")(self.name, *values)
                except Exception as error:
                    self._down(error)
                    answer = None
        except StopIteration as done:
            return float(done.value)

    def _down(self, error: Exception) -> None:
        """Go on with what this process knows. Raises ConfigurationError for a store that is not used as it must be."""
        if isinstance(error, ConfigurationError):
            raise error
        log(WARNING, "the store of the circuit %s does not answer: %s", self.name, error)


# The calls under way here, with the moment that each has set; 0 for those of a closed circuit.
_calls: ContextVar[tuple[tuple[CircuitBreaker, float], ...]] = ContextVar("calls", default=())


def _predicate(counts: Any) -> Callable[[Exception], bool]:
    """Return what says whether an exception is a failure of the service."""
    if counts is None:
        return _is_failure
    classes = counts if isinstance(counts, tuple) else (counts,)
    if classes and all(isinstance(one, type) and issubclass(one, BaseException) for one in classes):
        return lambda error: isinstance(error, classes)
    if isinstance(counts, type | tuple) or not callable(counts):
        raise ConfigurationError(f"CircuitBreaker(counts={counts!r:.80}): give exception classes, or a function of one")
    chosen: Callable[[Exception], bool] = counts
    return chosen


def _is_failure(error: Exception) -> bool:
    retryable = getattr(error, "retryable", None)
    if isinstance(retryable, bool):
        return retryable
    if isinstance(error, HTTPError):
        return error.status >= 500
    return not isinstance(error, RouterError)


def _rounded(moment: float) -> float:
    return round(moment, 3)  # as stores keep it
