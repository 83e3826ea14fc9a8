"""Send events: samples, payloads by hand, and old ones again; a part of the API.

The builders of samples are imported when they are first needed, as they would delay the start.
"""

from __future__ import annotations

from asyncio import to_thread
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from router.local.calls import Call
from router.local.console.http import Refused, body_of, parsed, route
from router.local.store import Filters
from router.routing.functions import MAIN
from router.sources.invoke import is_environment, is_task

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from router.local.console.parts import Parts

_OF_A_CALL = 1000
_BAD = ("died", "timed out", "failed", "retry", "unrouted", "refused", "discarded")  # the worst one first
# What ECS sets of the container, and the run in its place: a task that is sent runs on this machine.
_OF_THE_CONTAINER = ("PATH", "HOME", "HOSTNAME")
_OF_AWS = ("AWS_", "ECS_")


class Sending:
    """Answer for what is sent from the console. Nothing but the payload goes to the application, as from AWS."""

    def __init__(self, parts: Parts) -> None:
        self._store = parts.store
        self._application = parts.application

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            route("/samples", "GET", self.samples),
            route("/samples/{source}", "GET", self.sample),
            route("/send", "POST", self.send),
            route("/events/{id}/replay", "POST", self.replay),
        ]

    async def samples(self, request: Request) -> Any:
        """Return all sources with the options of their samples."""
        from router.local.console.samples import sources

        return {"samples": sources()}

    async def sample(self, request: Request) -> Any:
        """Return a payload of a source."""
        from router.local.console.samples import sample

        source = request.path_params["source"]
        made: dict[str, Any] = {"source": source, "raw": sample(source, request.query_params)}
        if source == "tool":
            from router.testing.samples import tool_client_context

            made["client_context"] = tool_client_context("orders___get_order")
        return made

    async def send(self, request: Request) -> Any:
        """Send a payload: `raw`, or `text`, which is JSON as somebody typed it."""
        body = await body_of(request, "raw", "text", "function", "client_context")
        if ("raw" in body) == ("text" in body):
            raise Refused(422, 'give the payload as "raw", or its JSON as "text"')
        context = body.get("client_context")
        if not (context is None or isinstance(context, dict)):
            raise Refused(422, '"client_context" is an object')
        return await self.send_raw(_payload(body), function=_function(body), client_context=context)

    async def replay(self, request: Request) -> Any:
        """Send the payload of an entry again, or one in its place."""
        body = await body_of(request, "raw", "text", "function")
        if "raw" in body and "text" in body:
            raise Refused(422, 'give an edited payload as "raw", or its JSON as "text", not both')
        edited = (_payload(body),) if body.keys() & {"raw", "text"} else ()
        function = _function(body) if "function" in body else None
        return await self.replay_entry(request.path_params["id"], *edited, function=function)

    async def send_raw(
        self, raw: Any, *, function: str = MAIN, client_context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Call the function with a payload, and return what became of it. A task runs in a process of its own.

        raw: the payload; of a task its environment.
        function: the part of the application.
        client_context: of Lambda.
        """
        if is_task(raw):
            return await self._run_task(raw)
        return await self._call(Call(raw, "console", function, client_context=client_context))

    async def replay_entry(self, entry_id: str, *edited: Any, function: str | None = None) -> dict[str, Any]:
        """Send an entry again, and return what became of it.

        entry_id: of the entry.
        edited: a payload or record in place of that of the entry, if one is given.
        function: the part of the application; that of the entry by default.

        Raises:
            LookupError: there is no such entry.
            Refused: it has no payload, its payload was too long to be kept, or that of a task is no environment.
        """
        from router.local.console.envelopes import payload_of

        entry = await to_thread(self._store.entry, entry_id)
        if not edited:
            if "raw" not in entry:
                raise Refused(409, f"{entry_id} has no payload that can be sent")
            if "raw" in entry.get("cut", ()):
                raise Refused(409, f"the payload of {entry_id} was too long to be kept, so it cannot be sent again")
        if entry["kind"] == "task":
            return await self._run_task(edited[0] if edited else entry["raw"], entry)
        whole = await to_thread(self._payload_around, entry)
        raw = payload_of(edited[0] if edited else entry["raw"], entry["source"] or "", whole)
        return await self._call(Call(raw, "replay", function or entry["function"] or MAIN, replay_of=entry_id))

    def _payload_around(self, entry: dict[str, Any]) -> Any:
        """Return the payload that a record came in, which only the first entry of its call has."""
        entries, _ = self._store.page(0, _OF_A_CALL, Filters(call=entry["call"])) if entry["call"] else ([], 0)
        first = self._store.entry(entries[-1]["id"]) if entries else entry
        return None if "payload" in first.get("cut", ()) else first.get("payload")

    async def _call(self, call: Call) -> dict[str, Any]:
        outcome = await self._application.invoke(call)
        entries = await self._entries(call.request_id)
        return {
            "call": call.request_id,
            "became": outcome.became,
            **_worst(outcome.became, entries),
            "answer": outcome.answer,
            "error": outcome.error,
            "ms": outcome.ms,
            "entries": entries,
        }

    async def _run_task(self, raw: Any, again: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run a task, and return what became of it. raw: its environment. again: the entry that is sent again."""
        if not is_environment(raw):
            raise Refused(422, "the payload of a task is its environment: an object of texts")
        before = again or {}
        name = raw.get("TASK_NAME") or before.get("name")
        if not name:
            raise Refused(422, "TASK_NAME names the task")
        given = {
            variable: value
            for variable, value in raw.items()
            if variable not in ("TASK_NAME", *_OF_THE_CONTAINER) and not variable.startswith(_OF_AWS)
        }
        call, began = str(uuid4()), perf_counter()
        status = await self._application.run_task(name, given, call=call, replay_of=before.get("id"))
        ms = (perf_counter() - began) * 1000
        entries = await self._entries(call)
        became = "answered" if status == 0 else "failed"
        return {
            "call": call,
            "became": became,
            **_worst(became, entries),
            "answer": {"exitCode": status},
            "error": None,
            "ms": ms,
            "entries": entries,
        }

    async def _entries(self, call: str) -> list[dict[str, Any]]:
        """Return the entries of a call, the first one first."""
        await to_thread(self._store.flush)
        entries, _ = await to_thread(self._store.page, 0, _OF_A_CALL, Filters(call=call))
        return list(reversed(entries))


def _worst(became: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return `outcome` and `status` of a call: an answer may tell of records that failed, or be an error of HTTP.

    became: of the call. entries: of what was in it.
    """
    if became == "lost answer":
        return {"outcome": became, "status": None}
    handled = [one for one in entries if one["kind"] in ("event", "task")]
    found = [one for one in handled if one["outcome"] in _BAD]
    if found:
        worst = min(found, key=lambda one: _BAD.index(one["outcome"]))
    elif became != "answered":
        return {"outcome": became, "status": None}
    else:
        worst = handled[0] if handled else {}
    return {"outcome": worst.get("outcome", "done"), "status": worst.get("status")}


def _payload(body: dict[str, Any]) -> Any:
    if "raw" in body:
        return body["raw"]
    if not isinstance(body["text"], str):
        raise Refused(422, '"text" is a string with JSON in it')
    return parsed(body["text"], "the payload")


def _function(body: dict[str, Any]) -> str:
    function = body.get("function", MAIN)
    if not (isinstance(function, str) and function):
        raise Refused(422, '"function" is the name of a part of the application')
    return function
