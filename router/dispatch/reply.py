"""One event, one answer: HTTP, WebSocket, direct invoke, authorizers and all else that waits for what comes back."""

from __future__ import annotations

from abc import ABC, abstractmethod

from router.dispatch.plan import drive
from router.errors import MethodNotAllowed, NoRoute, NotFound, WrongFunction
from router.event import Source
from router.session import _current
from router.sources import Unsent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from router.dispatch.engine import Engine
    from router.dispatch.plan import Entry
    from router.event import Event


def reply_runner(engine: Engine, module: ModuleType, source: Source) -> Callable[[Any, Any], Any]:
    """Return the function that answers the events of one source: `run(raw, context)`, or a coroutine of it."""
    replies = (Requests if hasattr(module, "ANSWERS") else Calls)(engine, module, source)
    make, find, answer, policy = replies.make, replies.find, replies.answer, engine.policy
    if engine.shapes:
        from router.dispatch.shaping import timed

        make = timed(make)
    enter, leave = _current.set, _current.reset

    def run(raw: Any, context: Any) -> Any:
        event = make(source, raw, context, raw)
        event._policy = policy
        token = enter(event)
        try:
            entry = find(event)
            if not entry.ready:
                engine.prepare(entry)
            event.route = entry.route
            if entry.is_async:
                return replies.wait(event, entry)
            return answer(event, entry.call(event))
        except Exception as error:
            return replies.failed(event, error)
        except BaseException as stop:
            from router.dispatch.loop import as_failure

            return replies.failed(event, as_failure(stop))
        finally:
            leave(token)

    return run


class Replies(ABC):
    """Run one reply; the two kinds differ in how an event is made, found, answered and refused."""

    __slots__ = ("answer", "engine", "find", "make")

    def __init__(
        self,
        engine: Engine,
        make: Callable[..., Event],
        find: Callable[[Event], Entry],
        answer: Callable[[Event, Any], Any],
    ) -> None:
        self.engine = engine
        self.make = make
        self.find = find
        self.answer = answer

    @abstractmethod
    async def answer_error(self, event: Event, error: Exception) -> Any:
        """Return what the source expects for an error, or raise it: then the call fails."""

    async def wait(self, event: Event, entry: Entry) -> Any:
        """Return the answer of an async route, once all is done that its handler started."""
        from router.dispatch.loop import finished

        token = _current.set(event)
        event._tasks = ()  # what the handler starts is waited for here
        try:
            return self.answer(event, await finished(entry.call(event), (event,)))
        except Exception as error:
            return await self._refused(event, error)
        finally:
            _current.reset(token)

    def failed(self, event: Event, error: Exception) -> Any:
        """Return the answer to an error of a sync route; a coroutine of it where a catcher is async."""
        answer = self._refused(event, error)
        waits = self.engine.waits_on_errors or (isinstance(error, Unsent) and error.response.chunks.waits)
        return answer if waits else drive(answer)

    async def _unsent(self, event: Event, unsent: Exception) -> Any:
        """Return a bare 500 for an error whose own headers, members or detail cannot be sent."""
        if isinstance(unsent, Unsent):  # a catcher answers with a stream
            try:
                return await self._streamed(event, unsent)
            except Exception as failure:
                unsent = failure
        from router.dispatch.errors import report
        from router.response import problem

        await report(self.engine, event, unsent)
        bare = problem(500)
        if self.engine.shapes:
            from router.dispatch.shaping import shaped

            bare = shaped(self.engine, event, bare)
        return self.answer(event, bare)

    async def _refused(self, event: Event, error: Exception) -> Any:
        """Return the answer to an error; or of a Response whose body is still to be read, which comes as one, too."""
        token = _current.set(event)
        try:
            if not isinstance(error, Unsent):
                return await self.answer_error(event, error)
            try:
                return await self._streamed(event, error)
            except Exception as failure:
                return await self.answer_error(event, failure)
        finally:
            _current.reset(token)

    async def _streamed(self, event: Event, unsent: Unsent) -> Any:
        """Return the answer of a Response whose body is still to be read."""
        from router.dispatch.streams import answer_stream

        return await answer_stream(self, event, unsent)


class Requests(Replies):
    """HTTP: by method and path; every error is answered."""

    __slots__ = ()

    def __init__(self, engine: Engine, module: ModuleType, source: Source) -> None:
        find: Callable[[Event], Any] = engine.table.find_request
        if engine.strip_prefixes:
            from router.dispatch.prefixes import without_prefixes

            find = without_prefixes(engine.strip_prefixes, find)
        answer: Callable[[Event, Any], Any] = module.ANSWERS[source]
        if engine.shapes:
            from router.dispatch.shaping import with_status

            answer = with_status(engine, answer)
        super().__init__(engine, module.EVENTS[source], find, answer)

    async def answer_error(self, event: Event, error: Exception) -> Any:
        from router.dispatch.errors import on_error

        try:
            return self.answer(event, await on_error(self.engine, event, error))
        except Exception as unsent:
            return await self._unsent(event, unsent)

    def failed(self, event: Event, error: Exception) -> Any:
        if isinstance(error, NotFound | MethodNotAllowed) and event.route is None:
            return self._unrouted(event, error)
        return super().failed(event, error)

    def _unrouted(self, event: Event, error: NotFound | MethodNotAllowed) -> Any:
        """Send a 404, 405 or OPTIONS through the middleware that would have seen the request."""
        from router.dispatch.unrouted import entry_for

        entry = entry_for(self.engine, event, error)
        event.route = entry.route
        if entry.is_async:
            return self.wait(event, entry)
        try:
            return self.answer(event, entry.call(event))
        except Exception as raised:
            return self.failed(event, raised)


class Calls(Replies):
    """Calls by name. An error fails the call, unless the source has a way to say it."""

    __slots__ = ("form", "needs_route", "optional", "say_error", "source", "unregistered")

    def __init__(self, engine: Engine, module: ModuleType, source: Source) -> None:
        read = module.read
        super().__init__(
            engine, lambda source, raw, context, _: read(source, raw, context)[0], engine.find, self._checked_answer
        )
        self.source = source
        self.form: Callable[[Event, Any], Any] = module.answer
        self.say_error: Callable[[Event, Exception], Any] | None = getattr(module, "failed", None)
        self.optional: tuple[str, ...] = getattr(module, "OPTIONAL", ())
        # Whether an error is said only where something is registered: saying it calls somebody the payload names.
        self.needs_route: bool = getattr(module, "NEEDS_ROUTE", False)
        if source is Source.BEDROCK_AGENT:
            from router.dispatch.agents import finding

            self.find = finding(engine.find)
        if self.optional:
            self.find = self._find
            self.unregistered: dict[str, Entry] = {}

    def _find(self, event: Event) -> Entry:
        """Return the entry of an event; for one that needs no route, middleware around nothing."""
        try:
            return self.engine.find(event)
        except NoRoute as error:
            if event.name not in self.optional or isinstance(error, WrongFunction):
                raise
        entry = self.unregistered.get(event.name)
        if entry is None:
            from router.dispatch.unrouted import entry_of_nothing

            self.unregistered[event.name] = entry = entry_of_nothing(self.engine, event)
        return entry

    def _checked_answer(self, event: Event, result: Any) -> Any:
        if result is not None:
            from router.response import StreamResponse, as_response, refuse_unawaited

            refuse_unawaited(result)
            if event._speaks_http or (event.route is not None and event.route.request is not None):
                result = as_response(result)
            if isinstance(result, StreamResponse) and result.body is None:
                raise Unsent(result)
        return self.form(event, result)

    async def answer_error(self, event: Event, error: Exception) -> Any:
        from router.dispatch.errors import caught, on_error
        from router.signals import Discard

        if event._speaks_http:
            try:
                return self.form(event, await on_error(self.engine, event, error))
            except Exception as unsent:
                return await self._unsent(event, unsent)
        result, final = await caught(self.engine, event, error)
        envelope = self._envelope_of(event) if self.engine.shapes else None
        if final is None or isinstance(final, Discard):
            return self._checked_answer(event, result if envelope is None else envelope.of_result(event, result))
        if envelope is not None:
            return self.form(event, envelope.of_error(event, final))
        if self.say_error is None or (self.needs_route and not self.engine.table.entries_of(self.source)):
            raise final
        return self.say_error(event, final)

    def _envelope_of(self, event: Event) -> Any:
        """Return the envelope that the error of a direct invoke is answered in; None for none, and for other calls."""
        from router.dispatch.shaping import envelope_of

        return envelope_of(self.engine, event) if event.source == "invoke" else None
