"""Starting executions: the input with the session, names, and repeated starts."""

from __future__ import annotations

import json

import pytest

from adapters.errors import InvalidMessage, MessageTooLarge, ResourceNotFound
from adapters.stepfunctions import ExecutionExists, StepFunctions
from router import ConfigurationError, FromRequest, LegacySessions, Resolver, Session, SessionPolicy, Signing
from router.testing import TestClient
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

POLICY = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(tenant_header="x-tenant"))
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:fulfil"


def machines(client=None, **options):
    client = client or FakeClient(start_execution={"executionArn": "arn:execution"})
    return StepFunctions(fake_aws({"stepfunctions": client}), **options), client


def inputs(client):
    return [json.loads(held["input"]) for held in client.parameters("start_execution")]


def test_a_name_becomes_an_arn_of_this_account():
    starter, client = machines()
    assert starter.start("fulfil", {"order": "1"}, name="order-1") == "arn:execution"
    assert client.parameters("start_execution") == [
        {"stateMachineArn": MACHINE, "input": '{"order":"1"}', "name": "order-1"}
    ]


def test_an_arn_stays_what_it_is():
    starter, client = machines()
    starter.start(f"{MACHINE}:3")
    assert client.parameters("start_execution") == [{"stateMachineArn": f"{MACHINE}:3", "input": "{}"}]


def test_the_session_reaches_a_function_that_is_called_with_the_whole_input():
    starter, client = machines()
    resolver = Resolver(session=POLICY)

    @resolver.post("/orders")
    def place():
        starter.start("fulfil", {"action": "pack", "data": {"order": "1"}})

    TestClient(resolver).post("/orders", headers={"x-tenant": "acme"})
    seen = []
    function = Resolver(session=POLICY)

    @function.on_invoke("pack")
    def pack(session: Session):
        seen.append(session.tenant)

    function.resolve(inputs(client)[0])
    assert seen == ["acme"]


def test_the_input_stays_as_it_is_and_a_session_in_it_does_not_travel():
    given = {"order": "1", "session": {"tenant": "victim"}}
    starter, client = machines()
    starter.start("fulfil", given, session=Session(tenant="acme"))
    starter.start("fulfil", given)
    assert inputs(client) == [{"order": "1", "session": {"tenant": "acme"}}, {"order": "1"}]
    assert given == {"order": "1", "session": {"tenant": "victim"}}


@pytest.mark.parametrize("given", ["text", [1], 7])
def test_an_input_that_is_no_object(given):
    with pytest.raises(InvalidMessage, match="must be a JSON object"):
        machines()[0].start("fulfil", given)


def test_an_input_that_is_too_large():
    starter, client = machines()
    with pytest.raises(MessageTooLarge, match="262,144"):
        starter.start("fulfil", {"x": "y" * 262_144})
    assert client.calls == []


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "x" * 81, "a\n", "a\ud800", 'a"b'])
def test_a_name_that_step_functions_would_refuse(name):
    with pytest.raises(InvalidMessage, match="1 to 80 characters"):
        machines()[0].start("fulfil", name=name)


def test_a_repeated_start_is_told_apart():
    starter, _ = machines(FakeClient(start_execution=refusal("ExecutionAlreadyExists")))
    with pytest.raises(ExecutionExists, match="order-1"):
        starter.start("fulfil", name="order-1")


def test_a_machine_that_is_not_there():
    starter, _ = machines(FakeClient(start_execution=refusal("StateMachineDoesNotExist")))
    with pytest.raises(ResourceNotFound, match="stateMachine:fulfil"):
        starter.start("fulfil")
    with pytest.raises(ConfigurationError, match="name or ARN"):
        starter.start("")


def test_no_older_session_of_somebody_else_goes_along():
    policy = SessionPolicy(legacy=LegacySessions(write={"execution": "json"}))
    starter, client = machines(policy=policy)
    starter.start("fulfil", {"session": {"state": "globex"}, "junction-session": {"tenant": "globex"}}, session=None)
    starter.start("fulfil", {"session": {"state": "globex"}}, session=Session("acme"))
    assert inputs(client) == [{}, {"session": {"state": "acme"}, "junction-session": {"tenant": "acme"}}]
