"""Check the console's tools for agents with MCP's own client, over a real port."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client

from router.testing import samples
from tests.integration.local.served import Served, served
from tests.unit.router.local.entries import entry

REDRIVEN = {"moved": 2, "to": {"orders": 2}, "left": 1, "why": "orders is full"}
TOOLS = {
    *("list_events", "show_event", "show_trace", "send_sample", "send_event", "replay_event"),
    *("list_queues", "redrive", "list_routes", "set_faults"),
}


@pytest.fixture(scope="module")
def console() -> Iterator[Served]:
    with served() as found:
        yield found


def ask(console: Served, name: str, mode: Any = "auto", **arguments: Any) -> Any:
    """Call a tool, and return its result, or its error as text."""

    async def run() -> Any:
        async with Client(f"{console.url}/_console/mcp", mode=mode) as client:
            result = await client.call_tool(name, arguments)
            text = "".join(getattr(part, "text", "") for part in result.content)
            return text if result.is_error else json.loads(text)

    return asyncio.run(run())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_agent_sees_the_tools_and_what_they_are_for(console: Served, mode: Any) -> None:
    async def run() -> tuple[Any, str | None]:
        async with Client(f"{console.url}/_console/mcp", mode=mode) as client:
            return (await client.list_tools()).tools, client.instructions

    tools, instructions = asyncio.run(run())
    assert {one.name for one in tools} == TOOLS
    assert all(len(one.description.split()) > 5 for one in tools)
    assert {one.name for one in tools if one.annotations.read_only_hint} == {
        *("list_events", "show_event", "show_trace", "list_queues", "list_routes")
    }
    assert "show_trace" in str(instructions)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_agent_finds_a_failure_and_sends_it_again(console: Served, mode: Any) -> None:
    sent = ask(console, "send_event", mode, raw={"fail": True})
    assert (sent["became"], sent["error"]["errorMessage"]) == ("failed", "told to fail")
    found = ask(console, "list_events", mode, outcome="failed", limit=1)["events"][0]
    shown = ask(console, "show_event", mode, id=found["id"])
    assert shown["raw"] == {"fail": True}
    again = ask(console, "replay_event", mode, id=found["id"], raw={"fail": False})
    assert (again["became"], again["entries"][0]["replay_of"]) == ("answered", found["id"])
    assert ask(console, "show_trace", mode, id=found["id"])["entries"][0]["outcome"] == "failed"


def test_an_agent_sends_samples(console: Served) -> None:
    sent = ask(console, "send_sample", source="sqs", options={"queue": "jobs", "bodies": [{"id": 7}]})
    assert sent["answer"]["got"]["Records"][0]["body"] == samples.sqs("jobs", [{"id": 7}])["Records"][0]["body"]
    assert "'que' is not an option of sqs" in ask(console, "send_sample", source="sqs", options={"que": "jobs"})
    assert "there is no sample 'fax'" in ask(console, "send_sample", source="fax")


def test_an_agent_looks_around_and_sets_faults(console: Served) -> None:
    assert ask(console, "list_queues")["queues"][0]["name"] == "orders-dead"
    assert ask(console, "redrive", queue="orders-dead") == REDRIVEN
    assert "there is no nothing" in ask(console, "redrive", queue="nothing")
    assert ask(console, "list_routes")["routes"][0]["handler"] == "place"
    rule = {"kind": "fail", "probability": 1, "service": "sqs"}
    assert ask(console, "set_faults", rules=[rule])["rules"] == [{"id": "f1", "hits": 0, **rule}]
    assert "probability is a number from 0 to 1" in ask(console, "set_faults", rules=[{**rule, "probability": 3}])


def test_what_is_not_there_is_told_in_a_sentence(console: Served) -> None:
    assert "there is no entry e999999" in ask(console, "show_event", id="e999999")
    assert "limit" in ask(console, "list_events", limit=0)
    with served(alone=True) as alone:
        assert "there are no queues in this run" in ask(alone, "list_queues")


def test_an_agent_does_not_get_megabytes(console: Served) -> None:
    console.store.add(entry(raw={"body": "x" * 500_000}))
    console.store.flush()
    shown = ask(console, "show_event", id=console.store.page(0, 1)[0][0]["id"])
    assert (shown["raw"]["cut"], shown["raw"]["characters"]) == (True, 500_012)
    assert len(json.dumps(shown)) < 50_000


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Origin": "http://evil.example"}, 403), ({"Host": "evil.example"}, 421), ({"Content-Type": "text/plain"}, 415)],
)
def test_a_page_of_another_origin_gets_no_tool(console: Served, headers: dict[str, str], status: int) -> None:
    asked = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "send_event", "arguments": {"raw": 1}},
    }
    calls = len(console.echo.calls)
    assert console.raw("POST", "/_console/mcp", asked, headers=headers)[0] == status
    assert len(console.echo.calls) == calls


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_is_no_stream_and_no_session(console: Served, method: str) -> None:
    status, headers, text = console.raw(method, "/_console/mcp", headers={"Accept": "text/event-stream"})
    assert (status, headers["allow"]) == (405, "POST")
    assert "POST alone" in json.loads(text)["error"]


def test_the_logging_of_the_gateway_stays_as_it_is(console: Served) -> None:
    before = (logging.getLogger().level, logging.getLogger().handlers[:])
    ask(console, "list_routes")
    assert (logging.getLogger().level, logging.getLogger().handlers) == before


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ImportError("No module named 'mcp'")

    monkeypatch.setattr("router.local.console.agents._imported", missing)
    with served() as console:
        status, _, text = console.raw("POST", "/_console/mcp", {})
        assert status == 501
        assert 'pip install "lambda-junction[local]"' in json.loads(text)["error"]
        assert console.ask("GET", "state")[0] == 200


def test_nobody_waits_for_mcp_who_has_no_agent() -> None:
    code = "import sys, router.local.console.api; print('mcp' in sys.modules, 'pydantic' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
