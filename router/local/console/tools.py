"""Define the tools for agents. This module imports MCP, so that it is imported when an agent comes."""

from __future__ import annotations

import json
import logging
from asyncio import to_thread
from dataclasses import asdict
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from router.encode import loggable
from router.local.console.http import refusal_of
from router.local.console.parts import Parts
from router.local.console.samples import sample
from router.local.console.sending import Sending
from router.local.console.surroundings import application_of, queues_of, redriven, there
from router.local.store import Filters

_log = logging.getLogger(__name__)

LONGEST = 20_000
"""Characters of one part of an event. An agent reads all that it gets."""
_INSTRUCTIONS = """\
A development run of an AWS Lambda application that handles HTTP, WebSockets, queues, topics, streams and schedules.
Every event that it handled has an id like e17. To find out what went wrong: list_events(outcome="failed"), then
show_event for the traceback with source lines, and show_trace for what it came from and led to. After a change of the
code the application reloads by itself: replay_event then shows whether it works now.
"""
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_CHANGES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)

Text = Annotated[str | None, Field(description="Leave it out for all")]
EntryId = Annotated[str, Field(description="The id of an event, such as e17")]


class Tools:
    """Do what agents ask for. Each public method is a tool, and its docstring is what an agent reads."""

    def __init__(self, parts: Parts, sending: Sending) -> None:
        self._parts = parts
        self._store = parts.store
        self._sending = sending

    async def list_events(
        self,
        source: Text = None,
        route: Text = None,
        outcome: Annotated[
            str | None,
            Field(description="running, done, failed, retry, discarded, refused, unrouted, timed out or died"),
        ] = None,
        tenant: Text = None,
        correlation_id: Text = None,
        q: Annotated[str | None, Field(description="Text anywhere in the event: payload, logs, error, ids")] = None,
        before: Annotated[str | None, Field(description="Only events older than this id")] = None,
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
    ) -> dict[str, Any]:
        """List what the application handled, the newest first: source, route, attempt, duration, outcome."""
        filters = Filters(
            source=[source] if source else (),
            outcome=[outcome] if outcome else (),
            route=route,
            tenant=tenant,
            correlation_id=correlation_id,
            q=q,
            before=before,
        )
        entries, total = await to_thread(self._store.page, 0, limit, filters)
        return {"events": [_short(one) for one in entries], "total": total, "history": asdict(self._store.kept())}

    async def show_event(self, id: EntryId) -> dict[str, Any]:
        """Show one event: payload, session, answer, log lines, error with source lines, and its calls of AWS."""
        return {name: _cut(value) for name, value in (await to_thread(self._store.entry, id)).items()}

    async def show_trace(
        self, id: Annotated[str, Field(description="A correlation id, or the id of an event")]
    ) -> dict[str, Any]:
        """Show the way of an event over all hops: what sent it, and the events, messages and pushes it led to."""
        trace = asdict(await to_thread(self._store.trace, id))
        return {**trace, "entries": [_short(one) for one in trace["entries"]]}

    async def send_sample(
        self,
        source: Annotated[str, Field(description="Such as http, sqs, sns, dynamodb, s3, eventbridge, schedule")],
        options: Annotated[
            dict[str, Any] | None,
            Field(description='{"queue": "orders", "bodies": [{"id": 1}]} or {"method": "POST", "path": "/"}'),
        ] = None,
    ) -> dict[str, Any]:
        """Send a payload as AWS delivers it to the application, and return what became of it."""
        texts = {name: one if isinstance(one, str) else json.dumps(one) for name, one in (options or {}).items()}
        return await self._sending.send_raw(sample(source, texts))

    async def send_event(
        self,
        raw: Annotated[Any, Field(description="The payload, as Lambda delivers it")],
        function: Annotated[str, Field(description="The part of a split application")] = "main",
    ) -> dict[str, Any]:
        """Call the function with a payload, and return what became of it."""
        return await self._sending.send_raw(raw, function=function)

    async def replay_event(
        self,
        id: EntryId,
        raw: Annotated[Any, Field(description="A payload to send in its place; leave it out for the same")] = None,
    ) -> dict[str, Any]:
        """Send an event again, and return what became of it. It runs with the current code."""
        edited = () if raw is None else (raw,)
        return await self._sending.replay_entry(id, *edited)

    async def list_queues(self) -> dict[str, Any]:
        """List the queues with how many messages wait in each, and which are dead-letter queues."""
        return {"queues": await queues_of(self._parts)}

    async def redrive(self, queue: Annotated[str, Field(description="A dead-letter queue")]) -> dict[str, Any]:
        """Send the messages of a dead-letter queue back to where they came from."""
        return await redriven(self._parts, queue)

    async def list_routes(self) -> dict[str, Any]:
        """List the routes with file and line of their handlers, and whether the application runs."""
        return {
            "application": application_of(self._parts),
            "routes": [dict(one) for one in self._parts.application.routes],
        }

    async def set_faults(
        self,
        rules: Annotated[
            list[dict[str, Any]],
            Field(
                description="Each with kind (latency, throttle, fail, lost answer, duplicate, reorder, kill), "
                "probability (0 to 1), service, operation, route (patterns with *), ms of latency, and times; "
                "[] takes all away"
            ),
        ],
    ) -> dict[str, Any]:
        """Set the faults on purpose, in place of those before, to see whether anything is lost."""
        made = there(self._parts, "faults", self._parts.faults).replace(rules)
        self._store.state_changed()
        return {"rules": [dict(one) for one in made]}


_READING = ("list_events", "show_event", "show_trace", "list_queues", "list_routes")
_CHANGING = ("send_sample", "send_event", "replay_event", "redrive", "set_faults")


def server_of(parts: Parts, sending: Sending) -> MCPServer[Any]:
    """Return a server with all tools.

    parts: what they show and drive. sending: how they send.
    """
    from router import __version__

    root = logging.getLogger()
    own = logging.NullHandler()
    # The library would set the logging of the whole process up, unless somebody has.
    root.addHandler(own)
    try:
        server: MCPServer[Any] = MCPServer("junction", version=__version__, instructions=_INSTRUCTIONS)
    finally:
        root.removeHandler(own)
    tools = Tools(parts, sending)
    for name in (*_READING, *_CHANGING):
        hints = _READS if name in _READING else _CHANGES
        server.add_tool(_plain(getattr(tools, name)), name=name, annotations=hints)
    return server


def _plain(tool: Any) -> Any:
    """Return a tool whose errors are sentences."""
    from functools import wraps

    @wraps(tool)
    async def run(*args: Any, **values: Any) -> Any:
        try:
            return json.loads(json.dumps(await tool(*args, **values), default=loggable))
        except Exception as error:
            status, text = refusal_of(error)
            if status == 500:
                _log.exception("a tool of the console failed: %s", tool.__name__)
            raise ToolError(text) from error

    return run


def _short(summary: dict[str, Any]) -> dict[str, Any]:
    """Return a summary without what is not set: an agent reads all that it gets."""
    return {name: value for name, value in summary.items() if value not in (None, False)}


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, default=loggable, ensure_ascii=False)
    if len(text) <= LONGEST:
        return value
    return {"cut": True, "characters": len(text), "start": text[:LONGEST]}
