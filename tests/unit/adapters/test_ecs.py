"""Launching tasks: what the container gets, how long it may be, why ECS refuses, and how a task ended."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from adapters.ecs import (
    Ecs,
    TaskExists,
    TaskFailed,
    TaskNotStarted,
    TaskResult,
    TaskStatus,
    TaskTimeout,
    task_data,
    task_data_async,
)
from adapters.errors import AdapterError, InvalidMessage, MessageTooLarge, OffloadRefused, ResourceNotFound
from router import ConfigurationError, Event, FromRequest, Resolver, Session, SessionPolicy, Signing
from router.encode import dumps
from router.sources import read
from router.testing import TestClient
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

POLICY = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(tenant_header="x-tenant"))
ARN = "arn:aws:ecs:eu-west-1:123456789012:task/jobs/1"
PLACE = {"cluster": "jobs", "task_definition": "app:3", "subnets": ["subnet-1"], "container": "main"}


def started(parameters):
    return {"tasks": [{"taskArn": f"{ARN}{n}"} for n in range(parameters["count"])], "failures": []}


def launcher(client=None, sleeps=None, **options):
    client = client or FakeClient(run_task=started)
    return Ecs(fake_aws({"ecs": client}, sleeps), **{**PLACE, **options}), client


def environment(client):
    """The variables of the container, as the process will find them."""
    [override] = client.parameters("run_task")[-1]["overrides"]["containerOverrides"]
    return {one["name"]: one["value"] for one in override["environment"]}


STARTED = datetime(2026, 1, 31, 12, tzinfo=UTC)


def task(status="STOPPED", code: int | None = 0, **further):
    container = {"name": "main", **({} if code is None else {"exitCode": code})}
    return {"tasks": [{"taskArn": ARN, "lastStatus": status, "containers": [container], **further}]}


class Bodies:
    """Bodies in memory, in place of S3."""

    def __init__(self):
        self.held: dict[str, bytes] = {}

    def store(self, body, aws=None):
        key = f"k{len(self.held)}"
        self.held[key] = body.encode()
        return json.dumps({"junction-offload": {"key": key}}), {"junction-offload": len(body)}

    def fetch(self, pointer):
        return self.held[pointer["key"]]

    async def fetch_async(self, pointer):
        return self.fetch(pointer)


class TestRequest:
    def test_places_the_task_without_a_public_address(self):
        ecs, client = launcher(security_groups=["sg-1"], tags={"team": "a"})
        assert ecs.run_task("nightly") == f"{ARN}0"
        assert client.parameters("run_task") == [
            {
                "cluster": "jobs",
                "taskDefinition": "app:3",
                "count": 1,
                "launchType": "FARGATE",
                "networkConfiguration": {
                    "awsvpcConfiguration": {
                        "subnets": ["subnet-1"],
                        "securityGroups": ["sg-1"],
                        "assignPublicIp": "DISABLED",
                    }
                },
                "overrides": {
                    "containerOverrides": [{"name": "main", "environment": [{"name": "TASK_NAME", "value": "nightly"}]}]
                },
                "tags": [{"key": "team", "value": "a"}],
            }
        ]

    def test_capacity_providers_take_the_place_of_the_launch_type(self):
        ecs, client = launcher(capacity_providers={"FARGATE_SPOT": 3, "FARGATE": 1}, public_ip=True)
        ecs.run_task("nightly", task_definition="other", command=["python", "-m", "jobs"], token="t1")
        held = client.parameters("run_task")[0]
        assert "launchType" not in held
        assert held["capacityProviderStrategy"][0] == {"capacityProvider": "FARGATE_SPOT", "weight": 3}
        assert held["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "ENABLED"
        assert (held["taskDefinition"], held["clientToken"]) == ("other", "t1")
        assert held["overrides"]["containerOverrides"][0]["command"] == ["python", "-m", "jobs"]

    def test_capacity_providers_may_be_names_and_need_no_network(self):
        ecs, client = launcher(capacity_providers=["spot"], subnets=[], launch_type=None, platform_version="1.4.0")
        ecs.run_task("nightly")
        held = client.parameters("run_task")[0]
        assert held["capacityProviderStrategy"] == [{"capacityProvider": "spot", "weight": 1}]
        assert held["platformVersion"] == "1.4.0"
        assert "networkConfiguration" not in held

    def test_variables_data_and_session_reach_the_route(self):
        ecs, client = launcher()
        resolver = Resolver(session=POLICY)
        env = {"REGION": "north"}

        @resolver.post("/bill")
        def bill():
            ecs.run_task("nightly", env, data={"day": "2026-01-31"})

        TestClient(resolver).post("/bill", headers={"x-tenant": "acme"})
        seen = []
        application = Resolver(session=POLICY)

        @application.on_task("nightly")
        def nightly(event: Event, session: Session):
            seen.append((session.tenant, event.json(), event.raw["REGION"]))

        assert application.run_task(environment(client)) == 0
        assert seen == [("acme", {"day": "2026-01-31"}, "north")]
        assert env == {"REGION": "north"}

    @pytest.mark.parametrize("variable", ["SESSION", "JUNCTION_SESSION", "TASK_NAME", "TASK_DATA", "TASK_OFFLOAD"])
    def test_nobody_hands_in_what_is_ours(self, variable):
        ecs, client = launcher()
        with pytest.raises(InvalidMessage, match=variable):
            ecs.run_task("nightly", {variable: '{"tenant":"victim"}'})
        assert client.calls == []

    @pytest.mark.parametrize(
        ("env", "why"),
        [({"A=B": "x"}, "no name"), ({"": "x"}, "no name"), ({"A": 5}, "must be text"), ({"A": "x\0"}, "must be text")],
    )
    def test_variables_that_no_environment_has(self, env, why):
        with pytest.raises(InvalidMessage, match=why):
            launcher()[0].run_task("nightly", env)

    def test_a_value_is_not_quoted_by_an_error(self):
        with pytest.raises(InvalidMessage) as raised:
            launcher()[0].run_task("nightly", {"PASSWORD": b"hunter2"})
        assert "hunter2" not in str(raised.value)

    @pytest.mark.parametrize(
        "options", [{"name": ""}, {"name": "n", "data": object()}, {"name": "n", "command": "rm -rf"}]
    )
    def test_what_makes_no_sense_is_told(self, options):
        with pytest.raises(InvalidMessage):
            launcher()[0].run_task(**options)

    @pytest.mark.parametrize(
        "options",
        [
            {"subnets": []},
            {"subnets": "subnet-1"},
            {"cluster": ""},
            {"launch_type": "LAMBDA"},
            {"security_groups": "sg-1"},
        ],
    )
    def test_a_launcher_that_makes_no_sense_is_refused_when_made(self, options):
        with pytest.raises(ConfigurationError):
            launcher(**options)

    def test_a_task_definition_is_needed(self):
        with pytest.raises(ConfigurationError, match="task_definition"):
            launcher(task_definition=None)[0].run_task("nightly")


class TestContainer:
    def definition(self, *names):
        return {"taskDefinition": {"containerDefinitions": [{"name": name} for name in names]}}

    def test_the_only_one_is_found_once(self):
        client = FakeClient(run_task=started, describe_task_definition=self.definition("web"))
        ecs, _ = launcher(client, container=None)
        ecs.run_task("a")
        ecs.run_task("b")
        assert client.parameters("run_task")[1]["overrides"]["containerOverrides"][0]["name"] == "web"
        assert len(client.parameters("describe_task_definition")) == 1

    def test_of_several_one_has_to_be_named(self):
        client = FakeClient(describe_task_definition=self.definition("web", "xray"))
        with pytest.raises(ConfigurationError, match=r"web, xray; give Ecs\(container="):
            launcher(client, container=None)[0].run_task("a")


class TestLength:
    def test_too_many_variables_are_told_before_anything_is_started(self):
        ecs, client = launcher(offload=Bodies())
        with pytest.raises(MessageTooLarge, match=r"nightly.*8,192.*fewer variables"):
            ecs.run_task("nightly", {"LIST": "x" * 8192})
        assert client.calls == []

    def test_too_much_data_names_the_way_out(self):
        with pytest.raises(MessageTooLarge, match="Offload"):
            launcher()[0].run_task("nightly", data="x" * 8192)

    def test_the_most_that_fits_goes_as_it_is(self):
        ecs, client = launcher(offload=Bodies())
        rest = 8192 - len(json.dumps({"containerOverrides": [{"name": "main", "environment": []}]}))
        fixed = json.dumps([{"name": "TASK_NAME", "value": "n"}, {"name": "TASK_DATA", "value": '""'}])[1:-1]
        data = "x" * (rest - len(fixed))
        ecs.run_task("n", data=data)
        assert json.loads(environment(client)["TASK_DATA"]) == data
        ecs.run_task("n", data=data + "x")
        assert "TASK_OFFLOAD" in environment(client)

    def test_large_data_goes_by_s3_and_is_found_again(self):
        offload = Bodies()
        ecs, client = launcher(offload=offload)
        ecs.run_task("nightly", {"A": "b"}, data={"ids": ["x" * 9000]}, session=Session(tenant="acme"))
        seen = []
        application = Resolver()

        @application.on_task("nightly")
        def nightly(event: Event, session: Session):
            seen.append((json.loads(task_data(event, offload)), session.tenant))

        assert application.run_task(environment(client)) == 0
        assert seen == [({"ids": ["x" * 9000]}, "acme")]

    def test_data_that_cannot_be_saved_by_it_is_not_stored(self):
        offload = Bodies()
        with pytest.raises(MessageTooLarge, match="without its data"):
            launcher(offload=offload)[0].run_task("nightly", {"LIST": "y" * 8192}, data="x" * 9000)
        assert offload.held == {}

    def test_an_async_task_reads_it_as_well(self):
        offload = Bodies()
        ecs, client = launcher(offload=offload)
        ecs.run_task("nightly", data="x" * 9000)
        [event] = read(environment(client))
        assert asyncio.run(task_data_async(event, offload)) == task_data(event, offload) == dumps("x" * 9000)

    def test_small_data_is_read_the_same_way(self):
        [event] = read({"TASK_NAME": "nightly", "TASK_DATA": '{"a":1}'})
        assert asyncio.run(task_data_async(event)) == b'{"a":1}'
        assert json.loads(task_data(event, Bodies())) == {"a": 1}
        assert json.loads(task_data(event)) == {"a": 1}

    @pytest.mark.parametrize("data", ["{}", "[]", '{"a": 1}', '{"a": {}, "b": {}}'])
    def test_a_pointer_that_is_none_is_refused(self, data):
        [event] = read({"TASK_NAME": "nightly", "TASK_OFFLOAD": "9000", "TASK_DATA": data})
        with pytest.raises(OffloadRefused, match="no pointer"):
            task_data(event, Bodies())
        with pytest.raises(ConfigurationError, match="Offload"):
            task_data(event)


class TestRefused:
    @pytest.mark.parametrize(
        ("reason", "retryable"),
        [
            ("RESOURCE:MEMORY", True),
            ("Capacity is unavailable at this time. Please try again later", True),
            ("MISSING", False),
        ],
    )
    def test_says_why_and_whether_to_come_again(self, reason, retryable):
        client = FakeClient(run_task={"tasks": [], "failures": [{"arn": "arn:instance", "reason": reason}]})
        with pytest.raises(TaskNotStarted) as raised:
            launcher(client)[0].run_task("nightly")
        assert f"nightly (app:3 in jobs): 1 of 1 not started: {reason}" in str(raised.value)
        assert raised.value.retryable is retryable
        assert raised.value.code == reason

    def test_without_a_task_and_without_a_reason_is_no_success(self):
        with pytest.raises(TaskNotStarted, match="no reason"):
            launcher(FakeClient(run_task={"tasks": []}))[0].run_task("nightly")

    def test_some_of_several(self):
        client = FakeClient(run_task={"tasks": [{"taskArn": ARN}], "failures": [{"reason": "RESOURCE:CPU"}]})
        with pytest.raises(TaskNotStarted, match="1 of 2") as raised:
            launcher(client)[0].run_tasks("nightly", 2)
        assert raised.value.started == [ARN]

    def test_the_same_token_with_another_request(self):
        client = FakeClient(run_task=refusal("ConflictException"))
        with pytest.raises(TaskExists, match="t1"):
            launcher(client)[0].run_task("nightly", token="t1")
        with pytest.raises(AdapterError, match="ConflictException"):
            launcher(client)[0].run_task("nightly")

    def test_a_cluster_that_is_not_there(self):
        with pytest.raises(ResourceNotFound, match="nightly"):
            launcher(FakeClient(run_task=refusal("ClusterNotFoundException")))[0].run_task("nightly")


class TestSeveral:
    def test_are_started_in_one_call(self):
        ecs, client = launcher()
        assert ecs.run_tasks("nightly", 3, data={"a": 1}, session=Session(tenant="acme")) == [
            f"{ARN}{n}" for n in range(3)
        ]
        assert environment(client)["SESSION"] == '{"tenant":"acme"}'

    @pytest.mark.parametrize("count", [0, 11, True, 1.5])
    def test_but_no_more_than_ecs_takes(self, count):
        with pytest.raises(ConfigurationError, match="1 to 10"):
            launcher()[0].run_tasks("nightly", count)


class TestStatus:
    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_is_told_without_waiting(self, asynchronous):
        client = FakeClient(describe_tasks=[task("PENDING"), task("RUNNING", startedAt=STARTED), task(code=3)])
        sleeps: list[float] = []
        ecs, _ = launcher(client, sleeps)

        def status():
            return asyncio.run(ecs.status_async(ARN)) if asynchronous else ecs.status(ARN)

        assert status() == TaskStatus(ARN, "PENDING")
        assert status() == TaskStatus(ARN, "RUNNING", STARTED)
        assert status() == TaskStatus(ARN, "STOPPED", result=TaskResult(ARN, 3, started=True))
        assert sleeps == []

    def test_of_one_that_lost_its_host(self):
        answer = task(code=None, startedAt=STARTED, stopCode="TerminationNotice")
        status = launcher(FakeClient(describe_tasks=answer))[0].status(ARN)
        assert status.started_at == STARTED
        assert status.result == TaskResult(ARN, None, stop_code="TerminationNotice", started=True)

    def test_of_one_that_is_not_there(self):
        client = FakeClient(describe_tasks={"tasks": [], "failures": [{"arn": ARN, "reason": "MISSING"}]})
        with pytest.raises(ResourceNotFound, match="no such task in jobs") as raised:
            launcher(client)[0].status(ARN)
        assert raised.value.code == "MISSING"
        assert len(client.calls) == 1


class TestWaiting:
    def test_ends_with_the_task(self):
        sleeps: list[float] = []
        client = FakeClient(
            describe_tasks=[task("PROVISIONING"), task("RUNNING"), task(stopCode="EssentialContainerExited")]
        )
        result = launcher(client, sleeps)[0].wait(ARN)
        assert (result.ok, result.exit_code, result.stop_code) == (True, 0, "EssentialContainerExited")
        assert sleeps == [2, 3]

    def test_looks_less_and_less_often(self):
        sleeps: list[float] = []
        with pytest.raises(TaskTimeout, match=r"it is RUNNING after 100 seconds"):
            launcher(FakeClient(describe_tasks=task("RUNNING")), sleeps)[0].wait(ARN, timeout=100)
        assert sleeps[:6] == [2, 3, 4.5, 6.75, 10.125, 15]
        assert sum(sleeps) == pytest.approx(100, abs=1)

    @pytest.mark.parametrize(
        ("answer", "code", "why"),
        [
            (task(code=3, stoppedReason="Essential container in task exited"), 3, "exit code 3"),
            (
                task(code=None, stoppedReason="CannotPullContainerError: no such image"),
                None,
                "CannotPullContainerError",
            ),
            (task(code=None, containers=[], stopCode="TaskFailedToStart"), None, "never ran"),
            (
                task(code=None, startedAt=STARTED, stoppedReason="Host EC2 (instance i-1) terminated."),
                None,
                r"was stopped before it ended \(Host EC2",
            ),
            (task(code=None, startedAt=STARTED, stopCode="UserInitiated"), None, "was stopped before it ended"),
        ],
    )
    def test_on_a_task_that_fails_raises_when_it_was_started_here(self, answer, code, why):
        client = FakeClient(run_task=started, describe_tasks=answer)
        with pytest.raises(TaskFailed, match=why) as raised:
            launcher(client)[0].run_task("nightly", wait=True)
        assert raised.value.result.exit_code == code

    @pytest.mark.parametrize(
        ("answer", "interrupted"),
        [
            (task(code=None, startedAt=STARTED, stopCode="SpotInterruption"), True),
            (task(code=None, startedAt=STARTED, stopCode="TerminationNotice"), True),
            (task(code=None, startedAt=STARTED, stoppedReason="Host EC2 (instance i-1) terminated."), True),
            (task(code=None, startedAt=STARTED, stopCode="UserInitiated"), False),
            (task(code=None, stopCode="TaskFailedToStart"), False),
            (task(code=1, startedAt=STARTED, stopCode="EssentialContainerExited"), False),
        ],
    )
    def test_what_lost_its_host_may_be_tried_again(self, answer, interrupted):
        client = FakeClient(run_task=started, describe_tasks=answer)
        with pytest.raises(TaskFailed) as raised:
            launcher(client)[0].run_task("nightly", wait=True)
        assert raised.value.retryable is raised.value.result.interrupted is interrupted

    def test_on_one_that_succeeds_gives_its_arn(self):
        client = FakeClient(run_task=started, describe_tasks=task())
        assert launcher(client)[0].run_task("nightly", wait=True) == f"{ARN}0"

    def test_looks_at_the_named_container_alone(self):
        side = [{"name": "xray", "exitCode": 137}, {"name": "main", "exitCode": 0}]
        client = FakeClient(describe_tasks=task(containers=side))
        assert launcher(client)[0].wait(ARN).ok
        assert launcher(client, container=None)[0].wait(ARN).exit_code == 137

    def test_on_a_new_task_that_ecs_does_not_show_yet(self):
        gone = {"tasks": [], "failures": [{"arn": ARN, "reason": "MISSING"}]}
        assert launcher(FakeClient(describe_tasks=[gone, gone, task()]))[0].wait(ARN).ok

    def test_on_one_that_is_not_there_at_all(self):
        gone = {"tasks": [], "failures": [{"arn": ARN, "reason": "MISSING"}]}
        with pytest.raises(ResourceNotFound, match="no such task in jobs") as raised:
            launcher(FakeClient(describe_tasks=gone))[0].wait(ARN)
        assert raised.value.code == "MISSING"
