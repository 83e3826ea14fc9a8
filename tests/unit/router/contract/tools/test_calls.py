"""Arguments that fit the exported schemas are accepted, whichever agent sends them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from router.contract.interface import Info, describe
from router.contract.tools import Tool, catalogue
from router.contract.tools.agentcore import agentcore
from router.contract.tools.bedrock import api, functions
from router.routing.tools import flat_name
from router.testing import TestClient, samples
from tests.unit.router.contract.tools.arguments import fitting
from tests.unit.router.contract.tools.shop import calls, resolver

INFO = Info("The shop")
TOOLS = catalogue(describe(resolver, INFO))
GATEWAY = {one["name"]: one for one in agentcore(TOOLS).document}
GROUP = {one["name"]: one for one in functions(TOOLS, INFO).document["functionSchema"]["functions"]}
OPERATIONS = {
    one["operationId"]: (path, method, one)
    for path, methods in api(TOOLS, INFO).document["paths"].items()
    for method, one in methods.items()
}
client = TestClient(resolver)
several = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def arguments_of(tool: Tool, data: st.DataObject) -> dict[str, Any]:
    """Arguments that fit the catalogue's schema."""
    made: dict[str, Any] = data.draw(fitting(tool.input_schema, tool.input_schema))
    Draft202012Validator(tool.input_schema).validate(made)
    return made


def without_null(value: Any) -> Any:
    """Arguments as agents send them that know no null."""
    if isinstance(value, dict):
        return {name: without_null(held) for name, held in value.items() if held is not None}
    return [without_null(held) for held in value] if isinstance(value, list) else value


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@several
@given(st.data())
def test_gateways(tool: Tool, data: st.DataObject) -> None:
    arguments = arguments_of(tool, data)
    calls.clear()
    answer = client.tool(flat_name(tool.name), arguments)
    assert not (isinstance(answer, dict) and answer.get("isError")), answer
    assert len(calls) == 1
    definition = GATEWAY[flat_name(tool.name)]
    assert set(definition["inputSchema"].get("properties", {})) == set(tool.input_schema["properties"])
    if tool.output_schema is not None:
        Draft202012Validator(tool.output_schema).validate(answer)
        Draft202012Validator(definition["outputSchema"]).validate(answer)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@several
@given(st.data())
def test_made_for_the_few_words_of_a_gateway(tool: Tool, data: st.DataObject) -> None:
    """What a model makes by types alone is right or refused with the place; what the words say makes it right."""
    schema = GATEWAY[flat_name(tool.name)]["inputSchema"]
    answer = client.tool(flat_name(tool.name), data.draw(fitting(schema, schema)))
    if isinstance(answer, dict) and answer.get("isError"):
        assert "arguments." in answer["content"][0]["text"]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@several
@given(st.data())
def test_functions_of_bedrock(tool: Tool, data: st.DataObject) -> None:
    arguments = without_null(arguments_of(tool, data))
    declared = GROUP[flat_name(tool.name)]["parameters"]
    assert {name for name, one in declared.items() if one["required"]} == set(tool.input_schema.get("required", ()))
    sent = [
        {"name": name, "type": declared[name]["type"], "value": value if isinstance(value, str) else json.dumps(value)}
        for name, value in arguments.items()
    ]
    payload = samples.bedrock_agent(function=flat_name(tool.name)) | {"parameters": sent}
    calls.clear()
    held = client.event(payload)["response"]["functionResponse"]
    assert "responseState" not in held, held
    assert len(calls) == 1


@pytest.mark.parametrize("tool", [one for one in TOOLS if one.name != "price"], ids=lambda tool: tool.name)
@several
@given(st.data())
def test_operations_of_bedrock(tool: Tool, data: st.DataObject) -> None:
    arguments = without_null(arguments_of(tool, data))
    path, method, declared = OPERATIONS[flat_name(tool.name)]
    named = [one["name"] for one in declared["parameters"]]
    given_by_name = {name: arguments[name] for name in named if name in arguments}
    rest = {name: value for name, value in arguments.items() if name not in named}
    body = rest if tool.name == "make" else rest.get("order", {})
    payload = samples.bedrock_agent(path, method=method.upper(), parameters=given_by_name, body=body or None)
    calls.clear()
    said = client.event(payload)["response"]
    assert said["httpStatusCode"] in (200, 201), said
    assert len(calls) == 1
