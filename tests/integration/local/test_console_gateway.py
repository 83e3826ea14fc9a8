"""Check the console of a whole run: what guards it, and an agent that works with it."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from mcp import Client

from tests.servers.gateway import LocalGateway

OWN = (
    *(
        "/_console",
        "/_console/",
        "/_console/api/state",
        "/_console/api/nothing",
        "/_console/mcp",
        "/_local/forward/main",
    ),
    *("/2015-03-31/functions/main/invocations", "/2021-11-15/functions/main/response-streaming-invocations"),
    *("/2014-11-13/functions/main/invoke-async", "/2019-09-25/functions/main/x", "/2025-12-01/durable-executions"),
)


@pytest.fixture(scope="module")
def run() -> Iterator[LocalGateway]:
    with LocalGateway("tests.integration.local.plain_app:resolver", "--aws", "none") as found:
        yield found


def status_of(run: LocalGateway, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str]]:
    parts = urlsplit(run.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    connection.request(
        method, path, b"{}" if method == "POST" else None, {"Content-Type": "application/json", **headers}
    )
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", OWN)
def test_every_interface_of_the_gateway_is_guarded(run: LocalGateway, method: str, path: str) -> None:
    assert status_of(run, method, path, {"Host": "evil.example"})[0] == 421
    status, headers = status_of(run, method, path, {"Origin": "http://evil.example"})
    assert status == 403
    assert not [name for name in headers if name.startswith("access-control")]


def test_the_application_answers_under_any_name_and_to_any_page(run: LocalGateway) -> None:
    headers = {"Host": "shop.example", "Origin": "http://shop.example"}
    assert status_of(run, "GET", "/hello", headers)[0] == 200


def test_the_page_is_there_and_kept_to_itself(run: LocalGateway) -> None:
    status, headers = status_of(run, "GET", "/_console/", {})
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert "'unsafe" not in headers["content-security-policy"]
    for path in ("/_console/assets/../static.py", "/_console/assets/%2e%2e/static.py", "/_console/assets//etc/passwd"):
        assert status_of(run, "GET", path, {})[0] == 404


def test_an_agent_finds_out_what_failed_and_why(run: LocalGateway) -> None:
    async def work() -> Any:
        async with Client(f"{run.url}/_console/mcp") as client:

            async def use(name: str, **arguments: Any) -> Any:
                result = await client.call_tool(name, arguments)
                return json.loads(result.content[0].text)  # type: ignore[union-attr]

            routes = await use("list_routes")
            options = {"queue": "jobs", "bodies": [{"id": 1}, {"id": 2}]}
            sent = await use("send_sample", source="sqs", options=options)
            (failed,) = (await use("list_events", outcome="failed"))["events"]
            return routes, sent, await use("show_event", id=failed["id"]), await use("replay_event", id=failed["id"])

    routes, sent, shown, again = asyncio.run(work())
    assert {"GET /hello", "sqs jobs"} <= {one["route"] for one in routes["routes"]}
    assert [one["outcome"] for one in sent["entries"]] == ["done", "failed"]
    assert len(sent["answer"]["batchItemFailures"]) == 1
    assert shown["problem"] == "ValueError: job 2 is broken"
    own = next(frame for frame in shown["error"]["frames"] if frame["own"])
    assert own["file"].endswith("plain_app.py")
    assert any('raise ValueError(f"job {' in line for _, line in own["source"])
    assert shown["decoded"] == {"id": 2}
    assert again["entries"][0]["replay_of"] == shown["id"]
    assert again["entries"][0]["event_id"] == shown["event_id"]


def test_a_sample_is_on_the_live_stream(run: LocalGateway) -> None:
    parts = urlsplit(run.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    connection.request("GET", "/_console/api/live")
    answer = connection.getresponse()
    run.ask("send", {"text": '{"action": "nobody takes this"}'})
    told: list[str] = []
    for line in answer:
        if line.startswith(b'data: {"entries"'):
            told += [one["outcome"] for one in json.loads(line[6:])["entries"] if one["source"] == "invoke"]
        if told and told[-1] != "running":
            break
    connection.close()
    assert told[-1] == "unrouted"
