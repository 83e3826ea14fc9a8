"""Judge the server by MCP's own client: stateless and with a handshake, from every source, in a warm process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client, MCPError

from tests.integration.agents import async_shop, shop
from tests.integration.agents.bridge import SAMPLES, Bridge, run
from tests.servers.lambda_process import LambdaProcess

MODES = ("auto", "legacy", "2026-07-28")
TOOLS = ["break_down", "call_number", "find_order", "greet", "list_orders", "place_order"]


def text_of(result: Any) -> str:
    return "".join(part.text for part in result.content)


@pytest.mark.parametrize("source", SAMPLES)
@pytest.mark.parametrize("mode", MODES)
def test_a_client_lists_and_calls(mode: Any, source: str) -> None:
    async def work(client: Client) -> Any:
        listed = await client.list_tools()
        return listed.tools, await client.call_tool("find_order", {"order_id": "ä-7"})

    tools, found = run(shop.handler, work, mode=mode, source=source)
    assert [tool.name for tool in tools] == TOOLS
    by_name = {tool.name: tool for tool in tools}
    assert by_name["find_order"].description.startswith("Find an order by its number")
    assert by_name["find_order"].input_schema["required"] == ["order_id"]
    assert by_name["find_order"].output_schema["properties"].keys() == {"order_id", "total"}
    assert by_name["place_order"].input_schema["properties"]["count"]["default"] == 1
    assert found.structured_content == {"order_id": "ä-7", "total": 70}
    assert text_of(found) == '{"order_id":"ä-7","total":70}'
    assert not found.is_error


@pytest.mark.parametrize("mode", MODES)
def test_a_client_is_told_what_it_talks_to(mode: Any) -> None:
    async def work(client: Client) -> Any:
        return client.server_info, client.instructions, client.protocol_version

    server, instructions, version = run(shop.handler, work, mode=mode)
    if mode == "2026-07-28":  # which asks nothing of the server before its first call
        assert version == mode
    else:
        assert (server.name, server.version) == ("The shop", "1.4.0")
        assert instructions == "Find an order before you change it."
        assert version == ("2026-07-28" if mode == "auto" else "2025-11-25")


@pytest.mark.parametrize("mode", MODES)
def test_a_model_can_mend_what_it_asked_for(mode: Any) -> None:
    async def work(client: Client) -> Any:
        return [
            await client.call_tool("place_order", {"count": "many"}),
            await client.call_tool("find_order", {"order_id": "gone"}),
            await client.call_tool("place_order", {"sku": "tea", "count": 2}),
        ]

    wrong, gone, placed = run(shop.handler, work, mode=mode)
    assert wrong.is_error
    assert "arguments.sku: is missing" in text_of(wrong)
    assert "arguments.count: an integer is expected" in text_of(wrong)
    assert (gone.is_error, text_of(gone)) == (True, "there is no order 'gone'")
    assert placed.structured_content == {"order_id": "tea-2", "total": 14}


@pytest.mark.parametrize("mode", MODES)
def test_an_error_of_the_application_tells_nothing_of_it(mode: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def work(client: Client) -> Any:
        return await client.call_tool("break_down")

    failed = run(shop.handler, work, mode=mode)
    assert failed.is_error
    assert "hunter2" not in str(failed)
    assert "internal error" in text_of(failed)
    assert "hunter2" in caplog.text


@pytest.mark.parametrize("mode", MODES)
def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(mode: Any) -> None:
    async def work(client: Client) -> Any:
        with pytest.raises(MCPError) as raised:
            await client.call_tool("drop_tables")
        return raised.value.error

    error = run(shop.handler, work, mode=mode)
    assert (error.code, error.message) == (-32602, "there is no tool 'drop_tables'")


@pytest.mark.parametrize("mode", MODES)
def test_results_that_are_no_objects_are_text(mode: Any) -> None:
    async def work(client: Client) -> Any:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        return tools, await client.call_tool("greet", {"name": "Zoë"}), await client.call_tool("list_orders")

    tools, greeted, listed = run(shop.handler, work, mode=mode)
    assert text_of(greeted) == "Hello Zoë"
    assert text_of(listed) == '[{"order_id":"1","total":7},{"order_id":"2","total":14}]'
    assert tools["greet"].output_schema is None
    assert tools["list_orders"].output_schema is None
    assert greeted.structured_content is None


@pytest.mark.parametrize("mode", MODES)
def test_what_an_async_tool_starts_beside_its_answer_is_done_with_it(mode: Any) -> None:
    async def work(client: Client) -> Any:
        before = (await client.call_tool("noted")).structured_content
        found = (await client.call_tool("find_order", {"order_id": "7"})).structured_content
        return before, found, (await client.call_tool("noted")).structured_content

    before, found, after = run(async_shop.handler, work, mode=mode)
    assert found == {"order_id": "7"}
    assert after["noted"] == before["noted"] + 1


def test_a_client_keeps_the_list_as_long_as_it_may() -> None:
    async def work(client: Client) -> Any:
        for _ in range(3):
            await client.list_tools()

    bridge = Bridge(shop.handler)
    run(bridge, work)
    assert [payload["body"].count("tools/list") for payload in bridge.sent].count(1) == 1


def test_a_client_of_the_handshake_says_that_it_is_done_with_it() -> None:
    async def work(client: Client) -> Any:
        await client.list_tools()

    bridge = Bridge(shop.handler)
    run(bridge, work, mode="legacy")
    assert sorted(bridge.statuses) == [200, 200, 202]  # initialize, tools/list and notifications/initialized


@pytest.fixture(scope="module", params=["shop", "async_shop"])
def process(request: pytest.FixtureRequest) -> Iterator[LambdaProcess]:
    with LambdaProcess(f"tests.integration.agents.{request.param}.handler") as running:
        yield running


@pytest.mark.parametrize("mode", MODES)
def test_a_warm_process_answers_fifty_calls_and_every_new_client(process: LambdaProcess, mode: Any) -> None:
    """An SDK's session manager breaks with the second call: it is bound to the loop, and the run, of the first."""

    def invoke(payload: Any) -> Any:
        done = process.invoke(payload)
        assert done.error is None, done.error
        return done.result

    async def work(client: Client) -> Any:
        results = [await client.call_tool("find_order", {"order_id": str(number)}) for number in range(50)]
        return [result.structured_content["order_id"] for result in results]

    for _ in range(2):
        assert run(invoke, work, mode=mode) == [str(number) for number in range(50)]
