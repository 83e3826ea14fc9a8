"""One session through every kind of hop: REST, SNS, SQS, EventBridge, ECS, Lambda and WebSocket.

The application below sends and receives; no line of it is about sessions. Its requests go to real servers, and the test
plays the rest of AWS: it hands on what those servers delivered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import orjson
import pytest

from adapters.aws import Aws
from adapters.ecs import Ecs
from adapters.eventbridge import Bus
from adapters.lambda_invoke import Invoker
from adapters.sns import Sns
from adapters.sqs import Sqs
from adapters.websocket import Connections, TrackConnections
from router import Event, FromRequest, Resolver, Session, SessionPolicy, Signing, get_session
from router.errors import RecordsFailed
from router.testing import TestClient
from tests.integration.adapters.management_api import ManagementApi, management_api
from tests.integration.adapters.places import aws_of, make_queue, make_topic
from tests.servers.moto import MotoServer


def policy_with(secret: str | None) -> SessionPolicy:
    """A policy that reads headers, and signs where there is a secret."""
    request = FromRequest(tenant_header="x-tenant", user_header="x-user", correlation_header="x-correlation")
    return SessionPolicy(signing=None if secret is None else Signing(secret), request=request)


SIGNING = policy_with("k" * 32)
ANN = {"x-tenant": "acme", "x-user": "ann"}
ANN_ELSEWHERE = {"x-tenant": "other", "x-user": "ann"}
ORDER = {"id": "7", "customer": "ann", "lines": [{"article": "tea", "count": 2}], "metadata": {"channel": "shop"}}


class Seen(NamedTuple):
    """What a handler was told: its hop, for whom it ran, and with what."""

    hop: str
    tenant: str | None
    user: str | None
    correlation_id: str
    content: Any


def sent(verb: Any, *arguments: Any, **options: Any) -> Any:
    """Call a verb of an adapter, and see that what it was given is afterwards as it was before."""
    before = deepcopy((arguments, options))
    result = verb(*arguments, **options)
    assert (arguments, options) == before
    return result


class Application:
    """All hops in one deployment, and the places on the servers that lie between them."""

    def __init__(self, aws: Aws, api: ManagementApi, policy: SessionPolicy) -> None:
        self.aws = aws
        self.sqs = Sqs(aws)
        self.seen: list[Seen] = []
        self.tasks: list[str] = []
        self.calls: list[Any] = []
        self.connections = Connections(aws, endpoint=api.url)
        self.resolver = Resolver(session=policy)
        self.client = TestClient(self.resolver)
        self._make_places()
        self._register()

    def _make_places(self) -> None:
        _, orders = make_queue(self.aws, "orders")
        make_topic(self.aws, "order-events", orders)
        _, events = make_queue(self.aws, "bus-events")
        self.aws.call("events", "create_event_bus", Name="shop")
        self.aws.call("events", "put_rule", Name="all", EventBusName="shop", EventPattern='{"source": ["orders"]}')
        self.aws.call("events", "put_targets", Rule="all", EventBusName="shop", Targets=[{"Id": "q", "Arn": events}])
        self.aws.call("ecs", "create_cluster", clusterName="jobs")
        self.aws.call(
            "ecs",
            "register_task_definition",
            family="app",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "main", "image": "app", "memory": 512}],
        )
        role = self.aws.call("iam", "create_role", RoleName="runner", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.aws.call(
            "lambda",
            "create_function",
            FunctionName="billing",
            Runtime="python3.11",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": b"zip"},
        )
        self.connections.create_table()

    def _register(self) -> None:
        resolver, note = self.resolver, self._note
        sns, bus, invoker = Sns(self.aws), Bus(self.aws, name="shop", source="orders"), Invoker(self.aws)
        subnet = self.aws.call("ec2", "describe_subnets")["Subnets"][0]["SubnetId"]
        group = self.aws.call("ec2", "describe_security_groups")["SecurityGroups"][0]["GroupId"]
        ecs = Ecs(self.aws, cluster="jobs", task_definition="app", subnets=[subnet], security_groups=[group])
        resolver.use(TrackConnections(self.connections))

        @resolver.post("/orders")
        def take(event: Event):
            note("rest", event, event.json())
            sent(sns.publish, "order-events", event.json(), attributes={"kind": "placed"})
            return {"follow": event.correlation_id}

        # Nobody but the topic may write to the queue: what its envelopes say is believed without a signature, too.
        @resolver.on_queue("orders", topics=["order-events"])
        def place(event: Event):
            note("queue", event, event.json())
            assert event.attributes["kind"] == "placed"
            sent(bus.publish, "OrderPlaced", {"order": event.json(), "metadata": {"version": 1}})

        @resolver.on_bus("OrderPlaced", source="orders")
        def pack(event: Event):
            note("bus", event, event.json()["order"])
            assert event.json()["metadata"]["version"] == 1
            self.tasks.append(sent(ecs.run_task, "pack", {"STORE": "north"}, data=event.json()["order"]))

        @resolver.on_task("pack")
        def packed(event: Event):
            note("task", event, event.json())
            # The server answers an invocation with its own payload.
            self.calls.append(sent(invoker.invoke, "billing", "charge", event.json()))

        @resolver.on_invoke("charge")
        def charge(event: Event):
            note("invoke", event, event.json())
            sent(self.connections.broadcast, event.json(), user=event.json()["customer"])

        @resolver.on_connect()
        def connect() -> None:
            """Anybody may listen."""

        @resolver.on_message()
        def thank(event: Event):
            note("websocket", event, event.json())

    def _note(self, hop: str, event: Event, content: Any) -> None:
        session = get_session()
        assert event.session == session
        # As the caller gave it: what later hops do to theirs must not show here.
        self.seen.append(Seen(hop, session.tenant, session.user, event.correlation_id, deepcopy(content)))

    # ---- AWS, as far as the servers do not play it ---------------------------------------------------------------

    def deliver(self) -> Any:
        """Lambda polls the queue of orders; gives what it is answered."""
        records = self.sqs.receive("orders", wait=5)
        assert len(records) == 1
        answer = self.resolver.resolve({"Records": records})
        self.sqs.delete_many("orders", records)
        return answer

    def event(self) -> Any:
        """The one event that the rule of the bus has delivered."""
        [record] = self.sqs.receive("bus-events", wait=5)
        self.sqs.delete_many("bus-events", [record])
        return json.loads(record["body"])

    def environment(self) -> dict[str, str]:
        """What the container of the one task finds in its environment."""
        [task] = self.aws.call("ecs", "describe_tasks", cluster="jobs", tasks=self.tasks)["tasks"]
        [override] = task["overrides"]["containerOverrides"]
        return {one["name"]: one["value"] for one in override["environment"]}


@pytest.fixture
def api() -> Iterator[ManagementApi]:
    with management_api() as running:
        yield running


@pytest.fixture
def aws(moto: MotoServer) -> Iterator[Aws]:
    aws = aws_of(moto)
    yield aws
    aws.close()


def walk(app: Application, api: ManagementApi) -> str:
    """Send one order all the way; gives the correlation id that its sender was told."""
    answer = app.client.post("/orders", json=ORDER, headers=ANN)
    assert answer.status == 200
    correlation_id: str = answer.json()["follow"]
    # The sender waits for the outcome on a connection; a namesake of another tenant is connected, too.
    for id, headers in (("mine", {**ANN, "x-correlation": correlation_id}), ("other", ANN_ELSEWHERE)):
        assert app.client.connect(connection_id=id, headers=headers)["statusCode"] == 200

    assert app.deliver() == {"batchItemFailures": []}
    app.resolver.resolve(app.event())
    environ = app.environment()
    assert environ["STORE"] == "north"
    assert app.resolver.run_task(environ) == 0
    [call] = app.calls
    app.resolver.resolve(call)

    assert list(api.sent) == ["mine"]
    [message] = api.sent["mine"]
    assert app.client.message(message.decode(), connection_id="mine")["statusCode"] == 200
    return correlation_id


@pytest.mark.parametrize("policy", [policy_with(None), SIGNING], ids=["unsigned", "signed"])
def test_a_session_goes_through_all_hops(aws: Aws, api: ManagementApi, policy: SessionPolicy):
    app = Application(aws, api, policy)
    correlation_id = walk(app, api)

    assert correlation_id
    hops = ["rest", "queue", "bus", "task", "invoke", "websocket"]
    assert app.seen == [Seen(hop, "acme", "ann", correlation_id, ORDER) for hop in hops]
    # The session did travel as the policy says.
    wires = [app.environment()["SESSION"], json.dumps(app.calls[0]["session"])]
    assert [("sig" in orjson.loads(wire)) for wire in wires] == [policy.signing is not None] * 2


def forged(how: str, purpose: str = "message") -> str:
    """The wire form of a session that the application never issued."""
    if how == "unsigned":
        return '{"tenant":"evil","user":"ann"}'
    if how == "other key":
        return SessionPolicy(signing=Signing("x" * 32)).issue(Session(tenant="evil", user="ann"), purpose)
    genuine = SIGNING.issue(Session(tenant="acme", user="ann"), purpose)
    altered = genuine.replace("acme", "evil")
    assert altered != genuine
    return altered


@pytest.mark.parametrize("how", ["unsigned", "other key", "altered"])
class TestForgedSessions:
    """What somebody else puts onto the way ends there: no handler runs, and no later hop sees anything."""

    def test_in_the_queue(self, aws: Aws, api: ManagementApi, how: str):
        app = Application(aws, api, SIGNING)
        aws.call(
            "sns",
            "publish",
            TopicArn=make_topic(aws, "order-events"),
            Message=json.dumps(ORDER),
            MessageAttributes={"session": {"DataType": "String", "StringValue": forged(how)}},
        )
        assert len(app.deliver()["batchItemFailures"]) == 1
        assert app.seen == []
        assert app.sqs.receive("bus-events", wait=0) == []

    def test_on_the_bus(self, aws: Aws, api: ManagementApi, how: str):
        app = Application(aws, api, SIGNING)
        entry = {
            "Source": "orders",
            "DetailType": "OrderPlaced",
            "EventBusName": "shop",
            "Detail": json.dumps({"order": ORDER, "metadata": {"version": 1, "session": json.loads(forged(how))}}),
        }
        assert aws.call("events", "put_events", Entries=[entry])["FailedEntryCount"] == 0
        with pytest.raises(RecordsFailed, match="SessionError"):
            app.resolver.resolve(app.event())
        assert app.seen == []
        assert aws.call("ecs", "list_tasks", cluster="jobs")["taskArns"] == []

    def test_in_the_environment_of_a_task(self, aws: Aws, api: ManagementApi, how: str):
        app = Application(aws, api, SIGNING)
        environ = {"TASK_NAME": "pack", "TASK_DATA": json.dumps(ORDER), "SESSION": forged(how, "task")}
        assert app.resolver.run_task(environ) == 1
        assert app.seen == []
        assert app.calls == []
