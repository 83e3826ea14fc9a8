"""The chain of a route: middleware around its handler, composed once, when the route is first used.

Middleware is a generator, so the chain is flat: open each generator, call the handler, resume them in reverse order.
The two walks stand here twice, with and without `await`: a sync chain must not pay for a coroutine.
"""

from __future__ import annotations

import inspect
from functools import partial

from router.dispatch.permission import guarded
from router.dispatch.plan import drive
from router.errors import ConfigurationError
from router.response import to_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
    from typing import Any

    from router.dispatch.plan import Plan
    from router.event import Event
    from router.response import Response
    from router.routing.route import Route

    Call = Callable[[Any], Any]
    OnError = Callable[[Event, Exception], Coroutine[Any, Any, Response]]
    Opened = list[tuple["Layer", Any]]
    # What middleware is annotated to return. `response = yield` is a Response then, as it is on HTTP.
    Around = Generator[Any, Response, None]
    AsyncAround = AsyncGenerator[Any, Response]
else:
    from collections.abc import AsyncGenerator, Generator

    Around = Generator[object, "Response", None]
    AsyncAround = AsyncGenerator[object, "Response"]

_PASSED: Any = object()  # no middleware has answered in the handler's place
NOTHING: Any = object()  # what a middleware yields to answer with None in the handler's place


class Middleware:
    """Base of middleware. Write `__call__` as a generator that takes the event:

        def __call__(self, event):               # or async def
            response = yield                     # the rest of the chain; an exception is raised here

    `yield other` after that replaces the response; `yield answer` before the first bare `yield` answers at once.
    An error that is caught goes on all the same unless something is yielded in its place: nothing is swallowed.

    A class may offer both kinds: a sync `__call__`, and `async def call_async(self, event)` for chains that are async.
    With `around_invocation(self, invocation)`, a generator, it looks on while a whole call of the function runs: see
    `router.dispatch.invocation`.
    """

    # True: instead of an HTTP error it is given the error's Response (CORS and compression want to see each answer).
    answers_errors = False
    # True: `auth=` stands further inside, since each answer wants it, also that to somebody unknown (CORS, timing).
    outside_auth = False
    # True: it lets nobody in whom its credentials do not (Authenticate).
    authenticates = False
    # True: it has to stand inside of what authenticates, since it answers by whose the session is.
    inside_auth = False
    # True: its chain is async, even around a sync handler, since it can do nothing without waiting.
    needs_await = False
    # True: a call that comes inside of a request has passed it, where the very same object stands around the request.
    once = False
    # True: it stops handlers whose time is up, also sync ones in an async chain.
    stops_handlers = False

    if TYPE_CHECKING:

        def __call__(self, event: Event, /) -> Around | AsyncAround: ...


class Layer:
    """A middleware with the entry point that its chain uses.

    open: a function of the event that returns the generator. is_async: whether that is an async generator.
    """

    __slots__ = ("answers_errors", "is_async", "open")

    def __init__(self, open: Call, is_async: bool, answers_errors: bool) -> None:
        self.open = open
        self.is_async = is_async
        self.answers_errors = answers_errors


class Form:
    """A middleware, looked at once: which entry points it has.

    Raises:
        ConfigurationError: it is no generator, or takes something else than the event.
    """

    __slots__ = ("_answers_errors", "_open", "_open_async", "stops_handlers")

    def __init__(self, middleware: Any) -> None:
        name = getattr(middleware, "__qualname__", type(middleware).__qualname__)
        if isinstance(middleware, type):
            raise ConfigurationError(f"middleware {name} is a class; give an instance: {name}()")
        if hasattr(middleware, "identify") or hasattr(middleware, "authenticate"):
            raise ConfigurationError(f"{name} is no middleware: give it to auth=, or to use(Authenticate(...))")
        # From Python 3.14 on a partial is a routine, too. None is taken anywhere: it hides what the function asks for.
        is_routine = inspect.isroutine(middleware) and not isinstance(middleware, partial)
        function: Any = inspect.unwrap(middleware) if is_routine else type(middleware).__call__
        other = getattr(middleware, "call_async", None)
        self._open: Call | None = middleware if inspect.isgeneratorfunction(function) else None
        self._open_async: Call | None = middleware if inspect.isasyncgenfunction(function) else other
        if self._open is None and not inspect.isasyncgenfunction(function):
            raise ConfigurationError(f"middleware {name} must be a generator `(event)` with a bare `yield`")
        if other is not None and not inspect.isasyncgenfunction(other):
            raise ConfigurationError(f"middleware {name}: call_async must be an async generator `(event)`")
        for entry in (middleware, other):
            taken = 1 if entry is None else len(inspect.signature(entry).parameters)
            if taken != 1:
                raise ConfigurationError(f"middleware {name} takes (event), not {taken} arguments")
        if getattr(middleware, "needs_await", False):
            if self._open_async is None:
                raise ConfigurationError(f"middleware {name} needs_await, and has no async entry point; add call_async")
            self._open = None
        observe = getattr(middleware, "around_invocation", None)
        if observe is not None and not inspect.isgeneratorfunction(observe):
            raise ConfigurationError(f"middleware {name}: around_invocation must be a generator `(invocation)`")
        self._answers_errors = bool(getattr(middleware, "answers_errors", False))
        self.stops_handlers = bool(getattr(middleware, "stops_handlers", False))

    @property
    def needs_await(self) -> bool:
        """Whether it has no sync entry point, so that its chain has to be async."""
        return self._open is None

    def layer(self, asynchronous: bool) -> Layer:
        """Return the entry point for a chain of one kind; in an async one a sync generator will do as well."""
        if self._open_async is not None and (asynchronous or self._open is None):
            return Layer(self._open_async, True, self._answers_errors)
        assert self._open is not None  # noqa: S101 - __init__ has seen to it
        return Layer(self._open, False, self._answers_errors)


def refuse_outside_auth(route: Route, around: tuple[Any, ...]) -> None:
    """Refuse middleware that stands outside of what authenticates, and would answer whom nobody has let in.

    around: the middleware of a route, outermost first.

    Raises:
        ConfigurationError: one of them has to stand further inside.
    """
    inner = max((at for at, one in enumerate(around) if getattr(one, "authenticates", False)), default=0)
    for one in around[:inner]:
        if getattr(one, "inside_auth", False):
            names = type(one).__name__, type(around[inner]).__name__
            raise ConfigurationError(f"{route}: {names[0]} stands outside of {names[1]}; give it to use() after that")


def compose(route: Route, plan: Plan, forms: list[Form], on_error: OnError, waits_on_errors: bool) -> tuple[Call, bool]:
    """Return the whole chain of a route as `call(event)`, and whether that gives a coroutine.

    route, plan: the route and the plan of its handler.
    forms: the middleware, outermost first.
    on_error: makes the Response of an error, for middleware that `answers_errors`.
    waits_on_errors: whether on_error may have to wait, so that even a sync chain has to be a coroutine.
    """
    call, asynchronous = handler_of(route, plan, forms)
    if route.permission is not None:
        call, asynchronous = guarded(call, asynchronous, route, plan)
    if not asynchronous and (waits_on_errors or any(form.needs_await for form in forms)):
        call, asynchronous = _as_coroutine(call), True
    if not forms:
        return call, asynchronous
    layers = [form.layer(asynchronous) for form in forms]
    around = _around_async if asynchronous else _around
    return around(layers, call, on_error), asynchronous


def handler_of(route: Route, plan: Plan, forms: list[Form]) -> tuple[Call, bool]:
    """Return how the handler of a route is called, and whether that gives a coroutine."""
    if plan.is_async:
        return plan.call, True
    if route.concurrency > 1:
        from router.dispatch.threads import in_threads

        return in_threads(plan.call, route.concurrency), True
    if any(form.stops_handlers for form in forms):
        from router.dispatch.stopping import stoppable

        return stoppable(plan.call), False
    return plan.call, False


def _as_coroutine(call: Call) -> Call:
    async def call_at_once(event: Event) -> Any:
        return call(event)

    return call_at_once


def _replacement(event: Event, other: Any) -> Any:
    """Return what a middleware yielded in place of a result. A bare yield has nothing, and would swallow an error."""
    if other is None:
        raise ConfigurationError("a middleware has a second bare `yield`; yield the response that takes its place")
    return to_response(other) if event._speaks_http or event.route.request is not None else other


# ---- without await -------------------------------------------------------------------------------------------------


def _around(layers: list[Layer], call: Call, on_error: OnError) -> Call:
    """Return sync middleware around a sync call."""

    def through(event: Event) -> Any:
        opened: Opened = []
        try:
            early = _open(layers, event, opened)
            result = call(event) if early is _PASSED else early
            if event._speaks_http or event.route.request is not None:
                result = to_response(result)
        except BaseException as error:
            return _throw(opened, event, error, on_error)
        return _resume(opened, event, result, on_error)

    return through


def _open(layers: list[Layer], event: Event, opened: Opened) -> Any:
    """Run each generator to its first yield. The first that yields something there answers in the handler's place."""
    for layer in layers:
        generator = layer.open(event)
        try:
            early = next(generator)
        except StopIteration as ended:  # without a yield it has nothing to do with this event
            _refuse_returned(layer, ended)
            continue
        if early is None:
            opened.append((layer, generator))
            continue
        generator.close()
        return None if early is NOTHING else early
    return _PASSED


def _refuse_returned(layer: Layer, ended: StopIteration) -> None:
    """Refuse an answer that a middleware returned: it would be lost, and the handler called as if it were let in.

    Raises:
        ConfigurationError: the generator returned something else than None.
    """
    if ended.value is not None:
        name = getattr(layer.open, "__qualname__", type(layer.open).__qualname__)
        raise ConfigurationError(f"middleware {name} returned an answer; write `yield answer`, or raise an HTTP error")


def _resume(opened: Opened, event: Event, result: Any, on_error: OnError) -> Any:
    """Hand the result to the generators, innermost first, and return what they make of it."""
    while opened:
        generator = opened.pop()[1]
        try:
            other = generator.send(result)
            generator.close()
            result = _replacement(event, other)
        except StopIteration:
            continue
        except BaseException as error:
            return _throw(opened, event, error, on_error)
    return result


def _throw(opened: Opened, event: Event, error: BaseException, on_error: OnError) -> Any:
    """Raise an error inside the generators, innermost first. Return what one of them yields in its place."""
    while opened:
        layer, generator = opened.pop()
        if layer.answers_errors and event._speaks_http and isinstance(error, Exception):
            opened.append((layer, generator))
            return _resume(opened, event, drive(on_error(event, error)), on_error)
        try:
            other = generator.throw(error)
            generator.close()
            if isinstance(error, Exception):  # nothing takes the place of what stops the call, or the process
                return _resume(opened, event, _replacement(event, other), on_error)
        except StopIteration:
            continue  # an error that was caught goes on
        except BaseException as raised:
            error = raised
    raise error


# ---- the same with await -------------------------------------------------------------------------------------------


def _around_async(layers: list[Layer], call: Call, on_error: OnError) -> Call:
    """Return middleware of both kinds around an async call."""

    async def through(event: Event) -> Any:
        opened: Opened = []
        try:
            early = await _open_async(layers, event, opened)
            result = await call(event) if early is _PASSED else early
            if event._speaks_http or event.route.request is not None:
                result = to_response(result)
        except BaseException as error:
            return await _throw_async(opened, event, error, on_error)
        return await _resume_async(opened, event, result, on_error)

    return through


async def _open_async(layers: list[Layer], event: Event, opened: Opened) -> Any:
    for layer in layers:
        generator = layer.open(event)
        try:
            early = await anext(generator) if layer.is_async else next(generator)
        except StopIteration as ended:
            _refuse_returned(layer, ended)
            continue
        except StopAsyncIteration:  # an async generator cannot return a value
            continue
        if early is None:
            opened.append((layer, generator))
            continue
        await _close(layer, generator)
        return None if early is NOTHING else early
    return _PASSED


async def _resume_async(opened: Opened, event: Event, result: Any, on_error: OnError) -> Any:
    while opened:
        layer, generator = opened.pop()
        try:
            other = await generator.asend(result) if layer.is_async else generator.send(result)
            await _close(layer, generator)
            result = _replacement(event, other)
        except (StopIteration, StopAsyncIteration):
            continue
        except BaseException as error:
            return await _throw_async(opened, event, error, on_error)
    return result


async def _throw_async(opened: Opened, event: Event, error: BaseException, on_error: OnError) -> Any:
    while opened:
        layer, generator = opened.pop()
        if layer.answers_errors and event._speaks_http and isinstance(error, Exception):
            opened.append((layer, generator))
            return await _resume_async(opened, event, await on_error(event, error), on_error)
        try:
            other = await generator.athrow(error) if layer.is_async else generator.throw(error)
            await _close(layer, generator)
            if isinstance(error, Exception) or _is_of_the_handler(error):
                return await _resume_async(opened, event, _replacement(event, other), on_error)
        except (StopIteration, StopAsyncIteration):
            continue
        except BaseException as raised:
            error = raised
    raise error


def _is_of_the_handler(error: BaseException) -> bool:
    """Whether something inside was cancelled, and not the dispatch itself."""
    import asyncio

    if not isinstance(error, asyncio.CancelledError):
        return False
    task = asyncio.current_task()
    return task is not None and not task.cancelling()


async def _close(layer: Layer, generator: Any) -> None:
    if layer.is_async:
        await generator.aclose()
    else:
        generator.close()
