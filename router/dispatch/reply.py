"""One event, one answer: HTTP, WebSocket, direct invoke, authorizers and the rest that wait for what comes back."""

from __future__ import annotations

from router.dispatch.plan import drive
from router.encode import dumps
from router.errors import Discard, MethodNotAllowed, NoRoute, NotFound
from router.session import _current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from router.dispatch.engine import Engine, Entry
    from router.event import Event, Source
    from router.response import Response


def reply_runner(engine: Engine, module: ModuleType, source: Source) -> Callable[[Any, Any], Any]:
    """What answers the events of one source."""
    if hasattr(module, "answer_response"):
        return _http_runner(Requests(engine, module, source))
    return _direct_runner(Calls(engine, module, source))


class Requests:
    """HTTP: by method and path; every error is answered."""

    __slots__ = ("answer_json", "answer_response", "eager", "engine", "make", "source", "to_response")

    def __init__(self, engine: Engine, module: ModuleType, source: Source) -> None:
        self.engine = engine
        self.source = source
        self.make: Callable[..., Event] = module.EVENTS[source]
        self.answer_json: Callable[[Event, str], Any] = module.JSON_ANSWERS[source]
        self.answer_response: Callable[[Event, Response], Any] = module.answer_response
        self.eager = engine.policy.eager
        self.to_response: Callable[[Any], Response] | None = None  # loaded when a result is no dict

    def answer(self, event: Event, result: Any) -> Any:
        """What the source expects, of anything a handler may return."""
        if type(result) is dict:
            return self.answer_json(event, dumps(result).decode())
        if self.to_response is None:
            from router.dispatch.results import to_response

            self.to_response = to_response
        return self.answer_response(event, self.to_response(result))

    async def wait(self, event: Event, entry: Entry) -> Any:
        """The answer of an async route."""
        from router.dispatch.loop import finished

        token = _current.set(event)
        try:
            if self.eager:
                _ = event.session
            result = await finished(entry.call(event), (event,))
            return self.answer(event, result)
        except Exception as error:
            return await self.answer_error(event, error)
        finally:
            _current.reset(token)

    async def answer_error(self, event: Event, error: Exception) -> Any:
        """The answer to an error."""
        from router.dispatch.errors import on_error

        token = _current.set(event)
        try:
            return self.answer_response(event, await on_error(self.engine, event, error))
        except Exception as raised:  # the error's own headers, members or detail cannot be sent
            from router.dispatch.errors import report
            from router.response import problem

            await report(self.engine, event, raised)
            return self.answer_response(event, problem(500))
        finally:
            _current.reset(token)

    def failed(self, event: Event, error: Exception) -> Any:
        """The answer to an error of a sync route, or of a request that has none."""
        if isinstance(error, NotFound | MethodNotAllowed) and event.route is None:
            return self.unrouted(event, error)
        answer = self.answer_error(event, error)
        return answer if self.engine.waits_on_errors else drive(answer)

    def unrouted(self, event: Event, error: NotFound | MethodNotAllowed) -> Any:
        """404, 405 and OPTIONS go through the middleware that would have seen them."""
        from router.dispatch.unrouted import entry_for

        entry = entry_for(self.engine, event, error)
        event.route = entry.route
        if entry.is_async:
            return self.wait(event, entry)
        try:
            return self.answer(event, entry.call(event))
        except Exception as raised:
            return self.failed(event, raised)


def _http_runner(requests: Requests) -> Callable[[Any, Any], Any]:
    engine, source, make, eager = requests.engine, requests.source, requests.make, requests.eager
    policy, find, answer = engine.policy, engine.table.find_request, requests.answer
    enter, leave = _current.set, _current.reset
    nobody = None if policy.reads_requests else policy.nobody

    def run(raw: Any, context: Any) -> Any:
        event = make(source, raw, context, raw)
        event._policy = policy
        if nobody is not None:
            event.session = nobody
        token = enter(event)
        try:
            entry: Entry = find(event)
            if not entry.ready:
                engine.prepare(entry)
            event.route = entry.route
            if entry.is_async:
                return requests.wait(event, entry)
            if eager:
                _ = event.session  # a required field that is missing is a 400, whether the handler asks or not
            return answer(event, entry.call(event))
        except Exception as error:
            return requests.failed(event, error)
        finally:
            leave(token)

    return run


class Calls:
    """Calls by name. An error fails the call, unless the source has a way to say it."""

    __slots__ = ("answer", "engine", "optional", "read", "say_error", "source")

    def __init__(self, engine: Engine, module: ModuleType, source: Source) -> None:
        self.engine = engine
        self.source = source
        self.read: Callable[..., list[Event]] = module.read
        self.answer: Callable[[Event, Any], Any] = module.answer
        self.say_error: Callable[[Event, Exception], Any] | None = getattr(module, "failed", None)
        self.optional: tuple[str, ...] = getattr(module, "OPTIONAL", ())

    async def wait(self, event: Event, entry: Entry) -> Any:
        """The answer of an async route."""
        from router.dispatch.loop import finished
        from router.dispatch.results import refuse_unawaited

        token = _current.set(event)
        try:
            _ = event.session
            result = await finished(entry.call(event), (event,))
            refuse_unawaited(result)
            return self.answer(event, result)
        except Exception as error:
            return await self.failed(event, error)
        finally:
            _current.reset(token)

    async def failed(self, event: Event, error: Exception) -> Any:
        """What an error comes to: an answer where the source has a form for it, else the failure of the call."""
        from router.dispatch.errors import on_error, on_record_error

        token = _current.set(event)
        try:
            if isinstance(error, NoRoute) and (self.engine.ignores(error) or event.name in self.optional):
                return self.answer(event, None)
            if event._speaks_http:
                return self.answer(event, await on_error(self.engine, event, error))
            error = await on_record_error(self.engine, [event], error)
            if isinstance(error, Discard):
                return self.answer(event, None)
            if self.say_error is None:
                raise error
            return self.say_error(event, error)
        finally:
            _current.reset(token)


def checked(event: Event, result: Any) -> Any:
    """A result as the source's answer takes it: never something unawaited; of a WebSocket, a Response."""
    if result is None:
        return None
    from router.dispatch.results import refuse_unawaited, shape

    refuse_unawaited(result)
    return shape(event, result)


def _direct_runner(calls: Calls) -> Callable[[Any, Any], Any]:
    engine, source, read, answer = calls.engine, calls.source, calls.read, calls.answer

    def run(raw: Any, context: Any) -> Any:
        event = read(source, raw, context)[0]
        event._policy = engine.policy
        token = _current.set(event)
        try:
            entry = engine.find(event)
            if entry.is_async:
                return calls.wait(event, entry)
            _ = event.session  # refused here, before the handler runs
            result = entry.call(event)
            return answer(event, checked(event, result))
        except Exception as error:
            failed = calls.failed(event, error)
            return failed if engine.waits_on_errors else drive(failed)
        finally:
            _current.reset(token)

    return run
