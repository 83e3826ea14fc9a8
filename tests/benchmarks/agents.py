"""The call of a tool through the Model Context Protocol beside the same route over HTTP."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

from router.testing import samples
from tests.benchmarks import limits
from tests.benchmarks.apps import agents_junction
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved, rotated
from tests.benchmarks.warm import asked
from tests.servers.lambda_process import LambdaProcess

ROUTE, STATELESS, HANDSHAKE = "POST of the route", "tools/call, 2026-07-28", "tools/call, 2025-11-25"
ARGUMENTS = {"customer": "ann", "limit": 3}
_CALLS = 20  # of each in a round, through the runtime client


def tool_call(rounds: int) -> Section:
    """One call, in the process of the benchmark; and through the runtime client, as Lambda makes it."""
    events = _events()
    calls = {what: asked(agents_junction.handler, event) for what, event in events.items()}
    inside = interleaved(calls, rounds=rounds, clock=process_time)
    through = _through_the_client(events, rounds)
    figures, budgets = [], []
    for where, taken in (("dispatch alone", inside), ("runtime client", through)):
        figures += [Figure(what, where, Spread.of(seconds), "s") for what, seconds in taken.items()]
        budgets += [
            Budget(f"{what} / {ROUTE}, {where}", Spread.of(ratios(taken, what, ROUTE)), limits.TOOL_CALL_OF_ROUTE)
            for what in (STATELESS, HANDSHAKE)
        ]
    return Section("tool", "Call of a tool by an agent, and the same route over HTTP (HTTP API)", figures, budgets)


def _events() -> dict[str, Any]:
    sent = {
        "accept": "application/json, text/event-stream",
        "accept-encoding": "gzip, deflate",
        "content-type": "application/json",
        "host": "api.example",
        "user-agent": "bench",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-proto": "https",
    }
    params = {"name": "search", "arguments": ARGUMENTS}
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    }
    repeated = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "search"}
    return {
        ROUTE: samples.http("POST", "/orders/search", body=json.dumps(ARGUMENTS), headers=sent),
        STATELESS: _message({**params, "_meta": meta}, sent | repeated),
        HANDSHAKE: _message(params, sent | {"mcp-protocol-version": "2025-11-25"}),
    }


def _message(params: dict[str, Any], headers: dict[str, str]) -> Any:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return samples.http("POST", "/mcp", body=json.dumps(message), headers=headers)


def _through_the_client(events: dict[str, Any], rounds: int) -> dict[str, list[float]]:
    """Return seconds a call, from handing an event to the runtime client to its answer; the best of each round."""
    taken: dict[str, list[float]] = {what: [] for what in events}
    with LambdaProcess("tests.benchmarks.apps.agents_junction.handler") as process:
        for order in rotated(list(events), rounds + 1):
            for what in order:
                taken[what].append(min(_duration(process, events[what]) for _ in range(_CALLS)))
    return {what: seconds[1:] for what, seconds in taken.items()}  # without the round that warms up


def _duration(process: LambdaProcess, event: Any) -> float:
    done = process.invoke(event)
    if done.error is not None or done.result["statusCode"] != 200:
        raise RuntimeError(f"the function answered {done.result or done.error}")
    return done.duration
