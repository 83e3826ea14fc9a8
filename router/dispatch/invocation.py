"""`Invocation`: one call of the function, and the middleware that stands around it: traces, metrics, usage.

    class Flush(Middleware):
        def __call__(self, event):                   # around each record or request
            yield

        def around_invocation(self, invocation):     # around the whole call
            yield
            exporter.flush(invocation.remaining())

Observers look on: what they raise is logged, and the answer stays as it is.
"""

from __future__ import annotations

from contextvars import ContextVar
from os import environ, getpid
from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Sequence
    from typing import Any

    from router.event import Event, Source

    Runner = Callable[[Any, Any], Any]
    Opened = list[Generator[Any, None, None]]

# Environments that Lambda starts before the first call comes: nobody waits for their start.
_STARTED_AHEAD = ("provisioned-concurrency", "lambda-managed-instances")

_current: ContextVar[Invocation | None] = ContextVar("invocation", default=None)
_seen_in = 0  # the process that has had an invocation; 0 for none


class Invocation:
    """One call of the function, with all its records.

    source: of the payload. raw: the payload. context: Lambda's context, or None.
    cold_start: whether it is the first call of a process that was started for it, or was restored from a snapshot.
    started: when it began, in seconds of `time.perf_counter`.
    state: free for the middleware that looks on.
    outer: the call inside which this dispatch was made, by a handler that called the resolver; None for none.
    middleware: what stands around every route of the resolver, outermost first.
    failed: the events that ended with an error, also those that no middleware saw (no route took them). An event may be
        there twice.
    answer: what the function answers; None until it does.
    error: what the function raises in place of an answer; None for nothing. Beside an answer it is what ended a stream
        before its time.
    """

    __slots__ = (
        *("answer", "cold_start", "context", "error", "failed", "middleware", "outer", "raw", "source", "started"),
        "state",
    )

    def __init__(self, source: Source, raw: Any, context: Any, middleware: Sequence[Any] = ()) -> None:
        self.source = source
        self.raw = raw
        self.context = context
        self.cold_start = _is_first()
        self.started = perf_counter()
        self.state: dict[Any, Any] = {}
        self.outer = _current.get()
        self.middleware = middleware
        self.failed: list[Event] = []
        self.answer: Any = None
        self.error: BaseException | None = None

    @property
    def request_id(self) -> str | None:
        """Return the id of the request that Lambda gave it; None outside of Lambda."""
        id = getattr(self.context, "aws_request_id", None)
        return id if isinstance(id, str) and id else None

    def remaining(self) -> float:
        """Return the seconds until Lambda stops this call; infinity where there is no limit."""
        remaining = getattr(self.context, "get_remaining_time_in_millis", None)
        return float("inf") if remaining is None else remaining() / 1000


def current_invocation() -> Invocation | None:
    """Return the call that is running; None where no middleware has `around_invocation`, or outside of a dispatch."""
    return _current.get()


def note_failed(event: Event) -> None:
    """Keep an event that ended with an error with the call that is running."""
    invocation = _current.get()
    if invocation is not None:
        invocation.failed.append(event)


def observed(observers: list[Any], middleware: list[Any], source: Source, run: Runner) -> Runner:
    """Return what dispatches the payloads of a source, with observers around it.

    observers: middleware with `around_invocation`, outermost first.
    middleware: what stands around every route.
    """

    def run_observed(raw: Any, context: Any) -> Any:
        invocation = Invocation(source, raw, context, middleware)
        token = _current.set(invocation)
        opened: Opened = []
        try:
            _open(observers, invocation, opened)
            answer = run(raw, context)
            if type(answer) is not dict and hasattr(answer, "send"):
                return _wait(answer, invocation, opened)
        except BaseException as error:
            _close(opened, invocation, None, error)
            raise
        else:
            _answered(opened, invocation, answer)
            return answer
        finally:
            _current.reset(token)

    return run_observed


async def _wait(work: Coroutine[Any, Any, Any], invocation: Invocation, opened: Opened) -> Any:
    """Return the answer of an async dispatch. It may run in another context than the call that made it."""
    token = _current.set(invocation)
    try:
        answer = await work
    except BaseException as error:
        _close(opened, invocation, None, error)
        raise
    else:
        _answered(opened, invocation, answer)
        return answer
    finally:
        _current.reset(token)


def _open(observers: list[Any], invocation: Invocation, opened: Opened) -> None:
    for observer in observers:
        try:
            generator = observer.around_invocation(invocation)
            next(generator)
        except StopIteration:
            continue  # it has nothing to do with this one
        except Exception as failure:
            _failed(observer, failure)
            continue
        opened.append(generator)


def _answered(opened: Opened, invocation: Invocation, answer: Any) -> None:
    """Resume the observers once the answer is there; of one that is streamed, once all of it has been sent."""
    body = answer.get("body") if type(answer) is dict else None
    if body is None or type(body) is str or not hasattr(body, "then"):
        _close(opened, invocation, answer)
    else:
        body.then(lambda failure: _sent(opened, invocation, answer, failure))


def _sent(opened: Opened, invocation: Invocation, answer: Any, failure: BaseException | None) -> None:
    """Resume the observers after a stream. A client that went away is no error of the call."""
    from router.streaming import ClientGone

    _close(opened, invocation, answer, None if isinstance(failure, ClientGone) else failure)


def _close(opened: Opened, invocation: Invocation, answer: Any, error: BaseException | None = None) -> None:
    """Resume the observers, innermost first. They find the answer or the error on the invocation."""
    invocation.answer, invocation.error = answer, error
    while opened:
        generator = opened.pop()
        try:
            next(generator)
            generator.close()
        except StopIteration:
            continue
        except Exception as failure:
            _failed(generator, failure)


def _failed(observer: Any, failure: Exception) -> None:
    from router.dispatch.tracebacks import log_error

    name = getattr(observer, "__qualname__", type(observer).__qualname__)
    log_error("%s failed around an invocation", failure, name)


def _is_first() -> bool:
    global _seen_in
    if _seen_in == getpid():
        return False
    _seen_in = getpid()
    return environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") not in _STARTED_AHEAD


def begin_again() -> None:
    """Take the next call for the first one: the environment was restored from a snapshot."""
    global _seen_in
    _seen_in = 0
