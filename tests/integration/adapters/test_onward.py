"""A session that goes on: EventBridge, Lambda, ECS, Step Functions and HTTP, over real requests and real payloads."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from adapters.ecs import Ecs, TaskTimeout, task_data
from adapters.errors import AdapterError, ResourceNotFound
from adapters.eventbridge import Bus, OutgoingEvent
from adapters.http import ServiceFailed, Services
from adapters.lambda_invoke import Invoker
from adapters.offload import Offload
from adapters.stepfunctions import ExecutionExists, StepFunctions
from router import Event, FromRequest, Resolver, Session, SessionPolicy, Signing
from router.testing import TestClient
from tests.integration.adapters.places import aws_of, make_queue
from tests.servers.moto import MotoServer

POLICY = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(tenant_header="x-tenant", user_header="x-user"))
ASKING = {"x-tenant": "acme", "x-user": "ann"}


def in_a_request(work):
    """Do something as a handler does it, for the tenant and user of a request; gives its result."""
    resolver, results = Resolver(session=POLICY), []

    @resolver.post("/")
    def handler():
        results.append(work())

    assert TestClient(resolver).post("/", headers=ASKING).status < 300
    return results[0]


def receiver(register, *name, **options):
    """An application that notes who it was called for, and with what."""
    resolver, seen = Resolver(session=POLICY), []

    @getattr(resolver, register)(*name, **options)
    def handler(event: Event, session: Session):
        seen.append((session.tenant, session.user, event.json()))

    return resolver, seen


class TestBus:
    @pytest.fixture
    def aws(self, moto: MotoServer):
        aws = aws_of(moto)
        yield aws
        aws.close()

    def delivered(self, aws, bus):
        """The URL of a queue to which a rule delivers all events of a bus."""
        url, arn = make_queue(aws, "events")
        aws.call("events", "create_event_bus", Name=bus)
        aws.call("events", "put_rule", Name="all", EventBusName=bus, EventPattern='{"source": ["orders"]}')
        aws.call("events", "put_targets", Rule="all", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def received(self, aws, url):
        answer = aws.call("sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        return [json.loads(message["Body"]) for message in answer["Messages"]]

    def test_an_event_arrives_with_the_session_of_the_request(self, aws):
        url = self.delivered(aws, "shop")
        bus = Bus(aws, name="shop", source="orders")
        id = in_a_request(lambda: bus.publish("OrderPlaced", {"order": "1"}))
        [event] = self.received(aws, url)
        assert event["id"] == id
        resolver, seen = receiver("on_bus", "OrderPlaced", source="orders")
        resolver.resolve(event)
        [(tenant, user, detail)] = seen
        assert (tenant, user, detail["order"]) == ("acme", "ann", "1")

    def test_many_events_arrive_from_async_code(self, aws):
        url = self.delivered(aws, "shop")
        bus = Bus(aws, name="shop", source="orders")
        events = [OutgoingEvent("OrderPlaced", {"n": n}) for n in range(10)]
        ids = asyncio.run(bus.publish_many_async(events))
        assert sorted(event["id"] for event in self.received(aws, url)) == sorted(ids)


class TestLambda:
    @pytest.fixture
    def invoker(self, moto: MotoServer):
        role = moto.client("iam").create_role(RoleName="runner", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        moto.client("lambda").create_function(
            FunctionName="billing", Runtime="python3.11", Role=role, Handler="app.handler", Code={"ZipFile": b"zip"}
        )
        aws = aws_of(moto)
        yield Invoker(aws)
        aws.close()

    def test_a_call_has_the_session_of_the_request(self, invoker: Invoker):
        # The server answers an invocation with its own payload.
        payload = in_a_request(lambda: invoker.invoke("billing", "charge", {"order": "1"}))
        resolver, seen = receiver("on_invoke", "charge")
        resolver.resolve(payload)
        assert seen == [("acme", "ann", {"order": "1"})]

    def test_results_come_back_parsed(self, invoker: Invoker, moto: MotoServer):
        moto.answer_lambda('{"total": "9.90"}', "null")
        assert asyncio.run(invoker.invoke_async("billing", "total")) == {"total": "9.90"}
        assert invoker.invoke("billing", "total") is None

    def test_an_event_is_accepted(self, invoker: Invoker):
        invoker.invoke_event("billing", "charge", {"order": "1"})
        asyncio.run(invoker.invoke_event_async("billing", "charge"))


class TestTasks:
    @pytest.fixture
    def place(self, moto: MotoServer):
        """A cluster, a task definition with one container, and a subnet."""
        aws = aws_of(moto)
        aws.call("ecs", "create_cluster", clusterName="jobs")
        aws.call(
            "ecs",
            "register_task_definition",
            family="app",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "main", "image": "app", "memory": 512}],
        )
        subnet = aws.call("ec2", "describe_subnets")["Subnets"][0]["SubnetId"]
        group = aws.call("ec2", "describe_security_groups")["SecurityGroups"][0]["GroupId"]
        aws.call("s3", "create_bucket", Bucket="bodies", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield {"aws": aws, "cluster": "jobs", "task_definition": "app", "subnets": [subnet], "security_groups": [group]}
        aws.close()

    def environment(self, aws, arn):
        """What the container of a task finds in its environment."""
        [task] = aws.call("ecs", "describe_tasks", cluster="jobs", tasks=[arn])["tasks"]
        [override] = task["overrides"]["containerOverrides"]
        assert override["name"] == "main"
        return {one["name"]: one["value"] for one in override["environment"]}

    def test_a_task_runs_for_the_tenant_of_the_request(self, place):
        ecs = Ecs(**place)
        arn = in_a_request(lambda: ecs.run_task("nightly", {"REGION": "north"}, data={"day": 1}))
        assert arn.startswith("arn:aws:ecs:")
        environ = self.environment(ecs.aws, arn)
        assert environ["REGION"] == "north"
        resolver, seen = receiver("on_task", "nightly")
        assert resolver.run_task(environ) == 0
        assert seen == [("acme", "ann", {"day": 1})]

    def test_an_altered_session_starts_nothing(self, place):
        ecs = Ecs(**place)
        environ = self.environment(ecs.aws, in_a_request(lambda: ecs.run_task("nightly")))
        resolver, seen = receiver("on_task", "nightly")
        assert resolver.run_task({**environ, "SESSION": environ["SESSION"].replace("acme", "evil")}) == 1
        assert resolver.run_task({**environ, "SESSION": '{"tenant":"evil"}'}) == 1
        assert seen == []

    def test_large_data_waits_in_s3(self, place):
        offload = Offload("bodies", aws=place["aws"])
        ecs = Ecs(**place, offload=offload)
        data = {"ids": ["x" * 100] * 200}
        environ = self.environment(ecs.aws, asyncio.run(ecs.run_task_async("nightly", data=data)))
        assert len(json.dumps(environ)) < 8192
        resolver, seen = Resolver(), []
        resolver.on_task("nightly")(lambda event: seen.append(json.loads(task_data(event, offload))))
        assert resolver.run_task(environ) == 0
        assert seen == [data]

    def test_several_tasks_are_several(self, place):
        assert len(set(Ecs(**place).run_tasks("nightly", 3))) == 3

    def test_waiting_ends_when_the_task_has_ended(self, place):
        # The server lets a task take a step to its end each time it is looked at.
        pauses: list[float] = []
        place["aws"].sleep = pauses.append
        ecs = Ecs(**place)
        result = ecs.wait(ecs.run_task("nightly", wait=True))
        assert (result.ok, result.exit_code) == (True, 0)
        assert pauses

    def test_waiting_may_take_too_long(self, place):
        ecs = Ecs(**place)
        arn = ecs.run_task("nightly")
        with pytest.raises(TaskTimeout, match=arn):
            ecs.wait(arn, timeout=0)

    @pytest.mark.parametrize("changes", [{"cluster": "unknown"}, {"task_definition": "unknown", "container": "main"}])
    def test_a_place_that_is_not_there(self, place, changes):
        with pytest.raises(AdapterError, match="unknown"):
            Ecs(**{**place, **changes}).run_task("nightly")


class TestStateMachines:
    @pytest.fixture
    def machines(self, moto: MotoServer):
        aws = aws_of(moto)
        definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
        aws.call(
            "stepfunctions",
            "create_state_machine",
            name="fulfil",
            definition=json.dumps(definition),
            roleArn="arn:aws:iam::123456789012:role/machine",
        )
        yield StepFunctions(aws)
        aws.close()

    def test_an_execution_has_the_session_of_the_request(self, machines: StepFunctions):
        arn = in_a_request(lambda: machines.start("fulfil", {"action": "pack", "data": {"order": "1"}}, name="order-1"))
        assert arn.endswith(":fulfil:order-1")
        execution = machines.aws.call("stepfunctions", "describe_execution", executionArn=arn)
        resolver, seen = receiver("on_invoke", "pack")
        resolver.resolve(json.loads(execution["input"]))
        assert seen == [("acme", "ann", {"order": "1"})]

    def test_a_name_is_taken_once(self, machines: StepFunctions):
        machines.start("fulfil", {"order": "1"}, name="order-1")
        with pytest.raises(ExecutionExists, match="order-1"):
            asyncio.run(machines.start_async("fulfil", {"order": "2"}, name="order-1"))

    def test_a_machine_that_is_not_there(self, machines: StepFunctions):
        with pytest.raises(ResourceNotFound, match="unknown"):
            machines.start("unknown")


class TestServices:
    @pytest.fixture
    def sister(self):
        """A service over HTTP: the routes of a resolver behind a real socket. Gives its URL."""
        billing = Resolver()

        @billing.get("/invoices/{id}")
        def invoice(id: str, event: Event):
            session = POLICY.open(event.headers["x-junction-session"], "header")
            return {"id": id, "tenant": session.tenant, "user": session.user}

        client = TestClient(billing)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                answer = client.get(self.path, headers=dict(self.headers))
                self.send_response(answer.status)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()

    def test_a_sister_service_answers_for_the_tenant_of_the_request(self, sister):
        services = Services({"billing": sister})
        try:
            answer = in_a_request(lambda: services.get("billing", ["invoices", "a/1"]).json())
            assert answer == {"id": "a/1", "tenant": "acme", "user": "ann"}
        finally:
            services.close()

    def test_so_it_does_in_async_code_and_on_a_later_loop(self, sister):
        services = Services({"billing": sister}, policy=POLICY)

        async def ask():
            try:
                return (await services.get_async("billing", "/invoices/1", session=Session(tenant="b"))).json()
            finally:
                await services.aclose()

        assert [asyncio.run(ask())["tenant"] for _ in range(2)] == ["b", "b"]

    def test_what_it_refuses_is_an_error_with_its_name(self, sister):
        services = Services({"billing": sister})
        try:
            with pytest.raises(ServiceFailed, match="billing GET /nothing: it answered 404"):
                services.get("billing", "/nothing")
        finally:
            services.close()
