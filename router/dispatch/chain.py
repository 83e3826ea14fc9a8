"""The chain of a route: middleware around the handler, composed once when the route is first used.

Middleware is a generator, so that the onion is flat: one function opens each generator, calls the handler, and resumes
them the other way round. It is written as a coroutine that waits only where something is async; `drive` runs it to its
end without a loop when nothing is.
"""

from __future__ import annotations

import inspect

from router.dispatch.plan import drive, is_async
from router.dispatch.results import refuse_unawaited
from router.errors import ConfigurationError, Forbidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from router.dispatch.plan import Plan
    from router.event import Event
    from router.routing.route import Route

    Call = Callable[[Any], Any]
    # Turns a handler's result, or an error, into what middleware sees: a Response on HTTP, else the thing itself.
    Shape = Callable[[Event, Any], Any]
    OnError = Callable[[Event, Exception], Awaitable[Any]]


class Middleware:
    """Base of middleware. Write `__call__` as a generator:

        def __call__(self, event, session):      # or async def
            response = yield                     # the rest of the chain; an exception is raised here

    `yield other` after that replaces the response; `yield answer` before the first bare `yield` answers at once.
    An error that is caught goes on all the same unless something is yielded in its place: nothing is swallowed.
    `async def __call__(self, event, call_next)` is accepted as well.
    """

    # True: instead of an HTTP error it is given the error's Response (CORS and compression want to see each answer).
    answers_errors = False

    if TYPE_CHECKING:
        __call__: Callable[..., Any]


class Layer:
    """A middleware, looked at once: which form it has."""

    __slots__ = ("answers_errors", "form", "is_generator", "open")

    def __init__(self, middleware: Any) -> None:
        function: Any = middleware if inspect.isroutine(middleware) else type(middleware).__call__
        name = getattr(middleware, "__qualname__", type(middleware).__qualname__)
        if isinstance(middleware, type):
            raise ConfigurationError(f"middleware {name} is a class; give an instance: {name}()")
        if inspect.isgeneratorfunction(function):
            self.form = "generator"
        elif inspect.isasyncgenfunction(function):
            self.form = "async generator"
        elif is_async(function) and "call_next" in inspect.signature(function).parameters:
            self.form = "onion"
        else:
            raise ConfigurationError(
                f"middleware {name} must be a generator `(event, session)` with a bare `yield`, "
                "or `async def (event, call_next)`"
            )
        self.is_generator = self.form == "generator"
        taken = len(inspect.signature(middleware).parameters)
        if taken not in (1, 2):
            raise ConfigurationError(f"middleware {name} takes (event, session), not {taken} arguments")
        self.open: Callable[..., Any] = middleware if taken == 2 else lambda event, session: middleware(event)
        self.answers_errors = bool(getattr(middleware, "answers_errors", False))

    @property
    def needs_await(self) -> bool:
        return not self.is_generator


def compose(
    route: Route, plan: Plan, layers: list[Layer], shape: Shape, on_error: OnError, waits_on_errors: bool
) -> tuple[Call, bool]:
    """The whole chain of a route as `call(event)`, and whether it gives a coroutine.

    waits_on_errors: whether on_error may have to wait, so that even a sync chain has to be a coroutine.
    """
    call, needs_await = plan.call, plan.is_async
    if route.concurrency > 1 and not needs_await:
        from router.dispatch.threads import in_threads

        call, needs_await = in_threads(call, route.concurrency), True
    if route.permission is not None:
        call, needs_await = _guarded(call, needs_await, route.permission, route.batch)
    if waits_on_errors and not needs_await:
        call, needs_await = _waiting(call), True
    # From the inside out: each run of generators is one flat step, each onion one step around what it encloses.
    run: list[Layer] = []
    for layer in reversed(layers):
        if layer.form == "onion":
            if run:
                call, needs_await = _flat(run[::-1], call, needs_await, shape, on_error, route.batch)
                run = []
            call, needs_await = _onion(layer, call, needs_await, shape, on_error, route.batch), True
        else:
            run.append(layer)
    if run:
        call, needs_await = _flat(run[::-1], call, needs_await, shape, on_error, route.batch)
    return call, needs_await


def _waiting(call: Call) -> Call:
    async def call_and_wait(subject: Any) -> Any:
        return call(subject)

    return call_and_wait


def _guarded(call: Call, needs_await: bool, permission: Callable[..., Any], batch: bool) -> tuple[Call, bool]:
    """Anything but a true answer of the permission is a 403."""
    if is_async(permission):

        async def ask_and_call(subject: Any) -> Any:
            event: Event = subject[0] if batch else subject
            if not await permission(event.session, event):
                raise Forbidden
            result = call(subject)
            return await result if needs_await else result

        return ask_and_call, True

    def guarded(subject: Any) -> Any:
        event: Event = subject[0] if batch else subject
        allowed = permission(event.session, event)
        refuse_unawaited(allowed, f"{event.route}: permission=")  # it would be true, whatever it came to
        if not allowed:
            raise Forbidden
        return call(subject)

    return guarded, needs_await


def _flat(
    layers: list[Layer], call: Call, needs_await: bool, shape: Shape, on_error: OnError, batch: bool
) -> tuple[Call, bool]:
    """Generators around a call, as one step."""
    through = _onion_of_generators(layers, call, needs_await, shape, on_error, batch)
    if needs_await or any(layer.needs_await for layer in layers):
        return through, True
    return lambda subject: drive(through(subject)), False


def _onion_of_generators(
    layers: list[Layer], call: Call, needs_await: bool, shape: Shape, on_error: OnError, batch: bool
) -> Call:
    async def through(subject: Any) -> Any:
        event: Event = subject[0] if batch else subject
        opened: list[tuple[Layer, Any]] = []
        result: Any = None
        error: Exception | None = None
        try:
            try:
                early = await _open(layers, event, opened)
                if early is None:
                    early = call(subject)
                    if needs_await:
                        early = await early
                result = shape(event, early)
            except Exception as raised:
                error = raised
            while opened:
                layer, middleware = opened.pop()
                if error is not None and layer.answers_errors and event._speaks_http:
                    result, error = await on_error(event, error), None
                try:
                    if layer.is_generator:
                        other = middleware.send(result) if error is None else middleware.throw(error)
                    else:
                        other = await (middleware.asend(result) if error is None else middleware.athrow(error))
                    await _close(layer, middleware)
                    result, error = shape(event, _given(other)), None
                except (StopIteration, StopAsyncIteration):
                    continue  # it is done; an error that it caught goes on
                except Exception as raised:
                    error = raised
        finally:
            while opened:  # left over only when this call is cancelled or the process stops
                await _close(*opened.pop())
        if error is not None:
            raise error
        return result

    return through


async def _open(layers: list[Layer], event: Event, opened: list[tuple[Layer, Any]]) -> Any:
    """Run each generator to its first yield; the first that yields something there answers in the handler's place."""
    for layer in layers:
        # The session is read for each: one before it may have put another in its place.
        middleware = layer.open(event, event.session)
        try:
            early = next(middleware) if layer.is_generator else await anext(middleware)
        except (StopIteration, StopAsyncIteration):
            continue  # it has nothing to do with this event
        if early is not None:
            await _close(layer, middleware)
            return early
        opened.append((layer, middleware))
    return None


def _given(other: Any) -> Any:
    """The response in place of another. A bare yield has none, and would swallow the error it stands for."""
    if other is None:
        raise ConfigurationError("a middleware has a second bare `yield`; yield the response that takes its place")
    return other


async def _close(layer: Layer, middleware: Any) -> None:
    if layer.is_generator:
        middleware.close()
    else:
        await middleware.aclose()


def _onion(layer: Layer, call: Call, needs_await: bool, shape: Shape, on_error: OnError, batch: bool) -> Call:
    """`async def (event, call_next)` around a call."""

    async def around(subject: Any) -> Any:
        event: Event = subject[0] if batch else subject

        async def call_next(_: Any = None) -> Any:
            try:
                result = call(subject)
                if needs_await:
                    result = await result
                return shape(event, result)
            except Exception as error:
                if layer.answers_errors and event._speaks_http:
                    return await on_error(event, error)
                raise

        return shape(event, await layer.open(event, call_next))

    return around
