"""One scenario in three places: handlers see the same events in `router.testing`, in the gateway, and deployed.

Ids, times and addresses are another in each place: they are compared by their type alone. Where MiniStack, on which the
application is deployed, differs from AWS, `DIFFERENCES` says so, and a test fails once that is no longer true.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from router.testing import TestClient
from tests.integration.deployed.deployment import Deployment, exported
from tests.servers.gateway import LocalGateway
from tests.servers.ministack import MiniStack
from tests.servers.process import wait_until

TRIGGERS = ("http", "invoke", "queue", "fifo", "topic", "table", "stream", "object", "bus")
STACK = "tests.integration.local.same_app:stack"
NAMES = {
    "JOBS": "same-jobs",
    "STEPS": "same-steps.fifo",
    "NEWS": "same-news",
    "ORDERS": "same-orders",
    "CLICKS": "same-clicks",
    "UPLOADS": "same-uploads",
    "EVENTS": "same-events",
}
# Values that are another one in each place, by the name of the field.
_VARY = """
    ApproximateCreationDateTime ApproximateFirstReceiveTimestamp EventSubscriptionArn MessageDeduplicationId MessageId
    SenderId SentTimestamp SequenceNumber Signature SigningCertURL SigningCertUrl SizeBytes Timestamp UnsubscribeURL
    UnsubscribeUrl account accountId apiId approximateArrivalTimestamp awsRegion configurationId domainName
    domainPrefix eTag eventID eventId eventTime host id invokeIdentityArn messageId principalId receiptHandle region
    requestId sequenceNumber sequencer size sourceIPAddress sourceIp time timeEpoch userAgent versionId x-amz-id-2
    x-amz-request-id
"""
VARIES = frozenset(_VARY.split())
_ARN = re.compile(r"arn:aws:([a-z0-9]+):[a-z0-9-]*:\d*:(?:table/same-orders/stream/.*)?")
_HEADERS = ("content-type", "x-tag")

# Where MiniStack's own events are not those of AWS, by trigger; paths as `compared` has them.
DIFFERENCES = {
    "http": {".raw.pathParameters", ".raw.requestContext.domainPrefix"},
    "queue": {
        ".raw.Records[0].md5OfMessageAttributes",
        ".raw.Records[0].messageAttributes.kind.binaryListValues",
        ".raw.Records[0].messageAttributes.kind.stringListValues",
    },
    "topic": {
        ".raw.Records[0].Sns.SigningCertURL",
        ".raw.Records[0].Sns.SigningCertUrl",
        ".raw.Records[0].Sns.UnsubscribeURL",
        ".raw.Records[0].Sns.UnsubscribeUrl",
    },
    "object": {".raw.Records[0].eventVersion"},
}
# Where the gateway leaves it at that.
LEFT = {"object": DIFFERENCES["object"]}

Seen = dict[str, dict[str, Any]]


def collected(folder: Path, triggers: tuple[str, ...] = TRIGGERS) -> Seen:
    """Wait until a folder has an event of each trigger, and return them."""

    def files(trigger: str) -> list[Path]:
        return sorted(folder.glob(f"{trigger}-*.json"))

    assert wait_until(lambda: all(map(files, triggers)), timeout_s=30), [one for one in triggers if not files(one)]
    assert {one: len(files(one)) for one in triggers} == dict.fromkeys(triggers, 1)
    return {one: json.loads(files(one)[0].read_text("utf-8")) for one in triggers}


def send(client: Callable[[str], Any], account: str, region: str) -> None:
    """Send one event to each trigger through AWS."""
    sqs, sns, events, s3 = (client(name) for name in ("sqs", "sns", "events", "s3"))
    attributes = {"kind": {"DataType": "String", "StringValue": "new"}}
    url = sqs.get_queue_url(QueueName="same-jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody='{"job": 1}', MessageAttributes=attributes)
    url = sqs.get_queue_url(QueueName="same-steps.fifo")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody='{"step": 1}', MessageGroupId="g", MessageDeduplicationId="d")
    topic = f"arn:aws:sns:{region}:{account}:same-news"
    sns.publish(TopicArn=topic, Subject="news", Message='{"news": 1}', MessageAttributes=attributes)
    item = {"pk": {"S": "order#1"}, "total": {"N": "12.5"}, "tags": {"SS": ["a", "b"]}}
    client("dynamodb").put_item(TableName="same-orders", Item=item)
    client("kinesis").put_record(StreamName="same-clicks", Data=b'{"click": 1}', PartitionKey="p")
    s3.put_object(Bucket="same-uploads", Key="in/a file.csv", Body=b"1,2")
    entry = {"Source": "shop.web", "DetailType": "Paid", "Detail": '{"order": "1"}', "EventBusName": "same-events"}
    events.put_events(Entries=[entry])


def post(url: str, host: str | None = None) -> Any:
    """Send the request of the scenario, and return its answer."""
    headers = {"content-type": "application/json", "x-tag": "one"} | ({"Host": host} if host else {})
    request = urllib.request.Request(f"{url}/things/tea?q=1&q=2", b'{"thing":"jam"}', headers, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as response:
        return json.load(response)


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Return what handlers see of the events that `router.testing` makes."""
    folder = tmp_path_factory.mktemp("tested")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**NAMES, "SEEN": str(folder)}.items():
            environment.setenv(name, value)
        from tests.integration.local.same_app import resolver

        client = TestClient(resolver, source="http")
        client.post("/things/tea?q=1&q=2", json={"thing": "jam"}, headers={"x-tag": "one"})
        client.invoke("ask", {"question": 1})
        attributes = {"kind": "new"}
        client.queue("same-jobs", ['{"job": 1}'], attributes=attributes)
        client.queue("same-steps.fifo", ['{"step": 1}'], group="g")
        client.topic("same-news", ['{"news": 1}'], subject="news", attributes=attributes)
        item = {"pk": "order#1", "total": Decimal("12.5"), "tags": {"a", "b"}}
        client.stream("same-orders", [("INSERT", None, item)], keys=["pk"])
        client.kinesis("same-clicks", ['{"click": 1}'], partition_keys=["p"])
        client.object("same-uploads", "in/a file.csv")
        client.bus("Paid", {"order": "1"}, source="shop.web")
    return collected(folder)


@pytest.fixture(scope="module")
def deployed(ministack: MiniStack, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Return what handlers see of events on MiniStack, where the exported template is deployed."""
    folder = tmp_path_factory.mktemp("deployed")
    template = exported(STACK, environment={"SEEN": str(folder)})
    made = Deployment(ministack, "same", template, ("tests/integration/local/same_app.py",))
    host, base = made.address("HttpApiUrl")
    assert post(f"{made.server}{base}", host) == {"name": "tea", "thing": "jam"}
    assert made.invoke("same", {"action": "ask", "data": {"question": 1}}) == "answered"
    identity = ministack.client("sts").get_caller_identity()
    send(ministack.client, identity["Account"], "eu-west-1")
    return collected(folder)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Return what handlers see of events in the gateway."""
    folder = tmp_path_factory.mktemp("local")
    with LocalGateway(STACK, variables={"SEEN": str(folder)}) as gateway:
        assert post(gateway.url) == {"name": "tea", "thing": "jam"}
        payload = json.dumps({"action": "ask", "data": {"question": 1}})
        answer = gateway.client("lambda").invoke(FunctionName="same", Payload=payload)
        assert json.load(answer["Payload"]) == "answered"
        send(gateway.client, "000000000000", "us-east-1")
        yield collected(folder)


def compared(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of an event by their paths; of what varies the type alone."""
    name = path.rpartition(".")[2]
    if name == "headers" and isinstance(value, dict):
        value = {key: held for key, held in value.items() if key in _HEADERS}
    if isinstance(value, dict) and value and name not in VARIES:
        return {at: leaf for key, held in value.items() for at, leaf in compared(held, f"{path}.{key}").items()}
    if isinstance(value, list) and value:
        return {
            at: leaf for number, held in enumerate(value) for at, leaf in compared(held, f"{path}[{number}]").items()
        }
    if name in VARIES:
        return {path: "a number" if isinstance(value, int | float) else f"a {type(value).__name__}"}
    return {path: _ARN.sub(r"arn:\1:", value) if isinstance(value, str) else value}


def same(one: Seen, other: Seen, trigger: str) -> dict[str, tuple[Any, Any]]:
    """Return where two events differ, with both values."""
    first, second = compared(one[trigger]), compared(other[trigger])
    missing = "(nothing)"
    return {
        path: (first.get(path, missing), second.get(path, missing))
        for path in sorted(first.keys() | second.keys())
        if first.get(path, missing) != second.get(path, missing)
    }


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_an_event_of_the_tests_is_that_of_the_deployed_application(tested: Seen, deployed: Seen, trigger: str) -> None:
    assert same(tested, deployed, trigger).keys() == DIFFERENCES.get(trigger, set())


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_an_event_of_the_gateway_is_that_of_the_tests(tested: Seen, local: Seen, trigger: str) -> None:
    assert same(tested, local, trigger).keys() == LEFT.get(trigger, set())
