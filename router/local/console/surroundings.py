"""Show and drive what is around the function: queues, connections, executions, faults; a part of the API."""

from __future__ import annotations

from asyncio import to_thread
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from router.local.console.http import Refused, body_of, number, read_json, route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from router.local.console.parts import Parts

T = TypeVar("T")
MESSAGES = 100
"""Messages of a queue that are shown."""


class Surroundings:
    """Answer for the gateway's parts."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            route("/state", "GET", self.state_with_counts),
            route("/queues", "GET", self.queues),
            route("/queues/{name}/messages", "GET", self.messages),
            route("/queues/{name}/redrive", "POST", self.redrive),
            route("/connections", "GET", self.connections),
            route("/connections/{id}/message", "POST", self.send),
            route("/connections/{id}", "DELETE", self.close),
            route("/executions", "GET", self.executions),
            # Ids of executions are ARNs, with slashes in them.
            route("/executions/{id:path}/callbacks/{callback}", "POST", self.callback),
            route("/executions/{id:path}/skip", "POST", self.skip),
            route("/executions/{id:path}", "GET", self.execution),
            route("/faults", "GET", self.faults),
            route("/faults", "PUT", self.replace_faults),
        ]

    def state(self) -> dict[str, Any]:
        """Return how everything is, without a look at the history."""
        from router import __version__

        parts = self._parts
        settings = parts.settings
        return {
            "version": __version__,
            "application": application_of(parts),
            "routes": list(parts.application.routes),
            "settings": {
                "source": settings.source.value,
                "stage": settings.stage,
                "region": settings.region,
                "account": settings.account,
                "reload": settings.reload,
                "timeout": settings.timeout,
                "aws": settings.aws,
            },
            "urls": dict(parts.urls()),
            "parts": {
                name: getattr(parts, name) is not None for name in ("queues", "connections", "executions", "faults")
            },
            "history": asdict(parts.store.kept()),
        }

    async def state_with_counts(self, request: Request) -> Any:
        """Return how everything is, and how many entries there are by source, route and outcome."""
        return {**self.state(), "counts": await to_thread(self._parts.store.counts)}

    async def queues(self, request: Request) -> Any:
        """Return the queues."""
        return {"queues": await queues_of(self._parts)}

    async def messages(self, request: Request) -> Any:
        """Return messages of a queue; they stay in it."""
        limit = number(request.query_params, "limit", 10, MESSAGES)
        queues = there(self._parts, "queues", self._parts.queues)
        return {"messages": list(await queues.messages(request.path_params["name"]))[:limit]}

    async def redrive(self, request: Request) -> Any:
        """Send dead letters back to where they came from."""
        await body_of(request)
        return await redriven(self._parts, request.path_params["name"])

    async def connections(self, request: Request) -> Any:
        """Return the open WebSockets."""
        return {"connections": list(there(self._parts, "connections", self._parts.connections).connections())}

    async def send(self, request: Request) -> Any:
        """Send a message to a client."""
        text = (await body_of(request, "text")).get("text")
        if not isinstance(text, str):
            raise Refused(422, 'give the message as "text", a string')
        connections = there(self._parts, "connections", self._parts.connections)
        return {"sent": _found(await connections.send(request.path_params["id"], text), request)}

    async def close(self, request: Request) -> Any:
        """End a connection."""
        connections = there(self._parts, "connections", self._parts.connections)
        return {"closed": _found(await connections.close(request.path_params["id"]), request)}

    async def executions(self, request: Request) -> Any:
        """Return the durable executions."""
        return {"executions": list(await there(self._parts, "executions", self._parts.executions).executions())}

    async def execution(self, request: Request) -> Any:
        """Return one with its steps."""
        executions = there(self._parts, "executions", self._parts.executions)
        return dict(await executions.execution(request.path_params["id"]))

    async def callback(self, request: Request) -> Any:
        """Answer a callback that an execution waits for."""
        body = await body_of(request, "result", "error")
        if ("result" in body) == ("error" in body):
            raise Refused(422, 'give a "result" or an "error"')
        error = body.get("error")
        if not (error is None or isinstance(error, str | dict)):
            raise Refused(422, '"error" is a text, or an object as Lambda has it')
        executions = there(self._parts, "executions", self._parts.executions)
        values = request.path_params
        await executions.callback(values["id"], values["callback"], result=body.get("result"), error=error)
        return {"answered": True}

    async def skip(self, request: Request) -> Any:
        """End the wait of an execution."""
        await body_of(request)
        await there(self._parts, "executions", self._parts.executions).skip(request.path_params["id"])
        return {"skipped": True}

    async def faults(self, request: Request) -> Any:
        """Return the rules of faults."""
        return {"rules": list(there(self._parts, "faults", self._parts.faults).rules())}

    async def replace_faults(self, request: Request) -> Any:
        """Set rules in place of all others: a list of them, or an object with `rules`."""
        body = await read_json(request)
        rules = body.get("rules") if isinstance(body, dict) else body
        if not (isinstance(rules, list) and all(isinstance(one, dict) for one in rules)):
            raise Refused(422, "send a list of rules, each an object")
        made = list(there(self._parts, "faults", self._parts.faults).replace(rules))
        self._parts.store.state_changed()
        return {"rules": made}


def there(parts: Parts, name: str, part: T | None) -> T:
    """Return a part.

    parts: all of them. name: of the part. part: itself, or None.

    Raises:
        Refused: it is not in this run.
    """
    if part is None:
        why = " with --aws none" if name == "queues" and parts.settings.aws == "none" else ""
        raise Refused(404, f"there are no {name} in this run{why}")
    return part


def application_of(parts: Parts) -> dict[str, Any]:
    """Return the name of the application, its `phase`, and the rest of its state."""
    state = dict(parts.application.state)
    return {"name": parts.settings.application, "phase": state.pop("state"), **state}


async def queues_of(parts: Parts) -> list[dict[str, Any]]:
    """Return the queues, each with the number of its `messages`, and the queues whose `dead_letters_of` it holds."""
    found = [dict(one) for one in await there(parts, "queues", parts.queues).queues()]
    return [{"messages": one.pop("visible"), "dead_letters_of": one.pop("dead_letter_of"), **one} for one in found]


async def redriven(parts: Parts, name: str) -> dict[str, Any]:
    """Send dead letters back, and return how many were `moved`, how many to which queue, and why others stay."""
    done = dict(await there(parts, "queues", parts.queues).redrive(name))
    to = done.pop("moved")
    return {"moved": sum(to.values()), "to": to, **done}


def _found(was_there: bool, request: Request) -> bool:
    if not was_there:
        raise Refused(404, f"there is no connection {request.path_params['id']!r}")
    return True
