"""Run the call of a tool through the chain of its own route, inside of the request that it came in."""

from __future__ import annotations

from router.dispatch.errors import caught, report
from router.dispatch.loop import finished
from router.dispatch.plan import Entry, Plan, drive
from router.errors import AnswerTooLarge, NoRoute, Unauthorized
from router.event import Source
from router.mcp.event import McpToolEvent
from router.mcp.protocol import INVALID_PARAMS, Refusal, read
from router.response import as_response
from router.session import _current
from router.signals import Discard
from router.sources.tool import TOLD, explained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.dispatch.engine import Engine
    from router.event import Event
    from router.mcp.endpoint import Endpoint
    from router.mcp.protocol import Message
    from router.response import Response

_CALL = "tools/call"
# Whom the request let in, for the tool: its own chain does not ask a second time.
_OF_THE_REQUEST = ("identity", "bypass")
_TOLD = (*TOLD, AnswerTooLarge)
_INTERNAL = "an internal error; the log has its cause"


class Calls:
    """The tools of an application as a server of MCP calls them.

    engine: of the application. endpoint: what answers all other messages.
    around: the middleware around the route of the server.
    """

    __slots__ = ("_by_name", "_endpoint", "_engine", "_entries", "_lets_in", "is_async")

    def __init__(self, engine: Engine, endpoint: Endpoint, around: tuple[Any, ...]) -> None:
        self._engine = engine
        self._endpoint = endpoint
        passed = frozenset(map(id, around))
        # Entries of their own, beside those of a gateway's calls: no request is around these.
        self._entries: dict[Entry, Entry] = {}
        for entry in engine.table.entries_of(Source.TOOL):
            self._entries[entry] = own = Entry(entry.route, entry.plan)
            own.parameters = entry.parameters
            engine.prepare(own, passed=passed)
        self._by_name: dict[str, Entry] = {}  # those that take every call of their name
        self._lets_in = any(getattr(one, "authenticates", False) for one in around)
        self.is_async = engine.waits_on_errors or any(entry.is_async for entry in self._entries.values())

    def plan(self, plan: Plan) -> Plan:
        """Return the plan of the server's route: async only where a tool is."""
        return Plan(self._answer_async if self.is_async else self._answer, self.is_async, asked=plan.asked)

    def _answer(self, event: Event) -> Response:
        """Answer a request while nothing has to wait."""
        try:
            message = read(event, self._endpoint.origins)
            if message is None or message.method != _CALL:
                return self._endpoint.answer(message)
            call = self._call_in(event, message)
            token = _current.set(call)
            try:
                result = self._find(call, message).call(call)
                if call.route.request is not None and (type(result) is not dict or "statusCode" in result):
                    result = as_response(result)
                return self._endpoint.form.called(event, message, result)
            except (Refusal, Unauthorized):
                raise
            except Exception as error:
                return drive(self._failed(call, message, error))  # type: ignore[no-any-return]
            finally:
                _current.reset(token)
        except Refusal as refusal:
            return refusal.response

    async def _answer_async(self, event: Event) -> Response:
        """Do the same on the event loop."""
        try:
            message = read(event, self._endpoint.origins)
            if message is None or message.method != _CALL:
                return self._endpoint.answer(message)
            call = self._call_in(event, message)
            token = _current.set(call)
            try:
                call._tasks = ()  # what the handler starts is waited for here
                result = await finished(_begun(self._find(call, message), call), (call,))
                if call.route.request is not None and (type(result) is not dict or "statusCode" in result):
                    result = as_response(result)
                return self._endpoint.form.called(event, message, result)
            except (Refusal, Unauthorized):
                raise
            except Exception as error:
                return await self._failed(call, message, error)
            finally:
                _current.reset(token)
        except Refusal as refusal:
            return refusal.response

    def _call_in(self, event: Event, message: Message) -> McpToolEvent:
        """Return the call that a request holds."""
        params = message.params
        name = params.get("name")
        if type(name) is not str:
            raise message.refusal(INVALID_PARAMS, "params.name must be the name of a tool")
        call = McpToolEvent(name, params.get("arguments"), event)
        if self._lets_in:
            call.state = {key: event.state[key] for key in _OF_THE_REQUEST if key in event.state}
        return call

    def _find(self, call: McpToolEvent, message: Message) -> Entry:
        """Return the entry of a tool, ready to be called."""
        entry = self._by_name.get(call.name)
        if entry is None:
            entry = self._searched(call, message)
        call.route = entry.route
        return entry

    def _searched(self, call: McpToolEvent, message: Message) -> Entry:
        engine = self._engine
        try:
            entry = self._entries[engine.table.find_record(call)]
        except NoRoute:
            raise message.refusal(INVALID_PARAMS, f"there is no tool {call.name[:100]!r}") from None
        if engine.declared is not None:
            engine.declared.load_for(Source.TOOL)
        if engine.table.fixed(call) is not None and entry.route.match == call.name:
            self._by_name[call.name] = entry
        return entry

    async def _failed(self, call: McpToolEvent, message: Message, error: Exception) -> Response:
        """Return what the model may know of an error, so that it can mend what it has asked for."""
        form, event = self._endpoint.form, call.outer
        result, final = await caught(self._engine, call, error)
        if final is None or isinstance(final, Discard):
            try:
                return form.called(event, message, result)
            except Exception as unsent:
                await report(self._engine, call, unsent)
                final = unsent
        if isinstance(final, Unauthorized):
            raise final
        return form.said(event, message, explained(final) if isinstance(final, _TOLD) else _INTERNAL, True)


async def _begun(entry: Entry, call: McpToolEvent) -> Any:
    result = entry.call(call)
    return await result if entry.is_async else result
