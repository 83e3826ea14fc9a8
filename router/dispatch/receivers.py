"""Receivers: who is told of errors, of which, and how often."""

from __future__ import annotations

from router.dispatch.catching import Catcher
from router.durations import seconds
from router.error_kinds import ErrorKinds, Repeats, codes_of
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypedDict, TypeVar, Unpack, overload

    from router.durations import Duration
    from router.error_kinds import Kinds
    from router.event import Event

    F = TypeVar("F", bound=Callable[..., Any])

    class Telling(TypedDict, total=False):
        """The options of `on_error`. See `Receiver`."""

        also: Kinds
        ignore: Kinds
        every: Duration
        timeout: Duration | None

    class Decorator(Protocol):
        """Registers a function and gives it back as it was."""

        def __call__(self, function: F, /) -> F: ...

    class OnError(Protocol):
        """`on_error` of resolvers and groups: with a function, or as a decorator with options."""

        @overload
        def __call__(self, function: F, /, **options: Unpack[Telling]) -> F: ...
        @overload
        def __call__(self, function: None = None, /, **options: Unpack[Telling]) -> Decorator: ...


_LONGEST = 10.0  # seconds that an async receiver may take, unless it says something else


class Receiver:
    """A function, or an `adapters.alerts.Alerts`, that is told of errors.

    function: takes the error first, then what it asks for, as with `catch`.
    also: what it is told of beside what nothing expected: classes of errors, statuses of HTTPError, codes of AppError.
        `(AppError, 404, Discard)` are refusals and signals, which are no errors of the application otherwise. An
        attribute `also` of the receiver stands for it.
    ignore: what it is never told of, in the same words.
    every: seconds, or a timedelta, in which it is told of one error of the same class and code on the same route.
    timeout: seconds, or a timedelta, after which the dispatch goes on without it; 10 for async functions, and none for
        sync ones, which run in a thread of their own when one is given.

    Raises:
        ConfigurationError: the function asks for what nothing gives, or an option makes no sense.
    """

    __slots__ = ("_also", "_catcher", "_ignore", "_repeats", "_timeout", "function", "is_async")

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        also: Kinds = (),
        ignore: Kinds = (),
        every: Duration = 0,
        timeout: Duration | None = None,
    ) -> None:
        self.function = function
        self._catcher = Catcher(function, "on_error()")
        self.is_async = self._catcher.is_async
        self._also = ErrorKinds(also or getattr(function, "also", ()), "on_error(also=...)")
        self._ignore = ErrorKinds(ignore, "on_error(ignore=...)")
        self._repeats = Repeats(every, "on_error(every=...)")
        self._timeout = None if timeout is None else seconds(timeout, "on_error(timeout=...)", least=0.001)

    def wants(self, error: BaseException, *, expected: bool) -> bool:
        """Whether it is told of an error.

        expected: the error answers a client, or is a signal; nothing is wrong with the application.
        """
        return (not expected or self._also.has(error)) and not self._ignore.has(error)

    async def __call__(self, error: BaseException, event: Event) -> None:
        """Tell it, unless it was told of the same a moment ago.

        Raises:
            TimeoutError: it took too long.
        """
        kind = (type(error).__qualname__, *sorted(codes_of(error)), str(event.route or ""))
        if self._repeats.count(*kind) is None:
            return
        if self._timeout is not None and not self.is_async:
            result = _call_within(self._left(event, self._timeout), self._catcher.begin, error, event)
        else:
            result = self._catcher.begin(error, event)
        if hasattr(result, "__await__"):
            await self._within(result, event)

    async def _within(self, result: Any, event: Event) -> None:
        from router.background import loop_runs

        if not loop_runs():  # it has nothing to wait for
            await result
            return
        from asyncio import timeout

        async with timeout(self._left(event, self._timeout or _LONGEST)):
            await result

    def _left(self, event: Event, longest: float) -> float:
        """Return the seconds that it may take: the answer of the dispatch has to get out before Lambda stops it."""
        return max(0.1, min(longest, event.remaining() - 1))


def _call_within(limit: float, call: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result of a call in a thread of its own, which is left behind when its time is over.

    limit: seconds.

    Raises:
        TimeoutError: it has not ended.
    """
    from contextvars import copy_context
    from threading import Thread

    ended: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            ended.append((context.run(call, *arguments), None))
        except BaseException as error:
            ended.append((None, error))

    context = copy_context()
    thread = Thread(target=run, name="router-on-error", daemon=True)
    thread.start()
    thread.join(limit)
    if not ended:
        raise TimeoutError(f"it has not ended after {limit:g} seconds")
    result, error = ended[0]
    if error is not None:
        raise error
    return result


def receivers_of(given: Any) -> tuple[Receiver, ...]:
    """Return the receivers of an `on_error=`: one or several functions, `Alerts` or `Receiver`.

    Raises:
        ConfigurationError: one of them is none.
    """
    several = list(given) if isinstance(given, list | tuple | set | frozenset) else [given]
    return tuple(one if isinstance(one, Receiver) else Receiver(one) for one in several)


def registered(keep: Callable[[Receiver], None], function: Any, options: dict[str, Any]) -> Any:
    """Register what `on_error` was given, and return it; with options alone a decorator that does so.

    keep: keeps the receiver.
    function: the receiver, or None as a decorator with options has it.
    options: those of `Receiver`.

    Raises:
        ConfigurationError: there is nothing to register.
    """
    if function is None and not options:
        raise ConfigurationError("on_error is written without parentheses: @resolver.on_error")
    if function is None:
        return lambda decorated: registered(keep, decorated, options)
    if isinstance(function, Receiver):
        if options:
            raise ConfigurationError("on_error(): give the options to the Receiver")
        keep(function)
    else:
        keep(Receiver(function, **options))
    return function
